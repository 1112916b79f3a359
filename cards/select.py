"""From advice to the few cards shown: merge, choose the leader, sort and cap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from cards.recommend import Applied
from cards.recommendation import RANK
from cards.record import HookName

NEXT_STEP = "next-step"
RED_FLAG = "red-flag"
PATIENT_VIEW_CARDS = 3
CARDS_PER_DRAFT = 3
ORDER_CARDS = 5


@dataclass(frozen=True, slots=True)
class CardPlan:
    """One card to be: its leading advice, what merged into it, and its rows.

    Attributes:
        hidden: how many further cards a cap kept back; said on the last card only.
    """

    leader: Applied
    merged: tuple[Applied, ...] = ()
    rows: tuple[Applied, ...] = ()
    hidden: int = 0

    @property
    def members(self) -> tuple[Applied, ...]:
        """Everything on the card, leader first."""
        return (self.leader, *self.merged, *self.rows)


@dataclass(frozen=True, slots=True)
class Selection:
    """The cards shown, most urgent first, and those a cap kept back."""

    shown: tuple[CardPlan, ...]
    capped: tuple[CardPlan, ...]


def rank(advice: Applied) -> tuple[int, int, str]:
    """Sort key: critical before warning before info, then priority number, then id."""
    recommendation = advice.recommendation
    return -RANK[advice.indicator], recommendation.priority, recommendation.id


def select(
    applied: Iterable[Applied],
    rows: Sequence[Applied],
    next_steps: Sequence[str],
    hook: HookName,
) -> Selection:
    """The cards shown of all advice that applies.

    Args:
        rows: the option rows of the first-line card, in the order listed.
        next_steps: ids of the group next-step, in the order of the patient's pathways.
        hook: decides the caps.
    """
    applied = tuple(applied)
    steps = [advice for advice in applied if advice.recommendation.merge_group == NEXT_STEP]
    others = [advice for advice in applied if advice.recommendation.merge_group != NEXT_STEP]
    plans = list(_merged(others))
    if steps:
        plans.append(_next_step(steps, rows, next_steps))
    plans.sort(key=lambda plan: rank(plan.leader))
    shown = _patient_view(plans) if hook == "patient-view" else _orders(plans)
    capped = tuple(plan for plan in plans if plan not in shown)
    if shown and capped:
        shown[-1] = replace(shown[-1], hidden=len(capped))
    return Selection(tuple(shown), capped)


def _merged(applied: Sequence[Applied]) -> Iterable[CardPlan]:
    """One plan for each merge group about one draft; red flags one for each grade."""
    ordered = sorted(applied, key=lambda advice: (_group(advice), rank(advice)))
    for _, group in groupby(ordered, key=_group):
        leader, *merged = group
        yield CardPlan(leader, tuple(merged))


def _group(advice: Applied) -> tuple[str, int, str]:
    recommendation = advice.recommendation
    name = recommendation.merge_group or recommendation.id
    about = advice.draft.position if advice.draft else -1
    return name, about, advice.grade or ""


def _next_step(
    steps: Sequence[Applied], rows: Sequence[Applied], next_steps: Sequence[str]
) -> CardPlan:
    place = {name: position for position, name in enumerate(next_steps)}
    leader, *others = sorted(
        steps, key=lambda step: (place.get(step.recommendation.id, len(place)), rank(step)[1:])
    )
    return CardPlan(leader, (), (*others, *rows))


def _patient_view(plans: Sequence[CardPlan]) -> list[CardPlan]:
    """Every critical card; then warnings, one next step and one other note, three in all."""
    kept = [plan for plan in plans if plan.leader.indicator == "critical"]
    room = PATIENT_VIEW_CARDS - len(kept)
    notes = [plan for plan in plans if plan.leader.indicator == "info"]
    steps = [plan for plan in notes if _is_next_step(plan)]
    others = [plan for plan in notes if not _is_next_step(plan)]
    waiting = [plan for plan in plans if plan.leader.indicator == "warning"]
    waiting += steps[:1] + others[:1]
    kept += waiting[: max(room, 0)]
    return sorted(kept, key=lambda plan: rank(plan.leader))


def _is_next_step(plan: CardPlan) -> bool:
    return plan.leader.recommendation.merge_group == NEXT_STEP


def _orders(plans: Sequence[CardPlan]) -> list[CardPlan]:
    """Every critical card; else at most three about one draft and five in all."""
    room = ORDER_CARDS - sum(plan.leader.indicator == "critical" for plan in plans)
    about: dict[int, int] = {}
    kept = []
    for plan in plans:
        draft = plan.leader.draft.position if plan.leader.draft else None
        count = 0
        if draft is not None:
            count = about[draft] = about.get(draft, 0) + 1
        if plan.leader.indicator == "critical":
            kept.append(plan)
        elif room > 0 and count <= CARDS_PER_DRAFT:
            kept.append(plan)
            room -= 1
    return kept
