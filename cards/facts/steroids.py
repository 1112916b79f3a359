"""Corticosteroids for the whole body: whether one is ordered, and for what else than the back."""

from __future__ import annotations

from cards.answer import NO, UNKNOWN, Answer, Finding, any_of, yes
from cards.case import Case, fact
from cards.facts.entries import BACK_PAIN_REASONS, active_conditions, belongs, draft_order, reasons
from cards.facts.orders import because_draft, draft_in, ordered, routes
from cards.record import MedicationOrder, OtherOrder

NAME = "systemic-corticosteroid"
# Notes of rows whose code alone does not tell where the drug acts.
ROUTE_TELLS = ("may be local", "route not stated")
# SNOMED CT: oral, digestive tract, nasogastric, gastrostomy; intravenous (any, central,
# peripheral), intramuscular, subcutaneous.
SYSTEMIC_ROUTES = frozenset(
    {
        *("26643006", "447964005", "127492001", "127490009"),
        *("47625008", "418114005", "419993007", "78421000", "34206005"),
    }
)
# SNOMED CT: on the skin; into joint, epidural space, beside the spine, the theca, the dermis; to
# nose, rectum, airways, eye, ear, vagina, mouth.
LOCAL_ROUTES = frozenset(
    {
        *("6064005", "448598008", "45890007"),
        *("12130007", "404820008", "419165009", "72607000", "372464004"),
        *("46713006", "37161004", "447694001", "54485002", "10547007", "16857009"),
        *("54471007", "372449004"),
    }
)
# The card speaks of back pain with or without sciatica.
REASONS_OF_THE_BACK = (*BACK_PAIN_REASONS, "radiculopathy-lbp", "radiculopathy-sciatica")


@fact
def draft_systemic_steroid(case: Case) -> Finding:
    """A corticosteroid for the whole body is ordered.

    An injection, or a code of the ingredient alone, counts by its route; without one: unknown.
    """
    drafted = draft_in(case, NAME)
    order = draft_order(case)
    if drafted.answer is not Answer.YES or order is None or isinstance(order, OtherOrder):
        return drafted
    if not any(tells in ordered(order).sets[NAME] for tells in ROUTE_TELLS):
        return drafted
    stated = routes(order) if isinstance(order, MedicationOrder) else set()
    if stated & SYSTEMIC_ROUTES:
        return drafted
    return NO if stated and stated <= LOCAL_ROUTES else UNKNOWN


@fact
def steroid_other_indication(case: Case) -> Finding:
    """An illness treated with steroids is active, or the order states a reason beside the back."""
    order = draft_order(case)
    stated = order.reasons if order else ()
    other = any(r.readable and not belongs(r, *REASONS_OF_THE_BACK) for r in stated)
    found = active_conditions(case, "steroid-indication")
    return any_of((yes(reasons(found)) if found else NO, because_draft(case) if other else NO))
