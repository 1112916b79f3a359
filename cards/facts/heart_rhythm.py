"""Heart rhythm: the corrected QT interval, and drugs that lengthen it."""

from __future__ import annotations

from cards.answer import UNKNOWN, Answer, Finding, all_of, yes
from cards.case import Case, fact
from cards.facts.entries import (
    absence,
    active_medications,
    observations,
    presence,
    reasons,
    within,
)
from cards.record import Observation

QTC_DAYS = 90
QTC_UNIT = "ms"
A_LITTLE = 0.1
QTC_LIMIT_MS = 500
QTC_LIMIT_WITH_QT_DRUG_MS = 470


def qtc_over(case: Case, limit_ms: float) -> Finding:
    """Whether the newest QTc of the last 90 days is longer than the limit.

    Unknown when its date leaves the 90 days open or its unit is not milliseconds; no older one
    stands in for it. Of several taken at one and the same time, the longest counts.
    """
    newest = _newest_qtc(case)
    if not newest:
        return absence(case, "observations")
    readable = [(value, qtc) for qtc in newest if (value := milliseconds(qtc)) is not None]
    certain = within(newest[0].effective, case.today, QTC_DAYS) is Answer.YES
    if not readable or not certain:
        return UNKNOWN
    longest, qtc = max(readable, key=lambda row: (row[0], row[1].reference))
    return yes(reasons([qtc])) if longest > limit_ms else absence(case, "observations")


def _newest_qtc(case: Case) -> tuple[Observation, ...]:
    """The newest QTc that may be at most 90 days old, and those of the same time."""
    found = [
        qtc
        for qtc in observations(case, "qtc")
        if within(qtc.effective, case.today, QTC_DAYS) is not Answer.NO
    ]
    return tuple(qtc for qtc in found if qtc.effective == found[0].effective)


def milliseconds(qtc: Observation) -> float | None:
    """The interval in ms; None without a number or in another unit, which is not guessed.

    One known only to be longer than a bound counts as a little longer than that.
    """
    if qtc.bound and qtc.bound[0] == ">" and qtc.bound[1].unit == QTC_UNIT:
        return qtc.bound[1].value + A_LITTLE
    if qtc.value is None or qtc.value.unit != QTC_UNIT:
        return None
    return qtc.value.value


@fact
def qtc_over_500(case: Case) -> Finding:
    """The newest QTc of the last 90 days is over 500 ms."""
    return qtc_over(case, QTC_LIMIT_MS)


@fact
def qtc_over_470_with_qt_drug(case: Case) -> Finding:
    """The newest QTc of the last 90 days is over 470 ms, and a drug that lengthens it is taken."""
    taken = presence(case, active_medications(case, "qt-drugs"), "medications")
    return all_of((qtc_over(case, QTC_LIMIT_WITH_QT_DRUG_MS), taken))
