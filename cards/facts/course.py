"""The present course of care for the back: when it began, and for how many weeks it has run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from cards.answer import UNKNOWN, Answer, ChartEntry, Finding, yes
from cards.case import Case, Fact, fact_named, once_a_call, once_a_call_for_each
from cards.facts.entries import (
    TAKEN,
    absence,
    belongs,
    days_ago,
    orders,
    procedures,
    shown,
    within,
)
from cards.facts.pain import episode
from cards.facts.visit import reason_is_back_pain
from cards.record import (
    Concept,
    Encounter,
    MedicationOrder,
    Procedure,
    ServiceOrder,
    When,
)
from cards.supply import coverage_window

KEYS = ("procedures", "serviceRequests")
COURSE_GAP_DAYS = 84
CARE_WITHOUT_ONSET_DAYS = 365
NEEDS_REASON = ("needs back-pain reason", "counts only with a back-pain reason")
VISITED = frozenset({"arrived", "triaged", "in-progress", "onleave", "finished"})
STEP_DRUGS = (
    "nsaid-oral",
    "nsaid-topical",
    "acetaminophen",
    "opioid",
    "skeletal-muscle-relaxant",
    "duloxetine",
    "tca",
)
PAIN_DRUGS = (*STEP_DRUGS, "nsaid-parenteral", "lidocaine-topical", "aspirin-analgesic")

# Fact → full weeks of care it asks for.
CARE_WEEKS = {f"care_{weeks}_weeks": weeks for weeks in (2, 4, 6, 8, 12)}

Care = Procedure | ServiceOrder


# Care that counts


def for_the_back(concept: Concept, coded_reasons: tuple[Concept, ...], *sets: str) -> bool:
    """Whether care counts: for back pain, or without a coded reason where its code alone tells."""
    match reason_is_back_pain(coded_reasons):
        case Answer.YES:
            return True
        case Answer.NO:
            return False
        case Answer.UNKNOWN:
            return code_alone_tells(concept, *sets)


def code_alone_tells(concept: Concept, *sets: str) -> bool:
    """Whether a code of the sets counts without a reason: its rows do not ask for one."""
    for name in sets:
        note = concept.sets.get(name)
        if note is not None and not (NEEDS_REASON[0] in note or NEEDS_REASON[1] in note):
            return True
    return False


def counting(care: tuple[Care, ...], *sets: str) -> tuple[Care, ...]:
    """The care that is for the back."""
    return tuple(e for e in care if for_the_back(e.concept, e.reasons, *sets))


def given_or_ordered(case: Case, *sets: str) -> tuple[Care, ...]:
    """Care of these sets for the back that was given, is under way, or is ordered."""
    return _care_in(case, sets)


@once_a_call_for_each
def _care_in(case: Case, sets: tuple[str, ...]) -> tuple[Care, ...]:
    return counting((*procedures(case, *sets), *orders(case, *sets)), *sets)


def care_date(entry: Care, today: date) -> When | None:
    """The day care was last given: its end, else its start, else its order; None if undated.

    Days still to come, such as the planned end of a course, do not count. Care under way whose
    end is not recorded is given until today.
    """
    running = isinstance(entry, Procedure) and entry.status == "in-progress" and entry.end is None
    if running and days_ago(entry.start, today) is not None:
        return When(today, today, today.isoformat())
    if entry.end and entry.end.earliest > today and days_ago(entry.start, today) is not None:
        return When(today, today, today.isoformat())
    authored = entry.authored if isinstance(entry, ServiceOrder) else None
    for when in (entry.end, entry.start, authored):
        if days_ago(when, today) is not None:
            return when
    return None


def undated(entry: Care) -> bool:
    """Whether care bears no date at all."""
    authored = entry.authored if isinstance(entry, ServiceOrder) else None
    return not (entry.start or entry.end or authored)


def visited(visit: Encounter, *sets: str) -> bool:
    """Whether a visit of these sets took place, and was for the back."""
    if not visit.types:
        return False
    if visit.status is not None and visit.status not in VISITED:
        return False
    return any(
        belongs(kind, *sets) and for_the_back(kind, visit.reasons, *sets) for kind in visit.types
    )


def visits_of(case: Case, *sets: str) -> tuple[Encounter, ...]:
    """The visits of these sets that took place and were for the back."""
    return tuple(visit for visit in case.record.visits_of(*sets) if visited(visit, *sets))


def for_pain(order: MedicationOrder) -> bool:
    """Whether a drug counts as taken for the back: by its reason, else as a drug for pain."""
    if not order.reasons:
        return belongs(order.drug, *PAIN_DRUGS)
    reason = reason_is_back_pain(order.reasons)
    return reason is Answer.YES or (reason is Answer.UNKNOWN and belongs(order.drug, *PAIN_DRUGS))


# The present course


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of care: first and last day, and its start as recorded (None if not recorded)."""

    first: date
    last: date
    start: When | None
    care: Care | Encounter | MedicationOrder


@once_a_call
def present_course(case: Case) -> tuple[Spell, ...]:
    """The care of the present course, drugs included, oldest first; empty when none runs.

    Care of any kind more than 84 days after all that went before opens a new course, and a
    course without care for more than 84 days is closed.
    """
    course: list[Spell] = []
    last: date | None = None
    for spell in sorted(_spells(case), key=lambda spell: (spell.first, spell.last)):
        if last is None or (spell.first - last).days > COURSE_GAP_DAYS:
            course = []
        course.append(spell)
        last = max(last, spell.last) if last else spell.last
    closed = last is None or (case.today - last).days > COURSE_GAP_DAYS
    return () if closed else tuple(course)


@once_a_call
def care_start(case: Case) -> tuple[When, ChartEntry] | None:
    """When the present course of non-drug care began; None when none runs."""
    started = [
        (spell.start, shown(spell.care))
        for spell in present_course(case)
        if spell.start and not isinstance(spell.care, MedicationOrder)
    ]
    return min(started, key=_age, default=None)


def _age(started: tuple[When, ChartEntry]) -> tuple[date, str, str]:
    when, entry = started
    return when.earliest, when.text, entry.reference


def _spells(case: Case) -> list[Spell]:
    care = [
        spell
        for entry in given_or_ordered(case, "nonpharm-any")
        if (spell := _spell(entry, case.today))
    ]
    visits = [
        spell
        for visit in visits_of(case, "nonpharm-any")
        if (spell := _visit_spell(visit, case.today))
    ]
    first = first_day(case)
    return [
        *(s for s in (*care, *visits) if s.start and s.start.latest >= first),
        *(s for s in _drug_spells(case) if s.last >= first),
    ]


def first_day(case: Case) -> date:
    """The first day care can be care of this pain: its onset, else a year ago."""
    onset = min((c.onset.earliest for c in episode(case).conditions if c.onset), default=None)
    return onset or case.today - timedelta(days=CARE_WITHOUT_ONSET_DAYS)


def _spell(entry: Care, today: date) -> Spell | None:
    whens = (
        (entry.start, entry.end)
        if isinstance(entry, Procedure)
        else (entry.start, entry.authored, entry.end)
    )
    past = [when for when in whens if when and days_ago(when, today) is not None]
    if not past:
        return None
    start = min(past, key=lambda when: (when.earliest, when.text))
    last = care_date(entry, today) or start
    return Spell(start.earliest, min(today, last.latest), start, entry)


def _visit_spell(visit: Encounter, today: date) -> Spell | None:
    """A visit to physical therapy or psychology; None where its day is not known."""
    if visit.start is None or days_ago(visit.start, today) is None:
        return None
    return Spell(visit.start.earliest, min(today, visit.start.latest), visit.start, visit)


def _drug_spells(case: Case) -> list[Spell]:
    """Drugs taken for the back; they keep a course open but do not begin non-drug care."""
    return [
        Spell(window[0], min(case.today, window[1]), _drug_start(order), order)
        for order in case.record.medications
        if order.status in TAKEN
        and (order.drug.sets or order.reasons)  # most drugs have neither, and tell nothing
        and for_pain(order)
        and (window := coverage_window(order))
        and window[0] <= case.today
    ]


def _drug_start(order: MedicationOrder) -> When | None:
    periods = (dosage.timing.bounds_start for dosage in order.dosages if dosage.timing)
    starts = [when for when in periods if when]
    return order.authored or min(starts, key=lambda when: (when.earliest, when.text), default=None)


def care_for_weeks(case: Case, weeks: int) -> Finding:
    """Whether non-drug care has run for so many full weeks; unknown when no course runs."""
    began = care_start(case)
    if began is None:
        return UNKNOWN
    start, entry = began
    answer = within(start, case.today, 7 * weeks - 1)
    if answer is Answer.NO:
        return yes([entry])
    if answer is Answer.UNKNOWN:
        return UNKNOWN
    return absence(case, *KEYS, "encounters")


def _register(name: str, weeks: int) -> Fact:
    @fact_named(name, f"Non-drug care has run for {weeks} weeks or more.")
    def weeks_fact(case: Case) -> Finding:
        return care_for_weeks(case, weeks)

    return weeks_fact


CARE_WEEKS_FACTS = {name: _register(name, weeks) for name, weeks in CARE_WEEKS.items()}
