"""A chart for tests: entries written in a line, dated in days before one fixed day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import cards.facts.call
import cards.facts.cancer
import cards.facts.comorbidity
import cards.facts.encounter
import cards.facts.fracture
import cards.facts.infection
import cards.facts.person
import cards.facts.pregnancy
import cards.facts.red_flag_signs
import cards.facts.weight
import cards.facts.workup  # noqa: F401  # each import registers its facts
from cards.answer import Answer
from cards.case import FACTS, Case
from cards.codes import ICD10CM
from cards.record import (
    PREFETCH_KEYS,
    Coding,
    Concept,
    Condition,
    Coverage,
    MedicationOrder,
    Observation,
    Patient,
    PatientRecord,
    Procedure,
    Quantity,
    When,
)

TODAY = date(2026, 6, 15)
READ = dict.fromkeys(PREFETCH_KEYS, Coverage.READ)


def on(day: date) -> When:
    """A full date."""
    return When(day, day, day.isoformat())


def ago(days: int) -> When:
    """The day so many days before the call."""
    return on(TODAY - timedelta(days=days))


def month(year: int, number: int) -> When:
    """A date of which only year and month were recorded."""
    following = date(year + number // 12, number % 12 + 1, 1)
    return When(date(year, number, 1), following - timedelta(days=1), f"{year}-{number:02}")


def coded(*sets: str, code: str = "X", note: str = "") -> Concept:
    """A concept in these value sets."""
    return Concept((Coding(ICD10CM, code),), sets[0], dict.fromkeys(sets, note))


def problem(name: str, days: int | None = None, **details: object) -> Condition:
    """A Condition of one value set with its onset so many days ago; active unless said."""
    details.setdefault("clinical", "active")
    details.setdefault("concept", coded(name))
    details.setdefault("reference", f"Condition/{name}-{days}")
    details.setdefault("onset", None if days is None else ago(days))
    return Condition(**details)  # type: ignore[arg-type]


def measured(name: str, days: int, value: float, unit: str | None) -> Observation:
    """A final numeric result of one value set."""
    reference = f"Observation/{name}-{days}-{value}"
    return Observation(
        reference, coded(name), "final", effective=ago(days), value=Quantity(value, unit)
    )


def found(name: str, days: int | None, **details: object) -> Observation:
    """A final finding of one value set."""
    finding = Observation(
        f"Observation/{name}-{days}",
        coded(name),
        "final",
        effective=None if days is None else ago(days),
    )
    return replace(finding, **details)  # type: ignore[arg-type]


def done(name: str, days: int, status: str = "completed", **details: object) -> Procedure:
    """A Procedure of one value set."""
    procedure = Procedure(f"Procedure/{name}-{days}", coded(name), status, start=ago(days))
    return replace(procedure, **details)  # type: ignore[arg-type]


def prescribed(name: str, days: int | None, **details: object) -> MedicationOrder:
    """An active order for a drug of one value set, written so many days ago."""
    order = MedicationOrder(
        f"MedicationRequest/{name}-{days}",
        "active",
        "order",
        coded(name),
        authored=None if days is None else ago(days),
    )
    return replace(order, **details)  # type: ignore[arg-type]


def case(*entries: object, unread: tuple[str, ...] = (), **details: object) -> Case:
    """A fully read chart of a patient aged 40 with these entries, on patient-view."""
    coverage = READ | dict.fromkeys(unread, Coverage.MISSING)
    patient = Patient("p1", on(date(1986, 1, 1)), deceased=False, sex=None)
    record = PatientRecord(
        "patient-view",
        patient,
        conditions=tuple(e for e in entries if isinstance(e, Condition)),
        observations=tuple(e for e in entries if isinstance(e, Observation)),
        procedures=tuple(e for e in entries if isinstance(e, Procedure)),
        medications=tuple(e for e in entries if isinstance(e, MedicationOrder)),
        coverage=coverage,
    )
    return Case(replace(record, **details), TODAY)  # type: ignore[arg-type]


def answer(fact: str, *entries: object, **details: object) -> Answer:
    """What a fact answers for a chart."""
    return FACTS[fact](case(*entries, **details)).answer  # type: ignore[arg-type]
