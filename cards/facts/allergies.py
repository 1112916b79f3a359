"""Allergies and intolerances to a drug that is proposed or ordered."""

from __future__ import annotations

from cards.answer import UNKNOWN, Answer, Finding
from cards.case import Case, Fact, fact, fact_named
from cards.codes import RXNORM
from cards.facts.drugs import is_serious
from cards.facts.entries import belongs, draft_order, presence
from cards.facts.ingredient import INGREDIENT, same_drug
from cards.record import Allergy, Coding, Concept, MedicationOrder

# Fact → the value sets of its allergens. Any entry counts, whatever its type or reaction.
ALLERGENS: dict[str, tuple[str, ...]] = {
    "acetaminophen_allergy": ("acetaminophen",),
    "cyclobenzaprine_allergy": ("cyclobenzaprine", "tca"),
    "duloxetine_allergy": ("duloxetine",),
    "tca_allergy": ("tca",),
}
NSAID_CLASS = "nsaid-allergy"
NSAIDS = ("nsaid-oral", NSAID_CLASS)
ASPIRIN_ALLERGY = "293586001"  # SNOMED CT: of that value set the only entry about one drug
# What the proposals of a systemic NSAID create, as ingredients.
PROPOSED_NSAIDS = tuple(
    Concept((Coding(RXNORM, code, name),), name, {"nsaid-oral": INGREDIENT})
    for code, name in (("7258", "naproxen"), ("5640", "ibuprofen"))
)


def allergies_to(case: Case, *sets: str) -> tuple[Allergy, ...]:
    """Active allergies and intolerances to a substance or product of the sets."""
    return tuple(a for a in case.record.allergies if belongs(a.concept, *sets))


def _register(name: str, sets: tuple[str, ...]) -> Fact:
    @fact_named(name, f"An allergy or intolerance to {' or '.join(sets)} is active.")
    def allergy_fact(case: Case) -> Finding:
        return presence(case, allergies_to(case, *sets), "allergies")

    return allergy_fact


ALLERGY_FACTS = {name: _register(name, sets) for name, sets in ALLERGENS.items()}


@fact
def nsaid_intolerance_same(case: Case) -> Finding:
    """An intolerance to the drafted NSAID is active, or to one the service would propose.

    An entry without a type counts as well, and an allergy whose reactions are mild; any other
    allergy is another fact, ``nsaid_allergy_serious``.
    When the chart is opened the NSAIDs are naproxen and ibuprofen. An intolerance to NSAIDs as
    such is one to each of them. One to an NSAID that may or may not be this one, and an order
    that cannot be read, leave it unknown.
    """
    stated = [a for a in allergies_to(case, *NSAIDS) if not _is_another_fact(a)]
    compared = [(allergy, _to_one_of(allergy, _nsaids_in_question(case))) for allergy in stated]
    same = [allergy for allergy, answer in compared if answer is Answer.YES]
    if not same and any(answer is Answer.UNKNOWN for _, answer in compared):
        return UNKNOWN
    return presence(case, same, "allergies")


def _is_another_fact(allergy: Allergy) -> bool:
    return allergy.kind == "allergy" and is_serious(allergy)


def _nsaids_in_question(case: Case) -> tuple[Concept, ...]:
    order = draft_order(case)
    if order is None:
        return PROPOSED_NSAIDS
    return (order.drug,) if isinstance(order, MedicationOrder) else ()


def _to_one_of(allergy: Allergy, drugs: tuple[Concept, ...]) -> Answer:
    answers = {_to_drug(allergy, drug) for drug in drugs}
    if Answer.YES in answers:
        return Answer.YES
    return Answer.UNKNOWN if Answer.UNKNOWN in answers else Answer.NO


def _to_drug(allergy: Allergy, drug: Concept) -> Answer:
    """Whether it is to this drug; no for a drug that can be read and is no systemic NSAID."""
    if not drug.readable:
        return Answer.UNKNOWN
    if not belongs(drug, "nsaid-oral", "nsaid-parenteral"):
        return Answer.NO
    if belongs(allergy.concept, NSAID_CLASS):
        aspirin = any(coding.code == ASPIRIN_ALLERGY for coding in allergy.concept.codings)
        return Answer.NO if aspirin else Answer.YES
    return same_drug(allergy.concept, drug)
