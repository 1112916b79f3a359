"""Clients that send slowly, by a bad line or on purpose: they keep nobody else waiting."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from enum import Enum
from io import BytesIO
from time import monotonic
from typing import Any

from gunicorn.http.unreader import SocketUnreader

# From a connection's first look at a request to the end of its headers.
HEAD_SECONDS = 5.0
# From there to the end of the body, and how long its sender may pause; both are looked after
# whenever bytes come and at least once in a tick.
BODY_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 10.0
TICK_SECONDS = 0.5
# The kernel ends a wait after a tick: seconds and millionths, as C has them.
TICK = struct.pack("ll", int(TICK_SECONDS), int(TICK_SECONDS % 1 * 1_000_000))
# How long we wait for the client to hang up after our last answer.
FAREWELL_SECONDS = 1.0
# Beyond this the parser looks for itself what is too long.
LONGEST_HEAD = 65_536
CHUNK = 65_536
# Room is made for as much as is announced, which anybody can do; but not for more than this.
LONGEST_PIECE = 4_194_304
HEAD_END = b"\r\n\r\n"


class Head(Enum):
    """How far the head of a request, its first line and headers, has come."""

    WHOLE = "whole"  # or for the parser to judge
    COMING = "coming"
    LATE = "late"


class TimedUnreader(SocketUnreader):  # type: ignore[misc]  # gunicorn bears no types
    """What a connection sent, read up to a deadline.

    The parser is given the head alone, so that it copies nothing of the body; and a body whose
    length is known is waited for by the kernel, which wakes us once and not for every packet.

    Attributes:
        head_by: when the head of the request must have come; None between requests.
        body_by: when its body must have come; None outside of one. Both on the monotonic clock.
    """

    buf: BytesIO

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self.head_by: float | None = None
        self.body_by: float | None = None
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, TICK)

    def look(self) -> Head:
        """Take what has come, without waiting, and say whether that is a whole head."""
        if self.head_by is None:
            self.head_by = monotonic() + HEAD_SECONDS
        if self._head_length():
            return Head.WHOLE
        if monotonic() >= self.head_by:
            return Head.LATE
        try:
            come = self.sock.recv(CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return Head.COMING
        self._add(come)
        return Head.WHOLE if not come or self._head_length() else Head.COMING

    def linger(self) -> bool:
        """Wait for the next request, for a tick; whether one begins, or the client hung up."""
        if not self.buf.getvalue():
            try:
                self._add(self.sock.recv(CHUNK))
            except BlockingIOError:
                return False
        return True

    def _add(self, come: bytes) -> None:
        # A buffer made of bytes shares them; one that is written to copies.
        self.buf = BytesIO(self.buf.getvalue() + come)

    def _head_length(self) -> int:
        """How much of what is held is for the parser; 0 while the head is still coming."""
        held = self.buf.getvalue()
        empty_lines = len(held) - len(held.lstrip(b"\r\n"))
        end = held.find(HEAD_END, empty_lines)
        if end >= 0:
            return end + len(HEAD_END)
        return len(held) if len(held) > LONGEST_HEAD else 0

    def read(self, size: int | None = None, read_ahead: int | None = None) -> bytes:
        """So many bytes, fewer when the sender hung up; or, without a size, the next ones."""
        held: bytes = self.buf.getvalue()
        if size is None:
            if not held:
                return self.chunk(read_ahead)
            size = self._head_length() if self.body_by is None else 0
            size = size or len(held)
        elif len(held) < size:
            return self._gathered(held, size)
        self.buf = BytesIO(held[size:])
        return held[:size]

    def _gathered(self, held: bytes, size: int) -> bytes:
        pieces, missing = [held], size - len(held)
        self.buf = BytesIO()
        while missing and (piece := self.chunk(missing)):
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def unread(self, data: bytes) -> None:
        """Put back what was read too far."""
        if data:
            self.buf = BytesIO(data + self.buf.getvalue())

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes; none when a head comes too late, as if its sender had hung up.

        Args:
            size_hint: how many are to come; so many at most, or what came of them within a tick.

        Raises:
            TimeoutError: a body comes too late, or its sender pauses for too long.
        """
        deadline = self.head_by if self.body_by is None else self.body_by
        size = min(size_hint or CHUNK, LONGEST_PIECE)
        if deadline is None:  # whoever calls has set a time of his own
            return bytes(self.sock.recv(size))
        flags = socket.MSG_WAITALL if size_hint else 0
        now = monotonic()
        until = min(deadline, now + LONGEST_PAUSE_SECONDS)
        while now < until:
            with suppress(BlockingIOError):
                return bytes(self.sock.recv(size, flags))
            now = monotonic()
        if self.body_by is None:
            return b""
        raise TimeoutError


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
