"""How long the supply of an NSAID for swallowing lasts, refills included."""

from __future__ import annotations

from collections.abc import Callable

from cards.answer import NO, UNKNOWN, Answer, Finding, yes
from cards.case import Case, fact
from cards.facts.drugs import above_low_dose, on_the_skin
from cards.facts.entries import belongs, draft_order, judged
from cards.facts.ingredient import ASPIRIN
from cards.facts.order_dose import DAYS_ORDERED, days_entry
from cards.facts.pain_treatment import draft_oral_nsaid
from cards.facts.subject_drug import is_patient_view, oral_nsaid_subject, subject_drugs
from cards.record import MedicationOrder
from cards.supply import supply_days_with_refills

SHORT_FROM_DAYS, SHORT_TO_DAYS = 15, 30
LONG_DAYS = 90
DIGITS = 6  # hides binary rounding where days are a quotient


@fact
def nsaid_supply_over_30d(case: Case) -> Finding:
    """The supply of the oral NSAID in question lasts more than 30 days.

    Of several taken, one such supply is enough; they are not added up.
    """
    if not is_patient_view(case):
        return _drafted(case, lambda days: days > SHORT_TO_DAYS)
    subject = oral_nsaid_subject(case)
    if subject.answer is not Answer.YES:
        return subject
    taken = [order for order in subject_drugs(case, "nsaid-oral", *ASPIRIN) if _oral(order)]

    def lasts(order: MedicationOrder) -> Answer:
        days = _days(order)
        if days is None:
            return Answer.UNKNOWN
        return Answer.YES if days > SHORT_TO_DAYS else Answer.NO

    return judged(case, taken, lasts, "medications")


@fact
def nsaid_supply_over_90d(case: Case) -> Finding:
    """The supply of the ordered oral NSAID lasts more than 90 days."""
    return _drafted(case, lambda days: days > LONG_DAYS)


@fact
def nsaid_supply_15_30d(case: Case) -> Finding:
    """The supply of the ordered oral NSAID lasts 15 to 30 days."""
    return _drafted(case, lambda days: SHORT_FROM_DAYS <= days <= SHORT_TO_DAYS)


def _drafted(case: Case, lasts: Callable[[float], bool]) -> Finding:
    """Whether the supply of the drafted oral NSAID lasts as asked; unknown when not derivable."""
    drafted = draft_oral_nsaid(case)
    if drafted.answer is not Answer.YES:
        return drafted
    order = draft_order(case)
    if not isinstance(order, MedicationOrder) or (days := _days(order)) is None:
        return UNKNOWN
    told = days_entry(order, days, DAYS_ORDERED)
    return yes((told, *drafted.because)) if lasts(days) else NO


def _days(order: MedicationOrder) -> float | None:
    days = supply_days_with_refills(order)
    return None if days is None else round(days, DIGITS)


def _oral(order: MedicationOrder) -> bool:
    if belongs(order.drug, "nsaid-oral"):
        return not on_the_skin(order)
    return above_low_dose(order)
