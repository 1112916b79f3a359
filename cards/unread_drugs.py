"""Medication orders whose drug could not be read: how many, and what they hold back.

Such a drug may be any drug. It is counted and never named, and no order for a drug is proposed
beside it, as beside an allergy told in words only (safety.md, H-24).

An RxNorm code in none of our tables is mostly a drug no recommendation asks about, and is no
concern. Where its name says a drug of a value set, it may be that drug, and counts as unread: it is
never judged as that drug. An ACE inhibitor, an ARB or a diuretic speaks against NSAIDs only.
"""

from __future__ import annotations

from collections.abc import Iterable

from cards.case import Case, once
from cards.facts.entries import belongs, may_be_taken
from cards.recognition import Unreadable
from cards.recommend import Applied
from cards.recommendation import SuggestionTemplate
from cards.record import MedicationOrder
from cards.total_dose import each_once, marks_of

UNREAD = frozenset(Unreadable) - {Unreadable.UNKNOWN_CODE}
GROUPS = frozenset({"opioid-safety", "nsaid-safety"})
OPIOID_OR_NSAID = ("opioid", "nsaid-oral", "nsaid-parenteral")
ON_THE_KIDNEY = frozenset({"acei", "arb", "diuretic"})


@once
def unread_drugs(case: Case) -> tuple[MedicationOrder, ...]:
    """Orders that are or may be taken, and drafts, of drugs nobody can tell; each order once.

    A drug of a value set is told, whatever its code.
    """
    taken = [
        order
        for order in case.record.medications
        if (order.unreadable or order.may_be)  # few are, of many
        and _is_unread(order)
        and may_be_taken(order, case.today)
    ]
    drafts = (draft.order for draft in case.record.drafts)
    drafted = [o for o in drafts if isinstance(o, MedicationOrder) and _is_unread(o)]
    return tuple(each_once([*taken, *drafted], marks_of))


def _is_unread(order: MedicationOrder) -> bool:
    doubtful = order.unreadable in UNREAD or bool(order.may_be)
    return doubtful and not order.drug.sets


def told_on(
    members: Iterable[Applied], unread: Iterable[MedicationOrder]
) -> tuple[MedicationOrder, ...]:
    """The unread orders a card of these members counts.

    All of them on the safety or the order of an opioid or NSAID, and elsewhere those that speak
    against a drug the card could propose.
    """
    members = tuple(members)
    if any(_is_on_opioid_or_nsaid(member) for member in members):
        return tuple(unread)
    proposed = [suggestion for m in members for suggestion in m.recommendation.suggestions]
    return tuple(o for o in unread if any(holds_back(o, each) for each in proposed))


def _is_on_opioid_or_nsaid(member: Applied) -> bool:
    order = member.draft.order if member.draft else None
    drafted = isinstance(order, MedicationOrder) and belongs(order.drug, *OPIOID_OR_NSAID)
    return drafted or member.recommendation.merge_group in GROUPS


def holds_back(order: MedicationOrder, suggestion: SuggestionTemplate) -> bool:
    """Whether an unread drug withholds a suggestion: an order for any drug but the antidote."""
    if not suggestion.proposes_drug or suggestion.rescues:
        return False
    only_kidney = order.unreadable == Unreadable.UNKNOWN_CODE and order.may_be <= ON_THE_KIDNEY
    return not only_kidney or suggestion.value_set == "nsaid-oral"


def in_words(count: int) -> str:
    """The one line of a card; a number only, never what is written in those orders."""
    return f"{count} medication order{'' if count == 1 else 's'} could not be read."
