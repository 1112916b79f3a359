"""Exports that are damaged, change, or hold what nobody can read: nothing is lost silently."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cards.library import Library
from service.population.export import ExportProblem, read_export
from service.population.reasons import Reason
from service.population.run import RunProblem
from tests.population_runs import judged_here

LOW_BACK_PAIN = {"coding": [{"system": "http://snomed.info/sct", "code": "279039007"}]}
ACTIVE = {"coding": [{"code": "active"}]}


def condition(identifier: str, patient: str, **more: Any) -> str:
    resource = {
        "resourceType": "Condition",
        "id": identifier,
        "subject": {"reference": f"Patient/{patient}"},
        "code": LOW_BACK_PAIN,
        "clinicalStatus": ACTIVE,
        "recordedDate": "2026-02-01",
        "onsetDateTime": "2026-02-01",
        **more,
    }
    return json.dumps(resource)


def patient(identifier: str) -> str:
    return json.dumps({"resourceType": "Patient", "id": identifier, "birthDate": "1980-01-01"})


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Two patients with low back pain."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "Patient.ndjson").write_text(f"{patient('a')}\n{patient('b')}\n", "utf-8")
    lines = [condition("1", "a"), condition("2", "b")]
    (folder / "Condition.ndjson").write_text("\n".join(lines), "utf-8")
    return folder


@pytest.mark.parametrize("replay", [False, True])
def test_a_number_nobody_can_hold_costs_its_patient_only(
    export: Path, tmp_path: Path, library: Library, replay: bool
) -> None:
    """The patient is rejected, the line that is to blame is named, all others are judged."""
    bad = condition("2", "b").replace('"2026-02-01"', "1e999", 1)
    (export / "Condition.ndjson").write_text(f"{condition('1', 'a')}\n{bad}\n", "utf-8")
    visit = {
        "resourceType": "Encounter",
        "id": "v",
        "status": "finished",
        "subject": {"reference": "Patient/a"},
        "period": {"start": "2026-02-10"},
    }
    (export / "Encounter.ndjson").write_text(json.dumps(visit), "utf-8")
    tables = judged_here(tmp_path / "run", export, library, replay=replay)

    assert tables.rows("rejects") == [
        {"file": "Condition.ndjson", "line": 2, "reason": Reason.CANNOT_BE_HELD.value},
        {"file": "Patient.ndjson", "line": 2, "reason": Reason.UNDECODABLE.value},
    ]
    assert set(tables.of_patients("states")) == {"a"}
    assert (tables.count("patients", "in"), tables.count("patients", "rejected")) == (2, 1)


def test_a_patient_nobody_can_read_is_rejected(
    export: Path, tmp_path: Path, library: Library
) -> None:
    """Also where nothing else would have been looked at."""
    bad = '{"resourceType":"Patient","id":"c","birthDate":1e999}'
    with (export / "Patient.ndjson").open("a") as file:
        file.write(bad)
    tables = judged_here(tmp_path / "run", export, library)

    assert [row["line"] for row in tables.rows("rejects")] == [3]
    assert tables.count("patients", "judged") == 2


def test_a_type_whose_only_file_cannot_be_read_is_not_delivered(
    export: Path, tmp_path: Path, library: Library
) -> None:
    """Rubbish under the name of Conditions does not make anybody healthy."""
    (export / "Condition.ndjson").unlink()
    (export / "Condition.parquet").write_bytes(b"PAR1" + b"x" * 3_000)
    tables = judged_here(tmp_path / "run", export, library)

    assert tables.count("patients", "rejected") == 2
    assert tables.count("broken file", "Condition.parquet") == 1


def test_a_file_that_breaks_off_leaves_its_type_unfinished(
    export: Path, tmp_path: Path, library: Library
) -> None:
    """As a Bundle with a next page: what came counts, what is absent is not known to be."""
    lines = "\n".join(condition(str(n), "a") for n in range(2_000))
    whole = gzip.compress(lines.encode(), 1)
    (export / "Condition.ndjson").unlink()
    (export / "Condition.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    tables = judged_here(tmp_path / "run", export, library)

    assert tables.count("key", "conditions", "unfinished") == 2
    assert tables.count("membership unknown") > 0


def test_an_empty_file_that_is_cut_short_is_not_read_as_none(
    export: Path, tmp_path: Path, library: Library
) -> None:
    """A gzip of no bytes at all says nothing about allergies."""
    (export / "AllergyIntolerance.ndjson.gz").write_bytes(b"")
    tables = judged_here(tmp_path / "run", export, library)

    assert tables.count("key", "allergies", "missing") == 2


def test_a_file_that_changes_while_it_is_read_ends_the_run(
    export: Path, tmp_path: Path, library: Library
) -> None:
    """Nobody can tell what was read of it."""
    found = read_export(export)
    with (export / "Patient.ndjson").open("a") as file:
        file.write(patient("c"))

    with pytest.raises(RunProblem, match=r"Patient\.ndjson changed"):
        judged_here(tmp_path / "run", found, library)


@pytest.mark.parametrize("name", ["r[1]", "file=x", "kind=x/patient=nobody", "a'b*?"])
def test_the_name_of_the_folder_changes_nothing(
    export: Path, tmp_path: Path, library: Library, name: str
) -> None:
    """It is neither a pattern of names nor a column, and no neighbour's run is read."""
    (export / "Observation.ndjson").write_text(
        '{"resourceType":"Observation","id":"o","subject":{"reference":"Patient/nobody"}}', "utf-8"
    )
    usual = judged_here(tmp_path / "r1", export, library)
    odd = judged_here(tmp_path / name, export, library)

    assert usual.content == odd.content
    assert odd.rows("rejects") == [
        {"file": "Observation.ndjson", "line": 1, "reason": Reason.UNKNOWN_PATIENT.value}
    ]


def test_a_chart_that_is_too_long_is_not_held(
    export: Path, tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patient is rejected as the service would refuse the call; the other is judged."""
    for module in ("grouping", "judged"):
        monkeypatch.setattr(f"service.population.{module}.MOST_RESOURCES", 5)
    lines = [condition("1", "a"), *(condition(f"b{n}", "b") for n in range(50))]
    (export / "Condition.ndjson").write_text("\n".join(lines), "utf-8")
    tables = judged_here(tmp_path / "run", export, library)

    assert [row["reason"] for row in tables.rows("rejects")] == [Reason.TOO_MANY.value]
    assert tables.count("patients", "judged") == 1


def test_a_name_that_is_no_text_is_refused(export: Path) -> None:
    """At once, and with the name."""
    (export / os.fsdecode(b"Condition\xff.ndjson")).write_text("", "utf-8")

    with pytest.raises(ExportProblem, match=r"udcff"):
        read_export(export)
