"""Cancer: active, or at any time.

The value sets leave out non-melanoma skin cancer and carcinoma in situ.
"""

from __future__ import annotations

from collections.abc import Iterator

from cards.answer import UNKNOWN, Answer, Finding, yes
from cards.case import Case, fact, once_a_call
from cards.facts.entries import (
    ACTIVE,
    absence,
    active_conditions,
    conditions_in,
    history_conditions,
    presence,
    reasons,
    within,
)
from cards.record import Condition, Encounter

ENCOUNTERS_DAYS = 365
ENCOUNTERS_NEEDED = 2


@fact
@once_a_call
def active_cancer(case: Case) -> Finding:
    """An active cancer on the problem list, or cancer as a diagnosis of two visits in a year."""
    listed = [
        condition
        for condition in active_conditions(case, "malignant-neoplasm")
        if condition.categories != {"encounter-diagnosis"}
    ]
    if listed:
        return presence(case, listed, "conditions")
    visits = tuple(_cancer_visits(case))
    sure = {visit: entry for visit, entry, answer in visits if answer is Answer.YES}
    if len(sure) >= ENCOUNTERS_NEEDED:
        return yes(reasons(sure.values()))
    if len({visit for visit, _, answer in visits if answer is not Answer.NO}) >= ENCOUNTERS_NEEDED:
        return UNKNOWN
    return absence(case, "conditions", "encounters")


def _cancer_visits(case: Case) -> Iterator[tuple[str, Condition | Encounter, Answer]]:
    """Visit, what says cancer there, and whether it lies within the last year."""
    cancers = conditions_in(case, "malignant-neoplasm")
    visits = case.record.encounters if cancers else ()
    starts = {visit.reference: visit.start for visit in visits}
    for condition in cancers:
        live = condition.clinical is None or condition.clinical in ACTIVE
        if live and condition.encounter:
            when = starts.get(condition.encounter) or condition.recorded or condition.onset
            yield condition.encounter, condition, within(when, case.today, ENCOUNTERS_DAYS)
    for visit in _visits_for_cancer(case):
        yield visit.reference, visit, within(visit.start, case.today, ENCOUNTERS_DAYS)


def _visits_for_cancer(case: Case) -> tuple[Encounter, ...]:
    """The visits that took place and name a cancer as their reason."""
    visits = case.record.visits_for("malignant-neoplasm")
    return tuple(visit for visit in visits if visit.status not in ("cancelled", "planned"))


@fact
def cancer_history(case: Case) -> Finding:
    """Cancer at any time, also suspected, resolved or in remission: a red flag by history."""
    found = history_conditions(
        case, "malignant-neoplasm", "personal-history-of-cancer", suspected=True
    )
    return presence(case, found, "conditions")
