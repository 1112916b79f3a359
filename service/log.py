"""One JSON line for each call; never anything that came out of a chart."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from typing import Any
from uuid import UUID

LOGGER = logging.getLogger("backpath")
# Whoever logs under these names is ours, and goes through the same formatter.
OURS = (LOGGER, logging.getLogger("cards"), logging.getLogger("service"))
# What a failed recommendation is logged with: its id, and the type of the exception.
OWN_FIELDS = ("recommendation", "kind")


class JsonLines(logging.Formatter):
    """Writes a record's own fields as one line; exception texts are left out.

    An exception's message may quote the request, so only its type is ever written.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The JSON text of one record."""
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "event": record.msg if isinstance(record.msg, str) else type(record.msg).__name__,
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            line.update(fields)
        line.update({name: vars(record)[name] for name in OWN_FIELDS if name in vars(record)})
        return json.dumps(line)


def start_log(level: str) -> None:
    """Send Backpath's lines to standard error, from this level up (``info`` …)."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(JsonLines())
    for logger in OURS:
        for old in list(logger.handlers):
            if isinstance(old.formatter, JsonLines):
                logger.removeHandler(old)
        logger.addHandler(stream)
        logger.setLevel(level.upper())


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
