"""With ``--pseudonymise`` no patient's id is left in the folder of a run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from service.population.report_files import JSON_REPORT
from tests.population_runs import (
    DAY,
    Tables,
    command,
    commanded,
    environment,
    finished,
    held_back,
    is_running,
    wait_until,
    workers_of,
)
from tests.populations import write_population

WANTED = ("--as-of", DAY.isoformat(), "--pseudonymise")


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_population(folder, patients=40, day=DAY)
    return folder


@pytest.fixture(scope="module")
def ids(export: Path) -> set[str]:
    return {json.loads(one)["id"] for one in (export / "Patient.ndjson").read_text().splitlines()}


def salted(folder: Path, salt: str, export: Path) -> Tables:
    """The tables of a run with a salt of the user's own."""
    file = folder / "salt"
    folder.mkdir(exist_ok=True)
    file.write_text(salt)
    return finished(folder / "run", "--input", export, *WANTED, "--salt-file", file)


def keys(tables: Tables) -> set[str]:
    return {row["patient"] for row in tables.rows("states")}


def assert_nobody_is_named(run: Path, ids: set[str]) -> None:
    for file in (one for one in run.rglob("*") if one.is_file()):
        content = file.read_bytes()
        assert not [one for one in ids if one.encode() in content or one in file.name], file.name


def test_who_holds_the_salt_gets_the_same_keys(export: Path, ids: set[str], tmp_path: Path) -> None:
    """Runs of one salt can be linked, those of another cannot; no id is in any file of them."""
    first = salted(tmp_path / "first", "a salt nobody else has", export)
    second = salted(tmp_path / "second", "a salt nobody else has\n", export)
    other = salted(tmp_path / "other", "another salt of other people", export)

    assert first.content == second.content
    assert not keys(first) & keys(other)
    assert len(keys(first)) == len(keys(other)) == len(ids)
    for tables in (first, other):
        assert_nobody_is_named(tables.folder, ids)
        described = (tables.folder / "run.json").read_text()
        assert "salt nobody" not in described


def test_another_salt_in_the_same_folder_is_refused(export: Path, tmp_path: Path) -> None:
    tables = salted(tmp_path, "a salt nobody else has", export)
    (tmp_path / "salt").write_text("another salt of other people")
    other = commanded(tables.folder, "--input", export, *WANTED, "--salt-file", tmp_path / "salt")

    assert other.returncode == 1
    assert "another kind (salt)" in other.stderr


def test_a_salt_made_by_chance_lasts_as_long_as_its_run(
    export: Path, ids: set[str], tmp_path: Path
) -> None:
    """A run that is killed goes on with the same keys; at the end nobody can work them out."""
    run = tmp_path / "run"
    line = command(run, "--input", export, *WANTED)
    with (
        subprocess.Popen(
            line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as begun,
        held_back(run, JSON_REPORT),
    ):
        wait_until(lambda: list(run.glob("states/part-*.parquet")))
        workers = workers_of(begun.pid)
        begun.kill()
    wait_until(lambda: not any(map(is_running, workers)))
    salt = (run / ".salt").read_bytes()
    known = keys(Tables(run))
    tables = finished(run, "--input", export, *WANTED)

    assert known <= keys(tables)
    assert len(keys(tables)) == len(ids)
    assert not (run / ".salt").exists()
    assert not [f for f in run.rglob("*") if f.is_file() and salt in f.read_bytes()]
    assert_nobody_is_named(run, ids)
