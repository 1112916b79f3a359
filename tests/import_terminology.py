"""Re-express the drug tables of the terminology package as the files of ``cards/terminology``.

Run ``python -m tests.import_terminology [DIR]``; without an argument the package is looked for in
``BACKPATH_TERMINOLOGY``, else beside the repository in ``shared/terminology``. Codes, names and
strengths are facts and carried over; classes, confidence and long provenance are not.

Ingredients that only a value set of ours names (by name and code, without products) are added, so
that a code called by such a name is recognised as contradicted.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

Row = dict[str, str]

ROOT = Path(__file__).resolve().parent.parent
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
RELEASE = "RxNorm Current Prescribable Content "
PACKS = frozenset({"GPCK", "BPCK"})
PRODUCT_COLUMNS = (
    *("rxcui", "name", "ingredients", "strengths", "form", "route"),
    *("extended_release", "pack", "origin"),
)
INGREDIENT_COLUMNS = ("rxcui", "name", "ingredients", "origin")
ROUTE_COLUMNS = ("system", "code", "display", "route", "origin")


def terminology_directory(arguments: Sequence[str]) -> Path:
    """Where the package is: named on the command line, in the environment, or beside us."""
    if arguments:
        return Path(arguments[0])
    return Path(os.environ.get("BACKPATH_TERMINOLOGY") or ROOT.parent / "shared" / "terminology")


def import_terminology(package: Path, content: Path) -> None:
    """Write products, ingredients and routes into ``content/terminology``.

    Args:
        content: our content; its value sets may name further ingredients.

    Raises:
        OSError: a file of the package cannot be read.
        KeyError: one lacks a column.
    """
    products = [_product(row) for row in _rows(package / "drugs.csv")]
    ingredients = list(_ingredients(package))
    known = {row["rxcui"] for row in (*products, *ingredients)}
    ingredients += _only_in_value_sets(content / "value_sets", known)
    routes = [_route(row) for row in _rows(package / "routes.csv")]
    folder = content / "terminology"
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "products.csv", PRODUCT_COLUMNS, sorted(products, key=_by_code))
    _write(folder / "ingredients.csv", INGREDIENT_COLUMNS, sorted(ingredients, key=_by_code))
    _write(folder / "routes.csv", ROUTE_COLUMNS, sorted(routes, key=_by_route))


def _product(row: Row) -> Row:
    return {
        "rxcui": row["rxcui"],
        "name": row["name"],
        "ingredients": " ".join(part.split("|")[0] for part in row["ingredients"].split(";")),
        "strengths": row["strengths"].replace("|", " "),
        "form": row["dose_form"],
        "route": row["route"],
        "extended_release": "y" if row["extended_release"] == "y" else "",
        "pack": "y" if row["tty"] in PACKS else "",
        "origin": _origin(row["source"]),
    }


def _ingredients(package: Path) -> Iterator[Row]:
    for row in _rows(package / "ingredients.csv"):
        origin = _origin(row["source"])
        yield {"rxcui": row["rxcui"], "name": row["name"], "ingredients": "", "origin": origin}
    for row in _rows(package / "ingredient_forms.csv"):
        parts = row["ingredient_rxcuis"].replace(";", " ")
        name, origin = row["name"], f"RxNorm {row['tty']}"
        yield {"rxcui": row["rxcui"], "name": name, "ingredients": parts, "origin": origin}


def _only_in_value_sets(folder: Path, known: set[str]) -> Iterator[Row]:
    """Ingredients of value sets that are in none of the tables; a product's name has numbers."""
    found: dict[str, Row] = {}
    for path in sorted(folder.glob("*.csv")):
        for row in _rows(path):
            new = row["system"] == RXNORM and row["code"] not in known
            if new and not any(letter.isdigit() for letter in row["display"]):
                code, name, origin = row["code"], row["display"], _origin(row["source"])
                entry = {"rxcui": code, "name": name, "ingredients": "", "origin": origin}
                found.setdefault(code, entry)
    yield from found.values()


def _route(row: Row) -> Row:
    return {**{key: row[key] for key in ROUTE_COLUMNS[:-1]}, "origin": _origin(row["source"])}


def _origin(source: str) -> str:
    """The first place a row was read in, short for RxNorm's own releases."""
    first = source.partition(";")[0].strip()
    if first.startswith(RELEASE):
        return f"RxNorm {first.removeprefix(RELEASE).partition(' ')[0]}"
    return first


def _by_code(row: Row) -> tuple[int, str]:
    return (int(row["rxcui"]) if row["rxcui"].isdecimal() else sys.maxsize, row["rxcui"])


def _by_route(row: Row) -> tuple[str, str, str, str]:
    return (row["system"], row["route"], row["code"], row["display"])


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    try:
        import_terminology(terminology_directory(sys.argv[1:]), ROOT / "cards")
    except (OSError, KeyError) as error:
        sys.exit(f"The terminology could not be imported: {error}")
