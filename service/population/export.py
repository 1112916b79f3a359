"""What a folder with a FHIR Bulk Data export holds, and the pieces it is read in."""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import BinaryIO

from service.population.parquet_rows import RowsUnreadable, row_groups
from service.population.problems import PopulationProblem

GZIP_MAGIC = b"\x1f\x8b"
NDJSON = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
# Also the ends of files that are one document; whether they are lines is seen in the first one.
PERHAPS_NDJSON = (".json", ".json.gz")
PARQUET = (".parquet",)
# What export clients keep beside the resources: their log, the server's errors, and what was
# deleted since an earlier export.
# https://docs.smarthealthit.org/cumulus/fetch/cumulus.html
LOG = "log.ndjson"
SET_ASIDE = frozenset({"error", "deleted"})
# A first line longer than this is no resource of a small document, and is not looked into.
LONGEST_LOOK = 4 << 20

# A resource type at the start of a name, also of a folder as Spark's ``partitionBy`` names it.
_TYPE = re.compile(r"(?:resourceType=)?((?:[A-Z][a-z]+)+)(?![A-Za-z])")


class ExportProblem(PopulationProblem):
    """An export cannot be had or read at all; the message says why, without secrets."""


class Kind(Enum):
    """How a file holds resources."""

    PLAIN = "ndjson"
    GZIP = "ndjson, gzip"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of an export.

    Attributes:
        name: its path below the export's folder, with ``/`` between the parts.
        bytes: its size on disk.
        modified: when it was last written, in nanoseconds; 0 where nobody can tell.
    """

    name: str
    path: Path
    kind: Kind
    bytes: int
    modified: int = 0

    @property
    def is_unchanged(self) -> bool:
        """Whether it is still as it was when the export was looked at."""
        status = self.path.stat()
        return (status.st_size, status.st_mtime_ns) == (self.bytes, self.modified)


@dataclass(frozen=True)
class Export:
    """What a folder holds.

    Attributes:
        files: those that hold resources, sorted by name.
        ignored: names of all other files and links, sorted.
    """

    folder: Path
    files: tuple[ExportFile, ...]
    ignored: tuple[str, ...]

    @cached_property
    def types_named(self) -> frozenset[str]:
        """The resource types the file names tell; those of empty files count as delivered."""
        return types_named(file.name for file in self.files)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one file that is read in one go.

    Attributes:
        name: the file's name, as in the export.
        block: where the piece starts: a byte, or the number of a row group. 0 for a whole file.
        end: where the next piece would start.
        bytes: how much of the file it is; in Parquet about.
    """

    name: str
    path: Path
    kind: Kind
    block: int
    end: int
    bytes: int = 0


def read_export(folder: Path) -> Export:
    """What the folder and those below it hold; files are told by their names.

    A file that can be reached by two names, as through a link, is read by the first of them.

    Raises:
        ExportProblem: there is no such folder, it holds no file with resources, or a file or
            folder in it cannot be read.
    """
    if not folder.is_dir():
        raise ExportProblem(f"{folder} is not a folder")
    files: list[ExportFile] = []
    ignored: list[str] = []
    seen: set[Path] = set()
    for name, path in sorted(_found(folder)):
        if not _is_text(name):
            raise ExportProblem(f"{name!a}: a name of a file must be UTF-8")
        try:
            file = _resource_file(name, path)
        except OSError as problem:
            raise ExportProblem(f"{name} cannot be read: {problem.strerror}") from None
        place = path.resolve()
        if file is None or place in seen:
            ignored.append(name)
        else:
            files.append(file)
            seen.add(place)
    if not files:
        raise ExportProblem(f"{folder} holds no NDJSON and no Parquet file")
    return Export(folder, tuple(files), tuple(ignored))


def pieces(export: Export, piece_bytes: int) -> list[Piece]:
    """The pieces of all files, each file's in their order; together they cover every line.

    Args:
        piece_bytes: the size of a piece of plain NDJSON; gzip is not cut, and Parquet has its row
            groups. A Parquet file that cannot be opened is one piece, whose reader says so.
    """
    cuts = {file: _cuts(file, piece_bytes) for file in export.files}
    return [
        Piece(file.name, file.path, file.kind, block, end, _size(file, block, end, len(parts)))
        for file, parts in cuts.items()
        for block, end in parts
    ]


def _size(file: ExportFile, block: int, end: int, parts: int) -> int:
    return file.bytes // parts if file.kind is Kind.PARQUET else end - block


def types_named(names: Iterable[str]) -> frozenset[str]:
    """The resource types that the names of files tell."""
    return frozenset(filter(None, map(type_named, names)))


def type_named(name: str) -> str | None:
    """The resource type a file's name begins with, or else one of its folders'; None when none.

    Args:
        name: as of an ``ExportFile``, such as ``MedicationRequest.2.ndjson.gz``.
    """
    for part in reversed(PurePosixPath(name).parts):
        if told := _TYPE.match(part):
            return told[1]
    return None


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _found(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below the folder with its name; links to folders are named, and not followed."""

    def refuse(problem: OSError) -> None:
        raise ExportProblem(f"a folder cannot be read: {problem.strerror}") from None

    for place, folders, files in os.walk(folder, onerror=refuse):
        for each in (*files, *(inner for inner in folders if Path(place, inner).is_symlink())):
            path = Path(place, each)
            yield path.relative_to(folder).as_posix(), path


def _resource_file(name: str, path: Path) -> ExportFile | None:
    """The file, when it holds resources; None when it does not.

    Raises:
        OSError: it bears the name of a file with resources and cannot be read.
    """
    if not may_hold_resources(name):
        return None
    status = path.stat()
    kind = kind_of(name, lambda: path.open("rb")) if S_ISREG(status.st_mode) else None
    if kind is None:
        return None
    return ExportFile(name, path, kind, status.st_size, status.st_mtime_ns)


def kind_of(name: str, opened: Callable[[], BinaryIO]) -> Kind | None:
    """How a file of a name that may hold resources holds them; None when it holds none.

    Args:
        opened: opens the file.
    """
    name = name.lower()
    with opened() as file:
        if name.endswith(PARQUET):
            return Kind.PARQUET
        # Some programs leave a file zipped and name it plain.
        zipped = file.read(2) == GZIP_MAGIC or name.endswith(".gz")
    kind = Kind.GZIP if zipped else Kind.PLAIN
    return kind if name.endswith(NDJSON) or _begins_with_a_resource(opened, kind) else None


def may_hold_resources(name: str) -> bool:
    """Whether a file of this name is one of an export's resources, or may be."""
    *folders, last = PurePosixPath(name).parts
    # Names that programs of the Hadoop family pass over: work not finished, and checksums.
    hidden = any(part.startswith((".", "_")) for part in (*folders, last))
    if hidden or SET_ASIDE.intersection(folders) or last == LOG:
        return False
    return last.lower().endswith((*NDJSON, *PERHAPS_NDJSON, *PARQUET))


def _begins_with_a_resource(opened: Callable[[], BinaryIO], kind: Kind) -> bool:
    """Whether the first line is all of a resource, as in NDJSON; a Bundle is a document."""
    try:
        with opened() as raw, gzip.open(raw) if kind is Kind.GZIP else nullcontext(raw) as file:
            first = json.loads(file.readline(LONGEST_LOOK))
    except (ValueError, RecursionError, EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return isinstance(first, dict) and first.get("resourceType", "Bundle") != "Bundle"


def _cuts(file: ExportFile, piece_bytes: int) -> list[tuple[int, int]]:
    match file.kind:
        case Kind.PLAIN:
            starts = range(0, file.bytes, piece_bytes)
            return [(start, min(start + piece_bytes, file.bytes)) for start in starts]
        case Kind.GZIP:
            return [(0, file.bytes)]
        case Kind.PARQUET:
            try:
                groups = row_groups(file.path)
            except RowsUnreadable:
                groups = 1
            return [(group, group + 1) for group in range(groups)]
