"""Ctrl-C, or being asked to end, at any moment: one sentence, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGINT, SIGTERM

import pytest

from service.population.run import DESCRIPTION
from tests.conftest import HOUSE
from tests.population_runs import DAY, LONG, environment, finished, is_running, wait_until
from tests.population_runs import workers_of as judging
from tests.populations import write_population

AS_OF = ("--as-of", DAY.isoformat())
SENTENCE = "interrupted; run the same again"
GO_ON = f"{SENTENCE} to go on"
BARS = ("reading:", "judging:")
Begun = subprocess.Popen[str]

# Whoever looks for the command line stays there.
SLOW_TO_LOAD = """
import sys, time

class Slow:
    def find_spec(name, path, target=None):
        if name == "service.cli":
            print("loading", flush=True)
            time.sleep(600)

sys.meta_path.insert(0, Slow)
from service.__main__ import run

run()
"""


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_population(folder, patients=60, day=DAY)
    return folder


def begin(run: Path, export: Path) -> Begun:
    """Start a run as from a terminal: all its processes are of one group."""
    words = ["population", run, "--input", export, *AS_OF, "--workers", 2]
    return subprocess.Popen(
        [sys.executable, "-m", "service", *map(str, words)],
        cwd=HOUSE,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def begun(export: Path, tmp_path: Path) -> Iterator[Begun]:
    with begin(tmp_path / "run", export) as process:
        yield process
        process.kill()


def has_loaded(process: Begun, library: str) -> bool:
    return f"/{library}" in Path(f"/proc/{process.pid}/maps").read_text()


def is_reading(run: Path) -> bool:
    return any(run.glob("work/gathered/[0-9]*"))


def is_judging(run: Path) -> bool:
    return any(run.glob("tallies/part-*.parquet"))


def is_judged(run: Path) -> bool:
    return len(list(run.glob("tallies/*.parquet"))) == 6


def told_beside_bars(stderr: str) -> list[str]:
    lines = stderr.replace("\r", "\n").splitlines()
    return [line for line in lines if line and not line.startswith(BARS)]


@pytest.mark.parametrize(("number", "code"), [(SIGINT, 130), (SIGTERM, 143)])
@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("the engine is loaded", lambda _, p: has_loaded(p, "pyarrow")),
        ("the run is begun", lambda run, _: (run / DESCRIPTION).exists()),
        ("processes are started", lambda _, p: judging(p.pid)),
        ("reading", lambda run, _: is_reading(run)),
        ("judging", lambda run, _: is_judging(run)),
        ("the report is made", lambda run, _: is_judged(run)),
    ],
)
def test_an_interrupted_run_ends_with_one_sentence(
    words: str,
    moment: Callable[[Path, Begun], object],
    number: int,
    code: int,
    begun: Begun,
    tmp_path: Path,
) -> None:
    """No traceback of any process, no warning of what was not freed, and the code shells expect."""
    wait_until(lambda: moment(tmp_path / "run", begun))
    workers = judging(begun.pid)
    os.killpg(begun.pid, number)
    _, told = begun.communicate(timeout=LONG)

    assert told_beside_bars(told) == [GO_ON], words
    assert begun.returncode == code
    wait_until(lambda: not any(map(is_running, workers)))


def test_who_asks_again_gets_no_traceback(begun: Begun, tmp_path: Path) -> None:
    """Ctrl-C once more, when the sentence has come: nothing more is said, and the same code."""
    wait_until(lambda: is_reading(tmp_path / "run"))
    begun.send_signal(SIGINT)
    assert begun.stderr
    while begun.stderr.readline().rsplit("\r")[-1].strip() != GO_ON:
        pass
    begun.send_signal(SIGINT)
    _, told = begun.communicate(timeout=LONG)

    assert told_beside_bars(told) == []
    assert begun.returncode == 130


@pytest.mark.parametrize(("number", "code"), [(SIGINT, 130), (SIGTERM, 143)])
def test_whoever_is_impatient_gets_a_sentence_too(number: int, code: int) -> None:
    """The command line itself takes a moment to load."""
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_TO_LOAD],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(number)
        _, told = process.communicate(timeout=LONG)

    assert told.splitlines() == [SENTENCE]
    assert process.returncode == code


def test_a_run_that_alone_is_asked_to_end_takes_its_processes_along(
    begun: Begun, export: Path, tmp_path: Path
) -> None:
    """As a supervisor asks; the same command goes on from there."""
    run = tmp_path / "run"
    wait_until(lambda: is_reading(run))
    workers = judging(begun.pid)
    begun.send_signal(SIGTERM)
    begun.communicate(timeout=LONG)
    wait_until(lambda: not any(map(is_running, workers)))
    kept = {piece.name for piece in run.glob("work/gathered/[0-9]*")}

    assert kept
    assert workers
    unbroken = finished(tmp_path / "unbroken", "--input", export, *AS_OF)
    assert unbroken.content == finished(run, "--input", export, *AS_OF).content


def test_what_killed_processes_left_on_the_disk_makes_room(export: Path, tmp_path: Path) -> None:
    """What a database had spilled when it was killed is no use to the run that goes on."""
    left = tmp_path / "run" / "work" / "spill-1"
    left.mkdir(parents=True)
    (left / "block").write_bytes(b"x")
    with begin(tmp_path / "run", export) as process:
        wait_until(lambda: is_reading(tmp_path / "run"))
        there = left.exists()
        process.kill()

    assert not there
