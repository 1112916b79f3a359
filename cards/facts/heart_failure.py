"""Heart failure that is severe, or has lately got worse."""

from __future__ import annotations

from cards.answer import Answer, Finding, any_of, yes
from cards.case import Case, fact
from cards.facts.comorbidity import ACTIVE_PROBLEM_FACTS
from cards.facts.course import VISITED
from cards.facts.encounter import IN_PROGRESS_CLASSES
from cards.facts.entries import (
    belongs,
    history_conditions,
    judged,
    latest_observation,
    within,
)
from cards.record import Condition, Encounter, Observation

LATELY_DAYS = 90
LOW_EJECTION_PERCENT = 40
FAILURE = ("heart-failure", "heart-failure-acute")


@fact
def heart_failure_decompensated(case: Case) -> Finding:
    """Heart failure, acute, in hospital or with a low ejection fraction within 90 days."""
    failure = ACTIVE_PROBLEM_FACTS["heart_failure"](case)
    if failure.answer is not Answer.YES:
        return failure
    worse = any_of((_acute(case), _in_hospital(case), _low_ejection(case)))
    if worse.answer is not Answer.YES:
        return worse
    return yes(dict.fromkeys((*worse.because, *failure.because)))


def _acute(case: Case) -> Finding:
    """Acute failure by code, begun or recorded in the window, whatever became of it."""

    def lies(condition: Condition) -> Answer:
        dates = [when for when in (condition.onset, condition.recorded) if when]
        answers = {within(when, case.today, LATELY_DAYS) for when in dates}
        if Answer.YES in answers:
            return Answer.YES
        return Answer.NO if answers == {Answer.NO} else Answer.UNKNOWN

    return judged(case, history_conditions(case, "heart-failure-acute"), lies, "conditions")


def _in_hospital(case: Case) -> Finding:
    """An inpatient or emergency visit in the window, unless its reasons are all something else."""

    def lies(visit: Encounter) -> Answer:
        if visit.status == "in-progress" and visit.end is None:
            return Answer.YES
        return within(visit.end or visit.start, case.today, LATELY_DAYS)

    visits = [
        visit
        for visit in case.record.encounters
        if visit.class_code in IN_PROGRESS_CLASSES
        and (visit.status is None or visit.status in VISITED)
        and _may_be_for_the_heart(case, visit)
    ]
    return judged(case, visits, lies, "encounters")


def _may_be_for_the_heart(case: Case, visit: Encounter) -> bool:
    """Whether heart failure is a reason or diagnosis of the visit, or no coded reason is given."""
    readable = [reason for reason in visit.reasons if reason.readable]
    if not readable or any(belongs(reason, *FAILURE) for reason in readable):
        return True
    found = history_conditions(case, *FAILURE)
    return any(condition.encounter == visit.reference for condition in found)


def _low_ejection(case: Case) -> Finding:
    """The newest ejection fraction of the window is below 40 %; another unit is not read."""
    newest = latest_observation(case, "lvef", days=LATELY_DAYS)
    return judged(case, (newest,) if newest else (), _below, "observations")


def _below(ejection: Observation) -> Answer:
    fraction = ejection.value
    if fraction is None or fraction.unit != "%" or not 0 < fraction.value <= 100:
        return Answer.UNKNOWN
    return Answer.YES if fraction.value < LOW_EJECTION_PERCENT else Answer.NO
