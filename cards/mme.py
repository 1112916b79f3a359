"""Morphine milligram equivalents: the opioids a person takes in a day, on one scale of risk.

A sum to judge risk by: never a dose to aim at, and never one to change a drug by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from types import MappingProxyType
from typing import Literal

from cards.dose import DIGITS, Dose
from cards.mme_factors import MmeFactors
from cards.record import MedicationOrder
from cards.renewal import InPlace, each_preparation_once, in_place_of
from cards.total_dose import TotalDose, added, each_once, marks_of, totalled

Why = Literal[
    "not convertible",
    "injected",
    "treats OUD",
    "no factor",
    "dose not read",
    "part not read",
    "drug not read",
]
NO_MAXIMA: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OpioidPart:
    """What one opioid adds to the sum.

    Attributes:
        dose: its daily dose from all orders; of patches ``dose.mcg_per_hour`` counts.
        factor: MME for each milligram a day, of patches for each microgram an hour worn.
        mme: at most, as-needed doses counted at their maximum.
        least_mme: without the as-needed doses; 0 when all is as needed.
    """

    ingredient: str
    name: str
    orders: tuple[MedicationOrder, ...]
    dose: Dose
    factor: float
    mme: float
    least_mme: float


@dataclass(frozen=True, slots=True)
class NotCounted:
    """An opioid order that adds nothing to the sum, and why."""

    name: str
    why: Why
    order: MedicationOrder


@dataclass(frozen=True, slots=True)
class Equivalents:
    """The opioids of a day in morphine milligram equivalents.

    Attributes:
        total: of all that could be read, as-needed doses at their maximum.
        least: the same without as-needed doses; the range is ``least`` to ``total``.
        parts: the opioids it is made of, by name.
        not_converted: opioids never converted (buprenorphine, injections, treatment of opioid
            use disorder).
        left_out: opioids that belong into the sum but could not be put there, or not wholly.
        in_place: orders of the sum that stand in for others on the list, which it leaves out.
    """

    total: float
    least: float
    parts: tuple[OpioidPart, ...]
    not_converted: tuple[NotCounted, ...]
    left_out: tuple[NotCounted, ...]
    in_place: tuple[InPlace, ...]

    @property
    def at_least(self) -> bool:
        """Whether the sum is only a lower bound."""
        return bool(self.left_out)

    @property
    def derived(self) -> bool:
        """Whether a dose of the sum comes from quantity and days of supply."""
        return any(part.dose.derived for part in self.parts)


def morphine_equivalents(
    active: Sequence[MedicationOrder],
    drafts: Sequence[MedicationOrder],
    factors: MmeFactors,
    label_maxima_mg: Mapping[str, float] = NO_MAXIMA,
) -> Equivalents:
    """Morphine milligram equivalents a day of opioid orders, each counted once.

    Args:
        active: opioid orders that cover today, no others.
        drafts: opioid orders of this call.
        label_maxima_mg: ingredient → the label's daily maximum; a dose of more than five times
            that is left out as unreadable.

    Source: facts.yaml, term mme.
    """
    parts: list[OpioidPart] = []
    in_place: list[InPlace] = []
    apart = _unknown(active, drafts, factors)
    for ingredient in sorted(_held(active, factors) | _held(drafts, factors)):
        name = factors.names[ingredient]
        held, held_drafts = _holding(active, ingredient), _holding(drafts, ingredient)
        once = each_preparation_once(held, held_drafts, ingredient)
        in_place += in_place_of(once, held)
        sorted_out = _sorted_out(once, ingredient, factors)
        total = totalled(sorted_out.pop(None, []), ingredient, label_maxima_mg.get(ingredient))
        found, without = _parts(total, ingredient, factors)
        parts += found
        apart += [NotCounted(name, "no factor", order) for order in without]
        apart += _unread(total, name)
        apart += [NotCounted(name, why, o) for why, os in sorted_out.items() if why for o in os]
    return _summed(parts, apart, in_place)


def _held(orders: Sequence[MedicationOrder], factors: MmeFactors) -> set[str]:
    """The opioids the factors know that are in one of the orders."""
    return {
        ingredient
        for order in orders
        if order.product
        for ingredient in order.product.ingredients
        if ingredient in factors.names
    }


def _unread(total: TotalDose, name: str) -> list[NotCounted]:
    if not total.left_out:
        return []
    counted = {part.order for part in total.parts}
    return [
        NotCounted(name, "part not read" if order in counted else "dose not read", order)
        for order in total.left_out
    ]


def _holding(orders: Sequence[MedicationOrder], ingredient: str) -> list[MedicationOrder]:
    return [order for order in orders if order.product and ingredient in order.product.ingredients]


def _summed(
    parts: list[OpioidPart], apart: list[NotCounted], in_place: list[InPlace]
) -> Equivalents:
    never = [one for one in apart if one.why in ("not convertible", "injected")]
    return Equivalents(
        total=round(fsum(part.mme for part in parts), DIGITS),
        least=round(fsum(part.least_mme for part in parts), DIGITS),
        parts=tuple(sorted(parts, key=lambda part: (part.name, part.factor, part.mme))),
        not_converted=_by_name(never),
        left_out=_by_name([one for one in apart if one not in never]),
        in_place=tuple(sorted(in_place, key=lambda p: (p.order.reference, p.old.reference))),
    )


def _by_name(apart: list[NotCounted]) -> tuple[NotCounted, ...]:
    return tuple(sorted(apart, key=lambda one: (one.name, one.why, one.order.reference)))


def _unknown(
    active: Sequence[MedicationOrder], drafts: Sequence[MedicationOrder], factors: MmeFactors
) -> list[NotCounted]:
    """Orders whose drug could not be read, or holds no opioid the factors know by name."""
    unknown = [
        order
        for order in sorted((*active, *drafts), key=lambda order: order.reference)
        if order.product is None or not order.product.ingredients & factors.names.keys()
    ]
    return [
        NotCounted(_name(order), _why_unknown(order), order)
        for order in each_once(unknown, marks_of)
    ]


def _why_unknown(order: MedicationOrder) -> Why:
    if order.product is None:
        return "drug not read"
    return "injected" if order.product.route == "parenteral" else "no factor"


def _name(order: MedicationOrder) -> str:
    return order.drug.display or (order.product.name if order.product else "")


def _sorted_out(
    orders: Sequence[MedicationOrder], ingredient: str, factors: MmeFactors
) -> dict[Why | None, list[MedicationOrder]]:
    """The orders by why they cannot be converted, whatever their dose; None when they can.

    The factors are for drugs swallowed, and for patches; an order that tells neither form nor
    route is taken as either, as its dose is written.
    """
    found: dict[Why | None, list[MedicationOrder]] = {}
    for order in orders:
        route = order.product.route if order.product else ""
        by_mouth = route in ("oral", "") and ingredient in factors.oral
        on_skin = route in ("transdermal", "") and ingredient in factors.patch
        why: Why | None = None if by_mouth or on_skin else "no factor"
        if ingredient in factors.not_converted:
            why = "not convertible"
        elif route == "parenteral":
            why = "injected"
        found.setdefault(why, []).append(order)
    return found


def _parts(
    total: TotalDose, ingredient: str, factors: MmeFactors
) -> tuple[list[OpioidPart], list[MedicationOrder]]:
    """The opioid as swallowed and as worn, where any of it is, and orders without a factor."""
    worn = [part for part in total.parts if part.dose.mcg_per_hour is not None]
    swallowed = [part for part in total.parts if part.dose.mcg_per_hour is None]
    found: list[OpioidPart] = []
    without: list[MedicationOrder] = []
    for parts in (swallowed, worn):
        if not parts:
            continue
        dose = added(part.dose for part in parts)
        orders = tuple(part.order for part in parts)
        factor = _factor(dose, ingredient, factors)
        if factor is None:
            without += orders
        else:
            found.append(_part(ingredient, dose, orders, factor, factors))
    return found, without


def _factor(dose: Dose, ingredient: str, factors: MmeFactors) -> float | None:
    if dose.mcg_per_hour is not None:
        return factors.patch.get(ingredient)
    return factors.oral_factor(ingredient, dose.mg_per_day)


def _part(
    ingredient: str,
    dose: Dose,
    orders: tuple[MedicationOrder, ...],
    factor: float,
    factors: MmeFactors,
) -> OpioidPart:
    """What a dose adds; of methadone in bands, the scheduled part counts in its own band."""
    name = factors.names[ingredient]
    if dose.mcg_per_hour is not None:
        share = dose.scheduled_mg_per_day / dose.mg_per_day if dose.mg_per_day else 0.0
        most, least = dose.mcg_per_hour * factor, dose.mcg_per_hour * factor * share
    else:
        least_factor = factors.oral_factor(ingredient, dose.scheduled_mg_per_day) or 0.0
        most, least = dose.mg_per_day * factor, dose.scheduled_mg_per_day * least_factor
    return OpioidPart(
        ingredient, name, orders, dose, factor, round(most, DIGITS), round(least, DIGITS)
    )
