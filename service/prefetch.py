"""What we ask clients to send with a call, and what must have arrived before anything is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cards.record import Coverage
from service.errors import data_missing

OF_PATIENT = "patient={{context.patientId}}"

# No date limits: the time windows stand in the facts, and some of them reach back two years.
SEARCHES: Mapping[str, str] = {
    "conditions": "Condition",
    "medications": "MedicationRequest",
    "observations": "Observation",
    "procedures": "Procedure",
    "serviceRequests": "ServiceRequest",
    "encounters": "Encounter",
    "allergies": "AllergyIntolerance",
    "diagnosticReports": "DiagnosticReport",
    "deviceRequests": "DeviceRequest",
}

KEYS: tuple[str, ...] = ("patient", *SEARCHES)


def templates(loinc_codes: Iterable[str]) -> dict[str, str]:
    """Prefetch key → query, in the subset every client can run: no includes, no modifiers.

    Args:
        loinc_codes: the observations any fact looks at; laboratories hold thousands of others.
    """
    queries = {"patient": "Patient/{{context.patientId}}"}
    for key, resource_type in SEARCHES.items():
        queries[key] = f"{resource_type}?{OF_PATIENT}"
    codes = ",".join(f"http://loinc.org|{code}" for code in sorted(set(loinc_codes)))
    if codes:
        queries["observations"] += f"&code={codes}"
    return queries


def require_data(hook: str, coverage: Mapping[str, Coverage]) -> None:
    """Refuse a call that lacks what its hook cannot do without.

    On patient-view conditions with an unread next page are enough: what is present counts, and
    the cards say that absence could not be checked.

    Raises:
        RequestRefused: 412, naming the key.
    """
    if coverage["patient"] is not Coverage.READ:
        raise data_missing("patient")
    if hook == "patient-view" and coverage["conditions"] in {Coverage.MISSING, Coverage.FAILED}:
        raise data_missing("conditions")
