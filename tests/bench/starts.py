"""Starting cold: the server up to its first answer, and one stored request judged by command.

Cold is a new process of what is installed: a first start, which is not counted, has left our
modules and the content compiled, as installing does with everybody else's modules.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.bench.contenders import BACKPATH, SERVICE
from tests.bench.measures import SETUPS
from tests.bench.rounds import ask, cores_for
from tests.bench.running import HOUSE, running

STARTS = 5


def seconds_to_ready() -> float:
    """Median seconds from starting ``backpath serve`` with one worker to its first answer."""
    compile_once()
    servers, _ = cores_for(SETUPS[0])
    times = []
    for _ in range(STARTS):
        with running(SERVICE, 1, servers) as server:
            times.append(server.ready_seconds)
    return median(times)


def seconds_to_evaluate(file: Path) -> float:
    """Median seconds of ``backpath evaluate`` for one stored request, process start included."""
    compile_once()
    return median(_seconds_of_evaluate(file) for _ in range(STARTS))


def compile_once() -> None:
    """Leave our modules compiled, even where the environment tells Python not to, and the content.

    An image is built so; elsewhere the first start does it.
    """
    ours = [HOUSE / "cards", HOUSE / "service"]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *ours], check=True)
    command = [*BACKPATH, "trace"]
    subprocess.run(command, cwd=HOUSE, env=_own(), check=True, stdout=subprocess.DEVNULL)


def _seconds_of_evaluate(file: Path) -> float:
    begun = perf_counter()
    command = [*BACKPATH, "evaluate", str(file)]
    subprocess.run(command, cwd=HOUSE, env=_own(), check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - begun


def _own() -> dict[str, str]:
    """The environment, with the defaults of every setting and these very sources."""
    return {
        **{name: value for name, value in os.environ.items() if "BACKPATH" not in name},
        "PYTHONPATH": str(HOUSE),
    }


def memory_over(
    requests: int, files: list[Path], tell: Callable[[str], object]
) -> list[tuple[int, float]]:
    """Requests answered so far and megabytes of one worker, until so many are answered."""
    servers, clients = cores_for(SETUPS[0])
    found: list[tuple[int, float]] = []
    answered = 0
    with running(SERVICE, 1, servers) as server:
        while answered < requests:
            answered += len(ask(server, files, 1, 5.0, clients)[0])
            found.append((answered, server.largest_megabytes()))
            tell(f"{answered:,} requests, {found[-1][1]:.1f} MB")
    return found
