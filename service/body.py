"""Bodies in and out: what a client sent as JSON, and what we send back."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from service.ascii_json import ascii_json
from service.envelope import MOST_OBJECTS, has_too_many_objects
from service.errors import broken_off, not_json, too_large, too_many
from service.house import house
from service.plain_flask import WholeResponse

# What is read and thrown away of a refused body, so that the client reads our answer instead of a
# broken connection. https://www.rfc-editor.org/rfc/rfc9112#section-9.6
DRAINED_BODIES = 4
CHUNK = 65_536


def read_body() -> bytes:
    """The bytes of a JSON body.

    Raises:
        RequestRefused: 415 when it is not sent as JSON, 413 when it is too long or holds too many
            objects, 400 when it breaks off.
    """
    kind = request.mimetype
    if not kind:
        raise not_json("The Content-Type is missing; it must be application/json.")
    if kind != "application/json" and not kind.endswith("+json"):
        raise not_json("The Content-Type must be application/json.")
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise not_json("A compressed body is not read; send it uncompressed.")
    try:
        body = _read_up_to(house().settings.max_body_bytes)
    except (OSError, ClientDisconnected, ParseException):  # cut short, wrongly chunked, or stalled
        raise broken_off() from None
    if has_too_many_objects(body):
        raise too_many(MOST_OBJECTS, "objects")
    return body


def _read_up_to(limit: int) -> bytes:
    """The whole body, however it is sent; a chunked one says its length only by ending."""
    announced = request.content_length
    pieces: list[bytes] = []
    if announced is None or announced <= limit:
        missing = limit + 1 if announced is None else announced
        while missing > 0 and (piece := request.stream.read(missing)):
            pieces.append(piece)
            missing -= len(piece)
    body = b"".join(pieces)  # which copies nothing if there is but one
    if len(body) > limit or (announced is not None and announced > limit):
        _drain(DRAINED_BODIES * limit)
        raise too_large(limit)
    return body


def _drain(most: int) -> None:
    """Throw away the rest of a body that is too long, up to this many bytes."""
    while most > 0 and (chunk := request.stream.read(CHUNK)):
        most -= len(chunk)


def as_json(body: dict[str, Any], status: int = 200) -> Response:
    """A JSON response; plain ASCII, so that any text survives any client."""
    return WholeResponse(ascii_json(body), status=status, content_type="application/json")
