"""Arrow columns as the JSON they were read from, a whole column at a time."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

Texts = list[bytes | None]
"""The JSON of each slot; None where there is nothing, be it null or empty."""

# Beyond, not every whole number is a double.
_EXACT = 2**53
UTC_OFFSET = "+00:00"
UTC_NAMES = (UTC_OFFSET, "UTC", "Etc/UTC", "Z")

_encode = msgspec.json.encode


def json_objects(batch: pa.RecordBatch, first: bytes = b"") -> list[bytes]:
    """Each row as a JSON object; columns are its members, and what is null or empty is left out.

    Args:
        first: a member that every object has beside, such as ``"resourceType":"Patient"``.
    """
    rows = _members(batch.schema, batch.columns, batch.num_rows)
    return [b"{" + b",".join(filter(None, (first, members))) + b"}" for members in rows]


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds texts, or bytes that may be texts."""
    if isinstance(kind, pa.BaseExtensionType):
        return bool(kind.extension_name == "arrow.json")
    if types.is_dictionary(kind):
        return is_text(kind.value_type)
    return _is_string(kind) or _is_bytes(kind)


def _texts(column: pa.Array) -> Texts:
    kind = column.type
    if column.null_count == len(column):
        return [None] * len(column)
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.json":
            return [_unless_null(each) for each in column.storage.to_pylist()]
        return _texts(column.storage) if kind.extension_name != "arrow.uuid" else _each(column)
    if types.is_struct(kind):
        found = _members(kind, column.flatten(), len(column))
        return [b"{" + members + b"}" if members else None for members in found]
    if types.is_map(kind):
        return _maps(column)
    if types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if _is_list(kind):
        return _lists(column)
    if types.is_timestamp(kind):
        return _instants(column)
    return _each(column)


def _members(fields: Iterable[pa.Field], columns: list[pa.Array], rows: int) -> list[bytes]:
    """The members of each row's object, in one text; empty where it has none."""
    held = [
        _member(field.name, column)
        for field, column in zip(fields, columns, strict=True)
        if column.null_count < rows
    ]
    if not held:
        return [b""] * rows
    return [b",".join(filter(None, row)) for row in zip(*held, strict=True)]


def _member(name: str, column: pa.Array) -> Texts:
    start = _encode(name) + b":"
    return [text and start + text for text in _texts(column)]


def _lists(column: pa.Array) -> Texts:
    """Arrays; one that holds only nothing is nothing, else nulls keep their places in it."""
    inner = _texts(column.flatten())
    found: Texts = []
    at = 0
    for length in pc.list_value_length(column).to_pylist():
        found.append(_array(inner[at : at + length]) if length else None)
        at += length or 0
    return found


def _array(texts: Texts) -> bytes | None:
    if any(texts):
        return b"[" + b",".join([text or b"null" for text in texts]) + b"]"
    return None


def _maps(column: pa.Array) -> Texts:
    """Objects of which a program that guesses took the names for values."""
    entries = column.cast(pa.list_(pa.struct([column.type.key_field, column.type.item_field])))
    names, texts = map(iter, (_texts(each) for each in entries.flatten().flatten()))
    lengths = pc.list_value_length(entries).to_pylist()
    found: Texts = []
    for length in lengths:
        pairs = list(zip(islice(names, length or 0), islice(texts, length or 0), strict=True))
        members = [name + b":" + text for name, text in pairs if name and text is not None]
        found.append(b"{" + b",".join(members) + b"}" if members else None)
    return found


def _each(column: pa.Array) -> Texts:
    write = _writer(column.type)
    return [None if value is None else write(value) for value in column.to_pylist()]


def _writer(kind: pa.DataType) -> Callable[[Any], bytes | None]:
    if types.is_floating(kind):
        return _number
    if types.is_decimal(kind):
        return _decimal
    if types.is_date(kind) or types.is_time(kind):
        return _day_or_time
    if isinstance(kind, pa.BaseExtensionType):
        return _uuid
    return _blob if _is_bytes(kind) else _encode


def _unless_null(text: str | None) -> bytes | None:
    return None if text is None or text.strip() == "null" else text.encode()


def _number(value: float) -> bytes | None:
    """A number; whole ones as such, for many a program makes all numbers of a column doubles."""
    if math.isnan(value):
        return None  # what some programs write for null
    if math.isinf(value):
        return b"1e999" if value > 0 else b"-1e999"  # as it was: JSON that stands for no number
    return _encode(int(value) if value.is_integer() and abs(value) < _EXACT else value)


def _decimal(value: Decimal) -> bytes:
    return format(value, "f").encode()


def _instants(column: pa.Array) -> Texts:
    """FHIR dateTimes in the column's time zone; in UTC when it has none.

    Midnight of a column without zone is a day: programs that guess make times of dates.
    """
    zone = column.type.tz
    # Only other zones are looked up, which not every machine can.
    held = pa.timestamp("us", None if zone in UTC_NAMES else zone)
    times = column.cast(held, safe=False).to_pylist()
    if zone is None:
        return [None if time is None else _encode(_day_or_instant(time)) for time in times]
    return [None if time is None else _encode(_instant(time)) for time in times]


def _day_or_instant(time: datetime) -> str:
    midnight = not (time.hour or time.minute or time.second or time.microsecond)
    return time.date().isoformat() if midnight else _instant(time)


def _instant(time: datetime) -> str:
    fine = "microseconds" if time.microsecond % 1_000 else "milliseconds"
    zoned = time if time.tzinfo else time.replace(tzinfo=UTC)
    whole = zoned.isoformat(timespec=fine if time.microsecond else "seconds")
    return f"{whole.removesuffix(UTC_OFFSET)}Z" if whole.endswith(UTC_OFFSET) else whole


def _day_or_time(value: date) -> bytes:
    return _encode(value.isoformat())


def _uuid(value: UUID) -> bytes:
    return _encode(str(value))


def _blob(value: bytes) -> bytes:
    """Text, which older programs mark as bytes; else as FHIR writes bytes."""
    try:
        return _encode(value.decode())
    except UnicodeDecodeError:
        return _encode(b64encode(value).decode())


def _is_string(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    sized = types.is_binary(kind) or types.is_large_binary(kind)
    return bool(sized or types.is_binary_view(kind) or types.is_fixed_size_binary(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))
