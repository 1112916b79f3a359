"""Care around opioids: talks, screens and reviews on record, and a restart after a gap."""

from __future__ import annotations

from cards.answer import NO, UNKNOWN, Answer, Finding, yes
from cards.case import Case, fact
from cards.facts.course import Care, care_date
from cards.facts.entries import (
    TAKEN,
    absence,
    judged,
    medications_in,
    observations,
    orders,
    procedures,
    recent,
    shown,
    within,
)
from cards.facts.orders import draft_in
from cards.facts.other_drugs import at_its_earliest
from cards.record import MedicationOrder, Observation
from cards.supply import coverage_window

COUNSELLING_DAYS = 180
SCREEN_DAYS = 365
REVIEW_DAYS = 180
GAP_FROM_DAYS, GAP_TO_DAYS = 30, 180


@fact
def opioid_counselling_180d(case: Case) -> Finding:
    """A talk on the risks and benefits of opioids was held or ordered within 180 days."""
    name = "opioid-counselling"
    care: tuple[Care, ...] = (*procedures(case, name), *orders(case, name))
    return _lately(case, care, COUNSELLING_DAYS, "procedures", "serviceRequests")


@fact
def sud_screen_365d(case: Case) -> Finding:
    """A screen for substance use has a result within 365 days."""
    return recent(case, observations(case, "sud-screen"), SCREEN_DAYS, "observations")


@fact
def opioid_review_180d(case: Case) -> Finding:
    """A monitoring programme check, urine drug test or pain review is on record for 180 days."""
    name = "opioid-review"
    care: tuple[Care | Observation, ...] = (
        *procedures(case, name),
        *orders(case, name),
        *observations(case, name),
    )
    return _lately(case, care, REVIEW_DAYS, "procedures", "serviceRequests", "observations")


def _lately(case: Case, care: tuple[Care | Observation, ...], days: int, *keys: str) -> Finding:
    """Presence of care last given within the days; a planned day still to come does not count."""

    def lies(entry: Care | Observation) -> Answer:
        given = entry.effective if isinstance(entry, Observation) else care_date(entry, case.today)
        return within(given, case.today, days)

    return judged(case, care, lies, *keys)


@fact
def opioid_restart_after_gap(case: Case) -> Finding:
    """An opioid is ordered, and the last cover by opioids ended 30 to 180 days ago.

    Unknown while an order under way bears no date, or a partial date leaves the end open.
    """
    drafted = draft_in(case, "opioid")
    if drafted.answer is not Answer.YES:
        return drafted
    taken = [order for order in medications_in(case, "opioid") if order.status in TAKEN]
    ends = [(end, order) for order in taken if (end := _days_since_end(case, order))]
    if any(end[1] < GAP_FROM_DAYS for end, _ in ends):
        return NO
    undated = any(o.status in ("active", "on-hold") and coverage_window(o) is None for o in taken)
    if not ends:
        return UNKNOWN if undated else absence(case, "medications")
    least, most = min(end[0] for end, _ in ends), min(end[1] for end, _ in ends)
    if undated or least < GAP_FROM_DAYS or least <= GAP_TO_DAYS < most:
        return UNKNOWN
    if least > GAP_TO_DAYS:
        return absence(case, "medications")
    _, last = min(ends, key=lambda pair: (pair[0], pair[1].reference))
    return yes((*drafted.because, shown(last)))


def _days_since_end(case: Case, order: MedicationOrder) -> tuple[int, int] | None:
    """Fewest and most days since the cover ended, below 0 while it runs; None when not begun."""
    window, shortest = coverage_window(order), coverage_window(at_its_earliest(order))
    if window is None or shortest is None or window[0] > case.today:
        return None
    return (case.today - window[1]).days, (case.today - shortest[1]).days
