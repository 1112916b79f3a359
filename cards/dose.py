"""Daily doses: how much of an ingredient an order lets a person take in a day.

Needs only the order and its product. Whatever a dosage leaves open gives no number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby

from cards.amount import (
    MCG_AN_HOUR_PER,
    WORN,
    amount_mg,
    ingredient_mg,
    strength_of,
    worn_mcg_per_hour,
)
from cards.product import Product, Strength
from cards.record import Dosage, MedicationOrder, Quantity
from cards.timing import DAY_HOURS, HOURS_PER, dosing_days, step, times_per_day
from cards.worked import once_an_order_for_each

__all__ = [
    "Dose",
    "amount_mg",
    "believable",
    "daily_amount",
    "daily_dose",
    "daily_dose_mg",
    "largest_single_dose_mg",
    "least_daily_dose",
    "salt_factor",
    "single_doses_mg",
]

WEAR = re.compile(r"(?:^|\s)(\d+) HR\b")
SALT_FACTORS = {"naproxen sodium": 1.1}
BELIEVABLE_TIMES_LABEL = 5
DIGITS = 6  # hides binary rounding: three times 0.1 mg is 0.3 mg

Measure = Callable[[Quantity], float | None]


@dataclass(frozen=True, slots=True)
class Dose:
    """The daily dose of one ingredient.

    Attributes:
        mg_per_day: at most, as-needed doses counted at their maximum.
        scheduled_mg_per_day: the part taken whatever the need; 0 when all is as needed.
        derived: from quantity and days of supply, for want of a readable dosage.
        mcg_per_hour: of patches, what is worn at one time; None of everything else.
    """

    mg_per_day: float
    scheduled_mg_per_day: float
    derived: bool = False
    mcg_per_hour: float | None = None

    @property
    def as_needed(self) -> bool:
        """Whether some of it, or all, is taken only when needed."""
        return self.scheduled_mg_per_day < self.mg_per_day


# The daily dose of an order


@once_an_order_for_each
def daily_dose(order: MedicationOrder, ingredient: str) -> Dose | None:
    """How much of the ingredient the order allows in a day.

    Dosages of one sequence number add up; different numbers are steps, and the highest counts.
    Where a dosage cannot be read the quantity over the days of supply stands in, marked derived.

    Of a combination, milligrams could mean any part, so only tablets, mL and the like are read; of
    a pack, nothing is.

    Args:
        ingredient: RxNorm code of the ingredient.

    Returns:
        The dose; None when neither dosages nor supply tell it, or the product is not known.

    Source: facts.yaml, term daily_dose.
    """
    product = order.product
    strength = strength_of(ingredient, product) if product else None
    if product is None or strength is None:
        return None
    if strength.unit != WORN:
        found = _as_instructed(order, lambda amount: ingredient_mg(amount, strength, product))
        if found or strength.unit is not None:
            return found or _as_supplied(order, strength, product)
    return _as_worn(order, strength) or _as_supplied(order, strength, product)


@once_an_order_for_each
def least_daily_dose(order: MedicationOrder, ingredient: str) -> Dose | None:
    """The daily dose by those dosages that can be read, where others cannot: a lower bound.

    Of "10 mg four times a day" beside "and as needed" it is 40 mg. None when every dosage can be
    read, or none; ``daily_dose`` tells these.

    Source: notes of opioid-mme-90: one unreadable dose never hides a known high dose.
    """
    if daily_dose(order, ingredient) is not None:
        return None
    alone = ((d, replace(order, dosages=(d,), quantity=None)) for d in order.dosages)
    read = tuple(dosage for dosage, part in alone if daily_dose(part, ingredient))
    return daily_dose(replace(order, dosages=read, quantity=None), ingredient) if read else None


def largest_single_dose_mg(order: MedicationOrder, ingredient: str) -> float | None:
    """The most taken at once by any dosage, in milligrams; None when one of them is unread."""
    doses = single_doses_mg(order, ingredient)
    known = [dose for dose in doses if dose is not None]
    return max(known, default=None) if len(known) == len(doses) else None


def single_doses_mg(order: MedicationOrder, ingredient: str) -> list[float | None]:
    """What each dosage takes at once, in milligrams; None for one that is not read."""
    product = order.product
    strength = strength_of(ingredient, product) if product else None
    if product is None or strength is None:
        return [None] * len(order.dosages)
    return [_at_once(d, lambda q: ingredient_mg(q, strength, product)) for d in order.dosages]


def daily_dose_mg(order: MedicationOrder, strength_mg: float | None) -> float | None:
    """The largest amount in milligrams a day of an order for a single ingredient.

    Args:
        strength_mg: milligrams in one tablet, capsule or spray; None when not known.

    Returns:
        Milligrams a day; None when any dosage cannot be read, or none is given.
    """
    return daily_amount(order, lambda amount: amount_mg(amount, strength_mg))


def daily_amount(order: MedicationOrder, measure: Measure) -> float | None:
    """The largest daily amount, in whatever ``measure`` counts; None when a dosage is unread."""
    found = _highest_step(order, lambda dosage: _a_day(dosage, measure))
    return found[0] if found else None


def believable(dose: Dose, label_maximum_mg: float | None) -> bool:
    """Whether a dose is at most five times the label's maximum; a larger one is a slip of units.

    Any dose is believed where the label has no maximum (None).

    Source: safety.md, H-10.
    """
    return label_maximum_mg is None or dose.mg_per_day <= label_maximum_mg * BELIEVABLE_TIMES_LABEL


def salt_factor(product: Product | None) -> float:
    """How much more a salt may weigh than the drug its label maxima speak of; 1 for most.

    Naproxen sodium is dosed by the weight of the salt: 1100 mg stand for 1000 mg of naproxen.

    Source: facts.yaml, term daily_dose.
    """
    name = product.name.lower() if product else ""
    return next((factor for salt, factor in SALT_FACTORS.items() if salt in name), 1.0)


# As instructed


def _as_instructed(order: MedicationOrder, measure: Measure) -> Dose | None:
    found = _highest_step(order, lambda dosage: _a_day(dosage, measure))
    return Dose(*found) if found else None


def _highest_step(
    order: MedicationOrder, amount: Callable[[Dosage], float | None]
) -> tuple[float, float] | None:
    """The highest step, and what of it is not as needed; None when any dosage is unread."""
    if len(order.dosages) == 1:
        (dosage,) = order.dosages
        found = amount(dosage)
        if found is None:
            return None
        total = round(found, DIGITS)
        return total, 0.0 if dosage.as_needed else total
    steps: list[tuple[float, float]] = []
    by_step = sorted(order.dosages, key=step)
    for _, together in groupby(by_step, key=step):
        amounts = [(amount(dosage), dosage.as_needed) for dosage in together]
        known = [(found, as_needed) for found, as_needed in amounts if found is not None]
        if len(known) < len(amounts):
            return None
        scheduled = sum(found for found, as_needed in known if not as_needed)
        total = sum(found for found, _ in known)
        steps.append((round(total, DIGITS), round(scheduled, DIGITS)))
    return max(steps, default=None)


def _a_day(dosage: Dosage, measure: Measure) -> float | None:
    """Dose times doses a day, or the stated maximum where that is lower or all there is.

    A dose in a unit that cannot be read is not made up for by a maximum, unless it is as needed.
    """
    ceiling = _ceiling_a_day(dosage, measure)
    dose = _at_once(dosage, measure)
    times = times_per_day(dosage.timing) if dosage.timing else None
    if dose is None and dosage.dose is not None and not dosage.as_needed:
        return None
    if dose is None or times is None:
        return ceiling
    return dose * times if ceiling is None else min(dose * times, ceiling)


def _at_once(dosage: Dosage, measure: Measure) -> float | None:
    """One dose, or the most stated for one dose where that is lower or all there is."""
    most = measure(dosage.max_per_dose) if dosage.max_per_dose else None
    if dosage.dose is None:
        return most
    dose = measure(dosage.dose)
    return dose if dose is None or most is None else min(dose, most)


def _ceiling_a_day(dosage: Dosage, measure: Measure) -> float | None:
    if dosage.max_per_period is None:
        return None
    amount, period = dosage.max_per_period
    most = measure(amount)
    hours = HOURS_PER.get(period.unit) if period.unit else None
    if most is None or hours is None or period.value <= 0:
        return None
    return most * DAY_HOURS / (hours * period.value)


# Worn, and as supplied


def _as_worn(order: MedicationOrder, strength: Strength) -> Dose | None:
    """The dose of patches: what is worn at one time, however often it is changed."""
    found = _highest_step(order, lambda dosage: _worn(dosage, strength))
    return _worn_dose(*found, derived=False) if found else None


def _worn(dosage: Dosage, strength: Strength) -> float | None:
    stated = (amount for amount in (dosage.dose, dosage.rate) if amount is not None)
    found = (worn_mcg_per_hour(amount, strength) for amount in stated)
    return next((worn for worn in found if worn is not None), None)


def _worn_dose(worn: float, scheduled: float, *, derived: bool) -> Dose:
    a_day = DAY_HOURS / MCG_AN_HOUR_PER["mg/h"]
    return Dose(
        round(worn * a_day, DIGITS), round(scheduled * a_day, DIGITS), derived, round(worn, DIGITS)
    )


def _as_supplied(order: MedicationOrder, strength: Strength, product: Product) -> Dose | None:
    """Quantity over days of supply; of patches over the hours one lasts, as RxNorm names them."""
    days = order.supply_days if order.supply_days is not None else dosing_days(order.dosages)
    if order.quantity is None or days is None or days <= 0:
        return None
    scheduled = 0.0 if any(dosage.as_needed for dosage in order.dosages) else 1.0
    if strength.unit == WORN:
        wear, worn = WEAR.search(product.name), worn_mcg_per_hour(order.quantity, strength)
        if wear is None or worn is None or order.quantity.unit in MCG_AN_HOUR_PER:
            return None
        mean = worn * int(wear[1]) / (days * DAY_HOURS)
        return _worn_dose(mean, mean * scheduled, derived=True)
    supplied = ingredient_mg(order.quantity, strength, product)
    if supplied is None:
        return None
    a_day = round(supplied / days, DIGITS)
    return Dose(a_day, a_day * scheduled, derived=True)
