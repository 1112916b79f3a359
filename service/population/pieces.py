"""The first stage of a local run: each piece of the export gathered into a folder of its own."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from cards.library import no_collection
from service.population.export import Piece
from service.population.gathered import REJECTS, ROWS, Gathered
from service.population.gatherer import Gatherer
from service.population.grouping import MEDICATIONS, NOISE, PATIENTS, write_partitions
from service.population.lines import Line, Read, lines
from service.population.places import Block
from service.population.run import write_text
from service.population.tables import TABLES, Tally, unfinished_of, write_batches

# Another number when pieces that are done hold something else than before.
LAYOUT = 2
GATHERED = "gathered"
DONE, REJECTED = "done.json", "rejected.parquet"
BATCH_LINES = 10_000
KEYS = pa.schema([ROWS.field("patient"), ROWS.field("kind")])


class PieceDone(NamedTuple):
    """What a gathered piece was found to hold."""

    block: Block
    tally: Tally


def folder_of(work: Path, number: int) -> Path:
    """Where what was gathered from the piece of this number lies, once it is done."""
    return work / GATHERED / f"{number:06}"


def gather_piece(
    piece: Piece,
    number: int,
    gatherer: Gatherer,
    partitions: int,
    work: Path,
    database: DuckDBPyConnection,
    read: Read,
) -> None:
    """Gather one piece; its folder is there when it is done, and not before.

    Args:
        read: told how much of the piece is read, about.
    """
    folder = folder_of(work, number)
    unfinished = unfinished_of(folder)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    gathered = Gathered(piece.name, piece.block)
    with (
        no_collection(),  # of the many rows none leads back to itself
        pq.ParquetWriter(unfinished / MEDICATIONS, ROWS) as medications,
        pq.ParquetWriter(unfinished / NOISE, ROWS) as noise,
        pq.ParquetWriter(unfinished / PATIENTS, KEYS) as patients,
        pq.ParquetWriter(unfinished / REJECTED, REJECTS) as rejected,
    ):
        told = lines(piece, read)
        batches = _batches(told, gathered, gatherer, medications, noise, patients, rejected)
        write_partitions(database, batches, partitions, unfinished)
    write_text(unfinished / DONE, json.dumps(_told(gathered)))
    unfinished.rename(folder)


def _batches(
    told: Iterator[Line],
    gathered: Gathered,
    gatherer: Gatherer,
    medications: pq.ParquetWriter,
    noise: pq.ParquetWriter,
    patients: pq.ParquetWriter,
    rejected: pq.ParquetWriter,
) -> Iterator[pa.RecordBatch]:
    """The rows, batch by batch; what is none of a patient goes to files of its own."""
    while some := list(islice(told, BATCH_LINES)):
        gatherer.gather(some, gathered)
        _write(gathered.medications.take(), medications)
        _write(gathered.noise.take(), noise)
        _write(gathered.rejected.take(), rejected)
        kept = gathered.kept.take()
        _write(kept.filter(pc.equal(kept["kind"], "Patient")).select(KEYS.names), patients)
        yield kept


def _write(batch: pa.RecordBatch, writer: pq.ParquetWriter) -> None:
    if batch.num_rows:
        writer.write_batch(batch)


def _told(gathered: Gathered) -> dict[str, Any]:
    return {
        "file": gathered.file,
        "block": gathered.block,
        "lines": gathered.lines,
        "tally": [[*key, count] for key, count in sorted(gathered.tally.items())],
    }


def read_done(folders: Iterable[Path]) -> list[PieceDone]:
    """What was noted of pieces that are done."""
    return [_read_done(folder / DONE) for folder in folders]


def _read_done(file: Path) -> PieceDone:
    told = json.loads(file.read_text("utf-8"))
    tally: Tally = Counter({tuple(key): count for *key, count in told["tally"]})
    return PieceDone(Block(told["file"], told["block"], told["lines"]), tally)


def number_rejected(folder: Path, before: int, file: Path) -> None:
    """Write the lines rejected in a piece that is done as a part of the table of rejects.

    Args:
        before: how many lines of its file stand before the piece.
    """
    with pq.ParquetFile(folder / REJECTED) as rejected:
        batches = (
            pa.record_batch(
                [batch["file"], pc.add(batch["line"], before + 1), batch["reason"]],
                schema=TABLES["rejects"],
            )
            for batch in rejected.iter_batches()
        )
        write_batches("rejects", batches, file)
