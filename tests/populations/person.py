"""Who a patient is: age by a pyramid, sex, an invented name, and the Patient resource."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

# Of a thousand people, those of each five years of age from birth on; the last are up to 95.
PYRAMID = (57, 60, 62, 64, 65, 67, 68, 66, 63, 60, 61, 63, 64, 57, 45, 32, 20, 12, 6)
BAND_DAYS = 5 * 365.2425
FAMILIES = tuple(
    f"{first}{second}"
    for first in ("Ash", "Birch", "Cold", "Dun", "Elder", "Fern", "Grey", "Hazel", "Long", "Mill")
    for second in ("acre", "brook", "combe", "den", "field", "gate", "hurst", "ley", "mere", "wick")
)
FEMALE = ("Adela", "Bettine", "Coralie", "Dorothea", "Elspeth", "Fenella", "Greta", "Honor")
MALE = ("Ambrose", "Barnaby", "Clement", "Desmond", "Everard", "Fergus", "Gideon", "Horace")


@dataclass(frozen=True, slots=True)
class Person:
    """One patient.

    Attributes:
        stem: a UUID without its last twelve digits; the ids of the chart's entries begin so.
        age: whole years on the population's day.
    """

    stem: str
    born: date
    age: int
    female: bool
    given: str
    family: str

    @property
    def id(self) -> str:
        """Logical id of the Patient."""
        return f"{self.stem}000000000000"

    @property
    def name(self) -> str:
        """As lists of patients write it."""
        return f"{self.family}, {self.given}"


def draw_person(day: date, chance: Random) -> Person:
    """A person alive on a day."""
    (band,) = chance.choices(range(len(PYRAMID)), PYRAMID)
    born = day - timedelta(days=int((band + chance.random()) * BAND_DAYS))
    female = chance.random() < 0.51
    given, family = chance.choice(FEMALE if female else MALE), chance.choice(FAMILIES)
    stem = str(UUID(int=chance.getrandbits(128), version=4))[:-12]
    return Person(stem, born, years(born, day), female, given, family)


def years(born: date, day: date) -> int:
    """Whole years lived on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def patient_resource(person: Person, last_updated: str) -> dict[str, Any]:
    """The Patient, with what registration desks ask for."""
    return {
        "resourceType": "Patient",
        "id": person.id,
        "meta": {"versionId": "1", "lastUpdated": last_updated},
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{person.name}</p></div>',
        },
        "identifier": [
            {
                "use": "usual",
                "type": {
                    "coding": [
                        {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
                    ]
                },
                "system": "urn:example:mrn",
                "value": f"MRN-{person.stem[:8]}",
            }
        ],
        "active": True,
        "name": [{"use": "official", "family": person.family, "given": [person.given]}],
        "telecom": [{"system": "phone", "value": f"555-01{person.born.day:02}", "use": "home"}],
        "gender": "female" if person.female else "male",
        "birthDate": str(person.born),
        "address": [
            {
                "use": "home",
                "line": [f"{person.born.toordinal() % 900} {person.family} Lane"],
                "city": "Lower Exampleton",
                "country": "ZZ",
            }
        ],
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}]}}],
        "managingOrganization": {"reference": "Organization/lower-exampleton-practice"},
    }
