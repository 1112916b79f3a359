"""Example patients as real charts: rendered to FHIR R4, sent over HTTP, and answered the same.

``test_recommendations`` runs every example on facts alone. Here the facts come out of a chart.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient

from cards.answer import UNKNOWN, YES, Answer
from cards.answers import Answers, GivenAnswers
from cards.case import Case
from cards.library import Library, load_library
from cards.recommendation import Example, Recommendation
from cards.record import PatientRecord
from service.app import create_app
from service.patient_record import coverage_of, read_patient_record
from service.prefetch import KEYS
from service.settings import Settings
from tests.example_patients import what_follows
from tests.example_records import CALL_FACTS, TODAY, Told, asked, render, tell, untold

LEAST_EXAMPLES = 550
LEAST_RECOMMENDATIONS = 70
LEAST_OF: Mapping[Literal["shown", "softened", "withheld"], int] = {
    "shown": 115,
    "softened": 18,
    "withheld": 400,
}
LEAST_ROWS = 15
FIRST_LINE = ("nonpharm-first-line-not-started", "exercise-intensify-persistent")
# What only the course of a call can tell, seen in its answer.
SETTLED_LATER = frozenset({*CALL_FACTS, "first_line_card_shown", "row_in_option_set"})

# Parts of a criterion that another fact brings along in any real chart, and why. They may differ
# from the example as long as what the recommendation itself asks comes out the same.
BROUGHT_ALONG: Mapping[str, str] = {
    "back_pain_new_or_worse": "acute and subacute pain is new; pain without any date may be",
    "back_pain_new_42d": "acute pain is new",
    "back_pain_onset_known_84d": "the onset of acute and subacute pain is known",
    "back_pain_recorded_30d_or_visit": "a flare, or a record of two weeks ago, is one of a month",
    "cancer_history": "active cancer is cancer",
    "infection_risk_factor": "so is surgery or an injection of the spine within 90 days",
    "leg_deficit_or_radicular": "a new deficit and radicular pain are of the leg",
    "nsaid_high_dose": "no dose is told",
    "oud_or_overdose_history": "an overdose within a year is one on record",
    "radiculopathy_or_stenosis": "structural disease of the spine may be stenosis",
}

NO_PAIN = "Same patient, but no to: Any active back-pain problem?"
NO_CONTEXT = "Same patient, but no to: Is there a back-pain problem or reason?"
OTHER_VISIT = "Visit for another problem, nothing about the back for 90 days."
PART_READ = "Conditions not read to the end: cancer or a contraindication cannot be excluded."
NO_BIRTH_DATE = "Birth date missing: no drug proposal."
UNREADABLE = "Reason unreadable."

# Why no chart can mean what an example says → its case and the recommendations that have it.
NOT_RENDERABLE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "a phase, an onset or care for it is told of back pain; without any there is none to tell": {
        NO_PAIN: (
            "evaluate-alternative-cause",
            "multidisciplinary-rehabilitation",
            "nonpharm-first-line-not-started",
            "oral-nsaid-first-line-chronic",
            "pain-baseline-missing",
            "prognosis-reassurance-acute",
            "psychosocial-assessment-after-4-weeks",
            "reassess-2-to-4-weeks",
            "red-flag-assessment-prompt",
            "specialist-referral-after-3-months",
        ),
        NO_CONTEXT: (
            "passive-modality-overreliance",
            "rf-fracture-risk",
            "rf-malignancy-history-of-cancer",
            "rf-malignancy-unexplained-weight-loss",
            "rf-significant-trauma",
        ),
        UNREADABLE: (
            "opioid-last-resort-prerequisites",
            "tens-acute-mid-back-adjunct",
            "tens-chronic-avoid",
        ),
        "Same patient, but no to: May drug safety be judged here?": (
            "trigger-point-injection-caution",
        ),
    },
    "care, a score, a flare or new pain is itself something about the back": {
        OTHER_VISIT: (
            "cyclobenzaprine-short-course",
            "duloxetine-second-line",
            "evaluate-alternative-cause",
            "exercise-intensify-persistent",
            "multidisciplinary-rehabilitation",
            "oral-nsaid-after-topical",
            "oral-nsaid-first-line-chronic",
            "passive-modality-overreliance",
            "phase-unknown-ask-onset",
            "prognosis-reassurance-acute",
            "reassess-2-to-4-weeks",
            "red-flag-assessment-prompt",
            "rf-malignancy-age-over-50-new-onset",
            "specialist-referral-after-3-months",
            "tca-third-line",
            "topical-analgesic-trigger-point",
            "topical-nsaid-first-acute-mid-back",
            "tramadol-second-line",
            "trigger-point-injection-persistent",
        ),
    },
    "of a problem list read in part only a chronic phase is certain": {
        PART_READ: (
            "acetaminophen-alternative",
            "oral-nsaid-after-topical",
            "topical-analgesic-trigger-point",
            "topical-nsaid-first-acute-mid-back",
        ),
    },
    "without a birth date being under 65 is unknown, not no": {
        NO_BIRTH_DATE: ("cyclobenzaprine-short-course", "tca-third-line"),
    },
    "relief is measured from the start of care, by a score that is a reassessment": {
        "Pain fell by 40 %.": ("nonpharm-first-line-not-started", "reassess-2-to-4-weeks"),
    },
    "one fact of the example brings along the other it denies": {
        "Cauda equina syndrome coded this week.": ("surgery-referral-avoid",),
        "Same patient, but no to: Is cyclobenzaprine in question?": (
            "cyclobenzaprine-duration-exceeds-3-weeks",
        ),
        "Same patient, but no to: Long enough care before trigger point referral?": (
            "trigger-point-injection-persistent",
        ),
        "Same patient, but no to: Non-drug care for 4 weeks?": ("oral-nsaid-first-line-chronic",),
        "Same patient, but no to: Recorded within 30 d or reason of this visit?": (
            "cyclobenzaprine-short-course",
        ),
        "Same patient, but no to: Trigger point documented?": (
            "trigger-point-injection-persistent",
        ),
        "Severe injury or recent spine surgery.": ("imaging-routine-avoid",),
        "The opioid is treatment of opioid use disorder.": ("tramadol-second-line",),
        "The order is coded for something else.": ("topical-nsaid-first-acute-mid-back",),
        "Yes to: Any moderate flag open?": ("spinal-manipulation-contraindicated",),
    },
    "an equal chart leaves open what the example calls no": {
        "Long-term opioid therapy.": ("opioid-last-resort-prerequisites",),
        "Same patient, but no to: Inadequate response?": ("specialist-referral-after-3-months",),
        "Started 9 days ago.": ("reassess-2-to-4-weeks",),
    },
    "the table has only one way to say no to it, which this example does not fit": {
        "All steps documented.": ("opioid-last-resort-prerequisites",),
        "Same patient, but no to: Is the first-line or intensify card shown?": ("acupuncture",),
    },
    "every pathway names this row": {
        "The option set of this pathway and phase does not name it.": ("massage-therapy",),
    },
    "it is part of every card and has no verdict of its own": {
        "Any card is shown.": ("provenance-disclaimer",),
    },
    "without result or dose it is unknown, not no; and a disorder brings its history": {
        "Same patient, but no to: Is duloxetine in question?": ("duloxetine-contraindicated",),
        "eGFR 85.": ("nsaid-ckd",),
        "Naproxen sodium 550 mg twice daily: inside the tolerance.": ("nsaid-dose-duration",),
        "Pregnancy ended.": ("nsaid-pregnancy",),
        "20 MME.": ("opioid-mme-50",),
        "Age 70 on an opioid.": ("opioid-naloxone-offer",),
        "No risk factor.": ("opioid-naloxone-offer",),
        "Yes to: Benzodiazepine current?": ("opioid-naloxone-offer",),
        "Yes to: Two or more other CNS depressants?": ("opioid-naloxone-offer",),
        "Yes to: Substance or alcohol use disorder?": ("opioid-naloxone-offer",),
        "Yes to: Sleep apnoea, COPD or respiratory failure?": ("opioid-naloxone-offer",),
        "Yes to: Cirrhosis, portal hypertension or hepatic failure?": ("opioid-naloxone-offer",),
        "Active opioid use disorder, hydrocodone drafted.": ("opioid-oud-history",),
        "Same patient in hospice care.": ("opioid-oud-history",),
        "The opioid is treatment of opioid use disorder.": ("opioid-oud-history",),
        "Same patient, but no to: Opioid analgesic ordered?": ("opioid-oud-history",),
        "Same patient, but no to: Is there a back-pain problem or reason?": ("opioid-oud-history",),
        "Same patient, but no to: Tramadol ordered?": ("tramadol-contraindicated",),
    },
}
LEFT_OUT = frozenset(
    (name, case)
    for cases in NOT_RENDERABLE.values()
    for case, names in cases.items()
    for name in names
)


@dataclass(frozen=True)
class Rendered:
    """An example patient and its request."""

    recommendation: Recommendation
    example: Example
    told: Told
    request: dict[str, Any]

    @property
    def name(self) -> tuple[str, str]:
        """Which example it is."""
        return self.recommendation.id, self.example.case


@cache
def content() -> Library:
    """The content; read once, before the tests are collected."""
    return load_library()


@cache
def every_rendered() -> tuple[Rendered, ...]:
    """Every example all of whose facts the table knows, and all of whose facts have codes."""
    return tuple(
        Rendered(recommendation, example, told, render(told))
        for recommendation in content().recommendations.values()
        for example in recommendation.examples
        if not untold(example) and not uncoded(recommendation, example)
        for told in [tell(example, recommendation, content())]
    )


def uncoded(recommendation: Recommendation, example: Example) -> bool:
    """Whether the trigger asks a fact without codes yet, which no chart can answer yes or no."""
    return bool(set(recommendation.trigger.names) & content().unanswerable - example.unknown)


SAMPLE = tuple(patient for patient in every_rendered() if patient.name not in LEFT_OUT)
RECOMMENDATIONS = tuple(dict.fromkeys(patient.recommendation.id for patient in SAMPLE))


def examples_of(recommendation: str) -> tuple[Rendered, ...]:
    """The rendered examples of one recommendation."""
    return tuple(patient for patient in SAMPLE if patient.recommendation.id == recommendation)


@pytest.fixture(scope="module")
def service() -> Iterator[FlaskClient]:
    """A client of the application on the day of the charts."""
    logging.disable(logging.INFO)
    settings = Settings(database_url="sqlite:///:memory:")
    yield create_app(settings, today=lambda: TODAY, library=content()).test_client()
    logging.disable(logging.NOTSET)


# The chart means what the example says


def read(request: dict[str, Any]) -> PatientRecord:
    """The patient record the service reads out of a request."""
    return read_patient_record(
        hook=request["hook"],
        context=request["context"],
        prefetch=request["prefetch"],
        coverage=coverage_of(request["prefetch"], KEYS),
        index=content().index,
        today=TODAY,
    ).record


def answers(record: PatientRecord) -> Answers:
    """What the engine answers to any fact about the record and its draft."""
    draft = next((draft for draft in record.drafts if draft.selected), None)
    library = content()
    return Answers(
        Case(record, TODAY, draft, library.mme_factors),
        library.vocabulary,
        library.unanswerable,
        library.switches,
    )


def without_entries(record: PatientRecord) -> PatientRecord:
    """The record of the same person and order, delivered as far, with nothing in it."""
    return replace(
        record,
        conditions=(),
        refuted=(),
        medications=(),
        observations=(),
        procedures=(),
        service_orders=(),
        encounters=(),
        allergies=(),
        reports=(),
    )


def silence(patient: Rendered, record: PatientRecord) -> frozenset[str]:
    """Facts the example does not mention, and to which an empty chart says "not known", not no.

    They may stay unknown, unless the trigger names them.
    """
    example, chart, empty = patient.example, answers(record), answers(without_entries(record))
    mentioned = example.present | example.absent | set(patient.recommendation.trigger.names)
    return frozenset(
        name
        for name in patient.told.asks - mentioned
        if content().vocabulary[name].scope in ("patient", "draft")
        and chart(name).answer is Answer.UNKNOWN
        and empty(name).answer is Answer.UNKNOWN
    )


def differences(patient: Rendered) -> list[str]:
    """Facts of the example, or named by its recommendation, that the chart answers otherwise."""
    example, vocabulary = patient.example, content().vocabulary
    record = read(patient.request)
    present = what_follows(example.present, example.hook, vocabulary) - example.unknown
    unknown = example.unknown | (silence(patient, record) - present)
    said = GivenAnswers(dict.fromkeys(present, YES) | dict.fromkeys(unknown, UNKNOWN), vocabulary)
    chart = answers(record)
    told = example.present | example.absent | example.unknown
    named = {n for n in asked(patient.recommendation) if vocabulary[n].scope != "engine"}
    parts = {n for n in patient.told.asks if vocabulary[n].scope in ("patient", "draft")}
    compared = (named | (parts - BROUGHT_ALONG.keys()) | told) - SETTLED_LATER
    return [
        f"{name}: {said(name).answer.value} in the example, {chart(name).answer.value} in the chart"
        for name in sorted(compared)
        if said(name).answer is not chart(name).answer
    ]


@pytest.mark.parametrize("recommendation", RECOMMENDATIONS)
def test_the_chart_means_what_the_example_says(recommendation: str) -> None:
    """The engine finds in the chart of each example the very answers the example gives."""
    found = {p.example.case: differences(p) for p in examples_of(recommendation)}

    assert {case: told for case, told in found.items() if told} == {}


# The service answers as the example expects


def post(service: FlaskClient, patient: Rendered) -> dict[str, Any]:
    """The response to the request of an example."""
    response = service.post(f"/cds-services/back-pain-{patient.example.hook}", json=patient.request)
    assert response.status_code == 200, response.get_json()
    body: dict[str, Any] = response.get_json()
    return body


def verdicts(response: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Recommendation → what became of it, as the explanation tells."""
    explanation = response["extension"]["org.backpath.response"]["explanation"]
    return {told["recommendation"]: told for told in explanation["recommendations"]}


def on_cards(response: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Recommendation → the card that bears it."""
    return {
        name: card
        for card in response["cards"]
        for name in card["extension"]["org.backpath.card"]["recommendations"]
    }


def outcome(name: str, response: dict[str, Any]) -> str:
    """``shown``, ``capped`` or ``withheld``; a text is shown as part of another card."""
    verdict = verdicts(response).get(name, {"outcome": "withheld"})
    if name in on_cards(response) or verdict.get("as") == "text":
        return "shown"
    return "capped" if verdict["outcome"] == "capped" else "withheld"


def wrong(patient: Rendered, response: dict[str, Any]) -> str | None:
    """How the response is not what the example expects; None when it is.

    Advice that is expected is on a card, or kept back by a cap only; withheld advice is neither.
    """
    name, example = patient.recommendation.id, patient.example
    if "errors" in response["extension"]["org.backpath.response"]:
        return "a recommendation failed"
    got = outcome(name, response)
    if (got != "withheld") is not (example.expect != "withheld"):
        return f"{got}, expected {example.expect}"
    if got == "withheld":
        return None
    indicators = {verdicts(response)[name]["indicator"]}
    card = on_cards(response).get(name)
    if card and card["source"]["topic"]["code"] == name:
        indicators.add(card["indicator"])
    return None if indicators == {example.indicator} else f"shown with {sorted(indicators)}"


@pytest.mark.parametrize("recommendation", RECOMMENDATIONS)
def test_the_service_answers_as_the_example_expects(
    service: FlaskClient, recommendation: str
) -> None:
    """Each example sent over HTTP is advised on as it says, with the indicator it says."""
    found = {p.example.case: wrong(p, post(service, p)) for p in examples_of(recommendation)}

    assert {case: told for case, told in found.items() if told} == {}


def test_a_row_is_withheld_for_the_reason_told(service: FlaskClient) -> None:
    """Without a first-line card in the example none applies; a row it calls unlisted is not asked.

    Where the example says yes to both and expects the row, the row itself proves it.
    """
    rows = [patient for patient in SAMPLE if patient.recommendation.render == "row"]

    assert len({patient.recommendation.id for patient in rows}) >= LEAST_ROWS
    for patient in rows:
        told = verdicts(post(service, patient))
        card = any(told[name]["outcome"] in ("shown", "capped") for name in FIRST_LINE)
        if "first_line_card_shown" not in patient.example.present:
            assert not card, patient.name
        if "row_in_option_set" not in patient.example.present:
            assert patient.recommendation.id not in told, patient.name


# The sample itself


def test_every_rendered_resource_is_valid() -> None:
    """Every chart entry and every draft is valid FHIR R4."""
    for patient in SAMPLE:
        drafts = patient.request["context"].get("draftOrders")
        for top in [*patient.request["prefetch"].values(), *([drafts] if drafts else [])]:
            get_fhir_model_class(top["resourceType"]).model_validate(top)


def test_the_sample_does_not_shrink() -> None:
    """Most example patients are rendered, of nearly every recommendation and each outcome."""
    outcomes = Counter(patient.example.expect for patient in SAMPLE)
    recommendations = {patient.recommendation.id for patient in SAMPLE}

    assert len(SAMPLE) >= LEAST_EXAMPLES, outcomes
    assert len(recommendations) >= LEAST_RECOMMENDATIONS
    assert all(outcomes[kind] >= least for kind, least in LEAST_OF.items()), outcomes


def test_every_example_left_out_has_to_be(service: FlaskClient) -> None:
    """What is listed as not renderable exists, and is no patient the table could render."""
    candidates = {patient.name: patient for patient in every_rendered()}

    assert LEFT_OUT - candidates.keys() == set()
    for name in sorted(LEFT_OUT):
        patient = candidates[name]
        assert differences(patient) or wrong(patient, post(service, patient)), name
