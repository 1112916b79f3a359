"""How many calls are answered at once: a bounded number runs, a bounded number waits briefly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import TracebackType

PATIENCE_SECONDS = 1.0


class Busy(Exception):
    """Too many calls are running and waiting; nothing of this one was done."""


class Places:
    """A number of places, each taken by a ``with`` block while it lasts.

    Args:
        count: how many there are.
        patience: seconds to wait for one; 0 does not wait.
    """

    def __init__(self, count: int, patience: float) -> None:
        self._count = count
        self._patience = patience
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(count):
            self._free.put(None)

    @property
    def taken(self) -> int:
        """How many are taken now."""
        return self._count - self._free.qsize()

    def __enter__(self) -> None:
        """Take a place.

        Raises:
            Busy: none was free for as long as one waits.
        """
        try:
            self._free.get(block=self._patience > 0, timeout=self._patience or None)
        except Empty:
            raise Busy from None

    def __exit__(self, *_: object) -> None:
        self._free.put(None)


class Turn:
    """One place, held while a ``with`` block lasts but for when the call waits for others."""

    def __init__(self, places: Places) -> None:
        """It begins with the block."""
        self._places = places
        self._held = False

    def __enter__(self) -> Turn:
        """Take a place.

        Raises:
            Busy: none was free for as long as one waits.
        """
        self._places.__enter__()
        self._held = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        problem: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if self._held:
            self._held = False
            self._places.__exit__()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Leave the place to others while this block lasts, then take one again.

        Raises:
            Busy: none was free again for as long as one waits.
        """
        self.__exit__()
        yield
        self.__enter__()


class Gate:
    """The way in for the calls of one process.

    Attributes:
        seats: of the waiting room, where a call proves who sends it and is received; a slow sender
            holds a seat and no more. When all are taken the next call is refused at once.
        places: to run; fewer, and waited for on a seat. Whoever waits for a FHIR server holds a
            seat and no place.
    """

    def __init__(self, running: int, waiting: int, patience: float = PATIENCE_SECONDS) -> None:
        self.seats = Places(running + waiting, 0)
        self.places = Places(running, patience)

    def turn(self) -> Turn:
        """A place to run, for one call."""
        return Turn(self.places)

    @property
    def running(self) -> int:
        """How many calls are being answered."""
        return self.places.taken

    @property
    def waiting(self) -> int:
        """How many calls are being received or wait for a place."""
        return max(0, self.seats.taken - self.places.taken)
