"""The exports that are judged: synthetic populations, made once and kept."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.populations import write_population

DAY = date(2026, 3, 1)
SEED = 1


@dataclass(frozen=True, slots=True)
class Population:
    """An export on disk.

    Attributes:
        lines: of all its files, whether the service reads their type or not.
    """

    folder: Path
    patients: int
    lines: int
    bytes: int

    @property
    def files(self) -> list[Path]:
        """Its NDJSON files."""
        return sorted(self.folder.glob("*.ndjson"))


def population_of(patients: int, exports: Path) -> Population:
    """The export of so many patients; the one made earlier when there is one.

    Args:
        exports: the folder of all exports, made if need be.
    """
    folder = exports / f"{patients}-patients-seed-{SEED}-{DAY}"
    counted = folder / "counted.json"
    if not counted.exists():
        shutil.rmtree(folder, ignore_errors=True)
        written = write_population(folder / "export", patients=patients, day=DAY, seed=SEED)
        counted.write_text(json.dumps({"lines": sum(written.files.values())}), encoding="utf-8")
    lines = json.loads(counted.read_text(encoding="utf-8"))["lines"]
    found = Population(folder / "export", patients, lines, 0)
    size = sum(file.stat().st_size for file in found.files)
    return Population(found.folder, patients, lines, size)
