"""JSON in plain ASCII, so that any text survives any client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder()


def ascii_json(value: Mapping[str, Any]) -> bytes:
    """The JSON text of a value, what is not ASCII escaped.

    Raises:
        ValueError: a number is none that JSON has.
    """
    try:
        encoded = _ENCODER.encode(value)
    except (msgspec.MsgspecError, OverflowError, UnicodeError):
        return _strictly(value)  # whole numbers of more than 64 bits, halves of surrogate pairs
    # The quick encoder writes null for what is no number, the strict one refuses it.
    if b"null" in encoded:
        return _strictly(value)
    return encoded if encoded.isascii() else _escaped(encoded) or _strictly(value)


def _escaped(encoded: bytes) -> bytes | None:
    """A JSON text with the escapes of Python for what is not ASCII; None where JSON's are others.

    They are the same but for the first 256 characters and those beyond the first plane.
    """
    escaped = encoded.decode().encode("ascii", "backslashreplace")
    return None if b"\\x" in escaped or b"\\U" in escaped else escaped


def _strictly(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, allow_nan=False).encode("ascii")
