"""What the draft order states it is for, beside back pain."""

from __future__ import annotations

from cards.answer import NO, UNKNOWN, Answer, Finding
from cards.case import Case, Fact, fact_named
from cards.facts.entries import draft_order
from cards.facts.orders import ordered, reason_in
from cards.record import OtherOrder

# Fact → the value sets of which the draft must state one as its reason.
STATED: dict[str, tuple[str, ...]] = {
    "order_reason_myofascial": ("myofascial-pain", "trigger-point"),
    "order_for_spasticity": ("spasticity-disorder",),
    "order_for_anxiety_seizure_withdrawal": ("mood-anxiety", "seizure", "alcohol-use-disorder"),
}


def stated_reason(case: Case, *sets: str) -> Finding:
    """Whether a coded reason of the draft is in the sets; late effects of an injury count.

    A readable order without any reason states no such thing; a reason only in words leaves it open.
    """
    order = draft_order(case)
    if order is None:
        return NO
    stated = reason_in(case, *sets, late_effects=True)
    if stated.answer is not Answer.UNKNOWN or order.reasons or isinstance(order, OtherOrder):
        return stated
    return NO if ordered(order).readable else UNKNOWN


def _register(name: str, sets: tuple[str, ...]) -> Fact:
    @fact_named(name, f"The draft states a reason in {', '.join(sets)}.")
    def reason_fact(case: Case) -> Finding:
        return stated_reason(case, *sets)

    return reason_fact


STATED_FACTS = {name: _register(name, sets) for name, sets in STATED.items()}
order_reason_myofascial = STATED_FACTS["order_reason_myofascial"]
