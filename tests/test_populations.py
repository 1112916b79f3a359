"""Exports of synthetic populations: the same each time, in every form, bad where told."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from service.prefetch import SEARCHES
from tests.conftest import HOUSE
from tests.populations import FORMS, Written, write_population
from tests.populations.bad_lines import KINDS
from tests.populations.chart import draw_chart

DAY = date(2026, 3, 1)
SEED = 1
READ = {*SEARCHES.values(), "Patient", "Medication"}
UNREAD = {"Immunization", "Claim", "Practitioner", "Organization"}


def population(folder: Path, patients: int = 30, **options: Any) -> Written:
    """A small population of the usual seed and day."""
    return write_population(folder, patients=patients, day=DAY, seed=SEED, **options)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def lines_of(folder: Path) -> dict[str, list[bytes]]:
    """Each file's lines, plain or compressed."""
    return {
        name: (gzip.decompress(content) if name.endswith(".gz") else content).splitlines()
        for name, content in bytes_of(folder).items()
    }


def by_type(folder: Path) -> dict[str, Counter[bytes]]:
    """Each resource type's lines, whatever files they stand in."""
    found: dict[str, Counter[bytes]] = defaultdict(Counter)
    for name, lines in lines_of(folder).items():
        found[name.partition(".")[0]].update(lines)
    return found


# The same each time


@pytest.mark.parametrize("form", FORMS)
def test_the_same_request_gives_the_same_bytes(form: str, tmp_path: Path) -> None:
    """Two people who generate a population can compare what they find in it."""
    first, second = tmp_path / "first", tmp_path / "second"
    told = [population(folder, form=form, parts=3, bad=1) for folder in (first, second)]

    assert bytes_of(first) == bytes_of(second)
    assert told[0] == told[1]


def test_another_seed_gives_other_patients(tmp_path: Path) -> None:
    """No patient of one seed is met again under another."""
    ids = [{draw_chart(number, seed, DAY).person.id for number in range(50)} for seed in (SEED, 2)]

    assert not ids[0] & ids[1]


def test_a_small_population_is_part_of_a_large_one(tmp_path: Path) -> None:
    """The first twenty patients are the same, line for line, however many follow."""
    population(tmp_path / "small", 20)
    population(tmp_path / "large", 50, parts=2)

    small, large = by_type(tmp_path / "small"), by_type(tmp_path / "large")
    assert all(lines <= large[type_] for type_, lines in small.items())


@pytest.mark.parametrize("form", ["gz", "parquet"])
def test_every_form_holds_the_same_lines(form: str, tmp_path: Path) -> None:
    """Compressed and in Parquet, an export has the same lines in the same order."""
    population(tmp_path / "plain")
    population(tmp_path / "other", form=form)
    plain = lines_of(tmp_path / "plain")

    if form == "gz":
        other = {
            name.removesuffix(".gz"): lines for name, lines in lines_of(tmp_path / "other").items()
        }
    else:
        other = {f"{name}.ndjson": rows for name, rows in _parquet_rows(tmp_path / "other")}
    assert plain == other


def _parquet_rows(folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    from pyarrow import parquet

    for file in folder.iterdir():
        texts = parquet.read_table(file)["resource"].to_pylist()
        yield file.stem, [text.encode() for text in texts]


def test_parts_share_the_lines_out(tmp_path: Path) -> None:
    """In four parts, each file has its share; what is told of the files is true."""
    told = population(tmp_path, parts=4)
    counts = {name: len(lines) for name, lines in lines_of(tmp_path).items()}

    observations = [count for name, count in counts.items() if name.startswith("Observation.")]
    assert len(observations) == 4
    assert max(observations) - min(observations) <= 1
    assert dict(told.files) == counts
    assert told.lines["Patient"] == told.patients == 30


def test_lines_of_patients_are_mixed(tmp_path: Path) -> None:
    """As servers give them: next to a patient's line there is mostly another's."""
    population(tmp_path)
    about = [
        json.loads(line)["subject"]["reference"]
        for line in lines_of(tmp_path)["Observation.ndjson"]
    ]

    beside = sum(one == other for one, other in pairwise(about))
    assert beside < len(about) / 4


def test_every_type_is_there(tmp_path: Path) -> None:
    """What the service reads, and what it never reads."""
    told = population(tmp_path)

    assert set(told.lines) == READ | UNREAD
    assert 0 < told.lines["Claim"] < told.lines["Observation"] / 10


# Bad lines


def test_bad_lines_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    """Every planted line is found at its file and line, and no other line is bad."""
    population(tmp_path / "good", 40, parts=2)
    told = population(tmp_path / "bad", 40, parts=2, bad=3)
    files = lines_of(tmp_path / "bad")

    assert Counter(line.kind for line in told.planted) == dict.fromkeys(KINDS, 3)
    assert len({(line.file, line.line) for line in told.planted}) == len(told.planted)
    planted: Counter[bytes] = Counter()
    for one in told.planted:
        line = files[one.file][one.line - 1]
        planted[line] += 1
        assert _is_bad(line, one.kind, files), one.kind
    whole = sum(by_type(tmp_path / "bad").values(), Counter())
    assert whole - planted == sum(by_type(tmp_path / "good").values(), Counter())


def _is_bad(line: bytes, kind: str, files: dict[str, list[bytes]]) -> bool:
    patients = [row for name, rows in files.items() if name.startswith("Patient") for row in rows]
    match kind:
        case "not UTF-8":
            return _raises(UnicodeDecodeError, line)
        case "not JSON" | "cut":
            return _raises(ValueError, line)
        case "blank":
            return not line.strip()
        case "array" | "number":
            return isinstance(json.loads(line), list if kind == "array" else int)
        case "Patient twice":
            return patients.count(line) > 1
    entry = json.loads(line)
    about = entry.get("subject", {}).get("reference", "")
    match kind:
        case "no resourceType":
            return "resourceType" not in entry
        case "Patient without id":
            return entry["resourceType"] == "Patient" and "id" not in entry
        case "no subject":
            return "subject" not in entry
        case "orphan":
            named = about.removeprefix("Patient/").encode()
            return about.startswith("Patient/") and not any(named in row for row in patients)
    return bool(about.startswith(kind.removeprefix("subject is a ")))


def _raises(error: type[ValueError], line: bytes) -> bool:
    with pytest.raises(error):
        json.loads(line.decode())
    return True


# By hand


def test_the_command_writes_a_population(tmp_path: Path) -> None:
    """Told a folder, a number and a day, it writes the files and prints what they hold."""
    command = [sys.executable, "-m", "tests.populations", str(tmp_path / "made")]
    options = ["--patients", "3", "--day", str(DAY), "--format", "gz", "--bad", "1"]
    done = subprocess.run([*command, *options], cwd=HOUSE, capture_output=True, check=True)
    told = json.loads(done.stdout)

    counts = {name: len(lines) for name, lines in lines_of(tmp_path / "made").items()}
    assert told["files"] == counts
    assert {line["kind"] for line in told["planted"]} == set(KINDS)


def test_a_form_nobody_knows_is_refused(tmp_path: Path) -> None:
    """A form that cannot be written is refused before anything is."""
    with pytest.raises(ValueError, match="the form is one of"):
        population(tmp_path / "none", form="xml")

    assert not (tmp_path / "none").exists()
