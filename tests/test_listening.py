"""Where the server listens: taken at once or refused in one line, and told as it is."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from service.listening import AddressNotTaken, listen, take_address, url_of
from tests.conftest import HOUSE, START_SECONDS
from tests.serving import COMMAND, LONG, serving

LINE = re.compile(rb"Error: BACKPATH_HOST/PORT: \S+:\d+: [a-z ]+\n")


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("BACKPATH_")}
    own = {"DATABASE_URL": f"sqlite:///{folder}/feedback.sqlite3", **settings}
    return {
        **mine,
        "PYTHONPATH": str(HOUSE),
        **{f"BACKPATH_{name}": value for name, value in own.items()},
    }


@pytest.mark.parametrize(
    ("host", "why"),
    [("127.0.0.1", b"address already in use"), ("192.0.2.1", b"cannot assign requested address")],
)
def test_an_address_that_cannot_be_had_ends_the_start(
    tmp_path: Path, host: str, why: bytes
) -> None:
    """One line says which settings and why, and nothing else was begun."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ended = subprocess.run(
            COMMAND,
            env=_environment(tmp_path, HOST=host, PORT=port),
            cwd=tmp_path,
            capture_output=True,
            timeout=LONG,
            check=False,
        )

    assert (ended.returncode, ended.stdout) == (1, b"")
    assert LINE.fullmatch(ended.stderr), ended.stderr
    assert ended.stderr.endswith(why + b"\n")
    assert list(tmp_path.iterdir()) == []


def test_two_that_start_at_once_do_not_share_an_address() -> None:
    """Whoever comes first has it; the other is told, and not left to stall."""
    with take_address("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with take_address("127.0.0.1", port) as second:
            listen(first)
            with pytest.raises(AddressNotTaken, match=rf"127\.0\.0\.1:{port}: address already"):
                listen(second)


def test_an_address_of_ipv6_is_told_in_brackets() -> None:
    """What is told can be called."""
    try:
        taken = take_address("::1", 0)
    except AddressNotTaken:
        pytest.skip("this machine has no IPv6")
    with taken:
        assert url_of(taken) == f"http://[::1]:{taken.getsockname()[1]}"


def test_a_name_that_leads_nowhere_is_told() -> None:
    """A misspelt name of a machine is found at the start."""
    with pytest.raises(AddressNotTaken, match=r"BACKPATH_HOST/PORT: nowhere\.invalid:8000: "):
        take_address("nowhere.invalid", 8000)


def _told(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """The address the log tells of."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in (folder / "log").read_text().splitlines():
            if line.endswith("}") and (told := json.loads(line))["event"] == "serving":
                return str(told["url"])
        time.sleep(0.05)
    pytest.fail((folder / "log").read_text())


def test_the_log_tells_the_port_the_system_chose(tmp_path: Path) -> None:
    """With port 0 the address in the log is the one to call; started as a module, for once.

    Every line on standard error is JSON.
    """
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"],
            env=_environment(tmp_path, PORT="0", WORKERS="1"),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            discovery = requests.get(_told(tmp_path, process), timeout=LONG)
        finally:
            process.terminate()
            process.wait(START_SECONDS)

    assert discovery.status_code == 200
    assert [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]


def test_the_command_line_runs_as_a_file_too() -> None:
    """Nothing pretends to have served: ``python -m service.cli`` is the command line."""
    for module in ("service", "service.cli"):
        shown = subprocess.run(
            [sys.executable, "-m", module, "--help"],
            cwd=HOUSE,
            capture_output=True,
            timeout=LONG,
            check=True,
        )
        assert b"serve" in shown.stdout


def _raw(port: int, path: str, *headers: str) -> tuple[int, str, bytes]:
    """Status, content type and body of a GET with these headers exactly."""
    lines = (f"GET {path} HTTP/1.1", "Host: backpath", *headers, "Connection: close", "", "")
    with socket.create_connection(("127.0.0.1", port), LONG) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    kind = re.search(rb"(?im)^content-type: *([^\r;]+)", head)
    return int(head.split()[1]), kind[1].decode() if kind else "", body


def test_no_header_says_what_was_called(tmp_path: Path) -> None:
    """A proxy on the same machine calls for anybody, so nobody's headers move the path.

    What is for the inside stays there, and headers that contradict each other are nothing to us.
    """
    with serving(tmp_path, WORKERS="1") as server:
        plain = _raw(server.port, "/cds-services")
        for headers in (
            ["SCRIPT_NAME: /zzz"],
            ["SCRIPT_NAME: /cds-services"],
            ["PATH_INFO: /metrics"],
            ["X-Forwarded-Proto: https", "X-Forwarded-Ssl: off"],
            ["X-Forwarded-Protocol: ssl", "X-Forwarded-Proto: http"],
        ):
            assert _raw(server.port, "/cds-services", *headers) == plain, headers
        inside = _raw(server.port, "/cds-services/metrics", "SCRIPT_NAME: /cds-services")
        log = server.log

    assert plain[:2] == (200, "application/json")
    assert inside[:2] == (405, "application/json")
    assert b"backpath_" not in inside[2]
    assert log.count('"event": "call"') >= 7
