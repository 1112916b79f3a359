"""Whatever befalls the store, cards are answered and no acknowledged feedback is lost."""

from __future__ import annotations

import logging
import os
import resource
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from flask.testing import FlaskClient

from cards.library import Library
from service.app import create_app
from service.feedback import one_uuid
from service.settings import Settings
from service.shown import MOST_KINDS, Shown
from service.store import open_store
from tests.conftest import A_DAY, BACK_PAIN, START_SECONDS, bundle, call
from tests.postgres import Postgres, database_url, postgres
from tests.serving import Serving, serving, started

__all__ = ["database_url", "postgres"]

PATIENT_VIEW = "/cds-services/back-pain-patient-view"
FEEDBACK = f"{PATIENT_VIEW}/feedback"
SMALL_DISK = 1_500_000


def _outcome(card: str | None = None) -> dict[str, Any]:
    return {
        "card": card or str(uuid4()),
        "outcome": "overridden",
        "outcomeTimestamp": "2026-01-11T12:06:00Z",
    }


def _request() -> dict[str, Any]:
    request = call()
    request["prefetch"]["conditions"] = bundle(BACK_PAIN)
    return request


def _in_the_end(holds: Callable[[], object]) -> None:
    """Wait for what must come to be; how long it takes does not matter."""
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _kill(server: Serving) -> None:
    """Kill all its processes at once, without a word of warning."""
    workers = server.workers()
    for process in (server.process.pid, *workers):
        os.kill(process, signal.SIGKILL)
    server.process.wait()
    _in_the_end(lambda: not any(Path(f"/proc/{worker}").is_dir() for worker in workers))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_was_acknowledged_survives_a_kill(database_url: str, tmp_path: Path) -> None:
    """Clients send feedback as one worker is killed, and then all: each 200 was kept for good."""
    acknowledged: list[str] = []

    def send(server: Serving) -> None:
        for _ in range(12):
            cards = [str(uuid4()) for _ in range(3)]
            feedback = {"feedback": [_outcome(card) for card in cards]}
            try:
                answer = requests.post(server.base_url + FEEDBACK, json=feedback, timeout=10)
            except requests.RequestException:  # broken off, be it half-way through the answer
                continue
            assert answer.status_code == 200
            acknowledged.extend(cards)

    with serving(tmp_path, DATABASE_URL=database_url, WORKERS="2") as server:
        with ThreadPoolExecutor(3) as clients:
            sending = [clients.submit(send, server) for _ in range(3)]
            _in_the_end(lambda: len(acknowledged) > 9)
            os.kill(server.workers()[0], signal.SIGKILL)
            for client in sending:
                client.result()
        last = _outcome()
        _in_the_end(lambda: _posted(server, [last]) == 200)
        _kill(server)
    kept = {entry.card for entry in open_store(database_url).kept()}

    assert {*acknowledged, last["card"]} <= kept


def _posted(server: Serving, feedback: list[dict[str, Any]]) -> int | None:
    """The status of sending feedback; None without an answer."""
    try:
        address = server.base_url + FEEDBACK
        return requests.post(address, json={"feedback": feedback}, timeout=10).status_code
    except requests.RequestException:
        return None


@contextmanager
def _small_disk(folder: Path) -> Iterator[Callable[[Serving, int], None]]:
    """Gives what limits the room below a folder, in bytes: a real disk where one may be mounted."""
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        yield _limit_files
        return

    def limit(_: Serving, room: int) -> None:
        again = ["mount", "-o", f"remount,size={room}", str(folder)]
        subprocess.run(again, check=True, capture_output=True)

    try:
        yield limit
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _limit_files(server: Serving, room: int) -> None:
    """As near as one comes without the right to mount: no file may grow beyond this size."""
    for worker in server.workers():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))


def test_a_full_disk_refuses_feedback_whole_and_answers_cards(tmp_path: Path) -> None:
    """Feedback is refused with 503 until there is room again; nothing kept is lost."""
    disk = tmp_path / "disk"
    disk.mkdir()
    url = f"sqlite:///{disk}/backpath.sqlite3"
    acknowledged: set[str] = set()
    with _small_disk(disk) as limit, serving(tmp_path, DATABASE_URL=url) as server:
        limit(server, SMALL_DISK)
        for number in range(60):
            cards = [one_uuid(f"{number} {entry}") for entry in range(200)]
            feedback = {"feedback": [_outcome(card) for card in cards]}
            answer = requests.post(server.base_url + FEEDBACK, json=feedback, timeout=30)
            if answer.status_code != 200:
                break
            acknowledged.update(cards)
        shown = requests.post(server.base_url + PATIENT_VIEW, json=_request(), timeout=30)
        limit(server, 20 * SMALL_DISK)
        again = _posted(server, feedback["feedback"])
        kept = Counter(entry.card for entry in open_store(url).kept())

    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert (shown.status_code, again) == (200, 200)
    assert shown.json()["cards"]
    assert kept == Counter([*acknowledged, *cards])
    assert 0 < len(acknowledged) < 60 * 200


@contextmanager
def _starting_without_store(folder: Path, url: str) -> Iterator[Serving]:
    """``backpath serve`` where nobody waits for it to be ready."""
    # One worker: a second that had not yet opened the store would not know that it was there.
    with started(folder, DATABASE_URL=url, WORKERS="1") as server:
        _in_the_end(lambda: _status(server, "/health") == 200)
        yield server


def _status(server: Serving, address: str) -> int | None:
    try:
        return requests.get(server.base_url + address, timeout=10).status_code
    except requests.RequestException:
        return None


def _cards(server: Serving) -> int:
    answer = requests.post(server.base_url + PATIENT_VIEW, json=_request(), timeout=10)
    assert answer.status_code == 200
    return len(answer.json()["cards"])


def test_a_store_that_comes_and_goes(tmp_path: Path) -> None:
    """Served without a store from the start; kept as soon as there is one; refused when it goes.

    The cards shown meanwhile are counted, up to the last before the service is stopped.
    """
    folder, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    folder.write_text("in the way")
    url = f"sqlite:///{folder}/backpath.sqlite3"
    with _starting_without_store(tmp_path, url) as server:
        shown = _cards(server)
        assert (_status(server, "/ready"), _posted(server, [_outcome()])) == (503, 503)

        folder.unlink()
        _in_the_end(lambda: _status(server, "/ready") == 200)
        assert _posted(server, [_outcome()]) == 200
        shown += _cards(server)
        _in_the_end(lambda: sum(each.count for each in open_store(url).shown(None, None)) == shown)

        folder.rename(elsewhere)
        assert (_status(server, "/ready"), _posted(server, [_outcome()])) == (503, 503)
        shown += _cards(server)
        assert not folder.exists()

        elsewhere.rename(folder)
        assert _posted(server, [_outcome()]) == 200
        shown += _cards(server)
    store = open_store(url)

    assert len(store.kept()) == 2
    assert sum(each.count for each in store.shown(None, None)) == shown
    assert len(store.card_keys()) >= 1


def _client(url: str, library: Library) -> FlaskClient:
    settings = Settings(database_url=url)
    return create_app(settings, today=lambda: A_DAY, library=library).test_client()


def test_postgresql_stopped_and_started_again(library: Library) -> None:
    """While it is away cards are answered and feedback is refused; then all goes on by itself."""
    server = Postgres(uuid4().hex)
    url = server.new_database()
    try:
        server.stop()
        client = _client(url, library)
        house = client.application.extensions["backpath"]
        assert not house.upkeep.once()
        early = _refused_but_answered(client)
        server.start()
        _in_the_end(lambda: _kept(client, early) and client.get("/ready").status_code == 200)
        server.stop()
        late = _refused_but_answered(client)
        server.start()
        _in_the_end(lambda: _kept(client, late) and house.upkeep.once())
        rows, shown = house.store.kept(), house.store.shown(None, None)
    finally:
        server.leave()

    assert {row.card: row.recommendation for row in rows} == {
        card["uuid"]: card["source"]["topic"]["code"] for card in [*early, *late]
    }
    assert sum(count.count for count in shown) == len([*early, *late])


def test_a_store_that_says_nothing_is_not_waited_for_twice(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a dead network one call waits; the others are refused at once, and cards given."""
    monkeypatch.setattr("service.database.REST_SECONDS", 3_600)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        client = _client(f"postgresql+psycopg://x@127.0.0.1:{port}/x?sslmode=disable", library)
        for _ in range(5):
            _refused_but_answered(client)
        silent.settimeout(0)
        silent.accept()[0].close()

        with pytest.raises(BlockingIOError):
            silent.accept()


def _refused_but_answered(client: FlaskClient) -> list[dict[str, Any]]:
    """The cards of a call while the store is away."""
    refused = client.post(FEEDBACK, json={"feedback": [_outcome()]})
    answer = client.post(PATIENT_VIEW, json=_request())

    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    assert client.get("/ready").status_code == 503
    assert answer.status_code == 200
    assert answer.json is not None
    cards: list[dict[str, Any]] = answer.json["cards"]
    return cards


def _kept(client: FlaskClient, cards: list[dict[str, Any]]) -> bool:
    feedback = [_outcome(card["uuid"]) for card in cards]
    return client.post(FEEDBACK, json={"feedback": feedback}).status_code == 200


def test_a_file_taken_away_is_made_anew(
    library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever clears the folder gets an empty store, and not a service that must be restarted."""
    path = tmp_path / "store" / "backpath.sqlite3"
    client = _client(f"sqlite:///{path}", library)
    for _ in range(2):
        assert client.post(FEEDBACK, json={"feedback": [_outcome()]}).status_code == 200
        for file in path.parent.iterdir():
            file.unlink()

    with caplog.at_level(logging.ERROR, "backpath"):
        assert client.get("/ready").status_code == 200
    assert "the store is gone; a new and empty one is made" in caplog.messages


def test_counting_never_fills_the_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A store that stays away for years costs some numbers, and the log says how many."""
    shown = Shown()
    card = {"source": {"topic": {"code": "yoga"}}, "indicator": "info"}
    for number in range(MOST_KINDS + 7):
        shown.count(date.min + timedelta(days=number), None, "back-pain-patient-view", [card])
    shown.count(date.min, None, "back-pain-patient-view", [card])
    store = open_store(f"sqlite:///{tmp_path}/backpath.sqlite3")
    with caplog.at_level(logging.WARNING, "backpath"):
        shown.write(store)

    assert sum(count.count for count in store.shown(None, None)) == MOST_KINDS + 1
    assert [vars(record)["fields"] for record in caplog.records] == [{"cards": 7}]
