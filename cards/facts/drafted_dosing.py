"""How a drafted drug is to be taken: regularly or as needed, and at what time of day."""

from __future__ import annotations

from cards.answer import NO, UNKNOWN, Answer, Finding
from cards.case import Case, fact
from cards.facts.entries import draft_order
from cards.facts.orders import draft_in
from cards.record import Dosage, MedicationOrder, Timing
from cards.supply import supply_days
from cards.timing import times_per_day

LONG_ACETAMINOPHEN_DAYS = 14
# Events of FHIR's EventTiming in the evening or at bedtime, the evening meal included.
EVENING = frozenset({"HS", "PHS", "NIGHT", "EVE", "EVE.early", "EVE.late", "CV", "ACV", "PCV"})
BEDTIME_CODES = frozenset({"HS", "QHS"})  # in use as timing codes, beside the BED of FHIR
MORNING_CODE = "AM"


@fact
def acetaminophen_regular(case: Case) -> Finding:
    """Acetaminophen is ordered on a schedule, not as needed, or one fill lasts over 14 days."""
    drafted = draft_in(case, "acetaminophen")
    order = draft_order(case)
    if drafted.answer is not Answer.YES or not isinstance(order, MedicationOrder):
        return UNKNOWN if drafted.answer is Answer.YES else drafted
    days = supply_days(order)
    if any(_scheduled(dosage) for dosage in order.dosages):
        return drafted
    if days is not None and days > LONG_ACETAMINOPHEN_DAYS:
        return drafted
    as_needed = order.dosages and all(dosage.as_needed for dosage in order.dosages)
    return NO if as_needed and days is not None else UNKNOWN


def _scheduled(dosage: Dosage) -> bool:
    timed = dosage.timing is not None and times_per_day(dosage.timing) is not None
    return timed and not dosage.as_needed


@fact
def amitriptyline_not_bedtime(case: Case) -> Finding:
    """Amitriptyline is ordered more than once a day, or for another time than the evening.

    Once a day without a time of day is no such order.
    """
    drafted = draft_in(case, "amitriptyline")
    order = draft_order(case)
    if drafted.answer is not Answer.YES or not isinstance(order, MedicationOrder):
        return UNKNOWN if drafted.answer is Answer.YES else drafted
    answers = {_outside_bedtime(dosage.timing) for dosage in order.dosages}
    if Answer.YES in answers:
        return drafted
    return UNKNOWN if not answers or Answer.UNKNOWN in answers else NO


def _outside_bedtime(timing: Timing | None) -> Answer:
    if timing is None:
        return Answer.UNKNOWN
    if timing.when:
        return Answer.NO if EVENING.issuperset(timing.when) else Answer.YES
    if timing.code == MORNING_CODE:
        return Answer.YES
    times = times_per_day(timing)
    if times is None:
        return Answer.NO if timing.code in BEDTIME_CODES else Answer.UNKNOWN
    return Answer.YES if times > 1 else Answer.NO
