"""Bad lines are told with their file, line and reason, and nothing is lost silently."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cards.library import Library
from service.population.export import Kind, read_export
from service.population.local import Cut
from service.population.reasons import Reason
from tests.population_charts import JSON, write_lines
from tests.population_runs import DAY, SMALL, Tables, judged_here
from tests.populations import Written, write_population

Found = set[tuple[str, int, str]]
# What is planted → how the table may call it. A cut line may end where a reader does not mind.
REASON = {
    "not JSON": Reason.NOT_JSON,
    "cut": Reason.NOT_JSON,
    "not UTF-8": Reason.NOT_UTF8,
    "array": Reason.NOT_FHIR,
    "number": Reason.NOT_FHIR,
    "no resourceType": Reason.NOT_FHIR,
    "no subject": Reason.NO_PATIENT,
    "orphan": Reason.UNKNOWN_PATIENT,
    "subject is a Group": Reason.NO_PATIENT,
    "subject is a Device": Reason.NO_PATIENT,
    "Patient without id": Reason.PATIENT_WITHOUT_ID,
}


def lines_in(folder: Path) -> dict[str, list[bytes]]:
    """Each file's lines."""
    found = {}
    for file in read_export(folder).files:
        if file.kind is Kind.PARQUET:
            found[file.name] = [
                t.encode() for t in pq.read_table(file.path)["resource"].to_pylist()
            ]
        else:
            content = file.path.read_bytes()
            plain = gzip.decompress(content) if file.kind is Kind.GZIP else content
            found[file.name] = plain.removesuffix(b"\n").split(b"\n")
    return found


def expected(folder: Path, written: Written) -> Found:
    """The rejects due: what was planted, and of Patients given again all but the last."""
    found = {
        (one.file, one.line, REASON[one.kind].value)
        for one in written.planted
        if one.kind in REASON
    }
    given: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, lines in lines_in(folder).items():
        for number, line in enumerate(lines, 1):
            if name.startswith("Patient.") and b'"id"' in line[:80]:
                given[json.loads(line)["id"]].append((name, number))
    for places in given.values():
        found |= {(*place, Reason.PATIENT_AGAIN.value) for place in sorted(places)[:-1]}
    return found


def rejected(tables: Tables) -> Found:
    rows = tables.rows("rejects")
    found = {(row["file"], row["line"], row["reason"]) for row in rows}
    assert len(rows) == len(found)
    return found


def assert_all_accounted(tables: Tables, folder: Path) -> None:
    """Patients in are patients judged or rejected, and so are lines."""
    lines = [line for own in lines_in(folder).values() for line in own]
    out = ("judged", "without a visit", "rejected")

    assert tables.count("patients", "in") == sum(tables.count("patients", one) for one in out)
    assert tables.count("lines") == sum(1 for line in lines if line.strip())
    assert tables.count("lines", "rejected") == len(tables.rows("rejects"))
    assert all(count >= 0 for count in tables.figures.values())


@pytest.mark.parametrize(
    ("form", "parts", "division"),
    [
        ("ndjson", 1, SMALL),
        ("ndjson", 3, Cut(piece_bytes=150_001, partitions=3)),
        ("gz", 2, SMALL),
        ("parquet", 2, SMALL),
    ],
)
def test_every_bad_line_is_told_and_no_other(
    form: str, parts: int, division: Cut, library: Library, tmp_path: Path
) -> None:
    """Whatever the form, the parts and the cut: the right file, line and reason."""
    folder = tmp_path / "export"
    written = write_population(folder, patients=40, day=DAY, form=form, parts=parts, bad=2)
    tables = judged_here(tmp_path / "run", folder, library, division=division)

    assert expected(folder, written) == rejected(tables)
    assert_all_accounted(tables, folder)
    without_id = sum(one.kind == "Patient without id" for one in written.planted)
    assert tables.count("patients", "judged") == written.patients
    assert tables.count("patients", "rejected") == without_id > 0


def test_bad_lines_change_nothing_for_the_patients_beside_them(
    library: Library, tmp_path: Path
) -> None:
    """The cards and states are those of the same export without bad lines, in every form."""
    write_population(tmp_path / "good", patients=40, day=DAY)
    good = judged_here(tmp_path / "of-good", tmp_path / "good", library).content
    for form, division in (("ndjson", Cut(300_007, 2)), ("gz", SMALL), ("parquet", SMALL)):
        folder = tmp_path / form
        write_population(folder, patients=40, day=DAY, form=form, parts=2, bad=1)
        bad = judged_here(tmp_path / f"of-{form}", folder, library, division=division).content

        assert good["cards"] == bad["cards"]
        assert good["states"] == bad["states"]


def test_blank_lines_are_counted_as_lines_and_not_rejected(
    library: Library, tmp_path: Path
) -> None:
    """Empty or with spaces only, a line says nothing; the lines after it keep their numbers."""
    folder = write_lines(tmp_path / "export", [])
    good = json.dumps({"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-01"})
    (folder / "Patient.ndjson").write_text(f"\n   \n\t\n\r\n{good}\n{{\n")
    tables = judged_here(tmp_path / "run", folder, library)

    assert {("Patient.ndjson", 6, Reason.NOT_JSON.value)} == rejected(tables)
    assert tables.count("lines") == 2


def test_a_file_that_breaks_off_is_read_to_the_break(library: Library, tmp_path: Path) -> None:
    """What came before counts; the rest is one reject at the line where it broke."""
    write_population(tmp_path / "export", patients=20, day=DAY, form="gz")
    file = tmp_path / "export" / "Observation.ndjson.gz"
    file.write_bytes(file.read_bytes()[:-2_000])
    tables = judged_here(tmp_path / "run", tmp_path / "export", library)
    ((name, line, reason),) = rejected(tables)

    assert (name, reason) == (file.name, Reason.BROKEN_FILE.value)
    assert line > 1
    assert tables.count("lines", "read", "Observation") == line - 1
    assert tables.count("patients", "judged") == 20


def patient(identifier: str, **members: object) -> JSON:
    return {"resourceType": "Patient", "id": identifier, "birthDate": "1980-01-01", **members}


def test_a_patient_given_again_counts_as_given_last(library: Library, tmp_path: Path) -> None:
    """Born in 2020 by the last line, and judged as that."""
    lines = [patient("p1"), patient("p2"), patient("p1", birthDate="2020-01-01")]
    pain = {
        "resourceType": "Condition",
        "id": "c1",
        "subject": {"reference": "Patient/p1"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "278860009"}]},
        "onsetDateTime": "2025-06-01",
    }
    once = judged_here(
        tmp_path / "a", write_lines(tmp_path / "once", [lines[0], lines[1], pain]), library
    )
    again = judged_here(tmp_path / "b", write_lines(tmp_path / "again", [*lines, pain]), library)

    assert {("Patient.ndjson", 1, Reason.PATIENT_AGAIN.value)} == rejected(again)
    assert {"p1"} == set(once.of_patients("cards"))
    assert not again.rows("cards")
    assert again.count("patients", "in") == 2
    assert again.count("patients", "judged") == 2


def test_without_conditions_nobody_is_judged(library: Library, tmp_path: Path) -> None:
    """As over HTTP: without any Conditions nothing can be said, and every patient is told."""
    write_population(tmp_path / "export", patients=20, day=DAY)
    (tmp_path / "export" / "Condition.ndjson").unlink()
    tables = judged_here(tmp_path / "run", tmp_path / "export", library)

    assert {Reason.NO_CONDITIONS.value} == {reason for _, _, reason in rejected(tables)}
    assert len(tables.rows("rejects")) == tables.count("patients", "rejected") == 20
    assert not tables.rows("cards")
    assert not tables.rows("states")
    assert_all_accounted(tables, tmp_path / "export")
