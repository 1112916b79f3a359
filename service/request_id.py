"""The id that names one request in our log, in our answer and in the caller's own log."""

from __future__ import annotations

import re
from uuid import uuid4

HEADER = "X-Request-ID"
# What gateways make: a UUID, or hexadecimal digits with or without hyphens. Nothing shorter or
# freer is taken over: a name, a birth date or a record number would fit into it.
_MADE_BY_A_MACHINE = re.compile(r"(?=[0-9A-Fa-f-]{16,64}\Z)[0-9A-Fa-f]+(?:-[0-9A-Fa-f]+)*")
FEWEST_DIGITS = 16


def request_id(sent: str | None) -> str:
    """The caller's id when it can hold nothing but an id, else a new one.

    Args:
        sent: the header ``X-Request-ID``; None when there was none.
    """
    if sent and _MADE_BY_A_MACHINE.fullmatch(sent):
        digits = sent.replace("-", "")
        if len(digits) >= FEWEST_DIGITS:
            return sent
    return uuid4().hex
