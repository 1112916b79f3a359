"""Kidney function: the newest eGFR, and the coded stage of chronic kidney disease.

Bands follow one another without a gap: 44.6 is still 30-44. The newest eGFR of a year and every
active coded stage are read; a stage gives way to an eGFR measured after it. Where both leave
more than one band, the worse one stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cards.answer import NO, UNKNOWN, Answer, Finding, any_of, yes
from cards.case import Case, Fact, fact, fact_named, once_a_call, once_a_call_for_each
from cards.facts.entries import (
    SUSPECTED,
    absence,
    dated,
    is_active,
    last_day,
    latest_observation,
    observations,
    reasons,
    within,
)
from cards.facts.person import age_65_or_over
from cards.record import Condition, Observation, Quantity

KEYS = ("observations", "conditions")
EGFR_DAYS = 365
EGFR_UNIT = "mL/min/{1.73_m2}"
HEALTHY_FROM = 60.0  # no band begins here or above
A_LITTLE = 0.1
PLAUSIBLE_EGFR = (2.0, 200.0)


@dataclass(frozen=True, slots=True)
class Band:
    """A range of eGFR and the value set of the stage that stands for it.

    Attributes:
        least: smallest eGFR of the band, in mL/min/1.73 m²; ``below`` is the first above it.
        without_egfr: whether the stage counts only where no eGFR can be read.
    """

    least: float
    below: float
    stage: str
    without_egfr: bool = False


# Fact → its band, worst first.
BANDS = {
    "egfr_under_30": Band(0, 30, "ckd-4-5"),
    "egfr_30_44": Band(30, 45, "ckd-3b"),
    "egfr_45_59": Band(45, 60, "ckd-3", without_egfr=True),
}

STAGES = frozenset(band.stage for band in BANDS.values())


# What is on record


def egfr(result: Observation) -> float | None:
    """The eGFR in mL/min/1.73 m²; None without a number, in another unit, or outside 2-200.

    Many laboratories report only ">60" or "<15". Such a bound counts as a value just beyond it
    where all that lies beyond is healthy, or weak: the best that it can be.
    """
    value = result.value or _just_beyond(result.bound)
    if value is None or not (value.unit == EGFR_UNIT or _low_by_time_alone(value)):
        return None
    least, most = PLAUSIBLE_EGFR
    return value.value if least <= value.value <= most else None


def _low_by_time_alone(value: Quantity) -> bool:
    """Whether a result without the body surface in its unit still warns; it never reassures."""
    return value.unit == "mL/min" and value.value < HEALTHY_FROM


def _just_beyond(bound: tuple[str, Quantity] | None) -> Quantity | None:
    if bound is None:
        return None
    comparator, limit = bound
    if comparator in (">", ">=") and limit.value >= HEALTHY_FROM:
        return limit
    if comparator == "<" and limit.value <= HEALTHY_FROM:
        return replace(limit, value=limit.value - A_LITTLE)
    return limit if comparator == "<=" and limit.value < HEALTHY_FROM else None


@once_a_call
def newest_egfr(case: Case) -> Observation | None:
    """The newest eGFR surely at most 365 days old, readable or not; None without one.

    Of several given for one and the same time, the lowest that can be read.
    """
    newest = latest_observation(case, "egfr", days=EGFR_DAYS)
    if newest is None:
        return None
    together = [o for o in observations(case, "egfr") if o.effective == newest.effective]
    readable = [(value, o.reference, o) for o in together if (value := egfr(o)) is not None]
    return min(readable, key=lambda row: row[:2])[2] if readable else newest


def staged(case: Case, value_set: str) -> tuple[Condition, ...]:
    """Active kidney disease whose code, or coded stage, is in the value set."""
    return tuple(condition for condition, sets in _all_staged(case) if value_set in sets)


@once_a_call
def _all_staged(case: Case) -> tuple[tuple[Condition, frozenset[str]], ...]:
    """Active kidney disease with the value sets of the stages it is coded in."""
    return tuple(
        (condition, sets)
        for condition in case.record.conditions
        if (sets := _stages_of(condition))
        and condition.verification not in SUSPECTED
        and is_active(condition, case.today)
    )


def _stages_of(condition: Condition) -> frozenset[str]:
    if not condition.stages:
        return STAGES.intersection(condition.concept.sets)
    coded = (condition.concept, *condition.stages)
    return frozenset(name for concept in coded for name in concept.sets if name in STAGES)


# Bands


def _measured(case: Case, band: Band) -> Finding:
    """Whether the newest eGFR lies in the band; unknown when it does not settle that.

    Behind one that does not, the newest that does still warns; it does not reassure.
    """
    newest = newest_egfr(case)
    if newest is None:
        return UNKNOWN
    if _settles(newest, band):
        return yes(reasons([newest])) if _lies_in(band, newest) else NO
    before = _newest_settling(case, band)
    return yes(reasons([before])) if before and _lies_in(band, before) else UNKNOWN


def _settles(result: Observation, band: Band) -> bool:
    """Whether it can be read, and is not a mere "<60" that may lie in this worse band."""
    value = egfr(result)
    at_best = result.value is None and result.bound is not None and result.bound[0] in ("<", "<=")
    return value is not None and not (at_best and value >= band.below)


def _lies_in(band: Band, result: Observation) -> bool:
    value = egfr(result)
    return value is not None and band.least <= value < band.below


def _newest_settling(case: Case, band: Band) -> Observation | None:
    found = (
        o
        for o in observations(case, "egfr")
        if _settles(o, band) and within(o.effective, case.today, EGFR_DAYS) is Answer.YES
    )
    return next(found, None)


def _coded(case: Case, band: Band) -> Finding:
    """Whether a stage of the band is coded and stands; no when none is coded."""
    return any_of(_stands(case, band, condition) for condition in staged(case, band.stage))


def _stands(case: Case, band: Band, stage: Condition) -> Finding:
    """Whether no eGFR that settles the band is newer than the stage; no other overtakes it."""
    newest = newest_egfr(case)
    if newest is None or newest.effective is None or not _settles(newest, band):
        return yes(reasons([stage]))
    if band.without_egfr:
        return NO
    coded, last = dated(stage), last_day(stage)
    if coded is None or last is None:  # an active stage of no date is not known to be overtaken
        return yes(reasons([stage]))
    if newest.effective.earliest > last:
        return NO
    return yes(reasons([stage])) if newest.effective.latest <= coded.earliest else UNKNOWN


@once_a_call_for_each
def _in_band(case: Case, name: str) -> Finding:
    """Whether the kidney works in this band and in no worse one.

    Unknown without any eGFR or stage, where an eGFR on record cannot be read and no stage of the
    band is coded, and where only the date of the stage leaves it open.
    """
    worse = list(BANDS)[: list(BANDS).index(name)]
    if any(_in_band(case, other).answer is Answer.YES for other in worse):
        return NO
    measured, coded = _measured(case, BANDS[name]), _coded(case, BANDS[name])
    if Answer.YES in (measured.answer, coded.answer):
        return any_of((measured, coded))
    if coded.answer is Answer.UNKNOWN:
        return UNKNOWN
    outside = measured.answer is Answer.NO or (newest_egfr(case) is None and _any_stage(case))
    return absence(case, *KEYS) if outside else UNKNOWN


def _any_stage(case: Case) -> bool:
    return any(staged(case, band.stage) for band in BANDS.values())


def _register(name: str) -> Fact:
    band = BANDS[name]

    @fact_named(name, f"The eGFR is {band.least} to under {band.below}, or {band.stage} is coded.")
    def band_fact(case: Case) -> Finding:
        return _in_band(case, name)

    return band_fact


BAND_FACTS = {name: _register(name) for name in BANDS}


@fact
def older_without_egfr(case: Case) -> Finding:
    """65 or over, and no eGFR of the last 365 days that can be read.

    Silence means the kidney function is not known, so it is a yes also where results were not
    delivered. A yes shows the newest eGFR there is, too old or unreadable as it may be.
    """
    newest = newest_egfr(case)
    if newest is not None and egfr(newest) is not None:
        return NO
    age = age_65_or_over(case)
    if age.answer is not Answer.YES:
        return age
    return yes((*age.because, *reasons(observations(case, "egfr")[:1])))
