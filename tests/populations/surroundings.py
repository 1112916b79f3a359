"""What charts refer to and no patient owns: the practice, its practitioners, drugs by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from tests.bench.noise import codes
from tests.populations.catalogue import drugs
from tests.populations.person import FAMILIES, FEMALE

Resource = dict[str, Any]
ORGANIZATION = "Organization/lower-exampleton-practice"
UPDATED = "2016-01-04T08:00:00+00:00"
PRACTITIONERS = tuple(
    (f"dr-{given.lower()}-{family.lower()}", f"Dr. {given} {family}")
    for given, family in zip(FEMALE * 5, FAMILIES[::2], strict=False)
)


def surroundings() -> Iterator[Resource]:
    """Organization, Practitioner and Medication resources, the same in every export."""
    meta = {"versionId": "1", "lastUpdated": UPDATED}
    yield {
        "resourceType": "Organization",
        "id": ORGANIZATION.partition("/")[2],
        "meta": meta,
        "active": True,
        "name": "Lower Exampleton Practice",
    }
    for own, name in PRACTITIONERS:
        given, family = name.split()[1:]
        named = [{"prefix": ["Dr."], "given": [given], "family": family}]
        yield {"resourceType": "Practitioner", "id": own, "meta": meta, "name": named}
    for code, concept in sorted(_drugs().items()):
        yield {
            "resourceType": "Medication",
            "id": f"rx-{code}",
            "meta": meta,
            "code": concept,
            "status": "active",
        }


def _drugs() -> Mapping[str, Resource]:
    """RxNorm code → CodeableConcept of every drug a chart may hold."""
    noise = ((code.system, code.code, code.display) for code in codes()["MedicationRequest"])
    ours = ((drug.system, drug.code, drug.display) for drug in drugs())
    return {
        code: {"coding": [{"system": system, "code": code, "display": name}], "text": name}
        for system, code, name in (*noise, *ours)
    }


def medication_reference(order: Resource) -> Resource:
    """The order with its drug named by a Medication of the export, in the place of the code."""
    coding = order["medicationCodeableConcept"]["coding"][0]
    named = {"reference": f"Medication/rx-{coding['code']}", "display": coding["display"]}
    others = {name: order[name] for name in order if name != "medicationCodeableConcept"}
    return {**others, "medicationReference": named}


def by_practitioner(kind: str, chance: Random) -> Resource:
    """Who did or wrote an entry, in the member of its type."""
    own, name = chance.choice(PRACTITIONERS)
    who = {"reference": f"Practitioner/{own}", "display": name}
    match kind:
        case "Observation" | "DiagnosticReport":
            return {"performer": [who]}
        case "Procedure":
            return {"performer": [{"actor": who}], "location": {"display": "Treatment room 2"}}
        case "Condition" | "AllergyIntolerance":
            return {"recorder": who, "asserter": who}
        case "Encounter":
            return {"participant": [{"individual": who}]}
        case _:
            return {"requester": who}
