"""What Spark's Python workers do with an export: its lines gathered into rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, NamedTuple

import pyarrow as pa

from cards.library import Library, load_library, no_collection
from service.population.export import Export, ExportFile, Kind, pieces
from service.population.gathered import REJECTS, ROWS, Gathered
from service.population.gatherer import Gatherer
from service.population.lines import LONGEST_LINE, TOO_LONG, Line, lines
from service.population.mixture import Mixture
from service.population.pieces import BATCH_LINES
from service.population.spark_input import PART_END
from service.population.tables import TABLES, as_table, tally_rows

BLOCKS = pa.schema([("file", pa.string()), ("block", pa.int64()), ("lines", pa.int64())])
GATHERED = Mixture(
    {
        "rows": ROWS,
        "noise": ROWS,
        "medications": ROWS,
        "rejects": REJECTS,
        "blocks": BLOCKS,
        "tallies": TABLES["tallies"],
    }
)
# Where Spark lets its workers write.
SCRATCH = "SPARK_LOCAL_DIRS"
Batches = Iterator[pa.RecordBatch]


class Content(NamedTuple):
    """Which content to judge by; small, where the content itself is not."""

    switched_on: frozenset[str]
    mme_factors: str | None


class Gathering(NamedTuple):
    """What a worker needs to know to gather.

    Attributes:
        names: URL of a file → its name in the export.
        kinds: name of a file → how it holds resources.
        whole_orders: as of a ``Gatherer``.
    """

    content: Content
    names: Mapping[str, str]
    kinds: Mapping[str, Kind]
    whole_orders: bool

    def gatherer(self) -> Gatherer:
        """One that reads as this says."""
        return Gatherer(library_of(self.content).index, whole_orders=self.whole_orders)


@cache
def library_of(content: Content) -> Library:
    """The content, read once in each process."""
    return load_library(switched_on=content.switched_on, mme_factors=content.mme_factors)


def gather_lines(batches: Batches, gathering: Gathering) -> Batches:
    """Gather lines of plain NDJSON.

    Args:
        batches: columns ``file``, ``block`` and ``line``, as ``lines_of`` reads them.

    Returns:
        Batches of ``GATHERED``.
    """
    gatherer = gathering.gatherer()
    for (url, block), theirs in groupby(_runs(batches), itemgetter(0)):
        told = (_line(value) for _, values in theirs for value in values.to_pylist())
        yield from _gathered(Gathered(gathering.names[url], block), told, gatherer)


def gather_files(batches: Batches, gathering: Gathering) -> Batches:
    """Gather files that come as they are, in parts; each lies on this machine's disk meanwhile.

    Args:
        batches: columns ``file``, ``size`` and ``part``, as ``parts_of`` reads them.

    Returns:
        Batches of ``GATHERED``.
    """
    gatherer = gathering.gatherer()
    scratch = os.environ.get(SCRATCH, "").split(",")[0] or None
    for (url, size), theirs in groupby(_runs(batches), itemgetter(0)):
        name = gathering.names[url]
        with NamedTemporaryFile(dir=scratch) as copy:
            _write(copy, (values for _, values in theirs), size)
            file = ExportFile(name, Path(copy.name), gathering.kinds[name], size)
            # A file of these kinds is cut where it is cut by itself, or not at all.
            for piece in pieces(Export(file.path.parent, (file,), ()), max(size, 1)):
                yield from _gathered(Gathered(name, piece.block), lines(piece), gatherer)


def _runs(batches: Batches) -> Iterator[tuple[tuple[str, int], pa.Array]]:
    """The values of the last column, with the file and number they have in common."""
    for batch in batches:
        *places, values = batch.columns
        ends = {end.as_py() for place in places for end in _ends(place)}
        start = 0
        for end in sorted(ends):
            yield (places[0][start].as_py(), places[1][start].as_py()), values[start:end]
            start = end


def _ends(place: pa.Array) -> pa.Array:
    return pa.compute.run_end_encode(place).run_ends


def _line(value: bytes | None) -> Line:
    if value is None:
        return TOO_LONG
    line = value.removesuffix(b"\r")
    return line if len(line) <= LONGEST_LINE else TOO_LONG


def _write(copy: IO[bytes], parts: Iterable[pa.Array], size: int) -> None:
    """Write the parts of a file of this size; the last one's end may not be its own."""
    end = PART_END.encode()
    for some in parts:
        copy.write(end.join([*some.to_pylist(), b""]))
    copy.truncate(size)
    copy.flush()


def _gathered(gathered: Gathered, told: Iterator[Line], gatherer: Gatherer) -> Batches:
    """Gather one block."""
    while some := list(islice(told, BATCH_LINES)):
        with no_collection():  # of the many rows none leads back to itself
            gatherer.gather(some, gathered)
        yield from GATHERED.mixed("rows", gathered.kept.take())
        yield from GATHERED.mixed("noise", gathered.noise.take())
        yield from GATHERED.mixed("medications", gathered.medications.take())
        yield from GATHERED.mixed("rejects", gathered.rejected.take())
    block: list[list[Any]] = [[gathered.file], [gathered.block], [gathered.lines]]
    yield from GATHERED.mixed("blocks", pa.record_batch(block, schema=BLOCKS))
    yield from GATHERED.mixed("tallies", as_table("tallies", tally_rows(gathered.tally)))
