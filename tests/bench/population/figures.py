"""What the rounds come to: medians, and ratios to the floor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from tests.bench.population.exports import Population
from tests.bench.population.rounds import Round, Setup


@dataclass(frozen=True, slots=True)
class Row:
    """One population judged in one setup: the median of its rounds.

    Attributes:
        wall, cpu, floor_wall, floor_cpu: seconds.
        peak_mb: by role of a process, see ``Watched``.
        wall_ratio, cpu_ratio: to the floor of the same round, on one core.
        speed_up: over one worker in the same round, each as a ratio to its floor; None with one
            worker, or without a run of one.
    """

    population: Population
    setup: Setup
    rounds: int
    wall: float
    cpu: float
    floor_wall: float
    floor_cpu: float
    peak_mb: Mapping[str, float]
    pss_mb: float
    wall_ratio: float
    cpu_ratio: float
    speed_up: float | None

    @property
    def patients_per_second(self) -> float:
        """Patients judged in a second."""
        return self.population.patients / self.wall

    @property
    def lines_per_second(self) -> float:
        """Lines of the export, needed or not, in a second."""
        return self.population.lines / self.wall


@dataclass(frozen=True, slots=True)
class Growth:
    """From one population to the next larger one, in one setup.

    Attributes:
        wall, cpu: by patient, of the larger to the smaller; 1 is linear.
        worker_mb: peak of a worker, of the larger to the smaller; 1 is flat.
        further, further_cpu: what the patients the larger has more took, as a multiple of the floor
            of these alone: the ratio without what every run takes once.
    """

    setup: Setup
    less: int
    more: int
    wall: float
    cpu: float
    worker_mb: float
    further: float
    further_cpu: float


def rows_of(rounds: Iterable[Round]) -> list[Row]:
    """A row for each population and setup, in the order they were measured."""
    groups: dict[tuple[Population, Setup], dict[int, Round]] = defaultdict(dict)
    for one in rounds:
        groups[one.population, one.setup][one.number] = one
    return [
        _row(list(group.values()), groups.get((population, Setup(setup.engine, 1)), {}))
        for (population, setup), group in groups.items()
    ]


def _row(rounds: Sequence[Round], alone: Mapping[int, Round]) -> Row:
    first = rounds[0]
    roles = {role for one in rounds for role in one.took.peak_mb}
    gains = [
        _wall_ratio(alone[one.number]) / _wall_ratio(one)
        for one in rounds
        if one.setup.workers > 1 and one.number in alone
    ]
    return Row(
        population=first.population,
        setup=first.setup,
        rounds=len(rounds),
        wall=median(one.took.wall for one in rounds),
        cpu=median(one.took.cpu for one in rounds),
        floor_wall=median(one.floor.wall for one in rounds),
        floor_cpu=median(one.floor.cpu for one in rounds),
        peak_mb={r: median(one.took.peak_mb.get(r, 0) for one in rounds) for r in sorted(roles)},
        pss_mb=median(one.took.pss_mb for one in rounds),
        wall_ratio=median(_wall_ratio(one) for one in rounds),
        cpu_ratio=median(one.took.cpu / one.floor.cpu for one in rounds),
        speed_up=median(gains) if gains else None,
    )


def _wall_ratio(one: Round) -> float:
    return one.took.wall / one.floor.wall


def growth_of(rows: Iterable[Row]) -> list[Growth]:
    """How each setup grows from population to population."""
    groups: dict[Setup, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.setup].append(row)
    return [
        _growth(less, more)
        for group in groups.values()
        for less, more in pairwise(sorted(group, key=lambda row: row.population.patients))
    ]


def _growth(less: Row, more: Row) -> Growth:
    few, many = less.population.patients, more.population.patients
    held = less.peak_mb.get("worker", 0)
    return Growth(
        setup=less.setup,
        less=few,
        more=many,
        wall=more.wall / less.wall * few / many,
        cpu=more.cpu / less.cpu * few / many,
        worker_mb=more.peak_mb.get("worker", 0) / held if held else 0,
        further=(more.wall - less.wall) / (more.floor_wall - less.floor_wall),
        further_cpu=(more.cpu - less.cpu) / (more.floor_cpu - less.floor_cpu),
    )
