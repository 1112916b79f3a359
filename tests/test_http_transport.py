"""Browsers, large bodies, broken bodies, and failures inside: what goes over the wire."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from cards.library import Library
from service.app import create_app
from service.settings import Settings
from tests.conftest import call, patient

ORIGIN = {"Origin": "https://sandbox.cds-hooks.org"}
VIEW = "/cds-services/back-pain-patient-view"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", ["/cds-services", VIEW, f"{VIEW}/feedback"])
def test_a_browser_may_ask_before_calling(client: FlaskClient, path: str) -> None:
    """The CDS Hooks Sandbox calls from a browser, with a token in the Authorization header."""
    response = client.options(
        path,
        headers={
            **ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    headers = response.headers["Access-Control-Allow-Headers"].lower()

    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "authorization" in headers
    assert "content-type" in headers
    assert "POST" in response.headers["Access-Control-Allow-Methods"]


def test_a_web_page_is_not_let_into_the_private_network(client: FlaskClient) -> None:
    """A page of anybody's, in a clinician's browser, does not reach a service inside by it."""
    response = client.options(
        VIEW,
        headers={
            **ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Private-Network": "true",
        },
    )

    assert "Access-Control-Allow-Private-Network" not in response.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/cds-services", 200),
        ("POST", VIEW, 415),
        ("POST", "/cds-services/neck", 404),
        ("PUT", VIEW, 405),
        ("GET", "/nowhere", 404),
    ],
)
def test_a_browser_may_read_errors_too(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    """Without the header a browser would show its user a network failure instead of the error."""
    response = client.open(path, method=method, headers=ORIGIN)

    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert response.content_type == "application/json"


def test_a_body_over_the_limit_is_413(library: Library, settings: Settings) -> None:
    """A body beyond the limit is refused before it is read."""
    small = create_app(replace(settings, max_body_bytes=2_000), library=library).test_client()
    response = small.post(VIEW, data=b" " * 2_001, headers=JSON)

    assert response.status_code == 413
    assert response.json is not None
    assert response.json["resourceType"] == "OperationOutcome"


def _chunks(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b" " * 65_536


def test_the_server_reads_chunked_bodies(live_server: str) -> None:
    """Some clients send a body without saying how long it is."""
    body = json.dumps(call()).encode()
    response = requests.post(
        live_server + VIEW, data=iter([body[:100], body[100:]]), headers=JSON, timeout=10
    )

    assert response.status_code == 200
    assert "cards" in response.json()


@pytest.mark.parametrize("chunked", [False, True])
def test_the_server_limits_any_body(live_server: str, chunked: bool) -> None:
    """Nine megabytes are too much however they are sent, and the client reads why."""
    body: Any = _chunks(144) if chunked else b" " * (144 * 65_536)
    response = requests.post(live_server + VIEW, data=body, headers=JSON, timeout=20)

    assert response.status_code == 413
    assert response.json()["resourceType"] == "OperationOutcome"


def test_the_server_answers_many_at_once(live_server: str) -> None:
    """A ward round does not have to queue."""
    with ThreadPoolExecutor(16) as pool:
        statuses = list(
            pool.map(
                lambda _: requests.post(live_server + VIEW, json=call(), timeout=20).status_code,
                range(64),
            )
        )

    assert statuses == [200] * 64


def test_a_failure_inside_is_503_and_tells_nothing(
    library: Library, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Something unforeseen gets a number to ask about; its message may quote the chart."""

    def broken_clock() -> Any:
        raise RuntimeError("Ada Lovelace, born 1815")

    client = create_app(settings, today=broken_clock, library=library).test_client()
    with caplog.at_level(logging.DEBUG, "backpath"):
        response = client.post(VIEW, json=call())
    failure = next(record for record in caplog.records if record.msg == "unexpected failure")
    fields = vars(failure)["fields"]

    assert response.status_code == 503
    assert response.json is not None
    assert response.json["issue"][0]["diagnostics"].endswith(f"incident {fields['incident']}.")
    assert fields["type"] == "RuntimeError"
    assert "Lovelace" not in response.text + json.dumps(fields)


def test_log_lines_hold_nothing_of_the_chart(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line per call: which hook, which cards, how long; no name, date, id or text."""
    create_again = app.test_client()
    request = call()
    request["prefetch"]["patient"] = patient(name=[{"family": "Lovelace"}])
    request["hookInstance"] = "Ada Lovelace"
    request["com.example.lovelace"] = 1
    create_again.post(VIEW, json=request)
    request["context"]["patientId"] = "Patient/Lovelace"
    create_again.post(VIEW, json=request)
    create_again.post("/cds-services/lovelace", json=request)
    written = capsys.readouterr().err

    assert "Lovelace" not in written
    assert "lovelace" not in written
    assert "pat-1" not in written
    assert "1980-05-05" not in written


ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1.5,
    "",
    "x",
    [],
    {},
    [None],
    [[]],
    {"a": None},
    "2026-13-45",
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, (*path, name))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _places(inner, (*path, position))


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("hook", ["patient-view", "order-select", "order-sign"])
def test_no_odd_value_anywhere_makes_the_service_fail(client: FlaskClient, hook: str) -> None:
    """Whatever a client puts in place of a member, it gets cards or an explained refusal."""
    request = call(hook)
    choose = random.Random(1)
    for path in _places(request):
        for value in choose.sample(ODD, 4):
            changed = _with(request, path, value)
            response = client.post(f"/cds-services/back-pain-{hook}", json=changed)

            assert response.status_code in {200, 400, 412}, (path, value)
