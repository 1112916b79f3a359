"""What speaks against a drug, made by chance: illnesses, drugs taken, allergies, results, age."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

from hypothesis import strategies as st

from cards.codes import LOINC
from service.shift import shift_days
from tests.generated_care import (
    ILLNESS_SETS,
    allergies,
    drafts,
    drug_order,
    measured,
    prescriptions,
    signed,
    views_under_care,
)
from tests.generated_records import (
    STORED,
    TODAY,
    Resource,
    Stored,
    added,
    coded,
    codes,
    concept,
    diagnosis,
)

HAZARD_ILLNESS_SETS = (
    *ILLNESS_SETS,
    "copd-resp",
    "head-injury-recent",
    "heart-failure-acute",
    "mood-anxiety",
    "oud",
    "overdose",
    "skin-problem-back",
    "spasticity-disorder",
    "sud",
)
HAZARD_DRUG_SETS = (
    "acei",
    "acetaminophen",
    "amitriptyline",
    "anticoagulant",
    "antiplatelet",
    "arb",
    "aspirin-analgesic",
    "aspirin-low",
    "benzodiazepine",
    "cns-depressant",
    "cyclobenzaprine",
    "cyp1a2-strong",
    "cyp2d6-strong",
    "diuretic",
    "duloxetine",
    "lithium",
    "maoi",
    "methotrexate",
    "nsaid-oral",
    "nsaid-parenteral",
    "nsaid-topical",
    "opioid",
    "qt-drugs",
    "serotonergic-strong",
    "serotonergic-weak",
    "skeletal-muscle-relaxant",
    "snri",
    "ssri",
    "systemic-corticosteroid",
    "tca",
    "tramadol",
)
# How long ago something began, on both sides of the windows of the contraindications.
AGO = st.sampled_from([0, 5, 20, 29, 31, 40, 59, 61, 80, 89, 91, 150, 200, 300, 364, 366, 900])
WRITTEN = (0, 3, 12, 25, 40, 80, 100, 200, 340)
EGFR = (LOINC, "62238-1", "Glomerular filtration rate")
QTC = (LOINC, "8636-3", "QT interval corrected")
RESULTS = (
    *((EGFR, "mL/min/{1.73_m2}", value) for value in (12, 22, 29, 30, 38, 44, 45, 55, 59, 60, 80)),
    *((QTC, "ms", value) for value in (430, 460, 480, 499, 500, 501, 520)),
)
REACTIONS = (
    ("http://snomed.info/sct", "39579001", "Anaphylaxis"),
    ("http://snomed.info/sct", "41291007", "Angioedema"),
    ("http://snomed.info/sct", "126485001", "Urticaria"),
    ("http://snomed.info/sct", "422587007", "Nausea"),
)
AGES = st.sampled_from([None, None, None, 19, 30, 45, 64, 65, 70, 74, 75, 82])
Hazard = tuple[str, Resource]


@st.composite
def illnesses(draw: st.DrawFn) -> Hazard:
    """An active Condition that may rule a drug out."""
    code = draw(coded(HAZARD_ILLNESS_SETS))
    return "conditions", diagnosis(*code, draw(AGO))


@st.composite
def drugs_taken(draw: st.DrawFn) -> Hazard:
    """A drug in the chart that may not go with another, or is the same again."""
    return "medications", draw(prescriptions(HAZARD_DRUG_SETS, WRITTEN))


@st.composite
def reactions(draw: st.DrawFn) -> Hazard:
    """An allergy or intolerance, with or without what happened."""
    told = draw(allergies())
    if draw(st.booleans()):
        manifestation = concept(*draw(st.sampled_from(REACTIONS)))
        told["reaction"] = [{"manifestation": [manifestation]}]
    return "allergies", told


@st.composite
def organ_results(draw: st.DrawFn) -> Hazard:
    """Kidney function or corrected QT around the limits, lately or long ago."""
    code, unit, value = draw(st.sampled_from(RESULTS))
    return "observations", measured(code, draw(AGO), value, unit)


@st.composite
def bypass_surgery(draw: st.DrawFn) -> Hazard:
    """A coronary bypass."""
    days = draw(AGO)
    return "procedures", {
        "resourceType": "Procedure",
        "id": "bypass",
        "status": "completed",
        "code": concept(*codes("cabg")[0]),
        "performedDateTime": diagnosis("", "", "", days)["onsetDateTime"],
    }


HAZARDS = st.one_of(
    illnesses(), drugs_taken(), drugs_taken(), reactions(), organ_results(), bypass_surgery()
)


def endangered(
    request: dict[str, Any], hazards: list[Hazard], age: int | None, day: date
) -> dict[str, Any]:
    """The call with these entries, moved to its day, and the patient of that age."""
    grown = copy.deepcopy(request)
    for place, (key, resource) in enumerate(hazards):
        moved = shift_days({**resource, "id": f"hazard-{place}"}, (day - TODAY).days)
        grown = added(grown, key, moved)
    if age is not None:
        grown["prefetch"]["patient"]["birthDate"] = f"{day.year - age}-01-02"
    return grown


@st.composite
def stored_with_hazards(draw: st.DrawFn, of: tuple[Stored, ...] = STORED) -> Stored:
    """A stored patient with up to three things more that may speak against a drug."""
    stored = draw(st.sampled_from(of))
    hazards = draw(st.lists(HAZARDS, max_size=3))
    request = endangered(stored.request, hazards, draw(AGES), stored.day)
    return Stored(stored.name, request, stored.day)


ORDERED_FOR_THE_BACK = (
    "acetaminophen",
    "amitriptyline",
    "cyclobenzaprine",
    "duloxetine",
    "nsaid-oral",
    "nsaid-parenteral",
    "opioid",
    "tca",
    "tramadol",
)
PAIN_ORDERED_FOR = ("low-back-pain", "thoracic-back-pain", "back-spasm")


@st.composite
def drugs_ordered(draw: st.DrawFn) -> Resource:
    """A draft of a drug, for the back, whose dose and supply may be too high."""
    supply = draw(st.sampled_from([None, 7, 14, 30, 60, 120]))
    days = {"value": supply, "system": "http://unitsofmeasure.org", "code": "d"}
    return {
        **drug_order(draw, ORDERED_FOR_THE_BACK),
        "id": "draft",
        "status": "draft",
        "authoredOn": TODAY.isoformat(),
        "reasonCode": [concept(*codes(draw(st.sampled_from(PAIN_ORDERED_FOR)))[0])],
        **({"dispenseRequest": {"expectedSupplyDuration": days}} if supply else {}),
    }


@st.composite
def made_with_hazards(draw: st.DrawFn) -> Stored:
    """A made patient under care, at a visit or with drafts, and what may speak against a drug."""
    request = draw(views_under_care())
    if draw(st.booleans()):
        ordered = draw(st.lists(st.one_of(drugs_ordered(), drafts()), min_size=1, max_size=2))
        request = signed(request, ordered)
    hazards = draw(st.lists(HAZARDS, max_size=3))
    return Stored("made", endangered(request, hazards, draw(AGES), TODAY), TODAY)


def accepted(request: dict[str, Any], resource: Resource) -> dict[str, Any]:
    """The chart of a call as an order-sign call whose only draft is this order."""
    context = {name: v for name, v in request["context"].items() if name != "selections"}
    patient = {"reference": f"Patient/{context['patientId']}"}
    order = {**resource, "id": "accepted", "subject": patient}
    drafted = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}
    return {**request, "hook": "order-sign", "context": {**context, "draftOrders": drafted}}
