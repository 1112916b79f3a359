"""How much of an NSAID is taken in a day."""

from __future__ import annotations

from cards.answer import NO, UNKNOWN, Answer, Finding, any_of, yes
from cards.case import Case, fact
from cards.dose import daily_dose_mg
from cards.facts.drafted_drug import same_drug_by_code
from cards.facts.drugs import drafted_drugs, on_the_skin
from cards.facts.entries import active_medications, reasons
from cards.facts.nsaid_products import ingredient, is_combined
from cards.facts.subject_drug import is_patient_view, is_subject, subject_drugs
from cards.record import MedicationOrder

NAME = "nsaid-oral"
# Ingredient, by salt → milligrams a day from which on its dose is high.
HIGH_FROM_MG = {"ibuprofen": 2400, "diclofenac": 150, "celecoxib": 400}
# Ingredient, by salt → milligrams a day above which its dose is high.
HIGH_ABOVE_MG = {"naproxen": 1000, "naproxen sodium": 1100}


@fact
def nsaid_high_dose(case: Case) -> Finding:
    """Ibuprofen, naproxen, diclofenac or celecoxib is ordered or taken in a high daily dose.

    All orders of one ingredient add up, but one the draft renews. Another NSAID is never high.
    """
    subject = is_subject(case, NAME)
    if subject.answer is not Answer.YES:
        return subject
    drugs = [order for order in subject_drugs(case, NAME) if not on_the_skin(order)]
    names = {name for order in drugs if (name := ingredient(order.drug))}
    found = [_high(name, _taken_together(case, drugs, name)) for name in sorted(names)]
    if any(is_combined(order.drug) for order in drugs):
        found.append(UNKNOWN)
    return any_of(found)


def _taken_together(
    case: Case, drugs: list[MedicationOrder], name: str
) -> tuple[MedicationOrder, ...]:
    """The drugs in question and, beside a draft, what else of their ingredient is taken."""
    mine = [order for order in drugs if ingredient(order.drug) == name]
    if is_patient_view(case):
        return tuple(mine)
    renewed = any(order.replaces_prior for order in mine)
    active = () if renewed else active_medications(case, NAME)
    other = (
        *drafted_drugs(case, NAME),
        *(o for o in active if not any(same_drug_by_code(o.drug, one.drug) for one in mine)),
    )
    return (*mine, *(o for o in other if ingredient(o.drug) == name and not on_the_skin(o)))


def _high(name: str, orders: tuple[MedicationOrder, ...]) -> Finding:
    """Whether the readable doses are high; those that cannot be read leave a lower sum open."""
    doses = [daily_dose_mg(order, None) for order in orders]
    total = round(sum(dose for dose in doses if dose is not None), 6)
    if total >= HIGH_FROM_MG.get(name, float("inf")) or total > HIGH_ABOVE_MG.get(
        name, float("inf")
    ):
        return yes(reasons(orders))
    return UNKNOWN if None in doses else NO
