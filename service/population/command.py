"""The command that judges a population."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import click

from service.day import Day
from service.interruption import code_of, ending_at_once, hear_no_more, interruptible
from service.population.problems import PopulationProblem
from service.settings import SettingsError, read_settings, switched_on

TOKEN = "BULK_DATA_TOKEN"  # noqa: S105 the name of a variable
INTERRUPTED = {
    "local": "interrupted; run the same again to go on",
    "spark": "interrupted; run the same again, which begins anew",
}
SHORTEST_SALT = 16


@click.command()
@click.argument("run_dir", type=click.Path(file_okay=True))
@click.option(
    "--input",
    "source",
    required=True,
    metavar="DIR_OR_URL",
    help="The export: a folder with NDJSON (plain, gzip) or Parquet files, or the address of a "
    "Bulk Data manifest. With --engine spark any address that Hadoop can read.",
)
@click.option("--as-of", type=Day(), help="The day every chart is opened on; without it, today.")
@click.option(
    "--replay",
    type=click.Choice(["visits"]),
    help="Open every chart at each visit with what was known then, and choose every order again.",
)
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=lambda: len(os.sched_getaffinity(0)),
    show_default="all processors",
    help="How many processes judge; with --engine spark, where spark-submit names no cluster.",
)
@click.option("--pseudonymise", is_flag=True, help="Write keyed digests in place of patients' ids.")
@click.option(
    "--salt-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The key of the digests, the same for runs that are to be linked; without it, one made "
    "by chance and thrown away at the end.",
)
def population(
    run_dir: str,
    source: str,
    as_of: date | None,
    replay: str | None,
    engine: str,
    workers: int,
    pseudonymise: bool,
    salt_file: Path | None,
) -> None:
    """Judge every patient of a FHIR Bulk Data export, and report what would be shown.

    Tables (Parquet) and a report (HTML, JSON) are written to RUN_DIR. A run that was broken off
    goes on when the same command is given again; with --engine spark it begins anew, and RUN_DIR
    may be any address that Hadoop can write to.
    """
    if as_of and replay:
        raise click.UsageError("--as-of and --replay exclude each other")
    if salt_file and not pseudonymise:
        raise click.UsageError("--salt-file needs --pseudonymise")
    interrupted = INTERRUPTED[engine]
    with ending_at_once(interrupted):
        # A database and what reads columns take longer to import than other commands take.
        from service.population.engine import run_population  # noqa: PLC0415
        from service.population.run import Wanted  # noqa: PLC0415
    try:
        settings = read_settings(os.environ)
        wanted = Wanted(
            input=source,
            as_of=as_of,
            replay=replay is not None,
            engine=engine,
            switched_on=switched_on(settings),
            mme_factors=settings.mme_factors,
            pseudonymised=pseudonymise,
            salt=_salt(salt_file),
        )
        with interruptible(interrupted):
            page = run_population(run_dir, wanted, workers, os.environ.get(TOKEN), _tell)
    except (SettingsError, PopulationProblem) as problem:
        raise click.ClickException(str(problem)) from None
    except KeyboardInterrupt as asked:
        hear_no_more()
        _tell(f"\n{interrupted}")  # below a bar
        sys.stderr.flush()
        if engine == "spark":
            os._exit(code_of(asked))  # what still runs in other processes ends with this one
        sys.exit(code_of(asked))
    hear_no_more()  # all is done
    click.echo(page)


def _salt(file: Path | None) -> bytes | None:
    if file is None:
        return None
    salt = file.read_bytes().strip()
    if len(salt) < SHORTEST_SALT:
        raise click.BadParameter(
            f"must hold {SHORTEST_SALT} characters or more", param_hint="--salt-file"
        )
    return salt


def _tell(text: str) -> None:
    click.echo(text, err=True)
