"""The visit of this call: what it is for, and whether that concerns the back."""

from __future__ import annotations

from collections.abc import Sequence

from cards.answer import NO, UNKNOWN, Answer, Finding, yes
from cards.case import Case, fact, once_a_call
from cards.facts.entries import (
    BACK_PAIN_REASONS,
    ORDER_INTENTS,
    TAKEN,
    belongs,
    conditions_in,
    dated,
    is_sequela,
    observations,
    reasons,
    therapy_entries,
    within,
)
from cards.record import Concept, Encounter, MedicationOrder, Procedure, ServiceOrder, When

DORMANT_DAYS = 90


def reason_is_back_pain(coded_reasons: Sequence[Concept]) -> Answer:
    """Yes when a coded reason is back pain, no when all are something else, unknown without one.

    A reason given only as text is no coded reason; a late effect of an injury is no back pain.
    """
    answer = Answer.UNKNOWN
    for reason in coded_reasons:
        if reason.readable:
            if belongs(reason, *BACK_PAIN_REASONS) and not is_sequela(reason):
                return Answer.YES
            answer = Answer.NO
    return answer


@once_a_call
def context_encounter(case: Case) -> Encounter | None:
    """The encounter this call was made in; None when not named or not delivered."""
    if case.record.encounter is None:
        return None
    return next((e for e in case.record.encounters if e.reference == case.record.encounter), None)


@once_a_call
def visit_for_back_pain(case: Case) -> Finding:
    """Whether the encounter of this call has back pain as its coded reason."""
    encounter = context_encounter(case)
    if encounter is None:
        return UNKNOWN
    match reason_is_back_pain(encounter.reasons):
        case Answer.YES:
            return yes(reasons([encounter]))
        case Answer.NO:
            return NO
        case Answer.UNKNOWN:
            return UNKNOWN


@fact
def visit_unrelated_to_back(case: Case) -> Finding:
    """The visit is for something else, and nothing about the back is on record for 90 days."""
    encounter = context_encounter(case)
    visit = visit_for_back_pain(case)
    if encounter is None or visit is UNKNOWN:
        return UNKNOWN
    if visit is not NO:
        return NO
    answers = {within(when, case.today, DORMANT_DAYS) for when in _dates_about_the_back(case)}
    if Answer.YES in answers:
        return NO
    keys = ("conditions", "serviceRequests", "procedures", "medications", "observations")
    if Answer.UNKNOWN in answers or not case.record.read("encounters", *keys):
        return UNKNOWN
    return yes(reasons([encounter]))


def _dates_about_the_back(case: Case) -> list[When]:
    """Dates of back pain, of care and drugs for it, and of pain scores."""
    conditions = [c for c in conditions_in(case, *BACK_PAIN_REASONS) if not is_sequela(c.concept)]
    record = case.record
    cared: list[Procedure | ServiceOrder | MedicationOrder] = [
        *(p for p in record.procedures if p.status in ("in-progress", "completed")),
        *(
            order
            for order in record.service_orders
            if order.status in ("active", "completed")
            and (order.intent is None or order.intent in ORDER_INTENTS)
        ),
        *(order for order in record.medications if order.status in TAKEN),
    ]
    therapies = therapy_entries(case, "nonpharm-any", "passive-modality")
    return [
        *(when for c in conditions for when in (c.onset, c.recorded) if when),
        *(
            when
            for entry in cared
            if reason_is_back_pain(entry.reasons) is Answer.YES and (when := dated(entry))
        ),
        *(when for entry in therapies if (when := dated(entry))),
        *(when for o in observations(case, "pain-score") if (when := o.effective)),
    ]
