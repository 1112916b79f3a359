"""What RxNorm codes stand for, which names drugs go by, and what routes are called."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cards.codes import RXNORM, CodeIndex
from cards.product import Product
from cards.record import Concept

WORD = re.compile(r"[^\W_]+")
BRAND = re.compile(r"\[([^\[\]]+)\]")
# Routes that bring a drug into the whole body. A nose or mouth spray may act where it lands.
SYSTEMIC = frozenset({"oral", "parenteral", "sublingual", "transdermal", "rectal"})


class Name(NamedTuple):
    """A name of one or more drugs.

    Attributes:
        words: as they follow each other, in lower case.
        ingredients: RxNorm codes of what it may stand for; a brand may be many products. Empty of
            a drug that is in no table.
        brand: whether it is a maker's name.
        makes: of a brand the ingredients of each product that bears it.
    """

    words: tuple[str, ...]
    ingredients: frozenset[str]
    brand: bool
    makes: frozenset[frozenset[str]] = frozenset()


class OtherName(NamedTuple):
    """A name that is in no table of products: of a drug outside of them, or a second name.

    Attributes:
        drug: what it names, in RxNorm's words; parts of a combination between slashes.
        brand: whether it is a maker's name.
    """

    name: str
    drug: str
    brand: bool


@dataclass(frozen=True, slots=True)
class DrugIndex:
    """The drugs Backpath knows.

    Attributes:
        products: RxNorm code → what it stands for: products, packs and ingredients.
        routes: (system, code) → route, such as oral or topical.
        names: first word → names that begin with it, the longest first.
        words: ingredient → the words of every name that may stand for it.
    """

    products: Mapping[str, Product] = field(default_factory=dict)
    routes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    names: Mapping[str, tuple[Name, ...]] = field(default_factory=dict)
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def product(self, code: str) -> Product | None:
        """What an RxNorm code stands for; None when it is in no table, which is no answer."""
        return self.products.get(code)

    def route(self, concept: Concept) -> str | None:
        """The route a dosage states; None when it states none we know, or two."""
        found = {self.routes.get((coding.system, coding.code)) for coding in concept.codings}
        known = found - {None}
        return known.pop() if len(known) == 1 else None

    def named_in(self, text: str) -> tuple[Name, ...]:
        """Every drug a text names by ingredient, salt or brand; words it does not know are left.

        "Non-aspirin" and "aspirin-free" do not name aspirin.
        """
        words = tuple(WORD.findall(text.lower()))
        if self.names.keys().isdisjoint(words):
            return ()
        found = []
        position = 0
        while position < len(words):
            name = self._name_at(words, position)
            end = position + (len(name.words) if name else 1)
            if name and words[end : end + 1] != ("free",) and words[:position][-1:] != ("non",):
                found.append(name)
            position = end
        return tuple(found)

    def _name_at(self, words: tuple[str, ...], position: int) -> Name | None:
        candidates = self.names.get(words[position])
        if not candidates:  # most words begin no name
            return None
        fitting = (n for n in candidates if words[position : position + len(n.words)] == n.words)
        return next(fitting, None)


NO_DRUGS = DrugIndex()


def index_drugs(
    products: Collection[Product],
    routes: Mapping[tuple[str, str], str],
    others: Collection[OtherName] = (),
) -> DrugIndex:
    """The index of these products and ingredients, with every name that they tell.

    Args:
        others: names that they do not tell.
    """
    by_code = {product.code: product for product in products}
    names = [*_names(products), *_other_names(others, products)]
    return DrugIndex(by_code, routes, _by_first_word(names), _words_of(names))


def _words_of(names: Iterable[Name]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name in names:
        for ingredient in name.ingredients:
            found.setdefault(ingredient, set()).update(name.words)
    return {ingredient: frozenset(words) for ingredient, words in found.items()}


def _other_names(others: Collection[OtherName], products: Collection[Product]) -> Iterator[Name]:
    """Names listed for drugs; of a drug that is in no table the ingredients are left empty."""
    alone = (p for p in products if p.level == "ingredient" and len(p.strengths) == 1)
    known = {product.name.lower(): product.ingredients for product in alone}
    for other in others:
        words = tuple(WORD.findall(other.name.lower()))
        parts = (known.get(part, frozenset()) for part in other.drug.lower().split(" / "))
        yield Name(words, frozenset().union(*parts), other.brand)


def _names(products: Collection[Product]) -> Iterator[Name]:
    brands: dict[tuple[str, ...], set[frozenset[str]]] = {}
    ingredients: dict[tuple[str, ...], set[str]] = {}
    for product in products:
        if product.level != "ingredient":
            for brand in BRAND.findall(product.name):
                words = tuple(WORD.findall(brand.lower()))
                brands.setdefault(words, set()).add(product.ingredients)
        elif len(product.strengths) == 1:  # a name of several is told by each of them
            words = tuple(WORD.findall(product.name.lower()))
            ingredients.setdefault(words, set()).update(product.ingredients)
    together = {words: set(codes) for words, codes in ingredients.items()}
    for words, shorter in _kin(ingredients):
        together[words] |= ingredients[shorter]
        together[shorter] |= ingredients[words]
    for words, codes in together.items():
        yield Name(words, frozenset(codes), False)
    for words, makes in brands.items():
        yield Name(words, frozenset().union(*makes), True, frozenset(makes))


def _kin(
    names: Collection[tuple[str, ...]],
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """A name and a shorter one it contains: lithium carbonate goes by lithium, and the reverse."""
    for words in names:
        for start in range(len(words)):
            for end in range(start + 1, len(words) + 1):
                if words[start:end] != words and words[start:end] in names:
                    yield words, words[start:end]


def _by_first_word(names: Iterable[Name]) -> Mapping[str, tuple[Name, ...]]:
    found: dict[tuple[str, ...], Name] = {}
    for name in names:
        known = found.get(name.words, name)
        found[name.words] = Name(
            name.words,
            name.ingredients | known.ingredients,
            name.brand and known.brand,
            name.makes | known.makes,
        )
    first: dict[str, list[Name]] = {}
    for words in sorted(found, key=lambda words: (-len(words), words)):
        first.setdefault(words[0], []).append(found[words])
    return {word: tuple(names) for word, names in first.items()}


def with_products(index: CodeIndex, drugs: DrugIndex) -> CodeIndex:
    """The index, with products added to the value sets that list nothing but ingredients.

    A set that lists products has chosen among them and is left as it is; so are rows with a note.
    Only products that reach the whole body are added.
    """
    members: dict[str, dict[str, str]] = {}
    for (system, code), sets in index.exact.items():
        if system == RXNORM:
            for name, note in sets.items():
                members.setdefault(name, {})[code] = note
    exact = dict(index.exact)
    for name, notes in sorted(members.items()):
        if all(_is_ingredient(drugs.product(code)) for code in notes):
            for code in _products_of({code for code in notes if not notes[code]}, drugs):
                exact[RXNORM, code] = {**exact.get((RXNORM, code), {}), name: ""}
    return CodeIndex(exact, index.prefixes, index.empty, index.complete)


def _is_ingredient(product: Product | None) -> bool:
    return product is not None and product.level == "ingredient"


def _products_of(ingredients: Collection[str], drugs: DrugIndex) -> Iterator[str]:
    for product in drugs.products.values():
        if product.route in SYSTEMIC and not product.ingredients.isdisjoint(ingredients):
            yield product.code
