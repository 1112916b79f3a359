"""Patients under care made by chance: sessions over weeks, scores, drugs, illnesses, drafts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from cards.codes import ICD10CM, LOINC, SNOMED, CodeIndex
from tests.generated_records import (
    PATIENT,
    RXNORM,
    TODAY,
    UNRELATED,
    Resource,
    coded,
    codes,
    concept,
    conditions,
    diagnosis,
    painless_views,
    view,
)

UCUM = "http://unitsofmeasure.org"
PAIN_RATING = (LOINC, "72514-3", "Pain severity - 0-10 verbal numeric rating")
CREATININE_CLEARED = (LOINC, "62238-1", "Glomerular filtration rate")
QT_CORRECTED = (LOINC, "8636-3", "QT interval corrected")
PHQ9 = (LOINC, "44261-6", "Patient Health Questionnaire 9 item total score")
TRIGGER_POINT_SITE = (SNOMED, "279229007", "Trigger point site")

PAIN_SETS_UNDER_CARE = (
    "low-back-pain",
    "low-back-pain",
    "thoracic-back-pain",
    "back-spasm",
    "myofascial-pain",
    "radiculopathy-lbp",
)
STEP_SETS = (
    "exercise-therapy",
    "massage",
    "manipulation",
    "acupuncture",
    "cbt",
    "yoga",
    "education",
    "dry-needling",
    "multidisciplinary-rehab",
    "pain-specialist",
    "tens",
    "tpi",
)
STEP_DRUG_SETS = (
    "nsaid-oral",
    "nsaid-topical",
    "acetaminophen",
    "cyclobenzaprine",
    "duloxetine",
    "amitriptyline",
    "tramadol",
    "lidocaine-topical",
)
OTHER_DRUG_SETS = (
    "anticoagulant",
    "antiplatelet",
    "benzodiazepine",
    "opioid",
    "maoi",
    "lithium",
    "methotrexate",
    "ssri",
    "cyp1a2-strong",
    "cyp2d6-strong",
    "diuretic",
    "acei",
    "qt-drugs",
    "systemic-corticosteroid",
)
ILLNESS_SETS = (
    "aki",
    "alcohol-use-disorder",
    "angle-closure-glaucoma",
    "arrhythmia-conduction",
    "bipolar",
    "bleeding-disorder",
    "ckd-3",
    "ckd-3b",
    "ckd-4-5",
    "gi-risk",
    "gi-ulcer-bleed",
    "heart-failure",
    "hyperthyroidism",
    "ischaemic-cvd",
    "liver-disease",
    "liver-moderate-severe",
    "liver-steatosis",
    "osteoarthritis",
    "osteoporosis-fracture-risk",
    "pregnancy",
    "recent-mi",
    "seizure",
    "sleep-disordered-breathing",
    "suicidality",
    "urinary-retention-bph",
)
ALLERGEN_SETS = (
    "nsaid-allergy",
    "nsaid-oral",
    "nsaid-topical",
    "duloxetine",
    "tca",
    "acetaminophen",
    "cyclobenzaprine",
    "lidocaine-topical",
    "ppi-misoprostol",
    "naloxone",
)
DRAFT_SERVICE_SETS = (
    "bed-rest",
    "dry-needling",
    "lumbar-support",
    "manipulation",
    "massage",
    "spinal-injection-epidural",
    "spinal-injection-facet-rfa",
    "spine-ct",
    "spine-imaging",
    "spine-mri",
    "spine-surgery-referral",
    "tens",
    "therapeutic-ultrasound",
    "tpi",
    "traction",
)
DRAFT_DRUG_SETS = (
    "benzodiazepine",
    "botulinum-toxin",
    "corticosteroid-injectable",
    "cyclobenzaprine",
    "duloxetine",
    "glucosamine-chondroitin",
    "nsaid-oral",
    "nsaid-parenteral",
    "nsaid-topical",
    "opioid",
    "systemic-corticosteroid",
    "tca",
    "tramadol",
)
COURSE_STARTS = (3, 13, 14, 20, 27, 28, 35, 41, 42, 49, 55, 56, 70, 83, 84, 90, 120, 150)


def numbered(resources: list[Resource]) -> list[Resource]:
    """The resources, each with an id of its own."""
    return [
        {**resource, "id": f"{resource['id']}-n{place}"} for place, resource in enumerate(resources)
    ]


def day(days: int) -> str:
    """The ISO date so many days before TODAY."""
    return (TODAY - timedelta(days=days)).isoformat()


def measured(code: tuple[str, str, str], days: int, value: float, unit: str) -> Resource:
    """A final numeric Observation."""
    return {
        "resourceType": "Observation",
        "id": f"obs-{code[1]}",
        "status": "final",
        "code": concept(*code),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": day(days),
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
    }


@st.composite
def pains(draw: st.DrawFn) -> list[Resource]:
    """One or two active Conditions of back pain with an onset, or none recorded for one."""
    found = []
    for name in draw(st.lists(st.sampled_from(PAIN_SETS_UNDER_CARE), min_size=1, max_size=2)):
        onset = draw(st.sampled_from([2, 10, 27, 40, 84, 85, 150, 150, 400, 400]))
        pain = diagnosis(*draw(st.sampled_from(codes(name))), onset)
        if name == "myofascial-pain":
            sites = draw(st.sampled_from(["back-site", "thoracic-upper-site", "trigger-point"]))
            site = TRIGGER_POINT_SITE if sites == "trigger-point" else codes(sites)[0]
            pain["bodySite"] = [concept(*site)]
        if draw(st.integers(0, 7)) == 0:
            del pain["onsetDateTime"]
        if draw(st.integers(0, 5)) == 0:
            word = "recurrence"
            pain["clinicalStatus"]["coding"][0]["code"] = word
            pain["recordedDate"] = day(draw(st.sampled_from([0, 5, 20, 28])))
        found.append(pain)
    return found


@st.composite
def sessions(draw: st.DrawFn, start: int, step: str) -> list[Resource]:
    """Sessions of one step of care from ``start`` days ago, evenly spread up to lately."""
    count = draw(st.sampled_from([1, 3, 4, 8]))
    last = min(start, draw(st.sampled_from([0, 1, 10, 27, 28, 40])))
    code = draw(st.sampled_from(codes(step)))
    outcome = draw(st.sampled_from([None, None, None, "outcome-bad"]))
    apart = (start - last) / max(1, count - 1)
    return [
        {
            "resourceType": "Procedure",
            "id": f"session-{step}",
            "status": "completed",
            "code": concept(*code),
            "subject": {"reference": f"Patient/{PATIENT}"},
            "performedDateTime": day(round(start - place * apart)),
            **({"outcome": concept(*codes(outcome)[0])} if outcome else {}),
        }
        for place in range(count)
    ]


@st.composite
def orders(draw: st.DrawFn, start: int) -> Resource:
    """An active or completed ServiceRequest for a step of care."""
    return {
        "resourceType": "ServiceRequest",
        "id": "order",
        "status": draw(st.sampled_from(["active", "completed"])),
        "intent": "order",
        "code": concept(*draw(coded(STEP_SETS))),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "authoredOn": day(draw(st.integers(0, start))),
    }


@st.composite
def pain_scores(draw: st.DrawFn, start: int) -> list[Resource]:
    """A numeric rating of when care began and one of late; sometimes only one, or none."""
    before = measured(
        PAIN_RATING, start + draw(st.sampled_from([-3, 0, 1, 20])), draw(RATINGS), "{score}"
    )
    now = measured(PAIN_RATING, draw(st.sampled_from([0, 2, 14, 40, 80])), draw(RATINGS), "{score}")
    kept = draw(st.sampled_from([(True, True)] * 4 + [(False, True), (True, False), (False,) * 2]))
    return [score for score, keep in zip((before, now), kept, strict=True) if keep]


RATINGS = st.sampled_from([2, 4, 6, 6, 7, 7, 8])


@st.composite
def prescriptions(
    draw: st.DrawFn, of: tuple[str, ...], starts: tuple[int, ...] = (0, 2, 10, 14, 28, 45, 80, 200)
) -> Resource:
    """A MedicationRequest with dose, supply, and why it was stopped."""
    state = draw(st.sampled_from(["active", "active", "completed", "stopped"]))
    reason = draw(st.sampled_from(["treatment-ineffective", "treatment-not-tolerated"]))
    stopped = state == "stopped" and draw(st.booleans())
    supply = draw(st.sampled_from([None, 7, 14, 21, 22, 30, 60, 90]))
    return {
        **drug_order(draw, of),
        "id": "drug",
        "status": state,
        "authoredOn": day(draw(st.sampled_from(starts))),
        **({"statusReason": concept(*codes(reason)[0])} if stopped else {}),
        **(
            {
                "dispenseRequest": {
                    "expectedSupplyDuration": {"value": supply, "system": UCUM, "code": "d"}
                }
            }
            if supply
            else {}
        ),
    }


def drug_order(draw: st.DrawFn, of: tuple[str, ...]) -> Resource:
    """A MedicationRequest for a drug of the sets, one tablet once to three times daily."""
    repeat = {"frequency": draw(st.sampled_from([1, 2, 3])), "period": 1, "periodUnit": "d"}
    dose = {"value": draw(st.sampled_from([1, 2])), "system": UCUM, "code": "{tbl}"}
    dosed = draw(st.integers(0, 3)) > 0
    dosage = {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": dose}]}
    return {
        "resourceType": "MedicationRequest",
        "intent": "order",
        "medicationCodeableConcept": concept(*draw(coded(of))),
        "subject": {"reference": f"Patient/{PATIENT}"},
        **({"dosageInstruction": [dosage]} if dosed else {}),
    }


@st.composite
def allergies(draw: st.DrawFn) -> Resource:
    """An active allergy to a drug the steps propose."""
    return {
        "resourceType": "AllergyIntolerance",
        "id": "allergy",
        "type": draw(st.sampled_from(["allergy", "intolerance"])),
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                }
            ]
        },
        "code": concept(*draw(coded(ALLERGEN_SETS))),
        "patient": {"reference": f"Patient/{PATIENT}"},
    }


@st.composite
def tests_of_organs(draw: st.DrawFn) -> Resource:
    """Kidney function, corrected QT or a screen of mood, of the last weeks."""
    code, unit, values = draw(
        st.sampled_from(
            [
                (CREATININE_CLEARED, "mL/min/{1.73_m2}", (25, 40, 52, 80)),
                (QT_CORRECTED, "ms", (430, 480, 510)),
                (PHQ9, "{score}", (4, 15)),
            ]
        )
    )
    value = draw(st.sampled_from(values))
    return measured(code, draw(st.sampled_from([1, 30, 80])), value, unit)


@st.composite
def courses(draw: st.DrawFn, lasting: tuple[int, ...] = COURSE_STARTS) -> dict[str, list[Resource]]:
    """Entries of a chart by prefetch key: back pain, a course of care, drugs and illnesses."""
    start = draw(st.sampled_from(lasting))
    steps = draw(st.sets(st.sampled_from(STEP_SETS), max_size=2))
    if draw(st.integers(0, 3)):
        steps.add("exercise-therapy")
    given = [session for step in sorted(steps) for session in draw(sessions(start, step))]
    often = st.integers(0, 3)
    entries: dict[str, list[Resource]] = {
        "conditions": [
            *draw(pains()),
            *draw(st.lists(conditions(coded(ILLNESS_SETS), surely=True), max_size=1)),
        ],
        "procedures": given,
        "serviceRequests": draw(st.lists(orders(start), max_size=1)),
        "observations": [
            *draw(pain_scores(start)),
            *draw(st.lists(tests_of_organs(), max_size=1)),
        ],
        "medications": [
            *draw(st.lists(prescriptions(STEP_DRUG_SETS), max_size=3)),
            *draw(st.lists(prescriptions(OTHER_DRUG_SETS), max_size=1 if draw(often) == 0 else 0)),
        ],
        "allergies": draw(st.lists(allergies(), max_size=1)) if draw(often) == 0 else [],
    }
    return {key: numbered(resources) for key, resources in entries.items()}


AGES = st.sampled_from([22, 40, 40, 52, 64, 66, 77])


def views_under_care(
    lasting: tuple[int, ...] = COURSE_STARTS,
) -> st.SearchStrategy[dict[str, Any]]:
    """patient-view calls for adults with back pain under a course of care."""
    return st.builds(lambda age, entries: view(age, **entries), AGES, courses(lasting))


@st.composite
def drafts(draw: st.DrawFn) -> Resource:
    """A draft order of a service, a device or a drug, for the back or without a reason."""
    if draw(st.booleans()):
        order = drug_order(draw, DRAFT_DRUG_SETS)
    else:
        code = draw(coded(DRAFT_SERVICE_SETS))
        order = {
            "resourceType": "ServiceRequest",
            "intent": "order",
            "code": concept(*code),
            "subject": {"reference": f"Patient/{PATIENT}"},
        }
    reasons = draw(st.sampled_from([None, "low-back-pain", "thoracic-back-pain", "osteoarthritis"]))
    reason = {"reasonCode": [concept(*codes(reasons)[0])]} if reasons else {}
    return {**order, "status": "draft", "id": "draft", "authoredOn": day(0), **reason}


def signed(request: dict[str, Any], orders: list[Resource]) -> dict[str, Any]:
    """The chart of a patient-view call as an order-sign call with these drafts."""
    drafted = numbered(orders)
    return {
        **request,
        "hook": "order-sign",
        "context": {
            **request["context"],
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": order} for order in drafted],
            },
        },
    }


def orders_under_care() -> st.SearchStrategy[dict[str, Any]]:
    """order-sign calls with one to four drafts for patients under a course of care."""
    return st.builds(signed, views_under_care(), st.lists(drafts(), min_size=1, max_size=4))


def calls() -> st.SearchStrategy[dict[str, Any]]:
    """Calls of either kind for patients under a course of care."""
    return st.one_of(views_under_care(), orders_under_care())


def painless_orders(index: CodeIndex) -> st.SearchStrategy[dict[str, Any]]:
    """order-sign calls for nothing of the back: no such Condition, and no such reason."""
    here = st.builds(lambda order: {k: v for k, v in order.items() if k != "reasonCode"}, drafts())
    return st.builds(signed, painless_views(index), st.lists(here, min_size=1, max_size=3))


# What no recommendation asks about

UNRELATED_CODES = {
    "conditions": (
        *UNRELATED,
        (ICD10CM, "H35.30", "Macular degeneration"),
        (ICD10CM, "S93.401A", "Sprain of ankle"),
        (SNOMED, "44054006", "Diabetes mellitus type 2"),
    ),
    "observations": (
        (LOINC, "4548-4", "Haemoglobin A1c"),
        (LOINC, "8480-6", "Systolic blood pressure"),
        (LOINC, "2345-7", "Glucose"),
    ),
    "procedures": (
        (SNOMED, "86198006", "Influenza vaccination"),
        (SNOMED, "73761001", "Colonoscopy"),
    ),
    "serviceRequests": ((SNOMED, "73761001", "Colonoscopy"), (LOINC, "4548-4", "Haemoglobin A1c")),
    "medications": (
        (RXNORM, "83367", "atorvastatin"),
        (RXNORM, "860975", "metformin 500 MG Oral Tablet"),
        (RXNORM, "966222", "levothyroxine 25 MCG Oral Tablet"),
    ),
    "diagnosticReports": ((LOINC, "24627-2", "Chest CT"),),
    "allergies": ((SNOMED, "91935009", "Allergy to peanut"),),
}
TYPES = {
    "conditions": ("Condition", "onsetDateTime", "code"),
    "observations": ("Observation", "effectiveDateTime", "code"),
    "procedures": ("Procedure", "performedDateTime", "code"),
    "serviceRequests": ("ServiceRequest", "authoredOn", "code"),
    "medications": ("MedicationRequest", "authoredOn", "medicationCodeableConcept"),
    "diagnosticReports": ("DiagnosticReport", "effectiveDateTime", "code"),
    "allergies": ("AllergyIntolerance", "recordedDate", "code"),
}


@st.composite
def unrelated(draw: st.DrawFn, index: CodeIndex) -> tuple[str, Resource]:
    """(prefetch key, resource) of an entry none of whose codes is in a value set."""
    key = draw(st.sampled_from(sorted(UNRELATED_CODES)))
    known = [code for code in UNRELATED_CODES[key] if not index.sets_of(code[0], code[1])]
    kind, dated, coded_in = TYPES[key]
    value = {"value": draw(st.sampled_from([0, 2, 6, 60])), "system": UCUM, "code": "{score}"}
    words: dict[str, Resource] = {
        "conditions": {},
        "allergies": {},
        "diagnosticReports": {"status": "final"},
        "observations": {"status": "final", "valueQuantity": value},
    }
    other = {"status": draw(st.sampled_from(["active", "completed"])), "intent": "order"}
    return key, {
        "resourceType": kind,
        "id": "unrelated",
        **words.get(key, other),
        dated: day(draw(st.integers(0, 500))),
        coded_in: concept(*draw(st.sampled_from(known))),
    }


# How long nothing expires

CARE_DAYS = 84  # without care for longer, the course is closed and the patient starts anew
SCORE_DAYS = 90  # an older pain score, or coded outcome of care, tells nothing about now
RECORD_DAYS = (30, 60, 90)  # windows of illnesses and of results that rule a drug out
DRUG_DAYS = (0, 14, 28, 90)  # after the end of cover: still taken, lately taken, may be taken
WRITTEN_DAYS = (28, 365)  # a gel for the skin leads on for 28 days; a drug counts for a year
WITHOUT_SUPPLY_DAYS = 90


def quiet_days(request: dict[str, Any]) -> int:
    """Days from TODAY on which no window of the record ends: only then does time move on alone.

    These are the ways in which a patient does move back: the course of care closes, what a score
    told is too old, a drug is no longer covered, an illness no longer rules one out.
    """
    found = {
        key: [entry["resource"] for entry in value.get("entry", ())]
        for key, value in request["prefetch"].items()
        if key != "patient"
    }
    care = [_age(r) for key in ("procedures", "serviceRequests") for r in found[key]]
    ends = [CARE_DAYS - min(care)] if care else []
    ends += [SCORE_DAYS - _age(r) for key in ("observations", "procedures") for r in found[key]]
    ends += [days - _age(r) for r in found["conditions"] for days in RECORD_DAYS]
    for drug in found["medications"]:
        supply = drug.get("dispenseRequest", {}).get("expectedSupplyDuration", {}).get("value")
        covered = (supply or WITHOUT_SUPPLY_DAYS) - _age(drug)
        ends += [covered + days for days in DRUG_DAYS]
        ends += [days - _age(drug) for days in WRITTEN_DAYS]
    return min((left for left in ends if left >= 0), default=365)


def _age(resource: Resource) -> int:
    """Days since the date of an entry."""
    names = ("performedDateTime", "authoredOn", "effectiveDateTime", "onsetDateTime")
    text = next(
        (resource[name] for name in names if name in resource), resource.get("recordedDate")
    )
    return (TODAY - date.fromisoformat(text)).days if text else 0
