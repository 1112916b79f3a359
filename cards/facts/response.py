"""Whether the pain responded to treatment, and how badly it disables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cards.answer import NO, UNKNOWN, Answer, ChartEntry, Finding, all_of, any_of, yes
from cards.case import FACTS, Case, fact
from cards.codes import LOINC
from cards.facts.course import care_date, care_start, for_the_back
from cards.facts.entries import (
    absence,
    belongs,
    judged,
    observations,
    presence,
    procedures,
    reasons,
    shown,
    within,
)
from cards.facts.pain_scores import (
    CURRENT_DAYS,
    Trend,
    by_instrument,
    current_score,
    day_number,
    of_hundred,
    score_value,
    trends,
    when_care_began,
)
from cards.record import Observation, When

WEAK_FROM = 40  # on a scale from 0 to 100
SCREEN_DAYS = 180
PHQ9_TOTAL, PHQ9_MODERATE = "44261-6", 10
START_BACK_RISK = "91352-5"
TREATMENTS = ("nonpharm-any", "passive-modality")
NO_BASELINE = ChartEntry("", "pain score from when care began")


@fact
def response_improved(case: Case) -> Finding:
    """A score of one instrument fell by 30 percent or more since care began, with no lasting rise.

    Relief ends when the score is back up by 30 percent of its best value for 28 days. When
    instruments disagree, such as pain and function, the response is unknown.
    """
    found = trends(case)
    if not found or _disagree(found):
        return UNKNOWN
    if all(trend.improved for trend in found):
        return yes(_told(found))
    return absence(case, "observations")


@fact
def response_inadequate(case: Case) -> Finding:
    """The pain hardly fell since care began and is still considerable, or care failed on record.

    Without a score from the start of care, 40 of 100 after an adequate exercise trial is enough;
    the finding then names the missing score. While the scores show an improvement, an outcome
    coded as a failure does not count.
    """
    if response_improved(case).answer is Answer.YES:
        return NO
    found = trends(case)
    by_scores = _inadequate(case, found) if found else _inadequate_without_baseline(case)
    return any_of([by_scores, _coded_failure(case)])


def _inadequate(case: Case, found: Sequence[Trend]) -> Finding:
    """The worst instrument decides, unless the instruments disagree."""
    if _disagree(found):
        return UNKNOWN
    little = [trend for trend in found if trend.inadequate]
    return yes(_told(little)) if little else absence(case, "observations")


def _disagree(found: Sequence[Trend]) -> bool:
    """Whether one instrument got better and another worse, or one improved and another stood."""
    directions = {trend.direction for trend in found}
    improved = any(trend.improved for trend in found)
    return {1, -1} <= directions or (improved and 0 in directions)


def _told(found: Iterable[Trend]) -> list[ChartEntry]:
    """The score at the start of care and the one of now, in this order."""
    return [shown(score) for trend in found for score in (trend.before, trend.now)]


def _coded_failure(case: Case) -> Finding:
    """Care for the back within 90 days whose coded outcome is no change, or worse."""
    failed = [
        p
        for p in procedures(case, *TREATMENTS)
        if belongs(p.outcome, "outcome-bad") and for_the_back(p.concept, p.reasons, *TREATMENTS)
    ]
    today = case.today
    return judged(
        case, failed, lambda p: within(care_date(p, today), today, CURRENT_DAYS), "procedures"
    )


def _inadequate_without_baseline(case: Case) -> Finding:
    """Whether pain is at 40 of 100 or more, measured when exercise had been tried long enough."""
    began = care_start(case)
    if began is None:
        return UNKNOWN
    scores = [
        score
        for scores in by_instrument(case).values()
        if (score := _only_now(scores, began[0], case))
    ]
    if not scores:
        return UNKNOWN
    high = [score for score in scores if score_value(score) >= WEAK_FROM]
    weak = [all_of([yes((*reasons([s]), NO_BASELINE)), _exercise_tried(case, s)]) for s in high]
    return any_of([absence(case, "observations"), *weak])


def _only_now(newest_first: Sequence[Observation], start: When, case: Case) -> Observation | None:
    """The pain score of now, on 0 to 100, when there is none from the start of care."""
    now = current_score(newest_first, case)
    if now is None or not belongs(now.concept, "pain-score") or of_hundred(now) is None:
        return None
    early = any(when_care_began(score, start) for score in newest_first)
    return None if early or day_number(now) < start.latest.toordinal() else now


def _exercise_tried(case: Case, score: Observation) -> Finding:
    """Whether exercise had been tried long enough on the day of the score."""
    day = score.effective.latest if score.effective else case.today
    # Asked by name: the steps of care rest on the response in turn.
    return FACTS["exercise_adequate_trial"](Case(case.record, min(day, case.today)))


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
