"""No drug a card proposes is one that the service would warn of, were it ordered as proposed.

Every drug order a response would create, or put in the place of a draft, is taken: it becomes the
only draft of an order-sign call on the same chart, and the contraindications are asked about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.advise import Advice, advise
from cards.codes import RXNORM
from cards.library import load_library
from service.patient_record import PatientUnavailable
from tests.generated_care import measured
from tests.generated_hazards import (
    EGFR,
    Hazard,
    accepted,
    endangered,
    made_with_hazards,
    stored_with_hazards,
)
from tests.generated_records import (
    STORED,
    TODAY,
    Stored,
    codes,
    concept,
    diagnosis,
    law,
    prescribed,
    status,
    view,
)
from tests.reading import reading

JSON = dict[str, Any]

LIBRARY = load_library()
SHOWN = frozenset({"shown", "merged", "row", "text", "capped"})
DRAFT = "MedicationRequest/accepted"
LEAST_LABELS = 16
LEAST_CHANGES = 4
# Warnings that speak against the drug itself; a critical one of any recommendation does so too.
CONTRAINDICATIONS = frozenset(
    {
        "acetaminophen-max-dose",
        "cyclobenzaprine-contraindicated",
        "cyclobenzaprine-hepatic-impairment",
        "cyclobenzaprine-older-adult",
        "cyclobenzaprine-serotonergic-cns",
        "duloxetine-contraindicated",
        "nsaid-anticoagulant",
        "nsaid-cardiovascular-risk",
        "nsaid-ckd",
        "nsaid-duplicate",
        "nsaid-gi-bleed-contraindication",
        "nsaid-hypersensitivity",
        "nsaid-kidney-interaction",
        "nsaid-pregnancy",
        "serotonergic-combination",
        "tca-contraindicated",
        *(name for name in LIBRARY.recommendations if name.startswith(("opioid-", "tramadol-"))),
    }
)
NALOXONE = frozenset(
    coding.code
    for recommendation in LIBRARY.recommendations.values()
    for suggestion in recommendation.suggestions
    if suggestion.rescues
    for coding in suggestion.codes.values()
)


@dataclass(frozen=True)
class Proposal:
    """A drug order a card would bring; ``label`` is what the clinician presses."""

    card: str
    label: str
    action: str
    resource: JSON

    @property
    def rescues(self) -> bool:
        """Whether it is naloxone, which nothing speaks against."""
        coding = self.resource.get("medicationCodeableConcept", {}).get("coding", [])
        return any(each.get("code") in NALOXONE for each in coding)


def advised(stored: Stored) -> Advice:
    """The advice on a call, of which no part failed."""
    record = reading(stored.request, stored.day, LIBRARY).record
    advice = advise(record, stored.day, LIBRARY)
    assert not advice.errors, advice.errors
    return advice


def proposals(advice: Advice) -> Iterator[Proposal]:
    """Every drug that a card would create, or put in the place of a draft; not naloxone."""
    return (found for found in drug_orders(advice) if not found.rescues)


def drug_orders(advice: Advice) -> Iterator[Proposal]:
    """Every drug that a card would create, or put in the place of a draft."""
    for card in advice.cards:
        for suggestion in card.get("suggestions", ()):
            for action in suggestion["actions"]:
                resource = action.get("resource", {})
                name = card["source"]["topic"]["code"]
                found = Proposal(name, suggestion["label"], action["type"], resource)
                if resource.get("resourceType") == "MedicationRequest":
                    yield found


def objections(stored: Stored, resource: JSON) -> dict[str, str]:
    """Recommendation → indicator of what speaks against an order on the chart of a call."""
    ordered = Stored(stored.name, accepted(stored.request, resource), stored.day)
    return objections_to(DRAFT, advised(ordered))


def objections_to(draft: str, advice: Advice) -> dict[str, str]:
    """Recommendation → indicator of what speaks against a draft, whether shown or capped."""
    return {
        verdict.id: str(verdict.indicator)
        for verdict in advice.verdicts
        if verdict.outcome in SHOWN and verdict.draft == draft
        if verdict.indicator == "critical"
        or (verdict.indicator == "warning" and verdict.id in CONTRAINDICATIONS)
    }


def violations(stored: Stored) -> dict[tuple[str, str], dict[str, str]]:
    """Card and label of what is proposed → what speaks against it."""
    advice = advised(stored)
    found = {
        (proposal.card, proposal.label): objections(stored, proposal.resource)
        for proposal in proposals(advice)
    }
    allergens = allergens_of(stored)
    for proposal in drug_orders(advice):
        if allergens & ingredients_of(proposal.resource.get("medicationCodeableConcept", {})):
            found.setdefault((proposal.card, proposal.label), {})["allergy"] = "on record"
    return {proposed: against for proposed, against in found.items() if against}


def allergens_of(stored: Stored) -> frozenset[str]:
    """Ingredients that an allergy or intolerance of the call is coded to, in RxNorm."""
    entries = (stored.request["prefetch"].get("allergies") or {}).get("entry", ())
    coded = [ingredients_of(entry["resource"].get("code", {})) for entry in entries]
    return frozenset().union(*coded)


def ingredients_of(drug: JSON) -> frozenset[str]:
    """Ingredients of what RxNorm codes a drug by."""
    products = [LIBRARY.drugs.product(coding["code"]) for coding in drug.get("coding", ())]
    return frozenset().union(*(product.ingredients for product in products if product))


@cache
def offered() -> tuple[Stored, ...]:
    """The stored patients to whom a card proposes a drug."""
    answered = (stored for stored in STORED if "patient" in stored.request["prefetch"])
    return tuple(stored for stored in answered if list(offers(stored)))


def offers(stored: Stored) -> Iterator[Proposal]:
    """What is proposed to a stored patient; nothing where the call is refused."""
    try:
        yield from proposals(advised(stored))
    except PatientUnavailable:
        return


# The law


@law(300)
@given(stored=st.deferred(lambda: stored_with_hazards(offered())))
def test_no_drug_is_proposed_that_would_be_warned_of(stored: Stored) -> None:
    """A patient to whom a drug is proposed, with whatever else: none that a card objects to."""
    assert violations(stored) == {}


@law(300)
@given(stored=made_with_hazards())
def test_no_drug_is_proposed_to_anyone_that_would_be_warned_of(stored: Stored) -> None:
    """Any patient under care, at a visit or with drafts: no proposal that a card objects to."""
    assert violations(stored) == {}


def test_the_stored_patients_are_proposed_no_such_drug() -> None:
    """What the synthetic patients are proposed brings no warning; most proposals are seen there."""
    labels = {proposal.label for stored in offered() for proposal in offers(stored)}

    assert len(labels) >= LEAST_LABELS, sorted(labels)
    assert {stored.name: violations(stored) for stored in offered() if violations(stored)} == {}


# Allergies to what is proposed


@cache
def proposed_to() -> dict[str, tuple[Stored, frozenset[str]]]:
    """What is proposed → one stored patient to whom it is, and its ingredients; naloxone too."""
    found: dict[str, tuple[Stored, frozenset[str]]] = {}
    for stored in STORED:
        if "patient" not in stored.request["prefetch"]:
            continue
        with suppress(PatientUnavailable):
            for order in drug_orders(advised(stored)):
                drug = order.resource.get("medicationCodeableConcept", {})
                found.setdefault(order.label, (stored, ingredients_of(drug)))
    return found


NAUSEA = ("422587007", "Nausea")
HIVES = ("247472004", "Hives")


@pytest.mark.parametrize(
    ("kind", "reaction"),
    [("intolerance", NAUSEA), ("allergy", HIVES), (None, None)],
    ids=["intolerance", "allergy", "unsaid"],
)
def test_no_drug_is_proposed_to_who_does_not_bear_it(
    kind: str | None, reaction: tuple[str, str] | None
) -> None:
    """A coded allergy or intolerance to the very drug withholds its order, naloxone's too."""
    still_offered = []
    for label, (stored, ingredients) in proposed_to().items():
        for ingredient in ingredients:
            entry = intolerant_of(ingredient, kind, reaction)
            request = endangered(stored.request, [entry], None, stored.day)
            advice = advised(Stored(stored.name, request, stored.day))
            still_offered += [o.label for o in drug_orders(advice) if o.label == label]

    assert "Order naloxone" in proposed_to()
    assert still_offered == []


def test_the_allergy_is_named_where_the_order_was() -> None:
    """A card that would offer naloxone names the allergy to it in place of the order."""
    stored, (ingredient,) = proposed_to()["Order naloxone"]
    entry = intolerant_of(ingredient, "allergy", HIVES)
    request = endangered(stored.request, [entry], None, stored.day)
    advice = advised(Stored(stored.name, request, stored.day))
    offering = [
        about
        for card in advice.cards
        if "opioid-naloxone-offer"
        in (about := card["extension"]["org.backpath.card"])["recommendations"]
    ]

    assert offering
    for about in offering:
        references = {ground["reference"] for ground in about["because"]}
        assert "AllergyIntolerance/hazard-0" in references


def intolerant_of(ingredient: str, kind: str | None, reaction: tuple[str, str] | None) -> Hazard:
    happened = concept("http://snomed.info/sct", *reaction) if reaction else None
    return "allergies", {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": status("active", "allergyintolerance-clinical"),
        "code": concept(RXNORM, ingredient, ""),
        **({"type": kind} if kind else {}),
        **({"reaction": [{"manifestation": [happened]}]} if happened else {}),
    }


def authors(proposal: Proposal) -> set[str]:
    """The recommendations that offer a change under this label."""
    return {
        recommendation.id
        for recommendation in LIBRARY.recommendations.values()
        for template in recommendation.suggestions
        if template.action == "update" and template.label == proposal.label
    }


def test_an_accepted_change_leaves_nothing_of_its_card() -> None:
    """A draft changed as its card offers is not told by that recommendation to change again."""
    changes = [
        (stored, proposal)
        for stored in offered()
        for proposal in offers(stored)
        if proposal.action == "update"
    ]
    again = [
        (stored.name, proposal.label)
        for stored, proposal in changes
        for verdict in advised(
            Stored(stored.name, accepted(stored.request, proposal.resource), stored.day)
        ).verdicts
        if verdict.outcome in SHOWN and verdict.draft == DRAFT
        if verdict.id in authors(proposal)
    ]

    assert len({proposal.label for _, proposal in changes}) >= LEAST_CHANGES
    assert again == []


# The check itself


def taken(value_set: str, word: str = "") -> Hazard:
    code = next(code for code in codes(value_set) if word in code[2])
    order = prescribed(value_set, "taken")
    return "medications", {**order, "medicationCodeableConcept": concept(*code)}


def ill_with(value_set: str, days: int = 20) -> Hazard:
    return "conditions", diagnosis(*codes(value_set)[0], days)


def allergic_to(value_set: str) -> Hazard:
    shock = concept("http://snomed.info/sct", "39579001", "Anaphylaxis")
    return "allergies", {
        "resourceType": "AllergyIntolerance",
        "type": "allergy",
        "clinicalStatus": status("active", "allergyintolerance-clinical"),
        "code": concept(*codes(value_set)[0]),
        "reaction": [{"manifestation": [shock]}],
    }


LOW_EGFR: Hazard = "observations", measured(EGFR, 20, 22, "mL/min/{1.73_m2}")


@pytest.mark.parametrize(
    ("ordered", "hazard", "objection"),
    [
        ("nsaid-oral", taken("anticoagulant"), "nsaid-anticoagulant"),
        ("nsaid-oral", taken("lithium"), "nsaid-kidney-interaction"),
        (
            "nsaid-oral",
            taken("nsaid-parenteral", "ketorolac tromethamine 30 MG/ML"),
            "nsaid-duplicate",
        ),
        ("nsaid-oral", LOW_EGFR, "nsaid-ckd"),
        ("nsaid-oral", ill_with("gi-ulcer-bleed"), "nsaid-gi-bleed-contraindication"),
        ("nsaid-oral", ill_with("recent-mi"), "nsaid-cardiovascular-risk"),
        ("nsaid-oral", ill_with("pregnancy"), "nsaid-pregnancy"),
        ("nsaid-oral", allergic_to("nsaid-oral"), "nsaid-hypersensitivity"),
        ("cyclobenzaprine", taken("maoi"), "cyclobenzaprine-contraindicated"),
        ("cyclobenzaprine", taken("duloxetine"), "cyclobenzaprine-serotonergic-cns"),
        (
            "cyclobenzaprine",
            ill_with("liver-moderate-severe"),
            "cyclobenzaprine-hepatic-impairment",
        ),
        ("duloxetine", taken("maoi"), "duloxetine-contraindicated"),
        ("duloxetine", taken("tramadol"), "serotonergic-combination"),
        ("tca", ill_with("recent-mi"), "tca-contraindicated"),
        ("tramadol", ill_with("seizure"), "tramadol-contraindicated"),
        ("opioid", taken("benzodiazepine"), "opioid-benzodiazepine-cns"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1]["resourceType"],
)
def test_a_drug_that_must_not_be_is_objected_to(
    ordered: str, hazard: Hazard, objection: str
) -> None:
    """The check sees the danger that is there, and nothing of the kind in a healthy patient."""
    pain = diagnosis(*codes("low-back-pain")[0], 150)
    healthy = view(40, conditions=[pain])
    resource = {**prescribed(ordered, "proposed"), "status": "draft"}
    ill = endangered(healthy, [hazard], None, TODAY)

    assert objection in objections(Stored("ill", ill, TODAY), resource)
    assert objection not in objections(Stored("healthy", healthy, TODAY), resource)
