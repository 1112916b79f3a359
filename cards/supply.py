"""Supply: how many days an order lasts, and which days it covers."""

from __future__ import annotations

from datetime import date, timedelta

from cards.amount import MG_PER, amount_mg, in_pieces, in_volume
from cards.dose import daily_amount
from cards.record import MedicationOrder, Quantity
from cards.timing import dosing_days
from cards.worked import once_an_order

COVER_WITHOUT_SUPPLY_DAYS = 90


# Days of supply


@once_an_order
def supply_days(order: MedicationOrder) -> float | None:
    """Days one fill lasts: as stated, else as long as it is to be taken, else by its quantity.

    Refills are not counted.

    Returns:
        Days, more than 0; None when neither stated nor derivable.

    Source: facts.yaml, term supply_days.
    """
    stated = order.supply_days if order.supply_days is not None else dosing_days(order.dosages)
    days = stated if stated is not None else _days_by_quantity(order)
    return days if days is not None and days > 0 else None


def supply_days_with_refills(order: MedicationOrder) -> float | None:
    """Days all fills of an order last together; None when one fill's days are not known."""
    days = supply_days(order)
    return None if days is None else days * (1 + order.repeats)


def _days_by_quantity(order: MedicationOrder) -> float | None:
    """Quantity divided by what is taken in a day, both in pieces, in millilitres or in masses.

    Of a taper the largest daily number counts, so the answer is the shortest it can last.
    """
    if order.quantity is None or any(dosage.dose is None for dosage in order.dosages):
        return None
    for count in (_pieces, _millilitres, _milligrams):
        amount, daily = count(order.quantity), daily_amount(order, count)
        if amount is not None and daily:
            return amount / daily
    return None


def _pieces(amount: Quantity) -> float | None:
    return amount.value if in_pieces(amount) else None


def _millilitres(amount: Quantity) -> float | None:
    return amount.value if in_volume(amount) else None


def _milligrams(amount: Quantity) -> float | None:
    return amount_mg(amount, None) if amount.unit in MG_PER else None


# Days covered


@once_an_order
def coverage_window(order: MedicationOrder) -> tuple[date, date] | None:
    """First and last day an order covers; None when it bears no date at all.

    The end is the end of validity, else supply with refills, else the end of the dosing period,
    else 90 days after the order was written. A partial date counts as generously as it can.

    Source: facts.yaml, term active_med.
    """
    periods = [d.timing for d in order.dosages if d.timing]
    starts = [t.bounds_start.earliest for t in periods if t.bounds_start]
    start = order.authored.earliest if order.authored else min(starts, default=None)
    end = _coverage_end(order)
    if end is None:
        return (start, start + timedelta(days=COVER_WITHOUT_SUPPLY_DAYS)) if start else None
    return (start or date.min), end


def _coverage_end(order: MedicationOrder) -> date | None:
    if order.validity_end:
        return order.validity_end.latest
    if order.authored and order.supply_days is not None:
        return _after(order.authored.latest, order.supply_days * (1 + order.repeats))
    ends = [d.timing.bounds_end.latest for d in order.dosages if d.timing and d.timing.bounds_end]
    if ends:
        return max(ends)
    if order.authored:
        return _after(order.authored.latest, COVER_WITHOUT_SUPPLY_DAYS)
    return None


def _after(day: date, days: float) -> date:
    """The day so many days later; an absurd supply lasts to the end of the calendar."""
    return day + timedelta(days=min(days, (date.max - day).days))


def first_day(order: MedicationOrder) -> date | None:
    """The earliest day an order can begin by its own dates; None when it bears none.

    The start of its dosing period, else of its validity, else the day it was written.
    """
    starts = [d.timing.bounds_start for d in order.dosages if d.timing]
    dosed = [start.earliest for start in starts if start is not None]
    if dosed:
        return min(dosed)
    start = order.validity_start or order.authored
    return start.earliest if start else None
