"""Steps of non-drug care: how far each was tried, from not at all to documented failure."""

from __future__ import annotations

from datetime import date
from enum import Enum

from cards.answer import NO, Answer, Finding, all_of, any_of
from cards.case import Case, fact
from cards.facts.course import KEYS, STEP_DRUGS, Care, for_pain, visited
from cards.facts.entries import absence, active_medications, presence, within
from cards.facts.response import response_inadequate
from cards.facts.trials import (
    RUNNING_SESSION_DAYS,
    StepCare,
    adequate_trial,
    documented_failure,
    either,
    in_progress,
    running,
    sessions,
    since,
    step_care,
)
from cards.record import Procedure

EXERCISE_TRIAL_DAYS, OTHER_TRIAL_DAYS = 42, 28
EXERCISE_RUNNING_DAYS = 28
EXERCISE = "exercise-therapy"
EXERCISES = (EXERCISE, "motor-control-exercise")
# Every step beside exercise; of the passive kinds manual therapy alone is non-drug care.
OTHER_STEPS = (
    "massage",
    "manipulation",
    "acupuncture",
    "dry-needling",
    "acupressure",
    "cbt",
    "mbsr",
    "relaxation",
    "yoga",
    "tai-chi",
    "education",
    "multidisciplinary-rehab",
    "passive-modality",
)


class StepStatus(Enum):
    """How far a step of care was tried; the first that applies counts."""

    CONTRAINDICATED = "contraindicated"
    NOT_TOLERATED = "not-tolerated"  # of drugs only
    FAILED = "failed"
    ADEQUATE_TRIAL = "adequate-trial"
    IN_PROGRESS = "in-progress"
    ORDERED_UNVERIFIED = "ordered-unverified"
    NOT_TRIED = "not-tried"
    UNKNOWN = "unknown"


def step_status(
    case: Case, *sets: str, trial_days: int, contraindicated: Finding = NO
) -> StepStatus:
    """The status of a step of non-drug care; unknown when none surely applies.

    Visits of the sets show, as sessions do, that an order was carried out; they make no trial.
    Sessions that ended without an adequate trial fit no status, and are unknown as well.

    Args:
        trial_days: how long ago the first session of an adequate trial must lie.
        contraindicated: whether something speaks against the step.
    """
    care = step_care(case, *sets)
    if contraindicated.answer is Answer.YES:
        return StepStatus.CONTRAINDICATED
    if documented_failure(care).answer is Answer.YES:
        return StepStatus.FAILED
    if adequate_trial(care, case.today, trial_days).answer is Answer.YES:
        failed = response_inadequate(case).answer is Answer.YES
        return StepStatus.FAILED if failed else StepStatus.ADEQUATE_TRIAL
    visits = [visit.start for visit in case.record.visits_of(*sets) if visited(visit, *sets)]
    seen = [within(start, case.today, RUNNING_SESSION_DAYS) for start in visits]
    if Answer.YES in seen or in_progress(care, case.today).answer is Answer.YES:
        return StepStatus.IN_PROGRESS
    if visits or any(isinstance(entry, Procedure) for entry in (*care.sure, *care.unsure)):
        return StepStatus.UNKNOWN
    if care.sure:
        return StepStatus.ORDERED_UNVERIFIED
    nothing = not care.unsure and case.record.read(*KEYS)
    return StepStatus.NOT_TRIED if nothing else StepStatus.UNKNOWN


# Facts


def _read(case: Case, finding: Finding, *keys: str) -> Finding:
    """The finding, or, where nothing was found, no only if the keys were read."""
    return absence(case, *keys) if finding.answer is Answer.NO else finding


def _tried(case: Case, care: StepCare, days: int) -> Finding:
    """Whether a step has the status adequate trial or failed."""
    # The response decides only which of the two; asking for it here would ask in a circle.
    return any_of((documented_failure(care), adequate_trial(care, case.today, days)))


@fact
def exercise_adequate_trial(case: Case) -> Finding:
    """Exercise was tried for six weeks with four sessions, completed, or failed on record."""
    return _read(case, _tried(case, step_care(case, EXERCISE), EXERCISE_TRIAL_DAYS), *KEYS)


@fact
def exercise_trial_or_running(case: Case) -> Finding:
    """Exercise was adequately tried, or has run for 28 days.

    An order without any session counts as running for 42 days after it was written.
    """
    care = step_care(case, EXERCISE)
    tried = _tried(case, care, EXERCISE_TRIAL_DAYS)
    return _read(case, any_of((tried, _running_for_weeks(care, case.today))), *KEYS)


def _running_for_weeks(care: StepCare, today: date) -> Finding:
    verified = either(sessions(care.sure), bool(sessions(care.unsure)))
    ran = [(entry, _ran(entry, verified, today)) for entry in care.sure]
    may_have_run = [finding for _, finding in ran if finding.answer is Answer.UNKNOWN] + [
        begun
        for entry in care.unsure
        if (begun := since(entry, today, EXERCISE_RUNNING_DAYS)).answer is not Answer.NO
    ]
    return either([e for e, finding in ran if finding.answer is Answer.YES], bool(may_have_run))


def _ran(entry: Care, verified: Finding, today: date) -> Finding:
    began = since(entry, today, EXERCISE_RUNNING_DAYS)
    return all_of((began, any_of((verified, Finding(running(entry, today))))))


@fact
def second_nondrug_step_inadequate(case: Case) -> Finding:
    """A step of non-drug care other than exercise was adequately tried, or failed."""
    care = step_care(case, "nonpharm-any").without(*EXERCISES)
    tried = any_of(_tried(case, care.only(step), OTHER_TRIAL_DAYS) for step in OTHER_STEPS)
    return _read(case, tried, *KEYS)


@fact
def any_step_running(case: Case) -> Finding:
    """A drug for the back covers today, or non-drug care is under way."""
    drugs = [order for order in active_medications(case, *STEP_DRUGS) if for_pain(order)]
    care = in_progress(step_care(case, "nonpharm-any"), case.today)
    return any_of((presence(case, drugs, "medications"), _read(case, care, *KEYS)))
