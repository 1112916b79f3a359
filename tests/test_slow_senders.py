"""Clients that send slowly hold no thread while they do, and are not waited for without end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from math import inf
from pathlib import Path

import pytest
import requests

from service import slow_senders
from service.slow_senders import Head, TimedUnreader
from tests.conftest import call
from tests.serving import LONG, VIEW, serving

Pair = tuple[socket.socket, TimedUnreader]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A client's end of a connection, and what the server reads its own end by."""
    client, server = socket.socketpair()
    with client, server:
        yield client, TimedUnreader(server)


def test_half_requests_do_not_stop_us(tmp_path: Path) -> None:
    """Many clients that never finish their headers keep nobody else from being answered."""
    begun = [b"", b"GET /hea", b"GET / HTTP/1.1\r\nHost: x\r\n"] * 40
    with serving(tmp_path, WORKERS="1", MAX_RUNNING_CALLS="1", MAX_WAITING_CALLS="1") as server:
        slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in begun]
        for connection, piece in zip(slow, begun, strict=True):
            connection.sendall(piece)
        statuses = [
            requests.get(f"{server.base_url}/health", timeout=LONG).status_code,
            requests.post(server.base_url + VIEW, json=call(), timeout=LONG).status_code,
        ]
        for connection in slow:
            connection.close()

    assert statuses == [200, 200]


def test_headers_may_come_in_pieces(live_server: str) -> None:
    """A request cut anywhere, also between two bytes of a line's end, is answered."""
    port = int(live_server.rpartition(":")[2])
    request = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for cut in range(1, len(request)):
        with socket.create_connection(("127.0.0.1", port), timeout=LONG) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request[:cut])
            connection.sendall(request[cut:])

            assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_two_requests_in_one_piece_get_two_answers(live_server: str) -> None:
    """What came with the request before is not forgotten."""
    port = int(live_server.rpartition(":")[2])
    first = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    last = first.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with socket.create_connection(("127.0.0.1", port), timeout=LONG) as connection:
        connection.sendall(first + last[:10])
        connection.sendall(last[10:])
        with connection.makefile("rb") as answers:
            assert answers.read().count(b"HTTP/1.1 200 OK") == 2


def test_a_head_is_looked_at_without_waiting(pair: Pair) -> None:
    """Nothing has come, a part, all of it."""
    client, unreader = pair
    seen = [unreader.look()]
    client.sendall(b"GET / HTTP/1.1\r\n")
    seen.append(unreader.look())
    client.sendall(b"\r\n")
    seen.append(unreader.look())

    assert seen == [Head.COMING, Head.COMING, Head.WHOLE]


def test_a_head_that_does_not_come_is_given_up(pair: Pair) -> None:
    """Once its time is over no further piece prolongs it; a parser that waits hears nothing."""
    client, unreader = pair
    client.sendall(b"GET / HT")
    unreader.head_by = -inf

    assert unreader.look() is Head.LATE
    assert unreader.chunk() == b""


def test_a_body_that_drips_has_an_end(pair: Pair) -> None:
    """There is always another byte, and still the time for the whole of it is over."""
    client, unreader = pair
    client.sendall(b"x")
    unreader.body_by = inf
    assert unreader.chunk() == b"x"
    client.sendall(b"y")
    unreader.body_by = -inf

    with pytest.raises(TimeoutError):
        unreader.chunk()


def test_the_parser_is_given_the_head_alone(pair: Pair) -> None:
    """What came with it is the body, and behind that the next request."""
    client, unreader = pair
    head, body, after = b"\r\nPOST / HTTP/1.1\r\nHost: x\r\n\r\n", b"{}\r\n\r\n{}", b"GET / "
    client.sendall(head + body + after)
    seen = unreader.look()
    first = unreader.read()
    unreader.body_by = inf
    second = unreader.read(len(body))
    unreader.body_by = unreader.head_by = None

    assert (seen, first, second) == (Head.WHOLE, head, body)
    assert unreader.look() is Head.COMING
    assert unreader.buf.getvalue() == after


def test_no_more_is_taken_than_the_body(pair: Pair) -> None:
    """Whether it is read or thrown away, what stands behind it is for the next request."""
    client, unreader = pair
    for unreader.body_by in (inf, None):
        client.sendall(b"12345GET")

        assert (unreader.read(2), unreader.read(3)) == (b"12", b"345")
        assert unreader.sock.recv(9) == b"GET"


def test_no_room_is_made_for_what_is_only_announced(pair: Pair) -> None:
    """A chunk of a terabyte is easily announced."""
    client, unreader = pair
    for unreader.body_by in (inf, None):
        client.sendall(b"123")

        assert unreader.chunk(2**40) == b"123"


def test_a_body_that_ends_early_is_what_came(pair: Pair) -> None:
    """Its sender hung up; nobody waits for the rest."""
    client, unreader = pair
    unreader.body_by = inf
    client.sendall(b"123")
    client.close()

    assert unreader.read(5) == b"123"


def test_a_sender_may_not_pause_for_ever(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while there is much time left for the whole body; a head just never comes."""
    monkeypatch.setattr(slow_senders, "LONGEST_PAUSE_SECONDS", 0.0)
    _, unreader = pair
    unreader.body_by = inf
    with pytest.raises(TimeoutError):
        unreader.read(5)
    unreader.head_by, unreader.body_by = inf, None

    assert unreader.chunk() == b""


def test_a_thread_waits_a_moment_for_the_next_request(pair: Pair) -> None:
    """Not longer than a tick; it hears whoever hangs up, and what it heard is not forgotten."""
    client, unreader = pair
    silent = unreader.linger()
    client.sendall(b"GET")
    heard = [unreader.linger(), unreader.linger()]
    held = unreader.buf.getvalue()
    unreader.read()
    client.close()

    assert (silent, heard, held) == (False, [True, True], b"GET")
    assert unreader.linger()
    assert unreader.look() is Head.WHOLE  # nothing, which the parser takes for the end
