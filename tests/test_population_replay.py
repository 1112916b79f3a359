"""A replay from the export to the report: visits, orders, and nothing of later."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from cards.library import Library
from tests.population_charts import JSON, write_lines
from tests.population_runs import DAY, finished, judged_here
from tests.populations import write_population

SUBJECT = {"subject": {"reference": "Patient/p1"}}
BEFORE, AFTER = date(2024, 3, 1), date(2024, 9, 1)


def visit(day: date) -> JSON:
    period = {"start": day.isoformat(), "end": day.isoformat()}
    return {
        "resourceType": "Encounter",
        "id": f"visit-{day}",
        "status": "finished",
        "period": period,
        **SUBJECT,
    }


PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-01"}
PAIN = {
    "resourceType": "Condition",
    "id": "c1",
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "278860009"}]},
    "onsetDateTime": "2024-01-01",
    "recordedDate": "2024-06-01",
    **SUBJECT,
}


def test_before_the_pain_was_known_nothing_is_shown(library: Library, tmp_path: Path) -> None:
    """Recorded in June, back pain is advised on in September, and not in March."""
    export = write_lines(tmp_path / "export", [PATIENT, PAIN, visit(BEFORE), visit(AFTER)])
    tables = judged_here(tmp_path / "run", export, library, replay=True)
    pathways = {row["date"]: row["pathway"] for row in tables.rows("states")}

    assert {AFTER} == {row["date"] for row in tables.rows("cards")}
    assert pathways[BEFORE] is None
    assert pathways[AFTER] is not None
    assert tables.count("calls", "patient-view") == 2


def test_a_patient_without_a_visit_is_told_as_such(library: Library, tmp_path: Path) -> None:
    """They are judged on no day, and not lost."""
    export = write_lines(tmp_path / "export", [PATIENT, PAIN])
    tables = judged_here(tmp_path / "run", export, library, replay=True)
    (row,) = tables.rows("states")

    assert (row["patient"], row["date"], row["pathway"]) == ("p1", None, None)
    assert tables.count("patients", "without a visit") == tables.count("patients", "in") == 1


def test_a_replay_counts_visits_and_orders(tmp_path: Path) -> None:
    """Cards bear the hook and the day of the visit or order; nothing bears a later day."""
    export = tmp_path / "export"
    write_population(export, patients=40, day=DAY)
    tables = finished(tmp_path / "run", "--input", export, "--replay", "visits")
    report = json.loads((tables.folder / "report.json").read_text())
    states = tables.rows("states")
    visits = {(row["patient"], row["date"]) for row in states if row["date"]}

    assert len(visits) == tables.count("calls", "patient-view") == report["cards"]["visits"] > 50
    assert tables.count("calls", "order-select") == report["cards"]["orders"] > 20
    assert max(row["date"] for row in states if row["date"]) <= DAY
    for row in tables.rows("cards"):
        assert row["hook"] == "order-select" or (row["patient"], row["date"]) in visits
    assert report["run"]["replay"] == "visits"
    assert report["run"]["asOf"] is None
