"""Drugs and treatments for pain: the one ordered, and those already taken."""

from __future__ import annotations

from datetime import timedelta

from cards.answer import NO, UNKNOWN, Answer, Finding, yes
from cards.case import Case, fact, once
from cards.facts.drugs import above_low_dose, drafted_drugs, on_the_skin, route_open
from cards.facts.entries import (
    TAKEN,
    active_medications,
    belongs,
    draft_order,
    medications_in,
)
from cards.facts.orders import because_draft, draft_in
from cards.record import MedicationOrder
from cards.supply import coverage_window

LATELY_DAYS = 28
TOPICAL = ("nsaid-topical", "nsaid-oral")  # the latter only where its route says skin
ASPIRIN = ("aspirin-analgesic", "aspirin-low")
# One product of cyclobenzaprine is in no other set, and draft_cyclobenzaprine implies both facts.
NON_OPIOIDS = ("acetaminophen", "duloxetine", "tca", "skeletal-muscle-relaxant", "cyclobenzaprine")
# Oral NSAIDs count through draft_oral_nsaid, and by their own set when used on the skin. Surgery of
# the spine stands here because draft_surgery_referral implies a pain treatment.
PAIN_TREATMENTS = (
    "nsaid-oral",
    "nsaid-parenteral",
    "nsaid-topical",
    "acetaminophen",
    "opioid",
    "skeletal-muscle-relaxant",
    "cyclobenzaprine",
    "duloxetine",
    "tca",
    "systemic-corticosteroid",
    "lidocaine-topical",
    "tpi",
    "dry-needling",
    "massage",
    "traction",
    "exercise-therapy",
    "spine-surgery-referral",
    "spine-surgery",
    "aspirin-analgesic",
)
ANALGESICS = ("nsaid-topical", "nsaid-oral", "acetaminophen", "opioid")


@fact
@once
def draft_oral_nsaid(case: Case) -> Finding:
    """An NSAID for swallowing is ordered; aspirin counts only above 325 mg a day that can be read.

    A drug coded without its form is no oral one when its route says skin; where nothing tells its
    route, it is unknown.
    """
    order = draft_order(case)
    if not isinstance(order, MedicationOrder) or not belongs(order.drug, "nsaid-oral", *ASPIRIN):
        return draft_in(case, "nsaid-oral")
    if route_open(order):
        return UNKNOWN
    if any(name in order.drug.sets for name in ASPIRIN) and above_low_dose(order):
        return because_draft(case)
    return NO if on_the_skin(order) else draft_in(case, "nsaid-oral")


@fact
def draft_analgesic_nonopioid(case: Case) -> Finding:
    """An oral NSAID, acetaminophen, duloxetine, a tricyclic or a muscle relaxant is ordered."""
    return _oral_nsaid_or_in(case, *NON_OPIOIDS)


@fact
def draft_pain_treatment(case: Case) -> Finding:
    """A drug or a treatment used for back pain is ordered."""
    return _oral_nsaid_or_in(case, *PAIN_TREATMENTS)


def _oral_nsaid_or_in(case: Case, *sets: str) -> Finding:
    nsaid = draft_oral_nsaid(case)
    return nsaid if nsaid.answer is Answer.YES else draft_in(case, *sets)


@fact
def no_topical_nsaid_28d_order_context(case: Case) -> Finding:
    """An oral NSAID or an opioid is ordered, and no NSAID for the skin was used for 28 days.

    One drafted beside it counts as used. An order under way without any date may have been.
    """
    order = draft_order(case)
    if isinstance(order, MedicationOrder) and on_the_skin(order):
        return NO
    systemic = draft_in(case, "nsaid-oral", "opioid")
    if systemic.answer is not Answer.YES:
        return systemic
    answers = {_used_lately(case, topical) for topical in _on_skin(medications_in(case, *TOPICAL))}
    if Answer.YES in answers or _on_skin(drafted_drugs(case, *TOPICAL)):
        return NO
    if Answer.UNKNOWN in answers or not case.record.read("medications"):
        return UNKNOWN
    return systemic


def _on_skin(found: tuple[MedicationOrder, ...]) -> tuple[MedicationOrder, ...]:
    return tuple(o for o in found if "nsaid-topical" in o.drug.sets or on_the_skin(o))


def _used_lately(case: Case, order: MedicationOrder) -> Answer:
    if order.status not in TAKEN:
        return Answer.NO
    window = coverage_window(order)
    if window is None:
        return Answer.UNKNOWN if order.status == "active" else Answer.NO
    since = case.today - timedelta(days=LATELY_DAYS)
    return Answer.YES if window[1] >= since and window[0] <= case.today else Answer.NO


@fact
def no_analgesic_patient_view(case: Case) -> Finding:
    """The chart was opened, and no NSAID, acetaminophen or opioid covers today.

    An active order without any date may cover today.
    """
    if case.record.hook != "patient-view" or active_medications(case, *ANALGESICS):
        return NO
    undated = any(
        order.status == "active" and coverage_window(order) is None
        for order in medications_in(case, *ANALGESICS)
    )
    return yes() if case.record.read("medications") and not undated else UNKNOWN
