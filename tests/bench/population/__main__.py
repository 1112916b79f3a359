"""Runs the benchmark of populations: ``python -m tests.bench.population``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

import click

from tests.bench.machine import machine, version_of
from tests.bench.population.engines import ENGINES, missing
from tests.bench.population.exports import DAY, SEED, Population, population_of
from tests.bench.population.figures import growth_of, rows_of
from tests.bench.population.floor import PARSERS, Spent, floor
from tests.bench.population.promises import promises
from tests.bench.population.rounds import Round, Setup, cores_for, rounds_of
from tests.bench.population.tables import tables
from tests.bench.targets import told

PACKAGES = ("duckdb", "pyarrow", "msgspec", "orjson", "pyspark")


@click.command()
@click.option("--patients", default="1000,10000,100000", show_default=True, help="Sizes.")
@click.option("--engines", default=",".join(ENGINES), show_default=True)
@click.option("--workers", default="1,2", show_default=True, help="Each on a core of its own.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1))
@click.option(
    "--floor",
    "parser",
    default=PARSERS[0],
    show_default=True,
    type=click.Choice(PARSERS),
    help="Which parser reads the floor.",
)
@click.option(
    "--folder",
    default="build/bench-population",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Takes the exports, which are kept (100,000 patients: 17 GB), and the figures.",
)
def main(patients: str, engines: str, workers: str, rounds: int, parser: str, folder: Path) -> None:
    """Measure judging populations, as a multiple of reading the same exports as JSON."""
    folder = folder.absolute()
    runs = folder / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    chosen = {engine: missing(engine) for engine in _listed(engines)}
    without = {engine: why for engine, why in chosen.items() if why}
    setups = [
        Setup(engine, int(count))
        for engine in chosen
        if engine not in without
        for count in _listed(workers)
    ]
    found: list[Round] = []
    read: dict[Population, dict[str, Spent]] = {}
    for size in _listed(patients):
        _tell(f"{int(size):,} patients: writing the export, unless it is there")
        population = population_of(int(size), folder / "exports")
        these = list(rounds_of(population, setups, rounds, parser, runs, _tell))
        found += these
        read[population] = _read(population, these, parser)

    rows = rows_of(found)
    growth = growth_of(rows)
    kept = promises(rows, growth)
    page = f"{tables(rows, growth, read, without)}\n\n### promises\n\n{told(kept)}"
    results = {
        "machine": machine(PACKAGES),
        "seed": SEED,
        "day": DAY.isoformat(),
        "floor": parser,
        "read": [
            {**_described(population), "parser": parser, **spent._asdict()}
            for population, by_parser in read.items()
            for parser, spent in by_parser.items()
        ],
        "rows": [{**asdict(row), "population": _described(row.population)} for row in rows],
        "growth": [asdict(grown) for grown in growth],
        "rounds": [{**asdict(one), "population": _described(one.population)} for one in found],
        "targets": [{**asdict(target), "met": target.met} for target in kept],
        "missing": without,
    }
    (folder / "population.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    (folder / "population.md").write_text(page + "\n", "utf-8")
    click.echo(f"{page}\n\nWritten: {folder}/population.json, population.md")


def _read(population: Population, rounds: Sequence[Round], parser: str) -> dict[str, Spent]:
    """Reading a population by each parser that is here: the floor's often, the other's once."""
    others = [name for name in PARSERS if name != parser and (name == "json" or version_of(name))]
    told = {name: floor(population, name, cores_for(1)) for name in others}
    floors = [one.floor for one in rounds]
    if not floors:
        return told
    both = Spent(median(f.wall for f in floors), median(f.cpu for f in floors))
    return {parser: both, **told}


def _described(population: Population) -> dict[str, int]:
    return {
        "patients": population.patients,
        "lines": population.lines,
        "bytes": population.bytes,
    }


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _tell(words: str) -> None:
    click.echo(words, err=True)


if __name__ == "__main__":
    main()
