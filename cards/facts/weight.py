"""Weight: a coded loss, a fall between readings, and what may explain it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from statistics import median

from cards.answer import NO, UNKNOWN, Answer, Finding, any_of, yes
from cards.case import Case, fact, once_a_call
from cards.facts.entries import (
    active_medications,
    history_conditions,
    medications_in,
    observations,
    past_medications,
    presence,
    procedures,
    reasons,
    recent,
    recent_sign,
    within,
)
from cards.facts.pregnancy import deliveries
from cards.record import MedicationOrder, Observation
from cards.units import kilograms

CODED_LOSS_DAYS = 180
NEWEST_DAYS = 60
BASELINE_DAYS = (90, 365)  # before the newest reading
WINDOW_DAYS = 365
DIGITS = 6  # hides binary rounding: 80 kg to 76 kg is a fall of 5 %


@dataclass(frozen=True, slots=True)
class Fall:
    """A change between the newest weight and the median of the earlier ones.

    Attributes:
        percent: fall in per cent of the earlier weight; negative when weight rose.
        baseline: the earlier readings, newest first.
    """

    percent: float
    newest: Observation
    baseline: tuple[Observation, ...]


@once_a_call
def weight_fall(case: Case) -> Fall | None:
    """The fall up to the newest readable weight; None without two comparable weights."""
    readings = observations(case, "body-weight")
    newest, now = next(
        (
            (reading, weight)
            for reading in readings
            if within(reading.effective, case.today, NEWEST_DAYS) is Answer.YES
            and (weight := kilograms(reading.value)) is not None
        ),
        (None, 0.0),
    )
    if newest is None or newest.effective is None:
        return None
    least, most = BASELINE_DAYS
    last = newest.effective.earliest
    earlier = [
        (reading, weight)
        for reading in readings
        if within(reading.effective, last, most, since=least) is Answer.YES
        and (weight := kilograms(reading.value)) is not None
    ]
    if not earlier:
        return None
    usual = median(weight for _, weight in earlier)
    percent = round((usual - now) / usual * 100, DIGITS)
    return Fall(percent, newest, tuple(reading for reading, _ in earlier))


def _fell(case: Case, percent: float) -> Finding:
    fall = weight_fall(case)
    if fall is None:
        return UNKNOWN
    if fall.percent >= percent:
        return yes(reasons((fall.newest, *fall.baseline)))
    return NO if case.record.read("observations") else UNKNOWN


@fact
def weight_fell_5_percent(case: Case) -> Finding:
    """The newest weight is at least 5 % below the usual weight 90 to 365 days before it."""
    return _fell(case, 5)


@fact
def weight_fell_10_percent(case: Case) -> Finding:
    """The newest weight is at least 10 % below the usual weight 90 to 365 days before it."""
    return _fell(case, 10)


@fact
def weight_loss_coded(case: Case) -> Finding:
    """Weight loss recorded as a problem in the last 180 days."""
    found = history_conditions(case, "weight-loss", suspected=True)
    return recent_sign(case, found, CODED_LOSS_DAYS, "conditions")


@fact
@once_a_call
def weight_loss_explained(case: Case) -> Finding:
    """A weight-lowering drug, bariatric surgery, a birth or a new diuretic in the last year.

    A pregnancy that still lasts explains no loss of weight.
    """
    name = "intentional-weight-loss"
    lowering = past_medications(case, name, days=WINDOW_DAYS) or active_medications(case, name)
    states = (*history_conditions(case, name), *deliveries(case))
    return any_of(
        (
            presence(case, (*lowering, *_new_diuretics(case)), "medications"),
            recent(case, procedures(case, name), WINDOW_DAYS, "procedures"),
            recent(case, states, WINDOW_DAYS, "conditions"),
        )
    )


def _new_diuretics(case: Case) -> tuple[MedicationOrder, ...]:
    """Diuretics first ordered between the weights that fell; none without such weights."""
    fall = weight_fall(case)
    days = [reading.effective for reading in fall.baseline] if fall else []
    starts = [when.latest for when in days if when]
    if fall is None or fall.newest.effective is None or not starts:
        return ()
    orders = [order for order in medications_in(case, "diuretic") if order.authored]
    first, last = min(starts), fall.newest.effective.latest
    dates: list[date] = [order.authored.earliest for order in orders if order.authored]
    if any(day < first for day in dates):
        return ()
    return tuple(o for o in orders if o.authored and first <= o.authored.earliest <= last)
