"""Fracture: bones that break easily, falls, and injuries that fit the pain."""

from __future__ import annotations

from datetime import timedelta

from cards.answer import NO, Answer, Finding, any_of, yes
from cards.case import Case, fact, once_a_call
from cards.facts.entries import (
    TAKEN,
    absence,
    active_conditions,
    dated,
    days_covered,
    history_conditions,
    is_sequela,
    medications_in,
    presence,
    reasons,
    recent,
    recent_sign,
    within,
)
from cards.facts.pain import episode
from cards.record import Condition, MedicationOrder

STEROID_DAYS = 90
STEROID_WINDOW_DAYS = 365
INJURY_DAYS = 42
VERTEBRAL_FRACTURE_DAYS = 84
INJURY_TO_PAIN_DAYS = 14
LOCAL_STEROID = "may be local"  # note of injections that may be meant for a joint


@fact
def osteoporosis(case: Case) -> Finding:
    """Osteoporosis or another condition of weak bone is active."""
    found = active_conditions(case, "osteoporosis-fracture-risk", suspected=True)
    return presence(case, found, "conditions")


@fact
@once_a_call
def steroid_90_days(case: Case) -> Finding:
    """Systemic steroids for 90 days or more of the last year, or coded as long-term."""
    active = active_conditions(case, "long-term-steroid")
    past = history_conditions(case, "long-term-steroid")
    return any_of(
        (
            _steroid_cover(case),
            presence(case, active, "conditions"),
            recent(case, past, STEROID_WINDOW_DAYS, "conditions"),
        )
    )


def _steroid_cover(case: Case) -> Finding:
    taken = [o for o in medications_in(case, "systemic-corticosteroid") if taken_whole_body(o)]
    if not taken:
        return absence(case, "medications")
    first = case.today - timedelta(days=STEROID_WINDOW_DAYS)
    if days_covered(taken, first, case.today) >= STEROID_DAYS:
        return yes(reasons(taken))
    return absence(case, "medications")


def taken_whole_body(order: MedicationOrder) -> bool:
    """Whether a steroid order counts as taken and is no injection that may be local."""
    note = order.drug.sets.get("systemic-corticosteroid", "")
    return order.status in TAKEN - {"on-hold"} and LOCAL_STEROID not in note


@fact
def fall_recent(case: Case) -> Finding:
    """A fall in the last 42 days."""
    return recent_sign(case, falls(case), INJURY_DAYS, "conditions")


def falls(case: Case) -> tuple[Condition, ...]:
    """Low-energy falls on record."""
    return history_conditions(case, "fall", suspected=True)


@fact
def vertebral_fracture_recent(case: Case) -> Finding:
    """A vertebral fracture in the last 84 days."""
    found = history_conditions(case, "vertebral-fracture", suspected=True)
    return recent_sign(case, found, VERTEBRAL_FRACTURE_DAYS, "conditions")


def major_injuries(case: Case) -> tuple[Condition, ...]:
    """Severe injuries on record; a sequela is a late effect and no injury of its own."""
    found = history_conditions(case, "major-trauma", suspected=True)
    return tuple(condition for condition in found if not is_sequela(condition.concept))


@fact
def trauma_recent(case: Case) -> Finding:
    """A severe injury in the last 42 days."""
    return recent_sign(case, major_injuries(case), INJURY_DAYS, "conditions")


@fact
def trauma_fits_pain(case: Case) -> Finding:
    """The pain may come from a recent severe injury.

    It does not when the pain began more than 14 days before the injury and has not flared since.
    Pain that began after the injury, or at an unknown time, fits.
    """
    fitting = [injury for injury in major_injuries(case) if _fits(case, injury)]
    return yes(reasons(fitting)) if fitting else NO


def _fits(case: Case, injury: Condition) -> bool:
    when = dated(injury)
    if within(when, case.today, INJURY_DAYS) is Answer.NO:
        return False
    pain = episode(case)
    if when is None or pain.onset is None or pain.exacerbation is not None:
        return True
    return (when.earliest - pain.onset.latest).days <= INJURY_TO_PAIN_DAYS
