"""The drug steps of the pathways: whether a drug was tried, failed, or cannot be taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from cards.answer import NO, Answer, ChartEntry, Finding, all_of, any_of
from cards.case import Case, Fact, answered, fact, fact_named, once_a_call, once_a_call_for_each
from cards.facts.allergies import allergies_to
from cards.facts.care_steps import StepStatus
from cards.facts.drug_trial import (
    ENDED_DAYS,
    STEP_DAYS,
    DrugStep,
    active_orders,
    adequate_trial,
    courses,
    long_enough,
    taken,
)
from cards.facts.drugs import drafted_drugs, nsaid_topical_active_or_drafted, on_the_skin
from cards.facts.entries import (
    TAKEN,
    absence,
    active_medications,
    belongs,
    judged,
    medications_in,
    presence,
    recent,
    within,
)
from cards.facts.response import response_inadequate
from cards.record import MedicationOrder
from cards.supply import coverage_window

ON_RECORD_DAYS = 365
TOPICAL_FROM_DAYS, TOPICAL_TO_DAYS = 3, 28
INEFFECTIVE, NOT_TOLERATED = "treatment-ineffective", "treatment-not-tolerated"
# Facts that ask for another drug than the one of the step.
ABOUT_ANOTHER_DRUG = frozenset({"serotonergic_strong"})

# What rules a step out: the leaves of oral_nsaid_blocked, duloxetine_blocked and tca_blocked.
NSAID_BLOCKED_BY = (
    "gi_ulcer_bleed_recent",
    "gi_ulcer_bleed_older",
    "egfr_under_30",
    "egfr_30_44",
    "egfr_45_59",
    "aki_30d",
    "aki_31_90d",
    "cabg_30d",
    "mi_90d",
    "mi_91_365d",
    "heart_failure",
    "ischaemic_cvd",
    "anticoagulant_current",
    "anticoagulant_possible",
    "dual_antiplatelet",
    "pregnant",
    "nsaid_allergy_serious",
    "nsaid_intolerance_same",
    "lithium_current",
    "methotrexate_current",
    "raas_and_diuretic",
)
DULOXETINE_BLOCKED_BY = (
    "maoi_current",
    "maoi_past_14d",
    "liver_disease_any",
    "liver_moderate_severe",
    "alcohol_use_disorder",
    "egfr_under_30",
    "angle_closure_glaucoma",
    "cyp1a2_strong",
    "bipolar",
    "suicidality_365d",
    "serotonergic_strong",
    "anticoagulant_current",
    "anticoagulant_possible",
    "duloxetine_allergy",
)
TCA_BLOCKED_BY = (
    "maoi_current",
    "maoi_past_14d",
    "mi_90d",
    "mi_91_365d",
    "ischaemic_cvd",
    "heart_failure",
    "arrhythmia_or_block",
    "qtc_over_500",
    "qtc_over_470_with_qt_drug",
    "epilepsy",
    "urinary_retention_or_bph",
    "angle_closure_glaucoma",
    "hyperthyroidism",
    "suicidality_365d",
    "bipolar",
    "serotonergic_strong",
    "cyp2d6_strong",
    "opioid_active",
    "tca_allergy",
)


# Which allergies rule NSAIDs out two facts of the list above tell. An intolerance to one NSAID
# leaves the others, so it alone does not end the step: the card would offer them still.
ORAL_NSAID = DrugStep(
    ("nsaid-oral", "aspirin-analgesic", "aspirin-low"),
    (),
    trial_days=14,
    blocked_by=NSAID_BLOCKED_BY,
)
DULOXETINE = DrugStep(
    ("duloxetine",), ("duloxetine",), trial_days=28, least_mg=60, blocked_by=DULOXETINE_BLOCKED_BY
)
TRICYCLIC = DrugStep(("tca",), ("tca",), trial_days=28, blocked_by=TCA_BLOCKED_BY)
TRAMADOL = DrugStep(("tramadol",), ("tramadol",), trial_days=None)


def step_status(case: Case, step: DrugStep) -> StepStatus:
    """The status of a step; unknown also for a course that was too short or cannot be proven."""
    findings = {
        StepStatus.CONTRAINDICATED: ruled_out(case, step),
        StepStatus.NOT_TOLERATED: not_tolerated(case, step),
        StepStatus.FAILED: failed(case, step),
        StepStatus.ADEQUATE_TRIAL: adequate_trial(case, step),
        StepStatus.IN_PROGRESS: presence(case, active_orders(case, step), "medications"),
    }
    for status, finding in findings.items():
        if finding.answer is Answer.YES:
            return status
    return StepStatus.NOT_TRIED if _not_tried(case, step) else StepStatus.UNKNOWN


@once_a_call_for_each
def ruled_out(case: Case, step: DrugStep) -> Finding:
    """Whether a fact rules the drug out; what is not known rules nothing out.

    Drafts of this call are no history: they neither rule a step out nor count as tried.
    """
    alone = _without_drafts(case)
    found = any_of(
        [
            answered(_without_its_drugs(alone, step) if name in ABOUT_ANOTHER_DRUG else alone, name)
            for name in step.blocked_by
        ]
    )
    return found if found.answer is Answer.YES else NO


@once_a_call_for_each
def _without_its_drugs(case: Case, step: DrugStep) -> Case:
    if not case.record.medications_in(*step.drugs):
        return case
    others = tuple(o for o in case.record.medications if not belongs(o.drug, *step.drugs))
    return Case(replace(case.record, medications=others), case.today)


@once_a_call
def _without_drafts(case: Case) -> Case:
    if not case.record.drafts:
        return case
    return Case(replace(case.record, drafts=()), case.today)


@once_a_call_for_each
def not_tolerated(case: Case, step: DrugStep) -> Finding:
    """Whether the drug was stopped as not tolerated, or is an allergen of the patient."""
    allergies = presence(case, allergies_to(case, *step.allergens), "allergies")
    return any_of([_stopped_for(case, step, NOT_TOLERATED), allergies])


@once_a_call_for_each
def failed(case: Case, step: DrugStep) -> Finding:
    """Whether the drug was stopped as ineffective, or tried long enough without response."""
    tried = all_of([adequate_trial(case, step), response_inadequate(case)])
    return any_of([_stopped_for(case, step, INEFFECTIVE), tried])


def _stopped_for(case: Case, step: DrugStep, cause: str) -> Finding:
    stopped = [order for order in taken(case, step) if belongs(order.status_reason, cause)]
    return judged(case, stopped, lambda o: within(o.authored, case.today, STEP_DAYS), "medications")


def _not_tried(case: Case, step: DrugStep) -> bool:
    """Whether none of its drugs was taken for a year, and every drug order can be read."""
    written = (order.authored for order in taken(case, step))
    if any(within(when, case.today, ON_RECORD_DAYS) is not Answer.NO for when in written):
        return False
    readable = all(order.drug.readable for order in case.record.medications)
    return readable and case.record.read("medications")


# On record


def on_record(case: Case, step: DrugStep) -> Finding:
    """Whether the drug is taken, was taken until 28 days ago, or was tried within a year.

    A course that ended earlier and surely was too short, without having failed, no longer
    counts. One long enough, or stopped as ineffective or not tolerated, counts for 730 days, as
    it does for the step: what is done is not offered again beside the next step.
    """
    orders = taken(case, step)
    trials = [(course, long_enough(course, step, case.today)) for course in courses(orders)]
    short = [order for course, answer in trials if answer is Answer.NO for order in course]
    tried = [order for course, answer in trials if answer is Answer.YES for order in course]

    def lies(order: MedicationOrder) -> Answer:
        if _taken_lately(order, case.today) is not Answer.NO:
            return _taken_lately(order, case.today)
        if order in tried or belongs(order.status_reason, INEFFECTIVE, NOT_TOLERATED):
            return within(order.authored, case.today, STEP_DAYS)
        if order in short:
            return Answer.NO
        return within(order.authored, case.today, ON_RECORD_DAYS)

    finding = judged(case, orders, lies, "medications")
    return (
        _with_last_course(finding, orders, case.today) if finding.answer is Answer.NO else finding
    )


def _with_last_course(finding: Finding, orders: Iterable[MedicationOrder], today: date) -> Finding:
    """The no with the last course there was: the drug may be proposed again, and is named."""
    ended = [
        (window[1], order.reference, order)
        for order in orders
        if (window := coverage_window(order)) and window[1] < today
    ]
    if not ended:
        return finding
    last, reference, order = max(ended, key=lambda row: row[:2])
    told = f"{order.drug.name}, taken until"
    return Finding(Answer.NO, (ChartEntry(reference, told, last.isoformat()),))


def _taken_lately(order: MedicationOrder, today: date) -> Answer:
    """Whether an order covers any of the last 28 days; unknown when it bears no date."""
    window = coverage_window(order)
    if window is None:
        return Answer.UNKNOWN
    lately = window[0] <= today and window[1] >= today - timedelta(days=ENDED_DAYS)
    return Answer.YES if lately else Answer.NO


ON_RECORD = {
    "oral_nsaid_on_record": ORAL_NSAID,
    "duloxetine_on_record": DULOXETINE,
    "tca_on_record": TRICYCLIC,
}


def _register(name: str, step: DrugStep) -> Fact:
    @fact_named(name, f"A drug in {', '.join(step.drugs)} is on record.")
    def step_fact(case: Case) -> Finding:
        return on_record(case, step)

    return step_fact


ON_RECORD_FACTS = {name: _register(name, step) for name, step in ON_RECORD.items()}


@fact
def muscle_relaxant_28d_on_record(case: Case) -> Finding:
    """A muscle relaxant covers any of the last 28 days."""
    sets = ("skeletal-muscle-relaxant", "cyclobenzaprine")
    relaxants = [order for order in medications_in(case, *sets) if order.status in TAKEN]
    return judged(case, relaxants, lambda order: _taken_lately(order, case.today), "medications")


# Steps done, failed or ruled out


@fact
def nsaid_step_done(case: Case) -> Finding:
    """An oral NSAID is ruled out, was not tolerated, failed, or was tried long enough."""
    return _found_or_absent(case, _done(case, ORAL_NSAID), "conditions", "observations")


@fact
def duloxetine_or_tramadol_step_done(case: Case) -> Finding:
    """Duloxetine or tramadol is ruled out, was not tolerated, failed, or was tried long enough.

    No source says how long tramadol must be tried: only its failure or intolerance counts.
    """
    done = any_of([_done(case, DULOXETINE), _done(case, TRAMADOL)])
    return _found_or_absent(case, done, "conditions", "observations")


def _done(case: Case, step: DrugStep) -> Finding:
    tried = any_of([_stopped_for(case, step, INEFFECTIVE), adequate_trial(case, step)])
    return any_of([ruled_out(case, step), not_tolerated(case, step), tried])


def _found_or_absent(case: Case, found: Finding, *keys: str) -> Finding:
    """The finding; a no only when these keys were read as well."""
    return absence(case, *keys) if found.answer is Answer.NO else found


@fact
def duloxetine_failed(case: Case) -> Finding:
    """Duloxetine failed or was not tolerated."""
    return any_of([not_tolerated(case, DULOXETINE), failed(case, DULOXETINE)])


@fact
def drug_step_inadequate(case: Case) -> Finding:
    """An oral NSAID, duloxetine or a tricyclic failed, was not tolerated, or is ruled out."""
    steps = (ORAL_NSAID, DULOXETINE, TRICYCLIC)
    found = any_of(ask(case, step) for step in steps for ask in (ruled_out, not_tolerated, failed))
    return _found_or_absent(case, found, "conditions")


# Other drugs for the back


@fact
def topical_nsaid_3_days(case: Case) -> Finding:
    """An NSAID for the skin was begun 3 to 28 days ago."""
    found = [
        order
        for order in medications_in(case, "nsaid-topical", "nsaid-oral")
        if order.status in TAKEN and (belongs(order.drug, "nsaid-topical") or on_the_skin(order))
    ]
    return recent(case, found, TOPICAL_TO_DAYS, "medications", since=TOPICAL_FROM_DAYS)


@fact
def topical_analgesic_active(case: Case) -> Finding:
    """An NSAID or lidocaine for the skin covers today, or is drafted in this call."""
    lidocaine = _active_or_drafted(case, "lidocaine-topical")
    return any_of([nsaid_topical_active_or_drafted(case), lidocaine])


@fact
def acetaminophen_active(case: Case) -> Finding:
    """Acetaminophen covers today, or is drafted in this call."""
    return _active_or_drafted(case, "acetaminophen")


def _active_or_drafted(case: Case, *sets: str) -> Finding:
    found = (*active_medications(case, *sets), *drafted_drugs(case, *sets))
    return presence(case, found, "medications")


@fact
def muscle_relaxant_active(case: Case) -> Finding:
    """A muscle relaxant covers today."""
    return presence(case, active_medications(case, "skeletal-muscle-relaxant"), "medications")
