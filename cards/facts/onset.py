"""When the back pain began: whether it is new, worse, or known from earlier."""

from __future__ import annotations

from datetime import date

from cards.answer import UNKNOWN, Answer, ChartEntry, Finding, yes
from cards.case import Case, fact, once_a_call
from cards.facts.entries import (
    BACK_PAIN_REASONS,
    absence,
    days_ago,
    history_conditions,
    is_sequela,
    reasons,
    shown,
    within,
)
from cards.facts.pain import Episode, episode, flares, repeats
from cards.facts.visit import visit_for_back_pain
from cards.record import Condition, When

NEW_DAYS = 84
FLAG_DAYS = 42
YEAR_DAYS = 365
RECORDED_DAYS = 14
SEEN_DAYS = 30
RECURRING = ("recurrence", "relapse")


def _found(case: Case, answer: Answer, conditions: tuple[Condition, ...]) -> Finding:
    """A yes with its Conditions; a no only when the problem list was read to the end."""
    if answer is Answer.YES:
        return yes(reasons(conditions))
    return UNKNOWN if answer is Answer.UNKNOWN else absence(case, "conditions")


def _flaring(now: Episode) -> bool:
    return now.exacerbation is not None


def _first(whens: list[When]) -> When | None:
    return min(whens, key=lambda when: (when.earliest, when.text), default=None)


@fact
def exacerbation(case: Case) -> Finding:
    """Older back pain flared up within the last 28 days."""
    found = [_told(condition, when) for condition, when in flares(case)]
    return yes(found) if found else absence(case, "conditions")


def _told(condition: Condition, when: When) -> ChartEntry:
    """The Condition with the day it flared up, which is not the day it began."""
    plain = shown(condition)
    words = "recurrence recorded" if condition.clinical in RECURRING else "new beside older pain"
    return ChartEntry(plain.reference, f"{plain.display}, {words}", when.text[:10])


@fact
@once_a_call
def back_pain_new_or_worse(case: Case) -> Finding:
    """Back pain began or flared up within 84 days; without onset, was first recorded then.

    Pain without onset counts by its own record also beside older pain, unless it repeats a code.
    """
    now = episode(case)
    if _flaring(now):
        return yes(reasons(now.conditions))
    if not now.conditions:
        return absence(case, "conditions")
    when = now.onset or _first([c.recorded for c in now.conditions if c.recorded])
    answers = {within(when, case.today, NEW_DAYS)}
    answers |= {within(c.recorded, case.today, NEW_DAYS) for c in _not_seen_before(now.conditions)}
    for answer in (Answer.YES, Answer.UNKNOWN):
        if answer in answers:
            return _found(case, answer, now.conditions)
    return _found(case, Answer.NO, now.conditions)


def _not_seen_before(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Recorded Conditions without onset whose code no other, unless recorded later, bears."""
    return tuple(
        condition
        for condition in conditions
        if condition.onset is None
        and (recorded := condition.recorded) is not None
        and not any(
            repeats(condition, other)
            and (
                (when := other.onset or other.recorded) is None or when.earliest < recorded.earliest
            )
            for other in conditions
            if other is not condition
        )
    )


@fact
def back_pain_new_42d(case: Case) -> Finding:
    """Back pain began or flared up within 42 days; without a recorded onset unknown."""
    now = episode(case)
    if _flaring(now):
        return yes(reasons(now.conditions))
    return _found(case, within(now.onset, case.today, FLAG_DAYS), now.conditions)


@fact
def back_pain_onset_known_84d(case: Case) -> Finding:
    """The recorded onset lies within 84 days; without one unknown."""
    now = episode(case)
    return _found(case, within(now.onset, case.today, NEW_DAYS), now.conditions)


@fact
@once_a_call
def earlier_back_pain(case: Case) -> Finding:
    """A back-pain Condition, whatever became of it, began or was recorded over a year ago."""
    pains = [
        condition
        for condition in history_conditions(case, *BACK_PAIN_REASONS)
        if not is_sequela(condition.concept)
    ]
    sure = tuple(c for c in pains if _over_a_year(c, case.today) is Answer.YES)
    if sure:
        return yes(reasons(sure))
    if any(_over_a_year(c, case.today) is Answer.UNKNOWN for c in pains):
        return UNKNOWN
    return absence(case, "conditions")


def _over_a_year(condition: Condition, today: date) -> Answer:
    answers = set()
    for when in (condition.onset, condition.recorded):
        back = days_ago(when, today)
        if back is None:
            continue
        least, most = back
        if least > YEAR_DAYS:
            return Answer.YES
        answers.add(Answer.UNKNOWN if most > YEAR_DAYS else Answer.NO)
    return Answer.UNKNOWN if Answer.UNKNOWN in answers else Answer.NO


@fact
def back_pain_recorded_14d(case: Case) -> Finding:
    """The oldest Condition of this episode was recorded within 14 days, or the pain flared up."""
    now = episode(case)
    if _flaring(now):
        return yes(reasons(now.conditions))
    if not now.conditions:
        return absence(case, "conditions")
    entered = [when for c in now.conditions if (when := c.recorded or c.onset)]
    return _found(case, within(_first(entered), case.today, RECORDED_DAYS), now.conditions)


@fact
@once_a_call
def back_pain_recorded_30d_or_visit(case: Case) -> Finding:
    """Back pain was recorded within 30 days, or is the reason of this visit."""
    visit = visit_for_back_pain(case)
    if visit.answer is Answer.YES:
        return visit
    conditions = episode(case).conditions
    answers = [within(c.recorded, case.today, SEEN_DAYS) for c in conditions if c.recorded]
    if Answer.YES in answers:
        return yes(reasons(conditions))
    if Answer.UNKNOWN in answers:
        return UNKNOWN
    return absence(case, "conditions", "encounters")
