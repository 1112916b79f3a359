"""What is left out of Flask for speed makes no difference to whoever calls."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.conftest import call

VIEW = "/cds-services/back-pain-patient-view"


def test_a_call_that_wants_a_websocket_is_refused(client: FlaskClient) -> None:
    """There is none at any address; a client that asks for one is told so by the status."""
    wish = {"Connection": "keep-alive, Upgrade", "Upgrade": "websocket"}

    assert client.post(VIEW, json=call(), headers=wish).status_code == 400
    assert client.post(VIEW, json=call()).status_code == 200


@pytest.mark.parametrize("host", ["a..example.org", f"{'x' * 64}.example.org"])
def test_a_call_to_what_is_no_host_is_refused(client: FlaskClient, host: str) -> None:
    """A name that no host can have is a fault of the client's."""
    assert client.post(VIEW, json=call(), headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "EHR.example.org:8443", "[::1]:8080", "10.0.0.1"])
def test_any_host_is_answered(client: FlaskClient, host: str) -> None:
    """By whatever name the service is reached, its addresses are the same."""
    assert client.post(VIEW, json=call(), headers={"Host": host}).status_code == 200


def test_whoever_asks_for_headers_gets_no_body(client: FlaskClient) -> None:
    """HEAD is answered as GET would be, but for the body."""
    whole, head = client.get("/cds-services"), client.head("/cds-services")

    assert head.data == b""
    assert head.headers["Content-Length"] == str(len(whole.data))


def test_an_answer_says_how_long_it_is(client: FlaskClient) -> None:
    """A client knows whether an answer arrived whole, be it cards or a refusal."""
    for sent in (call(), {}):
        answer = client.post(VIEW, json=sent)

        assert answer.headers["Content-Length"] == str(len(answer.data))
        assert answer.headers["Content-Type"] == "application/json"


def test_nothing_is_kept_between_two_requests(client: FlaskClient) -> None:
    """No cookie is set, and one that is sent changes nothing."""
    client.set_cookie("session", "eyJhIjoxfQ.x.y")
    answer = client.post(VIEW, json=call())

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
