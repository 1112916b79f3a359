"""A drug product as RxNorm names it: its ingredients with their strengths, its form and route."""

from __future__ import annotations

from typing import NamedTuple


class Strength(NamedTuple):
    """How much of one ingredient is in a unit of a product.

    Attributes:
        ingredient: RxNorm code of the ingredient (IN).
        name: its name in lower case, such as ``hydrocodone``.
        value: amount in ``unit``; None where only the ingredient is known, or in packs.
        unit: as RxNorm writes it: MG (a tablet), MG/ML, MG/HR (a patch), MG/ACTUAT (a spray) …
    """

    ingredient: str
    name: str
    value: float | None = None
    unit: str | None = None


class Product(NamedTuple):
    """What one RxNorm code stands for.

    Attributes:
        code: the RxNorm code; several, separated by blanks, of a drug told by several.
        name: RxNorm's own name, in which a brand stands in brackets.
        level: ``product`` (SCD, SBD), ``pack`` (a dose is never computed from it), or
            ``ingredient`` (IN, PIN, MIN: no strength or form).
        strengths: one for each ingredient.
        form: RxNorm dose form, such as ``Oral Tablet``; empty at ingredient level.
        route: oral, topical, transdermal, parenteral, rectal, nasal …, by the form; at ingredient
            level by the order's dosages; empty when not known.
        extended_release: whether the form releases slowly.
    """

    code: str
    name: str
    level: str
    strengths: tuple[Strength, ...]
    form: str = ""
    route: str = ""
    extended_release: bool = False

    @property
    def ingredients(self) -> frozenset[str]:
        """RxNorm codes of its ingredients."""
        return frozenset(strength.ingredient for strength in self.strengths)
