"""Dosage: what is taken, how often, by which route."""

from __future__ import annotations

from typing import Any

from cards.record import Dosage, Quantity, Timing
from service.patient_record.chart import Chart
from service.patient_record.dates import in_days, period_end, period_start, when
from service.patient_record.elements import (
    Resource,
    codes,
    number,
    objects,
    one_object,
    text,
    truth,
    whole_number,
)
from service.patient_record.ucum import read_quantity

PREFERRED = ("ordered", "calculated")


def read_dosages(value: Any, chart: Chart) -> tuple[Dosage, ...]:
    """Every dosageInstruction of an order."""
    return tuple(_read_dosage(dosage, chart) for dosage in objects(value))


def _read_dosage(dosage: Resource, chart: Chart) -> Dosage:
    return Dosage(
        sequence=whole_number(dosage.get("sequence")),
        as_needed=truth(dosage.get("asNeededBoolean"))
        or bool(one_object(dosage.get("asNeededCodeableConcept"))),
        route=chart.concept(dosage.get("route")),
        timing=_read_timing(one_object(dosage.get("timing"))),
        dose=_read_dose(dosage),
        max_per_period=_read_max_per_period(dosage.get("maxDosePerPeriod")),
    )


def _read_dose(dosage: Resource) -> Quantity | None:
    """One dose of the instruction: the ordered, else the calculated, else the first.

    Several entries say the same dose in several ways, so they are never added up.
    """
    stated = [
        (codes(entry.get("type")), dose)
        for entry in objects(dosage.get("doseAndRate"))
        if (dose := _dose_of(entry))
    ]
    for preferred in PREFERRED:
        for types, dose in stated:
            if preferred in types:
                return dose
    return stated[0][1] if stated else _dose_of(dosage)  # STU3 has the dose on the instruction


def _dose_of(entry: Resource) -> Quantity | None:
    """The dose; of a range the high end."""
    return read_quantity(entry.get("doseQuantity")) or read_quantity(
        one_object(entry.get("doseRange")).get("high")
    )


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
    code = next(iter(codes(timing.get("code"))), "")
    bounds = repeat.get("boundsPeriod")
    return Timing(
        code=code.upper() or None,
        frequency=number(repeat.get("frequency")),
        frequency_max=number(repeat.get("frequencyMax")),
        period=number(repeat.get("period")),
        period_max=number(repeat.get("periodMax")),
        period_unit=text(repeat.get("periodUnit")) or None,
        times_of_day=_count(repeat.get("timeOfDay")),
        days_of_week=_count(repeat.get("dayOfWeek")),
        when=_count(repeat.get("when")),
        bounds_start=when(period_start(bounds)),
        bounds_end=when(period_end(bounds)),
        bounds_days=in_days(repeat.get("boundsDuration")),
    )


def _count(value: Any) -> int:
    """How many different times an array of codes or clock times names."""
    named = value if isinstance(value, list) else [value]
    return len({text(one) for one in named} - {""})
