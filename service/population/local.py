"""The local engine: all processors of one machine, in memory that does not grow with the input."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from threading import Thread

import duckdb
import pyarrow as pa
from tqdm import tqdm

from cards.library import Library, load_library
from service.garbage import keep_for_good
from service.interruption import asked_later, leave_ctrl_c_to_parent
from service.population.calls import KEYS, AsOf, Calls, Replay
from service.population.export import Export, Piece, pieces, type_named
from service.population.gatherer import Gatherer
from service.population.grouping import connect
from service.population.judged import Question
from service.population.partitions import (
    NOISE_PART,
    is_done,
    judge_noise,
    judge_partition,
    partition_part,
)
from service.population.piece_progress import PieceProgress
from service.population.pieces import PieceDone, folder_of, gather_piece, number_rejected, read_done
from service.population.places import LineNumbers
from service.population.pseudonym import Keyed
from service.population.resource_line import NEEDED
from service.population.run import RunFolder, RunProblem, Wanted
from service.population.tables import Tally, tally_rows, write_part

MB = 1_000_000
# A partition is what one process sorts at a time, a piece what it reads at a time. Some rows of
# every partition wait in memory: beyond so many, they are larger rather than more.
PARTITION_BYTES, FEWEST_PARTITIONS, MOST_PARTITIONS = 256 * MB, 4, 128
LEAST_PIECE, MOST_PIECE, PIECES = 64 * MB, 1_000 * MB, 64
SECONDS_BETWEEN_LOOKS = 0.5
# How often a bar is drawn, on a screen and in a file.
SECONDS_BETWEEN_BARS, SECONDS_BETWEEN_LINES = 0.5, 60.0
GO_ON = "run the same again to go on"


@dataclass(frozen=True, slots=True)
class Cut:
    """How the work is divided; the same in a run that goes on, however many processes it has."""

    piece_bytes: int
    partitions: int


def cut(export: Export) -> Cut:
    """How an export is divided."""
    size = sum(file.bytes for file in export.files)
    piece = min(max(size // PIECES, LEAST_PIECE), MOST_PIECE)
    partitions = min(max(size // PARTITION_BYTES, FEWEST_PARTITIONS), MOST_PARTITIONS)
    return Cut(piece, partitions)


def run_local(
    run: RunFolder, wanted: Wanted, export: Export, division: Cut, key: Keyed, workers: int
) -> None:
    """Run all that is not done yet: the tables are whole when this returns.

    Raises:
        RunProblem: the export changed meanwhile.
    """
    with _Processes(wanted, run.work, workers) as processes:
        told = _gather(run, export, division, wanted, processes)
        changed = [file.name for file in export.files if not file.is_unchanged]
        if changed:
            raise RunProblem(f"{changed[0]} changed while it was read; begin in another folder")
        _judge(run, told, export, division, wanted, key, processes)


@contextmanager
def failing_in_words() -> Iterator[None]:
    """Say in a sentence what ends a run.

    Raises:
        RunProblem: a process, the disk or the database failed; what is done is kept.
    """
    try:
        yield
    except BrokenProcessPool:
        raise RunProblem(f"a process was killed, perhaps for want of memory; {GO_ON}") from None
    except OSError as problem:
        why = os.strerror(problem.errno) if problem.errno else type(problem).__name__
        raise RunProblem(f"{why}; {GO_ON}") from None
    except (duckdb.Error, pa.ArrowException) as problem:
        # Their messages may hold what was read.
        why = f"the database gave up ({type(problem).__name__}), perhaps because the disk is full"
        raise RunProblem(f"{why}; {GO_ON}") from None


def _gather(
    run: RunFolder, export: Export, division: Cut, wanted: Wanted, processes: _Processes
) -> list[PieceDone]:
    """Gather what is not gathered yet; what all pieces were found to hold."""
    every = dict(enumerate(pieces(export, division.piece_bytes)))
    folders = [folder_of(run.work, number) for number in every]
    waiting = {n: piece for n, piece in every.items() if not folder_of(run.work, n).exists()}
    tasks = [
        partial(_gather_one, piece, number, division.partitions, run.work, wanted.replay)
        for number, piece in waiting.items()
    ]
    processes.run(tasks, "reading", "B", sum(piece.bytes for piece in waiting.values()))
    return read_done(folders)


def _judge(
    run: RunFolder,
    told: Sequence[PieceDone],
    export: Export,
    division: Cut,
    wanted: Wanted,
    key: Keyed,
    processes: _Processes,
) -> None:
    """Judge what is not judged yet."""
    numbers = LineNumbers(piece.block for piece in told)
    tally: Tally = Counter()
    for number, piece in enumerate(told):
        tally.update(piece.tally)
        before = numbers.before[piece.block.file, piece.block.block]
        part = run.path / "rejects" / f"piece-{number:06}.parquet"
        number_rejected(folder_of(run.work, number), before, part)
    write_part("tallies", tally_rows(tally), run.path / "tallies" / "pieces.parquet")
    named = export.types_named
    calls, empty = calls_of(wanted, named, tally), empty_keys(named, tally)
    waiting = [n for n in range(division.partitions) if not is_done(run.path, partition_part(n))]
    tasks = [
        partial(_judge_one, run.path, run.work, n, calls, key, empty, numbers) for n in waiting
    ]
    if not is_done(run.path, NOISE_PART):
        tasks.append(partial(_judge_noise, run.path, run.work, numbers))
    # Patients are spread evenly over the partitions.
    patients = tally["lines", "read", "Patient"] * len(waiting) // division.partitions
    processes.run(tasks, "judging", " patients", patients)


def calls_of(wanted: Wanted, named: frozenset[str], tally: Tally) -> Calls:
    """The calls to make, of an export with files of these types, found to hold these lines."""
    broken = _broken(tally)
    delivered = NEEDED & (_held(tally) | (named - broken))
    unfinished = frozenset(KEYS[kind] for kind in (delivered & broken) - {"Patient"})
    if wanted.as_of is None:
        return Replay(delivered, unfinished)
    return AsOf(wanted.as_of, delivered, unfinished)


def empty_keys(named: frozenset[str], tally: Tally) -> frozenset[str]:
    """The prefetch keys of which an export has files, and in them nothing."""
    return frozenset(KEYS[kind] for kind in (NEEDED & named) - _broken(tally) - _held(tally))


def _broken(tally: Tally) -> frozenset[str]:
    """The types of which a file breaks off; each may be, where its name tells none."""
    named = [type_named(key[1]) for key in tally if key[0] == "broken file"]
    return NEEDED if None in named else frozenset(filter(None, named))


def _held(tally: Tally) -> frozenset[str]:
    """The types of resources that were found."""
    found = (key[2] for key, count in tally.items() if key[:2] == ("lines", "read") and count)
    return frozenset(found)


class _Processes:
    """Processes that judge by the same content, and how far they are."""

    def __init__(self, wanted: Wanted, work: Path, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._done: Synchronized[int] = context.Value("q", 0)
        self._pool = ProcessPoolExecutor(
            workers,
            mp_context=context,
            initializer=_start,
            initargs=(wanted.switched_on, wanted.mme_factors, work, self._done),
        )

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed:
            for process in multiprocessing.active_children():
                process.kill()  # what it has not finished is done again
        with asked_later():  # else nobody would wait for the processes, and they for ever
            self._pool.shutdown(cancel_futures=True)

    def run(self, tasks: Sequence[Callable[[], None]], title: str, unit: str, total: int) -> None:
        """Do the tasks, and show how fast and for how long.

        Args:
            total: about how much there is to do.
        """
        if not tasks:
            return
        self._done.value = 0
        with asked_later():
            waiting: set[Future[None]] = {self._pool.submit(task) for task in tasks}
        seconds = SECONDS_BETWEEN_BARS if sys.stderr.isatty() else SECONDS_BETWEEN_LINES
        with tqdm(total=total, desc=title, unit=unit, unit_scale=True, mininterval=seconds) as bar:
            while waiting:
                done, waiting = wait(waiting, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
                # Without its lock, which a process that is killed may hold.
                bar.update(self._done.get_obj().value - bar.n)
                for each in done:
                    each.result()
            bar.total = bar.n  # it was said about how much there is


# What one process keeps from task to task.
_library: Library
_database: duckdb.DuckDBPyConnection
_progress: Synchronized[int]


def _start(
    switched_on: frozenset[str],
    mme_factors: str | None,
    work: Path,
    progress: Synchronized[int],
) -> None:
    """Make a process ready; it ends when the one that asks is killed."""
    global _library, _database, _progress  # noqa: PLW0603 a process has no other place to keep them
    leave_ctrl_c_to_parent()
    _library = load_library(switched_on=switched_on, mme_factors=mme_factors)
    keep_for_good()
    _database = connect(work)
    atexit.register(_leave)
    _progress = progress
    parent = multiprocessing.parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _leave() -> None:
    """End without taking everything down one by one: DuckDB would complain of what is left."""
    _database.close()
    os._exit(0)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _made(count: int) -> None:
    with _progress.get_lock():
        _progress.value += count


def _gather_one(piece: Piece, number: int, partitions: int, work: Path, replay: bool) -> None:
    gatherer = Gatherer(_library.index, whole_orders=replay)
    progress = PieceProgress(piece.bytes, _made)
    gather_piece(piece, number, gatherer, partitions, work, _database, progress.read)
    progress.finish()


def _judge_one(
    run: Path,
    work: Path,
    partition: int,
    calls: Calls,
    key: Keyed,
    empty: frozenset[str],
    numbers: LineNumbers,
) -> None:
    question = Question(_library, calls, key, empty)
    judge_partition(run, work, partition, question, numbers, _made, _database)


def _judge_noise(run: Path, work: Path, numbers: LineNumbers) -> None:
    judge_noise(run, work, numbers, _database)
