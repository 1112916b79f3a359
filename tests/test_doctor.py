"""``backpath doctor`` finds what is wrong with a deployment before its clients do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from time import time
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from cards.library import load_library
from service.cli import main
from service.doctor import Finding, examine
from service.store import open_store
from tests.postgres import database_url, postgres
from tests.tokens import BASE, EHR, KeyServer, Signer, key_server

__all__ = ["database_url", "postgres"]

CONTENT = load_library()
SIGNER = Signer()
DATABASE = "BACKPATH_DATABASE_URL"


def _found(**settings: str) -> dict[str, Finding]:
    found = examine({f"BACKPATH_{name}": value for name, value in settings.items()}, CONTENT)

    assert len({one.name for one in found}) == len(found)
    return {one.name: one for one in found}


def _doctor(environment: dict[str, str], *options: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *options], env=environment)


def _clients(folder: Path, *clients: dict[str, Any]) -> dict[str, str]:
    """Settings that trust these clients."""
    listed = folder / "clients.json"
    listed.write_text(json.dumps(clients))
    return {
        "AUTH": "required",
        "TRUSTED_CLIENTS": str(listed),
        "PUBLIC_BASE_URL": BASE,
        "ALLOW_LOOPBACK": "true",
    }


@contextmanager
def _clock_ahead(seconds: int) -> Iterator[str]:
    """A web server whose clock is ahead by this."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time()) + seconds)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/fhir"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_sound_deployment_is_found_sound(database_url: str, tmp_path: Path) -> None:
    """With store, keys and clock in order every line says so, and the command ends with 0."""
    with open_store(database_url).database.writing():
        pass
    with key_server() as keys, _clock_ahead(0) as fhir:
        keys.publish(SIGNER)
        settings = _clients(tmp_path, {"iss": EHR, "jku": f"{keys.url}"})
        environment = {f"BACKPATH_{name}": value for name, value in settings.items()}
        environment |= {DATABASE: database_url, "BACKPATH_FHIR_SERVERS": fhir}
        lines = _doctor(environment)
        report = _doctor(environment, "--json")
    found = {one["name"]: one for one in json.loads(report.stdout)}

    assert (lines.exit_code, report.exit_code) == (0, 0), lines.output
    assert {one["state"] for one in found.values()} == {"ok"}
    assert set(found) == {
        "settings",
        "content",
        "store",
        f"keys of {EHR}",
        f"FHIR server {fhir}",
        "clock",
    }
    assert CONTENT.content_version in found["content"]["text"]
    assert found[f"keys of {EHR}"]["text"].startswith("1 read from")
    assert [line.split()[0] for line in lines.stdout.splitlines()] == ["ok"] * 6


def test_a_wrong_setting_is_named() -> None:
    """A misspelt variable is told with the nearest one, and the command ends with 1."""
    result = _doctor({"BACKPATH_PROT": "8000"})

    assert result.exit_code == 1
    assert result.stdout.startswith("failed")
    assert "BACKPATH_PORT" in result.stdout


def test_a_store_nobody_made_is_left_unmade(database_url: str) -> None:
    """The doctor looks and changes nothing: tables are made by the service alone."""
    first = _found(DATABASE_URL=database_url)["store"]
    again = _found(DATABASE_URL=database_url)["store"]

    assert first.state == "failed"
    assert "backpath serve" in first.text
    assert first == again


def test_a_store_of_a_later_version_is_told_as_such(database_url: str) -> None:
    """Gone back to an older version: serving would not help, the backup does."""
    with open_store(database_url).database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    found = _found(DATABASE_URL=database_url)["store"]

    assert found.state == "failed"
    assert "this version is older than the store" in found.text
    assert "backup" in found.text
    assert "backpath serve" not in found.text


def test_a_store_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    """Nobody listens there; the address holds a secret and is not repeated."""
    in_the_way = tmp_path / "file.sqlite3"
    in_the_way.write_bytes(b"this is no database, " * 100)
    away = "postgresql+psycopg://me:hunter2@127.0.0.1:1/backpath"
    result = _doctor({DATABASE: away})

    assert "failed       store: cannot be reached" in result.stdout
    assert "hunter2" not in result.output
    assert _found(DATABASE_URL=f"sqlite:///{in_the_way}")["store"].state == "failed"


def test_keys_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """Each client whose tokens could not be verified now is named, with the reason."""

    def spoilt(keys: KeyServer) -> str:
        settings = _clients(tmp_path, {"iss": EHR, "jku": keys.url})
        found = _found(DATABASE_URL=f"sqlite:///{tmp_path}/none", **settings)[f"keys of {EHR}"]
        assert found.state == "failed"
        return found.text

    with key_server() as keys:
        assert "no key that can be used" in spoilt(keys)
        keys.status = 503
        assert "status 503" in spoilt(keys)
    assert "connection" in spoilt(keys)


def test_keys_given_by_file_are_counted(tmp_path: Path) -> None:
    """A client whose keys stand in the list needs no server."""
    settings = _clients(tmp_path, {"iss": EHR, "jwks": {"keys": [SIGNER.jwk()]}})
    found = _found(DATABASE_URL=f"sqlite:///{tmp_path}/none", **settings)

    assert found[f"keys of {EHR}"] == Finding(f"keys of {EHR}", "ok", "1 given by file")
    assert found["clock"].state == "not checked"


def test_a_wrong_list_of_clients_is_told(tmp_path: Path) -> None:
    """A mistake in the list is told with its place."""
    settings = _clients(tmp_path, {"iss": EHR, "jwk": {}})
    found = _found(DATABASE_URL=f"sqlite:///{tmp_path}/none", **settings)

    assert found["clients"].state == "failed"
    assert "clients.json:1" in found["clients"].text


def test_a_fhir_server_that_cannot_be_found_is_told(tmp_path: Path) -> None:
    """A misspelt FHIR server would otherwise show as cards that could not check anything."""
    server = "https://no-such-host.invalid/fhir"
    found = _found(DATABASE_URL=f"sqlite:///{tmp_path}/none", FHIR_SERVERS=server)

    assert found[f"FHIR server {server}"].state == "failed"
    assert "leads nowhere" in found[f"FHIR server {server}"].text


@pytest.mark.parametrize(("ahead", "state"), [(0, "ok"), (3_600, "failed"), (-3_600, "failed")])
def test_a_clock_that_is_wrong_is_told(tmp_path: Path, ahead: int, state: str) -> None:
    """With clocks apart every token would be refused as too old or not yet valid."""
    with _clock_ahead(ahead) as fhir:
        clock = _found(DATABASE_URL=f"sqlite:///{tmp_path}/none", FHIR_SERVERS=fhir)["clock"]

    assert clock.state == state
    assert fhir in clock.text
    assert not ahead or ("behind" in clock.text) == (ahead > 0)
