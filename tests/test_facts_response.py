"""The response to treatment: what scores and coded outcomes tell, and when relief has ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cards.case import FACTS
from cards.codes import LOINC
from cards.facts.response import NO_BASELINE
from cards.record import Coding, Concept, Observation, Procedure, Quantity
from tests.charts import ago, chart, concept, low_back_pain, score, session

PAIN = low_back_pain(onset=ago(500))
CARED = session("nonpharm-any", days=50)
KNEE = concept(code="knee pain")
EXERCISE = tuple(session("exercise-therapy", "nonpharm-any", days=d) for d in (50, 40, 30, 8))
OUT_OF_TEN = Quantity(8, "/10")
NOW, WEEKLY, ANALOGUE, REPORTED = "72514-3", "75893-8", "38214-3", "38208-5"


def rated(value: float, days: int, code: str = NOW, unit: str | None = "{score}") -> Observation:
    """A pain score by its LOINC code, out of 10 unless said."""
    coded = Concept((Coding(LOINC, code),), "pain", {"pain-score": ""})
    return Observation(
        f"Observation/{code}-{days}", coded, "final", ago(days), Quantity(value, unit)
    )


def function(value: float, days: int) -> Observation:
    return score(value, days, "function-score")


def both(*entries: object, **members: object) -> tuple[str, str]:
    """Improved and inadequate, of one chart of a patient in pain."""
    case = chart(PAIN, *entries, **members)  # type: ignore[arg-type]
    return (
        FACTS["response_improved"](case).answer.value,
        FACTS["response_inadequate"](case).answer.value,
    )


FALLS = [
    ("fell by 29 percent, to 71", 10, 7.1, ("no", "yes")),
    ("fell by 30 percent", 10, 7.0, ("yes", "no")),
    ("fell by 31 percent", 10, 6.9, ("yes", "no")),
    ("fell by 30 percent, though binary numbers say less", 9, 6.3, ("yes", "no")),
    ("hardly fell, to 29", 4, 2.9, ("no", "no")),
    ("hardly fell, to 30", 4, 3.0, ("no", "yes")),
    ("hardly fell, to 31", 4, 3.1, ("no", "yes")),
    ("rose", 4, 8, ("no", "yes")),
    ("no pain at first", 0, 5, ("unknown", "unknown")),
]


@pytest.mark.parametrize(("words", "before", "now", "expected"), FALLS, ids=[f[0] for f in FALLS])
def test_fall(words: str, before: float, now: float, expected: tuple[str, str]) -> None:
    """30 percent less is improved; less than that, and still 30 of 100, is inadequate."""
    assert both(CARED, rated(before, 50), rated(now, 5)) == expected, words


@pytest.mark.parametrize(
    ("days", "expected"), [(79, "no"), (78, "yes"), (77, "yes"), (44, "yes"), (43, "yes")]
)
def test_first_score(days: int, expected: str) -> None:
    """The first score is one from 28 days before care to 7 days after its start."""
    assert both(CARED, rated(8, days), rated(7, 5))[1] == expected


def test_score_8_days_into_care_is_no_first_score() -> None:
    """What was measured later tells nothing about the time before care."""
    assert both(CARED, rated(8, 42), rated(7, 5)) == ("unknown", "no")


@pytest.mark.parametrize(
    ("days", "expected"), [(89, ("no", "yes")), (90, ("no", "yes")), (91, ("unknown", "unknown"))]
)
def test_newest_score(days: int, expected: tuple[str, str]) -> None:
    """The newest score speaks for now up to 90 days."""
    care = (session("nonpharm-any", days=100), session("nonpharm-any", days=20))

    assert both(*care, rated(8, 100), rated(7, days)) == expected


def test_newest_is_later_than_the_first() -> None:
    """One score cannot be both the first and the one of now, nor can one of the same moment."""
    assert both(CARED, rated(8, 45)) == ("unknown", "unknown")
    assert both(CARED, rated(8, 45), replace(rated(7, 45), reference="Observation/same")) == (
        "unknown",
        "unknown",
    )


SCALES = [
    ("other numeric rating", rated(8, 50), rated(7, 5, WEEKLY), ("unknown", "no")),
    (
        "analogue scale in mm",
        rated(60, 50, ANALOGUE, "mm"),
        rated(55, 5, ANALOGUE, "mm"),
        ("no", "yes"),
    ),
    (
        "analogue scale in mm, low",
        rated(32, 50, ANALOGUE, "mm"),
        rated(29, 5, ANALOGUE, "mm"),
        ("no", "no"),
    ),
    (
        "analogue scale in cm and mm",
        rated(6, 50, ANALOGUE, "cm"),
        rated(42, 5, ANALOGUE, "mm"),
        ("yes", "no"),
    ),
    (
        "beyond the line",
        rated(60, 50, ANALOGUE, "mm"),
        rated(101, 5, ANALOGUE, "mm"),
        ("unknown", "unknown"),
    ),
    ("out of ten", rated(2, 50, REPORTED, "/10"), rated(1.9, 5, REPORTED, "/10"), ("no", "no")),
    ("range not known: fall alone", rated(2, 50, REPORTED), rated(1.9, 5, REPORTED), ("no", "yes")),
    ("range not known: improved", rated(2, 50, REPORTED), rated(1.4, 5, REPORTED), ("yes", "no")),
    (
        "range not known, other unit",
        rated(60, 50, REPORTED, "mm"),
        rated(7, 5, REPORTED),
        ("unknown", "unknown"),
    ),
]


@pytest.mark.parametrize(("words", "before", "now", "expected"), SCALES, ids=[s[0] for s in SCALES])
def test_scales(
    words: str, before: Observation, now: Observation, expected: tuple[str, str]
) -> None:
    """Only scores of one instrument compare; 30 of 100 is asked only where the range is known."""
    assert both(CARED, before, now) == expected, words


@pytest.mark.parametrize(("value", "expected"), [(3.9, "no"), (4.0, "yes"), (4.1, "yes")])
def test_no_first_score(value: float, expected: str) -> None:
    """Without a first score, 40 of 100 after exercise is inadequate; the card names what lacks."""
    case = chart(PAIN, *EXERCISE, rated(value, 5))
    finding = FACTS["response_inadequate"](case)

    assert finding.answer.value == expected
    assert (NO_BASELINE in finding.because) == (expected == "yes")


WEAK = [
    ("no exercise trial", (CARED, rated(8, 5)), "no"),
    ("three sessions", (*EXERCISE[:3], rated(8, 5)), "no"),
    ("scored when exercise was not yet tried enough", (*EXERCISE, rated(8, 10)), "no"),
    ("scored before care", (*EXERCISE, rated(8, 85)), "unknown"),
    ("range not known", (*EXERCISE, rated(8, 5, REPORTED)), "unknown"),
    ("function", (*EXERCISE, function(8, 5)), "unknown"),
    ("function out of ten", (*EXERCISE, replace(function(8, 5), value=OUT_OF_TEN)), "unknown"),
    ("a first score but none since", (*EXERCISE, rated(8, 50)), "unknown"),
    ("one flare", (*EXERCISE, rated(3, 7), rated(8, 2)), "no"),
    ("no score", EXERCISE, "unknown"),
    ("no care", (rated(8, 5),), "unknown"),
]


@pytest.mark.parametrize(("words", "entries", "expected"), WEAK, ids=[w[0] for w in WEAK])
def test_no_first_score_and_no_proof(
    words: str, entries: tuple[object, ...], expected: str
) -> None:
    """A score alone is no failure: exercise must have been tried by then, and the scale known."""
    assert both(*entries)[1] == expected, words


def ended(days: int, *sets: str, **members: object) -> Procedure:
    """Care with a bad coded outcome."""
    kept = {"outcome": concept("outcome-bad"), **members}
    return replace(session(*(sets or ("nonpharm-any",)), days=days), **kept)  # type: ignore[arg-type]


@pytest.mark.parametrize(("days", "expected"), [(89, "yes"), (90, "yes"), (91, "unknown")])
def test_coded_failure(days: int, expected: str) -> None:
    """Care documented as without success within 90 days is an inadequate response."""
    assert both(ended(days))[1] == expected


FAILURES = [
    ("not for the back", (ended(5, reasons=(KNEE,)),), "unknown"),
    ("no treatment of the back", (ended(5, "spine-imaging"),), "unknown"),
    ("while scores are low", (CARED, ended(5), rated(3, 50), rated(2.5, 5)), "yes"),
    ("while scores show relief", (CARED, ended(5), rated(8, 50), rated(4, 5)), "no"),
]


@pytest.mark.parametrize(("words", "entries", "expected"), FAILURES, ids=[f[0] for f in FAILURES])
def test_which_failure_counts(words: str, entries: tuple[object, ...], expected: str) -> None:
    """Only care for the back counts, and no outcome outweighs scores that fell."""
    assert both(*entries)[1] == expected, words


CONFLICTS = [
    ("pain better, function worse", (5, 6, 8), ("unknown", "unknown")),
    ("pain worse, function better", (9, 6, 5), ("unknown", "unknown")),
    ("both better, function too little", (5, 6, 5), ("no", "yes")),
    ("pain improved, function unchanged", (5, 6, 6), ("unknown", "unknown")),
    ("both improved", (5, 6, 3), ("yes", "no")),
    ("both worse", (9, 6, 8), ("no", "yes")),
]


@pytest.mark.parametrize(("words", "values", "expected"), CONFLICTS, ids=[c[0] for c in CONFLICTS])
def test_pain_and_function(
    words: str, values: tuple[float, float, float], expected: tuple[str, str]
) -> None:
    """The worse of pain and function counts when both changed in one direction, else neither."""
    pain, before, now = values
    scores = (rated(8, 50), rated(pain, 5), function(before, 50), function(now, 5))

    assert both(CARED, *scores) == expected, words


@pytest.mark.parametrize(("apart", "expected"), [(13, "no"), (14, "no"), (15, "yes")])
def test_flare(apart: int, expected: str) -> None:
    """One high score with a lower one up to 14 days before is a flare and no failure."""
    assert both(CARED, rated(3, 50), rated(2.5, 5 + apart), rated(8, 5)) == ("no", expected)


def test_two_high_scores_are_no_flare() -> None:
    """Pain that stayed high is no flare."""
    assert both(CARED, rated(3, 50), rated(2.5, 15), rated(8, 10), rated(8, 5)) == ("no", "yes")


@pytest.mark.parametrize(
    ("lasted", "expected"), [(27, ("yes", "no")), (28, ("no", "yes")), (29, ("no", "yes"))]
)
def test_rise_ends_relief_after_28_days(lasted: int, expected: tuple[str, str]) -> None:
    """Relief ends when the pain has been back up for 28 days between recorded scores."""
    scores = (rated(10, 50), rated(5, 42), rated(9, 1 + lasted), rated(9, 1))

    assert both(CARED, *scores) == expected


@pytest.mark.parametrize(("value", "improved"), [(6.45, "yes"), (6.5, "no"), (6.55, "no")])
def test_rise_ends_relief_from_30_percent(value: float, improved: str) -> None:
    """29 percent above the best score is still relief; 30 is not, yet it is no failure."""
    scores = (rated(10, 50), rated(5, 42), rated(value, 40), rated(value, 1))

    assert both(CARED, *scores) == (improved, "no")


RISES = [
    ("a good score in between", (5, 42), (9, 40), (5.5, 20), (9, 1), ("yes", "no")),
    ("the best score counts", (6, 42), (4, 40), (5.2, 35), (5.2, 1), ("no", "no")),
    ("relief again after it", (5, 42), (9, 40), (9, 10), (5, 1), ("yes", "no")),
    ("better than the rise, but no relief", (7, 42), (10, 40), (10, 10), (8, 1), ("no", "yes")),
    ("above no pain at all, still far below", (0, 42), (1, 40), (1, 20), (1, 1), ("yes", "no")),
    ("above no pain at all, as at first", (0, 42), (8, 40), (8, 20), (8, 1), ("no", "yes")),
]


@pytest.mark.parametrize(
    ("words", "a", "b", "c", "d", "expected"), RISES, ids=[r[0] for r in RISES]
)
def test_what_ends_relief(words, a, b, c, d, expected) -> None:  # type: ignore[no-untyped-def]
    """Only an unbroken rise above the best score ends relief, and relief can come back."""
    scores = [rated(value, days) for value, days in (a, b, c, d)]

    assert both(CARED, rated(10, 50), *scores) == expected, words


def test_ended_relief_does_not_come_back_by_a_short_rise() -> None:
    """After relief has ended only a new fall by 30 percent is relief, not a new short rise."""
    ended = (rated(7, 42), rated(10, 40), rated(10, 12), rated(8, 10))

    assert both(CARED, rated(10, 50), *ended, rated(10, 1)) == ("no", "yes")


def test_short_rise_is_neither_worse_nor_inadequate() -> None:
    """A short rise after relief leaves the judgement to the other instruments."""
    risen = (rated(6, 50), rated(3, 42), rated(8, 20), rated(8, 5))
    weekly = (rated(3, 50, WEEKLY), rated(2.9, 5, WEEKLY))

    assert both(CARED, *risen, function(6, 50), function(3, 5)) == ("yes", "no")
    assert both(CARED, *risen, *weekly) == ("no", "no")


def test_unread() -> None:
    """What was not read leaves a no open, never a yes."""
    hardly, relief = (rated(8, 50), rated(7, 5)), (rated(8, 50), rated(4, 5))
    low = (rated(3, 50), rated(2.5, 5))

    assert both(CARED, *hardly, unread=("observations", "procedures")) == ("unknown", "yes")
    assert both(CARED, *relief, unread=("observations", "procedures")) == ("yes", "no")
    assert both(CARED, *low, unread=("observations",)) == ("unknown", "unknown")
    assert both(CARED, *low, unread=("procedures",)) == ("no", "unknown")
