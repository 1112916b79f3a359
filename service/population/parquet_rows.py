"""The rows of a Parquet file, each as the resource it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from service.population.arrow_json import is_text, json_objects

# Rows made JSON at a time.
BATCH = 512
# Columns that hold a whole resource as text, the likeliest first.
WHOLE = ("resource", "json", "line", "value", "content")
# Those of them that no resource has as an element, so that they may stand beside ``resourceType``.
SURELY_WHOLE = ("resource", "json")


class RowsUnreadable(Exception):
    """A file or row group is not Parquet that can be read."""


# A page that cannot be decoded is an OSError like a disk that fails, a day out of the calendar a
# ValueError.
_BROKEN = (pa.ArrowException, OSError, ValueError, OverflowError, ZoneInfoNotFoundError)


def row_groups(path: Path) -> int:
    """How many row groups a file has.

    Raises:
        RowsUnreadable: it is not a Parquet file.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        try:
            return int(pq.ParquetFile(file).metadata.num_row_groups)
        except _BROKEN:
            raise RowsUnreadable from None


def rows(
    path: Path, group: int, kind: str | None, read: Callable[[float], None]
) -> Iterator[bytes]:
    """The resources of a row group, as JSON.

    Either a column of text holds them whole, or the columns are the elements of FHIR, as programs
    make them that read NDJSON and write Parquet. What the row does not have, which is null or
    empty in its columns, is left out.

    Args:
        group: the row group's number.
        kind: the resource type where no column says it; None when that is not known either.
        read: told which share of the row group was read since it was told before.

    Returns:
        An empty text for a null in the place of a resource.

    Raises:
        RowsUnreadable: the rest cannot be read.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        try:
            parquet = pq.ParquetFile(file, buffer_size=1 << 20, pre_buffer=False)
            schema = parquet.schema_arrow
            of_all = max(parquet.metadata.row_group(group).num_rows, 1)
            whole = _whole(schema)
            given = "resourceType" in schema.names or kind is None
            first = b"" if given else b'"resourceType":%b' % msgspec.json.encode(kind)
            columns = None if whole is None else [whole]
            for batch in parquet.iter_batches(BATCH, [group], columns, use_threads=False):
                if whole is not None:
                    yield from map(_bytes, batch.column(whole).to_pylist())
                else:
                    yield from json_objects(batch, first)
                read(batch.num_rows / of_all)
        except _BROKEN:
            raise RowsUnreadable from None


def _whole(schema: pa.Schema) -> str | None:
    """The column that holds resources whole; None when the columns are their elements."""
    if len(schema) == 1:
        return schema.names[0] if is_text(schema.field(0).type) else None
    names = SURELY_WHOLE if "resourceType" in schema.names else WHOLE
    texts = {field.name for field in schema if is_text(field.type)}
    return next((name for name in names if name in texts), None)


def _bytes(value: str | bytes | None) -> bytes:
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else value
