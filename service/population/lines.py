"""The lines of a piece of an export, read as a stream."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import partial
from typing import BinaryIO, Final

from service.population.export import GZIP_MAGIC, Kind, Piece, type_named
from service.population.parquet_rows import RowsUnreadable, rows

# A resource with a document inside may take some of it; a line of more is no resource.
LONGEST_LINE = 16 << 20
# Read at a time; of more, memory comes from the system anew each time, which takes longer.
CHUNK = 120 << 10
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class NoLine(Enum):
    """What stands in the place of a line that cannot be given."""

    TOO_LONG = "too long"
    BROKEN = "broken off"


TOO_LONG: Final = NoLine.TOO_LONG
"""One line of more than ``LONGEST_LINE`` bytes, which is never held."""
BROKEN: Final = NoLine.BROKEN
"""The file cannot be read from here on: it was cut short, or is damaged."""

Line = bytes | NoLine
# Told how many more bytes of a file were read.
Read = Callable[[int], None]


class _BrokenOff(Exception):
    """The bytes end before they should."""


def _nobody(_: int) -> None:
    """Nobody wants to know how much is read."""


def lines(piece: Piece, read: Read = _nobody) -> Iterator[Line]:
    """The lines of a piece in their order, without line ends; an empty line is ``b""``.

    A line belongs to the piece its first byte lies in. The line number of each is the number of
    lines of the file's earlier pieces, and its place among these, from 1. A row of a Parquet file
    is a line, holding the resource as JSON. Only a chunk or a line is held at a time.

    Args:
        read: told of the bytes as they lie on disk, about; without it nobody is.

    Returns:
        ``TOO_LONG`` stands for a line; ``BROKEN`` only at the end, for the rest of the piece.

    Raises:
        OSError: the file is gone, or the disk fails; reading again may help.
    """
    match piece.kind:
        case Kind.PLAIN:
            cut = split(_counted(_plain(piece), read))
            return cut if piece.block else _without_mark(cut)
        case Kind.GZIP:
            return _without_mark(split(_unzipped(piece, read)))
        case Kind.PARQUET:
            return _rows(piece, read)


def split(chunks: Iterable[bytes], longest: int = LONGEST_LINE) -> Iterator[Line]:
    """The lines of what the chunks hold together.

    Args:
        chunks: none longer than ``longest``.
        longest: bytes of a line without its end; a longer one is ``TOO_LONG``.
    """
    begun: list[bytes] = []
    length = 0
    try:
        for chunk in chunks:
            first, *others = chunk.split(b"\n")
            length += len(first)
            if length <= longest + 1:  # a carriage return does not count
                begun.append(first)
            else:
                begun.clear()
            if not others:
                continue
            yield _whole(begun, length, longest)
            last = others.pop()
            if b"\r" in chunk:
                others = [line.removesuffix(b"\r") for line in others]
            yield from others
            begun, length = [last], len(last)
    except _BrokenOff:
        yield BROKEN
        return
    if length:
        yield _whole(begun, length, longest)


def _whole(begun: list[bytes], length: int, longest: int) -> Line:
    line = b"".join(begun).removesuffix(b"\r")
    return TOO_LONG if length > longest + 1 or len(line) > longest else line


def _without_mark(cut: Iterator[Line]) -> Iterator[Line]:
    for first in cut:
        yield first.removeprefix(BYTE_ORDER_MARK) if isinstance(first, bytes) else first
        break
    yield from cut


def _counted(chunks: Iterable[bytes], read: Read) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        read(len(chunk))


def _plain(piece: Piece) -> Iterator[bytes]:
    """The bytes of the lines that start in the piece."""
    with piece.path.open("rb") as file:
        # A line starts with the piece when the byte before is a line end.
        start = max(piece.block - 1, 0)
        file.seek(start)
        chunks = _chunks(file, piece.end - start)
        last = b""
        for last in _after_line_end(chunks) if piece.block else chunks:
            yield last
        if last and not last.endswith(b"\n"):
            yield from _up_to_line_end(iter(partial(file.read, CHUNK), b""))


def _chunks(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0 and (chunk := file.read(min(CHUNK, length))):
        yield chunk
        length -= len(chunk)


def _after_line_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        _, line_end, after = chunk.partition(b"\n")
        if line_end:
            yield after
            yield from chunks


def _up_to_line_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        line, line_end, _ = chunk.partition(b"\n")
        yield line + line_end
        if line_end:
            return


def _unzipped(piece: Piece, read: Read) -> Iterator[bytes]:
    with piece.path.open("rb") as zipped:
        # An empty file is no gzip either, which the library does not mind.
        if zipped.read(2) != GZIP_MAGIC:
            raise _BrokenOff
        zipped.seek(0)
        before = 0
        with gzip.open(zipped) as file:
            try:
                # One step at a time: a longer read loses what came before the break.
                for chunk in iter(partial(file.read1, CHUNK), b""):
                    yield chunk
                    read(zipped.tell() - before)
                    before = zipped.tell()
            except (EOFError, gzip.BadGzipFile, zlib.error):
                raise _BrokenOff from None


def _rows(piece: Piece, read: Read) -> Iterator[Line]:
    def read_share(share: float) -> None:
        read(int(share * piece.bytes))

    try:
        for row in rows(piece.path, piece.block, type_named(piece.name), read_share):
            yield row if len(row) <= LONGEST_LINE else TOO_LONG
    except RowsUnreadable:
        yield BROKEN
