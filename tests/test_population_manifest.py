"""Downloading a finished export from a real server, which also fails in every way."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.population.bulk_download import ATTEMPTS, CLAIM, fetch_export
from service.population.bulk_manifest import origin_of
from service.population.export import ExportProblem, read_export
from service.population.export_place import without_secrets
from tests.fhir_server import (
    Exchange,
    Fault,
    FhirServer,
    breaks_off,
    fails,
    hangs_up,
    redirects,
    running,
    sends,
)

TOKEN = "a-secret-token"
PATIENTS = b'{"resourceType":"Patient","id":"p1"}\n{"resourceType":"Patient","id":"p2"}\n'
CONDITIONS = b'{"resourceType":"Condition","id":"c1"}'


@pytest.fixture
def server() -> Iterator[FhirServer]:
    """A server with two finished files."""
    with running() as fhir:
        fhir.faults["patients"] = sends(PATIENTS, kind="application/fhir+ndjson")
        fhir.faults["conditions"] = sends(CONDITIONS, kind="application/fhir+ndjson")
        finish(fhir)
        yield fhir


def finish(
    fhir: FhirServer, output: Any = None, *, needs_token: object = False, **more: Any
) -> None:
    """Let the server say that the export is finished."""
    listed = [listing(fhir, "Patient", "patients"), listing(fhir, "Condition", "conditions")]
    manifest = {
        "transactionTime": "2026-03-01T00:00:00Z",
        "request": f"{fhir.base}/$export",
        "requiresAccessToken": needs_token,
        "output": listed if output is None else output,
        "error": [],
        **more,
    }
    fhir.faults["status"] = sends(manifest, kind="application/json")


def listing(fhir: FhirServer, kind: str, place: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "url": f"{fhir.base}/{place}?signed=secret", **more}


def status_of(fhir: FhirServer) -> str:
    return f"{fhir.base}/status?job=secret"


def tokens(fhir: FhirServer) -> dict[str, str | None]:
    """The token each address was asked with; None for none."""
    return {each.kind: each.headers.get("Authorization") for each in fhir.received}


def test_every_file_of_the_manifest_comes_into_the_folder(
    server: FhirServer, tmp_path: Path
) -> None:
    fetched = fetch_export(status_of(server), tmp_path / "input", token=None)

    export = read_export(fetched.folder)
    assert ["Condition.1.ndjson", "Patient.1.ndjson"] == [file.name for file in export.files]
    assert (CLAIM,) == export.ignored
    assert PATIENTS == (tmp_path / "input" / "Patient.1.ndjson").read_bytes()
    assert () == fetched.warnings


def test_files_of_a_type_are_numbered_and_need_no_type(server: FhirServer, tmp_path: Path) -> None:
    """An export organised by patient has files of all types; a URL may be relative."""
    finish(
        server,
        [
            listing(server, "Patient", "patients"),
            listing(server, "Patient", "conditions"),
            {"url": "patients"},
        ],
    )

    fetch_export(status_of(server), tmp_path, token=None)

    names = {"Patient.1.ndjson", "Patient.2.ndjson", "resources.1.ndjson"}
    assert names == {file.name for file in read_export(tmp_path).files}


def test_a_zipped_answer_is_kept_unzipped(server: FhirServer, tmp_path: Path) -> None:
    server.faults["patients"] = sends(gzip.compress(PATIENTS), headers={"Content-Encoding": "gzip"})

    fetch_export(status_of(server), tmp_path, token=None)

    assert PATIENTS == (tmp_path / "Patient.1.ndjson").read_bytes()


def test_a_killed_run_goes_on_with_what_is_missing(server: FhirServer, tmp_path: Path) -> None:
    """Files are of hours; one that came whole is not asked for again."""
    server.faults["conditions"] = fails(404)
    with pytest.raises(ExportProblem, match=r"Condition\.1\.ndjson: the server answers 404"):
        fetch_export(status_of(server), tmp_path, token=None)
    server.faults["conditions"] = sends(CONDITIONS)

    fetch_export(status_of(server), tmp_path, token=None)

    assert 1 == server.asked()["patients"]
    assert CONDITIONS == (tmp_path / "Condition.1.ndjson").read_bytes()


def test_a_file_that_broke_off_is_not_taken_for_whole(server: FhirServer, tmp_path: Path) -> None:
    server.faults["patients"] = breaks_off

    with pytest.raises(ExportProblem, match=r"Patient\.1\.ndjson broke off"):
        fetch_export(status_of(server), tmp_path, token=None)

    assert ATTEMPTS == server.asked()["patients"]
    assert not (tmp_path / "Patient.1.ndjson").exists()


@pytest.mark.parametrize(
    ("words", "once"),
    [("hangs up", hangs_up()), ("is too busy", fails(503)), ("breaks off", breaks_off)],
)
def test_a_server_that_fails_once_is_asked_again(
    server: FhirServer, tmp_path: Path, words: str, once: Fault
) -> None:
    answers = iter([once])

    def failing_first(exchange: Exchange) -> None:
        next(answers, sends(PATIENTS))(exchange)

    server.faults["patients"] = failing_first

    fetch_export(status_of(server), tmp_path, token=None)

    assert 2 == server.asked()["patients"]
    assert PATIENTS == (tmp_path / "Patient.1.ndjson").read_bytes()


def test_another_export_is_not_mixed_into_the_folder(server: FhirServer, tmp_path: Path) -> None:
    """Else the patients of one would get the conditions of the other."""
    fetch_export(status_of(server), tmp_path, token=None)
    finish(server, transactionTime="2026-03-02T00:00:00Z")

    with pytest.raises(ExportProblem, match="another export"):
        fetch_export(status_of(server), tmp_path, token=None)


def test_files_listed_in_another_order_are_not_taken_for_each_other(
    server: FhirServer, tmp_path: Path
) -> None:
    """Else one of them would be read twice, and the other not at all."""
    listed = [listing(server, "Patient", "patients"), listing(server, "Patient", "conditions")]
    finish(server, listed)
    fetch_export(status_of(server), tmp_path, token=None)
    finish(server, listed[::-1])

    with pytest.raises(ExportProblem, match="another export"):
        fetch_export(status_of(server), tmp_path, token=None)


def test_files_whose_signatures_are_new_are_the_same_files(
    server: FhirServer, tmp_path: Path
) -> None:
    fetch_export(status_of(server), tmp_path, token=None)
    newly = [
        {"type": kind, "url": f"{server.base}/{place}?signed=anew"}
        for kind, place in (("Patient", "patients"), ("Condition", "conditions"))
    ]
    finish(server, newly)

    fetch_export(status_of(server), tmp_path, token=None)

    assert 1 == server.asked()["patients"]


def test_the_token_is_sent_for_files_that_need_it(server: FhirServer, tmp_path: Path) -> None:
    finish(server, needs_token=True)

    fetch_export(status_of(server), tmp_path, TOKEN)

    bearer = f"Bearer {TOKEN}"
    assert dict.fromkeys(["status", "patients", "conditions"], bearer) == tokens(server)


@pytest.mark.parametrize("needs_token", [False, None, "true"])
def test_files_that_do_not_need_the_token_are_asked_for_without(
    server: FhirServer, tmp_path: Path, needs_token: object
) -> None:
    """Their URLs are signed, and their store would refuse a token beside."""
    finish(server, needs_token=needs_token)

    fetch_export(status_of(server), tmp_path, TOKEN)

    asked = {"status": f"Bearer {TOKEN}", "patients": None, "conditions": None}
    assert asked == tokens(server)


def test_no_other_server_ever_sees_the_token(server: FhirServer, tmp_path: Path) -> None:
    """Not one the manifest names, nor one the server sends us on to, nor one of a next page."""
    with running() as other:
        for place in ("patients", "conditions"):
            other.faults[place] = sends(PATIENTS)
        finish(other, [listing(other, "Patient", "patients")])
        server.faults["conditions"] = redirects(f"{other.base}/conditions")
        finish(
            server,
            [listing(other, "Patient", "patients"), listing(server, "Condition", "conditions")],
            needs_token=True,
            link=[{"relation": "next", "url": status_of(other)}],
        )

        fetch_export(status_of(server), tmp_path, TOKEN)

        assert {"status": None, "patients": None, "conditions": None} == tokens(other)
        assert f"Bearer {TOKEN}" == tokens(server)["conditions"]


def test_every_page_of_a_manifest_is_read(server: FhirServer, tmp_path: Path) -> None:
    """A server may list the files of a long export on several pages."""
    finish(
        server,
        [listing(server, "Patient", "patients")],
        link=[{"relation": "next", "url": f"{server.base}/page2"}],
    )
    second = {"output": [listing(server, "Patient", "conditions")]}
    server.faults["page2"] = sends(second)

    fetch_export(status_of(server), tmp_path, token=None)

    assert CONDITIONS == (tmp_path / "Patient.2.ndjson").read_bytes()


def test_what_may_be_missing_is_said(server: FhirServer, tmp_path: Path) -> None:
    finish(
        server,
        [
            listing(server, "Patient", "patients", count=3),
            listing(server, "Condition", "conditions", count=1),
        ],
        error=[listing(server, "OperationOutcome", "errors")],
        deleted=[listing(server, "Bundle", "deleted")],
    )

    fetched = fetch_export(status_of(server), tmp_path, token=None)

    assert (
        "the manifest lists 1 file(s) of errors, which are not read",
        "the manifest lists 1 file(s) of deleted resources, which are not read",
        "Patient.1.ndjson: the manifest counts 3 resources, and 2 came",
    ) == fetched.warnings
    assert fetched == fetch_export(status_of(server), tmp_path, token=None)


@pytest.mark.parametrize(
    ("words", "answer", "message"),
    [
        ("not finished", fails(202), "not finished"),
        ("expired", fails(404), "the server answers 404"),
        ("not allowed", fails(401), "BULK_DATA_TOKEN"),
        ("no JSON", sends(b"<html>", kind="text/html"), "is not JSON"),
        ("no object", sends([]), "is not a JSON object"),
        ("another answer", sends({"resourceType": "OperationOutcome"}), "no list 'output'"),
        ("breaks off", breaks_off, "broke off"),
        ("no file", sends({"output": []}), "lists no file"),
        ("a file of nothing", sends({"output": [None]}), "file 1 of the manifest"),
        ("a file without URL", sends({"output": [{"type": "Patient"}]}), "has no 'url'"),
        ("a type that is a path", sends({"output": [{"type": "../A", "url": "a"}]}), "'type'"),
        (
            "a file on this machine",
            sends({"output": [{"type": "Patient", "url": "file:///secret"}]}),
            "http or https",
        ),
    ],
)
def test_an_export_that_cannot_be_had_is_refused_without_secrets(
    server: FhirServer, tmp_path: Path, words: str, answer: Fault, message: str
) -> None:
    server.faults["status"] = answer

    with pytest.raises(ExportProblem, match=message) as refused:
        fetch_export(status_of(server), tmp_path / "input", TOKEN)

    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert not (tmp_path / "input").exists()


def test_a_server_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.population.bulk_download.RETRIES", 0)
    with running() as gone:
        url = status_of(gone)

    with pytest.raises(ExportProblem, match="the manifest cannot be had") as refused:
        fetch_export(url, tmp_path, TOKEN)

    assert "secret" not in str(refused.value)


def test_a_refusal_elsewhere_says_that_no_token_was_sent(
    server: FhirServer, tmp_path: Path
) -> None:
    with running() as other:
        other.faults["patients"] = fails(403)
        finish(server, [listing(other, "Patient", "patients")], needs_token=True)

        with pytest.raises(ExportProblem, match="is not that of the manifest"):
            fetch_export(status_of(server), tmp_path, TOKEN)


def test_a_token_that_would_start_another_header_is_refused(
    server: FhirServer, tmp_path: Path
) -> None:
    with pytest.raises(ExportProblem, match="access token"):
        fetch_export(status_of(server), tmp_path, "a\r\nHost: b")

    assert [] == server.received


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/a",
        "https://",
        "https://host:port/a",
        "https://host\\@other/a",
        "https://ho st/a",
        "status",
    ],
)
def test_an_address_that_is_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(ExportProblem, match="address"):
        origin_of(url)


def test_the_folder_keeps_no_signed_address(server: FhirServer, tmp_path: Path) -> None:
    fetch_export(status_of(server), tmp_path, TOKEN)

    kept = json.loads((tmp_path / CLAIM).read_bytes())
    assert {"Patient.1.ndjson", "Condition.1.ndjson"} == set(kept["files"])
    assert "secret" not in json.dumps(kept)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("https://me:secret@fhir.example.org/bulk?key=secret", "https://fhir.example.org/bulk"),
        ("s3a://key@bucket/export", "s3a://bucket/export"),
        ("exports/march?", "exports/march?"),
    ],
)
def test_no_secret_of_an_address_is_written_down(given: str, written: str) -> None:
    """What opens the address stays out of the run's description and its report."""
    assert without_secrets(given) == written
