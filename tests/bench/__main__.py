"""Runs the benchmark: ``python -m tests.bench``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click

from tests.bench import report, stages, targets
from tests.bench.calls import PATIENTS, SEED, SIZES, make_calls, write_calls
from tests.bench.contenders import CONTENDERS
from tests.bench.machine import machine
from tests.bench.plot import plot
from tests.bench.rounds import all_rounds
from tests.bench.starts import memory_over, seconds_to_evaluate, seconds_to_ready

PACKAGES = ("flask", "gunicorn", "granian", "msgspec", "orjson", "healthchain", "fhir.resources")
PROFILE_PASSES = 7


@click.command()
@click.option("--sizes", default=",".join(map(str, SIZES)), show_default=True, help="Resources.")
@click.option("--rounds", default=5, show_default=True, help="Rounds of each setup and size.")
@click.option("--seconds", default=2.0, show_default=True, help="Of each server in each round.")
@click.option(
    "--patients", type=click.Choice(list(PATIENTS)), default="back-pain", show_default=True
)
@click.option("--only", multiple=True, type=click.Choice([c.name for c in CONTENDERS]))
@click.option("--memory", default=0, help="Also answer so many requests of the largest size.")
@click.option("--out", default="bench-results", type=click.Path(path_type=Path), show_default=True)
def main(
    sizes: str,
    rounds: int,
    seconds: float,
    patients: str,
    only: Sequence[str],
    memory: int,
    out: Path,
) -> None:
    """Measure the service against the limit, HealthChain and full validation."""
    chosen = [contender for contender in CONTENDERS if not only or contender.name in only]
    present = [contender for contender in chosen if contender.installed]
    missing = [contender.name for contender in chosen if not contender.installed]
    day = date.today()  # noqa: DTZ011 a running service judges as of today
    cores = PATIENTS[patients]
    calls = {int(size): make_calls(int(size), day, cores) for size in sizes.split(",")}
    files = {size: write_calls(made, out / "calls" / str(size)) for size, made in calls.items()}

    found = list(all_rounds(present, files, rounds, seconds, _tell))
    rows = report.rows(found)
    _tell("starting, and stages")
    starts = {"ready": seconds_to_ready()}
    if 200 in files:
        starts["evaluate"] = seconds_to_evaluate(files[200][0])
    profiled = {size: stages.profile(made, day, PROFILE_PASSES) for size, made in calls.items()}
    grown = memory_over(memory, files[max(files)], _tell) if memory else []

    kept = targets.targets(rows, starts)
    results = {
        "machine": machine(PACKAGES),
        "patients": patients,
        "seed": SEED,
        "seconds": seconds,
        "bytes": {
            size: sum(len(c.body) for c in made) // len(made) for size, made in calls.items()
        },
        "rows": report.as_json(rows),
        "rounds": [asdict(one) for one in found],
        "stages": profiled,
        "starts": starts,
        "memory": grown,
        "targets": [{**asdict(target), "met": target.met} for target in kept],
        "missing": missing,
    }
    (out / "bench.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    page = "\n\n".join(
        (
            report.tables(rows, missing),
            "### stages, CPU ms",
            stages.table(profiled),
            "### promises",
            targets.told(kept),
            *_memory(grown),
        )
    )
    (out / "bench.md").write_text(page + "\n", encoding="utf-8")
    plot(rows, out / "bench.png")
    click.echo(f"{page}\n\nWritten: {out}/bench.json, bench.md, bench.png")


def _memory(grown: Sequence[tuple[int, float]]) -> list[str]:
    """The memory of one worker after so many requests; nothing when it was not asked for."""
    if not grown:
        return []
    lines = [f"| {answered:,} | {megabytes:.1f} |" for answered, megabytes in grown]
    return ["### memory", "\n".join(["| requests answered | RSS MB |", "|---:|---:|", *lines])]


def _tell(words: str) -> None:
    click.echo(words, err=True)


if __name__ == "__main__":
    main()
