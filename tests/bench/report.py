"""What the rounds come to: medians, ratios to the limit, and the tables that say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import median

from tests.bench.contenders import CONTENDERS, LIMIT
from tests.bench.measures import Measure, Round, Setup

HEADS = {
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "per_second": "requests/s",
    "cpu_ms": "CPU ms/request",
    "rss_mb": "RSS MB",
}
FIGURES = tuple(field.name for field in fields(Measure))


@dataclass(frozen=True, slots=True)
class Row:
    """One contender in one setup at one size.

    Attributes:
        medians: of all its rounds.
        ratios: median of its ratios to the limit, each within one round; None without the limit.
    """

    setup: Setup
    size: int
    contender: str
    rounds: int
    medians: Measure
    ratios: Measure | None


def rows(rounds: Iterable[Round]) -> list[Row]:
    """A row for each setup, size and contender, in the order they were measured."""
    groups: dict[tuple[Setup, int, str], dict[int, Measure]] = defaultdict(dict)
    for one in rounds:
        groups[one.setup, one.size, one.contender][one.number] = one.measure
    return [
        Row(
            setup,
            size,
            name,
            len(measures),
            _medians(list(measures.values())),
            _ratios(measures, groups.get((setup, size, LIMIT.name))),
        )
        for (setup, size, name), measures in groups.items()
    ]


def _medians(measures: Sequence[Measure]) -> Measure:
    return Measure(*(median(getattr(one, name) for one in measures) for name in FIGURES))


def _ratios(measures: dict[int, Measure], limit: dict[int, Measure] | None) -> Measure | None:
    if not limit:
        return None
    return _medians(
        [
            Measure(*(getattr(one, name) / getattr(limit[number], name) for name in FIGURES))
            for number, one in measures.items()
        ]
    )


def tables(found: Sequence[Row], missing: Sequence[str]) -> str:
    """All rows as Markdown, a table for each setup; ratios to the limit in brackets.

    Args:
        missing: names of contenders that are not installed.
    """
    setups = dict.fromkeys(row.setup for row in found)
    parts = [_table(setup, [row for row in found if row.setup == setup]) for setup in setups]
    return "\n\n".join([*parts, *(f"{name}: not installed, not measured" for name in missing)])


def _table(setup: Setup, found: Sequence[Row]) -> str:
    head = ["resources", "server", *HEADS.values()]
    lines = [f"### {setup.words}", "", _line(head), _line(["---:", "---", *["---:"] * len(HEADS)])]
    order = [contender.name for contender in CONTENDERS]
    found = sorted(found, key=lambda row: (row.size, order.index(row.contender)))
    cells = (_line([f"{row.size:,}", row.contender, *_cells(row)]) for row in found)
    return "\n".join([*lines, *cells])


def _cells(row: Row) -> Iterator[str]:
    for name in FIGURES:
        value = f"{getattr(row.medians, name):,.2f}"
        yield f"{value} ({getattr(row.ratios, name):.2f} ×)" if row.ratios else value


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def as_json(found: Iterable[Row]) -> list[dict[str, object]]:
    """The rows for other programs."""
    return [asdict(row) for row in found]
