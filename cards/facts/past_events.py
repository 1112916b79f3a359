"""Past events: what happened to the patient, and how long ago.

An event is dated by its onset, else by its record, whatever its clinical status says. An injury
or poisoning coded as sequela is a late effect: it tells of the event, but not when it happened.
"""

from __future__ import annotations

from cards.answer import NO, Answer, Finding, any_of
from cards.case import Case, Fact, fact, fact_named
from cards.facts.entries import (
    TAKEN,
    active_conditions,
    dated,
    history_conditions,
    is_sequela,
    medications_in,
    presence,
    procedures,
    recent,
    recent_sign,
    within,
)
from cards.record import Condition

ULCER_DAYS = 365
OVERDOSE_DAYS = 365
BYPASS_DAYS = 30
OUD_TREATMENT_DAYS = 730

# Fact → value set, and the fewest and most days the event lies back.
EVENTS: dict[str, tuple[str, int, int]] = {
    "aki_30d": ("aki", 0, 30),
    "aki_31_90d": ("aki", 31, 90),
    "mi_60d": ("recent-mi", 0, 60),
    "mi_90d": ("recent-mi", 0, 90),
    "mi_91_365d": ("recent-mi", 91, 365),
    "suicidality_365d": ("suicidality", 0, 365),
    "head_injury_recent": ("head-injury-recent", 0, 365),
}
# Only an event surely that near is meant; the later window has those that may be.
CERTAIN = frozenset({"aki_30d", "mi_60d", "mi_90d"})


def events(case: Case, *sets: str) -> tuple[Condition, ...]:
    """Confirmed events of the sets in any state, without those coded as sequela."""
    return tuple(c for c in history_conditions(case, *sets) if not is_sequela(c.concept))


def happened(case: Case, name: str, since: int, days: int) -> Finding:
    """Whether an event lies ``since`` to ``days`` days back and none is surely newer.

    The newest event decides: who had one last week is not asked about the one before. One that
    only may be newer than ``since`` counts here, and so does a problem still active whose date is
    open: it happened, and knowing less of its date must not silence the warning.
    """
    found = events(case, name)
    if since and recent(case, found, since - 1, "conditions").answer is Answer.YES:
        return NO
    return recent_sign(case, found, days, "conditions")


def _register(name: str, value_set: str, since: int, days: int) -> Fact:
    @fact_named(name, f"The newest event in {value_set} lies {since} to {days} days back.")
    def event_fact(case: Case) -> Finding:
        if name in CERTAIN:
            return recent(case, events(case, value_set), days, "conditions")
        return happened(case, value_set, since, days)

    return event_fact


EVENT_FACTS = {name: _register(name, *row) for name, row in EVENTS.items()}


# Ulcer and bleeding


@fact
def gi_ulcer_bleed_recent(case: Case) -> Finding:
    """An ulcer or gastrointestinal bleeding in the last 365 days; an undated one is older."""
    found = [c for c in history_conditions(case, "gi-ulcer-bleed") if dated(c) is not None]
    return recent(case, found, ULCER_DAYS, "conditions")


@fact
def gi_ulcer_bleed_older(case: Case) -> Finding:
    """An ulcer or bleeding on record, and none surely in the last 365 days.

    One whose date leaves the year open counts like an undated one: it happened, and knowing
    less of its date must not silence the warning.
    """
    found = history_conditions(case, "gi-ulcer-bleed")
    if any(within(dated(c), case.today, ULCER_DAYS) is Answer.YES for c in found):
        return NO
    return presence(case, found, "conditions")


# Surgery


@fact
def cabg_30d(case: Case) -> Finding:
    """Bypass surgery of the heart in the last 30 days."""
    return recent(case, procedures(case, "cabg"), BYPASS_DAYS, "procedures")


# Opioid use disorder and overdose


@fact
def oud_or_overdose_recent(case: Case) -> Finding:
    """Opioid use disorder is active, not in remission, or an overdose in the last 365 days."""
    return any_of(
        (
            presence(case, active_conditions(case, "oud-active"), "conditions"),
            recent(case, events(case, "overdose"), OVERDOSE_DAYS, "conditions"),
        )
    )


@fact
def oud_or_overdose_history(case: Case) -> Finding:
    """Opioid use disorder or overdose at any time, or its treatment ordered within 730 days."""
    treatment = [o for o in medications_in(case, "oud-treatment") if o.status in TAKEN]
    return any_of(
        (
            presence(case, history_conditions(case, "oud", "overdose"), "conditions"),
            recent(case, treatment, OUD_TREATMENT_DAYS, "medications"),
        )
    )
