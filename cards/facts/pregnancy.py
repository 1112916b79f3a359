"""Pregnancy: never assumed from age or sex."""

from __future__ import annotations

from datetime import date

from cards.answer import NO, UNKNOWN, Answer, Finding, yes
from cards.case import Case, fact
from cards.codes import ICD10CM, LOINC, SNOMED
from cards.facts.entries import (
    active_conditions,
    belongs,
    dated,
    history_conditions,
    newest_first,
    observations,
    reasons,
    within,
)
from cards.record import Concept, Condition, Observation

STATUS_DAYS = 300
# Answers to the question 82810-3; any other coded answer (unknown, possible) says nothing.
PREGNANT = frozenset({(LOINC, "LA15173-0")})
NOT_PREGNANT = frozenset({(LOINC, "LA26683-5"), (SNOMED, "60001007")})

# ICD-10-CM categories of births; the other outcomes are pregnancies that ended, or the time after.
DELIVERY_CODES = ("O80", "O82", "Z37", "Z38")


def deliveries(case: Case) -> tuple[Condition, ...]:
    """Births on record; no loss or termination of a pregnancy, and nothing of the time after."""
    found = history_conditions(case, "pregnancy-outcome")
    return tuple(condition for condition in found if _is_delivery(condition.concept))


def _is_delivery(concept: Concept) -> bool:
    codes = [coding.code.upper() for coding in concept.codings if coding.system == ICD10CM]
    return any(code.startswith(DELIVERY_CODES) for code in codes)


@fact
def pregnant(case: Case) -> Finding:
    """The newest word of the last 300 days on pregnancy says pregnant.

    A problem without any date counts as current while active; a later delivery, end, or
    negative status clears it. A test result counts only when it says pregnant.
    """
    statuses = [o for o in observations(case, "pregnancy-status") if _current(case, o)]
    positive = [o for o in statuses if _says_pregnant(o)]
    problems = [c for c in active_conditions(case, "pregnancy") if _current(case, c)]

    pregnancies: list[Condition | Observation] = [*positive, *problems]
    ends = pregnancy_ends(case)
    if pregnancies and _newest(pregnancies) >= _newest(ends):
        return yes(reasons(newest_first(pregnancies)))
    return NO if ends and case.record.read("conditions", "observations") else UNKNOWN


def pregnancy_ends(case: Case) -> list[Condition | Observation]:
    """Ends of a pregnancy and negative statuses of the last 300 days, undated ones included."""
    statuses = [o for o in observations(case, "pregnancy-status") if _current(case, o)]
    ended = [c for c in history_conditions(case, "pregnancy-outcome") if _current(case, c)]
    return [*(o for o in statuses if _says_not_pregnant(o)), *ended]


def _current(case: Case, entry: Condition | Observation) -> bool:
    when = dated(entry)
    return when is None or within(when, case.today, STATUS_DAYS) is not Answer.NO


def _newest(entries: list[Condition | Observation]) -> date:
    """Newest day the entries speak for; an undated one is older than any dated one.

    A pregnancy still listed as active was true when it was recorded, however early its onset.
    """
    days = [when.latest for entry in entries if (when := dated(entry))]
    days += [
        entry.recorded.latest
        for entry in entries
        if isinstance(entry, Condition) and belongs(entry.concept, "pregnancy") and entry.recorded
    ]
    return max(days, default=date.min)


def _says_pregnant(status: Observation) -> bool:
    answer = status.value_concept
    if answer.readable:
        return belongs(answer, "pregnancy-status", "pregnancy") or _is(answer, PREGNANT)
    return belongs(status.concept, "pregnancy") and status.value_flag is not False


def _says_not_pregnant(status: Observation) -> bool:
    return _is(status.value_concept, NOT_PREGNANT) or (
        belongs(status.concept, "pregnancy") and status.value_flag is False
    )


def _is(answer: Concept, codes: frozenset[tuple[str, str]]) -> bool:
    return any((coding.system, coding.code) in codes for coding in answer.codings)
