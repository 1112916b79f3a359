"""More calls than can be answered: a few wait briefly, the others are told to come again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from cards.library import Library
from service.app import create_app
from service.gate import Busy, Gate
from service.settings import Settings
from tests.conftest import A_DAY, call
from tests.serving import LONG, VIEW, begun_call, serving


class Halt:
    """A clock that keeps every call waiting for the day until it is released."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.released = threading.Event()

    def today(self) -> date:
        """The day, when released."""
        self.asked.release()
        assert self.released.wait(LONG)
        return A_DAY


@contextmanager
def _listening(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_too_many_calls_are_told_to_come_again(library: Library, settings: Settings) -> None:
    """With all places and seats taken a call is refused at once, and health is still told."""
    halt = Halt()
    app = create_app(settings, today=halt.today, library=library)
    gate = app.extensions["backpath"].gate
    seats = settings.max_running_calls + settings.max_waiting_calls
    with ThreadPoolExecutor(seats) as pool, _listening(app) as url:
        running = [
            pool.submit(requests.post, url + VIEW, json=call(), timeout=LONG)
            for _ in range(settings.max_running_calls)
        ]
        for _ in running:
            assert halt.asked.acquire(timeout=LONG)
        waited = requests.post(url + VIEW, json=call(), timeout=LONG)
        for _ in range(settings.max_waiting_calls):  # taken by senders that take their time
            gate.seats.__enter__()
        refused = requests.post(url + VIEW, json=call(), timeout=LONG)
        feedback = requests.post(f"{url}{VIEW}/feedback", json={"feedback": []}, timeout=LONG)
        open_still = {
            path: requests.get(url + path, timeout=LONG).status_code
            for path in ("/health", "/ready", "/metrics", "/cds-services")
        }
        halt.released.set()
        answered = [one.result() for one in running]

    for answer in (waited, refused, feedback):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["issue"][0]["code"] == "throttled"
    assert open_still == dict.fromkeys(open_still, 200)
    assert [answer.status_code for answer in answered] == [200] * settings.max_running_calls


def test_a_place_comes_free_however_a_call_ends(library: Library, settings: Settings) -> None:
    """Refused and failed calls give their place back, so none is lost over the days."""

    def broken() -> date:
        raise RuntimeError

    app = create_app(settings, today=broken, library=library)
    client = app.test_client()
    for body in (b"{", b"{}", json.dumps(call()).encode(), b" " * (settings.max_body_bytes + 1)):
        client.post(VIEW, data=body, content_type="application/json")
        client.post(f"{VIEW}/feedback", data=body, content_type="application/json")
    gate = app.extensions["backpath"].gate

    assert (gate.running, gate.waiting) == (0, 0)


def test_who_waits_gets_the_place_that_comes_free() -> None:
    """A short rush is answered whole; nobody is refused while there is patience left."""
    gate = Gate(1, 1, patience=LONG)
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with gate.seats, gate.places:
            inside.set()
            assert leave.wait(LONG)

    def second() -> str:
        with gate.seats, gate.places:
            return "answered"

    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(first)
        assert inside.wait(LONG)
        waiting = pool.submit(second)
        while gate.waiting < 1 and not waiting.done():
            time.sleep(0.01)
        with pytest.raises(Busy):
            gate.seats.__enter__()
        leave.set()
        running.result()

        assert waiting.result() == "answered"
    assert (gate.running, gate.waiting) == (0, 0)


def test_slow_senders_hold_up_nobody(tmp_path: Path) -> None:
    """Clients on a bad line take seats of the waiting room, never the one place to run."""
    body = json.dumps(call()).encode()[1:]
    with serving(tmp_path, WORKERS="1", MAX_RUNNING_CALLS="1", MAX_WAITING_CALLS="2") as server:
        slow = [begun_call(server.port) for _ in range(2)]
        quick = [
            requests.post(server.base_url + VIEW, json=call(), timeout=LONG).status_code
            for _ in range(5)
        ]
        slow.append(begun_call(server.port))
        health = requests.get(server.base_url + "/health", timeout=LONG).status_code
        for _ in range(20):  # until the third has come in
            crowded = requests.post(server.base_url + VIEW, json=call(), timeout=LONG).status_code
            if crowded != 200:
                break
        for connection in slow:
            connection.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        finished = [connection.getresponse().status for connection in slow]
        for connection in slow:
            connection.close()

    assert quick == [200] * 5
    assert (health, crowded) == (200, 503)
    assert finished == [200] * 3


@pytest.mark.parametrize("rest", [b"zz\r\n", b"5\r\n12345678\r\n"])
def test_a_body_that_breaks_is_the_senders_mistake(live_server: str, rest: bytes) -> None:
    """A body cut wrongly into chunks is refused as such, not as a failure of ours."""
    connection = begun_call(int(live_server.rpartition(":")[2]))
    connection.send(rest)
    answer = connection.getresponse()
    outcome = json.loads(answer.read())
    connection.close()

    assert answer.status == 400
    assert outcome["issue"][0]["diagnostics"] == "The body did not arrive whole."
