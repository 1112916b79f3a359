"""Several processes that answer: under load, killed, and counted as one."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from service.store import open_store
from tests.conftest import call
from tests.load import CONNECTIONS, crowd, stored_posts
from tests.serving import LONG, VIEW, Serving, serving
from tests.test_metrics import ROUTE, counted

PROC = Path("/proc/self/task")

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="processes are looked up in /proc")


def _until(is_so: Callable[[], bool]) -> bool:
    """Whether it came to be so in good time."""
    deadline = time.monotonic() + LONG
    while not (so := is_so()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return so


def _answered(server: Serving) -> float:
    """How many calls were answered with 200, as the metrics tell."""
    text = requests.get(server.base_url + "/metrics", timeout=LONG).text
    labels = frozenset({("route", ROUTE), ("status", "200")})
    return counted(text).get(("backpath_requests_total", labels), 0)


def test_a_crowd_is_answered_and_counted(tmp_path: Path) -> None:
    """Sixteen clients at full speed: every answer is cards, and none is missing in the counts."""
    posts = stored_posts(every=20)
    with serving(tmp_path, WORKERS="2", LOG_LEVEL="warning") as server:
        seen = crowd(server.port, posts, 3.0, CONNECTIONS)
        whole = _until(lambda: _answered(server) == seen.answers["200"])
        counts = [_answered(server) for _ in range(6)]

    assert set(seen.answers) == {"200"}
    assert whole
    assert counts == [seen.answers["200"]] * 6


def _feedback(base_url: str) -> str | None:
    """Send feedback on a card; its uuid when that was acknowledged."""
    card = str(uuid4())
    entry = {"card": card, "outcome": "accepted", "outcomeTimestamp": "2026-01-11T10:05:31Z"}
    entry["acceptedSuggestions"] = [{"id": str(uuid4())}]  # type: ignore[assignment]
    try:
        answer = requests.post(
            f"{base_url}{VIEW}/feedback", json={"feedback": [entry]}, timeout=LONG
        )
    except requests.ConnectionError:
        return None
    return card if answer.status_code == 200 else None


def test_killed_workers_are_replaced(tmp_path: Path) -> None:
    """Both workers are killed under load: connections break, no answer is wrong, nothing is lost.

    What was acknowledged before is kept, what was counted stays counted, and new workers answer.
    """
    posts = stored_posts(every=20)
    with serving(tmp_path, WORKERS="2") as server, ThreadPoolExecutor(2) as pool:
        acknowledged = [card for _ in range(20) if (card := _feedback(server.base_url))]
        crowded = pool.submit(crowd, server.port, posts, 3.0, 8)
        reporting = pool.submit(lambda: [_feedback(server.base_url) for _ in range(20)])
        assert _until(lambda: _answered(server) > 0)
        counted_before = _answered(server)
        killed = server.workers()
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        assert _until(lambda: len(set(server.workers()) - set(killed)) == 2)
        acknowledged += [card for card in reporting.result() if card]
        seen = crowded.result()
        again = requests.post(server.base_url + VIEW, json=call(), timeout=LONG)
        counted_after = _answered(server)
        log = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    kept = {entry.card for entry in open_store(f"sqlite:///{tmp_path}/feedback.sqlite3").kept()}

    assert len(killed) == 2
    assert set(seen.answers) <= {"200", "503", "broken"}
    assert again.status_code == 200
    assert len(acknowledged) >= 20
    assert set(acknowledged) <= kept
    assert counted_after >= counted_before
    assert not [line for line in log if line["event"] == "unexpected failure"]
    assert Counter(line["event"] for line in log)["call"] >= seen.answers["200"]
