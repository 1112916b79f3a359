"""The bar of a run moves as bytes are read, in files of every kind, and ends where all is read."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cards.library import Library
from service.population import local
from service.population.export import Piece, pieces, read_export
from service.population.lines import lines
from service.population.piece_progress import PieceProgress
from tests.population_runs import (
    DAY,
    command,
    commanded,
    environment,
    judged_here,
    pieces_done,
    wait_until,
)
from tests.populations import write_population

LINES = 4_000
WHOLE_FILE = 1 << 40
Write = Callable[[Path, list[str]], object]


def write_plain(folder: Path, written: list[str]) -> None:
    (folder / "Patient.ndjson").write_text("\n".join(written))


def write_gzip(folder: Path, written: list[str]) -> None:
    (folder / "Patient.ndjson.gz").write_bytes(gzip.compress("\n".join(written).encode()))


def write_parquet(folder: Path, written: list[str]) -> None:
    table = pa.table({"resource": written})
    pq.write_table(table, folder / "Patient.parquet", row_group_size=LINES)


FORMS = pytest.mark.parametrize("write", [write_plain, write_gzip, write_parquet])


@pytest.fixture
def export(write: Write, tmp_path: Path) -> Path:
    """Patients whose lines are no two alike, in one file."""
    folder = tmp_path / "export"
    folder.mkdir()
    chance = Random(1)
    patients = (
        {"resourceType": "Patient", "id": f"p{n}", "name": chance.randbytes(200).hex()}
        for n in range(LINES)
    )
    write(folder, [json.dumps(patient) for patient in patients])
    return folder


def only_piece(export: Path) -> Piece:
    (piece,) = pieces(read_export(export), WHOLE_FILE)
    return piece


@FORMS
def test_with_half_of_the_lines_about_half_is_read(export: Path) -> None:
    """Of a file that is not cut too, where all would else be told at once, minutes later."""
    piece = only_piece(export)
    told: list[int] = []
    read = lines(piece, told.append)
    half = len(list(islice(read, LINES // 2)))
    at_half = sum(told)
    rest = len(list(read))

    assert half + rest == LINES
    assert 0.3 < at_half / piece.bytes < 0.7
    assert 0.9 < sum(told) / piece.bytes < 1.1


@FORMS
def test_a_run_tells_every_byte_once(
    export: Path, tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many times while the file is read, exactly its size in the end, then patient by patient."""
    told: list[int] = []
    monkeypatch.setattr(local, "_made", told.append)
    judged_here(tmp_path / "run", export, library)
    (file,) = export.iterdir()
    reading, judging = told[:-LINES], told[-LINES:]

    assert sum(reading) == file.stat().st_size
    assert len([count for count in reading if count]) >= 5
    assert judging == [1] * LINES


def test_never_more_is_told_than_there_is() -> None:
    """What is read ahead, or about, does not take the bar beyond its end."""
    told: list[int] = []
    progress = PieceProgress(100, told.append)
    for count in (60, 60, 60):
        progress.read(count)
    progress.finish()
    short: list[int] = []
    PieceProgress(100, short.append).finish()

    assert (sum(told), sum(short)) == (100, 100)


def test_pieces_are_as_large_as_what_they_hold(tmp_path: Path) -> None:
    """Also the last one, which may be much smaller than the others."""
    (tmp_path / "Patient.ndjson").write_text("x" * 250)

    assert [piece.bytes for piece in pieces(read_export(tmp_path), 100)] == [100, 100, 50]


def test_the_bar_of_a_run_that_goes_on_ends_at_its_end(tmp_path: Path) -> None:
    """Counted is what was left to read."""
    write_population(tmp_path / "export", patients=60, day=DAY)
    run = tmp_path / "run"
    arguments = (run, "--input", tmp_path / "export", "--as-of", DAY.isoformat())
    with subprocess.Popen(
        command(*arguments), env=environment(), stderr=subprocess.DEVNULL
    ) as begun:
        wait_until(lambda: pieces_done(run) >= 2)
        begun.kill()
    done = [json.loads(note.read_text()) for note in run.glob("work/gathered/*/done.json")]
    again = commanded(*arguments)
    reading = [line for line in again.stderr.splitlines() if line.startswith("reading:")]

    assert done
    assert reading[-1].startswith("reading: 100%")


def test_the_bar_ends_full_where_patients_are_given_again(tmp_path: Path) -> None:
    """How many patients there are is known only when all are judged."""
    (tmp_path / "export").mkdir()
    patient = '{"resourceType":"Patient","id":"p%d"}\n'
    given = [patient % number for number in (1, 2, 3, 1, 2, 1)]
    (tmp_path / "export" / "Patient.ndjson").write_text("".join(given))
    done = commanded(tmp_path / "run", "--input", tmp_path / "export", "--as-of", DAY.isoformat())
    judging = [line for line in done.stderr.splitlines() if line.startswith("judging:")]

    assert judging[-1].startswith("judging: 100%")
    assert "3.00/3.00" in judging[-1]
