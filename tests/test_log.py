"""One line a call, as JSON, named by a request id that can hold nothing but an id."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from cards.answers import report_failure
from service.log import begin_lines, log_event, start_log
from service.request_id import HEADER, request_id
from tests.conftest import A_DAY, call

VIEW = "/cds-services/back-pain-patient-view"


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_call_leaves_one_line(
    client_on: Callable[[date], FlaskClient], capsys: pytest.CaptureFixture[str]
) -> None:
    """Who looks for slow or refused calls finds each on one line, as JSON."""
    client = client_on(A_DAY)
    client.post(VIEW, json=call())
    client.get("/health")
    (line,) = _lines(capsys)

    assert line["event"] == "call"
    assert line["level"] == "info"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["time"])
    assert (line["route"], line["method"]) == ("/cds-services/<service_id>", "POST")
    assert (line["status"], line["cards"], line["errors"]) == (200, [], [])
    assert line["ms"] > 0


@pytest.mark.parametrize(
    "sent",
    [
        "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "D1577C69DFBE44ADBA6D3E05E953B2EA",
        "4bf92f3577b34da6",
        "1-67891233-abcdef012345678912345678",
    ],
)
def test_a_gateways_id_is_taken_over(
    client_on: Callable[[date], FlaskClient], capsys: pytest.CaptureFixture[str], sent: str
) -> None:
    """A call is found by the same id in the gateway's log, in our answer and in our log."""
    response = client_on(A_DAY).post(VIEW, json=call(), headers={HEADER: sent})
    (line,) = _lines(capsys)

    assert response.headers[HEADER] == line["request"] == sent


@pytest.mark.parametrize(
    "sent",
    [
        "Ada Lovelace",
        "Ada.Lovelace-1815",
        "Lovelace",
        "1815-12-10",
        "MRN-0012345678",
        "12345678",
        "deadbeef",
        "----------------",
        "4bf92f3577b34da6\tx",
        "4bf92f3577b34da6\u00e9",
        "f" * 65,
        "<script>4bf92f3577b34da6</script>",
        "",
    ],
)
def test_an_id_that_could_name_somebody_is_replaced(
    client_on: Callable[[date], FlaskClient], capsys: pytest.CaptureFixture[str], sent: str
) -> None:
    """A name, a birth date or a record number in place of an id reaches neither log nor answer."""
    response = client_on(A_DAY).post(VIEW, json=call(), headers={HEADER: sent})
    (line,) = _lines(capsys)

    assert response.headers[HEADER] == line["request"] != sent
    assert re.fullmatch("[0-9a-f]{32}", line["request"])


def test_every_answer_bears_an_id(client: FlaskClient) -> None:
    """Refusals, unknown addresses and preflights too; each its own."""
    answers = [
        client.post(VIEW, json={}),
        client.get("/nowhere"),
        client.options(VIEW),
        client.get("/health"),
        client.put(VIEW),
    ]

    assert len({answer.headers[HEADER] for answer in answers}) == 5
    assert all(request_id(answer.headers[HEADER]) == answer.headers[HEADER] for answer in answers)


def test_all_lines_of_a_request_bear_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    """A rule that failed is found by the id of the call it failed in, and only there."""
    start_log("info")
    ids = [uuid4().hex, uuid4().hex]
    for one in ids:
        begin_lines(one)
        report_failure("red-flag-cancer", ValueError("Ada Lovelace"))
        log_event(logging.INFO, "call", {"status": 200})
    lines = _lines(capsys)

    assert [line["request"] for line in lines] == [ids[0], ids[0], ids[1], ids[1]]
    assert lines[0]["event"] == "recommendation failed"
    assert (lines[0]["recommendation"], lines[0]["kind"]) == ("red-flag-cancer", "ValueError")
    assert "Lovelace" not in json.dumps(lines)


def test_no_argument_and_no_exception_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """What somebody fills into a message may be of the chart; the message stands without it."""
    start_log("debug")
    logger = logging.getLogger("service.anything")
    try:
        raise ValueError("Ada Lovelace")
    except ValueError as failure:
        logger.exception("could not read %s", "Lovelace", stack_info=True)
        logger.error(failure)  # a careless call is meant
        log_event(logging.INFO, "call", {"odd": failure})
    logging.getLogger("gunicorn.error").warning("Invalid request: GET /Patient/Lovelace")
    logging.getLogger("gunicorn.error").error("Worker (pid:%s) was sent %s!", 4711, "Lovelace")
    written = capsys.readouterr().err
    lines = [json.loads(line) for line in written.splitlines()]

    assert "Lovelace" not in written
    assert [line["event"] for line in lines] == [
        "could not read %s",
        "ValueError",
        "call",
        "Worker (pid:%s) was sent %s!",
    ]
    assert lines[2]["odd"] == "ValueError"
    assert lines[3]["numbers"] == [4711]
