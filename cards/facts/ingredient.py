"""Ingredients: whether two drugs are the same one, as far as codes and names tell."""

from __future__ import annotations

import re

from cards.answer import Answer
from cards.codes import RXNORM
from cards.facts.drafted_drug import same_drug_by_code
from cards.record import Coding, Concept, MedicationOrder

# Value sets that hold every product of their ingredients: a drug inside and a drug outside of one
# are different drugs. Two members of one group may still be different drugs.
ASPIRIN = ("aspirin-low", "aspirin-analgesic")
FAMILIES = (
    ASPIRIN,
    ("benzodiazepine",),
    ("ssri",),
    ("snri",),
    ("cyclobenzaprine",),
    ("duloxetine",),
    ("tramadol",),
    ("amitriptyline",),
)
INGREDIENT = "ingredient (IN)"  # note of rows that code an ingredient, not a product
BRANDED = ("SBD", "BPCK")  # notes of rows that code a branded product
# What RxNorm writes before an ingredient: hours of release, volume, release form.
BEFORE_NAME = re.compile(r"^([\d.,]+ (hr|ml|actuat) |\w+-daily |abuse-deterrent |osmotic )+")
BETWEEN_NAMES = re.compile(r"\s*[/,+](?!actuat)\s*|-|\sand\s")
NAME = re.compile(r"[a-z]{3,}")
ALSO_CALLED = {"mefenamic": "mefenamate"}  # RxNorm's products name the acid
# Said before the ingredient proper: sodium oxybate, magnesium salicylate.
BASES = frozenset({"sodium", "potassium", "calcium", "magnesium", "choline", "methyl"})


def same_drug(one: Concept, other: Concept) -> Answer:
    """Whether two drugs have the same ingredient.

    Yes by a common code, a value set of one ingredient, or when every ingredient named by one is
    named by the other; a salt is no other drug. No when their names have nothing in common, or
    when, unnamed, only one of them is in a value set that holds all products of its drugs.
    Everything else is unknown, also two combinations that share a part.
    """
    if same_drug_by_code(one, other):
        return Answer.YES
    named, named_other = named_ingredients(one), named_ingredients(other)
    if named and named_other:
        if named <= named_other or named_other <= named:
            return Answer.YES
        return Answer.UNKNOWN if named & named_other else Answer.NO
    if _is_ingredient(one) and _is_ingredient(other):
        return Answer.NO
    return Answer.NO if _families_apart(one, other) else Answer.UNKNOWN


def same_ordered_drug(one: MedicationOrder, other: MedicationOrder) -> Answer:
    """Whether two orders are for the same drug, by the ingredients of their products.

    Two combinations that share a part only are open. Where a product is not known, the drugs'
    codes and names are compared instead.
    """
    if one.product is None or other.product is None:
        return same_drug(one.drug, other.drug)
    mine, theirs = one.product.ingredients, other.product.ingredients
    if same_drug_by_code(one.drug, other.drug) or mine <= theirs or theirs <= mine:
        return Answer.YES
    return Answer.UNKNOWN if mine & theirs else Answer.NO


def named_ingredients(drug: Concept) -> frozenset[str]:
    """First words of the ingredients an RxNorm display names; empty when it names none.

    The displays of packs, and of branded products written without their ingredients, are left.
    """
    branded = any(note.startswith(BRANDED) for note in drug.sets.values())
    return frozenset(
        name
        for coding in drug.codings
        if coding.system == RXNORM and (not branded or "[" in coding.display)
        for name in _names(coding)
    )


def _names(coding: Coding) -> list[str]:
    text = re.sub(r"\[.*?\]", "", coding.display.lower())
    if "{" in text:
        return []
    parts = BETWEEN_NAMES.split(BEFORE_NAME.sub("", text.strip()))
    return [name for part in parts if (name := _first_word(BEFORE_NAME.sub("", part)))]


def _first_word(part: str) -> str:
    """The ingredient a part of a display begins with; empty when it begins with a number."""
    words = part.split()
    if len(words) > 1 and words[0] in BASES and NAME.fullmatch(words[1]):
        return words[1]
    name = words[0] if words and NAME.fullmatch(words[0]) else ""
    return ALSO_CALLED.get(name, name)


def _in(drug: Concept, family: tuple[str, ...]) -> bool:
    return any(name in drug.sets for name in family)


def _is_ingredient(drug: Concept) -> bool:
    return any(note.startswith(INGREDIENT) for note in drug.sets.values())


def _families_apart(one: Concept, other: Concept) -> bool:
    """Whether a family holds one of them, and none holds both."""
    places = [(_in(one, family), _in(other, family)) for family in FAMILIES]
    return any(a != b for a, b in places) and (True, True) not in places
