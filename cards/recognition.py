"""What a drug is, as far as its codes tell: recognised by RxNorm code, never guessed by name.

Names only ever take trust away: a code whose name says another drug is not believed, and a code
nobody knows whose name says a drug we ask about may be that drug, and never is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

from cards.codes import RXNORM, CodeIndex
from cards.drug_index import WORD, DrugIndex, Name
from cards.product import Product
from cards.record import Coding, Dosage

# Milligrams of a whole product; of a liquid or an hour ("5 mg/mL") they are not.
MILLIGRAMS = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*mg\b(?!\s*/)", re.IGNORECASE)


# Words of so many letters or more may name a drug; two that begin with so many alike may be kin.
ALIKE = 4
# What stands beside a name: forms, routes, salts, units, and words that name no drug.
LAY = """
    actuation adhesive buccal capsule capsules caplet caplets chewable coated cream daily delayed
    disintegrating drops effervescent elixir enteric extended film gelatin hour hours hydrochloride
    immediate inhaler injectable injection liquid lotion lozenge medicated microgram micrograms
    milligram milligrams nasal ointment oral pack patch powder prefilled rectal release sodium
    solution sprinkle spray strength sublingual suppository suspension sustained syringe syrup
    system tablet tablets tabs topical transdermal units vial
    analgesic anti drug drugs dose each generic inflammatory medication medicine narcotic opioid
    opiate other pain painkiller pill pills prescription reliever relief relaxant take unknown
    with"""
LAY_WORDS = frozenset(LAY.split())


class Unreadable(StrEnum):
    """Why a drug is not recognised; the words may stand on a card."""

    NO_CODE = "no code"  # text only
    OTHER_SYSTEM = "code system not read"  # NDC, SNOMED CT, local codes
    UNKNOWN_CODE = "unknown code"  # an RxNorm code that is in no table of ours
    OTHER_NAME = "the name says another drug"
    CODES_DISAGREE = "codes disagree"


# The code is there, but nothing may rest on it: neither a product nor a value set.
NOT_TRUSTED = frozenset({Unreadable.OTHER_NAME, Unreadable.CODES_DISAGREE})


def recognise(
    codings: Iterable[Coding], drugs: DrugIndex, texts: Iterable[str] = ()
) -> Product | Unreadable:
    """The product the codings of one drug stand for, or why it is not known.

    Args:
        codings: all that bear a code, those of systems nobody reads included.
        texts: other words written for the drug, such as ``CodeableConcept.text``.
    """
    codings = tuple(codings)
    if not codings:
        return Unreadable.NO_CODE
    codes = dict.fromkeys(coding.code for coding in codings if coding.system == RXNORM)
    if not codes:
        return Unreadable.OTHER_SYSTEM
    found = [product for code in codes if (product := drugs.product(code))]
    if not found:
        return Unreadable.UNKNOWN_CODE
    product = _agreed(found)
    if product is None:
        return Unreadable.CODES_DISAGREE
    displays = dict.fromkeys(coding.display for coding in codings)
    others = (text for text in texts if text not in displays)  # mostly they say the same
    if any(says_another(display, product, drugs) for display in displays) or any(
        says_another(text, product, drugs, brands=False) for text in others
    ):
        return Unreadable.OTHER_NAME
    if any(_says_a_combination(coding.display, product, drugs) for coding in codings):
        return Unreadable.OTHER_NAME
    doubtful = [c.display for c in codings if _says_another_strength(c.display, product)]
    if any(_says_a_name_apart(display, product, drugs) for display in doubtful):
        return Unreadable.OTHER_NAME
    return bare([product]) if doubtful else product


def _says_a_combination(text: str, product: Product, drugs: DrugIndex) -> bool:
    """Whether a name gives a product the brand of one that always holds more than it does."""
    if product.level != "product":
        return False
    brands = (name for name in drugs.named_in(text) if name.brand and name.makes)
    return any(all(product.ingredients < makes for makes in name.makes) for name in brands)


def _says_a_name_apart(text: str, product: Product, drugs: DrugIndex) -> bool:
    """Whether a name that states another strength names something that begins like no own name.

    It names no drug of any table (see ``says_another``), yet both its words and its number are
    another product's. Abbreviations, salts and other languages begin alike.
    """
    told = {name for part in product.ingredients for name in drugs.words.get(part, ())}
    own = {word[:ALIKE] for word in (*told, *_telling_words(product.name))}
    words = _telling_words(text)
    return bool(words) and all(word[:ALIKE] not in own for word in words)


def _telling_words(text: str) -> frozenset[str]:
    """The words of a text that may name a drug: no number, unit, form, route or lay word."""
    words = (word for word in WORD.findall(text.lower()) if word.isalpha())
    return frozenset(word for word in words if len(word) >= ALIKE) - LAY_WORDS


def _says_another_strength(text: str, product: Product) -> bool:
    """Whether a name states milligrams, and none of them are those of a product of one drug.

    Which of the two is meant cannot be told: the drug stands, its dose does not.
    """
    if product.level != "product" or len(product.strengths) != 1:
        return False
    (strength,) = product.strengths
    stated = [float(number.replace(",", "")) for number in MILLIGRAMS.findall(text)]
    return strength.unit == "MG" and bool(stated) and strength.value not in stated


def says_another(text: str, product: Product, drugs: DrugIndex, *, brands: bool = True) -> bool:
    """Whether a text names other drugs, and none of the product's own ingredients or brands.

    A word nobody knows is no contradiction: it may be an abbreviation, a salt or a new brand.

    Args:
        brands: whether another drug's brand contradicts as its ingredient does.
    """
    names = drugs.named_in(text)
    if any(not product.ingredients.isdisjoint(name.ingredients) for name in names):
        return False
    return any(brands or not name.brand for name in names)


def named_sets(texts: Iterable[str], drugs: DrugIndex, index: CodeIndex) -> frozenset[str]:
    """The value sets of the drugs that a text names: what a drug of an unknown code may be of.

    Only words that are the whole name of an ingredient, a salt or a brand count. The "potassium"
    of losartan potassium names no diclofenac, which has a salt of that name.
    """
    named = (name for text in dict.fromkeys(texts) for name in drugs.named_in(text))
    ingredients = {code for name in named for code in _spelled_out(name, drugs)}
    return frozenset(name for code in ingredients for name in index.sets_of(RXNORM, code))


def _spelled_out(name: Name, drugs: DrugIndex) -> Iterable[str]:
    """The ingredients of a brand, or those whose own name is among the words of another name."""
    for code in name.ingredients:
        product = drugs.product(code)
        own = tuple(WORD.findall(product.name.lower())) if product else ()
        starts = range(len(name.words) - len(own) + 1)
        if name.brand or any(name.words[at : at + len(own)] == own for at in starts):
            yield code


def _agreed(found: Sequence[Product]) -> Product | None:
    """The one product several codes mean; None when they mean different drugs.

    A product is more than its ingredient. Two products of the same ingredients that differ in
    strength or form leave the ingredients only.
    """
    products = [product for product in found if product.level != "ingredient"] or found
    fullest = max(products, key=lambda product: len(product.ingredients))
    if any(not product.ingredients <= fullest.ingredients for product in found):
        return None
    if fullest.level == "ingredient":
        return fullest
    if any(product.ingredients != fullest.ingredients for product in products):
        return None
    first = products[0]
    return first if all(_same_make(first, product) for product in products) else bare(products)


def _same_make(one: Product, other: Product) -> bool:
    same_strengths = set(one.strengths) == set(other.strengths)
    same_form = (one.route, one.extended_release) == (other.route, other.extended_release)
    return same_strengths and same_form and one.level == other.level


def bare(products: Collection[Product]) -> Product:
    """The ingredients of several products, at ingredient level, under all their codes."""
    strengths = {
        s.ingredient: s._replace(value=None, unit=None) for p in products for s in p.strengths
    }
    routes = {product.route for product in products}
    return Product(
        code=" ".join(product.code for product in products),
        name=" / ".join(strength.name for strength in strengths.values()),
        level="ingredient",
        strengths=tuple(strengths.values()),
        route=routes.pop() if len(routes) == 1 else "",
    )


def with_route(product: Product, dosages: Iterable[Dosage], drugs: DrugIndex) -> Product:
    """The product by the route its dosages state, where its code leaves the route open.

    Every dosage has to state the same one; else the route stays unknown.
    """
    routes = {drugs.route(dosage.route) for dosage in dosages}
    route = routes.pop() if not product.route and len(routes) == 1 else None
    return product._replace(route=route) if route else product
