"""Assessment: trigger points found and injected, causes looked for, screens and scores."""

from __future__ import annotations

from cards.answer import UNKNOWN, Answer, Finding, any_of
from cards.case import Case, fact
from cards.facts.course import Care, care_date
from cards.facts.entries import (
    FINISHED,
    SUSPECTED,
    absence,
    belongs,
    dated,
    days_ago,
    is_active,
    judged,
    observations,
    orders,
    presence,
    procedures,
    recent,
    within,
)
from cards.facts.results import NOT_THERE, findings
from cards.facts.treatment import of_the_spine
from cards.facts.trials import fewest_days, most_days
from cards.record import (
    Condition,
    DiagnosticReport,
    Observation,
    Procedure,
    ServiceOrder,
)

INJECTION_GAP_DAYS, INJECTION_YEAR_DAYS = 42, 365
INJECTIONS_IN_YEAR = 3
EXAM_DAYS, WORKUP_DAYS, SCREEN_DAYS = 180, 180, 180
PAIN_SCORE_DAYS, FUNCTION_SCORE_DAYS = 90, 180
TRIGGER_POINTS = ("trigger-point", "myofascial-pain")
WORKUP = ("spine-imaging", "crp", "esr")

Study = Procedure | ServiceOrder | DiagnosticReport | Observation


# Trigger points


@fact
def tpi_42d(case: Case) -> Finding:
    """A trigger point was injected within six weeks."""
    return recent(case, procedures(case, "tpi"), INJECTION_GAP_DAYS, "procedures")


@fact
def trigger_point_injection_365d(case: Case) -> Finding:
    """A trigger point was injected within a year."""
    return recent(case, procedures(case, "tpi"), INJECTION_YEAR_DAYS, "procedures")


@fact
def tpi_three_in_year(case: Case) -> Finding:
    """Trigger points were injected on three different days within a year, or on more."""
    dates = [
        (done, within(dated(done), case.today, INJECTION_YEAR_DAYS))
        for done in procedures(case, "tpi")
    ]
    sure = [done for done, answer in dates if answer is Answer.YES]
    possible = [done for done, answer in dates if answer is not Answer.NO]
    if fewest_days(sure) >= INJECTIONS_IN_YEAR:
        return presence(case, sure, "procedures")
    if most_days(possible) >= INJECTIONS_IN_YEAR:
        return UNKNOWN
    return absence(case, "procedures")


@fact
def trigger_point_documented(case: Case) -> Finding:
    """A trigger point or myofascial pain is an active problem, or was found within 180 days."""
    problems = [
        condition
        for condition in case.record.conditions
        if is_active(condition, case.today)
        and condition.verification not in SUSPECTED
        and (belongs(condition.concept, *TRIGGER_POINTS) or _at_trigger_point(condition))
    ]
    found = (
        *findings(case, *TRIGGER_POINTS, "trigger-point-exam"),
        *(o for o in case.record.observations if _found_at_trigger_point(o, case)),
    )
    examined = recent(case, dict.fromkeys(found), EXAM_DAYS, "observations")
    return any_of((presence(case, problems, "conditions"), examined))


def _at_trigger_point(entry: Condition | Observation) -> bool:
    return any("trigger-point" in site.sets for site in entry.body_sites)


def _found_at_trigger_point(seen: Observation, case: Case) -> bool:
    """Whether something was found at a trigger point, rather than found to be absent there."""
    answers = {(coding.system, coding.code) for coding in seen.value_concept.codings}
    denied = seen.value_flag is False or bool(answers & NOT_THERE)
    ahead = seen.effective is not None and days_ago(seen.effective, case.today) is None
    return seen.status in FINISHED and _at_trigger_point(seen) and not denied and not ahead


@fact
def trigger_point_exam_180d(case: Case) -> Finding:
    """An examination for trigger points is on record within 180 days, whatever it found."""
    return recent(case, observations(case, "trigger-point-exam"), EXAM_DAYS, "observations")


# Causes, screens and scores


@fact
def specific_cause_workup_180d(case: Case) -> Finding:
    """The spine was imaged or inflammation tested for within 180 days, or that is ordered."""
    record = case.record
    care: tuple[Care, ...] = (*procedures(case, *WORKUP), *orders(case, *WORKUP))
    reports = [r for r in record.reports if r.status in FINISHED and belongs(r.concept, *WORKUP)]
    studies: list[Study] = [
        *(entry for entry in care if of_the_spine(entry.concept, entry.reasons, *WORKUP)),
        *(report for report in reports if of_the_spine(report.concept, (), *WORKUP)),
        *observations(case, *WORKUP),
    ]

    def lies(entry: Study) -> Answer:
        if isinstance(entry, DiagnosticReport | Observation):
            return within(dated(entry), case.today, WORKUP_DAYS)
        return within(care_date(entry, case.today), case.today, WORKUP_DAYS)

    keys = ("diagnosticReports", "procedures", "serviceRequests", "observations")
    return judged(case, studies, lies, *keys)


@fact
def psychosocial_screen_180d(case: Case) -> Finding:
    """A psychosocial screen has a result within 180 days."""
    return recent(case, observations(case, "psychosocial-screen"), SCREEN_DAYS, "observations")


@fact
def score_recent(case: Case) -> Finding:
    """Pain was scored within 90 days, or function within 180."""
    pain = recent(case, observations(case, "pain-score"), PAIN_SCORE_DAYS, "observations")
    function = observations(case, "function-score")
    return any_of((pain, recent(case, function, FUNCTION_SCORE_DAYS, "observations")))
