"""Ctrl-C, or being asked to end, at any moment: one sentence, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGINT, SIGTERM

import pytest

from service.population.local import FEWEST_PARTITIONS
from service.population.partitions import NOISE_PART, is_done
from service.population.report_files import JSON_REPORT
from service.population.run import DESCRIPTION
from tests.conftest import HOUSE
from tests.population_runs import (
    DAY,
    LONG,
    ended,
    environment,
    finished,
    held_back,
    is_running,
    parts_done,
    pieces_done,
    wait_until,
)
from tests.population_runs import workers_of as judging
from tests.populations import write_population

AS_OF = ("--as-of", DAY.isoformat())
SENTENCE = "interrupted; run the same again"
GO_ON = f"{SENTENCE} to go on"
BARS = ("reading:", "judging:")
Begun = subprocess.Popen[str]

# Ctrl-C is pressed when a bar is drawn for the last time, before its line ends.
BESIDE_A_BAR = """
from signal import SIGINT, raise_signal

from tqdm import tqdm

def draw_and_ask(bar, *told, **how):
    draw(bar, *told, **how)
    if bar.disable and bar.desc == "judging":  # it is being closed
        raise_signal(SIGINT)

draw, tqdm.display = tqdm.display, draw_and_ask

from service.__main__ import run

run()
"""
# Ctrl-C is pressed when all is judged, and the processes are told to end.
AT_THEIR_END = """
import os
import time
from concurrent.futures.process import _ExecutorManagerThread as Manager
from signal import SIGINT

def interrupt_and_end(manager):
    os.kill(os.getpid(), SIGINT)
    time.sleep(0.5)  # for who waits for the processes to hear it
    end(manager)

end, Manager.join_executor_internals = Manager.join_executor_internals, interrupt_and_end

from service.__main__ import run

run()
"""
# Ctrl-C is pressed, and the end asked for, when the run is done and its process ends.
AT_THE_END = """
import atexit
from signal import SIGINT, SIGTERM, raise_signal

from service.__main__ import run

atexit.register(raise_signal, SIGINT)
atexit.register(raise_signal, SIGTERM)
run()
"""
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


def line_of(program: str, run: Path, export: Path) -> list[object]:
    """The command line of a run that is begun by this program."""
    return [sys.executable, "-c", program, "population", run, "--input", export, *AS_OF]


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


def is_judged(run: Path) -> bool:
    return is_done(run, NOISE_PART) and parts_done(run) == FEWEST_PARTITIONS


def interrupt(begun: Begun, number: int, code: int, words: str) -> None:
    """Interrupt a run as a terminal does, and see that it ends with the sentence and the code."""
    workers = judging(begun.pid)
    os.killpg(begun.pid, number)
    _, told = begun.communicate(timeout=LONG)

    assert told_beside_bars(told) == [GO_ON], words
    assert begun.returncode == code
    wait_until(lambda: not any(map(is_running, workers)))


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
        ("reading", lambda run, _: pieces_done(run)),
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
    interrupt(begun, number, code, words)


@pytest.mark.parametrize(("number", "code"), [(SIGINT, 130), (SIGTERM, 143)])
@pytest.mark.parametrize(
    ("words", "moment"), [("judging", parts_done), ("the report is made", is_judged)]
)
def test_a_run_interrupted_near_its_end_does_so_too(
    words: str,
    moment: Callable[[Path], object],
    number: int,
    code: int,
    begun: Begun,
    tmp_path: Path,
) -> None:
    """Until the report is written."""
    run = tmp_path / "run"
    with held_back(run, JSON_REPORT):
        wait_until(lambda: moment(run))
        interrupt(begun, number, code, words)


@pytest.mark.parametrize(
    ("words", "program"),
    [
        ("the sentence stands below an unfinished bar", BESIDE_A_BAR),
        ("processes are waited for that were just told to end", AT_THEIR_END),
    ],
)
def test_a_run_interrupted_between_two_steps_does_so_too(
    words: str, program: str, export: Path, tmp_path: Path
) -> None:
    """However short the moment is."""
    broken_off = ended(line_of(program, tmp_path / "run", export))

    assert told_beside_bars(broken_off.stderr) == [GO_ON], words
    assert broken_off.returncode == 130


def test_a_run_that_is_done_is_not_broken_off(export: Path, tmp_path: Path) -> None:
    """Who comes too late has what he asked for, and is told where."""
    done = ended(line_of(AT_THE_END, tmp_path / "run", export))

    assert done.stdout == f"{tmp_path / 'run' / 'report.html'}\n"
    assert told_beside_bars(done.stderr) == []
    assert done.returncode == 0


def test_who_asks_again_gets_no_traceback(begun: Begun, tmp_path: Path) -> None:
    """Ctrl-C once more, when the sentence has come: nothing more is said, and the same code."""
    wait_until(lambda: pieces_done(tmp_path / "run"))
    begun.send_signal(SIGINT)
    assert begun.stderr
    assert any(line.rsplit("\r")[-1].strip() == GO_ON for line in begun.stderr)
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

    assert told.split("\n") == ["", SENTENCE, ""]
    assert process.returncode == code


def test_a_run_that_alone_is_asked_to_end_takes_its_processes_along(
    begun: Begun, export: Path, tmp_path: Path
) -> None:
    """As a supervisor asks; the same command goes on from there."""
    run = tmp_path / "run"
    wait_until(lambda: pieces_done(run))
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
        wait_until(lambda: pieces_done(tmp_path / "run"))
        there = left.exists()
        process.kill()

    assert not there
