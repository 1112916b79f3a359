"""Trials of a drug: which of its orders were taken, and whether long enough at its dose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cards.answer import UNKNOWN, Answer, Finding
from cards.case import Case, once_a_call_for_each
from cards.facts.drugs import above_low_dose, on_the_skin
from cards.facts.entries import (
    TAKEN,
    active_medications,
    belongs,
    days_covered,
    medications_in,
    presence,
    within,
)
from cards.facts.order_dose import DULOXETINE, daily_mg, steps
from cards.record import MedicationOrder
from cards.supply import coverage_window

STEP_DAYS = 730
ENDED_DAYS = 28  # a course that ended longer ago is over, and a later order begins another
ASPIRIN = ("aspirin-analgesic", "aspirin-low")


@dataclass(frozen=True, slots=True, eq=False)
class DrugStep:
    """One drug step of the pathways.

    Attributes:
        drugs: value sets of its drugs.
        allergens: value sets of the allergens that rule it out.
        trial_days: days that make an adequate trial; None when no source gives a number.
        least_mg: milligrams of duloxetine a day the trial asks for; None when days alone decide.
        blocked_by: facts any of which makes it contraindicated.
    """

    drugs: tuple[str, ...]
    allergens: tuple[str, ...]
    trial_days: int | None
    least_mg: float | None = None
    blocked_by: tuple[str, ...] = ()


@once_a_call_for_each
def taken(case: Case, step: DrugStep) -> tuple[MedicationOrder, ...]:
    """Orders of the step that count as taken, whenever they were written."""
    return tuple(
        order
        for order in medications_in(case, *step.drugs)
        if order.status in TAKEN and _is_of_step(order)
    )


@once_a_call_for_each
def active_orders(case: Case, step: DrugStep) -> tuple[MedicationOrder, ...]:
    """Orders of the step that cover today."""
    return tuple(o for o in active_medications(case, *step.drugs) if _is_of_step(o))


def _is_of_step(order: MedicationOrder) -> bool:
    """Whether it is no NSAID for the skin, and no aspirin that may be a low dose."""
    if belongs(order.drug, *ASPIRIN):
        return belongs(order.drug, "nsaid-oral") or above_low_dose(order)
    return not on_the_skin(order)


@once_a_call_for_each
def adequate_trial(case: Case, step: DrugStep) -> Finding:
    """Whether a course of the last 730 days lasted long enough, at the dose it takes."""
    active = active_orders(case, step)
    orders = [
        order
        for order in taken(case, step)
        if order in active or within(order.authored, case.today, STEP_DAYS) is not Answer.NO
    ]
    trials = [(course, long_enough(course, step, case.today)) for course in courses(orders)]
    proven = [order for course, answer in trials if answer is Answer.YES for order in course]
    undated = step.trial_days and any(coverage_window(order) is None for order in orders)
    if not proven and (undated or any(answer is Answer.UNKNOWN for _, answer in trials)):
        return UNKNOWN
    return presence(case, proven, "medications")


def courses(orders: Iterable[MedicationOrder]) -> list[list[MedicationOrder]]:
    """The dated orders by course, oldest first; over 28 days without the drug begin another."""
    found: list[list[MedicationOrder]] = []
    last = date.min
    dated = [(window, order) for order in orders if (window := coverage_window(order))]
    for (start, end), order in sorted(dated, key=lambda pair: (pair[0], pair[1].reference)):
        if not found or (start - last).days > ENDED_DAYS:
            found.append([])
        found[-1].append(order)
        last = max(last, end)
    return found


def long_enough(course: Iterable[MedicationOrder], step: DrugStep, today: date) -> Answer:
    """Whether a course is an adequate trial; unknown when only generous reading makes it one."""
    if step.trial_days is None:
        return Answer.NO
    doses = [(order, _dosed(order, step.least_mg)) for order in course]
    possible = [order for order, answer in doses if answer is not Answer.NO]
    proven = [order for order, answer in doses if answer is Answer.YES and _proves_use(order)]
    below = sum(_days_below(order, step.least_mg) or 0 for order in proven)
    if days_covered(proven, date.min, today) - below >= step.trial_days:
        return Answer.YES
    enough = days_covered(possible, date.min, today) >= step.trial_days
    return Answer.UNKNOWN if enough else Answer.NO


def _dosed(order: MedicationOrder, least_mg: float | None) -> Answer:
    """Whether the dose reaches what the trial takes; unknown when it cannot be read."""
    if least_mg is None:
        return Answer.YES
    dose = daily_mg(order, DULOXETINE)
    if dose is None:
        return Answer.UNKNOWN
    if dose < least_mg:
        return Answer.NO
    return Answer.UNKNOWN if _days_below(order, least_mg) is None else Answer.YES


def _days_below(order: MedicationOrder, least_mg: float | None) -> float | None:
    """Days of its earlier steps below the dose; 0 without such steps, None when not told."""
    if least_mg is None:
        return 0
    days = 0.0
    for one in steps(order):
        dose = daily_mg(one, DULOXETINE)
        if dose is not None and dose >= least_mg:
            continue
        told = [d.timing.bounds_days for d in one.dosages if d.timing and d.timing.bounds_days]
        if not told:
            return None
        days += max(told)
    return days


def _proves_use(order: MedicationOrder) -> bool:
    """Whether its supply shows how long the drug was taken.

    When a stopped or held drug was last taken is not recorded, nor how long a completed order
    without a stated supply lasted.
    """
    if order.authored is None or order.authored.earliest != order.authored.latest:
        return False
    if order.status != "completed":
        return order.status == "active"
    bounded = any(d.timing and d.timing.bounds_end for d in order.dosages)
    return bounded or order.supply_days is not None or order.validity_end is not None
