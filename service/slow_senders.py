"""Clients that send slowly, by a bad line or on purpose: they keep nobody else waiting."""

from __future__ import annotations

import socket
from contextlib import suppress
from enum import Enum
from time import monotonic
from typing import Any

from gunicorn.http.unreader import SocketUnreader

# From a connection's first look at a request to the end of its headers.
HEAD_SECONDS = 5.0
# From there to the end of the body, and how long its sender may pause.
BODY_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 10.0
# How long we wait for the client to hang up after our last answer.
FAREWELL_SECONDS = 1.0
# Beyond this the parser looks for itself what is too long.
LONGEST_HEAD = 65_536
CHUNK = 8_192
HEAD_END = b"\r\n\r\n"


class Head(Enum):
    """How far the head of a request, its first line and headers, has come."""

    WHOLE = "whole"  # or for the parser to judge
    COMING = "coming"
    LATE = "late"


class TimedUnreader(SocketUnreader):  # type: ignore[misc]  # gunicorn bears no types
    """What a connection sent, read up to a deadline.

    Attributes:
        head_by: when the head of the request must have come; None between requests.
        body_by: when its body must have come; None outside of one. Both on the monotonic clock.
    """

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self.head_by: float | None = None
        self.body_by: float | None = None

    def look(self) -> Head:
        """Take what has come, without waiting, and say whether that is a whole head."""
        if self.head_by is None:
            self.head_by = monotonic() + HEAD_SECONDS
        if self._is_whole():
            return Head.WHOLE
        if monotonic() >= self.head_by:
            return Head.LATE
        self.sock.setblocking(False)
        try:
            come = self.sock.recv(CHUNK)
        except BlockingIOError:
            return Head.COMING
        finally:
            self.sock.setblocking(True)
        self.buf.seek(0, 2)
        self.buf.write(come)
        return Head.WHOLE if not come or self._is_whole() else Head.COMING

    def _is_whole(self) -> bool:
        held = self.buf.getvalue()
        return len(held) > LONGEST_HEAD or HEAD_END in held.lstrip(b"\r\n")

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes; none when a head comes too late, as if its sender had hung up.

        Raises:
            TimeoutError: a body comes too late, or its sender pauses for too long.
        """
        deadline = self.head_by if self.body_by is None else self.body_by
        if deadline is None:
            return bytes(super().chunk(size_hint))
        try:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError
            self.sock.settimeout(min(left, LONGEST_PAUSE_SECONDS))
            try:
                return bytes(super().chunk(size_hint))
            finally:
                self.sock.settimeout(None)
        except TimeoutError:
            if self.body_by is None:
                return b""
            raise


def timed(connection: Any) -> TimedUnreader:
    """What a connection of gunicorn's reads by, which is ours from its first request on."""
    connection.init()
    unreader = connection.parser.unreader
    if not isinstance(unreader, TimedUnreader):
        unreader = connection.parser.unreader = TimedUnreader(connection.sock)
    return unreader


def part(connection: socket.socket) -> None:
    """Hear a client out that was answered for the last time, for a moment, so that it reads us.

    Gunicorn does so itself, in the one thread that lets all others in; after this it has nothing
    left to wait for. https://www.rfc-editor.org/rfc/rfc9112#section-9.6
    """
    until = monotonic() + FAREWELL_SECONDS
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while (left := until - monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(CHUNK):
                break
    hang_up(connection)


def hang_up(connection: socket.socket) -> None:
    """End a connection both ways; nobody waits for what else may come on it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
