"""The whole chart of one patient: who it is, what matters, visits, and what fills it up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from html import escape
from itertools import count
from random import Random
from typing import Any

import msgspec

from tests.populations.back_pain import back_pain
from tests.populations.entries import before
from tests.populations.everyday import ADULT, everyday
from tests.populations.filling import Filling, Lines, fill
from tests.populations.fixture_cores import fixture_cores
from tests.populations.person import Person, draw_person, patient_resource, years
from tests.populations.surroundings import by_practitioner, medication_reference

Resource = dict[str, Any]
# Of adults: those with back pain on record, and of these the ones who are a stored patient.
BACK_PAIN, FIXTURES = 0.15, 0.3
MEDIAN_LENGTH, LENGTH_SIGMA, LONGEST = 80, 1.13, 2_000
VISITS = 0.12
MOST_VISITS, LONGEST_YEARS, YEAR = 15, 15, 365
OPENING = 7
BY_REFERENCE = 0.2
DATES = ("recordedDate", "authoredOn", "performedDateTime", "effectiveDateTime")
# What is written down at a visit of that day; sessions of therapy have none of their own.
AT_VISITS = ("recordedDate", "authoredOn")


@dataclass(frozen=True)
class Chart:
    """One patient's chart.

    Attributes:
        fixture: the stored patient it has the entries of; None for a composed one.
        matters: the entries advice may rest on, without ids and subjects.
        length: how many resources are aimed at.
        seed: what its chances begin with.
        death: the Patient's ``deceased[x]``; empty for the living.
    """

    person: Person
    day: date
    fixture: str | None
    matters: Sequence[Resource]
    length: int
    seed: str
    death: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def visits(self) -> Sequence[date]:
        """The days of its visits, oldest first; at least one."""
        chance = Random(f"{self.seed} visits")
        own = {day for entry in self.matters if (day := _visit_day(entry)) and day <= self.day}
        lived = max((self.day - self.person.born).days, 1)
        wanted = max(1, round(VISITS * self.length))
        wanted = min(wanted, max(1, MOST_VISITS * min(lived, LONGEST_YEARS * YEAR) // YEAR))
        a_year = max(1 + (MOST_VISITS - 1) * chance.random() ** 2.5, wanted / LONGEST_YEARS)
        span = min(wanted / a_year * YEAR, lived)
        others = max(wanted - len(own), 0 if own else 1)
        drawn = {before(self.day, int(chance.random() * span)) for _ in range(others)}
        return sorted(own | drawn)

    def core(self) -> list[Resource]:
        """The entries that matter as they stand in the export: with ids, visit and subject."""
        days: dict[date | None, int] = dict(zip(self.visits, count(OPENING), strict=False))
        first = OPENING + len(days)
        chance = Random(f"{self.seed} core")
        return [
            self._dressed(entry, number, days, chance)
            for number, entry in enumerate(self.matters, first)
        ]

    def _dressed(
        self, entry: Resource, number: int, days: Mapping[date | None, int], chance: Random
    ) -> Resource:
        """An entry with all that servers add to it."""
        kind, own = entry["resourceType"], self._id(number)
        day = _written_day(entry) or self.visits[0]
        coded: Resource = entry.get("code") or entry.get("medicationCodeableConcept") or {}
        told = str(coded.get("text", kind))
        div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escape(told)}, {day}</p></div>'
        about = {"reference": f"Patient/{self.person.id}", "display": self.person.name}
        visit = None if kind == "Encounter" else days.get(_written_day(entry))
        if self.fixture is None and kind == "MedicationRequest" and chance.random() < BY_REFERENCE:
            entry = medication_reference(entry)
        return {
            "resourceType": kind,
            "id": own,
            "meta": {
                "versionId": "1",
                "lastUpdated": f"{day}T10:30:00+00:00",
                "profile": [f"http://hl7.org/fhir/StructureDefinition/{kind}"],
            },
            "text": {"status": "generated", "div": div},
            **({} if kind == "Encounter" else _identified(own)),
            ("patient" if kind == "AllergyIntolerance" else "subject"): about,
            **({"encounter": {"reference": f"Encounter/{self._id(visit)}"}} if visit else {}),
            **({} if self.fixture else by_practitioner(kind, chance)),
            **{name: value for name, value in entry.items() if name != "text"},
        }

    def _id(self, number: int) -> str:
        return f"{self.person.stem}{number:012x}"

    def patient(self) -> Resource:
        """The Patient resource."""
        updated = f"{self.visits[-1]}T08:00:00+00:00"
        return {**patient_resource(self.person, updated), **self.death}

    def lines(self) -> Lines:
        """Every line of the chart by resource type: the Patient, visits, core and filling."""
        found: Lines = defaultdict(list)
        found["Patient"].append(msgspec.json.encode(self.patient()))
        for entry in self.core():
            found[entry["resourceType"]].append(msgspec.json.encode(entry))
        chance = Random(f"{self.seed} filling")
        self._fill(found, chance)
        return found

    def _fill(self, found: Lines, chance: Random) -> None:
        about = f'"reference":"Patient/{self.person.id}","display":"{self.person.name}"'
        number = OPENING + len(self.visits) + len(self.matters)
        left = max(self.length - 1 - len(self.visits) - len(self.matters), 0)
        size = _size(self.person, chance)
        stem = self.person.stem
        fill(found, Filling(stem, about, self.visits, OPENING, number, left, size), chance)


def _size(person: Person, chance: Random) -> tuple[float, float]:
    """Height in cm and weight in kg, for the whole chart: nobody loses weight by noise."""
    grown = min(person.age, ADULT) / ADULT
    height = 55 + (102 + chance.random() * 32) * grown
    return height, 4 + (45 + chance.random() * 60) * grown


def _identified(own: str) -> Resource:
    return {"identifier": [{"system": "urn:example:generated-charts", "value": own}]}


def _written_day(entry: Resource) -> date | None:
    """The day an entry tells of; None when it bears no date."""
    said = next((entry[name] for name in DATES if name in entry), None)
    return date.fromisoformat(said[:10]) if said and len(said) >= len("2000-01-01") else None


def _visit_day(entry: Resource) -> date | None:
    """The day of the visit an entry was made at; None for what takes no visit."""
    return _written_day(entry) if any(name in entry for name in AT_VISITS) else None


def draw_chart(number: int, seed: int, day: date) -> Chart:
    """The chart of the patient of this number, from 0, whoever else is in the population."""
    own_seed = f"{seed} {number}"
    chance = Random(own_seed)
    person = draw_person(day, chance)
    length = min(round(MEDIAN_LENGTH * chance.lognormvariate(0, LENGTH_SIGMA)), LONGEST)
    hurts = person.age >= ADULT and chance.random() < BACK_PAIN
    if hurts and chance.random() < FIXTURES:
        core = chance.choice(fixture_cores(day))
        person = replace(person, born=core.born, age=years(core.born, day), female=core.female)
        return Chart(person, day, core.fixture, core.entries, length, own_seed, core.death)
    entries = list(everyday(person, day, chance))
    if hurts:
        entries += back_pain(person.age, day, chance)
    return Chart(person, day, None, entries, length, own_seed)
