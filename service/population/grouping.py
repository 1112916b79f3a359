"""Grouping by patient, left to DuckDB: rows go to disk by partition, and come back as charts.

An export may be larger than the memory: DuckDB keeps within its limit and spills to disk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from service.call_size import MOST_RESOURCES
from service.population.gathered import ROWS
from service.population.places import LineNumbers, Place
from service.population.reasons import Reason

MEMORY = "384MB"
# Rows that wait in memory for their partition's file, of each partition.
WAITING_ROWS = 256
BATCH_ROWS = 2_000
ROWS_FOLDER = "rows"
MEDICATIONS, NOISE = "medications.parquet", "noise.parquet"
# The keys of the Patients alone: it takes memory to look into every partition of every part.
PATIENTS = "patients.parquet"

# Every part of an export has its own folder: ``<part>/rows/partition=<n>/*.parquet``.
_PARTITIONED = """
    COPY (SELECT *, CAST(hash(patient) % {partitions} AS INTEGER) AS partition FROM rows)
    TO '{folder}' (FORMAT parquet, COMPRESSION lz4, PARTITION_BY (partition))
"""
_PATTERN = re.compile(r"[*?\[]")
_ROWS = "CREATE OR REPLACE TEMP VIEW rows AS FROM {files}"
_PATIENTS = """
    CREATE OR REPLACE TEMP TABLE patients AS
    SELECT DISTINCT patient FROM {rows} WHERE kind = 'Patient'
"""
# Written as NOT IN, which keeps the patients in memory; an ANTI JOIN may keep the other side.
_ORPHANS = """
    SELECT file, before + line + 1 AS line, '{reason}' AS reason
    FROM {rows} JOIN blocks USING (file, block) WHERE patient NOT IN (FROM patients)
    ORDER BY file, line
"""
_ORPHANS_BY_KIND = """
    SELECT kind, count(*) FROM {rows} WHERE patient NOT IN (FROM patients) GROUP BY kind
"""
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
    FROM {medications} AS medications JOIN (
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


class Orphans(NamedTuple):
    """The lines that name patients who are not in the export.

    Attributes:
        by_kind: type of resource → how many.
        rejects: rows of the table of rejects, to be taken before anything else is asked.
    """

    by_kind: Mapping[str, int]
    rejects: Iterable[pa.RecordBatch]


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
            database.execute(_ROWS.format(files=_read(files)))
            database.execute(_PATIENTS.format(rows="rows"))

    def orphans(self, numbers: LineNumbers) -> Orphans:
        """The lines that may say something and name patients who are not in the export."""
        return Orphans({}, ()) if self.is_empty else _orphans("rows", self._database, numbers)

    def charts(self, *, told_of_only: bool) -> Iterator[Chart]:
        """The charts of all patients.

        Args:
            told_of_only: whether there is more than the Patient only of those who have a Condition
                that may make a pathway concern them.
        """
        if self.is_empty:
            return iter(())
        self._database.execute(_TOLD_OF if told_of_only else _EVERY)
        wanted = _CHARTS.format(medications=_read(self._medications))
        return charts(self._database.sql(wanted).to_arrow_reader(BATCH_ROWS))


def orphaned_noise(
    database: duckdb.DuckDBPyConnection, gathered: Path, numbers: LineNumbers
) -> Orphans:
    """The lines that say nothing to any fact and name patients who are not in the export."""
    patients, noise = (_read(sorted(gathered.glob(f"*/{name}"))) for name in (PATIENTS, NOISE))
    database.execute(_PATIENTS.format(rows=patients))
    return _orphans(noise, database, numbers)


def _orphans(rows: str, database: duckdb.DuckDBPyConnection, numbers: LineNumbers) -> Orphans:
    by_kind = dict(database.execute(_ORPHANS_BY_KIND.format(rows=rows)).fetchall())
    if not by_kind:
        return Orphans({}, ())
    before = [(file, block, lines) for (file, block), lines in numbers.before.items()]
    columns = dict(zip(("file", "block", "before"), zip(*before, strict=True), strict=True))
    database.register("blocks", pa.table(columns))
    told = _ORPHANS.format(rows=rows, reason=Reason.UNKNOWN_PATIENT.value)
    return Orphans(by_kind, database.sql(told).to_arrow_reader(BATCH_ROWS))


def charts(batches: Iterable[pa.RecordBatch]) -> Iterator[Chart]:
    """The charts in rows sorted by patient; of one that is too long the Patient and enough to tell.

    Args:
        batches: patient, kind, file, block, line, telling, body.
    """
    rows = (row for batch in batches for row in zip(*_columns(batch), strict=True))
    for patient, theirs in groupby(rows, itemgetter(0)):
        chart: list[Row] = []
        for _, kind, file, block, line, telling, body in theirs:
            if len(chart) <= MOST_RESOURCES or kind == "Patient":
                chart.append(Row(kind, Place(file, block, line), telling, body))
        yield patient, chart


def _columns(batch: pa.RecordBatch) -> list[list[object]]:
    return [column.to_pylist() for column in batch.columns]


def quoted(path: Path) -> str:
    """A path to stand between the quotation marks of SQL."""
    return str(path).replace("'", "''")


def _read(files: Iterable[Path]) -> str:
    """The rows of some files, as SQL; each is taken by its letters, not as a pattern of names."""
    taken = (_PATTERN.sub(r"[\g<0>]", quoted(file)) for file in files)
    listed = ", ".join(f"'{file}'" for file in taken)
    return f"read_parquet([{listed}], hive_partitioning = false)"
