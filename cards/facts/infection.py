"""Infection: of the spine, fever, and what makes an infection of the spine likelier."""

from __future__ import annotations

from cards.answer import UNKNOWN, Answer, Finding, any_of
from cards.case import Case, fact
from cards.facts.entries import (
    active_conditions,
    active_medications,
    history_conditions,
    observations,
    presence,
    procedures,
    recent,
    within,
)
from cards.facts.results import findings
from cards.record import Condition, Observation
from cards.units import celsius

SPINAL_INFECTION_DAYS = 180
FEVER_CELSIUS = 38.0
FEVER_DAYS = 7
CODED_FEVER_DAYS = 14
OTHER_INFECTION_DAYS = 30
PORT_OF_ENTRY_DAYS = 90


@fact
def spinal_infection_dx(case: Case) -> Finding:
    """An infection of the spine diagnosed in the last 180 days."""
    found = history_conditions(case, "spinal-infection", suspected=True)
    return recent(case, found, SPINAL_INFECTION_DAYS, "conditions")


def coded_fevers(case: Case) -> tuple[Condition | Observation, ...]:
    """Fever recorded as a diagnosis or finding, not measured."""
    return (*history_conditions(case, "fever", suspected=True), *findings(case, "fever"))


def measured_fevers(case: Case) -> tuple[Observation, ...]:
    """Temperatures of 38.0 °C or more."""
    return tuple(
        temperature
        for temperature in observations(case, "body-temp")
        if (degrees := celsius(temperature.value)) is not None and degrees >= FEVER_CELSIUS
    )


@fact
def fever_recent(case: Case) -> Finding:
    """Fever measured or coded in the last 7 days; an unreadable temperature leaves it open."""
    found = (*measured_fevers(case), *coded_fevers(case))
    finding = recent(case, found, FEVER_DAYS, "observations", "conditions")
    if finding.answer is Answer.NO and any(
        celsius(temperature.value) is None
        and within(temperature.effective, case.today, FEVER_DAYS) is not Answer.NO
        for temperature in observations(case, "body-temp")
    ):
        return UNKNOWN
    return finding


@fact
def fever_coded_14d(case: Case) -> Finding:
    """Fever coded in the last 14 days."""
    return recent(case, coded_fevers(case), CODED_FEVER_DAYS, "conditions", "observations")


@fact
def fever_explained(case: Case) -> Finding:
    """Another infection, active and no more than 30 days old, explains a fever."""
    found = active_conditions(case, "other-infection")
    return recent(case, found, OTHER_INFECTION_DAYS, "conditions")


@fact
def infection_risk_factor(case: Case) -> Finding:
    """Injection drug use, weak defences, blood infection or a spinal procedure in 90 days.

    Steroid doses are not judged: no table says which dose equals 20 mg of prednisone.
    """
    lasting = active_conditions(case, "iv-drug-use", "immunosuppression", suspected=True)
    blood = history_conditions(case, "bacteraemia-endocarditis", suspected=True)
    spinal = procedures(case, "spinal-injection-epidural", "spine-surgery")
    return any_of(
        (
            presence(case, lasting, "conditions"),
            recent(case, blood, PORT_OF_ENTRY_DAYS, "conditions"),
            presence(case, active_medications(case, "immunosuppressant-drug"), "medications"),
            recent(case, spinal, PORT_OF_ENTRY_DAYS, "procedures"),
        )
    )
