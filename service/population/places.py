"""Where in an export something stands, and what was rejected there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from service.population.reasons import Reason


class Place(NamedTuple):
    """A line of an export.

    Attributes:
        file: its name within the export.
        block: which part of the file it was read in: files are cut to be read side by side.
        line: which line of that part, from 0.
    """

    file: str
    block: int
    line: int


class Rejected(NamedTuple):
    """A line that was not used, and why."""

    place: Place
    reason: Reason


class Block(NamedTuple):
    """A part of a file, and how many lines it has."""

    file: str
    block: int
    lines: int


class LineNumbers:
    """Tells the line of its file a place stands for, from 1.

    Attributes:
        before: file and block → how many lines of the file stand before the block.
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        """Number the lines of files that have these blocks."""
        self.before: dict[tuple[str, int], int] = {}
        counted: Counter[str] = Counter()
        for file, block, lines in sorted(blocks):
            self.before[file, block] = counted[file]
            counted[file] += lines

    def of(self, place: Place) -> int:
        """The line, from 1."""
        return self.before[place.file, place.block] + place.line + 1
