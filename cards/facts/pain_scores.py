"""Scores of pain and function: on which scale they are, and how they went since care began."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cards.answer import Answer
from cards.case import Case, once_a_call
from cards.codes import LOINC
from cards.facts.course import care_start
from cards.facts.entries import observations, within
from cards.record import Observation, When

BASELINE_BEFORE_DAYS, BASELINE_AFTER_DAYS = 28, 7
CURRENT_DAYS = 90
FLARE_DAYS = 14
LASTING_RISE_DAYS = 28
IMPROVED_PART, RISEN_PART = 0.30, 0.30
INADEQUATE_FROM = 30  # on a scale from 0 to 100
NUMERIC_RATINGS, VISUAL_ANALOGUE = frozenset({"72514-3", "75893-8"}), "38214-3"
OUT_OF_TEN = frozenset({"/10", "{/10}", "{score}/10"})
HUNDREDTHS_PER = {"mm": 1, "cm": 10}  # of the visual analogue line, 100 mm long
HIGHER_IS_BETTER = "higher is better"  # note of rows whose score rises with better function
DIGITS = 6  # hides binary rounding: a fall from 9 to 6.3 is 30 percent


@dataclass(frozen=True, slots=True)
class Trend:
    """How the scores of one instrument went since care began.

    Attributes:
        now: the newest score; of a single flare, the lower one before it.
        fall: part of the first score by which it fell, negative when it rose.
        improved: it fell by 30 percent or more, and no lasting rise followed.
    """

    before: Observation
    now: Observation
    fall: float
    improved: bool

    @property
    def inadequate(self) -> bool:
        """Whether it fell by less than 30 percent and is still at 30 of 100, where that is known.

        A score whose scale is not known counts by its fall alone.
        """
        now = of_hundred(self.now)
        little = not self.improved and self.fall < IMPROVED_PART
        return little and (now is None or now >= INADEQUATE_FROM)

    @property
    def direction(self) -> int:
        """1 for better, -1 for worse, 0 for unchanged; a short rise after relief is no worse."""
        return 1 if self.improved or self.fall > 0 else -1 if self.fall < 0 else 0


@once_a_call
def trends(case: Case) -> tuple[Trend, ...]:
    """The trend of every instrument with a score from the start of care and a later one."""
    began = care_start(case)
    if began is None:
        return ()
    found = (_trend(scores, began[0], case) for scores in by_instrument(case).values())
    return tuple(trend for trend in found if trend)


def by_instrument(case: Case) -> dict[tuple[str, ...], list[Observation]]:
    """Readable scores, newest first, by instrument; those where more is better left out.

    Scores that are not on a known scale are one instrument only in one unit.
    """
    scales: dict[tuple[str, ...], list[Observation]] = {}
    for score in observations(case, "pain-score", "function-score"):
        if HIGHER_IS_BETTER in score.concept.sets.get("function-score", ""):
            continue
        if score.value is None or score.value.value < 0 or score.effective is None:
            continue
        if score.effective.earliest != score.effective.latest:
            continue
        codes = sorted(coding.code for coding in score.concept.codings)
        unit = score.value.unit or "" if of_hundred(score) is None else "of 100"
        scales.setdefault((*codes, unit), []).append(score)
    return scales


def _trend(newest_first: Sequence[Observation], start: When, case: Case) -> Trend | None:
    """None without a score of when care began and a later one of now.

    A score beyond the end of its scale is not known, and no other stands in for it.
    """
    early = [score for score in newest_first if when_care_began(score, start)]
    now = current_score(newest_first, case)
    if not early or now is None:
        return None
    before = early[0]
    if _off_scale(before) or score_value(before) == 0 or _text(now) <= _text(before):
        return None
    later = [s for s in newest_first if _text(s) > _text(before) and not _off_scale(s)]
    return Trend(before, now, _fall(before, now), _stays_improved(before, later[::-1]))


def when_care_began(score: Observation, start: When) -> bool:
    """Whether a score tells the pain when care began: from 28 days before to 7 days after."""
    first = start.latest - timedelta(days=BASELINE_BEFORE_DAYS)
    last = start.earliest + timedelta(days=BASELINE_AFTER_DAYS)
    return score.effective is not None and first <= score.effective.latest <= last


def current_score(newest_first: Sequence[Observation], case: Case) -> Observation | None:
    """The newest score; of a single flare, the lower one up to 14 days before it."""
    recent = [
        s for s in newest_first if within(s.effective, case.today, CURRENT_DAYS) is Answer.YES
    ]
    if recent and _off_scale(recent[0]):
        return None
    if len(recent) < 2:
        return recent[0] if recent else None
    newest, previous = recent[:2]
    close = day_number(newest) - day_number(previous) <= FLARE_DAYS
    return previous if close and score_value(newest) > score_value(previous) else newest


def _stays_improved(before: Observation, oldest_first: Iterable[Observation]) -> bool:
    """Whether the score improved and did not stay risen for 28 days since."""
    improved, best, risen_since = False, None, None
    for score in oldest_first:
        if best is not None and _risen(before, best, score):
            risen_since = day_number(score) if risen_since is None else risen_since
            improved = improved and day_number(score) - risen_since < LASTING_RISE_DAYS
            continue
        risen_since = None
        if _fall(before, score) >= IMPROVED_PART:
            improved = True
            best = score if best is None or score_value(score) < score_value(best) else best
    return improved


def _risen(before: Observation, best: Observation, score: Observation) -> bool:
    """Whether a score is 30 percent above the best one; above none at all, near the first again."""
    if score_value(best) == 0:
        return _fall(before, score) < IMPROVED_PART
    return -_fall(best, score) >= RISEN_PART


# One score


def of_hundred(score: Observation) -> float | None:
    """The score on a scale from 0 to 100; None when the range of its scale is not known.

    Known are numeric ratings from 0 to 10, the visual analogue scale in millimetres, and
    anything measured out of 10.
    """
    if score.value is None:
        return None
    codes = {coding.code for coding in score.concept.codings if coding.system == LOINC}
    unit = score.value.unit or ""
    if codes & NUMERIC_RATINGS or unit in OUT_OF_TEN:
        return score.value.value * 10
    if VISUAL_ANALOGUE in codes and unit in HUNDREDTHS_PER:
        return score.value.value * HUNDREDTHS_PER[unit]
    return None


def _off_scale(score: Observation) -> bool:
    """Whether a score lies beyond the end of its scale."""
    return (of_hundred(score) or 0) > 100


def score_value(score: Observation) -> float:
    """The score on 0 to 100 where its scale is known, else as recorded."""
    value = of_hundred(score)
    if value is not None:
        return value
    return score.value.value if score.value else 0.0


def day_number(score: Observation) -> int:
    """The day of a score, counted in days."""
    return score.effective.latest.toordinal() if score.effective else 0


def _text(score: Observation) -> str:
    return score.effective.text if score.effective else ""


def _fall(before: Observation, now: Observation) -> float:
    return round((score_value(before) - score_value(now)) / score_value(before), DIGITS)
