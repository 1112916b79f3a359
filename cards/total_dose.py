"""Total daily dose: one ingredient over all orders, each order once.

The same order under two ids counts once, and so does an order beside the one that replaces it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import fsum

from cards.dose import DIGITS, Dose, believable, daily_dose, salt_factor
from cards.record import MedicationOrder
from cards.supply import coverage_window, first_day

Alike = Callable[[MedicationOrder, MedicationOrder], bool]


@dataclass(frozen=True, slots=True)
class Part:
    """What one order adds to a total."""

    order: MedicationOrder
    dose: Dose

    @property
    def label_mg_per_day(self) -> float:
        """Milligrams a day as label maxima count them: naproxen sodium as naproxen."""
        return self.dose.mg_per_day / salt_factor(self.order.product)


@dataclass(frozen=True, slots=True)
class TotalDose:
    """The daily dose of one ingredient from all orders.

    Attributes:
        dose: the sum of the readable orders, 0 without any.
        parts: what each readable order adds.
        left_out: orders that hold or may hold the ingredient, whose dose could not be read.
    """

    dose: Dose
    parts: tuple[Part, ...]
    left_out: tuple[MedicationOrder, ...]

    @property
    def at_least(self) -> bool:
        """Whether the sum is only a lower bound."""
        return bool(self.left_out)

    @property
    def label_mg_per_day(self) -> float:
        """The sum as label maxima count it: naproxen sodium as naproxen."""
        return round(fsum(part.label_mg_per_day for part in self.parts), DIGITS)


def total_daily_dose(
    active: Sequence[MedicationOrder],
    drafts: Sequence[MedicationOrder],
    ingredient: str,
    label_maximum_mg: float | None = None,
) -> TotalDose:
    """The daily dose of an ingredient over all orders, each counted once.

    Args:
        active: orders that cover today, of drugs that hold the ingredient or may do so. One whose
            product holds others only is skipped, one without a product is left out and named.
        drafts: the same of the orders of this call.
        ingredient: RxNorm code of the ingredient.
        label_maximum_mg: the label's daily maximum; a dose of more than five times that is left
            out as unreadable. None when the label has none.

    Source: facts.yaml, term daily_dose; safety.md, H-06 and H-10.
    """
    return totalled(counted_once(active, drafts, ingredient), ingredient, label_maximum_mg)


def totalled(
    once: Iterable[MedicationOrder], ingredient: str, label_maximum_mg: float | None = None
) -> TotalDose:
    """The daily dose over orders that are already counted once; see ``total_daily_dose``."""
    parts, left_out = [], []
    for order in once:
        dose = daily_dose(order, ingredient)
        if dose is None or not believable(dose, label_maximum_mg):
            left_out.append(order)
        else:
            parts.append(Part(order, dose))
    return TotalDose(added(part.dose for part in parts), tuple(parts), tuple(left_out))


def added(doses: Iterable[Dose]) -> Dose:
    """The sum of doses; derived when any of them is, worn an hour when any is a patch."""
    all_doses = tuple(doses)
    worn = [dose.mcg_per_hour for dose in all_doses if dose.mcg_per_hour is not None]
    return Dose(
        round(fsum(dose.mg_per_day for dose in all_doses), DIGITS),
        round(fsum(dose.scheduled_mg_per_day for dose in all_doses), DIGITS),
        any(dose.derived for dose in all_doses),
        round(fsum(worn), DIGITS) if worn else None,
    )


# Each order once


def counted_once(
    active: Sequence[MedicationOrder], drafts: Sequence[MedicationOrder], ingredient: str
) -> tuple[MedicationOrder, ...]:
    """The orders that may hold the ingredient, without duplicates and replaced ones.

    Whatever order they came in, drafts come first, then the newest. Two drafts of one call that
    are alike are two orders; only a list can hold one order twice.
    """
    asked = _each_once(_ranked(drafts, ingredient), same_entry)
    ranked = _ranked(active, ingredient)
    current = _each_once(ranked, partial(_duplicate, ingredient=ingredient), asked)
    named = [order for order in (*asked, *ranked) if order.prior and order.product]
    kept = [
        order
        for order in current
        if not any(_draft_replaces(draft, order, current) for draft in asked)
        and not _is_prior(order, [o for o in ranked if _duplicate(o, order, ingredient)], named)
    ]
    return (*asked, *kept)


def _is_prior(
    order: MedicationOrder, entries: Sequence[MedicationOrder], naming: Sequence[MedicationOrder]
) -> bool:
    """Whether another order names this one, or another entry of it, as its prior prescription."""
    known_as = {entry.reference for entry in (order, *entries)} - {""}
    return any(
        new.prior in known_as and new.reference not in known_as and new.reference != order.prior
        for new in naming
    )


def same_entry(one: MedicationOrder, other: MedicationOrder) -> bool:
    """Whether two entries are one order by their ids, or say the same throughout."""
    same_id = one.reference == other.reference != ""
    return same_id or bool(one.identifiers & other.identifiers) or one == other


def _each_once(
    ranked: Sequence[MedicationOrder], alike: Alike, before: Sequence[MedicationOrder] = ()
) -> list[MedicationOrder]:
    """The orders alike to none of ``before`` and to none of those ranked before them."""
    return [
        order
        for position, order in enumerate(ranked)
        if not any(alike(order, other) for other in (*before, *ranked[:position]))
    ]


def _ranked(orders: Iterable[MedicationOrder], ingredient: str) -> list[MedicationOrder]:
    """Those that may hold the ingredient, the newest first, then the largest dose."""

    def rank(order: MedicationOrder) -> tuple[int, float, str]:
        dose = daily_dose(order, ingredient)
        age = -order.authored.latest.toordinal() if order.authored else 0
        return age, -(dose.mg_per_day if dose else 0.0), order.reference

    held = (o for o in orders if o.product is None or ingredient in o.product.ingredients)
    return sorted(held, key=rank)


def _duplicate(one: MedicationOrder, other: MedicationOrder, ingredient: str) -> bool:
    """Whether two entries are one order: by id, by identifier, or by all that they say.

    Without an identifier it takes the same ingredients, the same full day of writing, and the
    same dose taken as often.
    """
    if same_entry(one, other):
        return True
    if one.product is None or other.product is None or not (one.authored and other.authored):
        return False
    written = [
        day for when in (one.authored, other.authored) for day in (when.earliest, when.latest)
    ]
    dose = daily_dose(one, ingredient)
    return (
        len(set(written)) == 1
        and one.product.ingredients == other.product.ingredients
        and dose is not None
        and dose == daily_dose(other, ingredient)
        and _how_often(one) == _how_often(other)
    )


def _how_often(order: MedicationOrder) -> list[str]:
    """When its doses are taken; 10 mg in the morning and 10 mg at night are two orders."""
    return sorted(
        repr((t.code, t.frequency, t.period, t.period_unit, t.times_of_day, t.days_of_week, t.when))
        for dosage in order.dosages
        if (t := dosage.timing)
    )


def _draft_replaces(
    draft: MedicationOrder, old: MedicationOrder, current: Sequence[MedicationOrder]
) -> bool:
    """Whether a draft takes the place of an active order of the same ingredient.

    It does when it begins on or after the last day the other covers. A prior prescription that is
    not among the active orders stands for one of the same product; one that cannot be read also
    for the only active order.

    Source: facts.yaml, term mme.
    """
    if draft.product is None or old.product is None:
        return False
    start, window = first_day(draft), coverage_window(old)
    if start is not None and window is not None and start >= window[1]:
        return True
    if not draft.replaces_prior or any(order.reference == draft.prior for order in current):
        return False
    alone = len(current) == 1 and draft.prior is None
    return alone or not set(old.product.code.split()).isdisjoint(draft.product.code.split())
