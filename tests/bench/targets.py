"""What was promised, held against what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2

from tests.bench.measures import SETUPS
from tests.bench.report import Row

ONE, TWO = SETUPS
# Size → most CPU per request, as a multiple of the limit's.
MOST_CPU: Mapping[int, float] = {10: 1.5, 200: 1.0, 1_000: 1.0}
MOST_OF_HEALTHCHAIN = 0.4
MOST_P99_MS = 10.0
LEAST_OF_TWO_WORKERS, MOST_SPREAD = 1.7, 5.0
MOST_PER_DOUBLING = 2.1
MOST_MEGABYTES = 100.0
MOST_READY_SECONDS, MOST_EVALUATE_SECONDS = 1.0, 0.3


@dataclass(frozen=True, slots=True)
class Target:
    """One promise.

    Attributes:
        least: the value must be at least the bound, not at most.
    """

    words: str
    value: float
    bound: float
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.value >= self.bound if self.least else self.value <= self.bound


def targets(rows: Sequence[Row], starts: Mapping[str, float]) -> list[Target]:
    """Every promise that the rows, and the seconds of starting, can be held to."""
    ours = {row.size: row for row in rows if (row.setup, row.contender) == (ONE, "service")}
    theirs = {row.size: row for row in rows if (row.setup, row.contender) == (ONE, "healthchain")}
    both = {row.size: row for row in rows if (row.setup, row.contender) == (TWO, "service")}
    found_targets = [*_cpu(ours, theirs), *_times(ours, both), *_growth(ours)]
    if 2_000 in ours:
        rss = ours[2_000].medians.rss_mb
        found_targets.append(Target("RSS of a worker, 2,000 resources, MB", rss, MOST_MEGABYTES))
    bounds = {"ready": MOST_READY_SECONDS, "evaluate": MOST_EVALUATE_SECONDS}
    found_targets += [
        Target(f"{name}, seconds from a cold start", seconds, bounds[name])
        for name, seconds in starts.items()
    ]
    return found_targets


def _cpu(ours: Mapping[int, Row], theirs: Mapping[int, Row]) -> Iterator[Target]:
    for size, bound in MOST_CPU.items():
        if size in ours and (ratios := ours[size].ratios):
            yield Target(f"CPU to the limit's, {size:,} resources", ratios.cpu_ms, bound)
    for size in MOST_CPU:
        if size in ours and size in theirs:
            share = ours[size].medians.cpu_ms / theirs[size].medians.cpu_ms
            words = f"CPU to HealthChain's, {size:,} resources"
            yield Target(words, share, MOST_OF_HEALTHCHAIN)


def _times(ours: Mapping[int, Row], both: Mapping[int, Row]) -> Iterator[Target]:
    if 200 not in ours:
        return
    one = ours[200].medians
    yield Target("p99 ms, 200 resources, one connection", one.p99_ms, MOST_P99_MS)
    if 200 in both:
        two = both[200].medians
        gained, spread = two.per_second / one.per_second, two.p99_ms / two.p50_ms
        yield Target("throughput of two workers to one", gained, LEAST_OF_TWO_WORKERS, least=True)
        yield Target("p99 to p50, two workers, eight connections", spread, MOST_SPREAD)


def _growth(ours: Mapping[int, Row]) -> Iterator[Target]:
    """How cost grows with the chart: the factor for each doubling, from 200 resources on."""
    sizes = sorted(size for size in ours if size >= 200)
    for less, more in pairwise(sizes):
        factor = ours[more].medians.cpu_ms / ours[less].medians.cpu_ms
        words = f"CPU for each doubling, {less:,} to {more:,} resources"
        yield Target(words, factor ** (1 / log2(more / less)), MOST_PER_DOUBLING)


def told(found: Sequence[Target]) -> str:
    """The promises as a Markdown table."""
    lines = ["| promise | measured | bound | |", "|---|---:|---:|---|"]
    for target in found:
        sign, kept = "≥" if target.least else "≤", "kept" if target.met else "**not kept**"
        lines.append(f"| {target.words} | {target.value:.2f} | {sign} {target.bound:g} | {kept} |")
    return "\n".join(lines)
