"""The synthetic patients that come with the source, and their requests as of today."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from service.shift import FIXTURE_EXTENSION, shift_to

FIXTURES = Path(__file__).resolve().parents[2] / "fhir_fixtures"


@dataclass(frozen=True, slots=True)
class SyntheticPatient:
    """One invented patient, and the story told of them in words; the name where there is none."""

    name: str
    story: str


def synthetic_patients() -> tuple[SyntheticPatient, ...]:
    """Everybody there is, by story; nobody where the source is not at hand."""
    folder = folder_of_patients()
    return _patients_in(folder) if folder else ()


def request_of(name: str, today: date) -> dict[str, Any] | None:
    """The request of a synthetic patient with its dates moved to a day; None for nobody we know."""
    folder = folder_of_patients()
    if folder is None or name not in {patient.name for patient in _patients_in(folder)}:
        return None
    stored: dict[str, Any] = json.loads((folder / name / "request.json").read_text("utf-8"))
    moved = shift_to(stored, today)
    # What says how it was stored is no longer true of it.
    extension = moved.pop("extension", {})
    others = {name: value for name, value in extension.items() if name != FIXTURE_EXTENSION}
    return moved | ({"extension": others} if others else {})


def folder_of_patients() -> Path | None:
    """Where they are: in the working directory, else beside the source; None where neither is."""
    folders = (Path("fhir_fixtures"), FIXTURES)
    return next((folder for folder in folders if folder.is_dir()), None)


@cache
def _patients_in(folder: Path) -> tuple[SyntheticPatient, ...]:
    stories = _stories(folder / "README.md")
    names = sorted(path.parent.name for path in folder.glob("*/request.json"))
    people = (SyntheticPatient(name, stories.get(name) or name) for name in names)
    return tuple(sorted(people, key=lambda person: person.story.casefold()))


def _stories(page: Path) -> dict[str, str]:
    """The story of each patient, out of the table of patients."""
    if not page.is_file():
        return {}
    rows = (line.split(" | ") for line in page.read_text("utf-8").splitlines())
    return {row[0].removeprefix("| "): row[1] for row in rows if len(row) == 3}
