"""The dose in all: of one drug over the drafts of the call and what is taken beside them."""

from __future__ import annotations

from collections.abc import Iterable

from cards.answer import NO, UNKNOWN, Answer, Finding
from cards.case import Case, once_for_each
from cards.facts.drafted_dose import DosedDrug, orders_drafted, over
from cards.facts.drugs import on_the_skin
from cards.facts.entries import active_medications, draft_order
from cards.facts.orders import draft_in
from cards.record import MedicationOrder
from cards.renewal import taken_in_all
from cards.total_dose import TotalDose, totalled


@once_for_each
def drug_drafted(case: Case, drug: DosedDrug) -> Finding:
    """Whether the draft under evaluation is of the drug, or may be as it cannot be read."""
    order = draft_order(case)
    asked = draft_in(case, drug.value_set)
    if asked.answer is not Answer.YES or not isinstance(order, MedicationOrder):
        return asked
    return asked if may_hold(order, drug) and not on_the_skin(order) else NO


def may_hold(order: MedicationOrder, drug: DosedDrug) -> bool:
    """Whether the order is of the ingredient, or may be as its product is not known."""
    return order.product is None or drug.ingredient in order.product.ingredients


def total_in_all(
    case: Case, drug: DosedDrug, drafts: Iterable[MedicationOrder] | None = None
) -> TotalDose:
    """The daily dose of the drafts with what covers today beside them; a renewed order is left.

    Args:
        drafts: the drafts as they count; None takes those of the call as they are.
    """
    return _total_as_drafted(case, drug) if drafts is None else _total(case, drug, tuple(drafts))


@once_for_each
def _total_as_drafted(case: Case, drug: DosedDrug) -> TotalDose:
    return _total(case, drug, orders_drafted(case, drug))


def _total(case: Case, drug: DosedDrug, asked: tuple[MedicationOrder, ...]) -> TotalDose:
    active = [o for o in active_medications(case, drug.value_set) if not on_the_skin(o)]
    once = taken_in_all(active, asked, drug.ingredient)
    return totalled(once, drug.ingredient, drug.label_maximum_mg)


def over_in_all(
    case: Case, drug: DosedDrug, limit_mg: float, drafts: Iterable[MedicationOrder] | None = None
) -> Finding:
    """Whether the drafted drug exceeds a limit with what is taken of it; see ``total_in_all``."""
    asked = drug_drafted(case, drug)
    if asked.answer is not Answer.YES:
        return asked
    return unless_unread(case, over(total_in_all(case, drug, drafts), limit_mg))


def unless_unread(case: Case, found: Finding) -> Finding:
    """The finding; a no is unknown while unread drugs may add to the dose."""
    unread = found.answer is Answer.NO and not case.record.read("medications")
    return UNKNOWN if unread else found
