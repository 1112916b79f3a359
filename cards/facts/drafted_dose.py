"""The dose that is drafted: of one drug over all drafts of the call, compared with a limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cards.answer import NO, UNKNOWN, YES, Finding, yes
from cards.case import Case, once_for_each
from cards.facts.drugs import drafted_drugs, on_the_skin
from cards.facts.entries import belongs, draft_order
from cards.facts.order_dose import dosed_entries
from cards.record import MedicationOrder
from cards.total_dose import TotalDose, total_daily_dose


@dataclass(frozen=True, slots=True)
class DosedDrug:
    """A drug whose daily dose is judged.

    Attributes:
        value_set: the value set of its products.
        ingredient: RxNorm code of its ingredient.
        label_maximum_mg: the label's daily maximum; a dose of more than five times that is not
            believed. None where the guideline package states none.
    """

    value_set: str
    ingredient: str
    label_maximum_mg: float | None = None


@once_for_each
def orders_drafted(case: Case, drug: DosedDrug) -> tuple[MedicationOrder, ...]:
    """The draft under evaluation and the others of the call, as far as they are of the drug."""
    order = draft_order(case)
    mine = isinstance(order, MedicationOrder) and belongs(order.drug, drug.value_set)
    asked = (order,) if isinstance(order, MedicationOrder) and mine else ()
    drafts = (*asked, *drafted_drugs(case, drug.value_set))
    return tuple(draft for draft in drafts if not on_the_skin(draft))


def total_of(
    drug: DosedDrug, drafts: Iterable[MedicationOrder], active: Iterable[MedicationOrder] = ()
) -> TotalDose:
    """The daily dose of the drug over these orders, each counted once."""
    return total_daily_dose(tuple(active), tuple(drafts), drug.ingredient, drug.label_maximum_mg)


def over(total: TotalDose, limit_mg: float) -> Finding:
    """Whether a daily dose is above a limit; a sum that is only a lower bound cannot deny it.

    Args:
        limit_mg: milligrams a day; naproxen sodium is compared as naproxen.
    """
    found = is_over(total, limit_mg)
    return yes(dosed_entries(total)) if found is YES else found


def is_over(total: TotalDose, limit_mg: float) -> Finding:
    """As ``over``, without the entries that show it."""
    if total.label_mg_per_day > limit_mg:
        return YES
    return UNKNOWN if total.at_least else NO
