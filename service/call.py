"""A hook call as it comes: the bulk of it decoded once, in the form its readers want."""

from __future__ import annotations

from typing import Any

import msgspec

from service.envelope import read_json
from service.patient_record.flat import FlatBundle, Odd

_NOTHING = msgspec.Raw(b"")
_STRICT = ("hook", "hookInstance", "fhirServer", "fhirAuthorization", "context", "extension")

Prefetch = dict[str, FlatBundle | Odd] | Odd  # type: ignore[valid-type]


class _Call(msgspec.Struct):
    """A call as it comes: the prefetch decoded flat, all else left as bytes."""

    prefetch: Prefetch = None
    hook: msgspec.Raw = _NOTHING
    hookInstance: msgspec.Raw = _NOTHING  # noqa: N815 a name of the specification
    fhirServer: msgspec.Raw = _NOTHING  # noqa: N815
    fhirAuthorization: msgspec.Raw = _NOTHING  # noqa: N815
    context: msgspec.Raw = _NOTHING
    extension: msgspec.Raw = _NOTHING


_CALLS = msgspec.json.Decoder(_Call)


def read_call(body: bytes) -> dict[str, Any]:
    """The members of a hook call; the prefetch is decoded once, its resources flat.

    All but the prefetch is read strictly. Whatever cannot be decoded is read again, strictly, to
    say what is wrong.

    Raises:
        RequestRefused: 400, see ``read_json``.
    """
    try:
        body.decode()  # texts that nobody reads must be UTF-8 too
        call = _CALLS.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return read_json(body)
    members = {name: getattr(call, name) for name in _STRICT}
    sent = b",".join(b'"%s":%s' % (n.encode(), bytes(v)) for n, v in members.items() if v)
    flat = {} if call.prefetch is None else {"prefetch": call.prefetch}
    return read_json(b"{%s}" % sent) | flat
