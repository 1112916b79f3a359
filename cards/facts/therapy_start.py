"""The start of therapy in the present course, and whether the patient was seen again since."""

from __future__ import annotations

from cards.answer import UNKNOWN, Answer, ChartEntry, Finding, yes
from cards.case import Case, fact, once
from cards.facts.course import (
    CARE_WITHOUT_ONSET_DAYS,
    KEYS,
    STEP_DRUGS,
    Spell,
    first_day,
    for_pain,
    given_or_ordered,
    present_course,
    undated,
)
from cards.facts.entries import (
    TAKEN,
    absence,
    belongs,
    judged,
    medications_in,
    observations,
    presence,
    shown,
    within,
)
from cards.facts.visit import reason_is_back_pain
from cards.record import (
    Encounter,
    MedicationOrder,
    Observation,
    Procedure,
    ServiceOrder,
    When,
)
from cards.supply import coverage_window

LIGHT_PROGRAMME_DAYS = 28
STARTED_FROM_DAYS, STARTED_TO_DAYS = 14, 56
LIGHT_PROGRAMME = ("exercise-therapy", "motor-control-exercise", "education")


@fact
def light_programme_28d_ago(case: Case) -> Finding:
    """Exercise, advice or self-care of the present course began 28 days ago or more."""
    light = [
        spell
        for spell in present_course(case)
        if isinstance(spell.care, Procedure | ServiceOrder)
        and belongs(spell.care.concept, *LIGHT_PROGRAMME)
        and (case.today - spell.last).days <= CARE_WITHOUT_ONSET_DAYS
    ]
    answers = [within(spell.start, case.today, LIGHT_PROGRAMME_DAYS - 1) for spell in light]
    begun = [spell.care for spell, a in zip(light, answers, strict=True) if a is Answer.NO]
    may_be_older = any(map(undated, given_or_ordered(case, *LIGHT_PROGRAMME)))
    if not begun and (Answer.UNKNOWN in answers or may_be_older):
        return UNKNOWN
    return presence(case, begun, *KEYS)


@once
def therapy_start(case: Case) -> tuple[When, ChartEntry] | None:
    """When the first therapy of the present course began, drug or not; None when none runs.

    With partial dates, from the first to the last day that can have been the first of all.
    """
    first = first_day(case)
    started = [
        (spell.start, shown(spell.care))
        for spell in present_course(case)
        if spell.start and spell.start.latest >= first and _is_step(spell)
    ]
    if not started:
        return None
    began, entry = min(started, key=lambda s: (s[0].earliest, s[0].text, s[1].reference))
    latest = min(when.latest for when, _ in started)
    return When(began.earliest, latest, began.text), entry


def _is_step(spell: Spell) -> bool:
    return not isinstance(spell.care, MedicationOrder) or belongs(spell.care.drug, *STEP_DRUGS)


@fact
def therapy_started_14_56d(case: Case) -> Finding:
    """The first therapy of the present course began two to eight weeks ago.

    Where a list was not read to the end an earlier start may stand in it: unknown.
    """
    keys = ("medications", *KEYS)
    began = therapy_start(case)
    if began and within(began[0], case.today, STARTED_TO_DAYS) is Answer.NO:
        return absence(case, *keys)
    if _undated_therapy(case):
        return UNKNOWN
    if began is None:
        return absence(case, *keys)
    start, entry = began
    match within(start, case.today, STARTED_TO_DAYS, since=STARTED_FROM_DAYS):
        case Answer.YES:
            return yes([entry]) if case.record.read(*keys) else UNKNOWN
        case Answer.UNKNOWN:
            return UNKNOWN
        case Answer.NO:
            return absence(case, *keys)


def _undated_therapy(case: Case) -> bool:
    """Whether any therapy for the back bears no date, so that it may have been the first."""
    drugs = (
        order
        for order in medications_in(case, *STEP_DRUGS)
        if order.status in TAKEN and for_pain(order)
    )
    return any(coverage_window(order) is None for order in drugs) or any(
        map(undated, given_or_ordered(case, "nonpharm-any"))
    )


@fact
def reassessed_since_start(case: Case) -> Finding:
    """A visit for the back, other than this one, or a score is dated after therapy began.

    Unknown when no therapy runs: there is no start to count from.
    """
    began = therapy_start(case)
    if began is None:
        return UNKNOWN
    start, _ = began
    visits = [
        visit
        for visit in case.record.encounters
        if visit.status == "finished"
        and visit.reference != case.record.encounter
        and reason_is_back_pain(visit.reasons) is Answer.YES
    ]
    scores = observations(case, "pain-score", "function-score")

    def lies(entry: Encounter | Observation) -> Answer:
        return _after(entry.start if isinstance(entry, Encounter) else entry.effective, start)

    seen: tuple[Encounter | Observation, ...] = (*visits, *scores)
    return judged(case, seen, lies, "encounters", "observations")


def _after(when: When | None, start: When) -> Answer:
    """Whether a date lies after the start; unknown when the two overlap."""
    if when is None:
        return Answer.UNKNOWN
    if when.earliest > start.latest:
        return Answer.YES
    return Answer.NO if when.latest <= start.earliest else Answer.UNKNOWN
