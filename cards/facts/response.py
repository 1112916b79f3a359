"""Whether the pain responded to treatment, and how badly it disables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from cards.answer import UNKNOWN, Answer, Finding, yes
from cards.case import Case, fact
from cards.codes import LOINC
from cards.facts.entries import absence, observations, presence, reasons, within
from cards.facts.treatment import care_start
from cards.record import Observation, When

BASELINE_BEFORE_DAYS, BASELINE_AFTER_DAYS = 28, 7
CURRENT_DAYS = 90
FLARE_DAYS = 14
IMPROVED_PART = 0.30
SCREEN_DAYS = 180
PHQ9_TOTAL, PHQ9_MODERATE = "44261-6", 10
START_BACK_RISK = "91352-5"
NUMERIC_RATINGS, RATING_MAX = frozenset({"72514-3", "75893-8"}), 10
HIGHER_IS_BETTER = "higher is better"  # note of rows whose score rises with better function


@fact
def response_improved(case: Case) -> Finding:
    """A score of one scale fell by 30 percent or more since care began.

    When pain and function moved in opposite directions the response is unknown.
    """
    began = care_start(case)
    if began is None:
        return UNKNOWN
    start, _ = began
    pairs = [
        pair
        for scale in _by_scale(case).values()
        if (pair := _baseline_and_current(scale, start, case))
    ]
    falls = [_fall(before, now) for before, now in pairs]
    if not falls:
        return UNKNOWN
    if all(fall >= IMPROVED_PART for fall in falls):
        return yes(reasons([score for pair in pairs for score in pair]))
    if any(fall > 0 for fall in falls) and any(fall < 0 for fall in falls):
        return UNKNOWN
    return absence(case, "observations")


def _by_scale(case: Case) -> dict[tuple[str, ...], list[Observation]]:
    """Readable scores, newest first, by scale and unit; scales where more is better left out."""
    scales: dict[tuple[str, ...], list[Observation]] = {}
    for score in observations(case, "pain-score", "function-score"):
        if HIGHER_IS_BETTER in score.concept.sets.get("function-score", ""):
            continue
        if score.value is None or score.value.value < 0 or score.effective is None:
            continue
        if score.effective.earliest != score.effective.latest:
            continue
        codes = sorted(coding.code for coding in score.concept.codings)
        scales.setdefault((*codes, score.value.unit or ""), []).append(score)
    return scales


def _baseline_and_current(
    newest_first: Sequence[Observation], start: When, case: Case
) -> tuple[Observation, Observation] | None:
    """The score when care began and the later one of now; None without both.

    A score beyond the end of its scale is not known, and no other stands in for it.
    """
    first = start.latest - timedelta(days=BASELINE_BEFORE_DAYS)
    last = start.earliest + timedelta(days=BASELINE_AFTER_DAYS)
    early = [s for s in newest_first if s.effective and first <= s.effective.latest <= last]
    now = _current(newest_first, case)
    if not early or now is None:
        return None
    before = early[0]
    if _off_scale(before):
        return None
    later = _text(now) > _text(before)
    return (before, now) if later and _value(before) > 0 else None


def _current(newest_first: Sequence[Observation], case: Case) -> Observation | None:
    """The newest score; of a single flare, the lower one up to 14 days before it."""
    recent = [
        s for s in newest_first if within(s.effective, case.today, CURRENT_DAYS) is Answer.YES
    ]
    if recent and _off_scale(recent[0]):
        return None
    if len(recent) < 2:
        return recent[0] if recent else None
    newest, previous = recent[:2]
    close = _day(newest) - _day(previous) <= FLARE_DAYS
    return previous if close and _value(newest) > _value(previous) else newest


def _off_scale(score: Observation) -> bool:
    """Whether a rating from 0 to 10 bears a number above 10."""
    codes = {coding.code for coding in score.concept.codings if coding.system == LOINC}
    return bool(codes & NUMERIC_RATINGS) and _value(score) > RATING_MAX


def _value(score: Observation) -> float:
    return score.value.value if score.value else 0.0


def _day(score: Observation) -> int:
    return score.effective.latest.toordinal() if score.effective else 0


def _text(score: Observation) -> str:
    return score.effective.text if score.effective else ""


def _fall(before: Observation, now: Observation) -> float:
    return (_value(before) - _value(now)) / _value(before)


@fact
def severe_disability_or_risk(case: Case) -> Finding:
    """A screen within 180 days shows high psychosocial risk or moderate depression."""
    screens = observations(case, "psychosocial-screen", "function-score")
    answers = [
        within(s.effective, case.today, SCREEN_DAYS) if _severe(s) else Answer.NO for s in screens
    ]
    sure = [s for s, answer in zip(screens, answers, strict=True) if answer is Answer.YES]
    if not sure and Answer.UNKNOWN in answers:
        return UNKNOWN
    return presence(case, sure, "observations")


def _severe(screen: Observation) -> bool:
    codes = {coding.code for coding in screen.concept.codings if coding.system == LOINC}
    if PHQ9_TOTAL in codes and screen.value is not None:
        return screen.value.value >= PHQ9_MODERATE
    if START_BACK_RISK in codes:
        answers = {coding.display.casefold() for coding in screen.value_concept.codings}
        return bool(answers & {"high", "high risk"})
    return False
