"""Days of supply: how long what was ordered lasts."""

from __future__ import annotations

from itertools import groupby

from cards.dose import COUNTED, MG_PER, amount_mg, daily_dose_mg, step
from cards.record import Dosage, MedicationOrder, Timing

ONE_PIECE = 1.0  # a tablet counted as one, so that a daily dose in tablets is their number


def supply_days(order: MedicationOrder) -> float | None:
    """Days one fill lasts: as stated, else as long as it is to be taken, else by its quantity.

    Refills are not counted.

    Returns:
        Days, more than 0; None when neither stated nor derivable.

    Source: facts.yaml, term supply_days.
    """
    stated = order.supply_days if order.supply_days is not None else _dosing_days(order.dosages)
    days = stated if stated is not None else _days_by_quantity(order)
    return days if days is not None and days > 0 else None


def supply_days_with_refills(order: MedicationOrder) -> float | None:
    """Days all fills of an order last together; None when one fill's days are not known."""
    days = supply_days(order)
    return None if days is None else days * (1 + order.repeats)


def _dosing_days(dosages: tuple[Dosage, ...]) -> float | None:
    """Days the dosages span: those of one sequence number run together, the numbers in turn.

    None when any dosage is unbounded.
    """
    total = 0.0
    in_turn = sorted(dosages, key=step)
    for _, together in groupby(in_turn, key=step):
        days = [_bounded_days(dosage.timing) for dosage in together]
        known = [one for one in days if one is not None]
        if len(known) < len(days):
            return None
        total += max(known)
    return total or None


def _bounded_days(timing: Timing | None) -> float | None:
    """Days of a dosing period, both its ends included; None when open or only partly dated."""
    if timing is None:
        return None
    start, end = timing.bounds_start, timing.bounds_end
    if start and end and start.earliest == start.latest and end.earliest == end.latest:
        return float((end.earliest - start.earliest).days + 1)
    return timing.bounds_days


def _days_by_quantity(order: MedicationOrder) -> float | None:
    """Quantity divided by what is taken in a day, when both are pieces or both are masses.

    Of a taper the largest daily number counts, so the answer is the shortest it can last.
    """
    if order.quantity is None or any(dosage.dose is None for dosage in order.dosages):
        return None
    units = {dosage.dose.unit for dosage in order.dosages if dosage.dose}
    pieces = units <= COUNTED and order.quantity.unit in COUNTED
    masses = units <= MG_PER.keys() and order.quantity.unit in MG_PER
    if not pieces and not masses:
        return None
    strength = ONE_PIECE if pieces else None
    daily = daily_dose_mg(order, strength)
    amount = amount_mg(order.quantity, strength)
    return amount / daily if amount is not None and daily else None
