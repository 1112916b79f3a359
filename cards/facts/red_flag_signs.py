"""Signs of nerve damage: cauda equina, bladder and bowel, weakness of the legs.

Suspected diagnoses count here; a card names them suspected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from cards.answer import NO, Answer, Finding, any_of, yes
from cards.case import Case, fact, once_a_call, once_a_call_for_each
from cards.facts.entries import (
    absence,
    active_conditions,
    belongs,
    conditions_in,
    dated,
    history_conditions,
    judged,
    newest_first,
    observations,
    presence,
    reasons,
    recent,
    recent_sign,
    within,
)
from cards.facts.pregnancy import deliveries
from cards.facts.results import findings
from cards.record import Coding, Concept, Condition, Observation

CES_DIAGNOSIS_DAYS = 30
SYMPTOM_DAYS = 14
PELVIC_CAUSE_DAYS = 90
DEFICIT_DAYS = 30
LATE_DEFICIT_DAYS = 90
STRENGTH_DAYS = 90
PROXY_DAYS = 365
SPHINCTER_SYMPTOMS = (
    "urinary-retention-new",
    "urinary-incontinence-neurogenic",
    "faecal-incontinence",
)
DEFICITS = ("leg-weakness", "myelopathy")
PROXIES = ("iv-drug-use-proxy", "neuro-deficit-proxy", "weight-loss-proxy")
# Note of a row whose code names an examination, not its result.
RESULT_NOT_IN_CODE = "the code alone does not say so"


@fact
@once_a_call
def ces_diagnosis_recent(case: Case) -> Finding:
    """Cauda equina syndrome diagnosed in the last 30 days."""
    found = history_conditions(case, "cauda-equina", suspected=True)
    return recent_sign(case, found, CES_DIAGNOSIS_DAYS, "conditions")


@fact
@once_a_call
def ces_exam_finding_recent(case: Case) -> Finding:
    """Saddle numbness or the like found in the last 14 days."""
    return recent_sign(case, saddle_findings(case), SYMPTOM_DAYS, "observations", "conditions")


def saddle_findings(case: Case) -> tuple[Condition | Observation, ...]:
    """Examination findings of cauda equina whose code says that something is wrong."""
    name = "cauda-equina-finding"

    def says_abnormal(concept: Concept) -> bool:
        return RESULT_NOT_IN_CODE not in concept.sets.get(name, RESULT_NOT_IN_CODE)

    found: tuple[Condition | Observation, ...] = (
        *history_conditions(case, name, suspected=True),
        *findings(case, name),
    )
    return tuple(
        entry
        for entry in found
        if says_abnormal(entry.concept)
        or (isinstance(entry, Observation) and says_abnormal(entry.value_concept))
    )


def sphincter_symptoms(case: Case, *sets: str) -> tuple[Condition | Observation, ...]:
    """Retention or incontinence on record, in the given sets or any of the three.

    What counts is when a symptom was first recorded: a problem speaks for that day, not its onset.
    """
    names = sets or SPHINCTER_SYMPTOMS
    problems = history_conditions(case, *names, suspected=True)
    return (
        *(replace(problem, onset=problem.recorded or problem.onset) for problem in problems),
        *findings(case, *names),
    )


@fact
@once_a_call
def sphincter_symptom_recent(case: Case) -> Finding:
    """Retention or incontinence for the first time in the last 14 days, without pelvic cause.

    A birth in the last 90 days explains it. No value set says pelvic or urological surgery yet.
    """
    keys = ("conditions", "observations", "procedures")
    if not sphincter_symptoms(case) and case.record.read(*keys):
        return NO
    if any(within(dated(c), case.today, PELVIC_CAUSE_DAYS) is Answer.YES for c in deliveries(case)):
        return NO
    return any_of(
        _first_time(case, name, sphincter_symptoms(case, name), SYMPTOM_DAYS, *keys)
        for name in SPHINCTER_SYMPTOMS
    )


def _first_time(
    case: Case,
    name: str,
    entries: tuple[Condition | Observation, ...],
    days: int,
    *keys: str,
    since: int = 0,
) -> Finding:
    """Presence in the window of a finding that was not surely on record before it.

    Only the same code is the same finding: a left foot drop is no earlier record of a right one.
    """
    if not entries:
        return absence(case, *keys)
    known: set[Coding] = set()
    for entry in entries:
        if within(dated(entry), case.today, days) is Answer.NO:
            known |= _finding_codes(entry, name)
    new = tuple(entry for entry in entries if not known & _finding_codes(entry, name))
    return recent_sign(case, new, days, *keys, since=since)


def _finding_codes(entry: Condition | Observation, name: str) -> set[Coding]:
    """The codes that name the finding: of a question, those of its answer.

    Displays differ from one record to the next and are left out.
    """
    concepts = [entry.concept]
    if isinstance(entry, Observation):
        concepts.append(entry.value_concept)
    naming = [concept for concept in concepts if belongs(concept, name)]
    return {Coding(c.system, c.code) for concept in naming for c in concept.codings}


@fact
@once_a_call
def leg_deficit_or_radicular(case: Case) -> Finding:
    """Leg weakness, myelopathy, radiculopathy or sciatica is active."""
    found = active_conditions(case, *DEFICITS, "radiculopathy-sciatica", suspected=True)
    return presence(case, found, "conditions")


@once_a_call_for_each
def deficits(case: Case, name: str) -> tuple[Condition | Observation, ...]:
    """Leg weakness or myelopathy on record, resolved ones included."""
    return (*conditions_in(case, name, suspected=True), *findings(case, name))


def _new_deficit(case: Case, name: str, days: int, since: int) -> Finding:
    """A deficit that still stands and was first on record in the window."""
    found = deficits(case, name)
    if not found:
        return absence(case, "conditions", "observations")
    standing = {c.reference for c in active_conditions(case, name, suspected=True)}
    entries = tuple(
        entry
        for entry in found
        if isinstance(entry, Observation)
        or entry.reference in standing
        or within(dated(entry), case.today, days) is Answer.NO
    )
    return _first_time(case, name, entries, days, "conditions", "observations", since=since)


@fact
@once_a_call
def deficit_new_30d(case: Case) -> Finding:
    """Leg weakness or myelopathy for the first time in the last 30 days."""
    return any_of(_new_deficit(case, name, DEFICIT_DAYS, 0) for name in DEFICITS)


@fact
@once_a_call
def deficit_new_31_90d(case: Case) -> Finding:
    """Leg weakness or myelopathy since 31 to 90 days, and none newer."""
    if deficit_new_30d(case).answer is Answer.YES:
        return NO
    return any_of(
        _new_deficit(case, name, LATE_DEFICIT_DAYS, DEFICIT_DAYS + 1) for name in DEFICITS
    )


@fact
def strength_falling(case: Case) -> Finding:
    """One muscle group has lost a grade of strength or more between two tests in 90 days."""
    for newer, older in _strength_pairs(case):
        if newer.value and older.value and older.value.value - newer.value.value >= 1:
            return yes(reasons((newer, older)))
    return absence(case, "observations")


def _strength_pairs(case: Case) -> Iterator[tuple[Observation, Observation]]:
    """Newer and older test of the same muscle group, both surely within the window."""
    tests = [
        test
        for test in observations(case, "muscle-strength")
        if within(test.effective, case.today, STRENGTH_DAYS) is Answer.YES
    ]
    for newer, older in combinations(newest_first(tests), 2):
        if (newer.concept.codings, _sites(newer)) == (older.concept.codings, _sites(older)):
            yield newer, older


def _sites(test: Observation) -> frozenset[str]:
    return frozenset(coding.code for site in test.body_sites for coding in site.codings)


@fact
@once_a_call
def red_flag_proxy_on_record(case: Case) -> Finding:
    """An unspecific hint of a red flag: active, or on record in the last year."""
    active = active_conditions(case, *PROXIES, suspected=True)
    if active:
        return presence(case, active, "conditions")
    past = history_conditions(case, *PROXIES, suspected=True)

    def lies(condition: Condition) -> Answer:
        dates = (condition.onset, condition.recorded)
        answers = [within(when, case.today, PROXY_DAYS) for when in dates if when]
        if Answer.YES in answers:
            return Answer.YES
        return Answer.NO if answers and Answer.UNKNOWN not in answers else Answer.UNKNOWN

    return judged(case, past, lies, "conditions")


@fact
def red_flag_exam_documented(case: Case) -> Finding:
    """A red-flag or neurological examination was recorded in the last 14 days."""
    return recent(case, observations(case, "red-flag-exam"), SYMPTOM_DAYS, "observations")
