"""Renewals: active orders that a draft of the same ingredient most likely takes the place of.

Told apart from what is taken beside the draft. Few drafts say what they replace, and most orders
of a drug already taken are early refills or changes of dose (safety.md, H-06).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cards.dose import DIGITS, daily_dose, salt_factor
from cards.record import MedicationOrder
from cards.refill import Course, course_of, preparation
from cards.total_dose import counted_once, marks_of


def taken_in_all(
    active: Sequence[MedicationOrder], drafts: Sequence[MedicationOrder], ingredient: str
) -> tuple[MedicationOrder, ...]:
    """The drafts and what is taken beside them, each order once and no renewed order.

    The term ``daily_dose`` adds up active and drafted orders, and a draft that replaces an active
    order counts once (safety.md, H-06). So an active order of the same daily dose or of the same
    preparation counts as replaced, whatever its strength (duloxetine 30 mg, then 60 mg: no 90 mg).
    What remains is of another preparation: a combination, another salt, or a slow release on
    schedule beside a quick one as needed.

    Args:
        active: orders that cover today, of drugs that hold the ingredient or may do so.
        drafts: the same of the orders of this call; without any, nothing is replaced.
        ingredient: RxNorm code of the ingredient.
    """
    once = counted_once(active, drafts, ingredient)
    if not active or not drafts:
        return once
    return tuple(
        order
        for order in once
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


# Where preparations are taken together


@dataclass(frozen=True, slots=True)
class InPlace:
    """An order that counts, and one of the list that it stands in for."""

    order: MedicationOrder
    old: MedicationOrder


def each_preparation_once(
    active: Sequence[MedicationOrder], drafts: Sequence[MedicationOrder], ingredient: str
) -> tuple[MedicationOrder, ...]:
    """The drafts and what is taken beside them, where only the same preparation is renewed.

    For opioids and acetaminophen: a slow release beside a quick one, or two combinations, are
    taken together as a rule, and however alike their doses, they add up. A draft replaces what
    holds the same ingredients in the same release and by the same route, at any strength. One that
    names the order it replaces leaves other courses alone, and one whose dose cannot be read
    replaces none: the dose on record is then the best that is known.

    Args:
        active: orders that cover today, of drugs that hold the ingredient or may do so.
        drafts: the same of the orders of this call; without any, nothing is replaced.
        ingredient: RxNorm code of the ingredient.

    Source: facts.yaml, terms daily_dose and mme; safety.md, H-06.
    """
    once = counted_once(active, drafts, ingredient)
    if not active or not drafts:
        return once
    renewing = [(draft, _named(draft, active, ingredient)) for draft in drafts]
    return tuple(
        order
        for order in once
        if order in drafts
        or not any(_renews(draft, order, named, ingredient) for draft, named in renewing)
    )


def _named(
    draft: MedicationOrder, active: Sequence[MedicationOrder], ingredient: str
) -> frozenset[Course | None]:
    """The courses of the active orders a draft names as its prior; mostly none."""
    if draft.prior is None:
        return frozenset()
    return frozenset(course_of(o, ingredient) for o in active if o.reference == draft.prior)


def _renews(
    draft: MedicationOrder,
    old: MedicationOrder,
    named: frozenset[Course | None],
    ingredient: str,
) -> bool:
    """Whether a draft renews an active order of the same preparation, or of its very code."""
    if draft.product is None or old.product is None:
        return bool(set(draft.drug.codings) & set(old.drug.codings))
    if preparation(draft) != preparation(old) or daily_dose(draft, ingredient) is None:
        return False
    return not named or course_of(old, ingredient) in named


def in_place_of(
    once: Sequence[MedicationOrder], active: Sequence[MedicationOrder]
) -> tuple[InPlace, ...]:
    """The active orders that do not count, each beside the one that stands in for it.

    That is the one that names it, else the first of its preparation. An entry of the list that is
    one of the orders that count is left.

    Args:
        once: the orders that count, as ``each_preparation_once`` gives them.
    """
    as_they_are = set(map(id, once))
    if all(id(old) in as_they_are for old in active):
        return ()
    counted = {mark for order in once for mark in marks_of(order)}
    naming = {order.prior: order for order in reversed(once) if order.prior}
    like = {preparation(order): order for order in reversed(once) if order.product}
    found = [
        (naming.get(old.reference) or like.get(preparation(old)), old)
        for old in active
        if counted.isdisjoint(marks_of(old))
    ]
    return tuple(dict.fromkeys(InPlace(order, old) for order, old in found if order))
