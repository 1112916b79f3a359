"""A client that sends stored calls, each as soon as the last is answered, and times every answer.

It runs as a process of its own on a core of its own, and does as little as it can: the requests
are bytes beforehand, the answers are read to their end and thrown away.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from time import perf_counter, perf_counter_ns

import click

CHUNK = 262_144
ANSWER_SECONDS = 60
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class NotAnswered(Exception):
    """The server closed the line, or answered anything but 200 with a length."""


def request_bytes(file: Path, prefix: str) -> bytes:
    """The HTTP request that posts a stored call; its folder's name is the service's id."""
    body = file.read_bytes()
    head = (
        f"POST {prefix}/cds-services/{file.parent.name} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def converse(port: int, requests: Sequence[bytes], until: float) -> list[float]:
    """Milliseconds from each request's first byte sent to its answer's last byte read.

    Args:
        until: value of ``perf_counter`` after which no new request is sent; one always is.
    """
    took: list[float] = []
    with socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in cycle(requests):
            begun = perf_counter_ns()
            line.sendall(request)
            read_answer(line)
            took.append((perf_counter_ns() - begun) / 1e6)
            if perf_counter() > until:
                return took
    return took


def read_answer(line: socket.socket) -> None:
    """Read one answer to its end.

    Raises:
        NotAnswered: see there.
    """
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _receive(line)
    length = LENGTH.search(received, 0, end)
    if received[9:12] != b"200" or not length:
        raise NotAnswered(received[:end].decode("latin-1"))
    missing = end + 4 + int(length[1]) - len(received)
    while missing > 0:
        missing -= len(_receive(line))


def _receive(line: socket.socket) -> bytes:
    received = line.recv(CHUNK)
    if not received:
        raise NotAnswered("the connection was closed")
    return received


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--prefix", default="", help="What stands before /cds-services.")
@click.option("--connections", type=int, default=1)
@click.option("--seconds", type=float, default=1.0)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def main(port: int, prefix: str, connections: int, seconds: float, files: tuple[Path, ...]) -> None:
    """Post FILES in turn on every connection and print the times as JSON, in milliseconds."""
    requests = [request_bytes(file, prefix) for file in files]
    begun = perf_counter()
    until = begun + seconds
    with ThreadPoolExecutor(connections) as lines:
        talks = [
            # Each line begins elsewhere, so that not all of them send the same call at once.
            lines.submit(
                converse, port, requests[n % len(files) :] + requests[: n % len(files)], until
            )
            for n in range(connections)
        ]
        took = [time for talk in talks for time in talk.result()]
    click.echo(json.dumps({"seconds": perf_counter() - begun, "milliseconds": took}))


if __name__ == "__main__":
    main()
