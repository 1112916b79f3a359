"""A dose beyond belief, or in a unit nobody reads: the cards about that drug say so."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.drug_calls import JSON, call, cards, client, library, medicine, supplied, taken

NAPROXEN = ("198014", "naproxen 500 MG Oral Tablet")
ACETAMINOPHEN = ("313782", "acetaminophen 325 MG Oral Tablet")
TRAMADOL = ("835603", "tramadol hydrochloride 50 MG Oral Tablet")
OXYCODONE = ("1049621", "oxycodone hydrochloride 5 MG Oral Tablet")
APIXABAN = ("1364445", "apixaban 5 MG Oral Tablet")
SERTRALINE = ("312940", "sertraline 25 MG Oral Tablet")
ALPRAZOLAM = ("308047", "alprazolam 0.25 MG Oral Tablet")
SAID = "Dose could not be read: "


@pytest.fixture(scope="module")
def service() -> FlaskClient:
    """The service on the day of the stories."""
    return client()


@pytest.mark.parametrize("drug", [NAPROXEN, ACETAMINOPHEN, TRAMADOL, OXYCODONE])
def test_the_drugs_are_what_they_are_called(drug: tuple[str, str]) -> None:
    """The codes of these stories stand in the tables."""
    product = library().drugs.product(drug[0])

    assert product
    assert drug[1].lower() == product.name.lower()


def line(card: JSON) -> str:
    """The line on doses not read; empty when there is none."""
    return next((x for x in card["detail"].splitlines() if x.startswith(SAID)), "")


@pytest.mark.parametrize("hook", ["order-sign", "patient-view"])
@pytest.mark.parametrize(
    ("words", "dose", "said"),
    [
        ("7500 mg a day, five times the label", taken(1500, times=5), False),
        ("8000 mg a day, more than that", taken(2000, times=4), True),
        ("500 g for 500 mg", taken(500, "g"), True),
        ("a unit nobody converts", taken(1, "{spoonful}"), True),
        ("derived: 900 tablets for 30 days", supplied(900, 30), True),
        ("in words only", {"dosageInstruction": [{"text": "as directed"}]}, True),
        ("two tablets a day", taken(1, "{tbl}", times=2), False),
        ("no dose yet", {}, False),
    ],
)
def test_a_dose_beyond_belief_is_said(
    service: FlaskClient, hook: str, words: str, dose: dict[str, Any], said: bool
) -> None:
    """Naproxen on apixaban: the bleeding card names the naproxen whose dose could not be read."""
    naproxen, apixaban = medicine(NAPROXEN, "n1", **dose), medicine(APIXABAN, "a1")
    request = (
        call(active=(naproxen, apixaban), hook=hook)
        if hook == "patient-view"
        else call(naproxen, active=(apixaban,))
    )
    found = line(cards(service, request)["nsaid-anticoagulant"])

    assert found == (f"{SAID}naproxen 500 MG Oral Tablet." if said else ""), words


def test_an_opioid_is_judged_by_its_own_label(service: FlaskClient) -> None:
    """Tramadol 3000 mg a day with sertraline: no dose card, and the partner card says why."""
    draft = medicine(TRAMADOL, "t1", **taken(1000, times=3))
    shown = cards(service, call(draft, active=(medicine(SERTRALINE, "s1"),)))

    assert "tramadol-dose" not in shown
    assert "tramadol hydrochloride 50 MG" in line(shown["tramadol-contraindicated"])


def test_a_benzodiazepine_card_says_it_of_the_opioid(service: FlaskClient) -> None:
    """Oxycodone by the spoonful on alprazolam: no sum of opioids, and the card says why."""
    draft = medicine(OXYCODONE, "o1", **taken(1, "{spoonful}"))
    shown = cards(service, call(draft, active=(medicine(ALPRAZOLAM, "a1"),)))

    assert "oxycodone hydrochloride 5 MG" in line(shown["opioid-benzodiazepine-cns"])


def test_a_drug_whose_dose_nobody_judges_is_not_named(service: FlaskClient) -> None:
    """The dose of apixaban is no business of these cards."""
    draft = medicine(NAPROXEN, "n1", **taken(500, times=2))
    apixaban = medicine(APIXABAN, "a1", **taken(1, "{spoonful}"))

    assert line(cards(service, call(draft, active=(apixaban,)))["nsaid-anticoagulant"]) == ""


def test_a_sum_names_what_it_leaves_out(service: FlaskClient) -> None:
    """Acetaminophen 5200 mg a day, and as much again by the spoonful: at least so much."""
    over = medicine(ACETAMINOPHEN, "p1", **taken(1300, times=4))
    unread = medicine(ACETAMINOPHEN, "p2", **taken(1, "{spoonful}"))
    detail = cards(service, call(over, unread))["acetaminophen-max-dose"]["detail"]

    assert "at least 5200 mg a day" in detail
    assert "acetaminophen 325 MG Oral Tablet: dose could not be read" in detail.replace("\\", "")


def test_the_breakdown_says_it_once(service: FlaskClient) -> None:
    """Morphine equivalents name what they leave out; the card does not say it again."""
    high = medicine(OXYCODONE, "o1", **taken(10, times=4))
    unread = medicine(OXYCODONE, "o2", **taken(1, "{spoonful}"), identifier=[{"value": "2"}])
    card = cards(service, call(high, unread))["opioid-mme-50"]

    assert card["detail"].count("dose could not be read") == 1


@pytest.mark.parametrize(
    "drug",
    [
        ("855633", "diclofenac sodium 0.01 MG/MG Topical Gel"),
        ("1359657", "Buprenorphine 0.01 MG/HR Transdermal System"),
    ],
)
def test_a_dose_no_rule_asks_for_is_not_missed(service: FlaskClient, drug: tuple[str, str]) -> None:
    """A gel has no daily dose to judge, and buprenorphine is never converted."""
    other = medicine(drug, "x1", dosageInstruction=[{"text": "as directed"}])
    alprazolam = medicine(ALPRAZOLAM, "a1")

    shown = cards(service, call(other, active=(alprazolam,)))

    assert not any(line(card) for card in shown.values())


def test_any_card_about_the_draft_says_it(service: FlaskClient) -> None:
    """Naproxen 25 g a day, and only the card on care without drugs: that card says it."""
    draft = medicine(NAPROXEN, "n1", **taken(25, "{tbl}", times=2))
    shown = cards(service, call(draft))

    assert set(shown) == {"drug-before-nonpharmacologic"}
    assert "naproxen 500 MG" in line(shown["drug-before-nonpharmacologic"])
