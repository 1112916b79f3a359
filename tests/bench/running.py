"""A server at work: started on chosen cores, watched, and stopped."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from tests.bench.contenders import HOST, Contender

HOUSE = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
MEGABYTE = 1_000_000


class NotStarted(Exception):
    """A server ended, or did not answer in time; the message is what it printed."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers.

    Attributes:
        ready_seconds: from the start of its process to its first answer.
    """

    contender: Contender
    process: psutil.Popen
    port: int
    ready_seconds: float

    def cpu_seconds(self) -> float:
        """CPU time, user and system, of all its processes so far."""
        times = [process.cpu_times() for process in self._processes()]
        return float(sum(spent.user + spent.system for spent in times))

    def largest_megabytes(self) -> float:
        """Resident memory of its largest process: a worker."""
        return float(max(process.memory_info().rss for process in self._processes()) / MEGABYTE)

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def running(contender: Contender, workers: int, cores: Collection[int]) -> Iterator[Running]:
    """A server on these cores, from its first answer until the block ends.

    Raises:
        NotStarted: see there.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        own = {name: value for name, value in os.environ.items() if "BACKPATH" not in name}
        places = {"port": port, "workers": workers, "folder": folder}
        own |= {"PYTHONPATH": str(HOUSE)}
        own |= {name: text.format(**places) for name, text in contender.variables.items()}
        command = [word.format(**places) for word in contender.command]
        log = Path(folder) / "log"
        begun = time.perf_counter()
        with pinned(cores), log.open("wb") as out:
            process = psutil.Popen(command, env=own, cwd=HOUSE, stdout=out, stderr=out)
        try:
            _wait(process, port, log)
            yield Running(contender, process, port, time.perf_counter() - begun)
        finally:
            _stop(process)


def free_port() -> int:
    """A TCP port nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def pinned(cores: Collection[int]) -> Iterator[None]:
    """Keep this thread, and every process it starts in the block, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _wait(process: psutil.Popen, port: int, log: Path) -> None:
    """Wait for any answer; not every server has a page that says ready."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            requests.get(f"http://{HOST}:{port}/ready", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.01)
        else:
            return
    raise NotStarted(log.read_text(encoding="utf-8", errors="replace"))


def _stop(process: psutil.Popen) -> None:
    """End the server and whatever it leaves behind."""
    family = [process, *process.children(recursive=True)] if process.is_running() else [process]
    process.terminate()
    try:
        process.wait(15)
    except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
        process.kill()
    for left in psutil.wait_procs(family, timeout=1)[1]:
        left.kill()
