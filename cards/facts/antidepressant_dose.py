"""How much of an antidepressant is ordered, and with how much it is begun."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from cards.answer import NO, UNKNOWN, YES, Answer, Finding, all_of
from cards.case import Case, fact
from cards.facts.drafted_dose import DosedDrug, orders_drafted, over, total_of
from cards.facts.entries import TAKEN, draft_order, medications_in
from cards.facts.order_dose import AMITRIPTYLINE, DULOXETINE, steps
from cards.facts.orders import draft_in
from cards.record import MedicationOrder
from cards.supply import coverage_window, first_day

USUAL_MG, LABEL_MAXIMUM_MG, FIRST_MG = 60.0, 120.0, 30.0
TRICYCLIC_FIRST_MG = 25.0
COVER_DAYS = 30
DULOXETINE_DRUG = DosedDrug("duloxetine", DULOXETINE, LABEL_MAXIMUM_MG)
AMITRIPTYLINE_DRUG = DosedDrug("amitriptyline", AMITRIPTYLINE)
TRICYCLICS = ("tca", "amitriptyline")


@fact
def duloxetine_over_60(case: Case) -> Finding:
    """More than 60 mg of duloxetine a day is ordered."""
    return _over(case, DULOXETINE_DRUG, USUAL_MG)


@fact
def duloxetine_over_120(case: Case) -> Finding:
    """More than 120 mg of duloxetine a day is ordered."""
    return _over(case, DULOXETINE_DRUG, LABEL_MAXIMUM_MG)


@fact
def duloxetine_start_over_30(case: Case) -> Finding:
    """Duloxetine is begun with more than 30 mg a day in the first step, uncovered for 30 days.

    The drafts of the call that begin together add up; a later one is a step after the first.
    """
    asked = draft_in(case, DULOXETINE_DRUG.value_set)
    order = draft_order(case)
    if asked.answer is not Answer.YES or not isinstance(order, MedicationOrder):
        return asked
    begun_with = _begin_first(orders_drafted(case, DULOXETINE_DRUG))
    first = total_of(DULOXETINE_DRUG, map(_first_step, begun_with))
    return all_of((_begun(case, order, "duloxetine"), over(first, FIRST_MG)))


def _begin_first(drafts: Iterable[MedicationOrder]) -> list[MedicationOrder]:
    """The drafts that begin on the first day of any; one without a day may begin on it too."""
    days = [(first_day(draft), draft) for draft in drafts]
    earliest = min((day for day, _ in days if day is not None), default=None)
    return [draft for day, draft in days if day is None or day == earliest]


def _first_step(order: MedicationOrder) -> MedicationOrder:
    """The order with its first step alone; what all steps together are supplied with is no help."""
    in_turn = steps(order)
    return replace(in_turn[0], quantity=None) if len(in_turn) > 1 else order


@fact
def amitriptyline_over_25_start(case: Case) -> Finding:
    """More than 25 mg of amitriptyline a day is ordered, no tricyclic covering the last 30 days."""
    high = _over(case, AMITRIPTYLINE_DRUG, TRICYCLIC_FIRST_MG)
    order = draft_order(case)
    if not isinstance(order, MedicationOrder):
        return high
    return all_of((_begun(case, order, *TRICYCLICS), high))


def _over(case: Case, drug: DosedDrug, limit_mg: float) -> Finding:
    asked = draft_in(case, drug.value_set)
    if asked.answer is not Answer.YES:
        return asked
    return over(total_of(drug, orders_drafted(case, drug)), limit_mg)


def _begun(case: Case, draft: MedicationOrder, *sets: str) -> Finding:
    """Whether no drug of the sets covers any of the last 30 days, so that the draft is the first.

    Unknown when the drugs were not read, an order under way bears no date, or the draft replaces
    a prescription that is not on the list.
    """
    since = case.today - timedelta(days=COVER_DAYS)
    taken = [order for order in medications_in(case, *sets) if order.status in TAKEN]
    windows = [coverage_window(order) for order in taken]
    if any(window and window[0] <= case.today and window[1] >= since for window in windows):
        return NO
    undated = any(o.status in ("active", "on-hold") and coverage_window(o) is None for o in taken)
    read = case.record.read("medications")
    return UNKNOWN if undated or draft.replaces_prior or not read else YES
