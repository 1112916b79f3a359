"""FHIR dates as intervals of calendar days.

A date stands for the local day it was written on: a zone says how the clock stood there, and is
dropped without shifting the day. A partial date stands for every day it can mean.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from cards.record import When
from service.patient_record.elements import number, one_object, text
from service.patient_record.ucum import unit_of

FULL = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?(?!\d)")
PARTIAL = re.compile(r"(\d{4})(?:-(\d\d))?")
ONE_DAY = timedelta(days=1)
OLDEST_AGE = 130
DAYS_PER_UNIT = {
    "s": 1 / 86400,
    "min": 1 / 1440,
    "h": 1 / 24,
    "d": 1.0,
    "wk": 7.0,
    "mo": 30.0,
    "a": 365.0,
}


def when(value: Any) -> When | None:
    """The date or dateTime as an interval of days; None when absent or not a date."""
    written = text(value)
    if not written:
        return None
    try:
        full = FULL.match(written)
        if full:
            year, month, day_of_month, time = full.groups()
            day = date(int(year), int(month), int(day_of_month))
            return When(day, day, f"{written[:10]}T{time}" if time else written[:10])
        partial = PARTIAL.fullmatch(written)
        return _partial(int(partial[1]), partial[2], written) if partial else None
    except ValueError:  # a day that is not in the calendar
        return None


def past(value: Any, today: date) -> When | None:
    """The date of something that has happened; None also when more than 24 h in the future."""
    found = when(value)
    return found if found is not None and found.earliest <= today + ONE_DAY else None


def period_start(value: Any) -> Any:
    """The ``start`` of a Period, as written; None when it has none."""
    return one_object(value).get("start")


def period_end(value: Any) -> Any:
    """The ``end`` of a Period, as written; None when it has none."""
    return one_object(value).get("end")


def at_age(value: Any, birth: When | None) -> When | None:
    """The days on which a person of this birth date was of this FHIR Age.

    Args:
        value: an Age, in years (``a``) or months (``mo``) completed.
        birth: None when not recorded; the answer is then None as well.
    """
    age = one_object(value)
    if not age:
        return None
    amount = number(age.get("value"))
    months_each = {"a": 12, "mo": 1}.get(unit_of(age) or "")
    if birth is None or amount is None or months_each is None or not 0 <= amount <= OLDEST_AGE * 12:
        return None
    months = int(amount * months_each)
    if months > OLDEST_AGE * 12:
        return None
    first = _months_later(birth.earliest, months)
    last = _months_later(birth.latest, months + months_each) - ONE_DAY
    return When(first, last, f"{first.year:04d}")


def between_ages(value: Any, birth: When | None) -> When | None:
    """The days on which a person of this birth date was of an age within this FHIR Range.

    None where an end of it is missing or no age, and when ``birth`` is None.
    """
    ages = one_object(value)
    low, high = at_age(ages.get("low"), birth), at_age(ages.get("high"), birth)
    if low is None or high is None or high.latest < low.earliest:
        return None
    return When(low.earliest, high.latest, low.text)


def in_days(value: Any) -> float | None:
    """A FHIR Duration in days (month 30, year 365).

    None when absent, when its unit is unknown, or when it is not more than nothing.
    """
    duration = one_object(value)
    if not duration:
        return None
    amount = number(duration.get("value"))
    per_unit = DAYS_PER_UNIT.get(unit_of(duration) or "")
    return None if amount is None or amount <= 0 or per_unit is None else amount * per_unit


def _partial(year: int, month: str | None, written: str) -> When:
    if month is None:
        return When(date(year, 1, 1), date(year, 12, 31), written)
    first = date(year, int(month), 1)
    return When(first, first.replace(day=monthrange(year, first.month)[1]), written)


def _months_later(day: date, months: int) -> date:
    """The same day of the month so many months later, or the last day of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    year = min(day.year + years, date.max.year - 1)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
