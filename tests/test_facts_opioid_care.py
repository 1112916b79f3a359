"""Care around opioids: talks, screens, reviews, and an opioid restarted after a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cards.case import FACTS
from cards.record import NOTHING, MedicationOrder, Observation, When
from tests.charts import ago, chart, concept, drug, referral, session

COUNSELLING, SCREEN, REVIEW = "opioid_counselling_180d", "sud_screen_365d", "opioid_review_180d"
RESTART = "opioid_restart_after_gap"
OPIOID = drug("opioid", days=0, status="draft")


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


def result(value_set: str, days: int, status: str = "final") -> Observation:
    return Observation(f"Observation/{days}", concept(value_set), status, ago(days))


HALF_YEAR = pytest.mark.parametrize(("days", "expected"), [(179, "yes"), (180, "yes"), (181, "no")])


@HALF_YEAR
def test_counselling(days: int, expected: str) -> None:
    """A talk held or ordered counts for 180 days."""
    name = "opioid-counselling"

    assert answer(COUNSELLING, session(name, days=days)) == expected
    assert answer(COUNSELLING, referral(name, days=days)) == expected
    assert answer(COUNSELLING, referral(name, days=days, status="completed")) == expected


@HALF_YEAR
def test_review(days: int, expected: str) -> None:
    """A check or pain review counts as done, ordered, or as a result, for 180 days."""
    name = "opioid-review"

    assert answer(REVIEW, session(name, days=days)) == expected
    assert answer(REVIEW, referral(name, days=days)) == expected
    assert answer(REVIEW, result(name, days)) == expected


@pytest.mark.parametrize(("days", "expected"), [(364, "yes"), (365, "yes"), (366, "no")])
def test_screen(days: int, expected: str) -> None:
    """The result of a screen for substance use counts for 365 days; a procedure is no result."""
    assert answer(SCREEN, result("sud-screen", days)) == expected
    assert answer(SCREEN, result("sud-screen", days, "preliminary")) == "no"
    assert answer(SCREEN, session("sud-screen", days=days)) == "no"


@pytest.mark.parametrize(
    ("name", "value_set", "keys"),
    [
        (COUNSELLING, "opioid-counselling", ("procedures", "serviceRequests")),
        (REVIEW, "opioid-review", ("procedures", "serviceRequests", "observations")),
        (SCREEN, "sud-screen", ("observations",)),
    ],
)
def test_unread(name: str, value_set: str, keys: tuple[str, ...]) -> None:
    """What was not read may hold it; what was found counts although something was not read."""
    there = result(value_set, 1) if name == SCREEN else session(value_set, days=1)

    assert answer(name) == "no"
    for key in keys:
        assert answer(name, unread=(key,)) == "unknown"
        assert answer(name, there, unread=(key,)) == "yes"
    assert answer(name, unread=("medications",)) == "no"


def test_what_does_not_count() -> None:
    """A talk called off does not count; one dated by a year alone leaves it open."""
    name = "opioid-counselling"
    year = When(date(2025, 1, 1), date(2025, 12, 31), "2025")

    assert answer(COUNSELLING, session(name, days=1, status="not-done")) == "no"
    assert answer(COUNSELLING, referral(name, days=1, status="revoked")) == "no"
    assert answer(COUNSELLING, session(name, days=1, start=year)) == "unknown"


def test_ordered_for_later() -> None:
    """A talk ordered last week for next month was ordered within 180 days."""
    planned = referral("opioid-counselling", days=7, start=ago(-30))

    assert answer(COUNSELLING, planned) == "yes"


# Restart


def ended(days: int, **members: object) -> MedicationOrder:
    """An opioid whose cover of ten days ended so many days ago."""
    return drug("opioid", days=days + 10, supply=10, **members)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(29, "no"), (30, "yes"), (31, "yes"), (179, "yes"), (180, "yes"), (181, "no")],
)
def test_restart(days: int, expected: str) -> None:
    """The last cover ended 30 to 180 days ago, whatever became of the order."""
    for status in ("active", "completed", "stopped", "on-hold"):
        assert answer(RESTART, ended(days, status=status), draft=OPIOID) == expected
    assert answer(RESTART, ended(days, status="cancelled"), draft=OPIOID) == "no"


def test_last_cover_counts() -> None:
    """An older end does not make a restart while a newer cover runs or ended lately."""
    running = drug("opioid", days=1, supply=10)

    assert answer(RESTART, ended(60), running, draft=OPIOID) == "no"
    assert answer(RESTART, ended(60), ended(29), draft=OPIOID) == "no"
    assert answer(RESTART, ended(300), ended(60), draft=OPIOID) == "yes"


def test_restart_needs_an_opioid_draft() -> None:
    """Only an opioid ordered now restarts; a draft that cannot be read leaves it open."""
    assert answer(RESTART, ended(60)) == "no"
    assert answer(RESTART, ended(60), draft=drug("nsaid-oral", days=0)) == "no"
    assert answer(RESTART, ended(60), draft=replace(OPIOID, drug=NOTHING)) == "unknown"
    assert answer(RESTART, draft=OPIOID) == "no"


def test_restart_left_open() -> None:
    """Unread drugs, an undated order under way and a partial date leave it open."""
    undated = replace(ended(60), authored=None, supply_days=None)
    winter = When(date(2025, 12, 1), date(2026, 1, 31), "2025-12")

    assert answer(RESTART, draft=OPIOID, unread=("medications",)) == "unknown"
    assert answer(RESTART, ended(60), draft=OPIOID, unread=("medications",)) == "yes"
    assert answer(RESTART, ended(60), undated, draft=OPIOID) == "unknown"
    assert answer(RESTART, replace(ended(60), authored=winter), draft=OPIOID) == "unknown"


def test_restart_names_both_orders() -> None:
    """The card can name the order and the earlier supply."""
    because = FACTS[RESTART](chart(ended(60), draft=OPIOID)).because

    assert [entry.reference for entry in because] == ["MedicationRequest/0", "MedicationRequest/70"]
