"""Entries of types the service never reads: vaccinations and claims."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any
from uuid import UUID

from tests.bench.noise import heading
from tests.populations.surroundings import ORGANIZATION

Resource = dict[str, Any]
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
# CVX code and name.
VACCINES = (
    ("140", "Influenza, seasonal, injectable, preservative free"),
    ("113", "Td (adult), 5 Lf tetanus toxoid, preservative free, adsorbed"),
    ("115", "Tdap"),
    ("33", "pneumococcal polysaccharide vaccine, 23 valent"),
)


def unread_entry(kind: str, day: date, chance: Random) -> Resource:
    """An Immunization or a Claim, of a patient ``who`` on a day."""
    own, visit = (str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(2))
    at = f"{day}T10:30:00+00:00"
    named, members = (_vaccination if kind == "Immunization" else _claim)(visit, at, chance)
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{named}, {day}</p></div>'
    return {
        **heading(kind, own, at, div),
        "patient": {"reference": "Patient/who"},
        **members,
    }


def _vaccination(visit: str, at: str, chance: Random) -> tuple[str, Resource]:
    code, name = chance.choice(VACCINES)
    coding = {"system": "http://hl7.org/fhir/sid/cvx", "code": code, "display": name}
    return name, {
        "encounter": {"reference": f"Encounter/{visit}"},
        "status": "completed",
        "vaccineCode": {"coding": [coding], "text": name},
        "occurrenceDateTime": at,
        "recorded": at,
        "primarySource": True,
        "lotNumber": f"L{chance.randint(10_000, 99_999)}",
    }


def _claim(visit: str, at: str, chance: Random) -> tuple[str, Resource]:
    amount = {"value": chance.randint(40, 400), "currency": "USD"}
    service = {"text": "Office visit"}
    item = {
        "sequence": 1,
        "productOrService": service,
        "net": amount,
        "encounter": [{"reference": f"Encounter/{visit}"}],
    }
    return "Claim for an office visit", {
        "item": [item],
        "status": "active",
        "type": {"coding": [{"system": f"{TERMINOLOGY}/claim-type", "code": "professional"}]},
        "use": "claim",
        "billablePeriod": {"start": at, "end": at},
        "created": at,
        "provider": {"reference": ORGANIZATION, "display": "Lower Exampleton Practice"},
        "priority": {"coding": [{"system": f"{TERMINOLOGY}/processpriority", "code": "normal"}]},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "Parish insurance"}}],
        "total": amount,
    }
