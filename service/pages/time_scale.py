"""The days a timeline shows, as places between its left and its right edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

MOST_DAYS, FEWEST_DAYS, UNKNOWN_DAYS = 3 * 365, 42, 365
# How far apart ticks may stand, in months, and how many fit a narrow screen.
STEPS, MOST_TICKS = (1, 2, 3, 6, 12), 7
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LEFT, RIGHT = 1.5, 98.0
# What a year written under a tick needs beside it, in per cent.
ROOM = 13.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A month under the timeline; ``year`` is empty where it is not written again."""

    at: float
    month: str
    year: str


@dataclass(frozen=True, slots=True)
class TimeScale:
    """First and last day drawn."""

    start: date
    end: date
    today: date

    def at(self, day: date) -> float:
        """The place of a day in per cent of the width; days outside lie at the edge."""
        inside = min(max(day, self.start), self.end)
        share = (inside - self.start).days / (self.end - self.start).days
        return round(LEFT + share * (RIGHT - LEFT), 2)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """The months written, with the year at the first and at every new one."""
        every = next((s for s in STEPS if len(self._months(s)) <= MOST_TICKS), STEPS[-1])
        return tuple(self._named(self._months(every)))

    def _months(self, step: int) -> list[date]:
        months = range(self.start.year * 12 + self.start.month, self.end.year * 12 + self.end.month)
        return [date(m // 12, m % 12 + 1, 1) for m in months if m % step == 0]

    def _named(self, months: list[date]) -> Iterator[Tick]:
        """The ticks; a year is left out where it would touch another one, or today."""
        years = {month.year: self.at(month) for month in reversed(months)}
        last = self.at(self.today)
        for month in months:
            at = self.at(month)
            others = [other for other in years.values() if other != at]
            free = month.month == 1 or all(abs(other - at) >= ROOM for other in others)
            told = years[month.year] == at and free and last - at >= ROOM
            yield Tick(at, MONTHS[month.month - 1], str(month.year) if told else "")


def time_scale(spans: Iterable[tuple[date, date]], today: date) -> TimeScale:
    """A scale on which these spans can be read: three years at most, and six weeks at least."""
    earliest = _before(today, MOST_DAYS)
    spans = list(spans)
    begun = [since for since, _ in spans if earliest <= since <= today]
    start = min(begun, default=_before(today, UNKNOWN_DAYS))
    start = min(start, _before(today, FEWEST_DAYS))
    ahead = timedelta(days=(today - start).days // 6)
    furthest = today + ahead if date.max - today > ahead else date.max
    end = min(max((until for _, until in spans), default=today), furthest)
    return TimeScale(start, max(end, today), today)


def _before(day: date, days: int) -> date:
    return day - timedelta(days=min(days, (day - date.min).days))
