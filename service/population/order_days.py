"""The days an order is for, by its own dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from cards.record import When
from service.patient_record.dates import in_days, period_end, period_start, when
from service.patient_record.elements import (
    Resource,
    TooManyElements,
    objects,
    one_object,
    whole_number,
)


def starts(order: Resource) -> list[Any]:
    """Every day an order says it begins, as written; None where it does not say."""
    dispensed = one_object(order.get("dispenseRequest"))
    return [
        order.get("occurrenceDateTime"),
        period_start(order.get("occurrencePeriod")),
        period_start(dispensed.get("validityPeriod")),
        *(period_start(repeat.get("boundsPeriod")) for repeat in _repeats(order)),
    ]


def last_day(order: Resource) -> date | None:
    """The last day an order was for, else the day it was written; None when neither is told.

    The end of its validity, else of its supply with refills, else of its dosing, else of its
    occurrence: as the service tells until when a drug is taken, see ``cards.supply``.
    """
    return next((end.latest for end in _ends(order) if end), None)


def _ends(order: Resource) -> Iterator[When | None]:
    dispensed = one_object(order.get("dispenseRequest"))
    yield when(period_end(dispensed.get("validityPeriod")))
    written = when(order.get("authoredOn"))
    days = in_days(dispensed.get("expectedSupplyDuration"))
    if written and days is not None:
        refills = max(0, whole_number(dispensed.get("numberOfRepeatsAllowed")) or 0)
        yield _later(written, days * (1 + refills))
    dosed = (when(period_end(repeat.get("boundsPeriod"))) for repeat in _repeats(order))
    yield max(filter(None, dosed), key=lambda end: end.latest, default=None)
    bounds = (in_days(repeat.get("boundsDuration")) for repeat in _repeats(order))
    longest = max(filter(None, bounds), default=None)
    if written and longest is not None:
        yield _later(written, longest)
    yield when(period_end(order.get("occurrencePeriod")))
    yield when(order.get("occurrenceDateTime"))
    yield written


def _repeats(order: Resource) -> list[Resource]:
    """How often and how long each dose is taken."""
    try:
        dosages = objects(order.get("dosageInstruction"))
    except TooManyElements:  # which its reader will meet as well, and count
        return []
    return [one_object(one_object(dosage.get("timing")).get("repeat")) for dosage in dosages]


def _later(start: When, days: float) -> When:
    """The day so many days later; an absurd supply lasts to the end of the calendar."""
    end = start.latest + timedelta(days=int(min(days, (date.max - start.latest).days)))
    return When(end, end, end.isoformat())
