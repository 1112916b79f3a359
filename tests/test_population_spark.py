"""The Spark engine answers as the local one does, wherever the export lies."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest

from service.call_size import MOST_RESOURCES
from service.population.export import read_export
from service.population.hadoop import HadoopFolder
from service.population.lines import LONGEST_LINE
from service.population.problems import PopulationProblem
from service.population.reasons import Reason
from service.population.stored_export import read_stored_export
from tests.population_engines import DAY, judged, rows, same
from tests.populations import write_population
from tests.spark import STORE, running_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SALT = b"a salt of the tests"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the exports and the runs of these tests lie."""
    return tmp_path_factory.mktemp("populations")


@pytest.fixture(scope="module")
def spark(place: Path) -> Iterator[SparkSession]:
    """A Spark that reaches these exports and runs in its store, too."""
    with running_spark(place) as session:
        yield session


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ("ndjson", {}),
        ("parquet", {"replay": True, "pseudonymised": True, "salt": SALT}),
    ],
)
def test_both_engines_find_the_same(
    spark: SparkSession, place: Path, form: str, asked: dict[str, Any]
) -> None:
    """Cards, states, rejected lines and counts do not depend on the engine."""
    export = place / form
    written = write_population(export, patients=25, day=DAY, seed=5, form=form, parts=2, bad=3)
    local, distributed = place / f"{form}-local", place / f"{form}-spark"
    judged(local, export, "local", **asked)
    judged(distributed, export, "spark", **asked)

    same(local, distributed)
    assert rows(distributed, "cards")
    assert rows(distributed, "rejects")
    counted = {tuple(key): number for *key, number in rows(distributed, "tallies")}
    assert counted["patients", "judged", "", ""] == written.patients


def odd_export(folder: Path) -> Path:
    """An export whose files are of every kind there is, broken ones among them."""
    write_population(folder, patients=12, day=DAY, seed=9, parts=1)
    some = (folder / "Observation.ndjson").read_bytes().splitlines(keepends=True)[:400]
    zipped = gzip.compress(b"".join(some), mtime=0)
    (folder / "Observation.cut.ndjson.gz").write_bytes(zipped[: len(zipped) // 2])
    (folder / "Observation.bent.ndjson.gz").write_bytes(zipped[:-9] + b"}" * 9)
    (folder / "Observation.two.NDJSON.GZ").write_bytes(gzip.compress(some[0]) + zipped)
    (folder / "Observation.named-plain.ndjson").write_bytes(zipped)
    (folder / "Observation.not.ndjson.gz").write_bytes(b"".join(some[:2]))
    for name in ("Procedure.1.ndjson.gz", "Procedure.1.parquet", "Immunization.ndjson"):
        (folder / name).write_bytes(b"")
    (folder / "Procedure.2.parquet").write_bytes(b"PAR1 and nothing else")
    odd = folder / "sub [1] é%20"
    odd.mkdir()
    (odd / "{odd}*Condition?%41 b.ndjson").write_bytes(
        b"\xef\xbb\xbf" + some[0].rstrip() + b"\r\n\r\n \n\ncaf\xe9\r\n" + some[1].rstrip() + b"\r"
    )
    long = b'{"resourceType":"Observation","note":"%s"}'
    short_of = LONGEST_LINE - len(long % b"")
    (folder / "Observation.long.ndjson").write_bytes(
        b"".join(long % (b"x" * (short_of + more)) + end for more, end in LONG) + some[2]
    )
    (folder / "list.json").write_bytes(b"".join(some[3:6]))
    (folder / "Bundle.json").write_bytes(b'{"resourceType":"Bundle"}\n')
    for name in ("log.ndjson", "_part.ndjson", ".hidden.ndjson", "notes.txt"):
        (folder / name).write_bytes(some[0])
    (folder / "Patient.idle.ndjson").write_bytes(b'{"resourceType":"Patient","id":"idle"}')
    (folder / "Encounter.idle.ndjson").write_bytes(
        b"".join(VISIT % number for number in range(MOST_RESOURCES))
    )
    (folder / "Observation.stranger.ndjson").write_bytes(SODIUM_OF_NOBODY)
    return folder


VISIT = b'{"resourceType":"Encounter","id":"%d","subject":{"reference":"Patient/idle"}}\n'
SODIUM_OF_NOBODY = (
    b'{"resourceType":"Observation","subject":{"reference":"Patient/nobody"},'
    b'"code":{"coding":[{"system":"http://loinc.org","code":"2951-2"}]}}'
)
# How many bytes more than the longest line, and how each ends.
LONG = ((0, b"\n"), (0, b"\r\n"), (1, b"\n"), (1, b"\r\n"), (9_999, b"\n"))


def test_what_is_odd_or_broken_is_told_alike(spark: SparkSession, place: Path) -> None:
    """No file is dropped silently: each has the same rejects, by file and line, in both engines.

    The export and the run lie in a store that only Hadoop reaches.
    """
    export = odd_export(place / "odd")
    judged(place / "odd-local", export, "local")
    judged(f"{STORE}/odd-spark", f"{STORE}/odd", "spark")

    same(place / "odd-local", place / "odd-spark")
    rejects = rows(place / "odd-spark", "rejects")
    broken = {file for file, _, reason in rejects if reason == "the file breaks off here"}
    assert {
        "Observation.cut.ndjson.gz", "Observation.bent.ndjson.gz", "Observation.not.ndjson.gz",
        "Procedure.1.ndjson.gz", "Procedure.1.parquet", "Procedure.2.parquet",
    } == broken  # fmt: skip
    assert [line for _, line, reason in rejects if reason.startswith("longer")] == [3, 4, 5]
    assert ("Observation.stranger.ndjson", 1, Reason.UNKNOWN_PATIENT.value) in rejects
    # Of a patient with nothing of the back the chart need not be read, however long it is.
    assert "idle" in {patient for patient, *_ in rows(place / "odd-spark", "states")}
    runs = [
        json.loads((place / name / "run.json").read_text("utf-8"))
        for name in ("odd-local", "odd-spark")
    ]
    ours, theirs = ([(f["name"], f["bytes"]) for f in run["files"]] for run in runs)
    assert ours == theirs
    assert [run["ignored"] for run in runs] == [runs[0]["ignored"]] * 2
    assert not (place / "odd-spark" / "work").exists()


def test_a_store_and_this_machine_list_the_same(spark: SparkSession, place: Path) -> None:
    """Names say in any store which files are resources, and nothing is fetched for the rest."""
    folder = odd_export(place / "listed")
    own = read_export(folder)
    stored = read_stored_export(spark, f"{STORE}/listed")

    assert [(f.name, f.kind, f.bytes) for f in own.files] == [
        (f.name, f.kind, f.bytes) for f in stored.files
    ]
    assert (own.ignored, own.types_named) == (stored.ignored, stored.types_named)


def test_a_run_that_was_broken_off_begins_anew_and_a_finished_one_does_not(
    spark: SparkSession, place: Path
) -> None:
    """Rows are never there twice, and nothing is judged twice."""
    export = place / "few"
    write_population(export, patients=5, day=DAY, seed=2)
    run = place / "few-spark"
    judged(run.as_uri(), export, "spark")
    finished = copytree(run, place / "few-finished")
    (run / "report.html").unlink()
    judged(run, export, "spark")

    same(finished, run)
    assert ["this run was finished before; nothing is done again"] == judged(run, export, "spark")
    with pytest.raises(PopulationProblem, match="another kind"):
        judged(run, place / "elsewhere", "spark")
    (place / "other").mkdir()
    (place / "other" / "notes").write_text("mine")
    with pytest.raises(PopulationProblem, match="holds other files"):
        judged(place / "other", export, "spark")
    with pytest.raises(PopulationProblem, match="lies in the folder of the export"):
        judged(f"{STORE}/few/run", f"{STORE}/few", "spark")


@pytest.mark.parametrize(
    ("words", "source", "told"),
    [
        ("no such store", "nosuch://there/export", "nosuch"),
        ("nothing there", f"{STORE}/nothing", "is not a folder"),
        ("a web address", "https://example.org/$export", "local engine only"),
    ],
)
def test_what_cannot_be_read_ends_with_one_sentence(
    spark: SparkSession, place: Path, words: str, source: str, told: str
) -> None:
    """Not with a page of Java."""
    with pytest.raises(PopulationProblem, match=told) as problem:
        judged(place / f"run {words}", source, "spark")
    assert "\n" not in str(problem.value)


def test_a_file_that_goes_away_ends_the_run(spark: SparkSession, place: Path) -> None:
    """It is named, and what was read of the others is not reported as if it were all."""
    export = place / "going"
    write_population(export, patients=5, day=DAY, seed=2)
    link = export / "Observation.2.ndjson"
    os.link(export / "Observation.ndjson", link)
    from service.population.spark_input import lines_of

    frame = lines_of(spark, read_stored_export(spark, str(export)))
    assert frame is not None
    link.unlink()
    from service.population.spark_session import spark_session

    with pytest.raises(PopulationProblem, match=r"Observation\.2\.ndjson"), spark_session(1):
        frame.count()


def test_a_store_has_a_file_whole_or_not(spark: SparkSession, place: Path) -> None:
    """A file written again has the new text, and nothing else lies beside it."""
    folder = HadoopFolder(spark, (place / "written").as_uri())
    folder.make()
    folder.write("run.json", "old and longer")
    folder.write("run.json", "nëw")

    assert folder.content("run.json").decode() == "nëw"
    assert ["run.json"] == [file.name for file in (place / "written").iterdir()]
