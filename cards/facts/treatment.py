"""Care of the back that is on record: given, ordered, drafted, or done by a specialist."""

from __future__ import annotations

from datetime import date

from cards.answer import UNKNOWN, Answer, ChartEntry, Finding
from cards.case import Case, Fact, fact, fact_named, once_a_call_for_each
from cards.facts.course import (
    KEYS,
    Care,
    care_date,
    care_start,
    code_alone_tells,
    counting,
    for_the_back,
    given_or_ordered,
    visits_of,
)
from cards.facts.entries import (
    belongs,
    drafted_services,
    judged,
    orders,
    presence,
    within,
)
from cards.facts.visit import reason_is_back_pain
from cards.record import (
    Concept,
    Encounter,
)

# The response to treatment is counted from the same start of care.
__all__ = ["ON_RECORD", "care_date", "care_start", "for_the_back"]

CANDIDATE_DAYS = 180
SPECIALIST_DAYS = 365
SPINE_REASONS = ("spinal-stenosis", "disc-disorder", "radiculopathy-lbp", "radiculopathy-sciatica")
SPECIALISTS = ("pain-specialist", "multidisciplinary-rehab")

# Fact → the value sets and the days it looks back.
ON_RECORD: dict[str, tuple[tuple[str, ...], int]] = {
    "nonpharm_on_record_84d": (("nonpharm-any",), 84),
    "nonpharm_on_record_180d": (("nonpharm-any",), 180),
    "exercise_on_record_84d": (("exercise-therapy", "motor-control-exercise"), 84),
    "exercise_on_record": (("exercise-therapy", "motor-control-exercise"), 365),
    "exercise_session_28d": (("exercise-therapy",), 28),
    "rehabilitation_on_record": (("multidisciplinary-rehab",), 365),
    "pain_specialist_180d": (("pain-specialist",), 180),
    "manual_care_tried": (("massage", "manipulation"), 365),
    "passive_on_record_84d": (("passive-modality",), 84),
    "motor_control_on_record": (("motor-control-exercise",), 365),
    "heat_on_record": (("heat",), 365),
    "massage_on_record": (("massage",), 365),
    "manipulation_on_record": (("manipulation",), 365),
    "acupuncture_on_record": (("acupuncture",), 365),
    "dry_needling_on_record": (("dry-needling",), 365),
    "acupressure_on_record": (("acupressure",), 365),
    "cbt_on_record": (("cbt",), 365),
    "mbsr_on_record": (("mbsr",), 365),
    "relaxation_on_record": (("relaxation",), 365),
    "yoga_on_record": (("yoga",), 365),
    "tai_chi_on_record": (("tai-chi",), 365),
    "education_on_record": (("education",), 365),
}


def on_record(case: Case, sets: tuple[str, ...], days: int) -> Finding:
    """Whether care of these sets was ordered, given or drafted in the last ``days`` days."""
    drafted = counting(drafted_services(case, *sets), *sets)
    return _found(case, sets, days, drafted) if drafted else _without_drafts(case, (sets, days))


@once_a_call_for_each
def _without_drafts(case: Case, asked: tuple[tuple[str, ...], int]) -> Finding:
    return _found(case, *asked, ())


def _found(case: Case, sets: tuple[str, ...], days: int, drafted: tuple[Care, ...]) -> Finding:
    care = given_or_ordered(case, *sets)
    answers = [within(care_date(entry, case.today), case.today, days) for entry in care]
    sure = [entry for entry, a in zip(care, answers, strict=True) if a is Answer.YES]
    found = (*sure, *drafted, *_visits(case, sets, days))
    if not found and Answer.UNKNOWN in answers:
        return UNKNOWN
    finding = presence(case, found, *KEYS)
    return _with_last_care(finding, care, case.today) if finding.answer is Answer.NO else finding


def _visits(case: Case, sets: tuple[str, ...], days: int) -> tuple[Encounter, ...]:
    """Visits for care of these sets; they show that it is given, their absence shows nothing."""
    return tuple(
        visit
        for visit in visits_of(case, *sets)
        if within(visit.start, case.today, days) is Answer.YES
    )


def _with_last_care(finding: Finding, care: tuple[Care, ...], today: date) -> Finding:
    """The no with the last care of its kind, so that a card can offer to take it up again."""
    dates = [(when, entry) for entry in care if (when := care_date(entry, today))]
    if not dates:
        return finding
    when, entry = max(dates, key=lambda pair: (pair[0].text, pair[1].reference))
    return Finding(Answer.NO, (ChartEntry(entry.reference, entry.concept.display, when.text[:10]),))


def _register(name: str, sets: tuple[str, ...], days: int) -> Fact:
    @fact_named(name, f"Care in {', '.join(sets)} is on record within {days} days.")
    def care_fact(case: Case) -> Finding:
        return on_record(case, sets, days)

    return care_fact


ON_RECORD_FACTS = {name: _register(name, *row) for name, row in ON_RECORD.items()}


@fact
def surgical_or_injection_candidate(case: Case) -> Finding:
    """Spine surgery or an epidural injection was ordered or referred for within 180 days."""
    sets = ("spine-surgery-referral", "spinal-injection-epidural")
    found = [
        order for order in orders(case, *sets) if of_the_spine(order.concept, order.reasons, *sets)
    ]
    answers = [within(order.authored or order.start, case.today, CANDIDATE_DAYS) for order in found]
    sure = [order for order, a in zip(found, answers, strict=True) if a is Answer.YES]
    if not sure and Answer.UNKNOWN in answers:
        return UNKNOWN
    return presence(case, sure, "serviceRequests")


def of_the_spine(concept: Concept, coded_reasons: tuple[Concept, ...], *sets: str) -> bool:
    """Whether the code alone tells the spine; else whether there is a reason of the spine."""
    if code_alone_tells(concept, *sets):
        return True
    readable = (reason for reason in coded_reasons if reason.readable)
    return reason_is_back_pain(coded_reasons) is Answer.YES or any(
        belongs(reason, *SPINE_REASONS) for reason in readable
    )


@fact
def specialist_or_rehabilitation_done(case: Case) -> Finding:
    """A pain specialist or a rehabilitation team saw the patient within 365 days.

    An order that is not completed does not count.
    """
    care = [e for e in given_or_ordered(case, *SPECIALISTS) if e.status == "completed"]
    visits = visits_of(case, *SPECIALISTS)

    def lies(entry: Care | Encounter) -> Answer:
        when = entry.start if isinstance(entry, Encounter) else care_date(entry, case.today)
        return within(when, case.today, SPECIALIST_DAYS)

    done: tuple[Care | Encounter, ...] = (*care, *visits)
    return judged(case, done, lies, *KEYS, "encounters")
