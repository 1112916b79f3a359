"""The floor: one process that reads every line of an export as JSON and keeps nothing of it.

Nobody who looks at a whole export gets by with less. It runs as a process of its own; its start is
not counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from time import perf_counter, process_time
from typing import NamedTuple

import click

from tests.bench.population.exports import Population
from tests.bench.running import HOUSE, pinned

PARSERS = ("orjson", "json")


class Spent(NamedTuple):
    """Seconds by the clock, and of the processor."""

    wall: float
    cpu: float


def floor(population: Population, parser: str, cores: Collection[int]) -> Spent:
    """What reading an export costs on these cores.

    Args:
        parser: one of ``PARSERS``.
    """
    command = [sys.executable, "-m", "tests.bench.population.floor", parser]
    with pinned(cores):
        reader = subprocess.run(
            [*command, *map(str, population.files)], cwd=HOUSE, check=True, stdout=subprocess.PIPE
        )
    return Spent(*json.loads(reader.stdout))


def read(files: Iterable[Path], loads: Callable[[bytes], object]) -> Spent:
    """Read every line of the files."""
    wall, cpu = perf_counter(), process_time()
    for path in files:
        with path.open("rb") as file:
            for line in file:
                loads(line)
    return Spent(perf_counter() - wall, process_time() - cpu)


def _loads(parser: str) -> Callable[[bytes], object]:
    if parser == "json":
        return json.loads
    import orjson

    loads: Callable[[bytes], object] = orjson.loads
    return loads


@click.command()
@click.argument("parser", type=click.Choice(PARSERS))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def main(parser: str, files: tuple[Path, ...]) -> None:
    """Read the files; print the seconds by the clock and of the processor as JSON."""
    click.echo(json.dumps(read(files, _loads(parser))))


if __name__ == "__main__":
    main()
