"""What an export's folder holds, and that each of its lines is read once, with its number."""

from __future__ import annotations

import gzip
import json
import pickle
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.population.export import (
    GZIP_MAGIC,
    Export,
    ExportProblem,
    Kind,
    pieces,
    read_export,
    type_named,
)
from service.population.export_place import input_folder
from service.population.lines import (
    BROKEN,
    BYTE_ORDER_MARK,
    LONGEST_LINE,
    TOO_LONG,
    Line,
    lines,
    split,
)

ALL = 1 << 30


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def read_lines(folder: Path, piece_bytes: int = ALL) -> list[Line]:
    return [line for piece in pieces(read_export(folder), piece_bytes) for line in lines(piece)]


def names(export: Export) -> list[str]:
    return [file.name for file in export.files]


def test_every_part_of_an_export_is_found_by_name_in_whatever_folder(tmp_path: Path) -> None:
    """Servers number the parts, zip them, or put them into a folder for each type."""
    parts = [
        "Condition.1.ndjson",
        "Condition_000.ndjson.gz",
        "Encounter/part-0.parquet",
        "Observation/2026/a.jsonl",
        "Observation/2026/b.jsonl.gz",
        "Patient.NDJSON",
    ]
    put(tmp_path, dict.fromkeys(parts, b""))

    export = read_export(tmp_path)

    assert parts == names(export)
    assert {"Condition", "Encounter", "Observation", "Patient"} == export.types_named
    assert () == export.ignored


def test_what_is_not_read_is_named(tmp_path: Path) -> None:
    """Nothing is dropped silently."""
    ignored = [
        ".Patient.ndjson.part",
        "_temporary/Patient.ndjson",
        "deleted/Patient.ndjson",
        "error/OperationOutcome.ndjson",
        "log.ndjson",
        "manifest.json",
        "notes.txt",
    ]
    put(tmp_path, {"Patient.ndjson": b"{}\n", **dict.fromkeys(ignored, b"{}\n")})
    (tmp_path / "elsewhere").symlink_to(tmp_path.parent, target_is_directory=True)

    export = read_export(tmp_path)

    assert ["Patient.ndjson"] == names(export)
    assert tuple(sorted([*ignored, "elsewhere"])) == export.ignored


def test_an_empty_file_says_that_its_type_was_delivered(tmp_path: Path) -> None:
    """A population without conditions is not one whose conditions are missing."""
    put(tmp_path, {"Condition.ndjson": b"", "Patient.ndjson": b"{}"})

    assert {"Condition", "Patient"} == read_export(tmp_path).types_named
    assert [b"{}"] == read_lines(tmp_path)


def test_a_file_reached_by_a_link_as_well_is_read_once(tmp_path: Path) -> None:
    """SMART Fetch lays links to all parts beside the folders of its runs."""
    put(tmp_path, {"001/Patient.001.ndjson": b"{}\n"})
    (tmp_path / "Patient.001.ndjson").symlink_to("001/Patient.001.ndjson")

    export = read_export(tmp_path)

    assert ["001/Patient.001.ndjson"] == names(export)
    assert ("Patient.001.ndjson",) == export.ignored


@pytest.mark.parametrize(
    ("words", "content", "is_read"),
    [
        ("a resource on each line", b'{"resourceType": "Patient"}\n{}\n', True),
        ("one resource", b'{"resourceType": "Patient"}', True),
        ("a Bundle", b'{"resourceType": "Bundle", "entry": []}', False),
        ("a document on many lines", b'{\n"resourceType": "Patient"\n}', False),
        ("something else", b"[1]\n", False),
        ("nothing", b"", False),
    ],
)
@pytest.mark.parametrize("end", [".json", ".json.gz"])
def test_a_json_file_is_read_when_its_first_line_is_a_resource(
    tmp_path: Path, words: str, content: bytes, is_read: bool, end: str
) -> None:
    """Spark names NDJSON so, and everybody else a single document."""
    held = gzip.compress(content) if end.endswith(".gz") else content
    put(tmp_path, {"Encounter.ndjson": b"", f"part-0{end}": held})

    assert is_read == (f"part-0{end}" in names(read_export(tmp_path)))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Condition.ndjson", "Condition"),
        ("MedicationRequest.2.ndjson.gz", "MedicationRequest"),
        ("Condition_000.ndjson.gz", "Condition"),
        ("AllergyIntolerance-1.ndjson", "AllergyIntolerance"),
        ("Condition/part-0.parquet", "Condition"),
        ("Condition.parquet/part-0.snappy.parquet", "Condition"),
        ("resourceType=Encounter/part-0.parquet", "Encounter"),
        ("Encounter/Condition.ndjson", "Condition"),
        ("all.ndjson", None),
        ("DATA.ndjson", None),
    ],
)
def test_a_file_name_tells_the_type(name: str, told: str | None) -> None:
    assert told == type_named(name)


@pytest.mark.parametrize(
    ("words", "files", "message"),
    [
        ("no file at all", {}, "holds no NDJSON"),
        ("only other files", {"notes.txt": b"{}"}, "holds no NDJSON"),
    ],
)
def test_a_folder_without_resources_is_refused(
    tmp_path: Path, words: str, files: dict[str, bytes], message: str
) -> None:
    put(tmp_path, files)

    with pytest.raises(ExportProblem, match=message):
        read_export(tmp_path)


def test_a_missing_folder_and_an_unreadable_file_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ExportProblem, match="is not a folder"):
        read_export(tmp_path / "nowhere")

    (tmp_path / "Patient.ndjson").symlink_to("gone")
    with pytest.raises(ExportProblem, match=r"Patient\.ndjson cannot be read"):
        read_export(tmp_path)


def test_plain_files_are_cut_and_zipped_ones_are_not(tmp_path: Path) -> None:
    put(tmp_path, {"A.ndjson": b"x" * 25, "B.ndjson.gz": gzip.compress(b"x" * 25)})

    cut = pieces(read_export(tmp_path), 10)

    assert [(0, 10), (10, 20), (20, 25)] == [
        (piece.block, piece.end) for piece in cut if piece.kind is Kind.PLAIN
    ]
    assert [0] == [piece.block for piece in cut if piece.kind is Kind.GZIP]
    assert cut == pickle.loads(pickle.dumps(cut))  # noqa: S301 our own


TEXTS = st.lists(
    st.one_of(st.binary(max_size=30), st.just(b""), st.integers(0, 4).map(lambda n: b"x" * n)).map(
        lambda text: text.replace(b"\n", b"").replace(b"\r", b"")
    ),
    max_size=20,
)


def written(texts: list[bytes], ends: list[bool], *, last_end: bool) -> bytes:
    """A file of these lines; ``ends`` says after which of them stands a carriage return, too."""
    each = [text + (b"\r\n" if end else b"\n") for text, end in zip(texts, ends, strict=True)]
    whole = b"".join(each)
    return whole if last_end else whole.removesuffix(b"\n")


@given(TEXTS, st.data(), st.integers(1, 40), st.booleans())
def test_whatever_the_pieces_each_line_is_read_once_and_in_its_place(
    texts: list[bytes], data: st.DataObject, piece_bytes: int, last_end: bool
) -> None:
    """So rejected lines bear their number in the file, however many workers read it."""
    ends = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    content = written(texts, ends, last_end=last_end)
    assume(not content.startswith((GZIP_MAGIC, BYTE_ORDER_MARK)))  # these say more than a line
    starts = [at for at in range(len(content)) if at == 0 or content[at - 1 : at] == b"\n"]
    told = [line.removesuffix(b"\r") for line in content.split(b"\n")][: len(starts)]

    with TemporaryDirectory() as folder:
        put(Path(folder), {"Patient.ndjson": content})
        cut = pieces(read_export(Path(folder)), piece_bytes)
        read = [list(lines(piece)) for piece in cut]

    assert told == [line for each in read for line in each]
    assert [sum(piece.block <= at < piece.end for at in starts) for piece in cut] == [
        len(each) for each in read
    ]


@given(st.binary(max_size=200), st.data())
def test_lines_do_not_depend_on_how_the_bytes_arrive(content: bytes, data: st.DataObject) -> None:
    """However the disk or the unzipping deals them out; a line of more than 20 bytes is long."""
    content = content.replace(b"\x01", b"\n").replace(b"\x02", b"\r")
    cuts = data.draw(st.lists(st.integers(1, 20), min_size=len(content), max_size=len(content)))
    chunks, at = [], 0
    for size in cuts:
        chunks.append(content[at : at + size])
        at += size
    whole = content.removesuffix(b"\n").split(b"\n") if content else []
    bare = [line.removesuffix(b"\r") for line in whole]

    assert [TOO_LONG if len(line) > 20 else line for line in bare] == list(split(chunks, 20))


def test_a_line_too_long_to_be_a_resource_is_counted_and_not_held(tmp_path: Path) -> None:
    longest = b"x" * LONGEST_LINE
    content = b"\n".join([b"first", longest, longest + b"x", b"last"])
    put(tmp_path, {"A.ndjson": content, "B.ndjson.gz": gzip.compress(content, 1)})

    read = read_lines(tmp_path, 5 << 20)

    assert [b"first", longest, TOO_LONG, b"last"] * 2 == read


def test_a_mark_at_the_start_of_a_file_is_no_part_of_its_first_line(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n"
    put(tmp_path, {"A.ndjson": content, "B.ndjson.gz": gzip.compress(content)})

    assert [b"{}", b"\xef\xbb\xbf{}"] * 2 == read_lines(tmp_path)
    assert [b"{}", b"\xef\xbb\xbf{}"] * 2 == read_lines(tmp_path, 2)


RESOURCES = [json.dumps({"resourceType": "Patient", "id": f"p{n}"}).encode() for n in range(5_000)]
NDJSON = b"\n".join(RESOURCES) + b"\n"


def test_a_zipped_file_may_be_of_several_parts_and_be_named_plain(tmp_path: Path) -> None:
    """Programs that add to a zipped file begin a new part; others forget the end of the name."""
    half = len(NDJSON) // 2
    zipped = gzip.compress(NDJSON[:half]) + gzip.compress(NDJSON[half:])
    put(tmp_path, {"A.ndjson.gz": zipped, "B.ndjson": zipped})

    assert RESOURCES * 2 == read_lines(tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_a_zipped_file_cut_short_gives_its_whole_lines_and_says_so(
    tmp_path: Path, share: float
) -> None:
    """A download that broke off is no smaller population."""
    zipped = gzip.compress(NDJSON)
    came = zipped[: int(len(zipped) * share)]
    *whole, _ = zlib.decompressobj(wbits=31).decompress(came).split(b"\n")
    put(tmp_path, {"A.ndjson.gz": came})

    assert [*whole, BROKEN] == read_lines(tmp_path)


@pytest.mark.parametrize(
    ("words", "content", "before"),
    [
        ("empty", b"", []),
        ("not zipped", b"{}\n", []),
        ("its sum is wrong", gzip.compress(NDJSON)[:-8] + bytes(8), RESOURCES),
        ("followed by something", gzip.compress(NDJSON) + b"more", RESOURCES),
    ],
)
def test_a_damaged_zipped_file_ends_with_its_mark(
    tmp_path: Path, words: str, content: bytes, before: list[bytes]
) -> None:
    put(tmp_path, {"A.ndjson.gz": content})

    assert [*before, BROKEN] == read_lines(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exports/today", Path("exports/today")),
        ("/exports", Path("/exports")),
        ("file:///exports/my%20own", Path("/exports/my own")),
        ("file:/exports", Path("/exports")),
        ("https://fhir.example.org/status/1", "https://fhir.example.org/status/1"),
        ("HTTP://fhir.example.org/status/1", "HTTP://fhir.example.org/status/1"),
    ],
)
def test_an_input_is_a_folder_or_a_web_address(text: str, expected: Path | str) -> None:
    assert expected == input_folder(text)


@pytest.mark.parametrize("text", ["s3://bucket/export", "hdfs://host/export", "dbfs:/export"])
def test_stores_of_clusters_are_left_to_spark(text: str) -> None:
    with pytest.raises(ExportProblem, match="--engine spark"):
        input_folder(text)


def test_a_file_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ExportProblem, match="another machine"):
        input_folder("file://there/export")
