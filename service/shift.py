"""Moves a stored request in time, so that its patient is today what they were when written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

FIXTURE_EXTENSION = "org.backpath.fixture"

_FULL = re.compile(r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d.*)?", re.DOTALL)
_MONTH = re.compile(r"\d{4}-\d\d")
_YEAR = re.compile(r"\d{4}")
# Texts and identifiers may look like dates and are none.
_NEVER = frozenset(
    {"id", "reference", "fullUrl", "url", "system", "code", "version", "display", "text", "div"}
    | {"hookInstance", "value", "patientId", "encounterId", "userId"}
)
# A year or a month alone is taken for a date only where FHIR has a date.
_DATE_MEMBER = re.compile(r".*(Date|DateTime|On|Period)|date|start|end|issued|lastUpdated|event")


class NoDate(Exception):
    """The request bears no date to shift from."""


def as_of(request: dict[str, Any]) -> date | None:
    """The day a stored request is meant to be judged on; None when it does not say."""
    extension = request.get("extension")
    fixture = extension.get(FIXTURE_EXTENSION) if isinstance(extension, dict) else None
    said = fixture.get("asOf") if isinstance(fixture, dict) else None
    try:
        return date.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None


def shift_to(request: dict[str, Any], to: date) -> dict[str, Any]:
    """The request with every date moved by the same number of days, so that its own day is ``to``.

    Its own day is the fixture's ``asOf``; without one, the newest date found anywhere in it.

    Raises:
        NoDate: the request bears neither.
        OverflowError: a date would leave the calendar.
    """
    own_day = as_of(request) or newest_date(request)
    if own_day is None:
        raise NoDate
    moved: dict[str, Any] = shift_days(request, (to - own_day).days)
    return moved


def newest_date(value: Any) -> date | None:
    """The latest full date in a request; None when it has none."""
    return max(_full_dates(value, ""), default=None)


def _full_dates(value: Any, member: str) -> Iterator[date]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _full_dates(inner, name)
        case list():
            for inner in value:
                yield from _full_dates(inner, member)
        case str() if member not in _NEVER and (found := _FULL.fullmatch(value)):
            day = _day(found[1])
            if day is not None:
                yield day


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def shift_days(value: Any, days: int, member: str = "") -> Any:
    """A copy of a JSON value with every date in it moved by this many days.

    A year or month alone keeps its precision: its middle is moved.
    """
    match value:
        case dict():
            return {name: shift_days(inner, days, name) for name, inner in value.items()}
        case list():
            return [shift_days(inner, days, member) for inner in value]
        case str() if member not in _NEVER:
            return _shift_text(value, days, member)
        case _:
            return value


def _shift_text(text: str, days: int, member: str) -> str:
    if found := _FULL.fullmatch(text):
        return _moved(found[1], days, str) + (found[2] or "") if _day(found[1]) else text
    if not _DATE_MEMBER.fullmatch(member):
        return text
    if _MONTH.fullmatch(text) and _day(f"{text}-15"):
        return _moved(f"{text}-15", days, lambda moved: str(moved)[:7])
    if _YEAR.fullmatch(text) and _day(f"{text}-07-01"):
        return _moved(f"{text}-07-01", days, lambda moved: str(moved)[:4])
    return text


def _moved(day: str, days: int, write: Callable[[date], str]) -> str:
    return write(date.fromisoformat(day) + timedelta(days=days))
