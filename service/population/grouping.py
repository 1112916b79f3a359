"""Grouping by patient, left to DuckDB: rows go to disk by partition, and come back as charts.

An export may be larger than the memory: DuckDB keeps within its limit and spills to disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from service.population.gathered import ROWS
from service.population.places import Place

MEMORY = "384MB"
# Rows that wait in memory for their partition's file.
WAITING_ROWS = 20_000
BATCH_ROWS = 2_000
ROWS_FOLDER = "rows"
MEDICATIONS, NOISE = "medications.parquet", "noise.parquet"

# Every part of an export has its own folder: ``<part>/rows/partition=<n>/*.parquet``.
_PARTITIONED = """
    COPY (SELECT *, CAST(hash(patient) % {partitions} AS INTEGER) AS partition FROM rows)
    TO '{folder}' (FORMAT parquet, COMPRESSION lz4, PARTITION_BY (partition))
"""
_ROWS = """
    CREATE OR REPLACE TEMP VIEW rows AS
    SELECT * FROM read_parquet({files}, hive_partitioning = false)
"""
_NO_ROWS = "CREATE OR REPLACE TEMP VIEW rows AS SELECT * FROM {noise} LIMIT 0"
_PATIENTS = """
    CREATE OR REPLACE TEMP TABLE patients AS
    SELECT DISTINCT patient FROM rows WHERE kind = 'Patient'
"""
_ORPHANS = "SELECT file, block, line, kind FROM {rows} ANTI JOIN patients USING (patient)"
_EVERY = "CREATE OR REPLACE TEMP TABLE wanted AS FROM patients"
_TOLD_OF = """
    CREATE OR REPLACE TEMP TABLE wanted AS
    SELECT DISTINCT patient FROM rows SEMI JOIN patients USING (patient) WHERE telling
"""
# A Medication comes to every patient who has an order for it.
_CHARTS = """
    SELECT patient, kind, file, block, line, telling, body
    FROM rows SEMI JOIN patients USING (patient)
    WHERE kind = 'Patient' OR patient IN (FROM wanted)
    UNION ALL
    SELECT ordered.patient, kind, file, block, line, telling, body
    FROM read_parquet({medications}) AS medications JOIN (
        SELECT DISTINCT patient, medication FROM rows SEMI JOIN wanted USING (patient)
        WHERE medication IS NOT NULL
    ) AS ordered ON ordered.medication = medications.patient
    ORDER BY patient, kind, file, block, line
"""


class Row(NamedTuple):
    """One resource of a patient.

    Attributes:
        kind: its type.
        telling: whether it may make a pathway concern the patient.
        body: its JSON.
    """

    kind: str
    place: Place
    telling: bool
    body: bytes


class Orphan(NamedTuple):
    """A line that names a patient who is not in the export, and the type of its resource."""

    place: Place
    kind: str


# A patient's key, and all that is of them.
Chart = tuple[str, list[Row]]


def connect(work: Path, memory: str = MEMORY) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills below this folder; for one process of several."""
    database = duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": memory,
            "temp_directory": str(work / f"spill-{os.getpid()}"),
            "preserve_insertion_order": False,
            "partitioned_write_flush_threshold": WAITING_ROWS,
        }
    )
    database.execute("SET enable_progress_bar = false")
    return database


def write_partitions(
    database: duckdb.DuckDBPyConnection,
    batches: Iterable[pa.RecordBatch],
    partitions: int,
    folder: Path,
) -> None:
    """Write the rows of one part of an export, by partition, into a new folder."""
    rows = pa.RecordBatchReader.from_batches(ROWS, batches)
    database.register("rows", rows)
    try:
        database.execute(
            _PARTITIONED.format(partitions=partitions, folder=quoted(folder / ROWS_FOLDER))
        )
    finally:
        database.unregister("rows")


class Partition:
    """The charts of some of the patients.

    Args:
        gathered: the folder of the parts of the export.
        number: which partition.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, gathered: Path, number: int) -> None:
        """Look at one partition; nothing is read yet."""
        self._database = database
        self._medications = sorted(gathered.glob(f"*/{MEDICATIONS}"))
        files = sorted(gathered.glob(f"*/{ROWS_FOLDER}/partition={number}/*.parquet"))
        self.is_empty = not files
        if files:
            database.execute(_ROWS.format(files=_listed(files)))
            database.execute(_PATIENTS)

    def orphans(self) -> list[Orphan]:
        """The lines that name patients who are not in the export."""
        return [] if self.is_empty else _orphans("rows", self._database)

    def charts(self, *, told_of_only: bool) -> Iterator[Chart]:
        """The charts of all patients.

        Args:
            told_of_only: whether there is more than the Patient only of those who have a Condition
                that may make a pathway concern them.
        """
        if self.is_empty:
            return iter(())
        self._database.execute(_TOLD_OF if told_of_only else _EVERY)
        wanted = _CHARTS.format(medications=_listed(self._medications))
        return charts(self._database.sql(wanted).to_arrow_reader(BATCH_ROWS))


def orphaned_noise(database: duckdb.DuckDBPyConnection, gathered: Path) -> list[Orphan]:
    """The lines that say nothing to any fact and name patients who are not in the export."""
    files = sorted(gathered.glob(f"*/{ROWS_FOLDER}/*/*.parquet"))
    noise = f"read_parquet({_listed(sorted(gathered.glob(f'*/{NOISE}')))})"
    rows = _ROWS.format(files=_listed(files)) if files else _NO_ROWS.format(noise=noise)
    database.execute(rows)
    database.execute(_PATIENTS)
    return _orphans(noise, database)


def _orphans(rows: str, database: duckdb.DuckDBPyConnection) -> list[Orphan]:
    found = database.execute(_ORPHANS.format(rows=rows)).fetchall()
    return [Orphan(Place(file, block, line), kind) for file, block, line, kind in found]


def charts(batches: Iterable[pa.RecordBatch]) -> Iterator[Chart]:
    """The charts in rows sorted by patient.

    Args:
        batches: patient, kind, file, block, line, telling, body.
    """
    rows = (row for batch in batches for row in zip(*_columns(batch), strict=True))
    for patient, theirs in groupby(rows, itemgetter(0)):
        yield (
            patient,
            [Row(kind, Place(f, b, n), told, body) for _, kind, f, b, n, told, body in theirs],
        )


def _columns(batch: pa.RecordBatch) -> list[list[object]]:
    return [column.to_pylist() for column in batch.columns]


def quoted(path: Path) -> str:
    """A path to stand between the quotation marks of SQL."""
    return str(path).replace("'", "''")


def _listed(files: Iterable[Path]) -> str:
    return "[{}]".format(", ".join(f"'{quoted(file)}'" for file in files))
