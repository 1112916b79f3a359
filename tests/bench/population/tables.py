"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tests.bench.population.exports import Population
from tests.bench.population.figures import Growth, Row
from tests.bench.population.floor import Spent
from tests.bench.population.promises import told_setup

HEADS = (
    "patients", "engine", "workers", "wall s", "CPU s", "patients/s", "lines/s",
    "peak MB, worker", "peak MB, JVM", "MB, all at once", "wall ÷ floor", "CPU ÷ floor", "speed-up",
)  # fmt: skip
GROWTH_HEADS = (
    "from", "to", "engine × workers", "time by patient", "CPU by patient", "memory of a worker",
    "further wall ÷ floor", "further CPU ÷ floor",
)  # fmt: skip


def tables(
    rows: Sequence[Row],
    growth: Sequence[Growth],
    read: Mapping[Population, Mapping[str, Spent]],
    missing: Mapping[str, str],
) -> str:
    """All figures.

    Args:
        read: the floor of each population by parser.
        missing: engines not measured, and why.
    """
    parts = [
        _table(HEADS, map(_cells, rows), words=(1,)),
        "### the floor",
        _floors(read),
        *(["### growth", _table(GROWTH_HEADS, map(_grown, growth), words=(2,))] if growth else []),
        *(f"{engine}: {why}, not measured" for engine, why in missing.items()),
    ]
    return "\n\n".join(parts)


def _cells(row: Row) -> list[str]:
    jvm = row.peak_mb.get("jvm")
    return [
        f"{row.population.patients:,}",
        row.setup.engine,
        str(row.setup.workers),
        f"{row.wall:,.2f}",
        f"{row.cpu:,.2f}",
        f"{row.patients_per_second:,.0f}",
        f"{row.lines_per_second:,.0f}",
        f"{row.peak_mb.get('worker', 0):,.0f}",
        f"{jvm:,.0f}" if jvm else "",
        f"{row.pss_mb:,.0f}",
        f"{row.wall_ratio:.2f}",
        f"{row.cpu_ratio:.2f}",
        f"{row.speed_up:.2f}" if row.speed_up else "",
    ]


def _grown(grown: Growth) -> list[str]:
    figures = (grown.wall, grown.cpu, grown.worker_mb, grown.further, grown.further_cpu)
    return [
        f"{grown.less:,}",
        f"{grown.more:,}",
        told_setup(grown.setup),
        *(f"{figure:.2f}" for figure in figures),
    ]


def _floors(read: Mapping[Population, Mapping[str, Spent]]) -> str:
    heads = ("patients", "lines", "MB", "parser", "wall s", "CPU s", "lines/s")
    cells = (
        [
            f"{population.patients:,}",
            f"{population.lines:,}",
            f"{population.bytes / 1e6:,.0f}",
            parser,
            f"{spent.wall:,.2f}",
            f"{spent.cpu:,.2f}",
            f"{population.lines / spent.wall:,.0f}",
        ]
        for population, by_parser in read.items()
        for parser, spent in by_parser.items()
    )
    return _table(heads, cells, words=(3,))


def _table(heads: Sequence[str], cells: Iterable[Sequence[str]], words: Sequence[int]) -> str:
    """A table whose columns stand right, but for those of words."""
    marks = ["---" if place in words else "---:" for place in range(len(heads))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, marks, *cells))
