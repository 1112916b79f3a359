"""Writes a population: ``python -m tests.populations FOLDER --patients N --day 2026-03-01``."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from tests.populations import FORMS, write_population


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--patients", default=1_000, show_default=True, type=click.IntRange(min=0))
@click.option("--day", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Newest day.")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--format", "form", default="ndjson", show_default=True, type=click.Choice(list(FORMS))
)
@click.option("--parts", default=1, show_default=True, type=click.IntRange(min=1))
@click.option("--bad", default=0, show_default=True, help="Bad lines of each kind.")
def main(
    folder: Path, patients: int, day: datetime, seed: int, form: str, parts: int, bad: int
) -> None:
    """Write a synthetic population as a Bulk Data export, and print what was written as JSON."""
    written = write_population(
        folder,
        patients=patients,
        day=day.date(),
        seed=seed,
        form=form,
        parts=parts,
        bad=bad,
    )
    click.echo(json.dumps({**asdict(written), "lines": written.lines}, indent=1))


if __name__ == "__main__":
    main()
