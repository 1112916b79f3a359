"""The benchmark of populations measures whole runs, all of their processes, and the floor."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.bench.population.__main__ import main
from tests.bench.population.exports import Population, population_of
from tests.bench.population.figures import Growth, Row, growth_of, rows_of
from tests.bench.population.floor import Spent
from tests.bench.population.promises import promises
from tests.bench.population.rounds import Round, Setup, cores_for
from tests.bench.population.tables import tables
from tests.bench.population.watched import CommandFailed, Watched, role_of, watched

ONE, TWO = Setup("local", 1), Setup("local", 2)
SMALL, LARGE = (Population(Path("none"), n, 100 * n, 1_000 * n) for n in (10_000, 100_000))
BURN = "import time\nwhile time.process_time() < 0.5: pass"
LEAVE = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What a benchmark of 60 patients tells, for programs and for people."""
    folder = tmp_path_factory.mktemp("bench")
    sizes = ["--patients", "60", "--engines", "local", "--workers", "1", "--rounds", "1"]
    # The tests' environment has no other parser; which one it is changes no shape.
    options = [*sizes, "--floor", "json", "--folder", str(folder)]
    ended = CliRunner().invoke(main, options, catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    assert not list((folder / "runs").glob("*/"))
    figures: dict[str, Any] = json.loads((folder / "population.json").read_text("utf-8"))
    return figures, (folder / "population.md").read_text("utf-8")


def test_a_run_is_measured_whole(told: tuple[dict[str, Any], str]) -> None:
    """Every patient counts, and so do the time and the memory of each process."""
    (row,) = told[0]["rows"]

    assert row["population"]["patients"] == 60
    assert row["population"]["lines"] > 60
    assert row["setup"] == {"engine": "local", "workers": 1}
    assert row["wall"] > row["floor_wall"] > 0
    assert row["cpu"] > row["floor_cpu"] > 0
    assert {"command", "worker"} <= set(row["peak_mb"])
    assert row["pss_mb"] > row["peak_mb"]["worker"] / 2
    assert row["wall_ratio"] == pytest.approx(row["wall"] / row["floor_wall"])
    assert row["speed_up"] is None


def test_what_was_measured_is_told(told: tuple[dict[str, Any], str]) -> None:
    """The page has a line for the run, for the floor and for the promise."""
    figures, page = told

    assert "| 60 | local | 1 |" in page
    assert "| json |" in page
    assert "| local, 60 patients: time to the floor's, one core |" in page
    assert [target["bound"] for target in figures["targets"]] == [3.0]
    assert figures["growth"] == []


def test_an_export_is_made_once(tmp_path: Path) -> None:
    """A second benchmark judges the very files of the first."""
    first = population_of(5, tmp_path)
    written = {file: file.stat().st_mtime_ns for file in first.files}

    assert population_of(5, tmp_path) == first
    assert {file: file.stat().st_mtime_ns for file in first.files} == written
    assert first.lines == sum(len(file.read_bytes().splitlines()) for file in first.files)


def test_what_a_command_leaves_behind_counts(tmp_path: Path) -> None:
    """A process that outlives the command, as a Java machine may, is part of what it costs."""
    found = watched([sys.executable, "-c", LEAVE], cores_for(1), tmp_path / "log")

    assert found.cpu >= 0.5


def test_a_run_that_fails_is_no_figure(tmp_path: Path) -> None:
    """A broken run ends the benchmark with what the run said."""
    command = [sys.executable, "-c", "raise SystemExit('no such export')"]

    with pytest.raises(CommandFailed, match="no such export"):
        watched(command, cores_for(1), tmp_path / "log")


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("command", ["python", "-m", "service", "population", "run", "--workers", "1"]),
        ("worker", ["python", "-c", "from multiprocessing.spawn import spawn_main; …"]),
        ("other", ["python", "-c", "from multiprocessing.resource_tracker import main; …"]),
        ("worker", ["python", "-m", "pyspark.daemon", "pyspark.worker"]),
        ("jvm", ["/opt/java/bin/java", "-cp", "…", "org.apache.spark.deploy.SparkSubmit"]),
        ("other", []),
    ],
)
def test_memory_is_told_by_what_a_process_is_for(role: str, words: Sequence[str]) -> None:
    """Spark's Java machine is not taken for a worker, nor the command that waits for both."""
    assert role_of(words) == role


def ran(
    population: Population, setup: Setup, number: int, wall: float, floor: float, mb: float = 100.0
) -> Round:
    """A round of which only some figures matter."""
    took = Watched(wall, wall, {"worker": mb}, mb)
    return Round(population, setup, number, took, Spent(floor, floor))


def test_a_slow_machine_changes_no_ratio() -> None:
    """A round in which everything takes three times as long gives the same ratios."""
    rows = rows_of(
        ran(LARGE, setup, number, wall * slow, 10.0 * slow)
        for number, slow in enumerate((1.0, 3.0, 3.0))
        for setup, wall in ((ONE, 25.0), (TWO, 12.5))
    )
    alone, both = rows

    assert (alone.wall, alone.wall_ratio, alone.speed_up) == (75.0, 2.5, None)
    assert both.speed_up == 2.0
    assert both.patients_per_second == pytest.approx(100_000 / 37.5)


def grown() -> tuple[list[Row], list[Growth]]:
    """Ten times the patients in 8 and in 20 times the time."""
    rounds = [
        ran(SMALL, ONE, 0, 5.0, 1.0),
        ran(LARGE, ONE, 0, 40.0, 10.0, 120.0),
        ran(SMALL, TWO, 0, 3.0, 1.0),
        ran(LARGE, TWO, 0, 60.0, 10.0, 200.0),
    ]
    rows = rows_of(rounds)
    return rows, growth_of(rows)


def test_growth_is_told_by_patient() -> None:
    """Time is linear when a patient of many costs what one of few does."""
    _, (one, two) = grown()

    assert (one.wall, one.worker_mb) == (0.8, 1.2)
    assert one.further == one.further_cpu == pytest.approx(35 / 9)
    assert (two.wall, two.worker_mb) == (2.0, 2.0)


def test_promises_are_held_against_the_figures() -> None:
    """A run that is dear, or grows, is said not to keep its promise."""
    kept = {target.words: target.met for target in promises(*grown())}

    assert kept == {
        "local, 10,000 patients: time to the floor's, one core": False,
        "local, 100,000 patients: time to the floor's, one core": False,
        "local, 10,000 patients: speed of two workers to one": False,
        "local, 100,000 patients: speed of two workers to one": False,
        "local × 1, 10,000 to 100,000 patients: time by patient": True,
        "local × 1, 10,000 to 100,000 patients: memory of a worker": True,
        "local × 2, 10,000 to 100,000 patients: time by patient": False,
        "local × 2, 10,000 to 100,000 patients: memory of a worker": False,
    }


def test_memory_is_held_flat_where_it_can_be() -> None:
    """Of an export that fits into one worker no more memory is taken than it is large."""
    small = Population(Path("none"), 1_000, 100_000, 1_000_000)
    rows = rows_of([ran(small, ONE, 0, 5.0, 1.0, 50.0), ran(SMALL, ONE, 0, 50.0, 10.0)])
    growth = growth_of(rows)

    assert [grown.worker_mb for grown in growth] == [2.0]
    assert not [kept for kept in promises(rows, growth) if "memory" in kept.words]


def test_an_engine_that_is_not_measured_is_named() -> None:
    """What cannot run here is said, not left out in silence."""
    page = tables(*grown(), {}, {"spark": "there is no Java"})

    assert "spark: there is no Java, not measured" in page
    assert "| 10,000 | 100,000 | local × 1 | 0.80 |" in page
