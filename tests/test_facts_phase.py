"""How long the pain has lasted: bounds, partial dates, records without onset."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cards.case import FACTS, Case
from cards.facts.phase import phase
from cards.record import Coverage, Encounter, When
from tests.charts import ago, chart, concept, drug, low_back_pain, pain, referral

FEBRUARY = When(date(2026, 2, 1), date(2026, 2, 28), "2026-02")
LAST_YEAR = When(date(2025, 1, 1), date(2025, 12, 31), "2025")
OLDER_YEAR = When(date(2024, 1, 1), date(2024, 12, 31), "2024")
SAW = concept("low-back-pain", "back-pain-any")

PATIENTS = [
    ("onset 27 days ago", (low_back_pain(onset=ago(27)),), "acute"),
    ("onset 28 days ago", (low_back_pain(onset=ago(28)),), "subacute"),
    ("onset 29 days ago", (low_back_pain(onset=ago(29)),), "subacute"),
    ("onset 83 days ago", (low_back_pain(onset=ago(83)),), "subacute"),
    ("onset 84 days ago", (low_back_pain(onset=ago(84)),), "subacute"),
    ("onset 85 days ago", (low_back_pain(onset=ago(85)),), "chronic"),
    ("onset this or last month", (low_back_pain(onset=FEBRUARY),), "unknown"),
    ("onset some day of last year", (low_back_pain(onset=LAST_YEAR),), "unknown"),
    ("onset some day of the year before", (low_back_pain(onset=OLDER_YEAR),), "chronic"),
    ("recorded 3 days ago", (low_back_pain(recorded=ago(3)),), "unknown"),
    ("recorded 84 days ago", (low_back_pain(recorded=ago(84)),), "unknown"),
    ("recorded 85 days ago", (low_back_pain(recorded=ago(85)),), "chronic"),
    ("no date at all", (low_back_pain(),), "unknown"),
    ("no back pain", (), "unknown"),
    (
        "chronic by code though onset is new",
        (pain("low-back-pain", "back-pain-any", "chronic-pain", onset=ago(5)),),
        "chronic",
    ),
    (
        "chronic by stage",
        (low_back_pain(recorded=ago(3), stages=(concept("chronic-pain"),)),),
        "chronic",
    ),
    (
        "recorded 3 days ago, visit with the same diagnosis 100 days ago",
        (
            low_back_pain(recorded=ago(3)),
            Encounter("Encounter/o", "finished", reasons=(SAW,), start=ago(100)),
        ),
        "chronic",
    ),
    (
        "ordered for back pain 100 days ago",
        (low_back_pain(recorded=ago(3)), referral("x", days=100, reasons=(SAW,))),
        "chronic",
    ),
    (
        "ordered 100 days ago, and revoked",
        (
            low_back_pain(recorded=ago(3)),
            referral("x", days=100, reasons=(SAW,), status="revoked"),
        ),
        "unknown",
    ),
    (
        "drug for back pain 100 days ago, never given",
        (
            low_back_pain(recorded=ago(3)),
            drug("x", days=100, reasons=(SAW,), status="cancelled"),
        ),
        "unknown",
    ),
    (
        "drug for back pain 100 days ago, stopped since",
        (
            low_back_pain(recorded=ago(3)),
            drug("x", days=100, reasons=(SAW,), status="stopped"),
        ),
        "chronic",
    ),
    (
        "a proposal 100 days ago",
        (
            low_back_pain(recorded=ago(3)),
            referral("x", days=100, reasons=(SAW,), intent="proposal"),
        ),
        "unknown",
    ),
    (
        "ordered 100 days ago for pain of the mid back",
        (
            low_back_pain(recorded=ago(3)),
            referral("x", days=100, reasons=(concept("thoracic-back-pain", "back-pain-any"),)),
        ),
        "unknown",
    ),
    (
        "ordered 100 days ago for sciatica",
        (
            low_back_pain(recorded=ago(3)),
            referral("x", days=100, reasons=(concept("radiculopathy-lbp", "back-pain-any"),)),
        ),
        "chronic",
    ),
    (
        "ordered 300 days ago for an episode that ended 200 days ago",
        (
            low_back_pain(recorded=ago(3)),
            low_back_pain(clinical="resolved", abatement=ago(200), onset=ago(320)),
            referral("x", days=300, reasons=(SAW,)),
        ),
        "unknown",
    ),
    (
        "acute spasm on chronic low back pain",
        (low_back_pain(onset=ago(400)), pain("back-spasm", "back-pain-any", onset=ago(3))),
        "chronic",
    ),
    (
        "acute for certain beside an undated entry",
        (low_back_pain(onset=ago(5)), pain("back-spasm", "back-pain-any")),
        "acute",
    ),
    (
        "old myalgia of unsaid site beside new back pain",
        (pain("myofascial-pain", onset=ago(400)), low_back_pain(onset=ago(5))),
        "acute",
    ),
]


@pytest.mark.parametrize(("words", "entries", "expected"), PATIENTS, ids=[p[0] for p in PATIENTS])
def test_phase(words: str, entries: tuple[object, ...], expected: str) -> None:
    """Exactly one phase applies, and only when every possible day agrees."""
    case = chart(*entries)
    yes = [n for n in ("acute", "subacute", "chronic", "unknown") if answer(f"phase_{n}", case)]

    assert phase(case) == expected
    assert yes == [expected], words


def answer(name: str, case: Case) -> bool:
    return FACTS[name](case).answer.value == "yes"


@pytest.mark.parametrize(("days", "expected"), [(40, "unknown"), (400, "chronic")])
def test_unfinished_problem_list(days: int, expected: str) -> None:
    """An unread page may hold older pain: chronic stays certain, anything shorter does not."""
    case = chart(low_back_pain(onset=ago(days)))
    coverage = {**case.record.coverage, "conditions": Coverage.UNFINISHED}

    assert phase(Case(replace(case.record, coverage=coverage), case.today)) == expected


@pytest.mark.parametrize(("days", "expected"), [(27, "yes"), (28, "no"), (29, "no")])
def test_mid_back_acute(days: int, expected: str) -> None:
    """The mid-back Condition counts by its own duration, whatever else is chronic."""
    case = chart(
        pain("thoracic-back-pain", "back-pain-any", onset=ago(days)), low_back_pain(onset=ago(400))
    )

    assert FACTS["mid_back_acute"](case).answer.value == expected


@pytest.mark.parametrize(("gap", "expected"), [(83, "chronic"), (84, "unknown"), (85, "unknown")])
def test_a_new_episode_after_84_days(gap: int, expected: str) -> None:
    """A visit of an episode that ended 84 days before the new one proves nothing of the new one."""
    new = low_back_pain(recorded=ago(10))
    old = low_back_pain(reference="Condition/old", clinical="resolved", abatement=ago(10 + gap))
    seen = Encounter("Encounter/old", "finished", "AMB", reasons=(new.concept,), start=ago(200))

    assert phase(chart(new, old, seen)) == expected
