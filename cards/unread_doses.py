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

DOSED = (ACETAMINOPHEN, AMITRIPTYLINE_DRUG, CYCLOBENZAPRINE, DULOXETINE_DRUG, TRAMADOL, *NSAIDS)


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
    drafts = (draft.order for draft in record.drafts)
    on_record = (o for o in (*record.medications, *drafts) if o.reference in named)
    orders = (o for o in (*about, *on_record) if isinstance(o, MedicationOrder))
    unread = [o for o in orders if o.reference not in told and _is_unread(o, factors)]
    return tuple(o for place, o in enumerate(unread) if o not in unread[:place])


def in_words(orders: Iterable[MedicationOrder]) -> str:
    """The line of a card that names them."""
    names = "; ".join(dict.fromkeys(escaped(order.drug.name) for order in orders))
    return f"Dose could not be read: {names}."


def _is_unread(order: MedicationOrder, factors: MmeFactors) -> bool:
    """Whether a dose that is judged is left open, or beyond belief."""
    judged = [drug for drug in (*DOSED, *_opioids(order, factors)) if _is_of(order, drug)]
    doses = [(daily_dose(order, drug.ingredient), drug.label_maximum_mg) for drug in judged]
    unread = any(dose is None for dose, _ in doses) and bool(order.dosages)
    return unread or any(dose and not believable(dose, maximum) for dose, maximum in doses)


def _is_of(order: MedicationOrder, drug: DosedDrug) -> bool:
    held = order.product.ingredients if order.product else frozenset()
    return (
        drug.ingredient in held and belongs(order.drug, drug.value_set) and not on_the_skin(order)
    )


def _opioids(order: MedicationOrder, factors: MmeFactors) -> Iterable[DosedDrug]:
    """The opioids that would be converted, which the label of most leaves without a maximum."""
    if order.product and order.product.route == "parenteral":
        return ()
    return (DosedDrug("opioid", i) for i in factors.names if i not in factors.not_converted)
