"""Orders whose instructions leave their dose unread, which the cards about them name.

A dose in words only, in a unit nobody can convert, or of more than five times the label's maximum
is no dose to reckon with; that it is left out is said, not hidden (safety.md, H-10). An order
still without instructions has no dose to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cards.answer import ChartEntry
from cards.dose import believable, daily_dose
from cards.facts.acetaminophen_dose import DRUG as ACETAMINOPHEN
from cards.facts.antidepressant_dose import AMITRIPTYLINE_DRUG, DULOXETINE_DRUG
from cards.facts.cyclobenzaprine import DRUG as CYCLOBENZAPRINE
from cards.facts.drafted_dose import DosedDrug
from cards.facts.drugs import on_the_skin
from cards.facts.entries import belongs
from cards.facts.nsaid_dose import DRUGS as NSAIDS
from cards.facts.order_dose import says_dose
from cards.facts.tramadol_dose import DRUG as TRAMADOL
from cards.markdown import escaped
from cards.mme_factors import MmeFactors
from cards.record import MedicationOrder, OtherOrder, PatientRecord, ServiceOrder

# Ingredient → the drug of it whose dose is judged.
DOSED = {
    drug.ingredient: drug
    for drug in (
        ACETAMINOPHEN,
        AMITRIPTYLINE_DRUG,
        CYCLOBENZAPRINE,
        DULOXETINE_DRUG,
        TRAMADOL,
        *NSAIDS,
    )
}


def unread_doses(
    record: PatientRecord,
    about: Iterable[MedicationOrder | ServiceOrder | OtherOrder],
    grounds: Sequence[ChartEntry],
    factors: MmeFactors,
) -> tuple[MedicationOrder, ...]:
    """Orders a card is about or rests on, whose dose could not be read; each once.

    Only drugs whose dose some recommendation judges. What a calculation on the card says of an
    order is not said again.
    """
    named = {entry.reference for entry in grounds if entry.reference}
    told = {entry.reference for entry in grounds if says_dose(entry)}
    on_record = [order for order in record.medications if order.reference in named]
    drafts = [draft.order for draft in record.drafts if draft.order.reference in named]
    orders = {id(o): o for o in (*about, *on_record, *drafts) if isinstance(o, MedicationOrder)}
    unread = [o for o in orders.values() if o.reference not in told and _is_unread(o, factors)]
    return tuple(o for place, o in enumerate(unread) if o not in unread[:place])


def in_words(orders: Iterable[MedicationOrder]) -> str:
    """The line of a card that names them."""
    names = "; ".join(dict.fromkeys(escaped(order.drug.name) for order in orders))
    return f"Dose could not be read: {names}."


def _is_unread(order: MedicationOrder, factors: MmeFactors) -> bool:
    """Whether a dose that is judged is left open, or beyond belief."""
    judged = _judged(order, factors)
    doses = [(daily_dose(order, drug.ingredient), drug.label_maximum_mg) for drug in judged]
    unread = any(dose is None for dose, _ in doses) and bool(order.dosages)
    return unread or any(dose and not believable(dose, maximum) for dose, maximum in doses)


def _judged(order: MedicationOrder, factors: MmeFactors) -> list[DosedDrug]:
    """The drugs in an order whose dose is judged."""
    if order.product is None or on_the_skin(order):
        return []
    held = order.product.ingredients
    drugs = [DOSED[ingredient] for ingredient in held & DOSED.keys()]
    if order.product.route != "parenteral":
        # The opioids that would be converted; the label of most leaves them without a maximum.
        converted = (held & factors.names.keys()) - factors.not_converted
        drugs += [DosedDrug("opioid", ingredient) for ingredient in converted]
    return [drug for drug in drugs if belongs(order.drug, drug.value_set)]
