"""The command line: serve, judge one stored request, and look after the fixtures."""

from __future__ import annotations

import csv
import json
import os
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cards.content import ContentError
from service.day import Day
from service.garbage import end_with_all
from service.population.command import population
from service.profile import PROFILES
from service.settings import Settings, SettingsError, read_settings, switched_on

if TYPE_CHECKING:
    from cards.library import Library

POST_SECONDS = 30
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def main() -> None:
    """Backpath: clinical decision support for back pain over CDS Hooks."""


@main.command()
def serve() -> None:
    """Serve the CDS Hooks endpoint; all settings are environment variables BACKPATH_*."""
    from service.listening import AddressNotTaken  # noqa: PLC0415
    from service.server import serve as run_server  # noqa: PLC0415

    settings = settings_or_exit()
    try:
        run_server(settings)
    except (ContentError, SettingsError, AddressNotTaken) as problem:
        raise click.ClickException(str(problem)) from None


@main.command()
@click.argument("request_file", metavar="REQUEST.json", type=FILE)
@click.option("--as-of", type=Day(), help="Judge as of this day instead of the request's own.")
@click.option("--explain", is_flag=True, help="Say why each recommendation was shown or not.")
def evaluate(request_file: Path, as_of: date | None, explain: bool) -> None:
    """Answer one stored request and print the response.

    The request is judged as of the day its fixture extension names, else as of today.
    """
    end_with_all()
    from cards.explanation import explain as explained  # noqa: PLC0415
    from cards.explanation import in_words  # noqa: PLC0415
    from service.errors import RequestRefused, outcome  # noqa: PLC0415
    from service.hooks import respond  # noqa: PLC0415
    from service.stored_request import advise_on  # noqa: PLC0415

    library = library_or_exit()
    try:
        advice = advise_on(request_file.read_bytes(), library, date.today(), as_of)
    except RequestRefused as refusal:
        print_json(outcome(refusal.problems))
        sys.exit(1)
    if explain:
        click.echo(in_words(explained(advice, library)))
        for failed in advice.errors:
            click.echo(f"{failed}: FAILED inside, see the log")
    else:
        print_json(respond(advice))


def library_or_exit() -> Library:
    """All content as ``serve`` would judge by it, under the settings of the environment.

    What is wrong in it ends the command with its file and line.
    """
    from cards.library import load_library  # noqa: PLC0415

    settings = settings_or_exit()
    try:
        return load_library(switched_on=switched_on(settings), mme_factors=settings.mme_factors)
    except ContentError as problem:
        raise click.ClickException(str(problem)) from None


@main.command()
@click.argument("request_file", metavar="REQUEST.json", type=FILE)
@click.option("--to", required=True, type=Day(), help="The day the request is to be current on.")
def shift(request_file: Path, to: date) -> None:
    """Move every date of a stored request by the same number of days and print it.

    The request's own day, named by its fixture extension, becomes the day given. Without the
    extension the newest date found in the request is taken for its own day.
    """
    from service.stored_request import read_request, shifted  # noqa: PLC0415

    print_json(shifted(read_request(request_file), to))


@main.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["markdown", "csv"]),
    default="markdown",
    show_default=True,
    help="A page to read, or a table to filter.",
)
def trace(form: str) -> None:
    """Print where each statement of the source digests went: recommendation, facts, examples."""
    from cards.trace import COLUMNS, as_markdown, cells  # noqa: PLC0415
    from cards.trace import trace as traced  # noqa: PLC0415

    library = library_or_exit()
    rows = traced(library)
    if form == "csv":
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(cells(row) for row in rows)
    else:
        click.echo(as_markdown(rows, library), nl=False)


@main.command()
@click.option("--json", "for_programs", is_flag=True, help="Print JSON instead of lines.")
def doctor(for_programs: bool) -> None:
    """Check the deployment these settings describe, one line for each thing; change nothing.

    Ends with 1 when anything has failed.
    """
    from service.doctor import examine  # noqa: PLC0415

    findings = examine(os.environ)
    if for_programs:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{finding.state:<12} {finding.name}: {finding.text}")
    sys.exit(any(finding.state == "failed" for finding in findings))


@main.group()
def feedback() -> None:
    """What clinicians did with the cards."""


@feedback.command("report")
@click.option("--since", type=Day(), help="First day counted; without it, from the beginning.")
@click.option("--until", type=Day(), help="Last day counted; without it, to the end.")
@click.option("--json", "for_programs", is_flag=True, help="Print JSON instead of tables.")
def report_feedback(since: date | None, until: date | None, for_programs: bool) -> None:
    """Print how often cards were shown, accepted and overridden, and why."""
    from service.report import as_json, build_report  # noqa: PLC0415
    from service.report_text import as_text  # noqa: PLC0415
    from service.store import open_store  # noqa: PLC0415
    from service.store_errors import StoreUnavailable  # noqa: PLC0415

    if since and until and since > until:
        raise click.BadParameter("must not be before --since", param_hint="--until")
    store = open_store(settings_or_exit().database_url)
    if not store.database.exists():
        raise click.ClickException("there is no store yet; BACKPATH_DATABASE_URL says where it is")
    try:
        report = build_report(store.shown(since, until), store.outcomes(since, until), since, until)
    except StoreUnavailable as problem:
        raise click.ClickException(f"the store cannot be read ({problem})") from None
    finally:
        store.close()
    if for_programs:
        print_json(as_json(report))
    else:
        click.echo(as_text(report), nl=False)


@main.command("lint-cards")
@click.argument("files", metavar="[FILE.json]...", nargs=-1, type=FILE)
@click.option(
    "--profile",
    "names",
    type=click.Choice(tuple(PROFILES)),
    multiple=True,
    help="A profile of clients to prove the cards for; without it, each of them.",
)
def lint_cards(files: tuple[Path, ...], names: tuple[str, ...]) -> None:
    """Prove that cards are legal for clients: those a stored request gets, or a stored response.

    Without files every fixture is proven. Each fault is told with its file, its card and the rule.
    """
    from service.lint import lint  # noqa: PLC0415
    from service.stored_request import cards_for, read_request  # noqa: PLC0415

    paths = files or tuple(folder / "request.json" for folder in fixture_folders())
    profiles = tuple(PROFILES[name] for name in names or PROFILES)
    library = library_or_exit()
    linted = faulty = 0
    for path in paths:
        for profile, cards in cards_for(read_request(path), profiles, library, date.today()):
            linted += len(cards)
            for fault in lint(cards, profile):
                faulty += 1
                place = f"{path}: card {fault.card} for {profile.name}: {fault.where}"
                click.echo(f"{place} {fault.text} [{fault.rule}]")
    click.echo(f"{len(paths)} files, {linted} cards, {faulty} faults", err=True)
    sys.exit(bool(faulty))


@main.group()
def fixtures() -> None:
    """The synthetic patients that come with Backpath."""


@fixtures.command("list")
def list_fixtures() -> None:
    """Print the name of every fixture."""
    for folder in fixture_folders():
        click.echo(folder.name)


def fixture_folders() -> list[Path]:
    """The folder of every fixture, by name."""
    folders = sorted(fixtures_folder().iterdir())
    return [folder for folder in folders if (folder / "request.json").is_file()]


@fixtures.command("show")
@click.argument("name")
def show_fixture(name: str) -> None:
    """Print the request of one fixture."""
    click.echo(fixture_file(name).read_text("utf-8"), nl=False)


@fixtures.command("post")
@click.argument("name")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where to post.")
def post_fixture(name: str, url: str) -> None:
    """Post one fixture to a running service, with its dates moved to today."""
    import requests  # noqa: PLC0415

    from service.shift import as_of  # noqa: PLC0415
    from service.stored_request import read_request, service_id_of, shifted  # noqa: PLC0415

    request = read_request(fixture_file(name))
    service = service_id_of(request)
    address = f"{url.rstrip('/')}/cds-services/{service}"
    current = shifted(request, date.today()) if as_of(request) else request
    try:
        response = requests.post(address, json=current, timeout=POST_SECONDS)
        body = response.json()
    except (requests.RequestException, ValueError):
        raise click.ClickException(f"{address} does not answer as a CDS service") from None
    print_json(body)
    if not response.ok:
        sys.exit(1)


def fixtures_folder() -> Path:
    """Where the fixtures are: in the working directory, else beside the source."""
    from service.pages.synthetic_patients import folder_of_patients  # noqa: PLC0415

    folder = folder_of_patients()
    if folder is None:
        raise click.ClickException("fhir_fixtures was not found; run this in the source tree")
    return folder


def fixture_file(name: str) -> Path:
    """The request of the fixture of this name."""
    known = {folder.name: folder / "request.json" for folder in fixtures_folder().iterdir()}
    if name not in known or not known[name].is_file():
        raise click.ClickException("no such fixture; 'backpath fixtures list' names them")
    return known[name]


def settings_or_exit() -> Settings:
    """The settings of the environment."""
    try:
        return read_settings(os.environ)
    except SettingsError as problem:
        raise click.ClickException(str(problem)) from None


def print_json(value: Any) -> None:
    """Print a JSON value for people: indented, other alphabets readable."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


main.add_command(population)


if __name__ == "__main__":
    main()
