"""How the server bears load: ``make load``, or ``python -m tests.load --seconds 30``.

Every synthetic patient is posted in turn, moved to today, over a number of kept-alive connections
at full speed. Exits with 1 when anything went wrong or memory grew.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import quantiles

from service.shift import as_of, shift_to
from tests.conftest import HOUSE
from tests.serving import serving

CONNECTIONS = 16
WORKERS = 2
WARM_UP_SECONDS = 10.0
MOST_GROWTH = 0.05
TIMEOUT_SECONDS = 30.0
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Post:
    """One call as it is sent."""

    path: str
    body: bytes


@dataclass
class Seen:
    """What the clients saw: each answer's status or broken connection, and seconds of the 200s."""

    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def __add__(self, other: Seen) -> Seen:
        """Both together."""
        return Seen(self.answers + other.answers, self.seconds + other.seconds)


def stored_posts(every: int = 1) -> list[Post]:
    """Each (or each n-th) synthetic patient's call that is answered with cards, as of today."""
    posts = []
    for path in sorted((HOUSE / "fhir_fixtures").glob("*/request.json"))[::every]:
        if "status" in json.loads((path.parent / "cards.json").read_bytes()):
            continue
        request = json.loads(path.read_bytes())
        current = shift_to(request, date.today()) if as_of(request) else request  # noqa: DTZ011
        address = f"/cds-services/back-pain-{request['hook']}"
        posts.append(Post(address, json.dumps(current).encode()))
    return posts


def crowd(port: int, posts: Sequence[Post], seconds: float, connections: int) -> Seen:
    """What many clients see who post one call after the other for some seconds."""
    until = time.monotonic() + seconds
    seen = [Seen() for _ in range(connections)]
    clients = [
        threading.Thread(target=_client, args=(port, posts, start, until, one))
        for start, one in enumerate(seen)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sum(seen, Seen())


def _client(port: int, posts: Sequence[Post], start: int, until: float, seen: Seen) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    position = start * 7
    while time.monotonic() < until:
        post = posts[position % len(posts)]
        position += 1
        begun = time.perf_counter()
        try:
            connection.request("POST", post.path, post.body, JSON)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            seen.answers["broken"] += 1
            connection.close()
            time.sleep(0.02)
            continue
        seen.answers[str(response.status)] += 1
        if response.status == 200:
            seen.seconds.append(time.perf_counter() - begun)
    connection.close()


def main() -> None:
    """Serve, warm up, load, and report."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--connections", type=int, default=CONNECTIONS)
    options.add_argument("--workers", type=int, default=WORKERS)
    chosen = options.parse_args()
    posts = stored_posts()
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), WORKERS=str(chosen.workers), LOG_LEVEL="warning") as server,
    ):
        crowd(server.port, posts, WARM_UP_SECONDS, chosen.connections)
        before = server.resident_bytes()
        seen = crowd(server.port, posts, chosen.seconds, chosen.connections)
        after = server.resident_bytes()
    growth = after / before - 1
    at = quantiles(seen.seconds, n=100)
    print(f"answers      {dict(seen.answers)}")
    print(f"per second   {seen.answers.total() / chosen.seconds:.0f}")
    print(f"median       {at[49] * 1000:.1f} ms")
    print(f"99 of 100    {at[98] * 1000:.1f} ms")
    print(f"memory       {before >> 20} MiB, then {after >> 20} MiB ({growth:+.1%})")
    if set(seen.answers) != {"200"} or growth >= MOST_GROWTH:
        sys.exit("FAILED: not every answer was 200, or memory grew")


if __name__ == "__main__":
    main()
