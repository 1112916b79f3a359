"""How often a dose is taken, and for how many days, as a dosage tells it."""

from __future__ import annotations

import re
from itertools import groupby

from cards.record import Dosage, Timing

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
}
EVERY_HOURS = re.compile(r"Q([1-9]\d?)H")
# Events tied to no single meal → the three meals of a day they stand for.
AT_MEALS = {
    "C": {"CM", "CD", "CV"},
    "AC": {"ACM", "ACD", "ACV"},
    "PC": {"PCM", "PCD", "PCV"},
}
DAY_HOURS = 24.0
DAYS_OF_WEEK = 7


def times_per_day(timing: Timing) -> float | None:
    """How many doses a day at most; None when the timing does not say.

    Of several readings the one that gives the larger daily number counts: frequencyMax or
    frequency, period or periodMax, and as many times a day as clock times are listed. Named
    weekdays make it an average over the week. A code such as BID counts where nothing else is
    said; ``before meals`` without a number is three times a day.

    Source: facts.yaml, term daily_dose; GTSAbbreviation of HL7 for the codes.
    """
    if timing.frequency is not None or timing.frequency_max is not None or timing.period:
        return _by_frequency(timing)
    if timing.times_of_day or timing.when:
        return _on_weekdays(float(max(timing.times_of_day, len(_events(timing)))), timing)
    if timing.code is not None:
        coded = _by_code(timing.code)
        return None if coded is None else _on_weekdays(coded, timing)
    return timing.days_of_week / DAYS_OF_WEEK if timing.days_of_week else None


def _by_frequency(timing: Timing) -> float | None:
    """Doses a day by frequency and period; None when a number or the period's unit is unfit."""
    stated = [n for n in (timing.frequency, timing.frequency_max) if n is not None]
    hours = _period_hours(timing)
    if hours is None or any(number <= 0 for number in stated):
        return None
    listed = max(timing.times_of_day, len(timing.when))
    by_frequency = max(stated, default=1.0) * DAY_HOURS / hours
    by_list = listed * DAY_HOURS / max(hours, DAY_HOURS)
    daily = max(by_frequency, by_list)
    if hours <= DAY_HOURS:
        return _on_weekdays(daily, timing)
    if hours > DAY_HOURS * DAYS_OF_WEEK:
        return daily
    return max(daily, timing.days_of_week * max(listed, 1) / DAYS_OF_WEEK)


def _period_hours(timing: Timing) -> float | None:
    """The shorter period in hours; a day when none is stated, None when it cannot be read."""
    if timing.period is None:
        none_stated = timing.period_max is None and timing.period_unit in (None, "d")
        return DAY_HOURS if none_stated else None
    shortest = min(p for p in (timing.period, timing.period_max) if p is not None)
    hours = HOURS_PER.get(timing.period_unit or "")
    return hours * shortest if hours is not None and shortest > 0 else None


def is_timing_code(code: str) -> bool:
    """Whether it is an abbreviation that says how often, in upper case: BID, Q6H."""
    return _by_code(code) is not None


def _by_code(code: str) -> float | None:
    every = EVERY_HOURS.fullmatch(code)
    return DAY_HOURS / int(every[1]) if every else TIMES_PER_DAY.get(code)


def _events(timing: Timing) -> set[str]:
    """The different events of a day; one tied to no single meal stands for all three."""
    return {event for code in timing.when for event in AT_MEALS.get(code, {code})}


def _on_weekdays(daily: float, timing: Timing) -> float:
    """Doses a day averaged over the week when only some weekdays are named."""
    if not timing.days_of_week:
        return daily
    share = timing.days_of_week / DAYS_OF_WEEK
    return daily * share if daily >= 1 else max(daily, share)


def step(dosage: Dosage) -> int:
    """Its place among dosages taken in turn; those of one place are taken together."""
    return dosage.sequence if dosage.sequence is not None else 0


def dosing_days(dosages: tuple[Dosage, ...]) -> float | None:
    """Days the dosages span: those of one sequence number run together, the numbers in turn.

    None when any dosage is unbounded, or there is none.
    """
    total = 0.0
    in_turn = sorted(dosages, key=step)
    for _, together in groupby(in_turn, key=step):
        days = [bounded_days(dosage.timing) for dosage in together]
        known = [one for one in days if one is not None]
        if len(known) < len(days):
            return None
        total += max(known)
    return total or None


def bounded_days(timing: Timing | None) -> float | None:
    """Days of a dosing period, both its ends included; None when open or only partly dated."""
    if timing is None:
        return None
    start, end = timing.bounds_start, timing.bounds_end
    if start and end and start.earliest == start.latest and end.earliest == end.latest:
        return float((end.earliest - start.earliest).days + 1)
    return timing.bounds_days
