"""The door of the real server: several processes, large bodies, odd headers."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.serving import Serving, serving
from tests.tokens import EHR, ROOT, VIEW
from tests.trusted import PUBLIC, SIGNER, bearer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """``backpath serve`` with two processes and a shut door, as it runs in production."""
    folder = tmp_path_factory.mktemp("door")
    settings = _trusting(folder)
    with serving(folder, **settings, WORKERS="2", MAX_BODY_BYTES="8388608") as server:
        yield server


def _trusting(folder: Path) -> dict[str, str]:
    """The settings that let one client in, whose key is in the folder."""
    (folder / "keys.json").write_text(json.dumps({"keys": [SIGNER.jwk()]}))
    (folder / "clients.yaml").write_text(f"- iss: {EHR}\n  jwks: keys.json\n")
    return {"AUTH": "required", "PUBLIC_BASE_URL": PUBLIC, "TRUSTED_CLIENTS": "clients.yaml"}


def test_a_token_is_good_at_one_process_only(served: Serving) -> None:
    """Two processes, many connections: each token opens once."""
    tokens = [bearer(ROOT) for _ in range(5)]

    def knock(number: int) -> int:
        url = served.base_url + ROOT
        return requests.get(url, headers=tokens[number % 5], timeout=20).status_code

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(knock, range(50)))

    assert statuses.count(200) == 5
    assert statuses.count(401) == 45


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
def test_a_refused_client_reads_the_answer(served: Serving, connection: str) -> None:
    """Also one that sends megabytes before it looks."""
    with requests.Session() as session:
        for _ in range(3):
            response = session.post(
                served.base_url + VIEW,
                data=b" " * 4_000_000,
                headers={"Content-Type": "application/json", "Connection": connection},
                timeout=20,
            )

            assert response.status_code == 401
            assert response.json()["resourceType"] == "OperationOutcome"


def test_a_used_token_stays_used_when_the_server_is_killed(tmp_path: Path) -> None:
    """Also with one process: whoever read a token gains nothing from a crash and a restart."""
    settings = {**_trusting(tmp_path), "WORKERS": "1"}
    token, statuses = bearer(ROOT), list[int]()
    for _ in range(2):
        with serving(tmp_path, **settings) as server:
            answer = requests.get(server.base_url + ROOT, headers=token, timeout=20)
            statuses.append(answer.status_code)
            workers = server.workers()
            server.process.kill()
            for worker in workers:
                os.kill(worker, signal.SIGKILL)

    assert statuses == [200, 401]


def _ask(served: Serving, *headers: str) -> int:
    """The status that a request with exactly these header lines gets."""
    lines = [f"GET {ROOT} HTTP/1.1", "Host: backpath", "Connection: close", *headers, "", ""]
    with closing(socket.create_connection(("127.0.0.1", served.port), 10)) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1"))
        return int(connection.makefile("rb").readline().split()[1])


Headers = Callable[[], tuple[str, ...]]


def _good() -> str:
    return "Authorization: " + bearer(ROOT)["Authorization"]


@pytest.mark.parametrize(
    ("words", "headers", "status"),
    [
        ("one good token", lambda: (_good(),), 200),
        ("two good tokens", lambda: (_good(), _good()), 401),
        ("a password and a good token", lambda: ("Authorization: Basic eDp5", _good()), 401),
        ("a good token and a password", lambda: (_good(), "Authorization: Basic eDp5"), 401),
        ("a hundred bad ones", lambda: ("Authorization: Bearer x",) * 90, 401),
        ("other bytes", lambda: ("Authorization: Bearer \xff\xfe.\xe9.x",), 401),
        ("eight thousand letters", lambda: ("Authorization: Bearer " + "a" * 8_000,), 401),
        ("sixteen thousand letters", lambda: ("Authorization: Bearer " + "a" * 16_000,), 401),
        ("a million letters", lambda: ("Authorization: Bearer " + "a" * 1_000_000,), 431),
    ],
)
def test_odd_headers_are_refused(
    served: Serving, words: str, headers: Headers, status: int
) -> None:
    """Whatever is sent as Authorization, it opens nothing and breaks nothing."""
    assert _ask(served, *headers()) == status


def test_the_shut_door_gives_no_warning(served: Serving) -> None:
    """The warning on start is for open doors."""
    assert "BACKPATH_AUTH" not in served.log
