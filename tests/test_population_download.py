"""An export behind a web address, judged through the command from manifest to report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cards.library import Library
from service.population.reasons import Reason
from tests.fhir_server import FhirServer, running, sends
from tests.population_runs import DAY, commanded, finished, judged_here
from tests.populations import write_population

AS_OF = ("--as-of", DAY.isoformat())
TOKEN = "a-secret-token"


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_population(folder, patients=40, day=DAY)
    return folder


@pytest.fixture(scope="module")
def server(export: Path) -> Iterator[FhirServer]:
    """A server with the finished export, which asks for a token."""
    with running() as fhir:
        output = []
        for file in sorted(export.iterdir()):
            kind = file.name.partition(".")[0]
            fhir.faults[f"file-{kind}"] = sends(file.read_bytes(), kind="application/fhir+ndjson")
            output.append({"type": kind, "url": f"{fhir.base}/file-{kind}"})
        manifest = {
            "transactionTime": "2026-03-01T00:00:00Z",
            "request": f"{fhir.base}/$export",
            "requiresAccessToken": True,
            "output": output,
            "error": [],
        }
        fhir.faults["status"] = sends(manifest, kind="application/json")
        yield fhir


def test_an_export_is_downloaded_and_judged(
    server: FhirServer, export: Path, library: Library, tmp_path: Path
) -> None:
    """The tables are those of the same files in a folder; no download and no token stays behind."""
    run = tmp_path / "run"
    tables = finished(run, "--input", f"{server.base}/status", *AS_OF, BULK_DATA_TOKEN=TOKEN)
    of_folder = judged_here(tmp_path / "here", export, library)

    assert of_folder.content["cards"] == tables.content["cards"]
    assert of_folder.content["states"] == tables.content["states"]
    assert tables.count("patients", "judged") == 40
    assert f"Bearer {TOKEN}" == server.received[-1].headers["Authorization"]
    assert not (run / "work").exists()
    assert not [f for f in run.rglob("*") if f.is_file() and TOKEN.encode() in f.read_bytes()]


def test_a_server_that_refuses_is_told_in_one_line(server: FhirServer, tmp_path: Path) -> None:
    done = commanded(tmp_path / "run", "--input", f"{server.base}/nowhere", *AS_OF)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1


def reported(run: Path) -> str:
    cautions = json.loads((run / "report.json").read_text())["cautions"]
    return "\n".join(one["text"] for one in cautions)


def without(kind: str, export: Path, folder: Path) -> Path:
    """The export without the files of a type."""
    folder.mkdir()
    for file in export.iterdir():
        if not file.name.startswith(f"{kind}."):
            (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_without_conditions_the_report_says_that_nobody_was_judged(
    export: Path, tmp_path: Path
) -> None:
    """Every patient is rejected with the reason, and the report begins with it."""
    folder = without("Condition", export, tmp_path / "export")
    tables = finished(tmp_path / "run", "--input", folder, *AS_OF)

    assert tables.count("patients", "rejected") == tables.count("patients", "in") == 40
    assert {Reason.NO_CONDITIONS.value} == {row["reason"] for row in tables.rows("rejects")}
    assert "No patient was judged" in reported(tables.folder)
    assert "40 of 40 patients (100.0%) were rejected" in reported(tables.folder)


def test_without_observations_the_report_says_what_was_not_looked_at(
    export: Path, tmp_path: Path
) -> None:
    """Nobody takes what was not exported for what is not there."""
    folder = without("Observation", export, tmp_path / "export")
    tables = finished(tmp_path / "run", "--input", folder, *AS_OF)

    assert tables.count("key", "observations", "missing") > 0
    assert not tables.count("key", "observations", "read")
    assert "The export has no observations" in reported(tables.folder)
