"""How long the back pain has lasted: acute, subacute, chronic, or not certain.

Acute is under 28 days, subacute 28 to 84 days inclusive, chronic over 84 days.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Literal

from cards.answer import NO, Answer, Finding, yes
from cards.case import Case, fact, once_a_call
from cards.facts.entries import (
    ACTIVE,
    BACK_PAIN_REASONS,
    ORDER_INTENTS,
    TAKEN,
    conditions_in,
    days_ago,
    presence,
    reasons,
)
from cards.facts.pain import (
    MID_BACK,
    TRIGGER_POINT,
    coded_chronic,
    episode,
    pathway_conditions,
    pathways_of,
    repeats,
    without_site,
)
from cards.facts.visit import reason_is_back_pain
from cards.record import Concept, Condition, Coverage, MedicationOrder, ServiceOrder, When

Phase = Literal["acute", "subacute", "chronic", "unknown"]
SUBACUTE_FROM, SUBACUTE_TO = 28, 84
NEW_EPISODE_DAYS = 84
LONGEST_FIRST: tuple[Phase, ...] = ("chronic", "subacute", "acute")


def phase_of(condition: Condition, case: Case) -> Phase:
    """The phase of one active Condition, by its onset, a chronic code, or its oldest record.

    Without an onset the oldest record proves only that the pain is at least so old.
    """
    if coded_chronic(condition):
        return "chronic"
    if condition.onset:
        return _phase_at(days_ago(condition.onset, case.today))
    evidence = (days_ago(when, case.today) for when in _oldest_records(condition, case))
    proven = max((least for least, _ in filter(None, evidence)), default=0)
    return "chronic" if proven > SUBACUTE_TO else "unknown"


def _phase_at(back: tuple[int, int] | None) -> Phase:
    """The phase every day of the interval agrees on; unknown when they differ."""
    if back is None:
        return "unknown"
    least, most = (_phase_on(days) for days in back)
    return least if least == most else "unknown"


def _phase_on(days: int) -> Phase:
    if days < SUBACUTE_FROM:
        return "acute"
    return "subacute" if days <= SUBACUTE_TO else "chronic"


def _oldest_records(condition: Condition, case: Case) -> tuple[When, ...]:
    """Dates at which this pain was surely there: its record, visits and orders for it.

    Visits and orders of an earlier episode that had ended do not count, nor orders that were
    never carried out, or that were for back pain of another pathway.
    """
    codings = set(condition.concept.codings)
    visits = (
        encounter.start
        for encounter in case.record.encounters
        if any(not codings.isdisjoint(reason.codings) for reason in encounter.reasons)
    )
    ordered = (
        order.authored
        for order in _carried_out(case)
        if order.reasons and any(_same_pain(reason, condition, case) for reason in order.reasons)
    )
    ended = _earlier_episode_ended(condition, case)
    seen = (when for when in (*visits, *ordered) if when and (not ended or when.earliest > ended))
    return tuple(when for when in (condition.recorded, *seen) if when)


def _carried_out(case: Case) -> tuple[MedicationOrder | ServiceOrder, ...]:
    """Drugs that count as taken and services ordered or done, whatever they are."""
    orders: tuple[MedicationOrder | ServiceOrder, ...] = (
        *(order for order in case.record.medications if order.status in TAKEN),
        *(o for o in case.record.service_orders if o.status in ("active", "completed")),
    )
    return tuple(o for o in orders if o.intent is None or o.intent in ORDER_INTENTS)


def _same_pain(reason: Concept, condition: Condition, case: Case) -> bool:
    """Whether the reason of an order is this Condition: by code, or back pain of its pathway."""
    if reason_is_back_pain((reason,)) is not Answer.YES:
        return False
    named = Condition("", reason, "active")
    if repeats(named, condition):
        return True
    pains = episode(case).conditions
    return bool(pathways_of(named, (named, *pains)) & pathways_of(condition, pains))


def _earlier_episode_ended(condition: Condition, case: Case) -> date | None:
    """Last day of back pain that had resolved at least 84 days before this Condition; else None."""
    if condition.recorded is None:
        return None
    began = condition.recorded.earliest
    ends = (
        earlier.abatement.latest
        for earlier in conditions_in(case, *BACK_PAIN_REASONS)
        if earlier.abatement and earlier.clinical not in ACTIVE
    )
    return max((end for end in ends if (began - end).days >= NEW_EPISODE_DAYS), default=None)


@once_a_call
def _phases(case: Case) -> tuple[tuple[Condition, Phase], ...]:
    """The Conditions of the present pain, each with its phase."""
    return tuple((condition, phase_of(condition, case)) for condition in episode(case).conditions)


@once_a_call
def phase(case: Case) -> Phase:
    """The longest certain phase of the back pain.

    Back pain that belongs to no pathway decides only when nothing else is on record. A problem
    list that was not read to the end may hide older pain: then only chronic is certain.
    """
    members = tuple(c for group in pathway_conditions(case).values() for c in group)
    longest = _longest(case, members or episode(case).conditions)
    if longest == "chronic" and case.record.coverage.get("conditions") is Coverage.UNFINISHED:
        return longest
    return longest if case.record.read("conditions") else "unknown"


def _longest(case: Case, conditions: Iterable[Condition]) -> Phase:
    """The longest certain phase; myofascial pain without a site lends its phase from the rest."""
    timed = set(map(id, _timed(tuple(conditions), case)))
    phases = {told for condition, told in _phases(case) if id(condition) in timed}
    return next((one for one in LONGEST_FIRST if one in phases), "unknown")


def _timed(conditions: tuple[Condition, ...], case: Case) -> tuple[Condition, ...]:
    borrowed = any("myofascial-pain" in c.concept.sets and without_site(c) for c in conditions)
    if not borrowed:
        return conditions
    others = (c for c in episode(case).conditions if "back-pain-any" in c.concept.sets)
    own = (c for c in conditions if "myofascial-pain" not in c.concept.sets or not without_site(c))
    return (*own, *others)


def _is(case: Case, asked: Phase) -> Finding:
    if phase(case) != asked:
        return NO
    return yes(reasons([condition for condition, told in _phases(case) if told == asked]))


@fact
@once_a_call
def phase_acute(case: Case) -> Finding:
    """The pain has surely lasted less than 28 days."""
    return _is(case, "acute")


@fact
@once_a_call
def phase_subacute(case: Case) -> Finding:
    """The pain has surely lasted 28 to 84 days."""
    return _is(case, "subacute")


@fact
@once_a_call
def phase_chronic(case: Case) -> Finding:
    """The pain has surely lasted more than 84 days, or is coded as chronic."""
    return _is(case, "chronic")


@fact
@once_a_call
def phase_unknown(case: Case) -> Finding:
    """How long the pain has lasted is not certain."""
    return _is(case, "unknown")


@fact
@once_a_call
def mid_back_acute(case: Case) -> Finding:
    """The mid-back Condition itself has surely lasted less than 28 days."""
    return presence(case, _of_phase(case, ("acute",), MID_BACK), "conditions")


@fact
@once_a_call
def mid_back_acute_or_subacute(case: Case) -> Finding:
    """The mid-back or trigger-point Condition itself has surely lasted 84 days or less."""
    short = _of_phase(case, ("acute", "subacute"), MID_BACK, TRIGGER_POINT)
    return presence(case, dict.fromkeys(short), "conditions")


def _of_phase(case: Case, asked: Collection[str], *pathways: str) -> list[Condition]:
    """The Conditions that make the patient a member of a pathway and are of such a phase."""
    members = {id(c) for pathway in pathways for c in pathway_conditions(case)[pathway]}
    if not members:
        return []
    return [c for c, told in _phases(case) if id(c) in members and told in asked]
