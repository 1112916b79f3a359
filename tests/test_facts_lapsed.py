"""A drug whose supply has run out: the card says that it may still be taken, which, since when."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.drug_calls import JSON, call, cards, client, medicine, taken

NAPROXEN = ("198014", "naproxen 500 MG Oral Tablet")
OXYCODONE = ("1049621", "oxycodone hydrochloride 5 MG Oral Tablet")
DULOXETINE = ("596930", "duloxetine 30 MG Delayed Release Oral Capsule")
APIXABAN = ("1364445", "apixaban 5 MG Oral Tablet")
ALPRAZOLAM = ("308047", "alprazolam 0.25 MG Oral Tablet")
SERTRALINE = ("312940", "sertraline 25 MG Oral Tablet")


@pytest.fixture(scope="module")
def service() -> FlaskClient:
    """The service on the day of the stories, 15 June 2026."""
    return client()


def found(card: JSON) -> str:
    """The paragraph of what was found, as a reader sees it."""
    (line,) = [x for x in card["detail"].split("\n\n") if x.startswith("Found in the record: ")]
    return str(line).replace("\\", "")


def lapsed(drug: tuple[str, str], **elements: Any) -> JSON:
    """An active order written in January, whose supply nobody stated."""
    return medicine(drug, "lapsed", **{"authoredOn": "2026-01-05", **elements})


@pytest.mark.parametrize(
    ("draft", "partner", "topic"),
    [
        (NAPROXEN, APIXABAN, "nsaid-anticoagulant"),
        (OXYCODONE, ALPRAZOLAM, "opioid-benzodiazepine-cns"),
        (DULOXETINE, SERTRALINE, "serotonergic-combination"),
    ],
)
def test_a_lapsed_partner_is_named_and_hedged(
    service: FlaskClient, draft: tuple[str, str], partner: tuple[str, str], topic: str
) -> None:
    """The drug, that it may still be taken, and the day of its last supply, once."""
    order = medicine(draft, "d1")
    told = found(cards(service, call(order, active=(lapsed(partner),)))[topic])

    assert f"may still be taking {partner[1]}, last supply on 2026-01-05" in told
    assert told.count("2026-01-05") == 1


def test_a_drug_surely_taken_is_not_hedged(service: FlaskClient) -> None:
    """Written two weeks ago: it is taken."""
    request = call(medicine(NAPROXEN, "d1"), active=(medicine(APIXABAN, "a1"),))

    assert "may still" not in found(cards(service, request)["nsaid-anticoagulant"])


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ({"status": "on-hold"}, ", on hold, last supply on 2026-01-05"),
        ({"authoredOn": "2026-01"}, ", last supply on 2026-01"),
        (
            {"dispenseRequest": {"numberOfRepeatsAllowed": 2}},
            ", last supply on 2026-01-05 and 2 refills",
        ),
        ({"authoredOn": None}, ", date of last supply not recorded"),
    ],
)
def test_what_is_known_of_the_supply_is_said(
    service: FlaskClient, elements: dict[str, object], said: str
) -> None:
    """On hold, a month only, refills ordered, no date at all."""
    order = {k: v for k, v in lapsed(APIXABAN, **elements).items() if v is not None}
    card = cards(service, call(medicine(NAPROXEN, "d1"), active=(order,)))["nsaid-anticoagulant"]

    told = found(card)

    assert "may still be taking apixaban 5 MG " in told
    assert f"{said}; Low back pain" in told


def test_a_long_name_leaves_strength_and_date(service: FlaskClient) -> None:
    """The name is cut, not the strength in it, nor the day of the last supply."""
    long = (APIXABAN[0], "apixaban 5 MG Oral Tablet as packed by the pharmacy of the hospital")
    card = cards(service, call(medicine(NAPROXEN, "d1"), active=(lapsed(long),)))
    told = found(card["nsaid-anticoagulant"])

    assert "apixaban 5 MG" in told
    assert "…, last supply on 2026-01-05" in told


def test_it_is_named_however_much_else_was_found(service: FlaskClient) -> None:
    """Among many grounds of many merged warnings the lapsed drug is not one of "3 more"."""
    others = (
        medicine(("29046", "lisinopril"), "m1"),
        medicine(("5487", "hydrochlorothiazide"), "m2"),
        medicine(("6448", "lithium"), "m3"),
        medicine(("41493", "meloxicam"), "m4"),
    )
    draft = medicine(NAPROXEN, "d1", **taken(500, times=4))
    shown = cards(service, call(draft, active=(*others, lapsed(APIXABAN))))

    assert "may still be taking apixaban" in found(shown["nsaid-anticoagulant"])
