"""Non-drug care of the back: what is on record, and for how many weeks it has run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from cards.answer import UNKNOWN, Answer, ChartEntry, Finding, yes
from cards.case import Case, Fact, fact, once
from cards.facts.entries import (
    TAKEN,
    absence,
    belongs,
    coverage_window,
    days_ago,
    drafted_services,
    orders,
    presence,
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

KEYS = ("procedures", "serviceRequests")
COURSE_GAP_DAYS = 84
CARE_WITHOUT_ONSET_DAYS = 365
CANDIDATE_DAYS = 180
SPINE_REASONS = ("spinal-stenosis", "disc-disorder", "radiculopathy-lbp", "radiculopathy-sciatica")
NEEDS_REASON = ("needs back-pain reason", "counts only with a back-pain reason")
VISITED = frozenset({"arrived", "triaged", "in-progress", "onleave", "finished"})
PAIN_DRUGS = (
    "nsaid-oral",
    "nsaid-parenteral",
    "nsaid-topical",
    "acetaminophen",
    "opioid",
    "skeletal-muscle-relaxant",
    "duloxetine",
    "tca",
    "lidocaine-topical",
    "aspirin-analgesic",
)

# Fact → the value sets and the days it looks back.
ON_RECORD: dict[str, tuple[tuple[str, ...], int]] = {
    "nonpharm_on_record_84d": (("nonpharm-any",), 84),
    "exercise_on_record_84d": (("exercise-therapy", "motor-control-exercise"), 84),
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

Care = Procedure | ServiceOrder


def for_the_back(concept: Concept, coded_reasons: tuple[Concept, ...], *sets: str) -> bool:
    """Whether care counts: for back pain, or without a coded reason where its code alone tells."""
    match reason_is_back_pain(coded_reasons):
        case Answer.YES:
            return True
        case Answer.NO:
            return False
        case Answer.UNKNOWN:
            notes = (concept.sets[name] for name in sets if name in concept.sets)
            return any(not any(needs in note for needs in NEEDS_REASON) for note in notes)


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
    whens = (entry.end, entry.start, authored)
    return next((when for when in whens if days_ago(when, today) is not None), None)


def on_record(case: Case, sets: tuple[str, ...], days: int) -> Finding:
    """Whether care of these sets was ordered, given or drafted in the last ``days`` days."""
    drafted = _counting(drafted_services(case, *sets), sets)
    care = _given_or_ordered(case, *sets)
    answers = [within(care_date(entry, case.today), case.today, days) for entry in care]
    sure = [entry for entry, a in zip(care, answers, strict=True) if a is Answer.YES]
    found = (*sure, *drafted)
    if not found and Answer.UNKNOWN in answers:
        return UNKNOWN
    finding = presence(case, found, *KEYS)
    return _with_last_care(finding, care, case.today) if finding.answer is Answer.NO else finding


def _with_last_care(finding: Finding, care: tuple[Care, ...], today: date) -> Finding:
    """The no with the last care of its kind, so that a card can offer to take it up again."""
    dates = [(when, entry) for entry in care if (when := care_date(entry, today))]
    if not dates:
        return finding
    when, entry = max(dates, key=lambda pair: (pair[0].text, pair[1].reference))
    return Finding(Answer.NO, (ChartEntry(entry.reference, entry.concept.display, when.text[:10]),))


def _given_or_ordered(case: Case, *sets: str) -> tuple[Care, ...]:
    return _counting((*procedures(case, *sets), *orders(case, *sets)), sets)


def _counting(care: tuple[Care, ...], sets: tuple[str, ...]) -> tuple[Care, ...]:
    return tuple(e for e in care if for_the_back(e.concept, e.reasons, *sets))


def _register(name: str, sets: tuple[str, ...], days: int) -> Fact:
    def care_fact(case: Case) -> Finding:
        return on_record(case, sets, days)

    care_fact.__name__ = care_fact.__qualname__ = name
    care_fact.__doc__ = f"Care in {', '.join(sets)} is on record within {days} days."
    return fact(care_fact)


ON_RECORD_FACTS = {name: _register(name, *row) for name, row in ON_RECORD.items()}


@fact
def surgical_or_injection_candidate(case: Case) -> Finding:
    """Spine surgery or an epidural injection was ordered or referred for within 180 days."""
    sets = ("spine-surgery-referral", "spinal-injection-epidural")
    found = [order for order in orders(case, *sets) if _of_the_spine(order, *sets)]
    answers = [within(order.authored or order.start, case.today, CANDIDATE_DAYS) for order in found]
    sure = [order for order, a in zip(found, answers, strict=True) if a is Answer.YES]
    if not sure and Answer.UNKNOWN in answers:
        return UNKNOWN
    return presence(case, sure, "serviceRequests")


def _of_the_spine(order: ServiceOrder, *sets: str) -> bool:
    """Whether the code alone tells the spine; else whether the order has a reason of the spine."""
    notes = (order.concept.sets[name] for name in sets if name in order.concept.sets)
    if any(not any(needs in note for needs in NEEDS_REASON) for note in notes):
        return True
    readable = (reason for reason in order.reasons if reason.readable)
    return reason_is_back_pain(order.reasons) is Answer.YES or any(
        belongs(reason, *SPINE_REASONS) for reason in readable
    )


# The present course of care


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of care: first and last day, and the start as recorded when it is no drug."""

    first: date
    last: date
    start: When | None
    entry: ChartEntry


@once
def care_start(case: Case) -> tuple[When, ChartEntry] | None:
    """When the present course of non-drug care began; None when none runs.

    Care of any kind more than 84 days after all that went before opens a new course, and a
    course without care for more than 84 days is closed.
    """
    spells = sorted(_spells(case), key=lambda spell: (spell.first, spell.last))
    course: list[Spell] = []
    last: date | None = None
    for spell in spells:
        if last is None or (spell.first - last).days > COURSE_GAP_DAYS:
            course = []
        course.append(spell)
        last = max(last, spell.last) if last else spell.last
    if last is None or (case.today - last).days > COURSE_GAP_DAYS:
        return None
    started = [(spell.start, spell.entry) for spell in course if spell.start]
    return min(started, key=lambda pair: (pair[0].earliest, pair[0].text), default=None)


def _spells(case: Case) -> list[Spell]:
    care = [
        spell
        for entry in _given_or_ordered(case, "nonpharm-any")
        if (spell := _spell(entry, case.today))
    ]
    visits = [spell for e in case.record.encounters if (spell := _visit_spell(e, case.today))]
    onset = _earliest_onset(case)
    first = onset or case.today - timedelta(days=CARE_WITHOUT_ONSET_DAYS)
    return [
        spell
        for spell in (*care, *visits, *_drug_spells(case))
        if (spell.start.latest if spell.start else spell.last) >= first
    ]


def _earliest_onset(case: Case) -> date | None:
    return min((c.onset.earliest for c in episode(case).conditions if c.onset), default=None)


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
    return Spell(start.earliest, min(today, last.latest), start, shown(entry))


def _visit_spell(visit: Encounter, today: date) -> Spell | None:
    """A visit to physical therapy or psychology; None for any other, or one that never was."""
    kinds = [kind for kind in visit.types if belongs(kind, "nonpharm-any")]
    if not kinds or (visit.status is not None and visit.status not in VISITED):
        return None
    if not for_the_back(kinds[0], visit.reasons, "nonpharm-any"):
        return None
    if visit.start is None or days_ago(visit.start, today) is None:
        return None
    return Spell(visit.start.earliest, min(today, visit.start.latest), visit.start, shown(visit))


def _drug_spells(case: Case) -> list[Spell]:
    """Drugs taken for the back; they keep a course open but do not begin non-drug care."""
    return [
        Spell(window[0], min(case.today, window[1]), None, shown(order))
        for order in case.record.medications
        if order.status in TAKEN
        and _for_pain(order)
        and (window := coverage_window(order))
        and window[0] <= case.today
    ]


def _for_pain(order: MedicationOrder) -> bool:
    reason = reason_is_back_pain(order.reasons)
    return reason is Answer.YES or (reason is Answer.UNKNOWN and belongs(order.drug, *PAIN_DRUGS))


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


@fact
def care_6_weeks(case: Case) -> Finding:
    """Non-drug care has run for six weeks or more."""
    return care_for_weeks(case, 6)
