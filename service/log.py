"""One JSON line for each call; never anything that came out of a chart.

Everybody logs by the standard library, which ``cards`` and third parties know too; structlog
writes the lines.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from json import JSONEncoder
from typing import Any
from uuid import UUID

from structlog.contextvars import bind_contextvars, clear_contextvars, merge_contextvars
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import ProcessorFormatter, add_log_level

LOGGER = logging.getLogger("backpath")
# Whoever logs under these names is ours, and goes through the same formatter.
OURS = (LOGGER, logging.getLogger("cards"), logging.getLogger("service"))
# The server tells how its workers fare. Below errors it quotes requests that it cannot read.
SERVER = logging.getLogger("gunicorn.error")
# What a failed recommendation is logged with: its id, and the type of the exception.
OWN_FIELDS = ("recommendation", "kind")


# What is no JSON is named by its type; its own text might be of the chart.
_ENCODER = JSONEncoder(default=lambda value: type(value).__name__)


class JsonLines(ProcessorFormatter):
    """Writes a record's own fields as one line; texts that were filled in are left out.

    An exception's message and a message's arguments may quote the request: the message stands
    without them, but for whole numbers such as the id of a process.
    """

    def __init__(self) -> None:
        super().__init__(
            processors=[self.remove_processors_meta, JSONRenderer(_json)],
            foreign_pre_chain=[
                _told,
                add_log_level,
                TimeStamper(fmt="iso", utc=True, key="time"),
                merge_contextvars,
            ],
            use_get_message=False,
            pass_foreign_args=True,
        )


def _json(event: Mapping[str, Any], **_: Any) -> str:
    return _ENCODER.encode(event)


def _told(_: Any, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """What a record may tell, and nothing else it bears: no exception, no arguments."""
    record: logging.LogRecord = event["_record"]
    told: dict[str, Any] = {
        "event": record.msg if isinstance(record.msg, str) else type(record.msg).__name__,
        "_record": record,
        "_from_structlog": False,
    }
    extra = vars(record)
    if isinstance(fields := extra.get("fields"), Mapping):
        told.update(fields)
    told.update({name: extra[name] for name in OWN_FIELDS if name in extra})
    arguments = event.get("positional_args")
    if isinstance(arguments, tuple):
        numbers = [value for value in arguments if type(value) is int]
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
    clear_contextvars()
    bind_contextvars(request=request)


def log_event(level: int, event: str, fields: Mapping[str, Any]) -> None:
    """Log one event; the fields bear ids of ours, counts and times only."""
    LOGGER.log(level, event, extra={"fields": fields})


def loggable_uuid(value: object) -> str | None:
    """A client's id when it is a UUID, in canonical form; None for anything else.

    A free text of the client's could hold anything, a name included.
    """
    if not isinstance(value, str) or len(value) > 45:
        return None
    try:
        return str(UUID(value))
    except ValueError:
        return None
