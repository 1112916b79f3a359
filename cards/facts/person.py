"""The person: age, and whether advice is meant for them at all."""

from __future__ import annotations

from datetime import date

from cards.answer import NO, UNKNOWN, YES, Answer, ChartEntry, Finding, yes
from cards.case import Case, fact
from cards.record import When

ADULT = 18


def age_range(birth: When | None, today: date) -> tuple[int, int] | None:
    """Least and greatest age in completed years; None when birth is unknown or in the future."""
    if birth is None or birth.earliest > today:
        return None
    return _years(min(birth.latest, today), today), _years(birth.earliest, today)


def _years(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def _at_least(case: Case, years: int) -> Answer:
    ages = age_range(case.record.patient.birth, case.today)
    if ages is None:
        return Answer.UNKNOWN
    youngest, oldest = ages
    if youngest >= years:
        return Answer.YES
    return Answer.NO if oldest < years else Answer.UNKNOWN


def _age(case: Case) -> tuple[ChartEntry, ...]:
    """The age as a card shows it."""
    patient = case.record.patient
    ages = age_range(patient.birth, case.today)
    if ages is None:
        return ()
    youngest, oldest = ages
    years = f"{youngest}" if youngest == oldest else f"{youngest} or {oldest}"
    return (ChartEntry(f"Patient/{patient.id}", f"age {years}"),)


def _older(case: Case, years: int) -> Finding:
    match _at_least(case, years):
        case Answer.YES:
            return yes(_age(case))
        case Answer.NO:
            return NO
        case Answer.UNKNOWN:
            return UNKNOWN


@fact
def not_eligible(case: Case) -> Finding:
    """Deceased, or surely under 18; an unknown age never excludes."""
    if case.record.patient.deceased:
        return YES
    return YES if _at_least(case, ADULT) is Answer.NO else NO


@fact
def age_unknown(case: Case) -> Finding:
    """No birth date, or one too coarse to tell whether the patient is 18."""
    return YES if _at_least(case, ADULT) is Answer.UNKNOWN else NO


@fact
def age_over_50(case: Case) -> Finding:
    """51 or more completed years."""
    return _older(case, 51)


@fact
def age_65_or_over(case: Case) -> Finding:
    """65 or more completed years."""
    return _older(case, 65)


@fact
def age_75_or_over(case: Case) -> Finding:
    """75 or more completed years."""
    return _older(case, 75)


@fact
def age_over_75(case: Case) -> Finding:
    """76 or more completed years."""
    return _older(case, 76)


@fact
def age_under_65(case: Case) -> Finding:
    """Fewer than 65 completed years."""
    match _at_least(case, 65):
        case Answer.YES:
            return NO
        case Answer.NO:
            return yes(_age(case))
        case Answer.UNKNOWN:
            return UNKNOWN
