"""A suggestion of ours, accepted and sent back, is not questioned; what warns of danger stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from cards.library import Library
from cards.own_order import is_benefit
from tests.drug_calls import JSON, client
from tests.drug_calls import library as library_of_calls
from tests.fixture_cards import Fixture, answered, fixtures

Change = Callable[[JSON], Any]


def story(name: str) -> Fixture:
    return next(fixture for fixture in fixtures() if fixture.name == name)


@cache
def cards_of(name: str) -> tuple[JSON, ...]:
    return tuple(answered(story(name), library_of_calls()).get("cards", ()))


def suggested(fixture: Fixture) -> Iterator[tuple[str, JSON]]:
    """Label and order of every suggestion on the cards of a stored patient."""
    for card in cards_of(fixture.name):
        for suggestion in card.get("suggestions", ()):
            (action,) = suggestion["actions"]
            if "resource" in action:
                yield suggestion["label"], {"id": "accepted", **action["resource"]}


def signed(fixture: Fixture, order: JSON, **extension: Any) -> JSON:
    """The response when this order alone is signed for that patient."""
    request = deepcopy(fixture.request)
    patient = request["context"]["patientId"]
    entry = {"resource": {**order, "subject": {"reference": f"Patient/{patient}"}}}
    request["hook"] = "order-sign"
    request["context"].pop("selections", None)
    request["context"]["draftOrders"] = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [entry],
    }
    request["extension"] = extension
    found = client(day=fixture.as_of).post("/cds-services/back-pain-order-sign", json=request)
    assert found.status_code == 200
    body: JSON = found.get_json()
    return body


def told(response: JSON) -> set[str]:
    return {
        name
        for card in response["cards"]
        for name in card["extension"]["org.backpath.card"]["recommendations"]
    }


@pytest.mark.parametrize("kind", ["MedicationRequest", "ServiceRequest"])
def test_no_accepted_suggestion_is_questioned(library: Library, kind: str) -> None:
    """Every order suggested to a stored patient, signed as it is, raises warnings only."""
    accepted = [
        (fixture, label, order)
        for fixture in fixtures()
        for label, order in suggested(fixture)
        if order["resourceType"] == kind and "reasonCode" not in order
    ]
    questioned = [
        (fixture.name, label, name)
        for fixture, label, order in accepted
        for name in told(signed(fixture, order))
        if is_benefit(library.recommendations[name])
    ]

    assert len(accepted) > 100
    assert questioned == []


def ours(label: str, name: str) -> JSON:
    return deepcopy(next(order for said, order in suggested(story(name)) if said == label))


def naproxen() -> JSON:
    return ours("Order naproxen", "low-back-c2-seven-weeks-of-therapy")


def repeat(order: JSON) -> JSON:
    found: JSON = order["dosageInstruction"][0]["timing"]["repeat"]
    return found


def dose(order: JSON) -> JSON:
    found: JSON = order["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]
    return found


def test_the_same_order_is_known_whatever_the_record_adds() -> None:
    """An id, a date, a requester, other words: it is still the order suggested."""
    order = naproxen() | {
        "authoredOn": "2026-06-15",
        "requester": {"reference": "Practitioner/dr-imelda-fairweather"},
    }
    order["medicationCodeableConcept"]["text"] = "Naproxen tablets"
    order["dosageInstruction"][0]["text"] = "1 tablet twice a day"

    assert "drug-before-nonpharmacologic" not in told(
        signed(story("naproxen-before-exercise"), order)
    )


CHANGES: dict[str, Change] = {
    "double dose": lambda o: dose(o).update(value=500),
    "three times a day": lambda o: repeat(o).update(frequency=3),
    "longer": lambda o: repeat(o)["boundsDuration"].update(value=28),
    "a larger supply": lambda o: o["dispenseRequest"]["expectedSupplyDuration"].update(value=28),
    "a refill": lambda o: o["dispenseRequest"].update(numberOfRepeatsAllowed=1),
    "as needed": lambda o: o["dosageInstruction"][0].update(asNeededBoolean=True),
    "a second instruction": lambda o: o["dosageInstruction"].append(o["dosageInstruction"][0]),
    "no instruction": lambda o: o.pop("dosageInstruction"),
    "another strength": lambda o: o["medicationCodeableConcept"].update(
        coding=[
            {
                "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                "code": "198014",
                "display": "naproxen 500 MG Oral Tablet",
            }
        ],
        text="naproxen 500 MG Oral Tablet",
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_order_is_the_clinicians_own(change: Change) -> None:
    """Another dose, duration, supply or product is judged as any order."""
    order = naproxen()
    change(order)

    assert "drug-before-nonpharmacologic" in told(signed(story("naproxen-before-exercise"), order))


def test_a_warning_stays_on_our_own_order() -> None:
    """Naproxen as we suggest it, for somebody on apixaban."""
    assert "nsaid-anticoagulant" in told(signed(story("ibuprofen-apixaban"), naproxen()))


def massage() -> tuple[Fixture, JSON]:
    """A patient to whom massage was suggested, and that order."""
    for fixture in fixtures():
        for label, order in suggested(fixture):
            if label == "Order: Massage therapy" and is_passive(signed(fixture, coded(order))):
                return fixture, order
    raise AssertionError("massage is suggested to nobody who has no exercise")


def coded(order: JSON) -> JSON:
    """The order with its reason as a code, as a clinician orders."""
    reason = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}]}
    return {n: v for n, v in order.items() if n != "reasonReference"} | {"reasonCode": [reason]}


def is_passive(response: JSON) -> bool:
    return "passive-modality-overreliance" in told(response)


def test_a_suggested_service_is_known_by_how_it_is_written() -> None:
    """Massage as we suggest it is not called passive care; ordered by somebody else it is."""
    fixture, order = massage()
    renamed = deepcopy(order)
    renamed["code"]["text"] = "Massage, 30 minutes"

    assert not is_passive(signed(fixture, order))
    assert is_passive(signed(fixture, coded(order)))
    assert is_passive(signed(fixture, renamed))


def test_the_explanation_says_it_was_held_back() -> None:
    """Whoever asks why sees that the card was suppressed."""
    fixture = story("naproxen-before-exercise")
    extension = {"org.backpath.request": {"explain": True}}
    response = signed(fixture, naproxen(), **extension)
    explained = response["extension"]["org.backpath.response"]["explanation"]["recommendations"]
    outcomes = {one["recommendation"]: one["outcome"] for one in explained}

    assert outcomes["drug-before-nonpharmacologic"] == "suppressed"


def test_a_draft_beside_ours_is_judged_as_ever() -> None:
    """Our order silences advice about itself only."""
    fixture = story("naproxen-before-exercise")
    request = deepcopy(fixture.request)
    request["context"]["draftOrders"]["entry"].append({"resource": naproxen()})
    found = client(day=fixture.as_of).post(f"/cds-services/{fixture.service}", json=request)

    assert "drug-before-nonpharmacologic" in told(found.get_json())


@pytest.mark.parametrize(
    ("name", "benefit"),
    [
        ("drug-before-nonpharmacologic", True),
        ("passive-modality-overreliance", True),
        ("topical-nsaid-first-acute-mid-back", True),
        ("acetaminophen-monotherapy-chronic-avoid", True),
        ("nsaid-anticoagulant", False),
        ("opioid-last-resort-prerequisites", False),
        ("acetaminophen-max-dose", False),
        ("serotonergic-combination", False),
        ("systemic-corticosteroid-avoid", False),
        ("rf-cauda-equina", False),
        ("spinal-manipulation-contraindicated", False),
        ("trigger-point-injection-caution", False),
    ],
)
def test_what_is_about_danger(library: Library, name: str, benefit: bool) -> None:
    """Only advice on the use of an order gives way."""
    assert is_benefit(library.recommendations[name]) == benefit
