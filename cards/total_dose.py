"""Total daily dose: one ingredient over all orders, each order once.

The same order under two ids counts once, and so does an order beside the one that replaces it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from math import fsum

from cards.dose import DIGITS, Dose, believable, daily_dose, least_daily_dose, salt_factor
from cards.record import MedicationOrder
from cards.refill import how_often, preparation, without_refilled
from cards.supply import coverage_window, first_day

# What tells an entry apart; two entries that share one mark are one order.
Marks = frozenset[tuple[object, ...]]
Mark = Callable[[MedicationOrder], Marks]


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
        left_out: orders that hold or may hold the ingredient, whose dose could not be read, or
            not all of it; what could is a part as well.
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
    orders = tuple(once)
    unread = any(daily_dose(order, ingredient) is None for order in orders)
    alike = Counter(map(preparation, orders) if unread else ())
    for order in orders:
        dose = daily_dose(order, ingredient)
        if dose is None:
            left_out.append(order)
            # What may renew another order of its preparation is not added to that one.
            renews = alike[preparation(order)] > 1
            dose = None if renews else least_daily_dose(order, ingredient)
        elif not believable(dose, label_maximum_mg):
            left_out.append(order)
        if dose is not None and believable(dose, label_maximum_mg):
            parts.append(Part(order, dose))
    return TotalDose(added(part.dose for part in parts), tuple(parts), tuple(left_out))


def added(doses: Iterable[Dose]) -> Dose:
    """The sum of doses; derived when any of them is, worn an hour when any is a patch."""
    all_doses = tuple(doses)
    if len(all_doses) == 1:  # as it is: each was rounded alike when it was read
        return all_doses[0]
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
    """The orders that may hold the ingredient, without duplicates, refilled and replaced ones.

    Whatever order they came in, drafts come first, then the newest. Two drafts of one call that
    are alike are two orders; only a list can hold one order twice.
    """
    asked = each_once(_ranked(drafts, ingredient), marks_of)
    ranked = _ranked(active, ingredient)
    if not ranked:
        return tuple(asked)
    marks = partial(_marks_with_dose, ingredient=ingredient)
    current = without_refilled(each_once(ranked, marks, asked), ingredient)
    naming = [order for order in (*asked, *ranked) if order.prior and order.product]
    prior = _priors(current, ranked, marks, naming) if naming else ()
    kept = [order for order in current if order not in prior] if prior else current
    if asked:
        replacing = _replacing(asked, current)
        kept = [order for order in kept if not _is_replaced(order, replacing)]
    return (*asked, *kept)


def _priors(
    current: Sequence[MedicationOrder],
    ranked: Sequence[MedicationOrder],
    marks: Mark,
    naming: Sequence[MedicationOrder],
) -> frozenset[MedicationOrder]:
    """The orders that another one names, be it by another entry of the list, as its prior."""
    entries: dict[tuple[object, ...], set[str]] = {}
    for entry in ranked:
        for mark in marks(entry):
            entries.setdefault(mark, set()).add(entry.reference)
    by_prior: dict[str, list[MedicationOrder]] = {}
    for new in naming:
        by_prior.setdefault(new.prior or "", []).append(new)

    def is_prior(order: MedicationOrder) -> bool:
        known_as = set[str]().union(*(entries[mark] for mark in marks(order))) - {""}
        return any(
            new.reference not in known_as and new.reference != order.prior
            for reference in known_as
            for new in by_prior.get(reference, ())
        )

    return frozenset(order for order in current if is_prior(order))


def marks_of(order: MedicationOrder) -> Marks:
    """Its id, or for want of one all that it says, and its identifiers."""
    named = ("id", order.reference) if order.reference else ("whole", order)
    return frozenset({named, *(("identifier", each) for each in order.identifiers)})


def each_once(
    ranked: Sequence[MedicationOrder], marks: Mark, before: Sequence[MedicationOrder] = ()
) -> list[MedicationOrder]:
    """The orders that are none of ``before`` and none of those ranked before them.

    By marks and not by comparing each with each: a list of two thousand costs no minute.
    """
    if len(ranked) + len(before) < 2:
        return list(ranked)
    seen = {mark for order in before for mark in marks(order)}
    kept = []
    for order in ranked:
        own = marks(order)
        if seen.isdisjoint(own):
            kept.append(order)
        seen |= own
    return kept


def _ranked(orders: Iterable[MedicationOrder], ingredient: str) -> list[MedicationOrder]:
    """Those that may hold the ingredient, the newest first, then the largest dose."""

    def rank(order: MedicationOrder) -> tuple[int, float, str]:
        dose = daily_dose(order, ingredient)
        age = -order.authored.latest.toordinal() if order.authored else 0
        return age, -(dose.mg_per_day if dose else 0.0), order.reference

    held = [o for o in orders if o.product is None or ingredient in o.product.ingredients]
    return sorted(held, key=rank) if len(held) > 1 else held


def _marks_with_dose(order: MedicationOrder, ingredient: str) -> Marks:
    """Its marks, and what tells it apart without an identifier.

    That is the same ingredients, the same full day of writing, and the same dose taken as often.
    """
    product, authored = order.product, order.authored
    dose = daily_dose(order, ingredient)
    if product is None or authored is None or authored.earliest != authored.latest or dose is None:
        return marks_of(order)
    said = ("dose", product.ingredients, authored.latest, dose, how_often(order))
    return marks_of(order) | {said}


@dataclass(frozen=True, slots=True)
class _Replacing:
    """What the drafts of an ingredient say of the active orders they take the place of.

    Attributes:
        begun: the latest day one of them begins; None when none bears a date.
        codes: the products of those that replace an order which is not among the active ones.
        only: whether one replaces the only active order, its prior prescription being unreadable.
    """

    begun: date | None
    codes: frozenset[str]
    only: bool


def _replacing(drafts: Sequence[MedicationOrder], current: Sequence[MedicationOrder]) -> _Replacing:
    told = [(draft, draft.product) for draft in drafts if draft.product is not None]
    active = {order.reference for order in current}
    standing_in = [(d, p) for d, p in told if d.replaces_prior and d.prior not in active]
    return _Replacing(
        max((day for draft, _ in told if (day := first_day(draft)) is not None), default=None),
        frozenset(code for _, product in standing_in for code in product.code.split()),
        len(current) == 1 and any(draft.prior is None for draft, _ in standing_in),
    )


def _is_replaced(old: MedicationOrder, replacing: _Replacing) -> bool:
    """Whether a draft takes the place of an active order of the same ingredient.

    It does when it begins on or after the last day the other covers. A prior prescription that is
    not among the active orders stands for one of the same product; one that cannot be read also
    for the only active order.

    Source: facts.yaml, term mme.
    """
    if old.product is None:
        return False
    window = coverage_window(old) if replacing.begun is not None else None
    if replacing.begun is not None and window is not None and replacing.begun >= window[1]:
        return True
    return replacing.only or not replacing.codes.isdisjoint(old.product.code.split())
