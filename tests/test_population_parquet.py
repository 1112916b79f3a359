"""A resource read from Parquet is the resource the file was made from."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq
import pytest

from service.population.export import pieces, read_export
from service.population.lines import BROKEN, LONGEST_LINE, TOO_LONG, Line, lines
from tests.conftest import HOUSE

ALL = 1 << 30
# Without zones, as some columns are.
MIDNIGHT = datetime.fromisoformat("2025-06-01")
MORNING = datetime.fromisoformat("2025-06-01T08:05")
CONDITIONS: list[dict[str, Any]] = [
    {
        "resourceType": "Condition",
        "id": "c-1",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "278860009"}]},
        "onsetDateTime": "2025-06-01",
    },
    {
        "resourceType": "Condition",
        "id": "c-2",
        "subject": {"reference": "Patient/p"},
        "category": [{"coding": [{"code": "x"}]}, {"text": "two"}],
        "recordedDate": "2025-06-02",
    },
]


def fixtures() -> dict[str, list[dict[str, Any]]]:
    """All resources of the synthetic patients, by type."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted(HOUSE.glob("fhir_fixtures/*/request.json")):
        for resource in resources_in(json.loads(path.read_bytes()).get("prefetch", {})):
            found[resource["resourceType"]].append(resource)
    return found


def resources_in(value: Any) -> Iterator[dict[str, Any]]:
    for each in value.values():
        if isinstance(each, dict) and each.get("resourceType") == "Bundle":
            yield from (entry["resource"] for entry in each.get("entry", []))
        elif isinstance(each, dict) and "resourceType" in each:
            yield each


FIXTURES = fixtures()


def read_lines(folder: Path) -> list[Line]:
    return [line for piece in pieces(read_export(folder), ALL) for line in lines(piece)]


def read_resources(folder: Path) -> list[Any]:
    read = read_lines(folder)
    assert all(isinstance(line, bytes) for line in read), read
    return [json.loads(line) for line in read if isinstance(line, bytes)]


def ndjson(path: Path, resources: list[dict[str, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(resource)}\n" for resource in resources))
    return path


def through_duckdb(resources: list[dict[str, Any]], folder: Path, name: str) -> Path:
    """What DuckDB makes of the resources when it is asked to guess."""
    source = ndjson(folder / "source", resources)
    held = folder / "export"
    held.mkdir()
    with duckdb.connect() as database:
        database.execute(
            f"COPY (FROM read_ndjson_auto('{source}', maximum_depth=-1, sample_size=-1)) "
            f"TO '{held / name}'"
        )
    return held


def same_instants(value: Any) -> Any:
    """A resource whose dateTimes are spelt in one way, as instants."""
    if isinstance(value, dict):
        return {name: same_instants(each) for name, each in value.items()}
    if isinstance(value, list):
        return [same_instants(each) for each in value]
    if isinstance(value, str) and value[4:5] == "-" and value[10:11] == "T":
        return datetime.fromisoformat(value)
    return value


@pytest.mark.parametrize("kind", sorted(FIXTURES))
def test_what_duckdb_made_of_the_fixtures_reads_as_they_were(kind: str, tmp_path: Path) -> None:
    """The columns of all patients' resources together, most of them empty in each row."""
    folder = through_duckdb(FIXTURES[kind], tmp_path, f"{kind}.parquet")

    assert same_instants(FIXTURES[kind]) == same_instants(read_resources(folder))


@pytest.mark.parametrize("kind", sorted(FIXTURES))
def test_what_arrow_made_of_the_fixtures_reads_as_they_were(kind: str, tmp_path: Path) -> None:
    """As Spark and Polars hold them: texts stay texts."""
    # One odd fixture says its status in a text, which has no room in a column of objects.
    fitting = [each for each in FIXTURES[kind] if not isinstance(each.get("clinicalStatus"), str)]
    pq.write_table(pa.Table.from_pylist(unified(fitting)), tmp_path / f"{kind}.parquet")

    assert fitting == read_resources(tmp_path)


def unified(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every column in every row, for Arrow takes the names from the first."""
    names = dict.fromkeys(name for resource in resources for name in resource)
    return [{name: resource.get(name) for name in names} for resource in resources]


def test_what_a_reader_of_json_guessed_to_be_a_time_is_the_day_it_was(tmp_path: Path) -> None:
    """A birth date that became midnight is a birth date again."""
    patients: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "p1", "birthDate": "1960-04-01", "multipleBirth": 2},
        {"resourceType": "Patient", "id": "p2", "birthDate": "1971-12-31"},
    ]
    table = pyarrow.json.read_json(ndjson(tmp_path / "source", patients))
    assert pa.types.is_timestamp(table.schema.field("birthDate").type)
    pq.write_table(table, tmp_path / "Patient.parquet")

    assert patients == read_resources(tmp_path)


def test_what_duckdb_guesses_is_guessed_back(tmp_path: Path) -> None:
    """It makes UUIDs, days, times and instants of texts, and maps of objects."""
    rows: list[dict[str, Any]] = [
        {
            "resourceType": "Observation",
            "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "effectiveDateTime": "2025-06-01T23:30:00+02:00",
            "issued": "2025-06-01T10:00:00.250Z",
            "birthDate": "2025-06-01",
            "valueTime": "10:30:00",
            "valueQuantity": {"value": 7.25},
            "valueInteger": 3,
            "valueBoolean": False,
            "note": [{"text": 'Grüße, "quoted" \\ \u2028'}],
            "odd": {"one": 1, "two": [True]},
        },
        {
            "resourceType": "Observation",
            "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3302",
            "valueQuantity": {"value": 8, "unit": ""},
            "odd": "text",
            "category": [None, {"text": "second"}],
        },
    ]
    folder = through_duckdb(rows, tmp_path, "Observation.parquet")

    first, second = read_resources(folder)

    assert same_instants(rows) == same_instants([first, second])
    assert "2025-06-01T21:30:00Z" == first["effectiveDateTime"]
    assert "2025-06-01T10:00:00.250Z" == first["issued"]


WHOLE = [json.dumps(each) for each in CONDITIONS]


@pytest.mark.parametrize(
    ("words", "columns"),
    [
        ("the only column", {"anything": WHOLE}),
        ("beside others", {"id": ["c-1", "c-2"], "json": WHOLE}),
        ("beside its type", {"resourceType": ["Condition", "Condition"], "resource": WHOLE}),
        ("bytes", {"value": [text.encode() for text in WHOLE], "offset": [1, 2]}),
        ("long texts", {"line": pa.array(WHOLE, pa.large_string())}),
        ("numbered texts", {"content": pa.array(WHOLE).dictionary_encode()}),
    ],
)
def test_a_column_may_hold_the_resources_whole(
    tmp_path: Path, words: str, columns: dict[str, Any]
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "Condition.parquet")

    assert [text.encode() for text in WHOLE] == read_lines(tmp_path)


def test_duckdb_may_hold_the_resources_whole(tmp_path: Path) -> None:
    source = ndjson(tmp_path / "source", CONDITIONS)
    with duckdb.connect() as database:
        target = tmp_path / "Condition.parquet"
        database.execute(f"COPY (FROM read_ndjson_objects('{source}')) TO '{target}'")

    assert CONDITIONS == read_resources(tmp_path)


def test_a_null_in_the_place_of_a_resource_is_an_empty_line(tmp_path: Path) -> None:
    """So that the rows after it keep their numbers; a text too long is counted as well."""
    texts = [None, "{}", "x" * (LONGEST_LINE + 1), "[]"]
    pq.write_table(pa.table({"json": texts}), tmp_path / "Condition.parquet")

    assert [b"", b"{}", TOO_LONG, b"[]"] == read_lines(tmp_path)


@pytest.mark.parametrize(
    ("words", "column", "expected"),
    [
        ("a day", pa.array([date(2025, 6, 1)]), "2025-06-01"),
        ("midnight without zone", pa.array([MIDNIGHT]), "2025-06-01"),
        ("a time without zone", pa.array([MORNING]), "2025-06-01T08:05:00Z"),
        (
            "midnight in UTC",
            pa.array([MIDNIGHT], pa.timestamp("ns", "UTC")),
            "2025-06-01T00:00:00Z",
        ),
        (
            "a time of a zone",
            pa.array(
                [datetime(2025, 6, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))],
                pa.timestamp("ms", "Europe/Berlin"),
            ),
            "2025-06-01T00:30:00+02:00",
        ),
        (
            "a time of an offset",
            pa.array(
                [datetime(2025, 6, 1, 0, 30, tzinfo=timezone(timedelta(hours=-5)))],
                pa.timestamp("us", "-05:00"),
            ),
            "2025-06-01T00:30:00-05:00",
        ),
        ("a decimal", pa.array([Decimal("7.50")]), 7.5),
        ("a whole number among others", pa.array([3.0]), 3),
        ("a number that is none", pa.array([float("nan")]), None),
        ("a text marked as bytes", pa.array([b"text"]), "text"),
        ("bytes", pa.array([b"\xff\x00"]), "/wA="),
        ("an empty text", pa.array([""]), ""),
        ("no", pa.array([False]), False),
        ("an empty array", pa.array([[]], pa.list_(pa.string())), None),
        ("an array of nothing", pa.array([[None]], pa.list_(pa.string())), None),
        ("an array with a gap", pa.array([["a", None]]), ["a", None]),
        ("an object of nothing", pa.array([{"a": None, "b": {"c": []}}]), None),
        ("a sized array", pa.array([[1, 2]], pa.list_(pa.int32(), 2)), [1, 2]),
        (
            "an array of objects, some empty",
            pa.array([[{"a": 1}, {"a": None}]]),
            [{"a": 1}, None],
        ),
        (
            "a map",
            pa.array([[("a", 1), ("b", None)]], pa.map_(pa.string(), pa.int64())),
            {"a": 1},
        ),
    ],
)
def test_a_value_is_written_as_fhir_writes_it(
    tmp_path: Path, words: str, column: pa.Array, expected: Any
) -> None:
    """What is null or empty is left out, for FHIR has no such elements."""
    table = pa.table({"id": pa.array(["r"]), "element": column})
    pq.write_table(table, tmp_path / "Basic.parquet")
    absent = {"resourceType": "Basic", "id": "r"}

    told = absent if expected is None else {**absent, "element": expected}
    assert [told] == read_resources(tmp_path)


def test_rows_of_a_type_only_the_file_name_tells_bear_it(tmp_path: Path) -> None:
    """Spark takes the column out when it makes a folder for each type."""
    bare = [
        {name: value for name, value in each.items() if name != "resourceType"}
        for each in CONDITIONS
    ]
    (tmp_path / "resourceType=Condition").mkdir()
    table = pa.Table.from_pylist([*unified(bare), {}])
    pq.write_table(table, tmp_path / "resourceType=Condition" / "part-0.parquet")

    assert [*CONDITIONS, {"resourceType": "Condition"}] == read_resources(tmp_path)


def test_a_row_group_is_a_piece(tmp_path: Path) -> None:
    ids = [{"resourceType": "Patient", "id": str(n)} for n in range(1_250)]
    pq.write_table(pa.Table.from_pylist(ids), tmp_path / "Patient.parquet", row_group_size=600)

    cut = pieces(read_export(tmp_path), ALL)

    assert [0, 1, 2] == [piece.block for piece in cut]
    assert [600, 600, 50] == [len(list(lines(piece))) for piece in cut]
    assert ids == read_resources(tmp_path)


def test_a_file_that_is_no_parquet_is_marked_broken(tmp_path: Path) -> None:
    """It is one line among the rejected, and the run goes on."""
    (tmp_path / "Condition.parquet").write_bytes(b"PAR1, cut short")

    assert [BROKEN] == read_lines(tmp_path)


def test_a_row_group_that_cannot_be_read_is_marked_broken_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    ids = [{"resourceType": "Patient", "id": f"patient-{n}"} for n in range(2_000)]
    path = tmp_path / "Patient.parquet"
    table = pa.Table.from_pylist(ids)
    pq.write_table(table, path, row_group_size=1_000, use_dictionary=False, compression="gzip")
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    damaged = bytearray(path.read_bytes())
    start = column.data_page_offset
    damaged[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
    path.write_bytes(damaged)

    first, second = pieces(read_export(tmp_path), ALL)

    assert [BROKEN] == list(lines(first))
    assert 1_000 == len([line for line in lines(second) if isinstance(line, bytes)])
