"""Whatever is wrong with one element of a request, the record is read or its patient refused."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cards.codes import ICD10CM, LOINC, RXNORM, SNOMED, CodeIndex
from service.patient_record import (
    PatientUnavailable,
    Reading,
    WrongPatient,
    coverage_of,
    read_patient_record,
)

PATIENT = {"reference": "Patient/p1"}
CODE = {"coding": [{"system": SNOMED, "code": "279039007", "display": "Pain"}], "text": "Pain"}
PERIOD = {"start": "2026-01-01", "end": "2026-02-01T10:00:00.5Z"}
DOSE = {"value": 500, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
RATIO = {"numerator": DOSE, "denominator": {"value": 1, "code": "d"}}
COMMON = {"subject": PATIENT, "code": CODE, "encounter": {"reference": "Encounter/e1"}}
ORDER = {
    "resourceType": "MedicationRequest",
    "id": "o1",
    "status": "active",
    "intent": "order",
    "doNotPerform": False,
    "subject": PATIENT,
    "identifier": [{"system": "urn:x", "value": "1"}],
    "contained": [
        {
            "resourceType": "Medication",
            "id": "m",
            "code": {"coding": [{"system": RXNORM, "code": "849574"}]},
            "ingredient": [{"itemCodeableConcept": CODE}],
        }
    ],
    "medicationReference": {"reference": "#m", "display": "naproxen"},
    "reasonReference": [{"reference": "Condition/c1"}],
    "authoredOn": "2026-03-01",
    "dosageInstruction": [
        {
            "sequence": 1,
            "asNeededBoolean": True,
            "route": CODE,
            "timing": {
                "repeat": {
                    "boundsPeriod": PERIOD,
                    "boundsDuration": {"value": 5, "code": "d"},
                    "boundsRange": {"high": {"value": 5, "code": "d"}},
                    "frequency": 2,
                    "period": 1,
                    "periodUnit": "d",
                    "timeOfDay": ["08:00"],
                    "when": ["HS"],
                },
                "code": CODE,
            },
            "doseAndRate": [{"type": CODE, "doseQuantity": DOSE}, {"doseRange": {"high": DOSE}}],
            "maxDosePerPeriod": RATIO,
        }
    ],
    "dispenseRequest": {
        "quantity": DOSE,
        "numberOfRepeatsAllowed": 2,
        "expectedSupplyDuration": {"value": 30, "code": "d"},
        "validityPeriod": PERIOD,
    },
    "statusReason": CODE,
}
REQUEST: dict[str, Any] = {
    "context": {
        "patientId": "p1",
        "encounterId": "e1",
        "selections": ["MedicationRequest/d1"],
        "draftOrders": {
            "resourceType": "Bundle",
            "entry": [
                {"fullUrl": "urn:uuid:1", "resource": {**ORDER, "id": "d1", "status": "draft"}}
            ],
        },
    },
    "prefetch": {
        "patient": {
            "resourceType": "Patient",
            "id": "p1",
            "birthDate": "1970-01-01",
            "gender": "male",
            "deceasedBoolean": False,
        },
        "conditions": {
            "resourceType": "Bundle",
            "total": 1,
            "link": [{"relation": "self"}],
            "entry": [
                {
                    "fullUrl": "https://x.org/Condition/c1",
                    "search": {"mode": "match"},
                    "resource": {
                        "resourceType": "Condition",
                        "id": "c1",
                        **COMMON,
                        "code": {"coding": [{"system": ICD10CM, "code": "M54.50"}]},
                        "clinicalStatus": {"coding": [{"code": "active"}]},
                        "verificationStatus": {"coding": [{"code": "confirmed"}]},
                        "category": [CODE],
                        "bodySite": [CODE],
                        "stage": [{"summary": CODE}],
                        "onsetAge": {"value": 50, "code": "a"},
                        "abatementPeriod": PERIOD,
                        "recordedDate": "2026-01",
                    },
                }
            ],
        },
        "medications": {"resourceType": "Bundle", "entry": [{"resource": ORDER}]},
        "observations": {
            "resourceType": "Bundle",
            "entry": [
                {
                    "resource": {
                        "resourceType": "Observation",
                        "id": "b1",
                        **COMMON,
                        "code": {"coding": [{"system": LOINC, "code": "8310-5"}]},
                        "status": "final",
                        "effectiveDateTime": "2026-03-01T10:00:00Z",
                        "valueQuantity": {"value": 101.3, "code": "[degF]"},
                        "bodySite": CODE,
                        "component": [{"code": CODE, "valueString": "<15 mg"}],
                    }
                },
                {
                    "resource": {
                        "resourceType": "AllergyIntolerance",
                        "id": "a1",
                        "patient": PATIENT,
                        "code": CODE,
                        "type": "allergy",
                        "onsetRange": {"low": {"value": 40, "code": "a"}},
                        "recordedDate": "2026-01",
                        "reaction": [{"substance": CODE, "manifestation": [CODE]}],
                    }
                },
            ],
        },
        "encounters": {
            "resourceType": "Bundle",
            "entry": [
                {
                    "resource": {
                        "resourceType": "Encounter",
                        "id": "e1",
                        "subject": PATIENT,
                        "status": "in-progress",
                        "class": {"code": "AMB"},
                        "type": [CODE],
                        "reasonCode": [CODE],
                        "diagnosis": [{"condition": {"reference": "Condition/c1"}}],
                        "period": PERIOD,
                    }
                },
                {
                    "resource": {
                        "resourceType": "Procedure",
                        "id": "x1",
                        **COMMON,
                        "status": "completed",
                        "performedPeriod": PERIOD,
                        "outcome": CODE,
                    }
                },
                {
                    "resource": {
                        "resourceType": "ServiceRequest",
                        "id": "s1",
                        **COMMON,
                        "status": "active",
                        "intent": "order",
                        "occurrencePeriod": PERIOD,
                    }
                },
                {
                    "resource": {
                        "resourceType": "DeviceRequest",
                        "id": "v1",
                        "subject": PATIENT,
                        "codeReference": {"reference": "#dev"},
                        "contained": [{"resourceType": "Device", "id": "dev", "type": CODE}],
                    }
                },
                {
                    "resource": {
                        "resourceType": "DiagnosticReport",
                        "id": "g1",
                        **COMMON,
                        "status": "final",
                        "effectivePeriod": PERIOD,
                    }
                },
            ],
        },
    },
}
DROP = object()
REPLACEMENTS = st.one_of(
    st.just(DROP),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["2026-02-30", "9999-12-31", "0000", "-1", "urn:uuid:", "/", "#", "|"]),
    st.sampled_from([10**400, -(10**400), 1e308]),
    st.just([]),
    st.just({}),
    st.just([None, 1, "x", [], {}]),
    st.just({"coding": 3, "reference": [], "value": "x", "start": 1, "resourceType": []}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every element of a request."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        yield (*path, step)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, step))


PLACES = [path for path in places(REQUEST) if len(path) > 1]


def replaced(request: dict[str, Any], path: tuple[Any, ...], new: Any) -> None:
    """Put something else at a place, unless an earlier damage has taken the place away."""
    parent: Any = request
    *way, last = path
    try:
        for step in way:
            parent = parent[step]
        parent[last]
    except (LookupError, TypeError):
        return
    if new is DROP:
        del parent[last]
    elif isinstance(parent, dict | list):
        parent[last] = new


def read(request: dict[str, Any]) -> Reading:
    """The record of an order-select call."""
    prefetch = request["prefetch"]
    keys = ["patient", "conditions", "medications", "observations", "encounters"]
    return read_patient_record(
        hook="order-select",
        context=request["context"],
        prefetch=prefetch,
        coverage=coverage_of(prefetch, keys),
        index=CodeIndex(),
        today=date(2026, 4, 10),
    )


def test_unharmed_request_is_read_whole() -> None:
    """The request the next test damages holds one entry of every type, and a panel's part."""
    record = read(REQUEST).record

    entries = (
        record.conditions,
        record.medications,
        record.observations,
        record.procedures,
        record.encounters,
        record.allergies,
        record.reports,
        record.drafts,
    )
    assert [len(found) for found in entries] == [1, 1, 2, 1, 1, 1, 1, 1]
    assert len(record.service_orders) == 2


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(PLACES), REPLACEMENTS), min_size=1, max_size=3))
def test_any_damage_leaves_a_record_or_a_refusal(
    damages: list[tuple[tuple[Any, ...], Any]],
) -> None:
    """An element missing, null or of another kind never ends a call in an unforeseen error."""
    request = copy.deepcopy(REQUEST)
    for path, new in damages:
        replaced(request, path, new)

    try:
        reading = read(request)
    except (PatientUnavailable, WrongPatient):
        return

    words = {"other-patient", "entered-in-error", "not-final", "data-absent", "proposal"}
    assert all(reason in words or reason.startswith("unreadable:") for reason in reading.dropped)
    assert all(count > 0 for count in reading.dropped.values())
