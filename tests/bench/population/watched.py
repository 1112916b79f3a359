"""A command, watched: its time, the CPU time of all its processes, and the memory of each.

The watcher is a process of its own: what the processes below it have used up by their end is then
the command's and nobody else's. It takes over what the command leaves behind, and waits for it.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import click
import psutil

from tests.bench.running import HOUSE, MEGABYTE, pinned

SECONDS_BETWEEN_LOOKS = 0.5
# What a command leaves behind, such as a Java machine, may take so long to end.
SECONDS_TO_END = 30
LAST_WORDS = 2_000
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, see prctl(2)


class CommandFailed(Exception):
    """The command ended with an error; the message is the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a command took.

    Attributes:
        wall: seconds from its start to its end.
        cpu: seconds of the processor, of all its processes.
        peak_mb: by role (``command``, ``worker``, ``jvm``, ``other``) the most resident memory that
            any one process of it was seen with, in millions of bytes.
        pss_mb: the most memory all were seen with at once; what several share counts once.
    """

    wall: float
    cpu: float
    peak_mb: dict[str, float]
    pss_mb: float


def watched(command: Sequence[str], cores: Collection[int], log: Path) -> Watched:
    """Run a command on these cores.

    Args:
        log: takes what it prints.

    Raises:
        CommandFailed: see there.
    """
    here = ",".join(map(str, cores))
    watcher = [sys.executable, "-m", "tests.bench.population.watched", here, *command]
    own = {name: value for name, value in os.environ.items() if "BACKPATH" not in name}
    own |= {"PYTHONPATH": str(HOUSE)}
    with log.open("wb") as out:
        ended = subprocess.run(
            watcher, env=own, cwd=HOUSE, check=False, stdout=subprocess.PIPE, stderr=out
        )
    if ended.returncode:
        raise CommandFailed(log.read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:])
    return Watched(**json.loads(ended.stdout))


class _Memory:
    """The memory of all processes below this one, looked at again and again."""

    def __init__(self) -> None:
        self._roles: dict[int, str] = {}
        self._peaks: defaultdict[str, float] = defaultdict(float)
        self._together = 0.0

    def look(self) -> None:
        """Look once; a process that ends meanwhile is not seen."""
        together = 0.0
        for process in psutil.Process().children(recursive=True):
            try:
                role = self._role(process)
                held = process.memory_full_info()
            except psutil.Error:
                continue
            together += held.pss / MEGABYTE
            self._peaks[role] = max(self._peaks[role], held.rss / MEGABYTE)
        self._together = max(self._together, together)

    def _role(self, process: psutil.Process) -> str:
        """What a process is for; a process that has not begun its own program yet is looked up."""
        role = self._roles.get(process.pid, "other")
        if role == "other":
            role = self._roles[process.pid] = role_of(process.cmdline())
        return role

    def told(self) -> tuple[dict[str, float], float]:
        """The peak of each role, and that of all at once."""
        return dict(self._peaks), self._together


def role_of(words: Sequence[str]) -> str:
    """What a process is for, by its command line."""
    line = " ".join(words)
    if words and Path(words[0]).name == "java":
        return "jvm"
    if "spawn_main" in line or "pyspark.daemon" in line:
        return "worker"
    return "command" if "-m service population" in line else "other"


@contextmanager
def _looking(memory: _Memory) -> Iterator[None]:
    ended = Event()

    def look() -> None:
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            memory.look()

    looker = Thread(target=look)
    looker.start()
    try:
        yield
    finally:
        ended.set()
        looker.join()


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("cores")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def main(cores: str, command: tuple[str, ...]) -> None:
    """Run COMMAND on the CORES (0,1,…), and print what it took as JSON."""
    ctypes.CDLL(None).prctl(SUBREAPER, 1)
    memory = _Memory()
    begun = perf_counter()
    with pinned([int(core) for core in cores.split(",")]):
        process = subprocess.Popen(command, stdout=sys.stderr)
    with _looking(memory):
        failed = process.wait()
        wall = perf_counter() - begun
        left = psutil.Process().children(recursive=True)
        for late in psutil.wait_procs(left, timeout=SECONDS_TO_END)[1]:
            late.kill()
    if failed:
        sys.exit(1)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = Watched(wall, spent.ru_utime + spent.ru_stime, *memory.told())
    click.echo(json.dumps(asdict(took)))


if __name__ == "__main__":
    main()
