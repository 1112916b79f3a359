"""What the export of a population holds, patient by patient, as an EHR would send it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.patient_record.references import target
from service.population.resource_line import NEEDED
from service.prefetch import SEARCHES

JSON = dict[str, Any]
ORDER = "MedicationRequest"


@dataclass(frozen=True)
class Held:
    """All that an export holds, by patient; noise and all.

    Attributes:
        patients: id → the Patient.
        theirs: id → what is of them, but the Patient.
        medications: id → the Medication.
    """

    patients: Mapping[str, JSON]
    theirs: Mapping[str, list[JSON]]
    medications: Mapping[str, JSON]

    def ordered_by(self, patient: str) -> list[JSON]:
        """The Medications the orders of a patient point at, each once."""
        pointed = (
            target(one.get("medicationReference", {}).get("reference", ""))[1]
            for one in self.theirs.get(patient, ())
            if one["resourceType"] == ORDER
        )
        return [
            self.medications[name] for name in dict.fromkeys(pointed) if name in self.medications
        ]

    def history(self, patient: str) -> list[JSON]:
        """Everything of a patient, in the order of the export."""
        own = [self.patients[patient], *self.theirs.get(patient, ())]
        return [*own, *self.ordered_by(patient)]

    def prefetch(self, patient: str) -> JSON:
        """What an EHR would send of a patient."""
        by_type: defaultdict[str, list[JSON]] = defaultdict(list)
        for one in self.theirs.get(patient, ()):
            by_type[one["resourceType"]].append(one)
        by_type[ORDER] += self.ordered_by(patient)
        return {
            "patient": self.patients[patient],
            **{key: _search_set(by_type[kind]) for key, kind in SEARCHES.items()},
        }

    def call(self, patient: str) -> JSON:
        """The call an EHR would make when the chart of a patient is opened."""
        return {
            "hook": "patient-view",
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/doc-1", "patientId": patient},
            "prefetch": self.prefetch(patient),
        }


def _search_set(resources: list[JSON]) -> JSON:
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def held(folder: Path) -> Held:
    """What an export of plain files without bad lines holds."""
    patients, medications, theirs = {}, {}, defaultdict(list)
    for file in sorted(folder.glob("*.ndjson")):
        for line in file.read_bytes().splitlines():
            one = json.loads(line)
            about = one.get("subject") or one.get("patient") or {}
            match one["resourceType"]:
                case "Patient":
                    patients[one["id"]] = one
                case "Medication":
                    medications[one["id"]] = one
                case _:
                    theirs[target(about.get("reference", ""))[1]].append(one)
    return Held(patients, theirs, medications)


def told(row: JSON) -> JSON:
    """What a card row says beside who and when it is of, as ``shown`` tells it of a card."""
    return {name: row[name] for name in ("recommendation", "indicator", "state", "phase")}


def shown(card: JSON) -> JSON:
    """What a card of a response says, as a row of the table."""
    about = card["extension"]["org.backpath.card"]
    return {
        "recommendation": card["source"]["topic"]["code"],
        "indicator": card["indicator"],
        "state": about.get("state"),
        "phase": about["phase"],
    }


def write_lines(folder: Path, resources: Iterable[JSON]) -> Path:
    """Write resources as an export: one file for each type that is asked for, empty or not."""
    lines: dict[str, list[str]] = {kind: [] for kind in sorted(NEEDED)}
    for one in resources:
        lines.setdefault(one["resourceType"], []).append(json.dumps(one))
    folder.mkdir(parents=True, exist_ok=True)
    for kind, own in lines.items():
        (folder / f"{kind}.ndjson").write_text("".join(f"{line}\n" for line in own))
    return folder
