"""The threads that answer: whose turn it is, what is left of a request, how an answer goes out."""

from __future__ import annotations

import gc
import http.client
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request

from service.garbage import OBJECTS_BETWEEN_COLLECTIONS, keep_for_good
from service.slow_senders import TimedUnreader
from service.worker import LINGERING, Answer, Worker
from tests.serving import LONG, VIEW, serving

LENGTH = [("Content-Type", "text/plain"), ("Content-Length", "2")]


def test_kept_connections_keep_nobody_out(tmp_path: Path) -> None:
    """More clients than threads, all of them staying on the line: each is answered each time."""
    with serving(tmp_path, WORKERS="1", MAX_RUNNING_CALLS="1", MAX_WAITING_CALLS="1") as server:
        lines = [
            http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONG)
            for _ in range(4 * LINGERING)
        ]
        statuses, sockets = [], set()
        for line in lines * 2:
            line.request("GET", "/health")
            answer = line.getresponse()
            answer.read()
            statuses.append(answer.status)
            sockets.add(line.sock)
        for line in lines:
            line.close()

    assert statuses == [200] * 2 * len(lines)
    assert len(sockets) == len(lines)


INNER = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
SHORT = b"Content-Length: %d\r\n\r\n%b" % (len(INNER), INNER)
LARGE = b"Content-Length: 100000\r\n\r\n" + INNER.ljust(100_000)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(INNER), INNER)


@pytest.mark.parametrize(
    ("words", "body", "told", "statuses"),
    [
        ("thrown away", SHORT, b"keep-alive", [b"415", b"415", b"200"]),
        ("too much to throw away", LARGE, b"close", [b"415"]),
        ("nobody knows how much it is", CHUNKED, b"close", [b"415"]),
    ],
)
def test_a_body_nobody_read_is_not_the_next_request(
    words: str, body: bytes, told: bytes, statuses: list[bytes], live_server: str
) -> None:
    """Also when it looks like one; where the connection will not be kept, the client is told."""
    refused = b"POST %b HTTP/1.1\r\nHost: x\r\n%b" % (VIEW.encode(), body)
    last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    port = int(live_server.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=LONG) as connection:
        connection.sendall(refused * 2 + last)
        with connection.makefile("rb") as answers:
            heard = answers.read()

    assert re.findall(rb"HTTP/1.1 (\d+) ", heard) == statuses, words
    assert re.findall(rb"\r\nConnection: (\S+)", heard)[0] == told
    assert b"backpath_" not in heard


def test_a_chunked_body_that_was_read_keeps_the_connection(live_server: str) -> None:
    """As some clients send all they have: each of their calls need not knock anew."""
    line = http.client.HTTPConnection("127.0.0.1", int(live_server.rpartition(":")[2]), LONG)
    told, sockets = [], set()
    for _ in range(2):
        line.request("POST", VIEW, iter([b"{", b"}"]), {"Content-Type": "application/json"})
        answer = line.getresponse()
        answer.read()
        told.append((answer.status, answer.headers["Connection"]))
        sockets.add(line.sock)
    line.close()

    assert told == [(400, "keep-alive")] * 2
    assert len(sockets) == 1


class Line:
    """A client's line that keeps what was sent, send by send."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Keep it."""
        self.sent.append(data)


def _answer(line: Line, method: str = "GET") -> Answer:
    body = SimpleNamespace(failed=False, reader=SimpleNamespace(length=0))
    asked = SimpleNamespace(method=method, version=(1, 1), body=body, should_close=lambda: False)
    return Answer(asked, line, Config())


def _sent(status: str, headers: list[tuple[str, str]], *pieces: bytes, method: str = "GET") -> Any:
    line = Line()
    answer = _answer(line, method)
    answer.start_response(status, headers)
    for piece in pieces:
        answer.write(piece)
    answer.close()
    return [part.partition(b"\r\n\r\n") for part in line.sent]


def test_an_answer_is_sent_in_one_go() -> None:
    """Head and body apart would be two packets, of which a client may wait for the second."""
    ((head, _, body),) = _sent("200 OK", LENGTH, b"ok")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Length: 2" in head
    assert body == b"ok"


def test_an_answer_without_a_body_is_its_head() -> None:
    """Asked for the head only, or with nothing to say."""
    ((head, end, body),) = _sent("200 OK", LENGTH, b"ok", method="HEAD")
    ((nothing, *rest),) = _sent("204 NO CONTENT", [])

    assert (b"Content-Length: 2" in head, end, body) == (True, b"\r\n\r\n", b"")
    assert nothing.startswith(b"HTTP/1.1 204 ")
    assert rest == [b"\r\n\r\n", b""]


def test_an_answer_of_unknown_length_is_cut_into_chunks() -> None:
    """As any client of HTTP/1.1 reads it."""
    sent = b"".join(b"".join(part) for part in _sent("200 OK", [], b"ab", b"", b"c" * 10))

    assert b"Transfer-Encoding: chunked" in sent
    assert sent.endswith(b"\r\n\r\n2\r\nab\r\nA\r\ncccccccccc\r\n0\r\n\r\n")


def test_no_second_answer_stands_behind_a_broken_one() -> None:
    """An answer that breaks off ends the connection; before its first byte it is a failure."""
    ours, theirs = socket.socketpair()
    unreader = TimedUnreader(theirs)
    ours.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
    conn = SimpleNamespace(sock=theirs, client=("", 0), server=("", 0), init=lambda: None)
    conn.parser = SimpleNamespace(unreader=unreader)
    worker = Worker.__new__(Worker)
    worker.cfg, worker.alive, worker.keepalived_conns, worker.max_keepalived = Config(), True, [], 1
    worker.log = SimpleNamespace(exception=lambda _: None)

    def breaks(_: Any, start_response: Any, *, first: bool) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "9")])
        if not first:
            yield b"begun"
        raise ValueError

    with ours, theirs:
        stays: list[object] = []
        for first in (False, True):
            assert unreader.look()
            worker.wsgi = lambda *asked, first=first: breaks(*asked, first=first)
            request = Request(worker.cfg, unreader, ("", 0))
            try:
                stays.append(worker.handle_request(request, conn))
            except ValueError:
                stays.append("failed")
        heard = ours.recv(10_000)

    assert stays == [False, "failed"]
    assert heard.count(b"HTTP/1.1") == 1


def test_what_was_loaded_is_no_garbage() -> None:
    """The collector walks over a request at most, never over all the content."""
    before = gc.get_threshold()
    keep_for_good()
    frozen, seen = gc.get_freeze_count(), len(gc.get_objects())
    between = gc.get_threshold()
    gc.unfreeze()
    gc.set_threshold(*before)

    assert frozen > 10_000 > seen
    assert between == (OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
