"""Drugs nobody can tell: counted on opioid and NSAID cards, and no drug is proposed beside them."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.drug_calls import DAY, JSON, RXNORM, call, cards, client, medicine, taken
from tests.fixture_cards import Fixture, fixtures

OXYCODONE = ("1049621", "oxycodone hydrochloride 5 MG Oral Tablet")
ONE, TWO = "1 medication order could not be read.", "2 medication orders could not be read."
NDC = {"coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": "0093-0058-01"}]}
DISAGREE = {"coding": [{"system": RXNORM, "code": code} for code in ("1049621", "198013")]}
MISNAMED = {"coding": [{"system": RXNORM, "code": "198013", "display": "warfarin 5 MG"}]}
WORDS = {"text": "little blue pills"}
LISINOPRIL = {
    "coding": [{"system": RXNORM, "code": "314077", "display": "lisinopril 20 MG Oral Tablet"}]
}
WARFARIN = {
    "coding": [{"system": RXNORM, "code": "000001", "display": "Warfarin Sodium 9 MG Oral Tablet"}]
}
NAMED_IN_TEXT = {
    "coding": [{"system": RXNORM, "code": "310798"}],
    "text": "hydrochlorothiazide 25 mg",
}
POTASSIUM = {
    "coding": [{"system": RXNORM, "code": "000002", "display": "potassium chloride 10 MEQ"}]
}
PART_OF_A_WORD = {"coding": [{"system": RXNORM, "code": "000003", "display": "methylnaproxenol"}]}
NOT_IN_OUR_TABLES = {"coding": [{"system": RXNORM, "code": "308182", "display": "amoxicillin"}]}


@pytest.fixture(scope="module")
def service() -> FlaskClient:
    """The service on the day of the stories."""
    return client()


def order(drug: JSON, days: int = 14, **elements: str) -> JSON:
    """An active order of this drug, written so many days ago."""
    written = {"authoredOn": (DAY - timedelta(days=days)).isoformat(), **elements}
    return medicine(OXYCODONE, f"m{days}") | {"medicationCodeableConcept": drug, **written}


def opioid_card(service: FlaskClient, *active: JSON, drafts: tuple[JSON, ...] = ()) -> JSON:
    draft = medicine(OXYCODONE, "d1", **taken(5, times=2))
    return cards(service, call(draft, *drafts, active=active))["opioid-last-resort-prerequisites"]


@pytest.mark.parametrize(
    ("drug", "said"),
    [
        (WORDS, True),
        (NDC, True),
        (MISNAMED, True),
        (DISAGREE, True),
        (LISINOPRIL, True),
        (WARFARIN, True),
        (NAMED_IN_TEXT, True),
        (POTASSIUM, False),
        (PART_OF_A_WORD, False),
        (NOT_IN_OUR_TABLES, False),
    ],
)
def test_what_counts_as_unread(service: FlaskClient, drug: JSON, said: bool) -> None:
    """Words only, a system nobody reads, a contradicted code, an unknown code of a known name.

    Not a drug we have no table for, and not one that shares only a salt or a part of a name.
    """
    detail = opioid_card(service, order(drug))["detail"]

    assert (ONE in detail) == said
    assert ("could not be read" in detail) == said
    assert "little blue" not in detail


@pytest.mark.parametrize(
    ("status", "days", "said"),
    [
        ("active", 90, True),
        ("active", 365, True),
        ("active", 366, False),
        ("on-hold", 10, True),
        ("completed", 10, False),
        ("stopped", 10, False),
    ],
)
def test_only_drugs_that_may_be_taken_count(
    service: FlaskClient, status: str, days: int, said: bool
) -> None:
    """Under way, on hold, or lapsed for at most a year; the past does not matter."""
    assert (ONE in opioid_card(service, order(WORDS, days, status=status))["detail"]) == said


def test_they_are_counted_once_each(service: FlaskClient) -> None:
    """Taken ones and drafted ones together; the same order sent twice is one."""
    running, drafted = order(WORDS), order(NDC) | {"id": "d2"}

    assert TWO in opioid_card(service, running, running, drafts=(drafted,))["detail"]


def test_nothing_is_said_when_all_can_be_read(service: FlaskClient) -> None:
    """No line about nothing."""
    assert "could not be read" not in opioid_card(service)["detail"]


# What they hold back


def story(name: str) -> Fixture:
    return next(fixture for fixture in fixtures() if fixture.name == name)


def answered(fixture: Fixture, drug: JSON | None, days: int = 14) -> list[JSON]:
    """The cards for a stored patient who also takes this drug."""
    request = deepcopy(fixture.request)
    if drug is not None:
        written = (fixture.as_of - timedelta(days=days)).isoformat()
        patient = request["prefetch"]["patient"]["id"]
        extra = medicine(OXYCODONE, "extra") | {
            "medicationCodeableConcept": drug,
            "authoredOn": written,
            "subject": {"reference": f"Patient/{patient}"},
        }
        bundle = request["prefetch"].setdefault("medications", {"resourceType": "Bundle"})
        bundle["entry"] = [*bundle.get("entry", ()), {"resource": extra}]
        bundle.pop("total", None)
    found = client(day=fixture.as_of).post(f"/cds-services/{fixture.service}", json=request)
    body: JSON = found.get_json()
    return list(body["cards"])


def drugs_offered(found: list[JSON]) -> list[str]:
    return [
        suggestion["label"]
        for card in found
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
        if action.get("resource", {}).get("resourceType") == "MedicationRequest"
    ]


PROPOSING = (
    "low-back-c2-seven-weeks-of-therapy",
    "mid-back-acute",
    "worked-example-7-flare-of-spasm",
)


@pytest.mark.parametrize("name", PROPOSING)
def test_a_proposal_becomes_words(name: str) -> None:
    """The step is still named, with the number of orders that could not be read; no order."""
    before, after = answered(story(name), None), answered(story(name), WORDS)
    topics = [[card["source"]["topic"]["code"] for card in found] for found in (before, after)]

    assert drugs_offered(before)
    assert topics[0] == topics[1]
    assert not drugs_offered(after)
    assert any(ONE in card["detail"] for card in after)


@pytest.mark.parametrize("drug", [LISINOPRIL, NAMED_IN_TEXT])
def test_what_may_strain_the_kidney_holds_back_nsaids(drug: JSON) -> None:
    """Beside an unknown code called lisinopril no naproxen is offered; other drugs are."""
    naproxen, other = story("low-back-c2-seven-weeks-of-therapy"), story("mid-back-acute")
    found = answered(naproxen, drug)

    assert drugs_offered(answered(naproxen, None)) == ["Order naproxen", "Order ibuprofen"]
    assert not drugs_offered(found)
    assert any(ONE in card["detail"] for card in found)
    assert drugs_offered(answered(other, drug)) == drugs_offered(answered(other, None)) != []
    assert not any(ONE in card["detail"] for card in answered(other, drug))


@pytest.mark.parametrize("name", PROPOSING)
def test_an_unknown_code_of_a_known_name_holds_back_every_drug(name: str) -> None:
    """A code nobody knows, called warfarin: it may be warfarin, and is not judged as it."""
    found = answered(story(name), WARFARIN)

    assert not drugs_offered(found)
    assert any(ONE in card["detail"] for card in found)


def test_every_card_on_an_nsaid_order_counts_them(service: FlaskClient) -> None:
    """Naproxen ordered beside unknown codes called lisinopril and a thiazide: not left unsaid."""
    draft = medicine(("198013", "naproxen 250 MG Oral Tablet"), "d1", **taken(2, "{tbl}"))
    found = cards(service, call(draft, active=(order(LISINOPRIL), order(NAMED_IN_TEXT, 13))))

    assert TWO in found["drug-before-nonpharmacologic"]["detail"]


def test_a_guess_is_never_a_match(service: FlaskClient) -> None:
    """Naproxen ordered beside an unknown code called warfarin: counted, but no warning of it."""
    draft = medicine(("198013", "naproxen 250 MG Oral Tablet"), "d1", **taken(8, "{tbl}"))
    found = cards(service, call(draft, active=(order(WARFARIN),)))

    assert "nsaid-anticoagulant" not in found
    assert ONE in found["nsaid-dose-duration"]["detail"]


@pytest.mark.parametrize("name", PROPOSING)
@pytest.mark.parametrize(("drug", "days"), [(NOT_IN_OUR_TABLES, 14), (WORDS, 400)])
def test_a_proposal_stays(name: str, drug: JSON, days: int) -> None:
    """A drug no table of ours holds, or one long past, holds nothing back."""
    fixture = story(name)

    assert drugs_offered(answered(fixture, drug, days)) == drugs_offered(answered(fixture, None))


def test_the_antidote_is_never_held_back(service: FlaskClient) -> None:
    """Naloxone is offered whatever else is taken."""
    draft = medicine(OXYCODONE, "d1", **taken(40))
    card = cards(service, call(draft, active=(order(WORDS),)))["opioid-mme-50"]

    assert ONE in card["detail"]
    assert any("naloxone" in suggestion["label"].lower() for suggestion in card["suggestions"])
