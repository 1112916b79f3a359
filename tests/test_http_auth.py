"""The door: who gets in over HTTP, what the others are told, and what the log says of them."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cards.library import Library
from service.app import create_app
from service.cli import main
from service.listening import take_address
from service.server import Server
from service.settings import Settings, SettingsError
from tests.conftest import A_DAY, bundle, call
from tests.test_http_calls import HURTS
from tests.tokens import EHR, ROOT, VIEW, KeyServer, Signer, key_server
from tests.trusted import OTHER, PUBLIC, SIGNER, bearer

FEEDBACK = f"{VIEW}/feedback"
OPINION = {
    "feedback": [
        {
            "card": str(uuid4()),
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": str(uuid4())}],
            "outcomeTimestamp": "2026-03-02T10:00:00Z",
        }
    ]
}


@pytest.fixture
def closed(settings: Settings, tmp_path: Path) -> Settings:
    """Settings that let one client in."""
    listed = tmp_path / "clients.yaml"
    listed.write_text(json.dumps([{"iss": EHR, "jwks": {"keys": [SIGNER.jwk()]}}]))
    return replace(settings, auth="required", public_base_url=PUBLIC, trusted_clients=listed)


@pytest.fixture
def door(closed: Settings, library: Library) -> FlaskClient:
    """A client of an application that asks for tokens."""
    return create_app(closed, library=library).test_client()


def test_a_trusted_client_gets_in(door: FlaskClient) -> None:
    """Discovery, a call and feedback, each with a token of its own."""
    services = door.get(ROOT, headers=bearer(ROOT))
    cards = door.post(VIEW, json=call(), headers=bearer(VIEW))
    thanks = door.post(FEEDBACK, json=OPINION, headers=bearer(FEEDBACK))

    assert (services.status_code, cards.status_code, thanks.status_code) == (200, 200, 200)
    assert services.json is not None
    assert len(services.json["services"]) == 3
    assert cards.json is not None
    assert "cards" in cards.json


def test_only_who_was_shown_a_card_can_speak_about_it(
    settings: Settings, tmp_path: Path, library: Library
) -> None:
    """Another client's outcome is kept without recommendation, so it counts for none."""
    listed = tmp_path / "clients.json"
    signers = {one.iss: {"keys": [one.jwk()]} for one in (SIGNER, OTHER)}
    listed.write_text(json.dumps([{"iss": iss, "jwks": keys} for iss, keys in signers.items()]))
    closed = replace(settings, auth="required", public_base_url=PUBLIC, trusted_clients=listed)
    app = create_app(closed, today=lambda: A_DAY, library=library)
    app.extensions["backpath"].upkeep.once()
    door = app.test_client()
    request = call()
    request["prefetch"]["conditions"] = bundle(HURTS)
    shown = door.post(VIEW, json=request, headers=bearer(VIEW)).get_json()["cards"][0]
    for signer, hour in ((SIGNER, 8), (OTHER, 9)):
        said = {
            "card": shown["uuid"],
            "outcome": "overridden",
            "outcomeTimestamp": f"{A_DAY}T0{hour}:00:00Z",
        }
        headers = bearer(FEEDBACK, signer=signer)
        assert door.post(FEEDBACK, json={"feedback": [said]}, headers=headers).status_code == 200
    kept = {one.client: one.recommendation for one in app.extensions["backpath"].store.kept()}

    assert kept == {SIGNER.iss: shown["source"]["topic"]["code"], OTHER.iss: None}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ROOT),
        ("HEAD", ROOT),
        ("GET", f"{ROOT}/"),
        ("POST", VIEW),
        ("POST", FEEDBACK),
        ("PUT", VIEW),
        ("POST", f"{ROOT}/neck"),
        ("POST", f"{ROOT}/neck/feedback"),
        ("GET", f"{VIEW}/anything"),
    ],
)
def test_nothing_is_told_without_a_token(door: FlaskClient, method: str, path: str) -> None:
    """Every CDS Hooks address asks for a token, whether or not there is something behind it."""
    response = door.open(path, method=method, json=call())

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", f"{ROOT}/neck", 404), ("PUT", VIEW, 405), ("GET", VIEW, 405)],
)
def test_a_trusted_client_is_told_its_mistakes(
    door: FlaskClient, method: str, path: str, status: int
) -> None:
    """Behind the door everything is as without one."""
    assert door.open(path, method=method, headers=bearer(path)).status_code == status


@pytest.mark.parametrize("path", [ROOT, VIEW, FEEDBACK])
def test_a_browser_asks_without_a_token(door: FlaskClient, path: str) -> None:
    """A preflight cannot bear a token."""
    asked = {"Origin": "https://sandbox.cds-hooks.org", "Access-Control-Request-Method": "POST"}

    assert door.options(path, headers=asked).status_code == 204


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_probes_need_no_token(door: FlaskClient, path: str) -> None:
    """Whoever runs the service is no client of it."""
    assert door.get(path).status_code == 200


def _refusals() -> dict[str, dict[str, str]]:
    """Authorization headers that are refused, by the reason."""
    forger = Signer()
    used = bearer(VIEW, jti="used-up")
    return {
        "no-token": {},
        "scheme": {"Authorization": "Basic " + b64encode(b"ehr:secret").decode()},
        "malformed": {"Authorization": "Bearer not.a.jwt"},
        "too-long": {"Authorization": "Bearer " + "a" * 9_000},
        "iss-unknown": bearer(VIEW, signer=Signer(iss="https://stranger.example.org")),
        "signature": bearer(VIEW, signer=forger),
        "kid-unknown": bearer(VIEW, signer=Signer(kid="made-up")),
        "expired": bearer(VIEW, exp=1),
        "lives-too-long": bearer(VIEW, exp=int(time.time()) + 86_400),
        "aud": bearer(ROOT),
        "claim-missing": bearer(VIEW, jti=None),
        "replayed": used,
    }


@pytest.fixture
def refusals(door: FlaskClient) -> dict[str, dict[str, str]]:
    """The same, with the token that is to be refused as a replay used up."""
    headers = _refusals()
    assert door.post(VIEW, json=call(), headers=headers["replayed"]).status_code == 200
    return headers


def test_no_refusal_says_why(door: FlaskClient, refusals: dict[str, dict[str, str]]) -> None:
    """Whoever tries keys learns nothing from the answers: they are all the same."""
    answers = [door.post(VIEW, json=call(), headers=headers) for headers in refusals.values()]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.data for answer in answers}) == 1
    assert answers[0].json == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": "login",
                "diagnostics": "The client is not authenticated.",
                "expression": ["Authorization"],
            }
        ],
    }


def test_the_log_says_why(
    closed: Settings,
    library: Library,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever runs the service finds the reason as a code and the client by its listed name.

    Of the token itself, and of strangers' names, nothing is written.
    """
    door = create_app(closed, library=library).test_client()
    headers = _refusals()
    door.post(VIEW, json=call(), headers=headers["replayed"])
    for refused in headers.values():
        door.post(VIEW, json=call(), headers=refused)
    written = capsys.readouterr().err
    lines = [json.loads(line) for line in written.splitlines()]
    welcome, *refused_lines = [line for line in lines if line["event"] == "call"]

    assert (welcome["status"], welcome["client"]) == (200, EHR)
    assert [line["refused"] for line in refused_lines] == list(headers)
    assert {line["refused"]: line.get("client") for line in refused_lines} == {
        reason: None
        if reason in {"no-token", "scheme", "malformed", "too-long", "iss-unknown"}
        else EHR
        for reason in headers
    }
    assert "stranger" not in written
    assert "used-up" not in written
    for header in headers.values():
        for part in header.get("Authorization", "").removeprefix("Bearer ").split("."):
            assert len(part) < 4 or part not in written


def test_refusals_are_counted(door: FlaskClient, refusals: dict[str, dict[str, str]]) -> None:
    """A rise of refusals is seen in the metrics, by reason."""
    for headers in refusals.values():
        door.post(VIEW, json=call(), headers=headers)
    counted = door.get("/metrics").text

    for reason in refusals:
        assert f'backpath_auth_failures_total{{code="{reason}"}} 1.0' in counted


def test_ready_tells_whether_the_door_is_open(client: FlaskClient, door: FlaskClient) -> None:
    """An open door is seen wherever readiness is."""
    opened, shut = client.get("/ready").json, door.get("/ready").json

    assert opened is not None
    assert opened["auth"] == "off"
    assert "BACKPATH_AUTH" in opened["warning"]
    assert shut is not None
    assert shut["auth"] == "required"
    assert "warning" not in shut


@pytest.fixture
def published() -> Iterator[KeyServer]:
    """The server on which the client publishes its key."""
    with key_server() as served:
        served.publish(SIGNER)
        yield served


def test_a_key_server_that_is_down_makes_401(
    closed: Settings, library: Library, published: KeyServer
) -> None:
    """Without keys nobody can be told from a stranger: 401, and no failure of ours."""
    listed = closed.trusted_clients
    assert listed is not None
    listed.write_text(f"- iss: {EHR}\n  jku: {published.url}\n")
    published.status = 500
    down = create_app(replace(closed, allow_loopback=True), library=library).test_client()
    published_again = create_app(replace(closed, allow_loopback=True), library=library)

    assert down.get(ROOT, headers=bearer(ROOT)).status_code == 401
    published.status = 200
    assert published_again.test_client().get(ROOT, headers=bearer(ROOT)).status_code == 200


def test_the_door_is_not_shut_halfway(closed: Settings) -> None:
    """Asked to verify clients and not told how, it does not serve at all."""
    with pytest.raises(SettingsError, match=r"BACKPATH_AUTH.*BACKPATH_TRUSTED_CLIENTS"):
        replace(closed, trusted_clients=None)
    with pytest.raises(SettingsError, match=r"BACKPATH_AUTH.*BACKPATH_PUBLIC_BASE_URL"):
        replace(closed, public_base_url=None)


def test_a_wrong_list_ends_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``backpath serve`` says which line of which file is wrong, and does not start."""
    listed = tmp_path / "clients.yaml"
    listed.write_text(f"- iss: {EHR}\n  jku: http://ehr.example.org/keys.json\n")
    monkeypatch.chdir(tmp_path)
    environment = {
        "BACKPATH_AUTH": "required",
        "BACKPATH_PUBLIC_BASE_URL": PUBLIC,
        "BACKPATH_TRUSTED_CLIENTS": str(listed),
    }
    ended = CliRunner().invoke(main, ["serve"], env=environment)

    assert ended.exit_code == 1
    assert "BACKPATH_TRUSTED_CLIENTS: " in ended.output
    assert "clients.yaml:2: jku: must be an https URL" in ended.output


def test_an_open_door_gives_a_warning(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever starts the service without authentication reads so in the log."""
    with take_address("127.0.0.1", 0) as taken:
        Server(settings, taken).load()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (warning,) = [line for line in lines if "BACKPATH_AUTH" in line["event"]]

    assert warning["level"] == "warning"
