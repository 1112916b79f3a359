"""The label dose of a drafted drug: by its ingredient, in a product that allows it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cards.dose import daily_dose, salt_factor
from cards.product import Product
from cards.recommendation import DoseByIngredient, DrugDose, IngredientDose
from cards.record import Coding, MedicationOrder

DAYS_IN = {"h": 1 / 24, "d": 1, "wk": 7}


@dataclass(frozen=True, slots=True)
class LabelDose:
    """How the drafted drug is to be taken; ``code`` is None where its product stays."""

    dose: DrugDose
    code: Coding | None


def label_dose(doses: DoseByIngredient, order: MedicationOrder) -> LabelDose | None:
    """The label dose of the order's own drug.

    A dose taken as needed stays one. The product stays where whole tablets, or a liquid, give the
    dose; else it is ordered as the one listed.

    Returns:
        None when no dose is listed for the drug: another ingredient, a combination, a salt, a slow
        release, another way than by mouth. None also when the drafted dose cannot be read or is
        lower, as no warning of a high dose may lead to a higher one.
    """
    product = order.product
    listed = next((one for one in doses.doses if product and _is_of(product, one)), None)
    if product is None or listed is None:
        return None
    drafted = daily_dose(order, listed.ingredient)
    if drafted is None or drafted.mg_per_day < _mg_a_day(listed.dose):
        return None
    as_needed = drafted.scheduled_mg_per_day == 0
    dose = replace(listed.dose, as_needed=as_needed)
    if as_needed:
        dose = replace(dose, text=f"{dose.text}, as needed")
    return LabelDose(dose, None if _allows(product, listed.dose.value) else listed.code)


def _is_of(product: Product, listed: IngredientDose) -> bool:
    return (
        product.ingredients == {listed.ingredient}
        and product.level != "pack"
        and product.route in ("oral", "")
        and not product.extended_release
        and salt_factor(product) == 1
    )


def _mg_a_day(dose: DrugDose) -> float:
    if dose.frequency is None or dose.period is None or dose.period_unit is None:
        return dose.value
    return dose.value * dose.frequency / (dose.period * DAYS_IN[dose.period_unit])


def _allows(product: Product, mg: float) -> bool:
    """Whether the product gives so many milligrams without a tablet being broken."""
    (strength,) = product.strengths
    match strength.unit:
        case None | "MG/ML":
            return True
        case "MG" if strength.value:
            return (mg / strength.value).is_integer()
    return False
