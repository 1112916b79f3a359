"""Value sets: reading their rows, and the index from a code to the sets that hold it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from cards.codes import ICD10CM, LOINC, CodeIndex
from cards.content import ContentError, read_rows
from cards.facts.vocabulary import Vocabulary

COLUMNS = ("system", "code", "display", "match", "note", "confidence", "source")
ValueSets = Mapping[str, tuple[Mapping[str, str], ...]]


def read_value_sets(folder: Path) -> ValueSets:
    """Value set → rows. The CPT file may be removed; its sets are then just smaller."""
    sets: dict[str, list[Mapping[str, str]]] = {}
    for path in sorted(folder.glob("*.csv")):
        if path.stem == "cpt":
            continue
        sets[path.stem] = list(_checked(path, COLUMNS))
    cpt = folder / "cpt.csv"
    if cpt.exists():
        for row in _checked(cpt, ("value_set", *COLUMNS)):
            sets.setdefault(row["value_set"], []).append(row)
    return {name: tuple(rows) for name, rows in sets.items()}


def read_value_set(folder: Path, name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of one value set; none when there is no such set.

    Args:
        name: a name that the content uses, never one from outside.
    """
    path, cpt = folder / f"{name}.csv", folder / "cpt.csv"
    own = tuple(_checked(path, COLUMNS)) if path.exists() else ()
    if not cpt.exists():
        return own
    rows = _checked(cpt, ("value_set", *COLUMNS))
    return (*own, *(row for row in rows if row["value_set"] == name))


def _checked(path: Path, columns: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
    for line, row in enumerate(read_rows(path, columns), start=2):
        where = f"{path.parent.name}/{path.name}:{line}"
        if not row["system"] or not row["code"] or row["match"] not in ("exact", "prefix"):
            raise ContentError(f"{where}: row without system, code or match")
        if row["match"] == "prefix" and row["system"] != ICD10CM:
            raise ContentError(f"{where}: only ICD-10-CM codes match by prefix")
        yield row


def index_codes(value_sets: ValueSets) -> CodeIndex:
    """The index the patient record is read with; ICD-10-CM codes without dots."""
    exact: dict[tuple[str, str], dict[str, str]] = {}
    prefixes: dict[str, dict[str, str]] = {}
    for name, rows in value_sets.items():
        for row in rows:
            code = row["code"]
            if row["system"] == ICD10CM:
                code = code.replace(".", "").upper()
            if row["match"] == "prefix":
                prefixes.setdefault(code, {})[name] = row["note"]
            else:
                exact.setdefault((row["system"], code), {})[name] = row["note"]
    empty = frozenset(name for name, rows in value_sets.items() if not rows)
    return CodeIndex(exact, prefixes, empty, complete=True)


def loinc_codes(vocabulary: Vocabulary, value_sets: ValueSets) -> tuple[str, ...]:
    """LOINC codes of the value sets some fact looks for among Observations."""
    names = {
        name
        for definition in vocabulary.values()
        if "observations" in definition.read_from
        for name in definition.value_sets
    }
    return tuple(
        sorted(
            {
                row["code"]
                for name in names
                for row in value_sets.get(name, ())
                if row["system"] == LOINC
            }
        )
    )
