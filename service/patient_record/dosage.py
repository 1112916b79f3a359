"""Dosage: what is taken, how often, by which route."""

from __future__ import annotations

from typing import Any

from cards.record import Dosage, Quantity, Timing
from cards.timing import is_timing_code
from service.patient_record.chart import Chart
from service.patient_record.dates import in_days, period_end, period_start, when
from service.patient_record.elements import (
    Resource,
    codes,
    elements,
    number,
    objects,
    one_object,
    text,
    truth,
    whole_number,
)
from service.patient_record.ucum import read_quantity

PREFERRED = ("ordered", "calculated")
# A tapering course has a dozen or two; each is weighed by every fact about doses.
MOST_DOSAGES = 50


def read_dosages(value: Any, chart: Chart) -> tuple[Dosage, ...]:
    """Every dosageInstruction of an order.

    Raises:
        TooManyElements: there are more than ``MOST_DOSAGES``.
    """
    return tuple(_read_dosage(dosage, chart) for dosage in objects(value, MOST_DOSAGES))


def _read_dosage(dosage: Resource, chart: Chart) -> Dosage:
    entry = _dose_and_rate(dosage)
    return Dosage(
        sequence=whole_number(dosage.get("sequence")),
        as_needed=truth(dosage.get("asNeededBoolean"))
        or bool(one_object(dosage.get("asNeededCodeableConcept"))),
        route=chart.concept(dosage.get("route")),
        timing=_read_timing(one_object(dosage.get("timing"))),
        dose=_dose_of(entry),
        max_per_period=_read_max_per_period(dosage.get("maxDosePerPeriod")),
        max_per_dose=read_quantity(dosage.get("maxDosePerAdministration")),
        rate=_rate_of(entry),
    )


def _dose_and_rate(dosage: Resource) -> Resource:
    """The entry that tells dose and rate: the ordered, else the calculated, else the first.

    Several entries say the same dose in several ways, so they are never added up.
    """
    stated = [
        entry for entry in objects(dosage.get("doseAndRate")) if _dose_of(entry) or _rate_of(entry)
    ]
    for preferred in PREFERRED:
        for entry in stated:
            if preferred in codes(entry.get("type")):
                return entry
    return stated[0] if stated else dosage  # STU3 has the dose on the instruction


def _dose_of(entry: Resource) -> Quantity | None:
    """The dose; of a range the high end."""
    return read_quantity(entry.get("doseQuantity")) or read_quantity(
        one_object(entry.get("doseRange")).get("high")
    )


def _rate_of(entry: Resource) -> Quantity | None:
    """The rate per time; of a range the high end, a ratio divided out."""
    stated = read_quantity(entry.get("rateQuantity")) or read_quantity(
        one_object(entry.get("rateRange")).get("high")
    )
    ratio = one_object(entry.get("rateRatio"))
    amount, time = (read_quantity(ratio.get(part)) for part in ("numerator", "denominator"))
    if stated or not amount or not time or time.value <= 0 or not (amount.unit and time.unit):
        return stated
    return Quantity(amount.value / time.value, f"{amount.unit}/{time.unit}")


def _read_max_per_period(value: Any) -> tuple[Quantity, Quantity] | None:
    ratio = next(iter(objects(value)), one_object(None))
    amount = read_quantity(ratio.get("numerator"))
    period = read_quantity(ratio.get("denominator"))
    return (amount, period) if amount and period else None


def _read_timing(timing: Resource) -> Timing | None:
    """How often; None when the instruction does not say."""
    if not timing:
        return None
    repeat = one_object(timing.get("repeat"))
    bounds = repeat.get("boundsPeriod")
    return Timing(
        code=_timing_code(timing.get("code")),
        frequency=number(repeat.get("frequency")),
        frequency_max=number(repeat.get("frequencyMax")),
        period=number(repeat.get("period")),
        period_max=number(repeat.get("periodMax")),
        period_unit=text(repeat.get("periodUnit")) or None,
        times_of_day=_count(repeat.get("timeOfDay")),
        days_of_week=_count(repeat.get("dayOfWeek")),
        when=_named(repeat.get("when")),
        bounds_start=when(period_start(bounds)),
        bounds_end=when(period_end(bounds)),
        bounds_days=in_days(repeat.get("boundsDuration"))
        or in_days(one_object(repeat.get("boundsRange")).get("high")),
    )


def _timing_code(value: Any) -> str | None:
    """The first code that says how often, such as BID; else the first of all, or None.

    A local coding may stand before it. Words count only where they are such a code and no more.
    """
    written = [code.upper() for code in codes(value)]
    words = text(one_object(value).get("text")).strip().upper()
    known = (code for code in (*written, words) if is_timing_code(code))
    return next(known, next(iter(written), None))


def _count(value: Any) -> int:
    """How many different times an array of codes or clock times names."""
    return len(_named(value))


def _named(value: Any) -> tuple[str, ...]:
    """The different codes or clock times of an array, in order."""
    return tuple(sorted({text(one) for one in elements(value)} - {""}))
