"""What a drug is, as far as its codes tell: recognised by RxNorm code, never guessed by name.

Names only ever take trust away: a code whose name says another drug is not believed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from enum import StrEnum

from cards.codes import RXNORM
from cards.drug_index import DrugIndex
from cards.product import Product
from cards.record import Coding, Dosage

# Milligrams of a whole product; of a liquid or an hour ("5 mg/mL") they are not.
MILLIGRAMS = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*mg\b(?!\s*/)", re.IGNORECASE)


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
    displays = any(says_another(coding.display, product, drugs) for coding in codings)
    if displays or any(says_another(text, product, drugs, brands=False) for text in texts):
        return Unreadable.OTHER_NAME
    if any(_says_another_strength(coding.display, product) for coding in codings):
        return bare([product])
    return product


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
        s.ingredient: replace(s, value=None, unit=None) for p in products for s in p.strengths
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
    return replace(product, route=route) if route else product
