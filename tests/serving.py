"""``backpath serve`` as its own process, for tests that stop it, crowd it or kill its workers."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import HOUSE, START_SECONDS, free_port, wait_until_ready

SERVE = "from service.cli import main; main()"
COMMAND = [sys.executable, "-c", SERVE, "serve"]
VIEW = "/cds-services/back-pain-patient-view"
LONG = 30.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Serving:
    """A running server."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def base_url(self) -> str:
        """What it is called by."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything printed so far."""
        return (self.folder / "log").read_text()

    def workers(self) -> list[int]:
        """The ids of the processes that answer now."""
        master = self.process.pid
        children = Path(f"/proc/{master}/task/{master}/children").read_text()
        return [int(child) for child in children.split()]

    def resident_bytes(self) -> int:
        """The memory all its processes hold together."""
        pages = [
            int(Path(f"/proc/{process}/statm").read_text().split()[1])
            for process in (self.process.pid, *self.workers())
        ]
        return sum(pages) * PAGE_BYTES


@contextmanager
def started(folder: Path, command: Sequence[str] = COMMAND, **settings: str) -> Iterator[Serving]:
    """Start to serve with these settings, given as ``WORKERS="2"``; nobody waits until it does.

    Feedback is kept in the folder unless the settings say where.
    """
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("BACKPATH_")
    } | {
        "BACKPATH_PORT": str(port),
        "BACKPATH_DATABASE_URL": f"sqlite:///{folder}/feedback.sqlite3",
        "PYTHONPATH": str(HOUSE),
        **{f"BACKPATH_{name}": value for name, value in settings.items()},
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield Serving(port, process, folder)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(START_SECONDS)


@contextmanager
def serving(folder: Path, command: Sequence[str] = COMMAND, **settings: str) -> Iterator[Serving]:
    """Serve with these settings, as ``started`` takes them, once the server is ready."""
    with started(folder, command, **settings) as server:
        wait_until_ready(server.base_url, server.process, folder / "log")
        yield server


def begun_call(port: int) -> http.client.HTTPConnection:
    """A patient-view call whose sender has paused behind the first byte of the body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    connection.putrequest("POST", VIEW)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    connection.send(b"1\r\n{\r\n")
    return connection
