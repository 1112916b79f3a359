"""One file of an export, in each of its forms."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol, cast

SUFFIXES = {"ndjson": "ndjson", "gz": "ndjson.gz", "parquet": "parquet"}
WRITE_BYTES = 1 << 20


class Part(Protocol):
    """One file of lines."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Add lines at the end."""

    def close(self) -> None:
        """No more will come."""


class TextPart:
    """A file of lines, plain or compressed; never with a time of day in it."""

    def __init__(self, file: Path, packed: bool) -> None:
        self._raw: IO[bytes] = file.open("wb", buffering=WRITE_BYTES)
        self._file: IO[bytes] = self._raw
        if packed:
            packing = gzip.GzipFile("", "wb", compresslevel=1, fileobj=self._raw, mtime=0)
            self._file = cast("IO[bytes]", packing)

    def write(self, lines: Sequence[bytes]) -> None:
        """Add lines, each with its end."""
        if lines:
            self._file.write(b"\n".join(lines) + b"\n")

    def close(self) -> None:
        """Close both files where one packs for the other."""
        self._file.close()
        self._raw.close()


class ParquetPart:
    """A Parquet file of one text column, ``resource``: a resource as JSON in each row."""

    def __init__(self, file: Path) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self._batch = pa.RecordBatch.from_pylist
        self._schema = pa.schema([pa.field("resource", pa.string())])
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, lines: Sequence[bytes]) -> None:
        """Add rows, as one row group."""
        if lines:
            rows = [{"resource": line.decode()} for line in lines]
            self._writer.write_batch(self._batch(rows, schema=self._schema))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def open_part(file: Path, form: str) -> Part:
    """A new file in a form; one of the same name is replaced."""
    return ParquetPart(file) if form == "parquet" else TextPart(file, form == "gz")
