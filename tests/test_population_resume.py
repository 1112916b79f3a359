"""A run that is killed goes on where it was, and ends with the tables of one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.population.partitions import NOISE_PART
from service.population.report_files import JSON_REPORT
from service.population.run import DESCRIPTION, LOCK, RunFolder
from tests.population_runs import (
    DAY,
    LONG,
    Tables,
    command,
    commanded,
    environment,
    finished,
    held_back,
    is_running,
    parts_done,
    pieces_done,
    wait_until,
    workers_of,
)
from tests.populations import write_population

AS_OF = ("--as-of", DAY.isoformat())


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_population(folder, patients=60, day=DAY, bad=1)
    return folder


@pytest.fixture(scope="module")
def unbroken(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The tables of a run that nobody disturbed, of one process."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    return finished(folder, "--input", export, *AS_OF, "--workers", 1)


@pytest.fixture
def begun(export: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run that has been started with two processes."""
    line = command(tmp_path / "run", "--input", export, *AS_OF, "--workers", 2)
    with subprocess.Popen(
        line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def kill_while_reading(begun: subprocess.Popen[bytes], run: Path) -> None:
    """Kill a run that has read some of its export."""
    wait_until(lambda: pieces_done(run))
    begun.kill()
    begun.wait()


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("before anything was read", lambda run: (run / DESCRIPTION).exists()),
        ("reading", lambda run: pieces_done(run) >= 2),
        ("reading the last pieces", lambda run: pieces_done(run) >= 12),
        ("judging", lambda run: parts_done(run) >= 1),
        ("judging the last part", lambda run: parts_done(run) >= 3),
    ],
)
def test_a_run_killed_at_any_moment_ends_the_same(
    words: str,
    moment: Callable[[Path], bool],
    begun: subprocess.Popen[bytes],
    export: Path,
    unbroken: Tables,
    tmp_path: Path,
) -> None:
    """Byte by byte, whenever it was; parts that were finished stand as they were written."""
    run = tmp_path / "run"
    wait_until(lambda: moment(run))
    workers = workers_of(begun.pid)
    begun.kill()
    begun.wait()
    wait_until(lambda: not any(map(is_running, workers)))
    done = {part: part.stat().st_mtime_ns for part in run.glob("tallies/part-*.parquet")}
    gathered = {piece.name for piece in run.glob("work/gathered/[0-9]*")}
    tables = finished(run, "--input", export, *AS_OF, "--workers", 2)

    assert unbroken.content == tables.content
    assert done == {part: part.stat().st_mtime_ns for part in done}
    assert gathered or words == "before anything was read"
    assert not (run / "work").exists()


@pytest.mark.parametrize(
    "moment", [lambda run: pieces_done(run) >= 2, lambda run: parts_done(run) >= 2]
)
def test_a_killed_process_ends_the_run_in_words(
    moment: Callable[[Path], bool],
    begun: subprocess.Popen[bytes],
    export: Path,
    unbroken: Tables,
    tmp_path: Path,
) -> None:
    """As where memory is short: the run says what to do, and then goes on."""
    run = tmp_path / "run"
    with held_back(run, f"tallies/{NOISE_PART}.parquet"):
        wait_until(lambda: moment(run))
        workers = workers_of(begun.pid)
        os.kill(workers[0], signal.SIGKILL)
        _, told = begun.communicate(timeout=LONG)

    assert begun.returncode == 1
    assert b"Error: a process was killed, perhaps for want of memory" in told
    assert b"Traceback" not in told
    assert not any(map(is_running, workers))
    assert unbroken.content == finished(run, "--input", export, *AS_OF).content


def test_two_runs_at_once_do_not_share_a_folder(
    begun: subprocess.Popen[bytes], export: Path, tmp_path: Path
) -> None:
    with held_back(tmp_path / "run", JSON_REPORT):
        second = commanded(tmp_path / "run", "--input", export, *AS_OF)

    assert second.returncode == 1
    assert "another run is writing to" in second.stderr


def test_a_finished_run_is_not_done_again(export: Path, unbroken: Tables) -> None:
    """Nothing is written anew; the page is named again."""
    files = {f: f.stat().st_mtime_ns for f in unbroken.folder.rglob("*.*") if f.name != LOCK}
    again = commanded(unbroken.folder, "--input", export, *AS_OF)

    assert again.returncode == 0
    assert "finished before" in again.stderr
    assert f"{unbroken.folder / 'report.html'}\n" == again.stdout
    assert files == {file: file.stat().st_mtime_ns for file in files}


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("as of: 2026-03-01, not 2026-02-01", ("--as-of", "2026-02-01")),
        ("replay: none, not visits", ("--replay", "visits")),
        ("pseudonymised", (*AS_OF, "--pseudonymise")),
    ],
)
def test_another_run_in_the_same_folder_is_refused(
    words: str, options: tuple[str, ...], export: Path, unbroken: Tables
) -> None:
    """The tables of two runs are never mixed; what differs is said."""
    other = commanded(unbroken.folder, "--input", export, *options)

    assert other.returncode == 1
    assert "holds a run of another kind" in other.stderr
    assert words in other.stderr
    assert len(other.stderr.splitlines()) == 1


def test_pieces_of_an_older_version_are_not_gone_on_from(
    begun: subprocess.Popen[bytes], export: Path, tmp_path: Path
) -> None:
    """What it kept may lack what is asked of it now."""
    run = tmp_path / "run"
    kill_while_reading(begun, run)
    description = json.loads((run / DESCRIPTION).read_text())
    del description["layout"]
    (run / DESCRIPTION).write_text(json.dumps(description))
    later = commanded(run, "--input", export, *AS_OF)

    assert later.returncode == 1
    assert "another kind (layout)" in later.stderr


def test_files_that_changed_since_are_refused(
    begun: subprocess.Popen[bytes], export: Path, tmp_path: Path
) -> None:
    """What was read of the old files is not judged with the new ones."""
    run, changed = tmp_path / "run", tmp_path / "changed"
    kill_while_reading(begun, run)
    changed.mkdir()
    for file in export.iterdir():
        (changed / file.name).write_bytes(
            file.read_bytes() + b"\n" * (file.name == "Patient.ndjson")
        )
    description = json.loads((run / DESCRIPTION).read_text())
    (run / DESCRIPTION).write_text(json.dumps({**description, "input": str(changed)}))
    other = commanded(run, "--input", changed, *AS_OF)

    assert other.returncode == 1
    assert "another kind (files)" in other.stderr


def test_the_first_words_of_a_killed_run_are_no_other_file(tmp_path: Path) -> None:
    """Killed while it noted what it is, a run can be begun again in its folder."""
    (tmp_path / f".{DESCRIPTION}.unfinished").write_text("{")

    assert RunFolder(tmp_path).description() is None


def test_what_a_run_killed_at_its_end_left_is_cleared(export: Path, unbroken: Tables) -> None:
    """Killed between its report and its last step, no salt and no patient's line stays behind."""
    (unbroken.folder / ".salt").write_bytes(b"left behind by the run that was killed")
    (unbroken.folder / "work").mkdir()
    again = commanded(unbroken.folder, "--input", export, *AS_OF)

    assert again.returncode == 0
    assert not (unbroken.folder / ".salt").exists()
    assert not (unbroken.folder / "work").exists()


def test_today_is_the_day_a_run_was_begun(
    begun: subprocess.Popen[bytes], export: Path, unbroken: Tables, tmp_path: Path
) -> None:
    """Begun on another day and gone on with today, all charts are opened on the first day."""
    run = tmp_path / "run"
    kill_while_reading(begun, run)
    tables = finished(run, "--input", export)

    assert {DAY} == {row["date"] for row in tables.rows("states")}
    assert unbroken.content == tables.content
