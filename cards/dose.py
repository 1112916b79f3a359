"""Daily doses of drugs, as far as a dosage tells them in units of mass."""

from __future__ import annotations

from itertools import groupby

from cards.record import Dosage, MedicationOrder, Quantity, Timing

MG_PER = {"mg": 1.0, "g": 1000.0, "ug": 0.001, "mcg": 0.001}
COUNTED = frozenset(
    {
        *(None, "1", "{tbl}", "{tablet}", "{pill}", "{capsule}", "{cap}", "TAB", "CAP", "{spray}"),
        *("tablet", "tablets", "Tablet", "tab", "tabs", "capsule", "capsules", "Capsule", "cap"),
    }
)
HOURS_PER = {
    "s": 1 / 3600,
    "min": 1 / 60,
    "h": 1.0,
    "d": 24.0,
    "wk": 168.0,
    "mo": 720.0,
    "a": 8760.0,
}
TIMES_PER_DAY = {
    "QD": 1.0,
    "BID": 2.0,
    "TID": 3.0,
    "QID": 4.0,
    "QOD": 0.5,
    "AM": 1.0,
    "PM": 1.0,
    "BED": 1.0,
    "WK": 1 / 7,
    "MO": 1 / 30,
    **{f"Q{hours}H": 24.0 / hours for hours in range(1, 9)},
}
DAYS_OF_WEEK = 7


def daily_dose_mg(order: MedicationOrder, strength_mg: float | None) -> float | None:
    """The largest amount the order allows in a day, in milligrams.

    Dosages of one sequence number add up; different numbers are steps, and the highest counts.

    Args:
        strength_mg: milligrams in one tablet, capsule or spray; None when not known.

    Returns:
        Milligrams a day; None when any dosage cannot be read, or none is given.
    """
    steps: list[float] = []
    by_step = sorted(order.dosages, key=step)
    for _, dosages in groupby(by_step, key=step):
        amounts = [_dosage_mg_a_day(dosage, strength_mg) for dosage in dosages]
        known = [amount for amount in amounts if amount is not None]
        if len(known) < len(amounts):
            return None
        steps.append(sum(known))
    return max(steps, default=None)


def step(dosage: Dosage) -> int:
    """Its place among dosages taken in turn; those of one place are taken together."""
    return dosage.sequence if dosage.sequence is not None else 0


def _dosage_mg_a_day(dosage: Dosage, strength_mg: float | None) -> float | None:
    """Dose times doses a day, or the stated maximum where that is lower or all there is."""
    ceiling = _ceiling_mg_a_day(dosage, strength_mg)
    dose = amount_mg(dosage.dose, strength_mg) if dosage.dose else None
    times = times_per_day(dosage.timing) if dosage.timing else None
    if dose is None or times is None:
        return ceiling
    return dose * times if ceiling is None else min(dose * times, ceiling)


def _ceiling_mg_a_day(dosage: Dosage, strength_mg: float | None) -> float | None:
    if dosage.max_per_period is None:
        return None
    amount, period = dosage.max_per_period
    milligrams = amount_mg(amount, strength_mg)
    hours = HOURS_PER.get(period.unit) if period.unit else None
    if milligrams is None or hours is None or period.value <= 0:
        return None
    return milligrams * 24.0 / (hours * period.value)


def amount_mg(amount: Quantity, strength_mg: float | None) -> float | None:
    """A dose in milligrams; None for units of volume, or for pieces of unknown strength."""
    if amount.unit in MG_PER:
        return amount.value * MG_PER[amount.unit]
    if amount.unit in COUNTED and strength_mg is not None:
        return amount.value * strength_mg
    return None


def times_per_day(timing: Timing) -> float | None:
    """How many doses a day at most; None when the timing does not say.

    The most frequent reading counts: frequencyMax before frequency, period before periodMax.
    """
    if timing.frequency is not None or timing.frequency_max is not None or timing.period:
        frequency = timing.frequency_max or timing.frequency or 1.0
        hours = HOURS_PER.get(timing.period_unit or "d")
        period = timing.period if timing.period is not None else 1.0
        if hours is None or period <= 0:
            return None
        return frequency * 24.0 / (hours * period)
    if timing.times_of_day or timing.when:
        daily = float(max(timing.times_of_day, timing.when))
        return daily * timing.days_of_week / DAYS_OF_WEEK if timing.days_of_week else daily
    if timing.code in TIMES_PER_DAY:
        return TIMES_PER_DAY[timing.code]
    return timing.days_of_week / DAYS_OF_WEEK if timing.days_of_week else None
