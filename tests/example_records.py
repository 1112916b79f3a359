"""Example patients as FHIR R4 charts: each fact of an example becomes entries that make it true.

An example says of every fact yes, unknown or, when it names it not, no. A fact that is no needs
no entry: an otherwise empty chart that was delivered says so. The dates are those of one day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cards.codes import CPT, LOINC, SNOMED
from cards.facts.vocabulary import closure
from cards.library import HERE, Library
from cards.recommendation import Example, Recommendation
from cards.record import HookName
from cards.value_set_files import read_value_sets
from service.prefetch import SEARCHES

Resource = dict[str, Any]

TODAY = date(2026, 6, 17)
PATIENT, VISIT, DRAFT = "pat-1", "visit-1", "draft-1"
HL7 = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True)
class NotSent:
    """A prefetch key the client leaves out."""

    key: str


@dataclass(frozen=True)
class NotFinished:
    """A prefetch key of which only the first page came."""

    key: str


Entries = tuple[Resource | NotSent | NotFinished, ...]


@dataclass(frozen=True)
class Told:
    """What an example says, and every fact its recommendation asks (parts included)."""

    hook: HookName
    yes: frozenset[str]
    unknown: frozenset[str]
    asks: frozenset[str]


# Codes and dates


VALUE_SETS = read_value_sets(HERE / "value_sets")


def coded(value_set: str, word: str = "") -> Resource:
    """The first code of a value set whose display is, or else has, the word.

    A CPT code only where the set holds no other.
    """
    rows = [row for row in VALUE_SETS[value_set] if word in row["display"]]
    row = min(rows, key=lambda r: (r["system"] == CPT, r["display"] != word))
    return {"coding": [{name: row[name] for name in ("system", "code", "display")}]}


def code(system: str, value: str, display: str) -> Resource:
    """A concept of one code."""
    return {"coding": [{"system": system, "code": value, "display": display}]}


def ago(days: int) -> str:
    """The day so many days ago."""
    return (TODAY - timedelta(days=days)).isoformat()


def around(days: int) -> str:
    """The month in which the day so many days ago lies: it leaves open on which side of it."""
    return ago(days)[:7]


def amount(value: float, unit: str) -> Resource:
    """A quantity with its UCUM unit."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


# Entries of a chart


def problem(concept: Resource, onset: str | None, status: str = "active", **more: Any) -> Resource:
    """A confirmed Condition; its onset is left out when None."""
    began = {"onsetDateTime": onset} if onset else {}
    return {
        "resourceType": "Condition",
        "clinicalStatus": code(f"{HL7}/condition-clinical", status, status),
        "verificationStatus": code(f"{HL7}/condition-ver-status", "confirmed", "Confirmed"),
        "category": [code(f"{HL7}/condition-category", "problem-list-item", "Problem List Item")],
        "code": concept,
        **began,
        **more,
    }


def result(concept: Resource, day: str, **value: Any) -> Resource:
    """A final Observation."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept,
        "effectiveDateTime": day,
        **value,
    }


def measured(value_set: str, days: int, value: float, unit: str, word: str = "") -> Resource:
    """A number measured so many days ago."""
    return result(coded(value_set, word), ago(days), valueQuantity=amount(value, unit))


def pain_score(days: int, value: float) -> Resource:
    """A numeric rating of pain from 0 to 10."""
    name = code(LOINC, "72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported")
    return result(name, ago(days), valueQuantity=amount(value, "{score}"))


def session(concept: Resource, day: str, **more: Any) -> Resource:
    """A Procedure done on one day."""
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": concept,
        "performedDateTime": day,
        **more,
    }


def course(concept: Resource, first: int, last: int) -> Resource:
    """A completed course of care, from so many days ago to so many days ago."""
    done = session(concept, ago(first))
    del done["performedDateTime"]
    return done | {"performedPeriod": {"start": ago(first), "end": ago(last)}}


def order(concept: Resource, days: int, **more: Any) -> Resource:
    """An active ServiceRequest."""
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": concept,
        "authoredOn": ago(days),
        **more,
    }


def drug(concept: Resource, days: int, supply: int, **more: Any) -> Resource:
    """An active MedicationRequest with a supply of so many days."""
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept,
        "authoredOn": ago(days),
        "dispenseRequest": {"expectedSupplyDuration": amount(supply, "d")},
        **more,
    }


def stopped(concept: Resource, days: int) -> Resource:
    """A drug that was stopped because it did not help."""
    return drug(concept, days, 30, status="stopped", statusReason=coded("treatment-ineffective"))


def dosed(milligrams: float, times: int) -> Resource:
    """A dose by mouth so many times a day."""
    return {
        "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}},
        "route": code(SNOMED, "26643006", "Oral route"),
        "doseAndRate": [{"doseQuantity": amount(milligrams, "mg")}],
    }


def allergy(concept: Resource, *reactions: Resource) -> Resource:
    """An active AllergyIntolerance."""
    told = {"reaction": [{"manifestation": list(reactions)}]} if reactions else {}
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": code(f"{HL7}/allergyintolerance-clinical", "active", "Active"),
        "type": "allergy",
        "code": concept,
        **told,
    }


def report(concept: Resource, days: int) -> Resource:
    """A final DiagnosticReport."""
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": concept,
        "effectiveDateTime": ago(days),
    }


def visit(kind: str, *reasons: Resource) -> Resource:
    """The encounter this call is made in; ``kind`` is an ActCode such as AMB or IMP."""
    told = {"reasonCode": list(reasons)} if reasons else {}
    return {
        "resourceType": "Encounter",
        "id": VISIT,
        "status": "in-progress",
        "class": {"system": f"{HL7}/v3-ActCode", "code": kind},
        "period": {"start": ago(0)},
        **told,
    }


# The table: fact → what makes it yes

OXYCODONE = coded("opioid", "oxycodone hydrochloride 5 MG Oral Tablet")
NAPROXEN = coded("nsaid-oral", "naproxen 500 MG Oral Tablet")
CYCLOBENZAPRINE = coded("cyclobenzaprine", "cyclobenzaprine hydrochloride 5 MG Oral Tablet")
ACETAMINOPHEN = coded("acetaminophen", "acetaminophen 500 MG Oral Tablet")
MRI = coded("spine-mri", "MR Lumbar spine WO contrast")
SHOULDER_PAIN = code("http://hl7.org/fhir/sid/icd-10-cm", "M25.511", "Pain in right shoulder")
UNRELATED = code(SNOMED, "252465000", "Pulse oximetry")
SORE_THROAT = code("http://hl7.org/fhir/sid/icd-10-cm", "J02.9", "Acute pharyngitis, unspecified")
# Problems, each of one value set: the fact, the set, and how many days ago it began.
PROBLEMS: Mapping[str, tuple[str, int]] = {
    "active_cancer": ("malignant-neoplasm", 300),
    "alcohol_use_disorder": ("alcohol-use-disorder", 900),
    "bipolar": ("bipolar", 900),
    "bleeding_disorder": ("bleeding-disorder", 900),
    "cancer_history": ("personal-history-of-cancer", 900),
    "ces_diagnosis_recent": ("cauda-equina", 7),
    "deficit_new_30d": ("leg-weakness", 10),
    "deficit_new_31_90d": ("leg-weakness", 60),
    "end_of_life": ("palliative-care", 20),
    "epilepsy": ("seizure", 900),
    "fall_recent": ("fall", 20),
    "fever_coded_14d": ("fever", 10),
    "fever_explained": ("other-infection", 5),
    "fracture_instability_deformity": ("spinal-deformity-instability", 900),
    "fracture_or_instability": ("spinal-instability", 900),
    "gi_ulcer_bleed_older": ("gi-ulcer-bleed", 900),
    "head_injury_recent": ("head-injury-recent", 100),
    "heart_failure": ("heart-failure", 900),
    "infection_risk_factor": ("immunosuppression", 900),
    "leg_deficit_or_radicular": ("radiculopathy-sciatica", 200),
    "liver_disease_any": ("liver-disease", 900),
    "liver_moderate_severe": ("liver-moderate-severe", 900),
    "liver_steatosis": ("liver-steatosis", 900),
    "neuropathy_sensory_loss": ("neuropathic-pain", 300),
    "osteoarthritis": ("osteoarthritis", 900),
    "oud_or_overdose_recent": ("overdose", 100),
    "radiculopathy_or_stenosis": ("spinal-stenosis", 200),
    "red_flag_proxy_on_record": ("weight-loss-proxy", 30),
    "respiratory_risk": ("copd-resp", 900),
    "sphincter_symptom_recent": ("urinary-retention-new", 5),
    "spinal_infection_dx": ("spinal-infection", 30),
    "spondyloarthritis_active": ("spondyloarthritis", 900),
    "steroid_90_days": ("long-term-steroid", 200),
    "structural_pathology": ("spinal-stenosis", 200),
    "weight_loss_coded": ("weight-loss", 30),
    "weight_loss_explained": ("intentional-weight-loss", 100),
}

# Care: the fact, its value set, the days it looks back, and how many days ago it was given.
CARE: Mapping[str, tuple[str, int, int]] = {
    "acupressure_on_record": ("acupressure", 365, 200),
    "acupuncture_on_record": ("acupuncture", 365, 200),
    "cbt_on_record": ("cbt", 365, 200),
    "dry_needling_on_record": ("dry-needling", 365, 200),
    "education_on_record": ("education", 365, 200),
    "exercise_on_record": ("exercise-therapy", 365, 200),
    "exercise_on_record_84d": ("exercise-therapy", 84, 50),
    "exercise_session_28d": ("exercise-therapy", 28, 10),
    "heat_on_record": ("heat", 365, 200),
    "light_programme_28d_ago": ("education", 365, 40),
    "manipulation_on_record": ("manipulation", 365, 200),
    "manual_care_tried": ("massage", 365, 200),
    "massage_on_record": ("massage", 365, 200),
    "nonpharm_on_record_84d": ("acupuncture", 84, 10),
    "nonpharm_on_record_180d": ("nonpharm-any", 180, 120),
    "passive_on_record_84d": ("passive-modality", 84, 50),
    "rehabilitation_on_record": ("multidisciplinary-rehab", 365, 200),
    "relaxation_on_record": ("relaxation", 365, 200),
    "tai_chi_on_record": ("tai-chi", 365, 200),
    "yoga_on_record": ("yoga", 365, 200),
}

YES: Mapping[str, Entries] = {
    **{name: (problem(coded(s), ago(days)),) for name, (s, days) in PROBLEMS.items()},
    **{name: (session(coded(s), ago(days)),) for name, (s, _, days) in CARE.items()},
    "acetaminophen_allergy": (allergy(ACETAMINOPHEN),),
    "allergies_unread": (NotSent("allergies"),),
    "anticoagulant_current": (drug(coded("anticoagulant"), 10, 90),),
    "anticoagulant_possible": (drug(coded("anticoagulant"), 200, 30),),
    "any_step_running": (drug(ACETAMINOPHEN, 5, 30),),
    "benzodiazepine_current": (drug(coded("benzodiazepine"), 10, 30),),
    "benzodiazepine_possible": (drug(coded("benzodiazepine"), 200, 30),),
    "cancer_workup_done": (report(MRI, 1),),
    "ces_exam_finding_recent": (result(coded("cauda-equina-finding", "Numbness"), ago(3)),),
    "ces_workup_done": (report(MRI, 1),),
    "cns_depressant_other": (drug(coded("cns-depressant", "gabapentin"), 10, 30),),
    "cns_depressants_two": (
        drug(coded("cns-depressant", "gabapentin"), 10, 30),
        drug(coded("cns-depressant", "zolpidem"), 10, 30),
    ),
    "conditions_incomplete": (NotFinished("conditions"),),
    "conditions_unread_on_order": (NotSent("conditions"),),
    "deficit_workup_done": (report(MRI, 1),),
    "drug_step_inadequate": (stopped(coded("tca", "amitriptyline"), 400),),
    "dual_antiplatelet": (
        drug(coded("antiplatelet", "clopidogrel"), 10, 90),
        drug(coded("aspirin-low", "81 MG"), 10, 90, dosageInstruction=[dosed(81, 1)]),
    ),
    "duloxetine_failed": (stopped(coded("duloxetine"), 120),),
    "duloxetine_on_record": (drug(coded("duloxetine"), 200, 30, status="completed"),),
    "duloxetine_or_tramadol_step_done": (stopped(coded("tramadol"), 400),),
    "egfr_45_59": (measured("egfr", 10, 52, "mL/min/{1.73_m2}"),),
    "fever_recent": (measured("body-temp", 3, 38.6, "Cel"),),
    "infection_workup_done": (report(MRI, 1), measured("crp", 1, 4, "mg/L")),
    "inpatient_encounter": (visit("IMP"),),
    "maoi_current": (drug(coded("maoi"), 10, 30),),
    "muscle_relaxant_28d_on_record": (
        drug(coded("skeletal-muscle-relaxant"), 20, 5, status="completed"),
    ),
    "no_analgesic_patient_view": (),
    "no_topical_nsaid_28d_order_context": (),
    "nsaid_allergy_serious": (allergy(NAPROXEN, code(SNOMED, "39579001", "Anaphylaxis")),),
    "nsaid_step_done": (stopped(NAPROXEN, 400),),
    "older_without_egfr": (),
    "opioid_active": (drug(OXYCODONE, 10, 30),),
    "opioid_long_term": (drug(coded("opioid", "morphine"), 120, 150),),
    "opioid_naive_90d": (),
    "opioid_prerequisite_missing": (),
    "oral_nsaid_active": (drug(NAPROXEN, 2, 30),),
    "oral_nsaid_on_record": (drug(NAPROXEN, 200, 30, status="completed"),),
    "order_trauma_or_postoperative": (session(coded("spine-surgery"), ago(10)),),
    "osteoporosis": (problem(coded("osteoporosis-fracture-risk", "osteoporosis"), ago(900)),),
    "pain_specialist_180d": (order(coded("pain-specialist"), 100),),
    "pregnant": (
        result(
            coded("pregnancy-status"),
            ago(10),
            valueCodeableConcept=code(SNOMED, "77386006", "Pregnant"),
        ),
    ),
    "psychosocial_screen_180d": (
        measured("psychosocial-screen", 100, 4, "{score}", "PHQ-9) total"),
    ),
    "reassessed_since_start": (pain_score(5, 2),),
    "red_flag_data_incomplete": (NotSent("procedures"),),
    "score_recent": (pain_score(30, 2),),
    "serotonergic_strong": (drug(coded("serotonergic-strong", "fluoxetine"), 10, 30),),
    "severe_disability_or_risk": (
        measured("psychosocial-screen", 100, 15, "{score}", "PHQ-9) total"),
    ),
    "specific_cause_workup_180d": (measured("crp", 100, 4, "mg/L"),),
    "spine_surgery_history": (session(coded("spine-surgery"), ago(1500)),),
    "sud_active": (problem(coded("sud", "Cannabis"), ago(900)),),
    "surgical_or_injection_candidate": (order(coded("spinal-injection-epidural"), 30),),
    "tca_on_record": (drug(coded("tca"), 200, 30, status="completed"),),
    "therapy_started_14_56d": (drug(ACETAMINOPHEN, 30, 20),),
    "topical_analgesic_active": (drug(coded("lidocaine-topical"), 5, 30),),
    "topical_nsaid_3_days": (drug(coded("nsaid-topical"), 10, 30),),
    "tpi_42d": (session(coded("tpi"), ago(20)),),
    "tpi_three_in_year": tuple(session(coded("tpi"), ago(days)) for days in (100, 150, 200)),
    "trauma_recent": (problem(coded("major-trauma", "collision with car"), ago(20)),),
    "trauma_workup_done": (report(MRI, 1),),
    "vertebral_fracture_recent": (
        problem(coded("vertebral-fracture", "Pathological fracture"), ago(20)),
    ),
    "visit_unrelated_to_back": (visit("AMB", SORE_THROAT),),
    "weight_fell_10_percent": (
        measured("body-weight", 200, 70, "kg"),
        measured("body-weight", 10, 60, "kg"),
    ),
    "weight_fell_5_percent": (
        measured("body-weight", 200, 70, "kg"),
        measured("body-weight", 10, 66, "kg"),
    ),
}

# Fact → what leaves it unknown: a date of which only the month is told, or a key not sent.
UNKNOWN: Mapping[str, Entries] = {
    **{name: (session(coded(s), around(days)),) for name, (s, days, _) in CARE.items()},
    "acetaminophen_active": (NotFinished("medications"),),
    "anticoagulant_current": (NotSent("medications"),),
    "anticoagulant_possible": (NotSent("medications"),),
    "benzodiazepine_current": (NotSent("medications"),),
    "benzodiazepine_possible": (NotSent("medications"),),
    "bleeding_disorder": (NotSent("conditions"),),
    "cancer_workup_done": (NotSent("diagnosticReports"),),
    "ces_exam_finding_recent": (NotSent("observations"),),
    "ces_workup_done": (NotSent("diagnosticReports"),),
    "cns_depressants_two": (NotSent("medications"),),
    "cyclobenzaprine_supply_over_21d": (),
    "deficit_new_30d": (NotSent("observations"),),
    "dual_antiplatelet": (NotSent("medications"),),
    "duloxetine_on_record": (
        drug(coded("duloxetine"), 200, 30, status="completed", authoredOn=around(365)),
    ),
    "facet_rfa_by_specialist_after_block": (session(coded("spinal-injection-facet-rfa"), ago(30)),),
    "fever_recent": (NotSent("observations"),),
    "fracture_workup_done": (NotSent("diagnosticReports"),),
    "liver_disease_any": (NotFinished("conditions"),),
    "liver_moderate_severe": (NotFinished("conditions"),),
    "mbsr_on_record": (),
    "motor_control_on_record": (),
    "muscle_relaxant_28d_on_record": (NotSent("medications"),),
    "no_analgesic_patient_view": (NotSent("medications"),),
    "opioid_naive_90d": (NotSent("medications"),),
    "order_for_back_pain_or_unstated": (NotFinished("conditions"),),
    "oral_nsaid_on_record": (drug(NAPROXEN, 200, 10, status="completed", authoredOn=around(365)),),
    "pain_specialist_180d": (order(coded("pain-specialist"), 180, authoredOn=around(180)),),
    "psychosocial_screen_180d": (
        result(
            coded("psychosocial-screen", "PHQ-9) total"),
            around(180),
            valueQuantity=amount(4, "{score}"),
        ),
    ),
    "radiculopathy_or_stenosis": (NotSent("conditions"),),
    "reassessed_since_start": (NotSent("encounters"),),
    "red_flag_exam_documented": (),
    "response_inadequate": (),
    "score_recent": (NotSent("observations"),),
    "strength_falling": (),
    "structural_pathology": (NotSent("conditions"),),
    "topical_nsaid_3_days": (
        drug(coded("nsaid-topical"), 28, 5, status="completed", authoredOn=around(28)),
    ),
    "trauma_workup_done": (NotSent("diagnosticReports"),),
    "trigger_point_documented": (NotSent("observations"),),
    "trigger_point_exam_180d": (),
    "weight_fell_10_percent": (measured("body-weight", 10, 60, "kg"),),
    "weight_fell_5_percent": (measured("body-weight", 10, 60, "kg"),),
    "weight_loss_explained": (NotSent("medications"),),
}

# The pain itself: where it is, when it began, when it was recorded

PAINS: Mapping[str, Resource] = {
    "pathway_low_back": coded("low-back-pain"),
    "pathway_myofascial": coded("myofascial-pain", "lumbar spine"),
    "pathway_spasm": coded("back-spasm"),
    "pathway_mid_back": coded("thoracic-back-pain"),
}
IN_FIRST_LINE = ("first_line_card_shown", "row_in_option_set")
SHOULDER = code(SNOMED, "16982005", "Shoulder region structure")
MYALGIA = code("http://hl7.org/fhir/sid/icd-10-cm", "M79.18", "Myalgia, other site")
# Back pain that belongs to no pathway.
NO_PATHWAY = coded("back-pain-any", "Radiculopathy, thoracic region")
PHASE_ONSETS = {"phase_acute": 20, "phase_subacute": 60, "phase_chronic": 200}
# What was asked of the date of the pain → how many days ago it began, where no phase is told.
ONSETS = {
    "mid_back_acute": 20,
    "back_pain_new_42d": 35,
    "back_pain_onset_known_84d": 60,
    "back_pain_new_or_worse": 60,
    "trauma_fits_pain": 20,
}
PAIN_FACTS = frozenset(
    {
        *PAINS,
        *PHASE_ONSETS,
        *ONSETS,
        "back_pain_problem",
        "pathway_trigger_point",
        "phase_unknown",
        "exacerbation",
        "earlier_back_pain",
        "back_pain_recorded_14d",
        "back_pain_recorded_30d_or_visit",
        "trigger_point_documented",
        *IN_FIRST_LINE,
    }
)
# Left unknown by an onset, or a record, that was not told or only to the month.
PAIN_UNKNOWN = frozenset(
    {
        "back_pain_new_42d",
        "back_pain_onset_known_84d",
        "back_pain_new_or_worse",
        "back_pain_recorded_14d",
        "back_pain_recorded_30d_or_visit",
    }
)


def pains(told: Told) -> list[Resource]:
    """The back-pain Conditions of an example; none when it has no back pain."""
    yes = told.yes
    if not yes & PAIN_FACTS:
        return []
    named = [concept for name, concept in PAINS.items() if name in yes]
    if "mid_back_acute" in yes and "pathway_mid_back" not in yes:
        named.append(PAINS["pathway_mid_back"])
    began, entered = onset(told), recorded(told)
    status = "recurrence" if "exacerbation" in yes else "active"
    found = [problem(concept, began, status, **entered) for concept in named]
    site = trigger_point_site(told)
    if site:
        found.append(problem(MYALGIA, began, status, bodySite=[site], **entered))
    if not named and "pathway_trigger_point" not in yes:
        elsewhere = NO_PATHWAY if told.asks & PAINS.keys() else PAINS["pathway_low_back"]
        found.append(problem(elsewhere, began, status, **entered))
    if "earlier_back_pain" in yes:
        found.append(problem(PAINS["pathway_low_back"], ago(500), "resolved"))
    return found


def trigger_point_site(told: Told) -> Resource | None:
    """Where the trigger point is; None without one, or where myofascial pain documents it."""
    if "pathway_trigger_point" in told.yes:
        return coded("trigger-point")
    if "trigger_point_documented" not in told.yes or "pathway_myofascial" in told.yes:
        return None
    return SHOULDER if "pathway_trigger_point" in told.asks else coded("trigger-point")


def onset(told: Told) -> str | None:
    """The day the pain began; None where the example leaves the phase, or the onset, unknown."""
    if "phase_unknown" in told.yes or told.unknown & set(ONSETS):
        return None
    days = [PHASE_ONSETS[name] for name in PHASE_ONSETS if name in told.yes]
    days += [ONSETS[name] for name in ONSETS if name in told.yes]
    if "phase_chronic" in told.yes:
        return ago(PHASE_ONSETS["phase_chronic"])
    if not days and "phase_chronic" in told.asks:
        return None
    return ago(min(days, default=PHASE_ONSETS["phase_chronic"]))


def recorded(told: Told) -> dict[str, str]:
    """The day the pain was entered; a flare or a new record where the example says so."""
    if "back_pain_recorded_14d" in told.unknown:
        return {"recordedDate": around(14)}
    if "back_pain_recorded_30d_or_visit" in told.unknown:
        return {"recordedDate": around(30)}
    if told.yes & {"back_pain_recorded_14d", "exacerbation"}:
        return {"recordedDate": ago(5)}
    if "back_pain_recorded_30d_or_visit" in told.yes:
        return {"recordedDate": ago(20)}
    return {}


# Care of some weeks, and how the pain went since it began

CARE_STARTS = {"care_12_weeks": 100, "care_8_weeks": 65, "care_6_weeks": 48, "care_4_weeks": 32}
COURSE_FACTS = frozenset(
    {
        *CARE_STARTS,
        "exercise_adequate_trial",
        "exercise_trial_or_running",
        "second_nondrug_step_inadequate",
        "response_inadequate",
        "response_improved",
    }
)


def care(told: Told) -> list[Resource]:
    """Exercise or other care from its start to this week, with the scores of then and now."""
    yes = told.yes
    weeks = [days for name, days in CARE_STARTS.items() if name in yes]
    exercise = yes & {"exercise_adequate_trial", "exercise_trial_or_running"}
    start = max(weeks, default=start_without_weeks(yes))
    found: list[Resource] = []
    if exercise:
        found.append(course(coded("exercise-therapy"), start, 2))
    elif weeks or "response_improved" in yes:
        found.append(course(coded("acupuncture"), start, 2))
    if "second_nondrug_step_inadequate" in yes:
        found.append(course(coded("massage"), start, 2))
    return [*found, *response(yes, start, bool(found))]


def start_without_weeks(yes: frozenset[str]) -> int:
    """How many days ago care began when the example names no weeks of it."""
    if "light_programme_28d_ago" in yes:
        return CARE["light_programme_28d_ago"][2]
    return 14 if "response_improved" in yes else 48


def response(yes: frozenset[str], start: int, cared_for: bool) -> list[Resource]:
    """Pain scores of the start of care and of now; without care, a treatment that failed."""
    if "response_improved" in yes:
        return [pain_score(start, 8), pain_score(5, 3)]
    if "response_inadequate" not in yes:
        return []
    if cared_for:
        return [pain_score(start, 7), pain_score(5, 7)]
    return [session(coded("acupuncture"), ago(8), outcome=coded("outcome-bad"))]


# The draft order

# Fact → what is drafted; the first of these that is yes, so the more telling ones come first.
DRAFTS: Mapping[str, Resource] = {
    "cyclobenzaprine_subject": CYCLOBENZAPRINE,
    "subject_opioid_is_oud_treatment": coded("opioid", "methadone hydrochloride"),
    "draft_oral_nsaid": NAPROXEN,
    "oral_nsaid_subject": NAPROXEN,
    "draft_opioid": OXYCODONE,
    "opioid_subject": OXYCODONE,
    "draft_benzodiazepine": coded("benzodiazepine"),
    "draft_botulinum": coded("botulinum-toxin"),
    "draft_steroid_injection": coded("corticosteroid-injectable"),
    "draft_glucosamine": coded("glucosamine-chondroitin"),
    "draft_analgesic_nonopioid": ACETAMINOPHEN,
    "draft_cns_depressant": coded("cns-depressant", "pregabalin"),
    "draft_spine_imaging_not_mri": coded("spine-imaging", "XR Lumbar spine"),
    "draft_spine_imaging": MRI,
    "draft_tens": coded("tens"),
    "draft_traction": coded("traction"),
    "draft_therapeutic_ultrasound": coded("therapeutic-ultrasound"),
    "draft_lumbar_support": coded("lumbar-support"),
    "draft_epidural": coded("spinal-injection-epidural"),
    "draft_facet_or_rfa": coded("spinal-injection-facet-rfa"),
    "draft_surgery_referral": coded("spine-surgery-referral", "Lumbar discectomy"),
    "draft_trigger_point_injection": coded("tpi"),
    "draft_dry_needling": coded("dry-needling"),
    "draft_laser": coded("low-level-laser"),
    "draft_manipulation": coded("manipulation"),
    "draft_passive_modality": coded("passive-modality"),
    "draft_pain_treatment": coded("massage"),
}
# Fact → the reason the draft states.
REASONS: Mapping[str, Resource] = {
    "order_reason_myofascial": coded("myofascial-pain"),
    "steroid_with_trigger_point_order": coded("myofascial-pain"),
    "order_reason_serious": coded("cauda-equina"),
    "subject_opioid_is_oud_treatment": coded("oud"),
    "order_for_back_pain": PAINS["pathway_low_back"],
    "order_reason_elsewhere": SHOULDER_PAIN,
}
ORDER_FACTS = frozenset(
    {
        *DRAFTS,
        *REASONS,
        "order_for_back_pain_or_unstated",
        "cyclobenzaprine_supply_over_21d",
        "cyclobenzaprine_over_5mg_or_er",
        "cyclobenzaprine_dose_unknown",
        "draft_is_renewal",
    }
)
# Left unknown by a reason told in words only.
ORDER_UNKNOWN = frozenset(
    {"order_for_back_pain", "order_reason_myofascial", "steroid_with_trigger_point_order"}
)


def drafted(told: Told) -> Resource | None:
    """The draft of an order hook, one that has nothing to do with pain if need be; else None."""
    if told.hook == "patient-view":
        return None
    name = next((name for name in DRAFTS if name in told.yes), None)
    placed = subject_order(name, told) if name else order(UNRELATED, 0)
    return {**placed, **why(told), "id": DRAFT, "status": "draft"}


def why(told: Told) -> dict[str, list[Resource]]:
    """The reasons as the member of an order; absent without any."""
    stated = reasons(told)
    return {"reasonCode": stated} if stated else {}


def reasons(told: Told) -> list[Resource]:
    """The reasons the draft states; another one where it is not for the back."""
    stated = [concept for fact, concept in REASONS.items() if fact in told.yes]
    for_back = "order_for_back_pain_or_unstated"
    if stated and for_back in told.yes and REASONS["order_for_back_pain"] not in stated:
        stated.append(REASONS["order_for_back_pain"])
    if told.unknown & ORDER_UNKNOWN:
        return [{"text": "pain"}]
    settled = told.yes | told.unknown
    if not stated and for_back in told.asks and not settled & {for_back, "order_for_back_pain"}:
        return [SHOULDER_PAIN]
    return stated


def subject_order(name: str, told: Told) -> Resource:
    """The drug or service in question, as an order written today."""
    concept = DRAFTS[name]
    if name == "cyclobenzaprine_subject":
        return cyclobenzaprine(told, 0)
    is_drug = concept["coding"][0]["system"].endswith("rxnorm") or name in (
        "draft_botulinum",
        "draft_steroid_injection",
    )
    return drug(concept, 0, 14) if is_drug else order(concept, 0)


def cyclobenzaprine(told: Told, days: int) -> Resource:
    """Cyclobenzaprine with the supply and the dose the example tells."""
    supply = 60 if "cyclobenzaprine_supply_over_21d" in told.yes else 10
    dose = dosed(10 if "cyclobenzaprine_over_5mg_or_er" in told.yes else 5, 3)
    written = drug(CYCLOBENZAPRINE, days, supply)
    if "cyclobenzaprine_supply_over_21d" in told.unknown:
        del written["dispenseRequest"]
    if "cyclobenzaprine_dose_unknown" in told.yes:
        return written
    return written | {"dosageInstruction": [dose]}


def taken(told: Told) -> list[Resource]:
    """The drug in question where it is taken already: on patient-view, or when renewed."""
    name = next((name for name in DRAFTS if name in told.yes), "")
    running = told.hook == "patient-view" and "subject" in name
    if not running and "draft_is_renewal" not in told.yes:
        return []
    if name == "cyclobenzaprine_subject":
        return [cyclobenzaprine(told, 25 if "cyclobenzaprine_supply_over_21d" in told.yes else 5)]
    return [drug(DRAFTS[name], 20, 60, **why(told))]


# The person

BIRTHS = {
    "age_75_or_over": "1948-02-02",
    "age_65_or_over": "1958-02-02",
    "age_over_50": "1966-02-02",
    "age_under_65": "1984-02-02",
}
PERSON_FACTS = frozenset({*BIRTHS, "age_unknown", "not_eligible"})


def kidneys(told: Told) -> list[Resource]:
    """A good kidney function of last week at 65 or over, unless the example misses it."""
    old = told.yes & {"age_65_or_over", "age_75_or_over"}
    known = old and "older_without_egfr" not in told.yes
    return [measured("egfr", 10, 80, "mL/min/{1.73_m2}")] if known else []


def person(told: Told) -> Resource:
    """The patient, 42 years old unless the example tells another age; dead if no advice is due."""
    birth = next((born for name, born in BIRTHS.items() if name in told.yes), "1984-02-02")
    told_birth = {} if "age_unknown" in told.yes else {"birthDate": birth}
    died = {"deceasedBoolean": True} if "not_eligible" in told.yes else {}
    return {"resourceType": "Patient", "id": PATIENT, **told_birth, **died}


# The request

COMPOSED = PAIN_FACTS | COURSE_FACTS | ORDER_FACTS | PERSON_FACTS
COMPOSED_UNKNOWN = PAIN_UNKNOWN | ORDER_UNKNOWN


# What only the course of a call can tell → what a patient is like for whom it is so.
CALL_FACTS: Mapping[str, frozenset[str]] = {
    "parent_card_shown": frozenset({"pathway_low_back", "phase_chronic"}),
    "drug_suggestion_shown": frozenset({"mid_back_acute", "phase_acute"}),
}
# A phase that stands for the two or three a derived fact joins.
A_PHASE = {"phase_not_chronic": "phase_subacute", "phase_over_4_weeks": "phase_chronic"}


def untold(example: Example) -> frozenset[str]:
    """Facts of an example that no table knows how to write into a chart."""
    return (example.present - COMPOSED - CALL_FACTS.keys() - YES.keys()) | (
        example.unknown - COMPOSED_UNKNOWN - UNKNOWN.keys()
    )


def tell(example: Example, recommendation: Recommendation, library: Library) -> Told:
    """The example, with a pathway and a phase where it names only a row or a card."""
    yes = example.present
    for name, implied in CALL_FACTS.items():
        yes |= implied if name in yes else frozenset()
    if recommendation.render == "row":
        yes |= row_patient(recommendation.id, "row_in_option_set" in yes, library)
        yes |= frozenset() if "first_line_card_shown" in yes else {"nonpharm_on_record_84d"}
    asks = closure(asked(recommendation), library.vocabulary)
    return Told(example.hook, yes, example.unknown, asks)


def row_patient(row: str, listed: bool, library: Library) -> frozenset[str]:
    """Pathway and phase of the first option set that lists the row, or that does not."""
    found = next(s for s in library.option_sets if (row in s.rows) is listed and not s.fallback)
    return frozenset(A_PHASE.get(name, name) for name in found.when)


def asked(recommendation: Recommendation) -> tuple[str, ...]:
    """Every fact the recommendation names: to apply, to be silent, to weigh, to suggest."""
    return (
        *recommendation.trigger.names,
        *recommendation.exclusions,
        *recommendation.critical_only_when,
        *(rule.fact for rule in recommendation.indicator_rules),
        *(name for s in recommendation.suggestions for name in s.when_all + s.when_none),
    )


def render(told: Told) -> Resource:
    """The CDS Hooks request of an example, asking for its explanation."""
    entries: list[Resource | NotSent | NotFinished] = [
        *pains(told),
        *care(told),
        *taken(told),
        *kidneys(told),
    ]
    composed = COMPOSED | CALL_FACTS.keys()
    for name in sorted(told.yes - composed):
        entries += YES[name]
    for name in sorted(told.unknown - COMPOSED_UNKNOWN):
        entries += UNKNOWN[name]
    draft = drafted(told)
    return {
        "hook": told.hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": context(told.hook, entries, draft),
        "prefetch": prefetch(person(told), entries),
        "extension": {"org.backpath.request": {"explain": True}},
    }


def context(hook: str, entries: Iterable[object], draft: Resource | None) -> Resource:
    """The context of the call; a draft is selected, and on an order hook there may be none."""
    told: Resource = {"userId": "Practitioner/doc-1", "patientId": PATIENT}
    if any(isinstance(entry, dict) and entry.get("id") == VISIT for entry in entries):
        told["encounterId"] = VISIT
    if hook == "patient-view":
        return told
    told["draftOrders"] = {"resourceType": "Bundle", "type": "collection"}
    if draft:
        told["draftOrders"]["entry"] = [{"resource": of_patient(draft)}]
        if hook == "order-select":
            told["selections"] = [f"{draft['resourceType']}/{DRAFT}"]
    return told


def prefetch(patient: Resource, entries: Iterable[Resource | NotSent | NotFinished]) -> Resource:
    """The answers to our queries: every entry in its Bundle, and every other Bundle empty."""
    entries = tuple(entries)
    resources = [
        of_patient({"id": f"entry-{number}", **entry})
        for number, entry in enumerate(e for e in entries if isinstance(e, dict))
    ]
    told: Resource = {"patient": patient}
    for key, kind in SEARCHES.items():
        if NotSent(key) not in entries:
            told[key] = bundle(r for r in resources if r["resourceType"] == kind)
        if NotFinished(key) in entries:
            told[key]["link"] = [{"relation": "next", "url": "https://fhir.example.org/page/2"}]
    return told


def bundle(resources: Iterable[Resource]) -> Resource:
    """A search answer."""
    entry = [{"resource": resource} for resource in resources]
    told: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(entry)}
    return told | ({"entry": entry} if entry else {})


def of_patient(resource: Resource) -> Resource:
    """The resource with the reference its type has to the patient."""
    member = "patient" if resource["resourceType"] == "AllergyIntolerance" else "subject"
    return {**resource, member: {"reference": f"Patient/{PATIENT}"}}
