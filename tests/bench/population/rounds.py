"""Rounds: every engine with every number of workers in turn, the floor before and after each.

What disturbs the machine for a while disturbs a run and its floor alike.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.population.engines import command
from tests.bench.population.exports import Population
from tests.bench.population.floor import Spent, floor
from tests.bench.population.watched import Watched, watched


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured of one population."""

    engine: str
    workers: int


@dataclass(frozen=True, slots=True)
class Round:
    """One run.

    Attributes:
        floor: reading the same export on one core, the mean of before and after.
    """

    population: Population
    setup: Setup
    number: int
    took: Watched
    floor: Spent


def rounds_of(
    population: Population,
    setups: Sequence[Setup],
    rounds: int,
    parser: str,
    folder: Path,
    tell: Callable[[str], object],
) -> Iterator[Round]:
    """Every round of one population.

    Args:
        parser: reads the floor.
        folder: takes the runs, which are thrown away, and what they print.
        tell: is told what is going on.
    """
    one = cores_for(1)
    floor(population, parser, one)  # the files are in memory from now on, where they fit
    for number in range(rounds):
        before = floor(population, parser, one)
        for setup in setups:
            name = f"{population.patients}-{setup.engine}-{setup.workers}"
            tell(f"{name}, round {number + 1} of {rounds}")
            run = folder / name
            shutil.rmtree(run, ignore_errors=True)
            words = command(setup.engine, setup.workers, population, run)
            took = watched(words, cores_for(setup.workers), folder / f"{name}.log")
            shutil.rmtree(run)
            after = floor(population, parser, one)
            mean = Spent(*((a + b) / 2 for a, b in zip(before, after, strict=True)))
            yield Round(population, setup, number, took, mean)
            before = after


def cores_for(workers: int) -> list[int]:
    """One core for each worker, as far as there are that many."""
    return sorted(os.sched_getaffinity(0))[:workers]
