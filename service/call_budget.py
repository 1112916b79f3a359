"""What one hook call may spend on call-backs: time and bytes, shared by all of them."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Lock
from time import monotonic


class BudgetSpent(Exception):
    """There is no time left."""


class CallBudget:
    """Time and bytes of one hook call; when the time is over, whatever still waits is cut off.

    A server that sends a byte now and then never lets a read time out. So the connections in use
    are known here, and ``end`` shuts them: the threads that read from them stop at once.
    """

    def __init__(self, seconds: float, most_bytes: int) -> None:
        """Start spending now."""
        self._deadline = monotonic() + seconds
        self._bytes_left = most_bytes
        self._ended = Event()
        self._lock = Lock()
        self._watched: set[socket.socket] = set()

    def left(self) -> float:
        """Seconds left; more than 0.

        Raises:
            BudgetSpent: there are none.
        """
        seconds = self._deadline - monotonic()
        if seconds <= 0 or self._ended.is_set():
            raise BudgetSpent
        return seconds

    def wait(self, seconds: float) -> None:
        """Wait before another attempt.

        Raises:
            BudgetSpent: so long a wait would outlast the budget.
        """
        if seconds >= self.left() or self._ended.wait(seconds):
            raise BudgetSpent

    def spend(self, count: int) -> bool:
        """Count bytes received; whether as many were left."""
        with self._lock:
            self._bytes_left -= count
            return self._bytes_left >= 0

    def watch(self, connection: socket.socket) -> None:
        """Have this connection shut when the budget ends, or now if it has."""
        with self._lock:
            self._watched.add(connection)
        if self._ended.is_set():
            _shut(connection)

    def unwatch(self, connection: socket.socket) -> None:
        """Forget a connection; another call may use it now."""
        with self._lock:
            self._watched.discard(connection)

    def end(self) -> None:
        """Cut off whatever is still under way; nothing is left from now on."""
        self._ended.set()
        with self._lock:
            connections = tuple(self._watched)
        for connection in connections:
            _shut(connection)


def _shut(connection: socket.socket) -> None:
    # The plain socket's method: that of TLS would also drop the session another thread reads from.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
