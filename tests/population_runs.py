"""Runs over small populations, for tests: through the command, and in the test's own process."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from cards.library import Library
from service.population import local
from service.population.export import Export, read_export
from service.population.grouping import connect
from service.population.local import Cut, run_local
from service.population.pseudonym import Keyed, own_key
from service.population.run import DESCRIPTION, RunFolder, Wanted
from service.population.tables import TABLES, read_table, unfinished_of
from tests.conftest import HOUSE

Row = dict[str, Any]
DAY = date(2026, 3, 1)
SMALL = Cut(piece_bytes=200_000, partitions=5)
COMMAND = [sys.executable, "-c", "from service.cli import main; main()", "population"]
LONG = 120.0


@dataclass(frozen=True)
class Tables:
    """The tables a run wrote."""

    folder: Path

    @cached_property
    def all(self) -> Mapping[str, pa.Table]:
        """By name."""
        return {name: read_table(name, self.folder / name) for name in TABLES}

    def rows(self, name: str) -> list[Row]:
        """The rows of one table."""
        return cast("list[Row]", self.all[name].to_pylist())

    @cached_property
    def content(self) -> Mapping[str, bytes]:
        """Each table, sorted, as bytes."""
        return {name: _as_bytes(table) for name, table in self.all.items()}

    @cached_property
    def figures(self) -> Counter[tuple[str, ...]]:
        """What was counted, under its names."""
        found: Counter[tuple[str, ...]] = Counter()
        for kind, first, second, third, number in (r.values() for r in self.rows("tallies")):
            found[kind, first, second, third] += number
        return found

    def count(self, *names: str) -> int:
        """How often it was counted, all together that begin with these names."""
        return sum(n for key, n in self.figures.items() if key[: len(names)] == names)

    def of_patients(self, name: str) -> dict[str, list[Row]]:
        """Patient → their rows of a table, in any order that is the same for the same rows."""
        found: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self.rows(name):
            found[row.pop("patient")].append(row)
        return {patient: in_order(theirs) for patient, theirs in found.items()}


def _as_bytes(table: pa.Table) -> bytes:
    ordered = table.sort_by([(column, "ascending") for column in table.column_names])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(ordered.combine_chunks())
    return cast("bytes", sink.getvalue().to_pybytes())


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows, sorted by all they hold."""
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True, default=str))


# Runs in the test's own process


class _Here:
    """Does what the processes of a run would, one task after another."""

    def __init__(self, library: Library, work: Path) -> None:
        local._library = library
        local._database = connect(work)
        local._progress = multiprocessing.Value("q", 0)

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *_: object) -> None:
        local._database.close()

    def run(self, tasks: Iterable[Callable[[], None]], *_: object) -> None:
        for task in tasks:
            task()


def judged_here(
    folder: Path,
    export: Export | Path,
    library: Library,
    *,
    replay: bool = False,
    as_of: date = DAY,
    division: Cut = SMALL,
    key: Keyed = own_key,
) -> Tables:
    """The tables of a run, made without processes of its own: all but what starts those."""
    if isinstance(export, Path):
        export = read_export(export)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = Wanted(str(export.folder), None if replay else as_of, replay=replay)
    before, local._Processes = local._Processes, lambda _, work, __: _Here(library, work)  # type: ignore[assignment,misc,return-value]
    try:
        run_local(RunFolder(folder), wanted, export, division, key, 1)
    finally:
        local._Processes = before  # type: ignore[misc]
    return Tables(folder)


# Runs through the command


def command(*arguments: object) -> list[str]:
    """The command line of a run."""
    return [*COMMAND, *map(str, arguments)]


def environment(**settings: str) -> dict[str, str]:
    """What the command runs in: no settings but these."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("BACKPATH_")}
    return {**bare, "PYTHONPATH": str(HOUSE), **settings}


def commanded(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    """What came of a run."""
    return ended(command(*arguments), None, **settings)


def ended(
    line: Sequence[object], cwd: Path | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """What came of a command line, given in this folder."""
    return subprocess.run(
        list(map(str, line)),
        cwd=cwd,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )


def finished(*arguments: object, **settings: str) -> Tables:
    """The tables of a run that went well; its folder is the first argument."""
    done = commanded(*arguments, **settings)
    assert done.returncode == 0, done.stderr
    return Tables(Path(str(arguments[0])))


# The processes of a run that is to be disturbed


@contextmanager
def held_back(run: Path, name: str) -> Iterator[None]:
    """Let a run that has begun not write this file: nobody comes too late to disturb it."""
    wait_until((run / DESCRIPTION).exists)
    waiting = unfinished_of(run / name)
    waiting.parent.mkdir(exist_ok=True)
    os.mkfifo(waiting)
    try:
        yield
    finally:
        waiting.unlink()


def workers_of(process: int) -> list[int]:
    """The processes that judge for a run."""
    told = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(one) for one in told.split() if b"spawn_main" in _line_of(int(one))]


def _line_of(process: int) -> bytes:
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def pieces_done(run: Path) -> int:
    """How many pieces of its export a run has read."""
    return len(list(run.glob("work/gathered/[0-9]*")))


def parts_done(run: Path) -> int:
    """How many parts of its patients a run has judged."""
    return len(list(run.glob("tallies/part-*.parquet")))


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(holds: Callable[[], object]) -> None:
    """Wait for what must come to be; how long it takes does not matter."""
    deadline = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)
