"""Other drugs the patient takes, which a drug for the back may clash with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cards.answer import Answer, Finding, yes
from cards.case import Case, Fact, fact, fact_named
from cards.facts.drugs import above_low_dose, drafted_drugs, on_the_skin
from cards.facts.entries import (
    TAKEN,
    absence,
    active_medications,
    belongs,
    draft_order,
    judged,
    medications_in,
    newest_of_each_drug,
    possible_medications,
    presence,
    reasons,
    within,
)
from cards.facts.ingredient import ASPIRIN
from cards.facts.lapsed import lapsed
from cards.record import MedicationOrder, When
from cards.supply import coverage_window

MAOI_WASHOUT_DAYS = 14
NALOXONE_DAYS = 365

Orders = tuple[MedicationOrder, ...]

# Fact → its value sets; a drug of them covers today, or is another draft of the call.
CURRENT: dict[str, tuple[str, ...]] = {
    "antiplatelet_or_aspirin": ("antiplatelet", "aspirin-low"),
    "systemic_steroid_current": ("systemic-corticosteroid",),
    "ssri_or_snri_current": ("ssri", "snri"),
    "lithium_current": ("lithium",),
    "methotrexate_current": ("methotrexate",),
    "maoi_current": ("maoi",),
    "cyp1a2_strong": ("cyp1a2-strong",),
    "cyp2d6_strong": ("cyp2d6-strong",),
    "benzodiazepine_current": ("benzodiazepine",),
    "gastroprotection_current": ("ppi-misoprostol",),
    "other_analgesic": ("nsaid-topical", "nsaid-oral", "duloxetine", "tca", "opioid"),
    "bleeding_partner": ("nsaid-oral", "aspirin-low", "anticoagulant"),
}


def current_drugs(case: Case, *sets: str) -> Orders:
    """Drugs of the sets that cover today or are drafted beside the order under evaluation.

    A drug counts as it is taken: aspirin read to be over 325 mg a day as an oral NSAID, no longer
    as ``aspirin-low``; an NSAID used on the skin as a topical one.
    """
    asked = (*sets, *ASPIRIN) if "nsaid-oral" in sets else sets
    found = (*active_medications(case, *asked), *drafted_drugs(case, *asked))
    return tuple(order for order in found if _sets_as_taken(order) & set(sets))


def _sets_as_taken(order: MedicationOrder) -> set[str]:
    """Value sets of an order's drug, in view of its dose and route."""
    names = set(order.drug.sets)
    if belongs(order.drug, *ASPIRIN) and above_low_dose(order):
        names = names - {"aspirin-low"} | {"nsaid-oral"}
    if on_the_skin(order):
        names = names - {"nsaid-oral"} | {"nsaid-topical"}
    return names


def _register(name: str, sets: tuple[str, ...]) -> Fact:
    @fact_named(name, f"A drug in {', '.join(sets)} covers today, or is another draft.")
    def current_fact(case: Case) -> Finding:
        return presence(case, current_drugs(case, *sets), "medications")

    return current_fact


CURRENT_FACTS = {name: _register(name, sets) for name, sets in CURRENT.items()}


def evaluated_drug(case: Case, *sets: str) -> Orders:
    """The draft under evaluation, when it is a drug of the sets."""
    order = draft_order(case)
    return (order,) if isinstance(order, MedicationOrder) and belongs(order.drug, *sets) else ()


# One of each


@fact
def dual_antiplatelet(case: Case) -> Finding:
    """Low-dose aspirin and another antiplatelet drug are active or drafted.

    One product of both, such as aspirin with dipyridamole, counts as each.
    """
    evaluated = [o for o in evaluated_drug(case, "aspirin-low") if not above_low_dose(o)]
    aspirin = (*current_drugs(case, "aspirin-low"), *evaluated)
    other = (*current_drugs(case, "antiplatelet"), *evaluated_drug(case, "antiplatelet"))
    return _one_of_each(case, aspirin, other)


@fact
def raas_and_diuretic(case: Case) -> Finding:
    """An ACE inhibitor or ARB, and a diuretic, cover today; a drafted one does not count."""
    raas = active_medications(case, "acei", "arb")
    return _one_of_each(case, raas, active_medications(case, "diuretic"))


def _one_of_each(case: Case, first: Orders, second: Orders) -> Finding:
    if not (first and second):
        return absence(case, "medications")
    return yes(reasons(newest_of_each_drug((*first, *second))))


# Drugs lately taken


@fact
def maoi_past_14d(case: Case) -> Finding:
    """The last supply of an MAO inhibitor no longer taken as ordered ended within 14 days.

    An order stopped, completed or on hold before its supply ran out counts as well: the day the
    last tablet was taken is not on record, and a lapsed supply may still be taken. Unknown when
    no date tells the end.
    """
    active = active_medications(case, "maoi")
    ended = [
        order
        for order in medications_in(case, "maoi")
        if order.status in TAKEN and order not in active
    ]
    return judged(case, ended, lambda order: _ended_lately(case, order), "medications")


def _ended_lately(case: Case, order: MedicationOrder) -> Answer:
    since = case.today - timedelta(days=MAOI_WASHOUT_DAYS)
    window = coverage_window(order)
    if window is None:
        return Answer.UNKNOWN
    if window[0] > case.today or window[1] < since:
        return Answer.NO
    shortest = coverage_window(at_its_earliest(order))
    sure = shortest is not None and shortest[1] >= since
    return Answer.YES if sure else Answer.UNKNOWN


def at_its_earliest(order: MedicationOrder) -> MedicationOrder:
    """The order with the first day each of its partial dates can mean."""
    return replace(
        order, authored=_first_day(order.authored), validity_end=_first_day(order.validity_end)
    )


def _first_day(when: When | None) -> When | None:
    return when and When(when.earliest, when.earliest, when.text)


@fact
def benzodiazepine_possible(case: Case) -> Finding:
    """A benzodiazepine may still be taken, though its supply has run out or is on hold."""
    return lapsed(case, possible_medications(case, "benzodiazepine"))


@fact
def naloxone_365d(case: Case) -> Finding:
    """Naloxone covers today, was ordered within 365 days, or is drafted in this call."""
    at_hand = (
        *active_medications(case, "naloxone"),
        *drafted_drugs(case, "naloxone"),
        *evaluated_drug(case, "naloxone"),
    )
    if at_hand:
        return yes(reasons(at_hand))
    taken = [order for order in medications_in(case, "naloxone") if order.status in TAKEN]

    def lies(order: MedicationOrder) -> Answer:
        return within(order.authored, case.today, NALOXONE_DAYS)

    return judged(case, taken, lies, "medications")
