"""Injections ordered: what speaks for a facet procedure, and what a steroid is meant for."""

from __future__ import annotations

from cards.answer import NO, UNKNOWN, Answer, Finding
from cards.case import Case, fact
from cards.facts.entries import draft_order, drafted_services, procedures, recent
from cards.facts.order_reasons import order_reason_myofascial
from cards.facts.orders import because_draft, draft_in, ordered
from cards.record import OtherOrder

BLOCK_DAYS = 365


@fact
def facet_rfa_by_specialist_after_block(case: Case) -> Finding:
    """A specialist orders a facet procedure after a diagnostic block; never yes.

    No prefetch key delivers the requester's specialty, and one value set holds the block and the
    procedure it should precede. All that can be known is that no block was done within 365 days.
    """
    ordered_facet = draft_in(case, "spinal-injection-facet-rfa")
    if ordered_facet.answer is not Answer.YES:
        return ordered_facet
    blocks = procedures(case, "spinal-injection-facet-rfa")
    block = recent(case, blocks, BLOCK_DAYS, "procedures")
    return NO if block.answer is Answer.NO else UNKNOWN


@fact
def steroid_with_trigger_point_order(case: Case) -> Finding:
    """The draft is meant for a trigger point, by its reason or by an injection drafted with it."""
    order = draft_order(case)
    if order is None or isinstance(order, OtherOrder):
        return NO
    if not ordered(order).readable:
        return UNKNOWN
    reason = order_reason_myofascial(case)
    if reason.answer is Answer.YES or drafted_services(case, "tpi"):
        return because_draft(case)
    return reason
