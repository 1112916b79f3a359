"""The steps before an opioid, and whether the chart documents them."""

from __future__ import annotations

from datetime import date

from cards.answer import NO, Answer, ChartEntry, Finding, yes
from cards.case import Case, fact
from cards.facts.course import care_date, for_the_back
from cards.facts.drugs import nsaid_allergy_serious, on_the_skin
from cards.facts.entries import (
    TAKEN,
    belongs,
    days_ago,
    medications_in,
    orders,
    procedures,
    within,
)
from cards.facts.order_dose import DULOXETINE, daily_mg
from cards.record import MedicationOrder, Procedure, ServiceOrder
from cards.supply import coverage_window

CARE_KEYS = ("procedures", "serviceRequests")
DRUG_KEYS = ("medications", "allergies")
WINDOW_DAYS = 730
EXERCISE_DAYS, OTHER_CARE_DAYS = 42, 28
SESSIONS = 4
COMPLETED_DAYS = 28
NSAID_DAYS, ANTIDEPRESSANT_DAYS = 14, 28
DULOXETINE_MG_A_DAY = 60


@fact
def opioid_prerequisite_missing(case: Case) -> Finding:
    """One of exercise, psychological or rehabilitation care, NSAID and antidepressant is missing.

    Missing means neither adequately tried, failed, not tolerated nor contraindicated on record;
    a step that could not be checked counts as missing, and is not called not found (H-02).
    """
    exercise = care_tried(case, EXERCISE_DAYS, "exercise-therapy")
    other_care = care_tried(case, OTHER_CARE_DAYS, "cbt", "mbsr", "multidisciplinary-rehab")
    antidepressant = _drug_done(
        case, ANTIDEPRESSANT_DAYS, "duloxetine", least_mg=DULOXETINE_MG_A_DAY
    ) or _drug_done(case, ANTIDEPRESSANT_DAYS, "tca")
    missing = [
        (step, keys)
        for step, keys, documented in (
            ("exercise", CARE_KEYS, exercise),
            ("psychological or rehabilitation care", CARE_KEYS, other_care),
            ("an NSAID", DRUG_KEYS, _nsaid_done(case)),
            ("duloxetine or a tricyclic", DRUG_KEYS, antidepressant),
        )
        if not documented
    ]
    looked_for = [step for step, keys in missing if case.record.read(*keys)]
    told = [ChartEntry("", f"a long enough trial of {'; '.join(looked_for)}")] if looked_for else []
    return yes(told) if missing else NO


def care_tried(case: Case, days: int, *sets: str) -> bool:
    """Whether non-drug care was tried long enough.

    Args:
        days: how long ago the first of at least four sessions must lie.
    """
    given = [
        p
        for p in procedures(case, *sets)
        if for_the_back(p.concept, p.reasons, *sets) and _within_window(p, case.today)
    ]
    written = [
        o
        for o in orders(case, *sets)
        if for_the_back(o.concept, o.reasons, *sets) and _within_window(o, case.today)
    ]
    first = [back[0] for p in given if (back := days_ago(p.start or p.end, case.today)) is not None]
    enough = len(given) >= SESSIONS and max(first, default=0) >= days
    return enough or any(map(_completed, given)) or any(map(_completed, written))


def _within_window(entry: Procedure | ServiceOrder, today: date) -> bool:
    return within(care_date(entry, today), today, WINDOW_DAYS) is Answer.YES


def _completed(entry: Procedure | ServiceOrder) -> bool:
    """Whether a completed course lasted 28 days for certain."""
    if entry.status != "completed" or entry.start is None or entry.end is None:
        return False
    return (entry.end.earliest - entry.start.latest).days >= COMPLETED_DAYS


def _nsaid_done(case: Case) -> bool:
    if nsaid_allergy_serious(case).answer is Answer.YES:
        return True
    return _drug_done(case, NSAID_DAYS, "nsaid-oral")


def _drug_done(case: Case, days: int, *sets: str, least_mg: float | None = None) -> bool:
    """Whether a drug was taken long enough, failed, was not tolerated, or is an allergen.

    Args:
        days: how long it must have been taken.
        least_mg: milligrams of duloxetine a day it must have been taken at; None when any dose
            will do. A dose that cannot be read is no documented dose.
    """
    if any(belongs(allergy.concept, *sets) for allergy in case.record.allergies):
        return True
    taken = [
        order
        for order in medications_in(case, *sets)
        if order.status in TAKEN
        and not on_the_skin(order)
        and within(order.authored, case.today, WINDOW_DAYS) is Answer.YES
    ]
    return any(
        _stopped_for_cause(order)
        or (_days_taken(order, case.today) >= days and _dosed_at_least(order, least_mg))
        for order in taken
    )


def _dosed_at_least(order: MedicationOrder, least_mg: float | None) -> bool:
    if least_mg is None:
        return True
    dose = daily_mg(order, DULOXETINE)
    return dose is not None and dose >= least_mg


def _stopped_for_cause(order: MedicationOrder) -> bool:
    return belongs(order.status_reason, "treatment-ineffective", "treatment-not-tolerated")


def _days_taken(order: MedicationOrder, today: date) -> int:
    """Days one order covers up to today, as far as its own supply tells; 0 when it was stopped.

    When a stopped drug was last taken is not recorded, so its supply does not prove its use.
    """
    window = coverage_window(order)
    if window is None or order.status == "stopped":
        return 0
    supplied = order.supply_days is not None or order.validity_end is not None
    dosed = any(d.timing and d.timing.bounds_end for d in order.dosages)
    if order.status == "completed" and not supplied and not dosed:
        return 0
    return max(0, (min(window[1], today) - window[0]).days)
