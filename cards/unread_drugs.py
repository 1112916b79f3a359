"""Medication orders whose drug could not be read: how many, and what they hold back.

Such a drug may be any drug. It is counted and never named, and no order for a drug is proposed
beside it, as beside an allergy told in words only (safety.md, H-24).
"""

from __future__ import annotations

from datetime import date

from cards.facts.entries import may_be_taken
from cards.recognition import Unreadable
from cards.recommendation import Recommendation, SuggestionTemplate
from cards.record import MedicationOrder, PatientRecord
from cards.total_dose import same_entry

# An RxNorm code in none of our tables is mostly a drug no recommendation asks about.
UNREAD = frozenset(Unreadable) - {Unreadable.UNKNOWN_CODE}
GROUPS = frozenset({"opioid-safety", "nsaid-safety"})


def unread_drugs(record: PatientRecord, today: date) -> tuple[MedicationOrder, ...]:
    """Orders that are or may be taken, and drafts, of drugs nobody can tell; each order once.

    A drug of a value set is told, whatever its code.
    """
    drafts = (draft.order for draft in record.drafts)
    taken = (order for order in record.medications if may_be_taken(order, today))
    unread: list[MedicationOrder] = []
    for order in (*taken, *drafts):
        if isinstance(order, MedicationOrder) and _is_unread(order):
            unread += [] if any(same_entry(order, other) for other in unread) else [order]
    return tuple(unread)


def _is_unread(order: MedicationOrder) -> bool:
    return order.unreadable in UNREAD and not order.drug.sets


def says_how_many(recommendation: Recommendation) -> bool:
    """Whether its card says how many could not be read: on opioids, NSAIDs, and drugs proposed."""
    proposes = any(map(is_held_back, recommendation.suggestions))
    return proposes or recommendation.merge_group in GROUPS


def is_held_back(suggestion: SuggestionTemplate) -> bool:
    """Whether an unread drug withholds it: every order for a drug but the antidote."""
    return suggestion.proposes_drug and not suggestion.rescues


def in_words(count: int) -> str:
    """The one line of a card; a number only, never what is written in those orders."""
    return f"{count} medication order{'' if count == 1 else 's'} could not be read."
