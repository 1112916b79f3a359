"""The drug tables: products, ingredients and routes, read into the index of drugs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from cards.content import ContentError
from cards.drug_index import DrugIndex, OtherName, index_drugs
from cards.product import Product, Strength

PRODUCT_COLUMNS = [
    *("rxcui", "name", "ingredients", "strengths", "form", "route"),
    *("extended_release", "pack", "origin"),
]
INGREDIENT_COLUMNS = ["rxcui", "name", "ingredients", "origin"]
ROUTE_COLUMNS = ["system", "code", "display", "route", "origin"]
OTHER_COLUMNS = ["name", "drug", "kind", "origin"]


def read_drugs(folder: Path) -> DrugIndex:
    """The index of drugs. Raises ContentError, with file and line, for a table that is not one."""
    names: dict[str, str] = {}
    made_of: dict[str, tuple[str, list[str]]] = {}
    for code, name, parts, _ in _rows(folder / "ingredients.csv", INGREDIENT_COLUMNS):
        if not parts:
            names[code] = name.lower()
        made_of[code] = name, parts.split() or [code]
    try:
        products = [
            Product(code, name, "ingredient", tuple(Strength(part, names[part]) for part in parts))
            for code, (name, parts) in made_of.items()
        ]
    except KeyError as missing:
        raise ContentError(f"{folder.name}/ingredients.csv:1: no ingredient {missing}") from missing
    products += _products(folder / "products.csv", names)
    others = [
        OtherName(name, drug, kind == "brand")
        for name, drug, kind, _ in _rows(folder / "other_names.csv", OTHER_COLUMNS)
    ]
    return index_drugs(products, _routes(folder / "routes.csv"), others)


def _products(path: Path, names: dict[str, str]) -> Iterator[Product]:
    strengths_read: dict[tuple[str, str], Strength] = {}  # many products share one
    for line, row in enumerate(_rows(path, PRODUCT_COLUMNS), start=2):
        code, name, ingredients, strengths, form, route, slow, pack, _ = row
        try:
            parts = list(zip(ingredients.split(" "), strengths.split(";"), strict=True))
            for part in parts:
                if part not in strengths_read:
                    strengths_read[part] = _strength(part[0], names[part[0]], part[1])
        except (KeyError, ValueError) as failure:
            where = f"{path.parent.name}/{path.name}:{line}"
            raise ContentError(f"{where}: ingredients and strengths do not fit") from failure
        level = "pack" if pack else "product"
        read = tuple([strengths_read[part] for part in parts])
        yield Product(code, name, level, read, form, route, bool(slow))


def _strength(ingredient: str, name: str, text: str) -> Strength:
    value, _, unit = text.partition(" ")
    return Strength(ingredient, name, float(value), unit) if text else Strength(ingredient, name)


def _routes(path: Path) -> dict[tuple[str, str], str]:
    """Routes by code; a dose form has no code and goes by its name."""
    rows = _rows(path, ROUTE_COLUMNS)
    return {(system, code or display): route for system, code, display, route, _ in rows}


def _rows(path: Path, columns: list[str]) -> Iterator[list[str]]:
    """The rows below the header; thousands of them are read before the first request."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            if next(rows, None) != columns:
                raise ContentError(f"{path.parent.name}/{path.name}:1: columns are not {columns}")
            for row in rows:
                if len(row) != len(columns):
                    where = f"{path.parent.name}/{path.name}:{rows.line_num}"
                    raise ContentError(f"{where}: row has not {len(columns)} columns")
                yield row
    except OSError as failure:
        raise ContentError(f"{path.parent.name}/{path.name}:1: {failure}") from failure
