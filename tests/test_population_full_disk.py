"""A disk that is full: the run says so in one sentence, and goes on when there is room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.population_runs import DAY, Tables, commanded, ended, finished
from tests.populations import write_population

AS_OF = ("--as-of", DAY.isoformat())
TOO_LARGE = "Error: File too large; run the same again to go on"
DATABASE = (
    "Error: the database gave up (IOException), perhaps because the disk is full; "
    "run the same again to go on"
)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_population(folder, patients=60, day=DAY)
    return folder


@pytest.fixture(scope="module")
def unbroken(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return finished(tmp_path_factory.mktemp("unbroken") / "run", "--input", export, *AS_OF)


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv[1:] = sys.argv[2:]
from service.cli import main
main()
"""


def with_room_for(limit: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A run that cannot write more into a file, as where a disk is full."""
    return ended([sys.executable, "-c", LIMITED, limit, "population", *arguments])


@pytest.mark.parametrize(
    ("words", "limit", "sentence"),
    [
        ("what is run cannot be noted", 100, TOO_LARGE),
        ("rows cannot be grouped", 5_000, DATABASE),
        ("the report cannot be written", 60_000, TOO_LARGE),
    ],
)
def test_a_full_disk_ends_the_run_in_words(
    words: str, limit: int, sentence: str, export: Path, unbroken: Tables, tmp_path: Path
) -> None:
    """And with room again the run ends as one that nothing hindered."""
    ended = with_room_for(limit, tmp_path / "run", "--input", export, *AS_OF)

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == sentence, words
    assert ended.stderr.count("Error") == 1
    assert "Traceback" not in ended.stderr
    assert unbroken.content == finished(tmp_path / "run", "--input", export, *AS_OF).content


COLUMNS = """
import resource, sys
import pyarrow as pa
import pyarrow.parquet
from service.population.local import failing_in_words
from service.population.run import RunProblem
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    with failing_in_words():
        with pa.parquet.ParquetWriter(sys.argv[1], pa.schema([("line", pa.int64())])):
            pass
except RunProblem as problem:
    print(problem)
"""


def test_columns_that_cannot_be_written_are_told_of_as_any_file(tmp_path: Path) -> None:
    """What writes columns says it in its own way, which is not for people."""
    done = ended([sys.executable, "-c", COLUMNS, tmp_path / "part.parquet"])

    assert done.stdout == "File too large; run the same again to go on\n"


def test_what_is_done_is_not_shown_as_still_to_do(export: Path, tmp_path: Path) -> None:
    """Where only the report is left there is no bar, for there is nothing to read or judge."""
    with_room_for(60_000, tmp_path / "run", "--input", export, *AS_OF)
    again = commanded(tmp_path / "run", "--input", export, *AS_OF)

    assert (again.returncode, again.stderr) == (0, "")
