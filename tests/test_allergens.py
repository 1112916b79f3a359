"""Which allergies on record speak against a drug that a card proposes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cards.allergens import allergens, allergies_against
from cards.case import Case
from cards.codes import ICD10CM, RXNORM, SNOMED
from cards.recommendation import SuggestionTemplate
from cards.record import Allergy, Coding
from tests.charts import chart
from tests.drug_calls import library

PROPOSED = {
    suggestion.label: suggestion
    for recommendation in library().recommendations.values()
    for suggestion in recommendation.suggestions
    if suggestion.proposes_drug
}
GEL = "Order diclofenac gel (off-label on the spine)"


def speaks_against(label: str, *codings: Coding) -> bool:
    allergen = library().index.concept(codings)
    case = chart(Allergy("AllergyIntolerance/a", allergen, "intolerance"))
    return withheld(PROPOSED[label], case)


def withheld(suggestion: SuggestionTemplate, case: Case) -> bool:
    drugs = library().drugs
    return bool(allergies_against(suggestion, case.draft, allergens(case, drugs), drugs))


@pytest.mark.parametrize(
    ("words", "label", "coding", "expected"),
    [
        ("the ingredient", GEL, Coding(RXNORM, "3355"), True),
        ("a salt of it", GEL, Coding(RXNORM, "203214", "diclofenac sodium"), True),
        ("another NSAID", GEL, Coding(RXNORM, "7258", "naproxen"), False),
        ("NSAIDs as such", GEL, Coding(SNOMED, "293610009"), True),
        ("aspirin alone", GEL, Coding(SNOMED, "293586001"), False),
        ("an analgesic", GEL, Coding(ICD10CM, "Z88.6"), True),
        ("a product", "Order naproxen", Coding(RXNORM, "198014"), True),
        ("a SNOMED CT name", "Add omeprazole", Coding(SNOMED, "1", "Allergy to omeprazole"), True),
        ("a brand nobody lists", "Add omeprazole", Coding(RXNORM, "0", "Prilosec"), True),
        ("another of its class", "Add omeprazole", Coding(RXNORM, "114979"), True),
        ("a food", "Add omeprazole", Coding(SNOMED, "91935009", "Allergy to peanut"), False),
        ("the antidote", "Order naloxone", Coding(RXNORM, "7242"), True),
        ("an opioid", "Order naloxone", Coding(RXNORM, "7804", "oxycodone"), False),
    ],
)
def test_allergens_of_a_proposed_drug(
    words: str, label: str, coding: Coding, expected: bool
) -> None:
    """The drug itself, what holds it, and what stands for its class; other drugs do not."""
    assert speaks_against(label, coding) is expected, words


def test_a_combination_is_an_allergen_of_each_part() -> None:
    """Whoever does not bear oxycodone with acetaminophen may not bear acetaminophen."""
    combination = next(
        product
        for product in library().drugs.products.values()
        if product.ingredients == {"161", "7804"} and product.level == "product"
    )

    assert speaks_against("Order acetaminophen", Coding(RXNORM, combination.code))


def test_only_drug_orders_are_withheld() -> None:
    """A referral or the removal of a draft goes with any allergy."""
    removal = replace(PROPOSED["Order naproxen"], action="delete")
    case = chart(Allergy("AllergyIntolerance/a", library().index.concept([Coding(RXNORM, "7258")])))

    assert withheld(PROPOSED["Order naproxen"], case)
    assert not withheld(removal, case)
