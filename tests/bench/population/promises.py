"""What was promised, held against what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.bench.population.figures import Growth, Row
from tests.bench.population.rounds import Setup
from tests.bench.targets import Target

MOST_OF_FLOOR = 3.0
LEAST_OF_TWO_WORKERS = 1.8
# Of the larger population to the smaller; what is above 1 is chance, not growth.
MOST_TIME_BY_PATIENT = 1.1
MOST_MEMORY = 1.25
# A smaller export is less than what one worker holds at a time, and says nothing about its growth.
MEMORY_FROM = 10_000


def promises(rows: Iterable[Row], growth: Iterable[Growth]) -> list[Target]:
    """Every promise that the figures can be held to."""
    return [*_of_rows(rows), *_of_growth(growth)]


def _of_rows(rows: Iterable[Row]) -> Iterator[Target]:
    for row in rows:
        at = f"{row.setup.engine}, {row.population.patients:,} patients"
        if row.setup.workers == 1:
            yield Target(f"{at}: time to the floor's, one core", row.wall_ratio, MOST_OF_FLOOR)
        if row.setup.workers == 2 and row.speed_up is not None:
            words = f"{at}: speed of two workers to one"
            yield Target(words, row.speed_up, LEAST_OF_TWO_WORKERS, least=True)


def _of_growth(growth: Iterable[Growth]) -> Iterator[Target]:
    for grown in growth:
        at = f"{told_setup(grown.setup)}, {grown.less:,} to {grown.more:,} patients"
        yield Target(f"{at}: time by patient", grown.wall, MOST_TIME_BY_PATIENT)
        if grown.less >= MEMORY_FROM:
            yield Target(f"{at}: memory of a worker", grown.worker_mb, MOST_MEMORY)


def told_setup(setup: Setup) -> str:
    """As it stands in tables."""
    return f"{setup.engine} × {setup.workers}"
