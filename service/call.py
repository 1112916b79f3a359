"""A hook call as it comes: the bulk of it decoded once, in the form its readers want."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from service.envelope import read_json
from service.patient_record.flat import Delivered, DeliveredOddly, Odd, Undecodable

_NOTHING = msgspec.Raw(b"")
_STRICT = ("hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "extension")


def _decoder(delivered: Any) -> msgspec.json.Decoder[Any]:
    """A decoder of calls: the prefetch decoded flat, all else left as bytes."""
    prefetch = dict[str, delivered] | Odd
    strict = ((name, msgspec.Raw, _NOTHING) for name in _STRICT)
    return msgspec.json.Decoder(msgspec.defstruct("Call", [("prefetch", prefetch, None), *strict]))


_CALLS = _decoder(Delivered)
_ODD_CALLS = _decoder(DeliveredOddly)


def read_call(body: bytes) -> dict[str, Any]:
    """The members of a hook call; the prefetch is decoded once, its resources flat.

    All but the prefetch is read strictly. Whatever cannot be decoded is read again, strictly, to
    say what is wrong.

    Raises:
        RequestRefused: 400, see ``read_json``.
    """
    try:
        if not body.isascii():
            body.decode()  # texts that nobody reads must be UTF-8 too
        call = _decoded(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return read_json(body)
    members = {name: getattr(call, name) for name in _STRICT}
    sent = b",".join(b'"%s":%s' % (n.encode(), bytes(v)) for n, v in members.items() if v)
    flat = {} if call.prefetch is None else {"prefetch": call.prefetch}
    return read_json(b"{%s}" % sent) | flat


def _decoded(body: bytes) -> Any:
    """The call; a second time and slower, where a resource is of a type that is rarely sent."""
    try:
        return _CALLS.decode(body)
    except msgspec.ValidationError:
        return _ODD_CALLS.decode(body)


@contextmanager
def elements_of(body: bytes) -> Iterator[None]:
    """Refuse the call when a reader inside asks for an element that cannot be decoded.

    Raises:
        RequestRefused: 400, with what ``read_json`` says is wrong with the body.
    """
    try:
        yield
    except Undecodable:
        read_json(body)
        raise
