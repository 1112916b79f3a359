"""Ready-made patients: the charts of stored patient-view requests, moved to a day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from service.prefetch import SEARCHES
from service.shift import shift_to
from tests.bench.cores import FIXTURES

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FixtureCore:
    """The clinical entries of one stored patient, as of a day.

    Attributes:
        death: the Patient's ``deceased[x]``; empty for the living.
        entries: without ids and subjects.
    """

    fixture: str
    born: date
    female: bool
    death: Resource
    entries: Sequence[Resource]


@cache
def fixture_cores(day: date) -> Sequence[FixtureCore]:
    """Every stored patient whose whole chart is known: an export has no page that failed."""
    found = []
    for file in sorted(FIXTURES.glob("*/request.json")):
        request = json.loads(file.read_text(encoding="utf-8"))
        if _is_whole(request):
            found.append(_core(file.parent.name, shift_to(request, day)))
    return found


def _is_whole(request: Mapping[str, Any]) -> bool:
    prefetch = request["prefetch"]
    return (
        request["hook"] == "patient-view"
        and request["extension"]["org.backpath.fixture"]["validR4"]
        and len(prefetch["patient"].get("birthDate", "")) == len("2000-01-01")
        and set(request["context"]) == {"userId", "patientId"}
        and all(_is_all(prefetch.get(key)) for key in SEARCHES)
    )


def _is_all(answer: Mapping[str, Any] | None) -> bool:
    """Whether a search answer came, and with its last page."""
    return (
        answer is not None
        and answer["resourceType"] == "Bundle"
        and all(link["relation"] != "next" for link in answer.get("link", ()))
    )


def _is_about(resource: Resource, patient_id: str) -> bool:
    """Whether an entry is the patient's own: an export files another's in that one's chart."""
    about = resource.get("subject") or resource.get("patient") or {}
    _, _, named = about.get("reference", "").partition("Patient/")
    return not named or named.partition("/")[0] == patient_id


def _core(fixture: str, request: dict[str, Any]) -> FixtureCore:
    patient = request["prefetch"].pop("patient")
    entries = [
        {
            name: value
            for name, value in entry["resource"].items()
            if name not in ("id", "subject", "patient", "encounter")
        }
        for answer in request["prefetch"].values()
        for entry in answer.get("entry", ())
        if _is_about(entry["resource"], patient["id"])
    ]
    born = date.fromisoformat(patient["birthDate"])
    death = {name: patient[name] for name in patient if name.startswith("deceased")}
    return FixtureCore(fixture, born, patient.get("gender") != "male", death, entries)
