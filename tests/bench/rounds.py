"""Rounds A B A B: every contender in turn, on the same calls, again and again.

What disturbs the machine for a while then disturbs all of them, and a ratio within one round
compares neighbours in time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from tests.bench.contenders import Contender
from tests.bench.measures import SETUPS, Measure, Round, Setup
from tests.bench.running import HOUSE, Running, pinned, running


def all_rounds(
    contenders: Sequence[Contender],
    files: Mapping[int, Sequence[Path]],
    rounds: int,
    seconds: float,
    tell: Callable[[str], object],
) -> Iterator[Round]:
    """Every round of every setup and size.

    Args:
        files: stored calls by number of resources.
        seconds: how long each round asks each contender.
        tell: is told what is going on.
    """
    for setup in SETUPS:
        servers, clients = cores_for(setup)
        with ExitStack() as stack:
            at_work = [
                stack.enter_context(running(contender, setup.workers, servers))
                for contender in contenders
            ]
            for size, calls in files.items():
                tell(f"{setup.words}, {size} resources")
                _warm(at_work, calls, setup, clients)
                for number in range(rounds):
                    for server in _those_of(at_work, number):
                        measured = measure(server, calls, setup, seconds, clients)
                        yield Round(setup, size, server.contender.name, number, measured)


def cores_for(setup: Setup) -> tuple[Collection[int], Collection[int]]:
    """Cores for the server, one to a worker, and for the client: others, or all if none is left."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[: setup.workers], cores[setup.workers :] or cores


def _those_of(servers: Iterable[Running], number: int) -> list[Running]:
    return [server for server in servers if not (server.contender.rare and number % 2)]


def _warm(
    servers: Iterable[Running], files: Sequence[Path], setup: Setup, cores: Collection[int]
) -> None:
    for server in servers:
        measure(server, files, setup, 0.2, cores)


def measure(
    server: Running, files: Sequence[Path], setup: Setup, seconds: float, cores: Collection[int]
) -> Measure:
    """Ask one server for so many seconds; the client stays on the cores given."""
    before = server.cpu_seconds()
    took, lasted = ask(server, files, setup.connections, seconds, cores)
    spent = server.cpu_seconds() - before
    return Measure(
        p50_ms=median(took),
        p99_ms=percentile_99(took),
        per_second=len(took) / lasted,
        cpu_ms=1_000 * spent / len(took),
        rss_mb=server.largest_megabytes(),
    )


def percentile_99(took: Sequence[float]) -> float:
    """The time that one answer in a hundred exceeds; of few answers, the longest."""
    return quantiles(took, n=100, method="inclusive")[-1] if len(took) > 1 else took[0]


def ask(
    server: Running, files: Sequence[Path], connections: int, seconds: float, cores: Collection[int]
) -> tuple[list[float], float]:
    """Milliseconds of each answer, and the seconds it all lasted, from a client of its own."""
    options = {
        "--port": server.port,
        "--prefix": server.contender.prefix,
        "--connections": connections,
        "--seconds": seconds,
    }
    words = [str(word) for option in options.items() for word in option]
    command = [sys.executable, "-m", "tests.bench.load", *words, *map(str, files)]
    with pinned(cores):
        client = subprocess.run(command, cwd=HOUSE, check=True, stdout=subprocess.PIPE)
    told = json.loads(client.stdout)
    return told["milliseconds"], told["seconds"]
