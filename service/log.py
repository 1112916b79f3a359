"""One JSON line for each call; never anything that came out of a chart.

Everybody logs by the standard library, which ``cards`` and third parties know too.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from json import JSONEncoder
from typing import Any
from uuid import UUID

LOGGER = logging.getLogger("backpath")
# Whoever logs under these names is ours, and goes through the same formatter.
OURS = (LOGGER, logging.getLogger("cards"), logging.getLogger("service"))
# The server tells how its workers fare. Below errors it quotes requests that it cannot read.
SERVER = logging.getLogger("gunicorn.error")
# What a failed recommendation is logged with: its id, and the type of the exception.
OWN_FIELDS = ("recommendation", "kind")
_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# What is no JSON is named by its type; its own text might be of the chart.
_ENCODER = JSONEncoder(default=lambda value: type(value).__name__)


# The request that this thread answers.
_REQUEST: ContextVar[str | None] = ContextVar("request", default=None)


class JsonLines(logging.Formatter):
    """Writes a record's own fields as one line; texts that were filled in are left out.

    An exception's message and a message's arguments may quote the request: the message stands
    without them, but for whole numbers such as the id of a process.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record, without the end of the line."""
        told = _told(record)
        told["level"] = record.levelname.lower()
        told["time"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        request = _REQUEST.get()
        if request is not None:
            told.setdefault("request", request)
        return _ENCODER.encode(told)


def _told(record: logging.LogRecord) -> dict[str, Any]:
    """What a record may tell, and nothing else it bears: no exception, no arguments."""
    told: dict[str, Any] = {
        "event": record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    }
    extra = vars(record)
    if isinstance(fields := extra.get("fields"), Mapping):
        told.update(fields)
    told.update({name: extra[name] for name in OWN_FIELDS if name in extra})
    if isinstance(record.args, tuple):
        numbers = [value for value in record.args if type(value) is int]
        told.update({"numbers": numbers} if numbers else {})
    return told


def start_log(level: str) -> None:
    """Send Backpath's lines to standard error, from this level up (``info`` …)."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(JsonLines())
    for logger in (*OURS, SERVER):
        for old in list(logger.handlers):
            if isinstance(old.formatter, JsonLines):
                logger.removeHandler(old)
        logger.addHandler(stream)
        logger.setLevel(level.upper())
    SERVER.setLevel(logging.ERROR)


def begin_lines(request: str) -> None:
    """From here on, every line of this thread bears this request id."""
    _REQUEST.set(request)


def is_written(level: int) -> bool:
    """Whether a line of this level is written at all; what it would tell need not be found out."""
    return LOGGER.isEnabledFor(level)


def log_event(level: int, event: str, fields: Mapping[str, Any]) -> None:
    """Log one event; the fields bear ids of ours, counts and times only."""
    LOGGER.log(level, event, extra={"fields": fields})


def loggable_uuid(value: object) -> str | None:
    """A client's id when it is a UUID, in canonical form; None for anything else.

    A free text of the client's could hold anything, a name included.
    """
    if not isinstance(value, str) or len(value) > 45:
        return None
    if _CANONICAL.fullmatch(value):
        return value
    try:
        return str(UUID(value))
    except ValueError:
        return None
