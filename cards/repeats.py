"""What an earlier card of the call says already of another draft, and need not be said in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cards.select import CardPlan


def with_repeats_marked(plans: Iterable[CardPlan]) -> Iterator[CardPlan]:
    """Each card with the ids of what merged into it that an earlier card says in full.

    What leads a card, and what is critical, is said in full on each.
    """
    told: set[str] = set()
    for plan in plans:
        merged = {m.recommendation.id for m in plan.merged if m.indicator != "critical"}
        yield replace(plan, told_before=frozenset(merged & told)) if merged & told else plan
        told |= {m.recommendation.id for m in (plan.leader, *plan.merged)}
