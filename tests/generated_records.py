"""Hook calls made by chance from the value sets, and ways to change a stored one."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cards.codes import ICD10CM, LOINC, SNOMED, CodeIndex
from service.prefetch import SEARCHES
from tests.conftest import HOUSE

TODAY = date(2026, 6, 15)
PATIENT = "pat-1"
Resource = dict[str, Any]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
# What makes a record one of back pain; a code in any of these starts the whole advice.
PAIN_SETS = frozenset(
    {
        "back-pain-any",
        "back-pain-unspecified",
        "back-site",
        "back-spasm",
        "back-strain",
        "disc-disorder",
        "low-back-pain",
        "myofascial-pain",
        "post-laminectomy",
        "radiculopathy-lbp",
        "radiculopathy-sciatica",
        "spinal-stenosis",
        "thoracic-back-pain",
        "thoracic-upper-site",
        "trigger-point",
    }
)
RED_FLAG_SETS = (
    "cauda-equina",
    "fall",
    "fever",
    "iv-drug-use",
    "leg-weakness",
    "major-trauma",
    "malignant-neoplasm",
    "myelopathy",
    "osteoporosis-fracture-risk",
    "personal-history-of-cancer",
    "spinal-infection",
    "urinary-retention-new",
    "vertebral-fracture",
    "weight-loss",
)
CONDITION_SETS = (
    *RED_FLAG_SETS,
    "bleeding-disorder",
    "chronic-pain",
    "hospice-palliative",
    "immunosuppression",
    "other-infection",
    "pregnancy",
    "sickle-cell-disease",
    "spondyloarthritis",
)
BACK_PAIN_SETS = ("low-back-pain", "thoracic-back-pain", "back-spasm", "radiculopathy-sciatica")
DRUG_SETS = ("opioid", "nsaid-oral", "systemic-corticosteroid", "immunosuppressant-drug", "tca")
CARE_SETS = ("exercise-therapy", "massage", "tens", "spine-mri", "acupuncture", "spine-surgery")
RESULT_SETS = ("body-temp", "body-weight", "pain-score", "crp", "esr")
# Everyday diagnoses that say nothing about a back.
UNRELATED = (
    (ICD10CM, "I10", "Essential hypertension"),
    (ICD10CM, "E11.9", "Type 2 diabetes mellitus without complications"),
    (ICD10CM, "L20.9", "Atopic dermatitis, unspecified"),
    (ICD10CM, "E78.5", "Hyperlipidaemia"),
    (ICD10CM, "H52.4", "Presbyopia"),
    (ICD10CM, "J30.2", "Seasonal allergic rhinitis"),
    (ICD10CM, "M54.2", "Cervicalgia"),
    (SNOMED, "38341003", "Hypertensive disorder"),
    (SNOMED, "80967001", "Dental caries"),
)


@dataclass(frozen=True)
class Stored:
    """One synthetic patient's request and the day it is judged on."""

    name: str
    request: dict[str, Any]
    day: date

    def copy(self) -> dict[str, Any]:
        """The request, to be changed at will."""
        return copy.deepcopy(self.request)


def _stored() -> Iterator[Stored]:
    for path in sorted((HOUSE / "fhir_fixtures").glob("*/request.json")):
        request = json.loads(path.read_text("utf-8"))
        day = date.fromisoformat(request["extension"]["org.backpath.fixture"]["asOf"])
        yield Stored(path.parent.name, request, day)


STORED = tuple(_stored())
NAMES = [stored.name for stored in STORED]
ClientOn = Callable[[date], FlaskClient]


def law(examples: int) -> settings:
    """How a law is tried: on the same examples in every run, without a clock."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def address(request: dict[str, Any]) -> str:
    """The address of the service a stored request is meant for."""
    return f"/cds-services/back-pain-{request['hook']}"


def sent(client: FlaskClient, request: dict[str, Any], to: str | None = None) -> Any:
    """The response to a call, of whatever status."""
    return client.post(to or address(request), json=request)


def cards_of(client: FlaskClient, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The cards a call is answered with, without their uuids."""
    response = sent(client, request)
    assert response.status_code == 200, response.json
    assert "extension" not in response.json, response.json["extension"]
    cards: list[dict[str, Any]] = without_uuids(response.json["cards"])
    return cards


def without_uuids(value: Any) -> Any:
    """A copy without any uuid member, to compare two responses."""
    match value:
        case dict():
            return {name: without_uuids(v) for name, v in value.items() if name != "uuid"}
        case list():
            return [without_uuids(inner) for inner in value]
        case _:
            return value


def bundles(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every search answer in the prefetch that lists entries."""
    for value in request["prefetch"].values():
        if isinstance(value, dict) and isinstance(value.get("entry"), list):
            yield value


def added(request: dict[str, Any], key: str, resource: dict[str, Any]) -> dict[str, Any]:
    """The request with one more resource about its patient under a prefetch key.

    A key that was not delivered as a Bundle stays as it was.
    """
    grown = copy.deepcopy(request)
    bundle = grown["prefetch"].get(key)
    if isinstance(bundle, dict) and bundle.get("resourceType") == "Bundle":
        who = "patient" if resource["resourceType"] == "AllergyIntolerance" else "subject"
        about = {who: {"reference": f"Patient/{request['context']['patientId']}"}}
        bundle.setdefault("entry", []).append({"resource": {**resource, **about}})
        if isinstance(bundle.get("total"), int):
            bundle["total"] += 1
    return grown


def status(word: str, system: str = "condition-clinical") -> dict[str, Any]:
    """A status as FHIR codes it on Conditions and allergies."""
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": word}]}


def diagnosis(system: str, code: str, display: str, days: int, **members: Any) -> dict[str, Any]:
    """An active, confirmed Condition that began so many days before TODAY."""
    day = (TODAY - timedelta(days=days)).isoformat()
    return {
        "resourceType": "Condition",
        "id": f"made-{code.replace('.', '-')}-{days}",
        "clinicalStatus": status("active"),
        "verificationStatus": status("confirmed", "condition-ver-status"),
        "code": concept(system, code, display),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "onsetDateTime": day,
        "recordedDate": day,
        **members,
    }


def concept(system: str, code: str, display: str) -> dict[str, Any]:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


@cache
def codes(value_set: str) -> tuple[tuple[str, str, str], ...]:
    """(system, code, display) of the rows of a value set."""
    own = _rows(value_set)
    others = (row for row in _rows("cpt") if row["value_set"] == value_set)
    return tuple((row["system"], row["code"], row["display"]) for row in (*own, *others))


@cache
def _rows(file: str) -> tuple[dict[str, str], ...]:
    path = HOUSE / "cards" / "value_sets" / f"{file}.csv"
    with path.open(encoding="utf-8", newline="") as rows:
        return tuple(csv.DictReader(rows))


def coded(value_sets: tuple[str, ...]) -> st.SearchStrategy[tuple[str, str, str]]:
    """A code of one of the value sets."""
    return st.sampled_from([name for name in value_sets if codes(name)]).flatmap(
        lambda name: st.sampled_from(codes(name))
    )


DAYS = st.sampled_from([0, 1, 3, 10, 20, 27, 28, 29, 40, 60, 84, 85, 120, 400, 4000])


@st.composite
def conditions(
    draw: st.DrawFn, of: st.SearchStrategy[tuple[str, str, str]], surely: bool = False
) -> dict[str, Any]:
    """A Condition of a drawn code; unless ``surely``, also resolved, suspected or undated ones."""
    resource = diagnosis(*draw(of), draw(DAYS))
    if surely:
        return resource
    resource["clinicalStatus"] = status(draw(st.sampled_from(["active", "resolved", "recurrence"])))
    word = draw(st.sampled_from(["confirmed", "confirmed", "provisional", "refuted"]))
    resource["verificationStatus"] = status(word, "condition-ver-status")
    for member in draw(st.sets(st.sampled_from(["onsetDateTime", "recordedDate"]), max_size=2)):
        del resource[member]
    return resource


@st.composite
def drugs(draw: st.DrawFn) -> dict[str, Any]:
    """A MedicationRequest of a drug the recommendations ask about."""
    days = draw(DAYS)
    return {
        "resourceType": "MedicationRequest",
        "id": f"drug-{draw(st.integers(0, 999))}",
        "status": draw(st.sampled_from(["active", "completed", "stopped"])),
        "intent": "order",
        "medicationCodeableConcept": concept(*draw(coded(DRUG_SETS))),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "authoredOn": (TODAY - timedelta(days=days)).isoformat(),
    }


@st.composite
def care(draw: st.DrawFn) -> dict[str, Any]:
    """A Procedure the recommendations ask about."""
    return {
        "resourceType": "Procedure",
        "id": f"care-{draw(st.integers(0, 999))}",
        "status": draw(st.sampled_from(["completed", "in-progress", "not-done"])),
        "code": concept(*draw(coded(CARE_SETS))),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "performedDateTime": (TODAY - timedelta(days=draw(DAYS))).isoformat(),
    }


@st.composite
def results(draw: st.DrawFn) -> dict[str, Any]:
    """A numeric Observation the recommendations ask about."""
    unit = draw(st.sampled_from(["Cel", "[degF]", "kg", "{score}", "mg/L", "mm/h", "furlong"]))
    value = draw(st.sampled_from([0, 4, 9, 38.6, 60, 81, 101.3, 5000]))
    return {
        "resourceType": "Observation",
        "id": f"result-{draw(st.integers(0, 999))}",
        "status": "final",
        "code": concept(*draw(coded(RESULT_SETS))),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": (TODAY - timedelta(days=draw(DAYS))).isoformat(),
        "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": unit},
    }


def prescribed(value_set: str, name: str) -> Resource:
    """An active order, written today, for the first drug of a value set."""
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(*codes(value_set)[0]),
        "subject": {"reference": f"Patient/{PATIENT}"},
        "authoredOn": TODAY.isoformat(),
    }


def view(age: int, **entries: list[dict[str, Any]]) -> dict[str, Any]:
    """A patient-view call with these search answers; every other key is known empty."""
    found = {key: entries.get(key, []) for key in SEARCHES}
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/doc-1", "patientId": PATIENT},
        "prefetch": {
            "patient": {
                "resourceType": "Patient",
                "id": PATIENT,
                "birthDate": f"{TODAY.year - age}-01-02",
            },
            **{
                key: {
                    "resourceType": "Bundle",
                    "type": "searchset",
                    "total": len(resources),
                    "entry": [{"resource": resource} for resource in resources],
                }
                for key, resources in found.items()
            },
        },
    }


def _other_entries() -> dict[str, st.SearchStrategy[list[dict[str, Any]]]]:
    return {
        "medications": st.lists(drugs(), max_size=3),
        "observations": st.lists(results(), max_size=3),
        "procedures": st.lists(care(), max_size=3),
    }


def back_pain_views() -> st.SearchStrategy[dict[str, Any]]:
    """Calls for adults with active back pain and whatever else a chart may hold."""
    return st.builds(
        lambda age, pain, others, entries: view(age, conditions=[*pain, *others], **entries),
        st.integers(18, 95),
        st.lists(conditions(coded(BACK_PAIN_SETS), surely=True), min_size=1, max_size=2),
        st.lists(conditions(coded(CONDITION_SETS)), max_size=4),
        st.fixed_dictionaries(_other_entries()),
    )


def painless_views(index: CodeIndex) -> st.SearchStrategy[dict[str, Any]]:
    """Calls for adults without any back pain, however serious their other conditions."""
    others = st.one_of(st.sampled_from(UNRELATED), coded(CONDITION_SETS))
    painless = others.filter(lambda code: not PAIN_SETS & set(index.sets_of(code[0], code[1])))
    return st.builds(
        lambda age, found, entries: view(age, conditions=found, **entries),
        st.integers(18, 95),
        st.lists(conditions(painless), max_size=5),
        st.fixed_dictionaries(_other_entries()),
    )


def red_flag_conditions() -> st.SearchStrategy[dict[str, Any]]:
    """An active Condition that is itself a red flag in back pain."""
    return conditions(coded(RED_FLAG_SETS), surely=True)


def unrelated_resources() -> tuple[tuple[str, dict[str, Any]], ...]:
    """(prefetch key, resource) of everyday entries that no recommendation asks about."""
    day = (TODAY - timedelta(days=5)).isoformat()
    common = {"status": "final", "effectiveDateTime": day}
    return (
        *(("conditions", diagnosis(*code, 40)) for code in UNRELATED),
        (
            "observations",
            {
                "resourceType": "Observation",
                "id": "made-hba1c",
                "code": concept(LOINC, "4548-4", "Haemoglobin A1c"),
                "valueQuantity": {
                    "value": 6.9,
                    "unit": "%",
                    "system": "http://unitsofmeasure.org",
                    "code": "%",
                },
                **common,
            },
        ),
        (
            "medications",
            {
                "resourceType": "MedicationRequest",
                "id": "made-statin",
                "status": "active",
                "intent": "order",
                "medicationCodeableConcept": concept(RXNORM, "83367", "atorvastatin"),
                "authoredOn": day,
            },
        ),
        (
            "procedures",
            {
                "resourceType": "Procedure",
                "id": "made-vaccination",
                "status": "completed",
                "code": concept(SNOMED, "86198006", "Influenza vaccination"),
                "performedDateTime": day,
            },
        ),
        (
            "allergies",
            {
                "resourceType": "AllergyIntolerance",
                "id": "made-peanut",
                "clinicalStatus": status("active", "allergyintolerance-clinical"),
                "code": concept(SNOMED, "91935009", "Allergy to peanut"),
            },
        ),
    )


# Damage


DROP = object()
ODD_TEXTS = (
    *("2026-02-30", "9999-12-31", "0001-01-01", "0000", "-1", "2026", "2026-06", "yesterday"),
    *("2026-06-15T25:61:00Z", "2026-06-15T10:00:00+99:00", "99999-01-01", "0001-01-01T00:00Z"),
    *("urn:uuid:", "/", "#", "|", "Patient/", "x" * 5000, "\u0000", "\u202e", "\U0001f9b4"),
)
GARBAGE = st.one_of(
    st.just(DROP),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.sampled_from(ODD_TEXTS),
    st.sampled_from([10**300, -(10**300), 1e308, 5e-324, 10**18]),
    st.just([]),
    st.just({}),
    st.just([None, 1, "x", [], {}]),
    st.just([[[[]]]]),
    st.just({"coding": 3, "reference": [], "value": "x", "start": 1, "resourceType": []}),
)
Path = tuple[Any, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every element of a request."""
    steps: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for step, inner in steps:
        yield (*path, step)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, step))


def put(request: dict[str, Any], path: Path, new: Any) -> None:
    """Put something else at a place, unless an earlier damage has taken the place away."""
    parent: Any = request
    *way, last = path
    try:
        for step in way:
            parent = parent[step]
        parent[last]
    except (LookupError, TypeError):
        return
    if new is DROP:
        del parent[last]
    elif isinstance(parent, dict | list):
        parent[last] = copy.deepcopy(new)
