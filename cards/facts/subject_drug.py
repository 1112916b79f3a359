"""The drug in question: the one ordered; when the chart is opened, one that is taken."""

from __future__ import annotations

from cards.answer import NO, Finding
from cards.case import Case, fact
from cards.facts.drugs import opioid_active, oral_nsaid_active
from cards.facts.entries import active_medications, belongs, draft_order, presence
from cards.facts.orders import draft_in
from cards.facts.pain_treatment import draft_oral_nsaid
from cards.record import MedicationOrder


def is_patient_view(case: Case) -> bool:
    """Whether the drugs taken are in question, and no order is."""
    return case.draft is None and case.record.hook == "patient-view"


def subject_drugs(case: Case, *sets: str) -> tuple[MedicationOrder, ...]:
    """The drafted drug when it is in the sets; when the chart is opened, active ones that are."""
    if is_patient_view(case):
        return active_medications(case, *sets)
    order = draft_order(case)
    if isinstance(order, MedicationOrder) and belongs(order.drug, *sets):
        return (order,)
    return ()


def is_subject(case: Case, *sets: str) -> Finding:
    """Whether the drug in question is in the sets; unknown where it cannot be read."""
    if is_patient_view(case):
        return presence(case, active_medications(case, *sets), "medications")
    return draft_in(case, *sets) if case.draft else NO


@fact
def oral_nsaid_subject(case: Case) -> Finding:
    """An NSAID for swallowing is in question; aspirin only above 325 mg a day."""
    return oral_nsaid_active(case) if is_patient_view(case) else draft_oral_nsaid(case)


@fact
def parenteral_nsaid_subject(case: Case) -> Finding:
    """An NSAID for injection or for the nose is in question."""
    return is_subject(case, "nsaid-parenteral")


@fact
def cyclobenzaprine_subject(case: Case) -> Finding:
    """Cyclobenzaprine is in question."""
    return is_subject(case, "cyclobenzaprine")


@fact
def beers_relaxant_subject(case: Case) -> Finding:
    """A muscle relaxant of the Beers list is in question."""
    return is_subject(case, "beers-muscle-relaxant")


@fact
def duloxetine_subject(case: Case) -> Finding:
    """Duloxetine is in question."""
    return is_subject(case, "duloxetine")


@fact
def tca_subject(case: Case) -> Finding:
    """A tricyclic is in question."""
    return is_subject(case, "tca")


@fact
def opioid_subject(case: Case) -> Finding:
    """An opioid is in question."""
    return opioid_active(case) if is_patient_view(case) else is_subject(case, "opioid")
