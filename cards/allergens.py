"""Allergens: which allergies on record speak against a drug that a card proposes (H-22)."""

from __future__ import annotations

from cards.case import Case
from cards.codes import RXNORM
from cards.drug_index import DrugIndex
from cards.facts.allergies import ASPIRIN_ALLERGY, NSAID_CLASS
from cards.facts.entries import belongs
from cards.recommendation import SuggestionTemplate
from cards.record import Allergy, Draft, MedicationOrder

# Each allergy with RxNorm codes of the ingredients it is to.
Allergens = tuple[tuple[Allergy, frozenset[str]], ...]
# Value set of a proposed drug → value sets of allergens that stand for its whole class.
CLASS_ALLERGENS = {
    "nsaid-oral": (NSAID_CLASS,),
    "nsaid-topical": (NSAID_CLASS,),
    "ppi-misoprostol": ("ppi-misoprostol",),
}


def allergies_against(
    suggestion: SuggestionTemplate, draft: Draft | None, known: Allergens, drugs: DrugIndex
) -> tuple[Allergy, ...]:
    """Allergies and intolerances on record to the drug an accepted suggestion would order.

    Any entry counts, whatever its type and reaction, as does one to a product that holds the
    drug. The antidote is no exception: only what is unread does not speak against it.

    Args:
        draft: the draft the suggestion is about; None when about the patient.
        known: as ``allergens`` gives them.
    """
    if not suggestion.proposes_drug:
        return ()
    ordered = _ordered(suggestion, draft, drugs)
    classes = CLASS_ALLERGENS.get(suggestion.value_set or "", ())
    return tuple(
        allergy
        for allergy, ingredients in known
        if _to_class(allergy, classes) or not ordered.isdisjoint(ingredients)
    )


def allergens(case: Case, drugs: DrugIndex) -> Allergens:
    """The allergies on record, each with the ingredients it is to; worked out once per case."""
    known: Allergens | None = case.memo.get(allergens)
    if known is None:
        known = tuple((each, allergens_of(each, drugs)) for each in case.record.allergies)
        case.memo[allergens] = known
    return known


def allergens_of(allergy: Allergy, drugs: DrugIndex) -> frozenset[str]:
    """RxNorm codes of the ingredients an allergy is to, told by its codes and by its names.

    A brand, or a code of another system, may be known by its name only: here a name gives
    nothing away but an order.
    """
    codings = allergy.concept.codings
    products = (drugs.product(coding.code) for coding in codings if coding.system == RXNORM)
    texts = {allergy.concept.display, *(coding.display for coding in codings)}
    named = (name for text in texts for name in drugs.named_in(text))
    found = (each.ingredients for each in (*products, *named) if each)
    return frozenset().union(*found)


def _ordered(
    suggestion: SuggestionTemplate, draft: Draft | None, drugs: DrugIndex
) -> frozenset[str]:
    """Ingredients of the pinned products; of the draft where the suggestion keeps its drug."""
    pinned = [drugs.product(coding.code) for coding in suggestion.codes.values()]
    order = draft.order if draft else None
    kept = [order.product] if not pinned and isinstance(order, MedicationOrder) else []
    found = (product.ingredients for product in (*pinned, *kept) if product)
    return frozenset().union(*found)


def _to_class(allergy: Allergy, classes: tuple[str, ...]) -> bool:
    """Whether it is to a whole class of drugs; one to aspirin is no more than that."""
    return belongs(allergy.concept, *classes) and not any(
        coding.code == ASPIRIN_ALLERGY for coding in allergy.concept.codings
    )
