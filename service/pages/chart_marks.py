"""The entries of a chart that facts can see, as what they say about time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from cards.record import (
    Concept,
    Condition,
    Observation,
    PatientRecord,
    Procedure,
    ServiceOrder,
    When,
    chart_entry,
)
from cards.supply import coverage_window
from service.pages.words import one_line

KINDS = (
    "back pain",
    "red flag",
    "treatment",
    "drug",
    "score",
    "result",
    "visit",
    "other problem",
)
SCORES = frozenset({"pain-score", "function-score"})
BACK_PAIN = frozenset(
    {"back-pain-any", "myofascial-pain", "back-spasm", "trigger-point", "chronic-pain"}
)
NAMELESS = "without a name"
# Entries of what never happened.
NEVER = frozenset({"not-done", "revoked", "cancelled", "draft"})
# What SNOMED CT adds to the name of a concept to tell its kind.
_TAG = re.compile(
    r" \((?:regime/therapy|procedure|disorder|finding|situation|observable entity|event)\)$"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """One entry: what it is, and from when to when.

    Attributes:
        until: last day; the same as ``since`` for what happened on one day, None while it lasts.
        told: the date as it was recorded.
        value: of a score.
        shown: the name with the value, or with why a drug was stopped; may be empty.
    """

    kind: str
    name: str
    since: date
    until: date | None
    told: str
    reference: str
    value: float | None = None
    shown: str = ""


def marks(record: PatientRecord, red_flags: frozenset[str]) -> list[Mark]:
    """Every entry in a value set that bears a date, the earliest first."""
    found = [
        *_problems(record, red_flags),
        *_treatments(record),
        *_drugs(record),
        *_results(record),
        *_visits(record),
    ]
    return sorted(found, key=lambda mark: (mark.since, KINDS.index(mark.kind), mark.name))


def _problems(record: PatientRecord, red_flags: frozenset[str]) -> Iterator[Mark]:
    for one in record.conditions:
        when = one.onset or one.recorded
        if not (one.concept.sets and when):
            continue
        over = one.clinical in ("resolved", "inactive", "remission")
        until = one.abatement.latest if one.abatement else when.latest if over else None
        yield _mark(_kind(one, red_flags), _name(one.concept), when, until, one.reference)


def _kind(one: Condition, red_flags: frozenset[str]) -> str:
    if BACK_PAIN & one.concept.sets.keys():
        return "back pain"
    return "red flag" if red_flags & one.concept.sets.keys() else "other problem"


def _treatments(record: PatientRecord) -> Iterator[Mark]:
    done: tuple[Procedure | ServiceOrder, ...] = (*record.procedures, *record.service_orders)
    for one in done:
        authored = one.authored if isinstance(one, ServiceOrder) else None
        when = one.start or authored or one.end
        if not (one.concept.sets and when) or one.status in NEVER:
            continue
        until = one.end.latest if one.end else when.latest
        name = _name(one.concept)
        name = f"{name} (ordered)" if isinstance(one, ServiceOrder) else name
        yield _mark("treatment", name, when, until, one.reference)


def _drugs(record: PatientRecord) -> Iterator[Mark]:
    for one in record.medications:
        window = coverage_window(one)
        if not (one.drug.sets and window) or one.status in NEVER:
            continue
        since, until = window
        day = "start not recorded" if since == date.min else since.isoformat()
        told = one.authored.text[:10] if one.authored else day
        over = f", {one.status}" if one.status in ("stopped", "on-hold") else ""
        shown = one_line(chart_entry(one).display, 120)
        name, last = f"{_name(one.drug)}{over}", max(since, until)
        yield Mark("drug", name, since, last, told, one.reference, shown=shown)


def _results(record: PatientRecord) -> Iterator[Mark]:
    for one in record.observations:
        if not (one.concept.sets or one.value_concept.sets) or not one.effective:
            continue
        when, shown = one.effective, one_line(chart_entry(one).display, 80)
        if one.value and SCORES & one.concept.sets.keys():
            yield _score(one, when, shown)
        else:
            yield replace(
                _mark("result", _name(one.concept), when, when.latest, one.reference), shown=shown
            )
    for report in record.reports:
        if report.concept.sets and report.effective:
            when = report.effective
            yield _mark("result", _name(report.concept), when, when.latest, report.reference)


def _score(one: Observation, when: When, shown: str) -> Mark:
    value = one.value.value if one.value else 0.0
    name, day = _name(one.concept), when.latest
    return Mark("score", name, day, day, when.text[:10], one.reference, value, shown)


def _visits(record: PatientRecord) -> Iterator[Mark]:
    for one in record.encounters:
        why = [concept for concept in (*one.types, *one.reasons) if concept.sets]
        if not (why and one.start):
            continue
        until = one.end.latest if one.end else one.start.latest
        yield _mark("visit", _name(why[0]), one.start, until, one.reference)


def _mark(kind: str, name: str, when: When, until: date | None, reference: str) -> Mark:
    last = None if until is None else max(until, when.earliest)
    return Mark(kind, name, when.earliest, last, when.text[:10], reference)


def _name(concept: Concept) -> str:
    return one_line(_TAG.sub("", concept.name)) or NAMELESS
