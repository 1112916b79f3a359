"""What we ask clients to send with a call, and what must have arrived before anything is judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cards.record import Coverage
from service.errors import data_missing

OF_PATIENT = "patient={{context.patientId}}"
CODES = "&code="
# The shortest limit of those in wide use, of IIS, is 2,048 characters for a query.
LONGEST_QUERY = 1_900

_TOKEN = re.compile(r"\{\{context\.(\w+)\}\}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")

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
# States in which a key was not read, or not to its end.
NOT_READ = frozenset({"missing", "failed", "unfinished"})


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
        queries["observations"] += CODES + codes
    return queries


def queries_for(
    templates: Mapping[str, str], context: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    """Prefetch key → the queries that answer its template, percent-encoded.

    One query, or several where a list of codes is too long for the request lines that common
    servers take.

    Raises:
        ValueError: an id of the context is none that FHIR allows, and could change the query.
    """
    return {
        key: _in_parts(_TOKEN.sub(lambda token: _id_of(context, token[1]), template))
        for key, template in templates.items()
    }


def _id_of(context: Mapping[str, Any], name: str) -> str:
    value = context.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value) or set(value) == {"."}:
        raise ValueError(f"context.{name} is no FHIR id")
    return value


def _in_parts(query: str) -> tuple[str, ...]:
    head, separator, listed = query.replace("|", "%7C").rpartition(CODES)
    if not separator or len(query) <= LONGEST_QUERY:
        return (query.replace("|", "%7C"),)
    room = LONGEST_QUERY - len(head) - len(separator)
    parts: list[str] = []
    for code in listed.split(","):
        if parts and len(parts[-1]) + len(code) < room:
            parts[-1] += f",{code}"
        else:
            parts.append(code)
    return tuple(f"{head}{separator}{part}" for part in parts)


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
