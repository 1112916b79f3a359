"""The second stage of a local run: the patients of one partition judged, and their rows written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from service.population.grouping import Orphan, Partition, orphaned_noise
from service.population.judged import Found, Question, judge_charts
from service.population.pieces import GATHERED
from service.population.places import LineNumbers, Rejected
from service.population.reasons import Reason
from service.population.tables import RejectRow, as_table, tally_rows, write_part

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
    orphans = rows.orphans()
    charts = rows.charts(told_of_only=question.calls.of_conditions_only)
    found = judge_charts(charts, question, judged)
    write_found(run, partition_part(partition), with_orphans(orphans, found), numbers)


def judge_noise(run: Path, work: Path, numbers: LineNumbers, database: DuckDBPyConnection) -> None:
    """Write the rejects among the lines that say nothing to any fact."""
    orphans = orphaned_noise(database, work / GATHERED)
    write_found(run, NOISE_PART, with_orphans(orphans, Found()), numbers)


def with_orphans(orphans: Iterable[Orphan], found: Found) -> Found:
    """What was found, and the lines that name patients who are not in the export."""
    for place, kind in orphans:
        found.rejected.append(Rejected(place, Reason.UNKNOWN_PATIENT))
        found.tally["lines", "read", kind] -= 1
        found.tally["lines", "rejected", Reason.UNKNOWN_PATIENT.value] += 1
    return found


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
        write_part(as_table(name, told), run / name / f"{part}.parquet")
