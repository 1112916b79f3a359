"""Over HTTP: what is taken adds to the drafted dose, and one word on non-drug care is enough."""

from __future__ import annotations

from typing import Any

import pytest

from tests.drug_calls import JSON, call, cards, client, medicine, taken

TRAMADOL_50 = ("835603", "tramadol hydrochloride 50 MG Oral Tablet")
TRAMADOL_SLOW = ("833713", "24 HR tramadol hydrochloride 300 MG Extended Release Oral Tablet")
DULOXETINE_30 = ("596930", "duloxetine 30 MG Delayed Release Oral Capsule")
DULOXETINE_60 = ("596934", "duloxetine 60 MG Delayed Release Oral Capsule")
IBUPROFEN_800 = ("197807", "ibuprofen 800 MG Oral Tablet")
NAPROXEN_250 = ("198013", "naproxen 250 MG Oral Tablet")
HYDROCODONE = ("857002", "acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet")
EARLY = "drug-before-nonpharmacologic"


def rescue(name: str = "d1", **elements: Any) -> JSON:
    """Tramadol 50 mg up to four times a day as needed."""
    dosage = taken(1, "{tbl}", 4, asNeededBoolean=True)
    return medicine(TRAMADOL_50, name, **dosage, **elements)


SLOW = medicine(TRAMADOL_SLOW, "m1", **taken(1, "{tbl}"))


def test_slow_and_quick_tramadol_add_up() -> None:
    """300 mg released slowly and 200 mg as needed are 500 mg; the card names both orders."""
    card = cards(client(), call(rescue(), active=(SLOW,)))["tramadol-dose"]
    because = card["extension"]["org.backpath.card"]["because"]

    assert "300 of 500 mg a day" in card["detail"]
    assert "up to 200 of 500 mg a day" in card["detail"]
    assert {"MedicationRequest/m1", "MedicationRequest/d1"} <= {one["reference"] for one in because}


def test_the_drug_list_is_named_where_it_was_not_read() -> None:
    """Tramadol over the maximum by the draft alone: the card says what it could not add."""
    request = call(medicine(TRAMADOL_50, "d1", **taken(9, "{tbl}")))
    del request["prefetch"]["medications"]
    card = cards(client(), request)["tramadol-dose"]

    assert "medications" in card["extension"]["org.backpath.card"]["notChecked"]


@pytest.mark.parametrize(
    "elements", [{"priorPrescription": {"reference": "MedicationRequest/m1"}}, {}]
)
def test_a_renewal_is_no_second_dose(elements: JSON) -> None:
    """Ibuprofen 2400 mg a day drafted for one who takes it: 2400 mg, whether it says so or not."""
    active = medicine(IBUPROFEN_800, "m1", **taken(1, "{tbl}", 3))
    draft = medicine(IBUPROFEN_800, "d1", **taken(1, "{tbl}", 3), **elements)

    assert "nsaid-dose-duration" not in cards(client(), call(draft, active=(active,)))


def test_titrated_duloxetine_is_no_overdose() -> None:
    """From 30 to 60 mg a day: not 90 mg, and no start."""
    active = medicine(DULOXETINE_30, "m1", **taken(1, "{capsule}"))
    draft = medicine(DULOXETINE_60, "d1", **taken(1, "{capsule}"))

    assert "duloxetine-dose" not in cards(client(), call(draft, active=(active,)))


def test_two_drafts_are_one_start() -> None:
    """Two capsules of 30 mg on two drafts begin with 60 mg; one of them is a gentle start."""
    drafts = [medicine(DULOXETINE_30, name, **taken(1, "{capsule}")) for name in ("d1", "d2")]

    assert "duloxetine-dose" in cards(client(), call(*drafts))
    assert "duloxetine-dose" not in cards(client(), call(drafts[0]))


def early(*drafts: JSON) -> int:
    """How many cards say that non-drug care was not tried first."""
    request = call(*drafts)
    answer = client().post("/cds-services/back-pain-order-sign", json=request)
    return sum(card["source"]["topic"]["code"] == EARLY for card in answer.get_json()["cards"])


def test_one_word_on_non_drug_care() -> None:
    """Two analgesics get it once, an opioid with acetaminophen in it not at all."""
    naproxen = medicine(NAPROXEN_250, "d1", **taken(1, "{tbl}", 2))
    duloxetine = medicine(DULOXETINE_30, "d2", **taken(1, "{capsule}"))
    hydrocodone = medicine(HYDROCODONE, "d3", **taken(1, "{tbl}", 3))

    assert early(naproxen) == early(duloxetine) == 1
    assert early(naproxen, duloxetine) == 1
    assert early(hydrocodone) == 0
    assert early(hydrocodone, naproxen) == 1
