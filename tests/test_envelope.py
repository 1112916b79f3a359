"""The request's shape is checked strictly where it matters and tolerantly elsewhere."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.envelope import DEEPEST, check_envelope, path_text, read_json
from service.errors import RequestRefused
from tests.conftest import call

UNREADABLE: tuple[tuple[str, bytes], ...] = (
    ("nothing", b""),
    ("cut off", b'{"hook": '),
    ("two documents", b"{}{}"),
    ("an array", b"[]"),
    ("null", b"null"),
    ("a text", b'"x"'),
    ("NaN", b'{"a": NaN}'),
    ("infinity", b'{"a": -Infinity}'),
    ("a number beyond all bounds", b'{"a": 1e999}'),
    ("a number of thousands of digits", b'{"a": ' + b"9" * 6000 + b"}"),
    ("a member twice", b'{"a": 1, "a": 2}'),
    ("a member twice, deep inside", b'{"a": [{"b": 1, "b": 1}]}'),
    ("invalid UTF-8", b'{"a": "\xff\xfe"}'),
    ("half a surrogate pair", b'{"a": "\\ud800"}'),
    ("half a surrogate pair in a name", b'{"\\udfff": 1}'),
    ("nested too deep", b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1)),
    ("200,000 brackets", b"[" * 200_000),
    ("a comment", b'/* c */ {"a": 1}'),
)


@pytest.mark.parametrize(("what", "body"), UNREADABLE, ids=[what for what, _ in UNREADABLE])
def test_a_body_that_is_not_one_json_object_is_refused(what: str, body: bytes) -> None:
    """A body that two systems could read differently is never guessed at."""
    with pytest.raises(RequestRefused) as refusal:
        read_json(body)

    assert refusal.value.status == 400, what


@pytest.mark.parametrize(
    ("what", "body", "expected"),
    [
        ("brackets inside a text do not nest", b'{"a": "' + b"[" * 500 + b'"}', "[" * 500),
        ("an escaped quote does not end a text", b'{"a": "\\"[[[\\\\"}', '"[[[\\'),
        ("a byte order mark", b'\xef\xbb\xbf{"a": "x"}', "x"),
        ("a whole surrogate pair", b'{"a": "\\ud83e\\uddb4"}', "\U0001f9b4"),
        ("other alphabets", '{"a": "日本"}'.encode(), "日本"),
    ],
)
def test_unusual_but_valid_json_is_read(what: str, body: bytes, expected: str) -> None:
    """Valid JSON is read as it stands."""
    assert read_json(body) == {"a": expected}, what


@pytest.mark.parametrize("body", [b'{"' + b'\\"' * 1_000_000, b'"' * 2_000_001, b"[]," * 700_000])
def test_hostile_bodies_are_refused_promptly(body: bytes) -> None:
    """No body of a few megabytes keeps the service busy for long."""
    started = time.perf_counter()
    with pytest.raises(RequestRefused):
        read_json(body)

    assert time.perf_counter() - started < 5


def _changed(path: str, value: Any, hook: str = "order-select") -> dict[str, Any]:
    request = call(hook)
    *parents, last = path.split(".")
    at: Any = request
    for parent in parents:
        at = at[parent]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return request


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("hook", 7),
        ("hook", "patient-view"),
        ("hookInstance", ...),
        ("hookInstance", ""),
        ("hookInstance", {}),
        ("context", ...),
        ("context", []),
        ("context.patientId", ...),
        ("context.patientId", 7),
        ("context.patientId", ""),
        ("context.patientId", "Patient/pat-1"),
        ("context.patientId", "x" * 10_000),
        ("context.userId", ...),
        ("context.encounterId", 7),
        ("context.draftOrders", ...),
        ("context.draftOrders", []),
        ("context.selections", "ServiceRequest/mri-1"),
        ("prefetch", []),
        ("prefetch", "x"),
        ("fhirServer", "ftp://x"),
        ("fhirServer", 7),
        ("fhirAuthorization", "x"),
    ],
)
def test_a_wrong_member_is_refused_and_named(path: str, value: Any) -> None:
    """Whoever wired the client is told which member is wrong."""
    with pytest.raises(RequestRefused) as refusal:
        check_envelope(_changed(path, value), "order-select")

    assert [problem.path for problem in refusal.value.problems] == [path]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("hookInstance", "call-42"),
        ("futureMember", {"a": [1]}),
        ("context.futureField", "x"),
        ("context.selections", ...),
        ("context.selections", []),
        ("context.encounterId", None),
        ("context.userId", "RelatedPerson/r-1"),
        ("prefetch", ...),
        ("prefetch", None),
        ("prefetch.nobodyAskedForThis", "x"),
        ("fhirServer", None),
        ("fhirServer", "http://ehr.example.org/fhir"),
        ("fhirServer", "HTTPS://ehr.example.org/fhir"),
        ("fhirAuthorization", {"access_token": "", "token_type": "Bearer"}),
        ("extension", {"davinci-crd.configuration": {}}),
    ],
)
def test_what_real_clients_send_is_accepted(path: str, value: Any) -> None:
    """Versions differ and vendors add members; none of that is a reason to refuse care advice."""
    request = _changed(path, value)

    check_envelope(request, "order-select")


def test_a_bad_selection_is_named_by_its_place() -> None:
    """The path leads to the one bad selection."""
    with pytest.raises(RequestRefused) as refusal:
        check_envelope(_changed("context.selections", ["a/b", 7]), "order-select")

    assert [problem.path for problem in refusal.value.problems] == ["context.selections[1]"]


def test_the_whole_body_has_a_path_too() -> None:
    """A problem of the body as a whole points at the body as a whole."""
    assert path_text([]) == "$this"
    assert path_text(["context", "selections", 0]) == "context.selections[0]"


def test_no_value_of_the_request_is_told_back() -> None:
    """An error text never repeats what was sent: it may name the patient."""
    request = _changed("context.patientId", "Patient/Grace Hopper")
    request["hookInstance"] = {"secret": "Hopper"}
    with pytest.raises(RequestRefused) as refusal:
        check_envelope(request, "order-select")

    assert "Hopper" not in "".join(problem.text for problem in refusal.value.problems)


def test_each_problem_is_told_once(client: FlaskClient) -> None:
    """An empty call is told once about each member it lacks."""
    response = client.post("/cds-services/back-pain-patient-view", json={"hook": "patient-view"})
    issues = [str(issue) for issue in response.get_json()["issue"]]

    assert response.status_code == 400
    assert len(issues) == len(set(issues))
