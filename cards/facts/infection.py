"""Infection: of the spine, fever, and what makes an infection of the spine likelier."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cards.answer import UNKNOWN, Answer, Finding, any_of, yes
from cards.case import Case, fact, once_a_call
from cards.dose import daily_dose
from cards.facts.entries import (
    FINISHED,
    absence,
    active_conditions,
    active_medications,
    days_ago,
    history_conditions,
    medications_in,
    presence,
    procedures,
    reasons,
    recent,
    recent_sign,
    within,
)
from cards.facts.fracture import taken_whole_body
from cards.facts.order_dose import PREDNISOLONE, PREDNISONE
from cards.facts.results import findings
from cards.record import Condition, MedicationOrder, Observation
from cards.supply import coverage_window
from cards.units import celsius

SPINAL_INFECTION_DAYS = 180
FEVER_CELSIUS = 38.0
FEVER_DAYS = 7
CODED_FEVER_DAYS = 14
OTHER_INFECTION_DAYS = 30
PORT_OF_ENTRY_DAYS = 90
STEROID_MG_A_DAY = 20.0  # of prednisone; prednisolone counts alike
STEROID_DAYS = 14
PREDNISONES = frozenset({PREDNISONE, PREDNISOLONE})


@fact
def spinal_infection_dx(case: Case) -> Finding:
    """An infection of the spine diagnosed in the last 180 days."""
    found = history_conditions(case, "spinal-infection", suspected=True)
    return recent_sign(case, found, SPINAL_INFECTION_DAYS, "conditions")


@once_a_call
def coded_fevers(case: Case) -> tuple[Condition | Observation, ...]:
    """Fever recorded as a diagnosis or finding, not measured."""
    return (*history_conditions(case, "fever", suspected=True), *findings(case, "fever"))


@once_a_call
def measured_fevers(case: Case) -> tuple[Observation, ...]:
    """Temperatures of 38.0 °C or more that may be of the last 14 days."""
    return tuple(
        temperature
        for temperature, degrees in _temperatures(case)
        if degrees is not None and degrees >= FEVER_CELSIUS
    )


@once_a_call
def _temperatures(case: Case) -> tuple[tuple[Observation, float | None], ...]:
    """The temperatures that may be of the last 14 days, in °C; None where one cannot be read."""
    return tuple(
        (taken, celsius(taken.value))
        for taken in case.record.observations_in("body-temp")
        if taken.status in FINISHED
        and days_ago(taken.effective, case.today) is not None
        and within(taken.effective, case.today, CODED_FEVER_DAYS) is not Answer.NO
    )


@fact
@once_a_call
def fever_recent(case: Case) -> Finding:
    """Fever measured or coded in the last 7 days; an unreadable temperature leaves it open."""
    found = (*measured_fevers(case), *coded_fevers(case))
    finding = recent_sign(case, found, FEVER_DAYS, "observations", "conditions")
    if finding.answer is Answer.NO and any(
        within(temperature.effective, case.today, FEVER_DAYS) is not Answer.NO
        for temperature, degrees in _temperatures(case)
        if degrees is None
    ):
        return UNKNOWN
    return finding


@fact
def fever_coded_14d(case: Case) -> Finding:
    """Fever coded in the last 14 days."""
    return recent_sign(case, coded_fevers(case), CODED_FEVER_DAYS, "conditions", "observations")


@fact
def fever_explained(case: Case) -> Finding:
    """Another infection, active and no more than 30 days old, explains a fever."""
    found = active_conditions(case, "other-infection")
    return recent(case, found, OTHER_INFECTION_DAYS, "conditions")


@fact
@once_a_call
def infection_risk_factor(case: Case) -> Finding:
    """Injection drug use, weak defences, blood infection or a spinal procedure in 90 days.

    Weak defences may also come from steroids: 20 mg of prednisone a day or more for 14 days.
    """
    lasting = active_conditions(case, "iv-drug-use", "immunosuppression", suspected=True)
    blood = history_conditions(case, "bacteraemia-endocarditis", suspected=True)
    spinal = procedures(case, "spinal-injection-epidural", "spine-surgery")
    return any_of(
        (
            presence(case, lasting, "conditions"),
            recent_sign(case, blood, PORT_OF_ENTRY_DAYS, "conditions"),
            presence(case, active_medications(case, "immunosuppressant-drug"), "medications"),
            recent(case, spinal, PORT_OF_ENTRY_DAYS, "procedures"),
            _steroid_dose(case),
        )
    )


def _steroid_dose(case: Case) -> Finding:
    """Prednisone or prednisolone, 20 mg a day or more, taken for the last 14 days without a gap.

    Unknown for a dose that cannot be read and for other steroids: no table says which dose of
    them equals 20 mg of prednisone.
    """
    name = "systemic-corticosteroid"
    orders = [(o, _high_dose(o)) for o in medications_in(case, name) if taken_whole_body(o)]
    if not orders:
        return absence(case, "medications")
    now = active_medications(case, name)
    high = [order for order, answer in orders if answer is Answer.YES]
    if _days_on(high, now, case.today) >= STEROID_DAYS:
        return yes(reasons(order for order in high if order in now))
    may_be = [order for order, answer in orders if answer is not Answer.NO]
    if _days_on(may_be, now, case.today) >= STEROID_DAYS:
        return UNKNOWN
    return absence(case, "medications")


def _high_dose(order: MedicationOrder) -> Answer:
    """Whether an order reaches 20 mg of prednisone a day; unknown when that cannot be told."""
    if order.product is None or order.product.ingredients.isdisjoint(PREDNISONES):
        return Answer.UNKNOWN
    (ingredient,) = order.product.ingredients & PREDNISONES
    dose = daily_dose(order, ingredient)
    if dose is None:
        return Answer.UNKNOWN
    return Answer.YES if dose.mg_per_day >= STEROID_MG_A_DAY else Answer.NO


def _days_on(
    orders: Iterable[MedicationOrder], now: tuple[MedicationOrder, ...], today: date
) -> int:
    """Days up to today that these orders cover without a gap; none unless one is active now."""
    running = [order for order in orders if order in now]
    windows = [w for o in orders if (w := coverage_window(o)) and (o in running or w[1] < today)]
    begin = today
    for start, end in sorted(windows, key=lambda window: window[1], reverse=True):
        if running and end >= begin:
            begin = min(begin, start)
    return (today - begin).days
