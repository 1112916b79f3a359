"""The index of drugs as it is kept: what many products share is said once."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from sys import intern
from typing import TypeVar

from cards.drug_index import DrugIndex, Name
from cards.product import Product, Strength

T = TypeVar("T", bound=Hashable)
StrengthRow = tuple[str, str, float | None, str | None]
"""Ingredient, its name, value and unit."""
Mixture = tuple[int, ...]
"""Places of strengths in the table; what a product holds."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Products alike but for their name and what they hold.

    Attributes:
        products: code, name, and the place of what it holds among the mixtures.
    """

    level: str
    form: str
    route: str
    extended_release: bool
    products: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class DrugTable:
    """What a ``DrugIndex`` says, every strength and every mixture of them said once."""

    strengths: tuple[StrengthRow, ...]
    mixtures: tuple[Mixture, ...]
    kinds: tuple[Kind, ...]
    routes: Mapping[tuple[str, str], str]
    names: Mapping[str, tuple[Name, ...]]
    words: Mapping[str, frozenset[str]]


def drug_table(drugs: DrugIndex) -> DrugTable:
    """The table that says what an index says."""
    products = drugs.products.values()
    strengths = _places(strength for product in products for strength in product.strengths)
    mixtures = _places(product.strengths for product in products)
    return DrugTable(
        tuple((s.ingredient, s.name, s.value, s.unit) for s in strengths),
        tuple(tuple(strengths[strength] for strength in mixture) for mixture in mixtures),
        _kinds(products, mixtures),
        drugs.routes,
        drugs.names,
        drugs.words,
    )


def _places(things: Iterable[T]) -> dict[T, int]:
    """Each different thing, with its place among them."""
    return {thing: place for place, thing in enumerate(dict.fromkeys(things))}


def _kinds(
    products: Collection[Product], mixtures: Mapping[tuple[Strength, ...], int]
) -> tuple[Kind, ...]:
    alike: dict[tuple[str, str, str, bool], list[tuple[str, str, int]]] = {}
    for product in products:
        kind = product.level, product.form, product.route, product.extended_release
        held = mixtures[product.strengths]
        alike.setdefault(kind, []).append((product.code, product.name, held))
    return tuple(Kind(*kind, tuple(rows)) for kind, rows in alike.items())


def drug_index(table: DrugTable) -> DrugIndex:
    """The index a table was made of; equal strengths, texts and mixtures are one and the same."""
    strengths = [
        Strength(intern(ingredient), intern(name), value, unit and intern(unit))
        for ingredient, name, value, unit in table.strengths
    ]
    mixtures = [tuple([strengths[place] for place in mixture]) for mixture in table.mixtures]
    products = {
        code: Product(
            code, name, kind.level, mixtures[held], kind.form, kind.route, kind.extended_release
        )
        for kind in table.kinds
        for code, name, held in kind.products
    }
    return DrugIndex(products, table.routes, table.names, table.words)
