"""Chart entries that change no advice: what most of any chart is made of.

The codes stand in ``noise.csv``: vital signs and laboratory results within the usual range, past
visits, procedures, minor or settled problems, drugs for other ends, allergies to no drug, panels
ordered and reported. The shares of the types are roughly those of generated charts in public use,
and so are the members: identifier, profile, narrative, category, encounter, about 1.2 kB in all.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

Resource = dict[str, Any]
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
# Of a hundred entries; every type comes at least once in a chart that is long enough.
SHARES: Mapping[str, int] = {
    "Observation": 58,
    "Encounter": 15,
    "Procedure": 11,
    "MedicationRequest": 6,
    "Condition": 4,
    "DiagnosticReport": 3,
    "ServiceRequest": 1,
    "AllergyIntolerance": 1,
    "DeviceRequest": 1,
}
NEWEST_DAYS, OLDEST_DAYS = 30, 3_650
REMARK = "Entered at the desk from the visit sheet and read over by the same hand on the same day."


@dataclass(frozen=True, slots=True)
class Code:
    """One row of ``noise.csv``.

    Attributes:
        status: of the resource, or clinical status of a problem or an allergy.
        low: least value of an observation; None for all other types.
        unit: UCUM unit of the value.
    """

    system: str
    code: str
    display: str
    status: str
    low: float | None
    high: float | None
    unit: str


@cache
def codes() -> Mapping[str, Sequence[Code]]:
    """Resource type → the codes its entries are made of."""
    found: dict[str, list[Code]] = defaultdict(list)
    with (Path(__file__).parent / "noise.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            low, high = (float(row[end]) if row[end] else None for end in ("low", "high"))
            texts = (row["system"], row["code"], row["display"], row["status"])
            found[row["type"]].append(Code(*texts, low, high, row["unit"]))
    return found


def noise(count: int, patient: str, day: date, chance: Random, *, drugs: bool) -> list[Resource]:
    """So many entries about a patient, dated up to ten years before a day.

    Args:
        patient: logical id of the patient.
        drugs: whether drugs may be among them.
    """
    shares = {kind: share for kind, share in SHARES.items() if drugs or kind != "MedicationRequest"}
    return [entry(kind, patient, day, chance) for kind in islice(_kinds(shares, chance), count)]


def _kinds(shares: Mapping[str, int], chance: Random) -> Iterator[str]:
    yield from chance.sample(list(shares), len(shares))
    while True:
        yield from chance.choices(list(shares), list(shares.values()), k=100)


def heading(kind: str, own: str, at: str, narrative: str) -> Resource:
    """What every generated entry begins with, whatever its type.

    Args:
        own: its id.
        at: when it was last updated.
        narrative: its text, as XHTML.
    """
    return {
        "resourceType": kind,
        "id": own,
        "meta": {
            "versionId": "1",
            "lastUpdated": at,
            "profile": [f"http://hl7.org/fhir/StructureDefinition/{kind}"],
        },
        "text": {"status": "generated", "div": narrative},
        "identifier": [{"system": "urn:example:generated-charts", "value": own}],
    }


def entry(kind: str, patient: str, day: date, chance: Random) -> Resource:
    """One entry of a resource type."""
    code = chance.choice(codes()[kind])
    then = day - timedelta(days=chance.randint(NEWEST_DAYS, OLDEST_DAYS))
    at = f"{then}T{chance.randint(8, 17):02}:{chance.randint(0, 59):02}:00+00:00"
    own, visit = _uuid(chance), f"Encounter/{_uuid(chance)}"
    return {
        **heading(kind, own, at, _narrative(code, then)),
        **_about(kind, patient),
        **({} if kind == "Encounter" else {"encounter": {"reference": visit}}),
        **_members(kind, code, at, chance),
    }


def _uuid(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def _narrative(code: Code, then: date) -> str:
    said = f"<p>{code.display}, {then}</p><p>{REMARK}</p>"
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{said}</div>'


def _about(kind: str, patient: str) -> Resource:
    member = "patient" if kind == "AllergyIntolerance" else "subject"
    return {member: {"reference": f"Patient/{patient}"}}


def _members(kind: str, code: Code, at: str, chance: Random) -> Resource:
    """The members that differ by type."""
    status = {"status": code.status}
    match kind:
        case "Observation":
            return {
                **status,
                "category": _category("observation-category", "vital-signs"),
                "code": _concept(code),
                "effectiveDateTime": at,
                "issued": at,
                "valueQuantity": _quantity(code, chance),
            }
        case "Encounter":
            return {
                **status,
                "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": "AMB"},
                "type": [_concept(code)],
                "period": {"start": at, "end": at},
                "serviceProvider": {"display": "Lower Exampleton Practice"},
            }
        case "Procedure":
            period = {"start": at, "end": at}
            return {**status, "code": _concept(code), "performedPeriod": period}
        case "DiagnosticReport":
            category = _category("v2-0074", "LAB")
            dates = {"effectiveDateTime": at, "issued": at}
            return {**status, "category": category, "code": _concept(code), **dates}
        case "Condition" | "AllergyIntolerance":
            return _problem(kind, code, at)
        case _:
            return {**status, **_order(kind, code, at)}


def _problem(kind: str, code: Code, at: str) -> Resource:
    systems = {"Condition": ("condition-clinical", "condition-ver-status")}
    allergy = ("allergyintolerance-clinical", "allergyintolerance-verification")
    clinical, verification = systems.get(kind, allergy)
    return {
        "clinicalStatus": _coded(clinical, code.status),
        "verificationStatus": _coded(verification, "confirmed"),
        "category": ["environment"]
        if kind == "AllergyIntolerance"
        else _category("condition-category", "problem-list-item"),
        "code": _concept(code),
        "recordedDate": at,
        **({"onsetDateTime": at} if kind == "Condition" else {"type": "allergy"}),
    }


def _order(kind: str, code: Code, at: str) -> Resource:
    member = {
        "MedicationRequest": "medicationCodeableConcept",
        "DeviceRequest": "codeCodeableConcept",
    }
    dosage = {"dosageInstruction": [{"sequence": 1, "text": "One a day with a glass of water"}]}
    return {
        "intent": "order",
        member.get(kind, "code"): _concept(code),
        "authoredOn": at,
        "requester": {"display": "Imelda Fairweather"},
        **(dosage if kind == "MedicationRequest" else {}),
    }


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code, "display": code}]}


def _category(system: str, code: str) -> list[Resource]:
    return [_coded(system, code)]


def _concept(code: Code) -> Resource:
    coding = {"system": code.system, "code": code.code, "display": code.display}
    return {"coding": [coding], "text": code.display}


def _quantity(code: Code, chance: Random) -> Resource:
    value = round(chance.uniform(code.low or 0, code.high or 0), 1)
    unit = {"unit": code.unit, "system": "http://unitsofmeasure.org", "code": code.unit}
    return {"value": value, **unit}
