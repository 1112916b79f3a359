"""Renewals: active orders that a draft of the same ingredient most likely takes the place of.

Told apart from what is taken beside the draft, for the daily dose that a label limits.
"""

from __future__ import annotations

from collections.abc import Sequence

from cards.dose import DIGITS, daily_dose, salt_factor
from cards.record import MedicationOrder
from cards.total_dose import counted_once


def taken_in_all(
    active: Sequence[MedicationOrder], drafts: Sequence[MedicationOrder], ingredient: str
) -> tuple[MedicationOrder, ...]:
    """The drafts and what is taken beside them, each order once and no renewed order.

    The term ``daily_dose`` adds up active and drafted orders, and a draft that replaces an active
    order counts once (safety.md, H-06). Few drafts say what they replace, and most orders of a drug
    already taken are early refills or changes of dose (duloxetine 30 mg, then 60 mg: no 90 mg). So
    an active order of the same daily dose or of the same preparation counts as replaced, whatever
    its strength. What remains is of another preparation: a combination, another salt, or a slow
    release on schedule beside a quick one as needed.

    Args:
        active: orders that cover today, of drugs that hold the ingredient or may do so.
        drafts: the same of the orders of this call; without any, nothing is replaced.
        ingredient: RxNorm code of the ingredient.
    """
    return tuple(
        order
        for order in counted_once(active, drafts, ingredient)
        if order in drafts or not any(_takes_over(d, order, ingredient) for d in drafts)
    )


def _takes_over(draft: MedicationOrder, old: MedicationOrder, ingredient: str) -> bool:
    """Whether both hold the ingredient, in the same daily dose or the same preparation."""
    if draft.product is None or old.product is None:
        return bool(set(draft.drug.codings) & set(old.drug.codings))
    if ingredient not in draft.product.ingredients:
        return False
    dose = _label_mg(draft, ingredient)
    return (dose is not None and dose == _label_mg(old, ingredient)) or (
        draft.product.ingredients == old.product.ingredients
        and salt_factor(draft.product) == salt_factor(old.product)
        and not (_releases_slowly(draft) != _releases_slowly(old) and _as_needed(draft, old))
    )


def _label_mg(order: MedicationOrder, ingredient: str) -> float | None:
    """Milligrams a day as labels count them; None when the dose cannot be read."""
    dose = daily_dose(order, ingredient)
    return None if dose is None else round(dose.mg_per_day / salt_factor(order.product), DIGITS)


def _releases_slowly(order: MedicationOrder) -> bool:
    return order.product is not None and order.product.extended_release


def _as_needed(*orders: MedicationOrder) -> bool:
    """Whether one of them is taken as needed: both on schedule, one is a change to the other."""
    return any(dosage.as_needed for order in orders for dosage in order.dosages)
