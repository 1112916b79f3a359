"""The days a report is about, as a form or an address names them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from service.report import week

USUAL_WEEKS = 12
LONGEST_DAYS = 2 * 366


class PeriodRefused(ValueError):
    """No period can be read; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from the first to the last, both included."""

    since: date
    until: date

    @property
    def weeks(self) -> tuple[str, ...]:
        """Every ISO week the period touches, in order."""
        days = range((self.until - self.since).days + 1)
        return tuple(dict.fromkeys(week(self.since + timedelta(day)) for day in days))


def read_period(since: str, until: str, today: date) -> Period:
    """The period between two days such as 2026-03-01.

    Args:
        since: empty means the Monday from which on the last day is in the twelfth week.
        until: empty means today.

    Raises:
        PeriodRefused: a day is none, or the two are not a period of at most two years.
    """
    last = _day(until, "last") if until else today
    try:
        first = _day(since, "first") if since else _usual_first(last)
    except OverflowError:
        raise PeriodRefused("The last day is too long ago.") from None
    if first > last:
        raise PeriodRefused("The first day must not be after the last.")
    if (last - first).days >= LONGEST_DAYS:
        raise PeriodRefused("Choose a period of at most two years.")
    return Period(first, last)


def _usual_first(last: date) -> date:
    return last - timedelta(last.weekday() + 7 * (USUAL_WEEKS - 1))


def _day(text: str, which: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PeriodRefused(f"The {which} day must be written such as 2026-03-01.") from None
