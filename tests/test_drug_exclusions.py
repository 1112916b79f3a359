"""Who gets no drug card: the dying, cancer, sickle cell disease, OUD treatment, children, the dead.

Every recommendation about a drug is asked twice: about a chart that fires it, and about the same
chart with one thing added. What has to stay is told here and not read from the recommendations,
so that one which loses an exclusion, or gains one, fails.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, Literal

import pytest

from cards.advise import Advice, advise
from cards.facts.vocabulary import closure
from cards.library import load_library
from cards.recommend import Verdict
from cards.recommendation import Example, Recommendation
from tests.example_patients import answer, what_follows
from tests.example_records import TODAY, render, tell, untold
from tests.fixture_cards import fixtures
from tests.generated_records import added, codes, concept, status
from tests.reading import reading

JSON = dict[str, Any]
Expected = Literal["silent", "critical only", "stays", "open"]

LIBRARY = load_library()
SHOWN = frozenset({"shown", "merged", "row", "text", "capped"})
CHARTS_EACH = 4

# Opioid advice: silent at the end of life, in cancer, sickle cell disease and treatment of OUD.
OPIOID = frozenset(
    {
        "opioid-acute-msk-avoid",
        "opioid-benzodiazepine-cns",
        "opioid-er-la-initiation",
        "opioid-existing-therapy-review",
        "opioid-last-resort-prerequisites",
        "opioid-mme-50",
        "opioid-mme-90",
        "opioid-naloxone-offer",
        "opioid-oud-history",
        "opioid-risk-benefit-discussion",
        "opioid-sud-screening",
        "tramadol-second-line",
    }
)
# Hazards of a drug: at the end of life the critical ones stay, and in cancer all of them.
HAZARD = frozenset(
    {
        "acetaminophen-max-dose",
        "cyclobenzaprine-contraindicated",
        "cyclobenzaprine-dose",
        "cyclobenzaprine-duration-exceeds-3-weeks",
        "cyclobenzaprine-hepatic-impairment",
        "cyclobenzaprine-older-adult",
        "cyclobenzaprine-serotonergic-cns",
        "cyclobenzaprine-spasticity-not-indicated",
        "duloxetine-bleeding",
        "duloxetine-contraindicated",
        "duloxetine-dose",
        "nsaid-anticoagulant",
        "nsaid-cardiovascular-risk",
        "nsaid-ckd",
        "nsaid-dose-duration",
        "nsaid-duplicate",
        "nsaid-gi-bleed-contraindication",
        "nsaid-gi-risk-gastroprotection",
        "nsaid-hypersensitivity",
        "nsaid-kidney-interaction",
        "nsaid-older-adult",
        "nsaid-pregnancy",
        "serotonergic-combination",
        "tca-contraindicated",
        "tca-dosing-bedtime",
        "tramadol-contraindicated",
        "tramadol-dose",
        "trigger-point-injection-caution",
    }
)
# Advice for or against a drug: silent at the end of life and in cancer.
ADVICE = frozenset(
    {
        "acetaminophen-alternative",
        "acetaminophen-monotherapy-chronic-avoid",
        "antidepressant-nonneuropathic-avoid",
        "benzodiazepine-back-pain-avoid",
        "botulinum-toxin-trigger-point",
        "corticosteroid-trigger-point-injection",
        "cyclobenzaprine-short-course",
        "drug-before-nonpharmacologic",
        "duloxetine-second-line",
        "glucosamine-chondroitin-avoid",
        "muscle-relaxant-chronic-avoid",
        "oral-nsaid-after-topical",
        "oral-nsaid-first-line-chronic",
        "systemic-corticosteroid-avoid",
        "tca-third-line",
        "topical-analgesic-trigger-point",
        "topical-nsaid-first-acute-mid-back",
    }
)
DRUG_CARDS = tuple(sorted(OPIOID | HAZARD | ADVICE))
# A paragraph on cards that propose a drug, which goes with the card that bears it.
PARAGRAPH = "continue-nonpharm-with-drugs"
# Words in the names of draft facts that tell what they are about is a drug.
DRUG_FACTS = (
    *("nsaid", "opioid", "tramadol", "tca_", "duloxetine", "cyclobenzaprine", "acetaminophen"),
    *("benzodiazepine", "muscle_relaxant", "antidepressant", "glucosamine", "systemic_steroid"),
)

# What each circumstance leaves of a card. Treatment of OUD added to a chart, not to the order in
# question, is another drug in the chart: what it means for other drugs is not told here.
EXPECTED: dict[str, dict[str, Expected]] = {
    "hospice care ordered": {"opioid": "silent", "hazard": "critical only", "advice": "silent"},
    "palliative care coded": {"opioid": "silent", "hazard": "critical only", "advice": "silent"},
    "active cancer": {"opioid": "silent", "hazard": "stays", "advice": "silent"},
    "sickle cell disease": {"opioid": "silent", "hazard": "stays", "advice": "stays"},
    "treatment of OUD": {"opioid": "silent", "hazard": "open", "advice": "open"},
    "18 tomorrow": {"opioid": "silent", "hazard": "silent", "advice": "silent"},
    "deceased": {"opioid": "silent", "hazard": "silent", "advice": "silent"},
}
FACT_OF = {
    "hospice care ordered": "end_of_life",
    "palliative care coded": "end_of_life",
    "active cancer": "active_cancer",
    "sickle cell disease": "sickle_cell_disease",
    "treatment of OUD": "subject_opioid_is_oud_treatment",
    "18 tomorrow": "not_eligible",
    "deceased": "not_eligible",
}
every_card = pytest.mark.parametrize("name", DRUG_CARDS)
every_circumstance = pytest.mark.parametrize("circumstance", EXPECTED)


def expected(name: str, circumstance: str) -> Expected:
    """What a circumstance leaves of a card about a drug."""
    kind = "opioid" if name in OPIOID else "hazard" if name in HAZARD else "advice"
    return EXPECTED[circumstance][kind]


# What the recommendations say


def speaks_of_a_drug(recommendation: Recommendation) -> bool:
    """Whether it is of drug safety, orders a drug, or is triggered by the order for one."""
    proposes = any(s.proposes_drug and not s.rescues for s in recommendation.suggestions)
    asked = closure(recommendation.trigger.names, LIBRARY.vocabulary) & LIBRARY.draft_facts
    triggered = any(word in fact for fact in asked for word in DRUG_FACTS)
    group = recommendation.merge_group or ""
    return group.endswith("-safety") or proposes or triggered


def test_every_card_about_a_drug_is_held() -> None:
    """No recommendation about a drug is left out of these tests."""
    found = {r.id for r in LIBRARY.recommendations.values() if speaks_of_a_drug(r)}

    assert found - {*DRUG_CARDS, PARAGRAPH} == set()
    assert set(DRUG_CARDS) <= LIBRARY.recommendations.keys()
    assert len(OPIOID) + len(HAZARD) + len(ADVICE) == len(DRUG_CARDS)


@every_circumstance
@every_card
def test_each_names_the_exclusions_it_must(name: str, circumstance: str) -> None:
    """A recommendation silences itself, or stays, for what its kind of advice has to."""
    recommendation, fact = LIBRARY.recommendations[name], FACT_OF[circumstance]
    told = expected(name, circumstance)

    assert (fact in recommendation.exclusions) is (told == "silent")
    assert (fact in recommendation.critical_only_when) is (told == "critical only")


# The example patients of the package


def shown_examples(recommendation: Recommendation) -> Iterator[Example]:
    return (example for example in recommendation.examples if example.expect != "withheld")


@every_circumstance
@every_card
def test_no_example_patient_in_that_circumstance_gets_it(name: str, circumstance: str) -> None:
    """Each example patient who gets the card, told to be so too, gets it only if it must stay."""
    recommendation, fact = LIBRARY.recommendations[name], FACT_OF[circumstance]
    told = expected(name, circumstance)
    assert list(shown_examples(recommendation))
    for example in shown_examples(recommendation):
        facts = what_follows(example.present, example.hook, LIBRARY.vocabulary) - example.unknown
        unknown = example.unknown - {fact}
        before = answer(recommendation, facts, unknown, example.hook, LIBRARY.vocabulary)
        after = answer(recommendation, facts | {fact}, unknown, example.hook, LIBRARY.vocabulary)
        assert before
        stays = told in ("stays", "open") or (
            told == "critical only" and before.indicator == "critical"
        )
        assert (after is not None) is stays, example.case
        if after:
            assert after.indicator == before.indicator, example.case


# Charts


@dataclass(frozen=True)
class Told:
    """A call and its day."""

    name: str
    request: JSON
    day: date


Change = Callable[[Told], JSON]


def palliative_care(told: Told) -> JSON:
    return with_illness(told, "palliative-care")


def with_illness(told: Told, value_set: str) -> JSON:
    """The call with one more active Condition, which began two weeks ago."""
    began = (told.day - timedelta(days=14)).isoformat()
    return added(
        told.request,
        "conditions",
        {
            "resourceType": "Condition",
            "id": "added-illness",
            "clinicalStatus": status("active"),
            "verificationStatus": status("confirmed", "condition-ver-status"),
            "category": [status("problem-list-item", "condition-category")],
            "code": concept(*codes(value_set)[0]),
            "onsetDateTime": began,
            "recordedDate": began,
        },
    )


def hospice_care(told: Told) -> JSON:
    ordered = {
        "resourceType": "ServiceRequest",
        "id": "added-hospice",
        "status": "active",
        "intent": "order",
        "code": concept(*next(c for c in codes("hospice-palliative") if "hospice" in c[2])),
        "authoredOn": (told.day - timedelta(days=14)).isoformat(),
    }
    return added(told.request, "serviceRequests", ordered)


BUPRENORPHINE = next(
    concept(*code)
    for code in codes("oud-treatment")
    if code[2] == "buprenorphine 2 MG / naloxone 0.5 MG Sublingual Film"
)


def treatment_of_oud(told: Told) -> JSON:
    """The opioids of the call, drafted or taken, are treatment of OUD; added where there are none.

    A drug drafted beside an opioid that is taken stays as it is drafted.
    """
    request = copy.deepcopy(told.request)
    drafted = request["context"].get("draftOrders", {}).get("entry", [])
    taken = request["prefetch"]["medications"].get("entry", [])
    opioids = [each["resource"] for each in (*drafted, *taken) if is_opioid(each["resource"])]
    for order in opioids:
        order.pop("medicationReference", None)
        order["medicationCodeableConcept"] = BUPRENORPHINE
    if opioids:
        return request
    bought = {
        "resourceType": "MedicationRequest",
        "id": "added-buprenorphine",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": BUPRENORPHINE,
        "authoredOn": (told.day - timedelta(days=5)).isoformat(),
    }
    return added(request, "medications", bought)


def is_opioid(resource: JSON) -> bool:
    coded_as = resource.get("medicationCodeableConcept", {}).get("coding", [])
    found = (LIBRARY.index.sets_of(c.get("system", ""), c.get("code", "")) for c in coded_as)
    return any("opioid" in sets for sets in found) or "medicationReference" in resource


def almost_eighteen(told: Told) -> JSON:
    request = copy.deepcopy(told.request)
    tomorrow = told.day + timedelta(days=1)
    request["prefetch"]["patient"]["birthDate"] = tomorrow.replace(
        year=tomorrow.year - 18
    ).isoformat()
    return request


def deceased(told: Told) -> JSON:
    request = copy.deepcopy(told.request)
    request["prefetch"]["patient"]["deceasedBoolean"] = True
    return request


CHANGES: dict[str, Change] = {
    "hospice care ordered": hospice_care,
    "palliative care coded": palliative_care,
    "active cancer": lambda told: with_illness(told, "malignant-neoplasm"),
    "sickle cell disease": lambda told: with_illness(told, "sickle-cell-disease"),
    "treatment of OUD": treatment_of_oud,
    "18 tomorrow": almost_eighteen,
    "deceased": deceased,
}


def advised(request: JSON, day: date) -> Advice:
    """The advice on a call, of which no part failed."""
    record = reading(request, day, LIBRARY).record
    advice = advise(record, day, LIBRARY)
    assert not advice.errors, advice.errors
    return advice


def verdicts_on(name: str, advice: Advice) -> list[Verdict]:
    """The verdicts by which a recommendation applies, once for each draft."""
    return [v for v in advice.verdicts if v.id == name and v.outcome in SHOWN]


def carried(advice: Advice) -> dict[str, str]:
    """Recommendation → indicator of the card that bears it."""
    return {
        name: card["indicator"]
        for card in advice.cards
        for name in card["extension"]["org.backpath.card"]["recommendations"]
    }


def is_whole(request: JSON) -> bool:
    """Whether something can be added to what the call delivered."""
    prefetch = request["prefetch"]
    keys = ("conditions", "serviceRequests", "medications")
    delivered = (prefetch.get(key) for key in keys)
    return "birthDate" in (prefetch.get("patient") or {}) and all(
        isinstance(found, dict) and found.get("resourceType") == "Bundle" for found in delivered
    )


def stored_charts() -> Iterator[Told]:
    """The stored patients whose calls are answered with advice."""
    for fixture in fixtures():
        if is_whole(fixture.request):
            yield Told(fixture.name, fixture.request, fixture.as_of)


def example_charts(name: str) -> Iterator[Told]:
    """The example patients of a recommendation who get it, as charts."""
    recommendation = LIBRARY.recommendations[name]
    for example in shown_examples(recommendation):
        if not untold(example):
            request = render(tell(example, recommendation, LIBRARY))
            if is_whole(request):
                yield Told(example.case, request, TODAY)


Fired = tuple[Told, tuple[Verdict, ...]]


@cache
def firing() -> dict[str, list[Fired]]:
    """Recommendation → charts that fire it: of stored patients, then of its examples."""
    found: dict[str, list[Fired]] = {name: [] for name in DRUG_CARDS}
    for told in stored_charts():
        advice = advised(told.request, told.day)
        for name in DRUG_CARDS:
            if verdicts := verdicts_on(name, advice):
                found[name].append((told, tuple(verdicts)))
    for name in DRUG_CARDS:
        for told in example_charts(name):
            if verdicts := verdicts_on(name, advised(told.request, told.day)):
                found[name].append((told, tuple(verdicts)))
    return {name: chosen(charts) for name, charts in found.items()}


def chosen(charts: list[Fired]) -> list[Fired]:
    """A few charts for each hook and indicator."""
    kept: dict[tuple[str, str | None], list[Fired]] = {}
    for told, verdicts in charts:
        kept.setdefault((told.request["hook"], verdicts[0].indicator), []).append((told, verdicts))
    return [chart for some in kept.values() for chart in some[:CHARTS_EACH]]


@every_card
def test_a_chart_fires_it(name: str) -> None:
    """There is a chart behind every card that is held to its exclusions."""
    assert firing()[name]


@every_circumstance
@every_card
def test_the_chart_in_that_circumstance(name: str, circumstance: str) -> None:
    """The chart that fires a card, with hospice care, cancer … added: silent, or as it must."""
    told = expected(name, circumstance)
    for chart, before in firing()[name]:
        advice = advised(CHANGES[circumstance](chart), chart.day)
        after = verdicts_on(name, advice)
        stay = [v for v in before if told == "stays" or v.indicator == "critical"]
        if told in ("silent", "critical only") and FACT_OF[circumstance] == "not_eligible":
            assert advice.cards == (), chart.name
        if told == "silent":
            assert after == [], chart.name
            assert name not in carried(advice), chart.name
        elif told != "open":
            assert {(v.draft, v.indicator) for v in after} == {
                (v.draft, v.indicator) for v in stay
            }, chart.name
