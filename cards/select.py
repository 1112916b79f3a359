"""From advice to the few cards shown: merge, choose the leader, sort and cap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cards.answer import ChartEntry
from cards.recommend import Applied
from cards.recommendation import RANK, Recommendation
from cards.record import HookName, MedicationOrder

NEXT_STEP = "next-step"
# It says that pain relief need not wait, which is no word to stand beside a danger of that drug.
DRUG_TOO_EARLY = "drug-before-nonpharmacologic"
# Drug-safety cards that stand alone, outside the groups named "-safety".
SAFETY_CARDS = frozenset(
    {"acetaminophen-max-dose", "serotonergic-combination", "systemic-corticosteroid-avoid"}
)
PATIENT_VIEW_CARDS = 3
CARDS_PER_DRAFT = 3
ORDER_CARDS = 5


@dataclass(frozen=True, slots=True)
class CardPlan:
    """One card to be: its leading advice, what merged into it, and its rows.

    Attributes:
        texts: recommendations that are a paragraph of this card.
        pathway: of a next-step card, the pathway whose step leads; None otherwise.
        hidden: how many further cards a cap kept back; said on the last card only.
        unread_drugs: how many medication orders could not be read, where the card says so.
        unrecorded: what was looked for and is not on record, where the card says so.
        told_before: ids of what merged into it that an earlier card of the call says in full.
    """

    leader: Applied
    merged: tuple[Applied, ...] = ()
    rows: tuple[Applied, ...] = ()
    texts: tuple[Applied, ...] = ()
    pathway: str | None = None
    hidden: int = 0
    unread_drugs: int = 0
    unrecorded: tuple[ChartEntry, ...] = ()
    told_before: frozenset[str] = frozenset()

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
    order: Sequence[str],
    hook: HookName,
) -> Selection:
    """The cards shown of all advice that applies.

    Args:
        rows: the option rows of the first-line card, in the order listed.
        order: ids of the group next-step, in the order of the patient's pathways.
        hook: decides the caps.
    """
    applied = tuple(applied)
    steps = next_steps(applied, order)
    others = [advice for advice in applied if advice.recommendation.merge_group != NEXT_STEP]
    plans = list(_merged(others))
    if steps and hook == "patient-view":
        plans.append(CardPlan(steps[0], (), (*steps[1:], *rows)))
    elif steps:
        plans = _with_replacements(plans, steps)
    plans.sort(key=lambda plan: rank(plan.leader))
    plans = _early_drug_once(plans)
    shown = _patient_view(plans) if hook == "patient-view" else _orders(plans)
    places = set(map(id, shown))
    capped = tuple(plan for plan in plans if id(plan) not in places)
    if shown and capped:
        shown[-1] = replace(shown[-1], hidden=len(capped))
    return Selection(tuple(shown), capped)


def _merged(applied: Sequence[Applied]) -> Iterable[CardPlan]:
    """One plan for each merge group about one draft; red flags one for each grade."""
    groups: dict[tuple[str, int, str], list[Applied]] = {}
    for advice in applied:
        groups.setdefault(_group(advice), []).append(advice)
    for name in sorted(groups):
        leader, *merged = _ranked(groups[name])
        yield CardPlan(leader, tuple(merged))


def _ranked(applied: list[Applied]) -> list[Applied]:
    return sorted(applied, key=rank) if len(applied) > 1 else applied


def _group(advice: Applied) -> tuple[str, int, str]:
    recommendation = advice.recommendation
    name = recommendation.merge_group or recommendation.id
    return name, _about(advice), advice.grade or ""


def next_steps(applied: Iterable[Applied], order: Sequence[str]) -> tuple[Applied, ...]:
    """The group next-step, the leader first: in this order, what it does not list by rank."""
    steps = [advice for advice in applied if advice.recommendation.merge_group == NEXT_STEP]
    if len(steps) < 2:
        return tuple(steps)
    place = {name: position for position, name in enumerate(dict.fromkeys(order))}
    return tuple(
        sorted(
            steps, key=lambda step: (place.get(step.recommendation.id, len(place)), rank(step)[1:])
        )
    )


def _with_replacements(plans: Sequence[CardPlan], steps: Sequence[Applied]) -> list[CardPlan]:
    """Safer drugs in place of a draft: rows of the safety card about it, else a card of their own.

    On the order hooks the group next-step holds nothing but such replacements.
    """
    told = sorted(plans, key=lambda plan: rank(plan.leader))
    for draft in dict.fromkeys(map(_about, steps)):
        leader, *others = (step for step in steps if _about(step) == draft)
        replacement = CardPlan(leader, (), tuple(others))
        safety = [
            place
            for place, plan in enumerate(told)
            if is_safety(plan.leader.recommendation) and _about(plan.leader) == draft
        ]
        if safety:
            plan = told[safety[0]]
            told[safety[0]] = replace(plan, rows=(*plan.rows, *replacement.members))
        else:
            told.append(replacement)
    return told


def _about(advice: Applied) -> int:
    """The place of the draft that advice is about; -1 when it is about the patient."""
    return advice.draft.position if advice.draft else -1


def is_safety(recommendation: Recommendation) -> bool:
    """Whether it warns of a danger of a drug, whatever its kind."""
    group = recommendation.merge_group or ""
    return group.endswith("-safety") or recommendation.id in SAFETY_CARDS


def with_one_drug_step(plan: CardPlan) -> CardPlan:
    """Orders of the first drug step on a card of next steps only; later ones stay as words.

    Drug steps follow one another, and no evaluation jumps more than one.
    """
    if not is_next_step(plan):
        return plan
    steps = [member for member in plan.members if any(s.proposes_drug for s in member.suggestions)]
    if len(steps) < 2:
        return plan
    first = steps[0]
    return replace(
        plan,
        leader=plan.leader if plan.leader is first else _without_drugs(plan.leader),
        rows=tuple(row if row is first else _without_drugs(row) for row in plan.rows),
    )


def _without_drugs(advice: Applied) -> Applied:
    left = (s for s in advice.suggestions if not s.proposes_drug)
    return replace(advice, suggestions=tuple(left))


def with_one_nsaid(plans: Sequence[CardPlan]) -> tuple[CardPlan, ...]:
    """No order for an NSAID on the skin where another card of the call orders one by mouth.

    ``at-most-one`` keeps two drugs of one card apart; nothing does across cards.
    """
    by_mouth = [plan for plan in plans if _creates(plan, "nsaid-oral")]
    return tuple(
        _without(plan, "nsaid-topical") if by_mouth and plan not in by_mouth else plan
        for plan in plans
    )


def _creates(plan: CardPlan, value_set: str) -> bool:
    return any(
        template.value_set == value_set and template.action == "create"
        for member in plan.members
        for template in member.suggestions
    )


def _without(plan: CardPlan, value_set: str) -> CardPlan:
    def kept(advice: Applied) -> Applied:
        left = (t for t in advice.suggestions if (t.action, t.value_set) != ("create", value_set))
        return replace(advice, suggestions=tuple(left))

    return replace(
        plan,
        leader=kept(plan.leader),
        merged=tuple(map(kept, plan.merged)),
        rows=tuple(map(kept, plan.rows)),
    )


def _early_drug_once(plans: Sequence[CardPlan]) -> list[CardPlan]:
    """The word on drugs before other care once a call, on the first draft that calls for it.

    Not on a draft with an opioid in it, and not beside a danger of that draft.
    """
    early = [plan for plan in plans if plan.leader.recommendation.id == DRUG_TOO_EARLY]
    if not early:
        return list(plans)
    barred = {_about(p.leader) for p in plans if p.leader.indicator == "critical"}
    fitting = [p for p in early if _about(p.leader) not in barred and not _has_opioid(p.leader)]
    return [plan for plan in plans if plan not in early or plan in fitting[:1]]


def _has_opioid(advice: Applied) -> bool:
    order = advice.draft.order if advice.draft else None
    return isinstance(order, MedicationOrder) and "opioid" in order.drug.sets


def _patient_view(plans: Sequence[CardPlan]) -> list[CardPlan]:
    """Every critical card; then warnings, one next step and one other note, three in all."""
    kept = [plan for plan in plans if plan.leader.indicator == "critical"]
    room = PATIENT_VIEW_CARDS - len(kept)
    notes = [plan for plan in plans if plan.leader.indicator == "info"]
    steps = [plan for plan in notes if is_next_step(plan)]
    others = [plan for plan in notes if not is_next_step(plan)]
    waiting = [plan for plan in plans if plan.leader.indicator == "warning"]
    waiting += steps[:1] + others[:1]
    kept += waiting[: max(room, 0)]
    return sorted(kept, key=lambda plan: rank(plan.leader))


def is_next_step(plan: CardPlan) -> bool:
    """Whether this is the card of the next steps."""
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
