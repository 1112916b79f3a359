"""Both engines asked the same, and what they found compared."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from service.population.engine import run_population
from service.population.run import Wanted
from service.population.tables import TABLES, read_table

DAY = date(2026, 3, 1)


def judged(folder: Path | str, export: Path | str, engine: str, **asked: Any) -> list[str]:
    """Judge an export into a folder; what was told meanwhile."""
    told: list[str] = []
    day = None if asked.get("replay") else DAY
    wanted = Wanted(str(export), day, engine=engine, **asked)
    run_population(str(folder), wanted, 2, None, told.append)
    return told


def rows(folder: Path, table: str) -> list[tuple[Any, ...]]:
    """The rows of a table, sorted; tallies are summed."""
    told = [tuple(row.values()) for row in read_table(table, folder / table).to_pylist()]
    if table == "tallies":
        summed: Counter[tuple[str, ...]] = Counter()
        for *names, number in told:
            summed[tuple(names)] += number
        told = [(*names, number) for names, number in summed.items()]
    return sorted(told, key=lambda row: [(value is not None, value) for value in row])


def same(one: Path, other: Path) -> None:
    """See that both runs found the same, row for row."""
    for table in TABLES:
        assert rows(one, table) == rows(other, table)
    reports = [json.loads((run / "report.json").read_text("utf-8")) for run in (one, other)]
    for report in reports:
        for run_s_own in ("engine", "input"):
            report["run"].pop(run_s_own, None)
    assert reports[0] == reports[1]
    assert "</html>" in (other / "report.html").read_text("utf-8")
