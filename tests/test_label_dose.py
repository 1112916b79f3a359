"""The label dose of the drafted NSAID is offered in place of one that is too high or too long."""

from __future__ import annotations

from typing import Any

import pytest

from cards.label_dose import LabelDose, label_dose
from cards.library import Library
from cards.recommendation import DoseByIngredient
from cards.record import Dosage
from tests.dosed_orders import ordered, take
from tests.drug_calls import JSON, call, cards, client, medicine, supplied, taken

IBUPROFEN_800 = ("197807", "ibuprofen 800 MG Oral Tablet")
IBUPROFEN_200 = ("310965", "ibuprofen 200 MG Oral Tablet")
NAPROXEN_500 = ("198014", "naproxen 500 MG Oral Tablet")
DICLOFENAC = ("855926", "diclofenac sodium 75 MG Delayed Release Oral Tablet")
LABEL = "Change to label dose, 14 days"


@pytest.fixture(scope="module")
def doses(library: Library) -> DoseByIngredient:
    """The doses the card on NSAID dose and duration lists."""
    (template,) = library.recommendations["nsaid-dose-duration"].suggestions
    assert isinstance(template.dosage, DoseByIngredient)
    return template.dosage


# Words, product, dosage; milligrams at once, times a day and product ordered, or none.
FITTED: list[tuple[str, str, Dosage, tuple[float, int, str | None] | None]] = [
    ("800 mg tablets", "197807", take(1, times=4), (400, 3, "197805")),
    ("600 mg tablets cannot be cut", "197806", take(1, times=5), (400, 3, "197805")),
    ("200 mg tablets stay", "310965", take(4, times=4), (400, 3, None)),
    ("400 mg tablets, only too long", "197805", take(1, times=3), (400, 3, None)),
    ("a liquid stays", "197803", take(40, "mL", 4), (400, 3, None)),
    ("the ingredient alone stays", "5640", take(1000, "mg", 3), (400, 3, None)),
    ("naproxen 500", "198014", take(1, times=3), (250, 2, "198013")),
    ("naproxen 250 stays", "198013", take(2, times=3), (250, 2, None)),
    ("a lower dose is not raised", "310965", take(1, times=3), None),
    ("a dose nobody can read", "197807", take(1, times=None), None),
    ("the sodium salt of naproxen", "849431", take(1, times=3), None),
    ("a slow release", "250418", take(1, times=4), None),
    ("a combination", "859315", take(2, times=8), None),
    ("another NSAID", "855926", take(1, times=4), None),
]


@pytest.mark.parametrize(
    ("words", "code", "dosage", "expected"), FITTED, ids=[row[0] for row in FITTED]
)
def test_label_dose_of_a_draft(
    doses: DoseByIngredient,
    words: str,
    code: str,
    dosage: Dosage,
    expected: tuple[float, int, str | None] | None,
) -> None:
    """By ingredient, in whole tablets, never more than drafted, and none where none is listed."""
    found = label_dose(doses, ordered(code, dosage, of="nsaid-oral"))

    assert in_numbers(found) == expected, words


def in_numbers(found: LabelDose | None) -> tuple[float, int | None, str | None] | None:
    if found is None:
        return None
    return found.dose.value, found.dose.frequency, found.code.code if found.code else None


def test_as_needed_stays_as_needed(doses: DoseByIngredient) -> None:
    """What was to be taken as needed is not put on a schedule."""
    found = label_dose(doses, ordered("197807", take(1, times=4, as_needed=True), of="nsaid-oral"))

    assert found is not None
    assert found.dose.as_needed
    assert found.dose.text.endswith(", as needed")


# Over HTTP


def offered(order: JSON) -> list[JSON]:
    """The suggestions of the card on NSAID dose and duration."""
    card = cards(client(), call(order))["nsaid-dose-duration"]
    return [one for one in card.get("suggestions", []) if one["label"].startswith(LABEL)]


def test_the_draft_comes_back_whole_in_the_label_dose() -> None:
    """Ibuprofen 800 mg four times daily becomes 400 mg three times daily for 14 days."""
    draft = medicine(IBUPROFEN_800, "d1", **taken(1, "{tbl}", 4), **supplied(120, 30))
    draft["requester"] = {"reference": "Practitioner/x"}
    (suggestion,) = offered(draft)
    (action,) = suggestion["actions"]
    resource: dict[str, Any] = action["resource"]
    (instruction,) = resource["dosageInstruction"]

    assert action["type"] == "update"
    assert (
        "400 mg by mouth three times daily with food, for 14 days, no refill"
        in (action["description"])
    )
    assert (resource["id"], resource["requester"]) == ("d1", draft["requester"])
    assert resource["medicationCodeableConcept"]["coding"][0]["code"] == "197805"
    assert instruction["timing"]["repeat"]["frequency"] == 3
    assert instruction["doseAndRate"][0]["doseQuantity"]["value"] == 400
    assert resource["dispenseRequest"]["expectedSupplyDuration"]["value"] == 14
    assert resource["dispenseRequest"]["numberOfRepeatsAllowed"] == 0
    assert "quantity" not in resource["dispenseRequest"]


def test_what_is_accepted_raises_the_card_no_more() -> None:
    """Signed as suggested, the order has neither too high a dose nor too long a supply."""
    (suggestion,) = offered(medicine(NAPROXEN_500, "d1", **taken(4, "{tbl}", 1)))
    accepted = suggestion["actions"][0]["resource"]

    assert "nsaid-dose-duration" not in cards(client(), call(accepted))


def test_the_drafted_product_stays_where_it_fits() -> None:
    """Two tablets of 200 mg are 400 mg: the drug stays as drafted, in all its codings."""
    draft = medicine(IBUPROFEN_200, "d1", **taken(13, "{tbl}", 1))
    draft["medicationCodeableConcept"]["coding"].append({"system": "urn:house", "code": "ibu"})
    (suggestion,) = offered(draft)
    resource = suggestion["actions"][0]["resource"]

    assert resource["medicationCodeableConcept"] == draft["medicationCodeableConcept"]
