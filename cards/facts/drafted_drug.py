"""The drafted drug: whether it renews an earlier one, and what it treats."""

from __future__ import annotations

from datetime import timedelta

from cards.answer import NO, UNKNOWN, YES, Answer, Finding
from cards.case import Case, fact
from cards.codes import RXNORM
from cards.facts.entries import (
    TAKEN,
    active_medications,
    belongs,
    draft_order,
    judged,
    medications_in,
    presence,
)
from cards.facts.orders import because_draft
from cards.record import Concept, MedicationOrder
from cards.supply import coverage_window
from cards.worked import once_an_order

RENEWAL_DAYS = 90
# Value sets of one ingredient: two products in the same of them are the same drug.
ONE_INGREDIENT = ("amitriptyline", "cyclobenzaprine", "duloxetine", "tramadol")
# RxNorm codes of the ingredients and of their hydrochlorides, which stand for them.
METHADONE_OR_BUPRENORPHINE = frozenset({"6813", "218337", "1819", "203841"})


@fact
def draft_is_renewal(case: Case) -> Finding:
    """The drafted drug was covered within 90 days, or the draft replaces an earlier order.

    Two products that share only a part of their ingredients, or are not known and bear no common
    code, may or may not be one drug: unknown.
    """
    order = draft_order(case)
    if not isinstance(order, MedicationOrder):
        return NO
    if order.replaces_prior:
        return because_draft(case)
    if not order.drug.readable:
        return UNKNOWN
    since = case.today - timedelta(days=RENEWAL_DAYS)
    covered = [
        earlier
        for earlier in medications_in(case, *order.drug.sets)
        if earlier.status in TAKEN
        and (window := coverage_window(earlier))
        and window[1] >= since
        and window[0] <= case.today
    ]
    return judged(case, covered, lambda earlier: _renews(order, earlier), "medications")


def _renews(draft: MedicationOrder, earlier: MedicationOrder) -> Answer:
    """Whether an earlier order held all ingredients of the draft."""
    if same_drug_by_code(earlier.drug, draft.drug):
        return Answer.YES
    if draft.product is None or earlier.product is None:
        return Answer.UNKNOWN
    if draft.product.ingredients <= earlier.product.ingredients:
        return Answer.YES
    apart = draft.product.ingredients.isdisjoint(earlier.product.ingredients)
    return Answer.NO if apart else Answer.UNKNOWN


def same_drug_by_code(one: Concept, other: Concept) -> bool:
    """Whether two drugs share a code or a value set of one ingredient; otherwise still open."""
    if {(c.system, c.code) for c in one.codings} & {(c.system, c.code) for c in other.codings}:
        return True
    return any(name in one.sets and name in other.sets for name in ONE_INGREDIENT)


@fact
def subject_opioid_is_oud_treatment(case: Case) -> Finding:
    """The opioid treats opioid use disorder, by its product, or by its reason.

    The opioid is the draft; when the chart is opened, an active drug.
    """
    order = draft_order(case)
    if order is not None:
        found = treats_oud(order) if isinstance(order, MedicationOrder) else NO
        return because_draft(case) if found is YES else found
    active = active_medications(case, "opioid", "oud-treatment")
    treating = [drug for drug in active if treats_oud(drug) is YES]
    if not treating and any(treats_oud(drug) is UNKNOWN for drug in active):
        return UNKNOWN
    return presence(case, treating, "medications")


@once_an_order
def treats_oud(order: MedicationOrder) -> Finding:
    """Whether an opioid treats opioid use disorder: by its product, or methadone by its reason.

    A product that is not known leaves it open, unless its code is that of the ingredient.
    """
    if not order.drug.readable:
        return UNKNOWN
    if "oud-treatment" in order.drug.sets:
        return YES
    if "opioid" not in order.drug.sets or not any(
        belongs(reason, "oud", "oud-active") for reason in order.reasons
    ):
        return NO
    if order.product:
        return NO if order.product.ingredients.isdisjoint(METHADONE_OR_BUPRENORPHINE) else YES
    codes = {coding.code for coding in order.drug.codings if coding.system == RXNORM}
    return YES if codes & METHADONE_OR_BUPRENORPHINE else UNKNOWN
