"""Told to stop, the server finishes what it has begun, takes on nothing new, and ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from service.shared_counts import LOCK, PREFIX, VARIABLE, passing_place, shared_counts
from tests.conftest import call
from tests.fhir_server import running, stalls
from tests.serving import LONG, SERVE, VIEW, begun_call, serving


def _is_refused(port: int) -> bool:
    with socket.socket() as door:
        door.settimeout(LONG)
        return door.connect_ex(("127.0.0.1", port)) != 0


def test_running_calls_are_finished(tmp_path: Path) -> None:
    """A clinician whose call is under way during an upgrade gets the whole answer."""
    body = json.dumps(call()).encode()[1:]
    with serving(tmp_path, WORKERS="2") as server:
        under_way = [begun_call(server.port) for _ in range(4)]
        server.process.terminate()
        deadline = time.monotonic() + LONG
        while not _is_refused(server.port) and time.monotonic() < deadline:
            time.sleep(0.02)
        refused = _is_refused(server.port)
        alive = server.process.poll() is None
        for connection in under_way:
            connection.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        answers = [connection.getresponse() for connection in under_way]
        bodies = [json.loads(answer.read()) for answer in answers]
        for connection in under_way:
            connection.close()
        code = server.process.wait(LONG)

    assert (refused, alive) == (True, True)
    assert [answer.status for answer in answers] == [200] * 4
    assert bodies == [{"cards": []}] * 4
    assert code == 0


# The first worker is told to stop as soon as there is one.
TOLD_AT_ONCE = f"""
import os, signal
from service import server

begin = server._begin_worker

def told_at_once(master, worker):
    begin(master, worker)
    if worker.age == 1:
        print("first worker", worker.pid, flush=True)
        os.kill(worker.pid, signal.SIGTERM)

server._begin_worker = told_at_once
{SERVE}
"""


def test_a_worker_told_to_stop_while_it_is_made_stops(tmp_path: Path) -> None:
    """An upgrade right after the start does not wait for a worker that was not listening yet."""
    command = [sys.executable, "-c", TOLD_AT_ONCE, "serve"]
    with serving(tmp_path, command, WORKERS="1") as server:
        told = re.search(r"first worker (\d+)", server.log)
        first = int(told[1]) if told else 0
        deadline = time.monotonic() + LONG
        while first in server.workers() and time.monotonic() < deadline:
            time.sleep(0.02)
        left = server.workers()

    assert first
    assert first not in left


def _shared_folder(process: int) -> Path:
    """Where the workers of this server count, as the files show that it holds open."""
    held = re.search(rf"\S*/{PREFIX}\w+", Path(f"/proc/{process}/maps").read_text())
    assert held
    return Path(held[0])


def test_what_a_killed_server_left_is_cleared_away() -> None:
    """A server that was killed could not tidy up; the next one does, and leaves others alone."""
    left, young = (Path(tempfile.mkdtemp(prefix=PREFIX, dir=passing_place())) for _ in range(2))
    for folder in (left, young):
        (folder / LOCK).touch()
    os.utime(left, (0, 0))
    with shared_counts():
        running = Path(os.environ[VARIABLE])
        os.utime(running, (0, 0))
        with shared_counts():
            found = (left.exists(), young.exists(), running.exists())
    shutil.rmtree(young)

    assert found == (False, True, True)
    assert not running.exists()


def test_nothing_of_that_name_keeps_the_start_waiting() -> None:
    """Anybody may put a pipe, a link or a device where locks are looked for; none is opened."""
    traps = [Path(tempfile.mkdtemp(prefix=PREFIX, dir=passing_place())) for _ in range(3)]
    os.mkfifo(traps[0] / LOCK)
    (traps[1] / LOCK).symlink_to(traps[0] / LOCK)
    (traps[2] / LOCK).mkdir()
    for trap in traps:
        os.utime(trap, (0, 0))
    started = threading.Event()

    def start() -> None:
        with shared_counts():
            started.set()

    thread = threading.Thread(target=start, daemon=True)
    thread.start()
    thread.join(LONG)
    for trap in traps:
        shutil.rmtree(trap, ignore_errors=True)

    assert started.is_set()


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """The folder in which the workers count is gone with them, and nothing complained."""
    with serving(tmp_path, WORKERS="2") as server:
        shared = _shared_folder(server.process.pid)
        before = shared.is_dir()

    assert before
    assert not shared.exists()
    assert server.process.returncode == 0
    assert "rror" not in server.log


def test_a_call_that_waits_for_a_fhir_server_is_finished(tmp_path: Path) -> None:
    """Told to stop while it asks the EHR's own server, it still answers with what it has."""
    request = call()
    del request["prefetch"]["encounters"]
    settings = {"WORKERS": "1", "ALLOW_LOOPBACK": "true", "CALLBACK_BUDGET_SECONDS": "2"}
    with running() as fhir, serving(tmp_path, **settings) as server, ThreadPoolExecutor() as pool:
        fhir.faults["Encounter"] = stalls
        request["fhirServer"] = fhir.base
        answer = pool.submit(requests.post, server.base_url + VIEW, json=request, timeout=LONG)
        deadline = time.monotonic() + LONG
        while not fhir.received and time.monotonic() < deadline:
            time.sleep(0.01)
        server.process.terminate()
        answered = answer.result()
        code = server.process.wait(LONG)

    assert (answered.status_code, answered.json()) == (200, {"cards": []})
    assert code == 0
