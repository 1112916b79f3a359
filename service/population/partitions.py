"""The second stage of a local run: the patients of one partition judged, and their rows written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from service.population.grouping import Orphans, Partition, orphaned_noise
from service.population.judged import Found, Question, judge_charts
from service.population.pieces import GATHERED
from service.population.places import LineNumbers
from service.population.reasons import Reason
from service.population.tables import (
    RejectRow,
    Tally,
    tally_rows,
    write_batches,
    write_part,
)

# The table written last: a part that has it is done.
LAST = "tallies"
NOISE_PART = "noise"


def partition_part(partition: int) -> str:
    """The name of one partition's part of each table."""
    return f"part-{partition:05}"


def is_done(run: Path, part: str) -> bool:
    """Whether a part of each table is written."""
    return (run / LAST / f"{part}.parquet").exists()


def judge_partition(
    run: Path,
    work: Path,
    partition: int,
    question: Question,
    numbers: LineNumbers,
    judged: Callable[[int], None],
    database: DuckDBPyConnection,
) -> None:
    """Judge the patients of one partition and write its part of each table.

    Args:
        judged: told after every patient that another one is done.
    """
    rows = Partition(database, work / GATHERED, partition)
    part = partition_part(partition)
    orphans = write_orphans(rows.orphans(numbers), run, part)
    charts = rows.charts(told_of_only=question.calls.of_conditions_only)
    found = judge_charts(charts, question, judged)
    found.tally.update(orphans)
    write_found(run, part, found, numbers)


def judge_noise(run: Path, work: Path, numbers: LineNumbers, database: DuckDBPyConnection) -> None:
    """Write the rejects among the lines that say nothing to any fact."""
    orphans = orphaned_noise(database, work / GATHERED, numbers)
    write_found(run, NOISE_PART, Found(tally=write_orphans(orphans, run, NOISE_PART)), numbers)


def write_orphans(orphans: Orphans, run: Path, part: str) -> Tally:
    """Write the lines that name patients who are not in the export, however many; their count."""
    tally: Tally = Counter()
    for kind, count in orphans.by_kind.items():
        tally["lines", "read", kind] -= count
        tally["lines", "rejected", Reason.UNKNOWN_PATIENT.value] += count
    if tally:
        write_batches("rejects", orphans.rejects, run / "rejects" / f"{part}-orphans.parquet")
    return tally


def write_found(run: Path, part: str, found: Found, numbers: LineNumbers) -> None:
    """Write one part of each table."""
    rejects = (RejectRow(p.file, numbers.of(p), reason.value) for p, reason in found.rejected)
    rows: dict[str, Iterable[Any]] = {
        "cards": found.cards,
        "states": found.states,
        "rejects": rejects,
        LAST: tally_rows(found.tally),
    }
    for name, told in rows.items():
        write_part(name, told, run / name / f"{part}.parquet")
