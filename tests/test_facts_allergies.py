"""Allergies and intolerances to drugs the service proposes or sees ordered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.case import FACTS
from cards.codes import RXNORM, SNOMED
from cards.facts.allergies import ALLERGENS
from cards.record import NOTHING, Allergy, Coding, Concept, MedicationOrder
from tests.charts import chart, concept, drug, referral

NAUSEA = Concept((Coding(SNOMED, "422587007"),), "nausea")


def answer(name: str, *entries: object, **members: Any) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value


def allergy(allergen: Concept, kind: str | None = "intolerance", *reactions: Concept) -> Allergy:
    return Allergy("AllergyIntolerance/a", allergen, kind, reactions)


def nsaid(code: str, display: str, note: str = "SCD") -> Concept:
    return Concept((Coding(RXNORM, code, display),), display, {"nsaid-oral": note})


def ordered(product: Concept) -> MedicationOrder:
    return replace(drug("x", days=0, status="draft"), drug=product)


NAPROXEN = nsaid("7258", "naproxen", "ingredient (IN); route not stated")
NAPROXEN_TABLET = nsaid("198014", "naproxen 500 MG Oral Tablet")
IBUPROFEN = nsaid("5640", "ibuprofen", "ingredient (IN); route not stated")
DICLOFENAC = nsaid("3355", "diclofenac", "ingredient (IN); route not stated")
UNNAMED = nsaid("0", "")


@pytest.mark.parametrize("name", ALLERGENS)
def test_allergy(name: str) -> None:
    """Any active allergy or intolerance to the drug counts, also without type or reaction."""
    for value_set in ALLERGENS[name]:
        for kind in ("allergy", "intolerance", None):
            assert answer(name, allergy(concept(value_set), kind)) == "yes"
            assert answer(name, allergy(concept(value_set), kind, NAUSEA)) == "yes"
    assert answer(name) == "no"
    assert answer(name, allergy(concept("penicillin"), "allergy")) == "no"
    assert answer(name, unread=("allergies",)) == "unknown"
    entry = allergy(concept(ALLERGENS[name][0]))
    assert answer(name, entry, unread=("allergies",)) == "yes"
    assert FACTS[name](chart(entry)).because[0].reference == "AllergyIntolerance/a"


def test_cyclobenzaprine_and_tricyclics() -> None:
    """An allergy to a tricyclic rules out cyclobenzaprine, not the other way round."""
    assert answer("cyclobenzaprine_allergy", allergy(concept("tca"))) == "yes"
    assert answer("tca_allergy", allergy(concept("cyclobenzaprine"))) == "no"


@pytest.mark.parametrize(
    ("words", "allergen", "kind", "expected"),
    [
        ("naproxen", NAPROXEN, "intolerance", "yes"),
        ("naproxen, no type", NAPROXEN, None, "yes"),
        ("naproxen, an allergy: another fact", NAPROXEN, "allergy", "no"),
        ("the same tablet", NAPROXEN_TABLET, "intolerance", "yes"),
        ("ibuprofen", IBUPROFEN, "intolerance", "no"),
        ("an NSAID that is not named", UNNAMED, "intolerance", "unknown"),
        ("penicillin", concept("penicillin"), "intolerance", "no"),
    ],
)
def test_intolerance_to_the_ordered_nsaid(
    words: str, allergen: Concept, kind: str | None, expected: str
) -> None:
    """An intolerance counts for the ordered NSAID by its ingredient."""
    order = ordered(NAPROXEN_TABLET)

    assert answer("nsaid_intolerance_same", allergy(allergen, kind), draft=order) == expected, words


@pytest.mark.parametrize(
    ("words", "allergen", "expected"),
    [
        ("naproxen", NAPROXEN, "yes"),
        ("ibuprofen", IBUPROFEN, "yes"),
        ("ibuprofen tablet", nsaid("197805", "ibuprofen 400 MG Oral Tablet"), "yes"),
        ("diclofenac", DICLOFENAC, "no"),
        ("an NSAID that is not named", UNNAMED, "unknown"),
        ("naproxen by its code alone", nsaid("7258", ""), "yes"),
        ("diclofenac by its code alone", nsaid("3355", "", "ingredient (IN)"), "no"),
    ],
)
def test_intolerance_to_a_proposed_nsaid(words: str, allergen: Concept, expected: str) -> None:
    """When the chart is opened, the NSAID in question is the naproxen or ibuprofen proposed."""
    assert answer("nsaid_intolerance_same", allergy(allergen)) == expected, words


def test_a_mild_allergy_bars_the_same_nsaid() -> None:
    """Naproxen is not proposed to whom it made ill, though the entry says allergy."""
    mild, graver = allergy(NAPROXEN, "allergy", NAUSEA), allergy(NAPROXEN, "allergy")

    assert answer("nsaid_allergy_serious", mild) == "no"
    assert answer("nsaid_intolerance_same", mild) == "yes"
    assert answer("nsaid_allergy_serious", graver) == "yes"
    assert answer("nsaid_intolerance_same", graver) == "no"


@pytest.mark.parametrize("kind", ["intolerance", "allergy", None])
def test_nsaids_as_such(kind: str | None) -> None:
    """Who does not tolerate NSAIDs is proposed none, whatever the entry is called."""
    entry = allergy(concept("nsaid-allergy"), kind, NAUSEA)

    assert answer("nsaid_intolerance_same", entry) == "yes"
    assert answer("nsaid_intolerance_same", entry, draft=ordered(NAPROXEN_TABLET)) == "yes"
    assert answer("nsaid_intolerance_same", entry, draft=drug("opioid", days=0)) == "no"


def test_a_stomach_upset_by_aspirin_bars_no_other_nsaid() -> None:
    """The code for aspirin names one drug, which is not the one proposed."""
    aspirin = concept("nsaid-allergy", code="293586001")

    assert answer("nsaid_intolerance_same", allergy(aspirin, "intolerance", NAUSEA)) == "no"
    assert answer("nsaid_allergy_serious", allergy(aspirin, "allergy")) == "yes"


def test_intolerance_and_other_orders() -> None:
    """Another order has no NSAID in question; one that cannot be read might have."""
    entry = allergy(NAPROXEN)

    assert answer("nsaid_intolerance_same", entry, draft=referral("x")) == "no"
    assert answer("nsaid_intolerance_same", entry, draft=drug("opioid", days=0)) == "no"
    assert answer("nsaid_intolerance_same", entry, draft=ordered(NOTHING)) == "unknown"
    assert answer("nsaid_intolerance_same", draft=ordered(NOTHING)) == "no"
    assert answer("nsaid_intolerance_same", unread=("allergies",)) == "unknown"
    assert answer("nsaid_intolerance_same", entry, unread=("allergies",)) == "yes"
