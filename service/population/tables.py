"""The tables a run writes, and how one part of a table comes to be whole or not at all."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

# What is counted, under up to three names, and how often.
Tally = Counter[tuple[str, ...]]


class CardRow(NamedTuple):
    """A card that was shown.

    Attributes:
        patient: their key, or what stands for it.
        pathway, state: the pathway whose state the card tells; None off all, or when not certain.
    """

    patient: str
    date: date
    hook: str
    recommendation: str
    indicator: str
    pathway: str | None
    state: str | None
    phase: str


class StateRow(NamedTuple):
    """Where a patient stood on one pathway on one day.

    Attributes:
        date: None where there was no visit.
        pathway, state: None where they are on none, or the state is not certain.
    """

    patient: str
    date: date | None
    pathway: str | None
    state: str | None
    phase: str


class RejectRow(NamedTuple):
    """A line that was not used; lines are counted from 1."""

    file: str
    line: int
    reason: str


class TallyRow(NamedTuple):
    """How often something was so; ``first`` to ``third`` are empty where it has no such name."""

    kind: str
    first: str
    second: str
    third: str
    number: int


_TYPES: Mapping[str, pa.DataType] = {
    "date": pa.date32(),
    "line": pa.int64(),
    "number": pa.int64(),
}
_ROWS: Mapping[str, type[Any]] = {
    "cards": CardRow,
    "states": StateRow,
    "rejects": RejectRow,
    "tallies": TallyRow,
}
TABLES: Mapping[str, pa.Schema] = {
    name: pa.schema([(column, _TYPES.get(column, pa.string())) for column in row._fields])
    for name, row in _ROWS.items()
}


def tally_rows(tally: Tally) -> list[TallyRow]:
    """The rows of a tally, sorted."""
    return sorted(_tally_row(*key, number=number) for key, number in tally.items())


def _tally_row(
    kind: str, first: str = "", second: str = "", third: str = "", *, number: int
) -> TallyRow:
    return TallyRow(kind, first, second, third, number)


def as_table(name: str, rows: Iterable[Any]) -> pa.Table:
    """Rows as an Arrow table of this name, sorted: the same rows are the same bytes."""
    schema = TABLES[name]
    ordered = sorted(rows, key=_sort_key)
    columns = list(zip(*ordered, strict=True)) or [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _sort_key(row: tuple[Any, ...]) -> tuple[tuple[bool, Any], ...]:
    return tuple([(value is not None, value) for value in row])


def write_part(name: str, rows: Iterable[Any], file: Path) -> None:
    """Write one part of the table of this name: whoever looks finds it whole, or not there.

    Only the one who runs this may read it.
    """
    write_batches(name, as_table(name, rows).to_batches(), file)


def write_batches(name: str, batches: Iterable[pa.RecordBatch], file: Path) -> None:
    """As ``write_part``, of rows of the table of this name that are not held all at a time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_of(file)
    with pq.ParquetWriter(unfinished, TABLES[name]) as writer:
        for batch in batches:
            writer.write_batch(batch.cast(TABLES[name]))
    place(unfinished, file)


def unfinished_of(file: Path) -> Path:
    """Where a file is written until it is whole."""
    return file.with_name(f".{file.name}.unfinished")


def place(unfinished: Path, file: Path) -> None:
    """Give a finished file its name, once it is on the disk."""
    unfinished.chmod(0o600)
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(file)


def read_table(name: str, folder: Path) -> pa.Table:
    """All parts of a table."""
    parts = [pq.read_table(part, schema=TABLES[name]) for part in sorted(folder.glob("*.parquet"))]
    return pa.concat_tables(parts) if parts else TABLES[name].empty_table()
