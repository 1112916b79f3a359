"""How much of an NSAID is ordered or taken in a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cards.answer import NO, UNKNOWN, Answer, ChartEntry, Finding, any_of, yes
from cards.case import Case, fact
from cards.dose import daily_dose, salt_factor
from cards.facts.drafted_dose import DosedDrug, orders_drafted, total_of
from cards.facts.drafted_drug import same_drug_by_code
from cards.facts.drugs import drafted_drugs, on_the_skin
from cards.facts.entries import active_medications
from cards.facts.order_dose import (
    CELECOXIB,
    DICLOFENAC,
    DOSE_NOT_READ,
    IBUPROFEN,
    NAPROXEN,
    dosed_entries,
    steps,
)
from cards.facts.subject_drug import is_patient_view, is_subject, subject_drugs
from cards.facts.taken_dose import over_in_all
from cards.record import MedicationOrder
from cards.timing import dosing_days
from cards.total_dose import TotalDose

NAME = "nsaid-oral"
IBUPROFEN_MOST_MG, IBUPROFEN_HIGH_MG = 3200.0, 2400.0
NAPROXEN_MOST_MG, NAPROXEN_HIGH_MG = 1500.0, 1000.0
FIRST_DAY_MG = 1250.0  # of naproxen, in a first step of one day
IBUPROFEN_DRUG = DosedDrug(NAME, IBUPROFEN, IBUPROFEN_MOST_MG)
NAPROXEN_DRUG = DosedDrug(NAME, NAPROXEN, NAPROXEN_MOST_MG)
DRUGS = (IBUPROFEN_DRUG, NAPROXEN_DRUG, DosedDrug(NAME, DICLOFENAC), DosedDrug(NAME, CELECOXIB))
# Ingredient → milligrams a day from which on its dose is high.
HIGH_FROM_MG = {IBUPROFEN: IBUPROFEN_HIGH_MG, DICLOFENAC: 150.0, CELECOXIB: 400.0}
# Ingredient → milligrams a day above which its dose is high.
HIGH_ABOVE_MG = {NAPROXEN: NAPROXEN_HIGH_MG}


# Over a limit, with what is taken of the drug beside the order


@fact
def ibuprofen_over_3200(case: Case) -> Finding:
    """More than 3200 mg of ibuprofen a day is ordered."""
    return over_in_all(case, IBUPROFEN_DRUG, IBUPROFEN_MOST_MG)


@fact
def ibuprofen_over_2400(case: Case) -> Finding:
    """More than 2400 mg of ibuprofen a day is ordered."""
    return over_in_all(case, IBUPROFEN_DRUG, IBUPROFEN_HIGH_MG)


@fact
def naproxen_over_1500(case: Case) -> Finding:
    """More than 1500 mg of naproxen a day is ordered, or more than 1650 mg of its sodium salt."""
    return over_in_all(case, NAPROXEN_DRUG, NAPROXEN_MOST_MG)


@fact
def naproxen_over_1000(case: Case) -> Finding:
    """More than 1000 mg of naproxen a day is ordered, or more than 1100 mg of its sodium salt.

    A first day of up to 1250 mg (1375 mg of the salt) is allowed.
    """
    steady = [_after_first_day(order) for order in orders_drafted(case, NAPROXEN_DRUG)]
    return over_in_all(case, NAPROXEN_DRUG, NAPROXEN_HIGH_MG, steady)


def _after_first_day(order: MedicationOrder) -> MedicationOrder:
    """The order without a first step of one day at most that a first day may take."""
    in_turn = steps(order)
    if len(in_turn) < 2:
        return order
    days, dose = dosing_days(in_turn[0].dosages), daily_dose(in_turn[0], NAPROXEN)
    if days is None or days > 1 or dose is None or dose.derived:
        return order
    if round(dose.mg_per_day / salt_factor(order.product), 6) > FIRST_DAY_MG:
        return order
    later = tuple(dosage for one in in_turn[1:] for dosage in one.dosages)
    return replace(order, dosages=later)


# High


@fact
def nsaid_high_dose(case: Case) -> Finding:
    """Ibuprofen, naproxen, diclofenac or celecoxib is ordered or taken in a high daily dose.

    All orders of one ingredient add up, but one the draft renews. Another NSAID is never high.
    """
    subject = is_subject(case, NAME)
    if subject.answer is not Answer.YES:
        return subject
    asked = tuple(order for order in subject_drugs(case, NAME) if not on_the_skin(order))
    totals = [(drug, _taken_together(case, asked, drug)) for drug in DRUGS if _among(drug, asked)]
    return any_of(_high(drug, total) for drug, total in totals)


def _among(drug: DosedDrug, orders: Iterable[MedicationOrder]) -> bool:
    """Whether one of the orders holds the drug, or may hold it as its product is not known."""
    return any(o.product is None or drug.ingredient in o.product.ingredients for o in orders)


def _taken_together(case: Case, asked: tuple[MedicationOrder, ...], drug: DosedDrug) -> TotalDose:
    """The drugs in question and, beside a draft, what else of the ingredient is taken."""
    if is_patient_view(case):
        return total_of(drug, (), asked)
    mine = [order for order in asked if _among(drug, (order,))]
    renewed = any(order.replaces_prior for order in mine)
    active = [
        order
        for order in (() if renewed else active_medications(case, NAME))
        if not on_the_skin(order)
        and not any(same_drug_by_code(order.drug, one.drug) for one in mine)
    ]
    others = (order for order in drafted_drugs(case, NAME) if not on_the_skin(order))
    return total_of(drug, (*mine, *others), active)


def _high(drug: DosedDrug, total: TotalDose) -> Finding:
    """Whether the readable doses are high; those that cannot be read leave a lower sum open."""
    at_or_above = total.label_mg_per_day >= HIGH_FROM_MG.get(drug.ingredient, float("inf"))
    above = total.label_mg_per_day > HIGH_ABOVE_MG.get(drug.ingredient, float("inf"))
    if at_or_above or above:
        return yes(_called_high(entry) for entry in dosed_entries(total))
    return UNKNOWN if total.at_least else NO


def _called_high(entry: ChartEntry) -> ChartEntry:
    """The dose as what it counts for; one that could not be read counts for nothing."""
    if entry.display.endswith(DOSE_NOT_READ):
        return entry
    return replace(entry, display=f"{entry.display}, a high dose")
