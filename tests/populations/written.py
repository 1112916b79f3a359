"""What was written: files, lines, patients, and every bad line that was planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FORMS = ("ndjson", "gz", "parquet")


@dataclass(frozen=True, slots=True)
class Planted:
    """One bad line: its file's name, its line from 1 (of Parquet: its row), and what is wrong."""

    file: str
    line: int
    kind: str


@dataclass(frozen=True, slots=True)
class Written:
    """An export.

    Attributes:
        patients: how many patients have a good Patient line.
        files: lines of each file, the planted ones included.
        planted: the bad lines, by file and line.
    """

    patients: int
    files: Mapping[str, int]
    planted: Sequence[Planted]

    @property
    def lines(self) -> Mapping[str, int]:
        """Lines of each resource type, the planted ones included."""
        found: Counter[str] = Counter()
        for name, count in self.files.items():
            found[name.partition(".")[0]] += count
        return found
