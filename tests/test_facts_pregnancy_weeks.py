"""How far a pregnancy is: before or after 20 weeks, or not known."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from cards.answer import Answer
from cards.case import FACTS
from cards.facts.gestation import past_20_weeks
from cards.record import Condition, Observation, Quantity, When
from tests.chart import TODAY, ago, answer, case, coded, found, measured, month, on, problem

OVER, UNDER, OPEN = (
    "pregnant_20_weeks_or_more",
    "pregnant_under_20_weeks",
    "pregnant_weeks_unknown",
)
PREGNANT = problem("pregnancy", 10)
ROWS = list(
    csv.DictReader(
        Path("cards/value_sets/gestational-age.csv").read_text(encoding="utf-8").splitlines()
    )
)
Entry = Condition | Observation


def weeks(*entries: object, **details: object) -> str:
    """Which of the three facts is yes; at most one is."""
    said = {name: answer(name, *entries, **details) for name in (OVER, UNDER, OPEN)}
    sure = [name for name, a in said.items() if a is Answer.YES]
    assert len(sure) <= 1, said
    return sure[0] if sure else ""


def due(in_days: int, days: int = 1) -> Observation:
    """An estimated date of delivery so many days ahead, recorded so many days ago."""
    return found("edd", days, value_date=on(TODAY + timedelta(days=in_days)))


def code(note: str, days: int, **details: object) -> Condition:
    """A code of weeks, as its row notes them, recorded so many days ago."""
    concept = coded("gestational-age", code=note, note=note)
    return problem("weeks", None, concept=concept, recorded=ago(days), **details)


@pytest.mark.parametrize(("days", "expected"), [(138, UNDER), (139, UNDER), (140, OVER)])
def test_days_measured(days: int, expected: str) -> None:
    """Twenty completed weeks are 140 days since the last period."""
    assert weeks(PREGNANT, measured("gestational-age", 0, days, "d")) == expected


@pytest.mark.parametrize(("ago_", "expected"), [(19, UNDER), (20, OVER), (21, OVER)])
def test_carried_forward(ago_: int, expected: str) -> None:
    """An age of 120 days grows by the days since it was measured."""
    assert weeks(PREGNANT, measured("gestational-age", ago_, 120, "d")) == expected


@pytest.mark.parametrize(("in_days", "expected"), [(139, OVER), (140, OVER), (141, UNDER)])
def test_due_date(in_days: int, expected: str) -> None:
    """A delivery due in 140 days is 20 weeks away from its 40."""
    assert weeks(PREGNANT, due(in_days)) == expected


@pytest.mark.parametrize(
    ("value", "days", "expected"),
    [(19, 0, UNDER), (19, 1, OPEN), (19, 6, OPEN), (19, 7, OVER), (20, 0, OVER), (19.5, 1, UNDER)],
)
def test_whole_weeks(value: float, days: int, expected: str) -> None:
    """Nineteen weeks are up to 19 weeks and 6 days; in between nobody can tell the side."""
    assert weeks(PREGNANT, measured("gestational-age", days, value, "wk")) == expected


@pytest.mark.parametrize(("days", "expected"), [(0, UNDER), (1, OPEN), (6, OPEN), (7, OVER)])
def test_code_of_weeks(days: int, expected: str) -> None:
    """A weeks-of-gestation code counts from the day it was recorded, also when resolved."""
    assert weeks(PREGNANT, code("weeks=19 at the encounter date", days)) == expected
    resolved = code("weeks=19 at the encounter date", days, clinical="resolved")
    assert weeks(PREGNANT, resolved) == expected


def test_code_counts_from_its_record_not_its_onset() -> None:
    """The onset of a pregnancy is no day on which weeks were counted."""
    stated = code("weeks=12 at the encounter date", 1, onset=ago(85))

    assert weeks(PREGNANT, stated) == UNDER


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("weeks not stated", OPEN),
        ("less than 8 weeks", UNDER),
        ("lower bound: > 20 weeks", OVER),
        ("lower bound: > 24 weeks", OVER),
        ("upper bound only: < 24 weeks", OPEN),
        ("weeks=42 at the encounter date", OVER),
        ("weeks > 42", OPEN),
    ],
)
def test_bounds(note: str, expected: str) -> None:
    """A bound tells the side of 20 weeks only when it lies wholly on one."""
    assert weeks(PREGNANT, code(note, 0)) == expected
    as_answer = found("question", 0, value_concept=coded("gestational-age", note=note))
    assert weeks(PREGNANT, as_answer) == expected


@pytest.mark.parametrize("row", ROWS, ids=[row["code"] for row in ROWS])
def test_every_row_is_read(row: dict[str, str]) -> None:
    """Each coded row tells weeks, but those that state none, want a number, or are past term."""
    number = "unit" in row["note"] or row["note"] in ("weeks not stated", "weeks > 42")
    straddles = row["code"] == "313178001"  # less than 24 weeks
    expected = "unknown" if number or straddles else "told"

    finding = past_20_weeks(case(PREGNANT, code(row["note"], 0)))

    assert ("unknown" if finding.answer is Answer.UNKNOWN else "told") == expected


@pytest.mark.parametrize(("days", "expected"), [(13, OVER), (14, OVER), (15, OPEN)])
def test_void_beyond_42_weeks(days: int, expected: str) -> None:
    """Due two weeks ago is 42 weeks; beyond, the date speaks of no pregnancy of today."""
    assert weeks(PREGNANT, due(-days)) == expected
    assert weeks(PREGNANT, measured("gestational-age", days, 280, "d")) == expected


@pytest.mark.parametrize(("ended", "expected"), [(99, OPEN), (100, OPEN), (101, UNDER)])
def test_void_after_an_outcome(ended: int, expected: str) -> None:
    """Weeks counted before the last pregnancy ended, or on that day, say nothing of the next."""
    earlier = measured("gestational-age", 100, 20, "d")

    assert weeks(PREGNANT, problem("pregnancy-outcome", ended), earlier) == expected


def test_unreadable_numbers() -> None:
    """A number without a unit, in months or below zero is never guessed at."""
    for value, unit in ((28, None), (6, "mo"), (-3, "wk")):
        assert weeks(PREGNANT, measured("gestational-age", 0, value, unit)) == OPEN
    assert weeks(PREGNANT, due(281)) == OPEN
    assert weeks(PREGNANT, found("edd", 1)) == OPEN


def test_newest_entry_decides() -> None:
    """A later estimate replaces an earlier one; one that cannot tell leaves the earlier."""
    old, new = measured("gestational-age", 20, 130, "d"), measured("gestational-age", 2, 100, "d")

    assert weeks(PREGNANT, old, new) == UNDER
    assert weeks(PREGNANT, old, code("weeks not stated", 1)) == OVER
    assert weeks(PREGNANT, due(130, days=9), code("weeks=19 at the encounter date", 3)) == OVER


def test_contradiction_of_one_day() -> None:
    """Two estimates of one day on both sides of 20 weeks: the weeks are not known."""
    low, high = measured("gestational-age", 2, 100, "d"), measured("gestational-age", 2, 170, "d")

    assert weeks(PREGNANT, low, high) == weeks(PREGNANT, high, low) == OPEN


def test_partial_dates() -> None:
    """A month that leaves the side of 20 weeks open is no known gestation."""
    may = Observation(
        "Observation/m", coded("gestational-age"), "final", month(2026, 5), Quantity(120, "d")
    )
    november = When(date(2026, 11, 1), date(2026, 11, 30), "2026-11")

    assert weeks(PREGNANT, may) == OPEN
    assert weeks(PREGNANT, found("edd", 1, value_date=november)) == OPEN


def test_without_a_pregnancy() -> None:
    """Weeks alone make no pregnancy, and a pregnancy ruled out has no weeks."""
    ended = problem("pregnancy-outcome", 5)
    age = measured("gestational-age", 1, 170, "d")

    assert weeks(age) == ""
    assert answer(OVER, age) is Answer.UNKNOWN
    assert answer(UNDER, age) is answer(OPEN, age) is Answer.NO
    assert answer(OPEN) is answer(OVER) is answer(UNDER) is Answer.UNKNOWN
    assert [answer(name, ended) for name in (OVER, UNDER, OPEN)] == [Answer.NO] * 3


def test_unread_observations() -> None:
    """A pregnancy among the problems is known; where its weeks may be was not read: not known."""
    assert weeks(PREGNANT, unread=("observations",)) == OPEN
    assert answer(OVER, PREGNANT) is answer(UNDER, PREGNANT) is Answer.UNKNOWN


def test_what_the_weeks_imply() -> None:
    """Whoever has weeks, known or not, is pregnant; the card can name the entry that told."""
    ages: tuple[Entry, ...] = (due(100), due(200), code("weeks not stated", 1))
    for name, age in zip((OVER, UNDER, OPEN), ages, strict=True):
        finding = FACTS[name](case(PREGNANT, age))

        assert finding.answer is answer("pregnant", PREGNANT, age) is Answer.YES
        references = [entry.reference for entry in finding.because]
        assert references[0] == PREGNANT.reference
        assert (age.reference in references) == (name != OPEN)
