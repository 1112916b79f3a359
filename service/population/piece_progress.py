"""How far a piece of an export is read."""

from __future__ import annotations

from collections.abc import Callable


class PieceProgress:
    """Tells how much of a piece is read, while it is: never more than all, and all in the end."""

    def __init__(self, size: int, made: Callable[[int], None]) -> None:
        """Nothing is read yet.

        Args:
            size: bytes of the piece.
            made: told how many more of them are read.
        """
        self._left, self._made = size, made

    def read(self, count: int) -> None:
        """About so many more bytes were read."""
        counted = min(count, self._left)
        self._left -= counted
        self._made(counted)

    def finish(self) -> None:
        """All of it is read."""
        self.read(self._left)
