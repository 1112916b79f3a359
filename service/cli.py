"""The command line: serve, judge one stored request, and look after the fixtures."""

from __future__ import annotations

import csv
import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import click
import requests

from cards.advise import Advice
from cards.content import ContentError
from cards.explanation import explain as explained
from cards.explanation import in_words
from cards.library import Library, load_library
from cards.trace import COLUMNS, as_markdown, cells
from cards.trace import trace as traced
from service.envelope import check_envelope, read_json
from service.errors import RequestRefused, outcome
from service.hooks import judge, respond, service_of_hook
from service.server import serve as run_server
from service.settings import Settings, SettingsError, read_settings, switched_on
from service.shift import NoDate, as_of, shift_to

FIXTURES = Path(__file__).resolve().parent.parent / "fhir_fixtures"
POST_SECONDS = 30


class Day(click.ParamType[date]):
    """A calendar day, YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day a text names."""
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail("must be a date such as 2026-03-01", param, ctx)


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def main() -> None:
    """Backpath: clinical decision support for back pain over CDS Hooks."""


@main.command()
def serve() -> None:
    """Serve the CDS Hooks endpoint; all settings are environment variables BACKPATH_*."""
    settings = settings_or_exit()
    click.echo(f"Backpath: http://{settings.host}:{settings.port}/cds-services", err=True)
    try:
        run_server(settings)
    except ContentError as problem:
        raise click.ClickException(str(problem)) from None


@main.command()
@click.argument("request_file", metavar="REQUEST.json", type=FILE)
@click.option("--as-of", type=Day(), help="Judge as of this day instead of the request's own.")
@click.option("--explain", is_flag=True, help="Say why each recommendation was shown or not.")
def evaluate(request_file: Path, as_of: date | None, explain: bool) -> None:
    """Answer one stored request and print the response.

    The request is judged as of the day its fixture extension names, else as of today.
    """
    library = library_or_exit()
    try:
        advice = advise_on(request_file.read_bytes(), as_of, library)
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
    settings = settings_or_exit()
    try:
        return load_library(switched_on=switched_on(settings), mme_factors=settings.mme_factors)
    except ContentError as problem:
        raise click.ClickException(str(problem)) from None


def advise_on(body: bytes, day: date | None, library: Library) -> Advice:
    """The advice on a stored request, by the same steps as over HTTP.

    Args:
        day: the day to judge it on; None takes the request's own, else today.

    Raises:
        RequestRefused: as over HTTP.
    """
    request = read_json(body)
    service = service_of_hook(request.get("hook"))
    check_envelope(request, service.hook)
    today = day or as_of(request) or date.today()
    return judge(request, service, library, today).advice


@main.command()
@click.argument("request_file", metavar="REQUEST.json", type=FILE)
@click.option("--to", required=True, type=Day(), help="The day the request is to be current on.")
def shift(request_file: Path, to: date) -> None:
    """Move every date of a stored request by the same number of days and print it.

    The request's own day, named by its fixture extension, becomes the day given. Without the
    extension the newest date found in the request is taken for its own day.
    """
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
    library = library_or_exit()
    rows = traced(library)
    if form == "csv":
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(cells(row) for row in rows)
    else:
        click.echo(as_markdown(rows, library), nl=False)


@main.group()
def fixtures() -> None:
    """The synthetic patients that come with Backpath."""


@fixtures.command("list")
def list_fixtures() -> None:
    """Print the name of every fixture."""
    for folder in sorted(fixtures_folder().iterdir()):
        if (folder / "request.json").is_file():
            click.echo(folder.name)


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
    for folder in (Path("fhir_fixtures"), FIXTURES):
        if folder.is_dir():
            return folder
    raise click.ClickException("fhir_fixtures was not found; run this in the source tree")


def fixture_file(name: str) -> Path:
    """The request of the fixture of this name."""
    known = {folder.name: folder / "request.json" for folder in fixtures_folder().iterdir()}
    if name not in known or not known[name].is_file():
        raise click.ClickException("no such fixture; 'backpath fixtures list' names them")
    return known[name]


def read_request(path: Path) -> dict[str, Any]:
    """The JSON object in a file, read as strictly as over HTTP."""
    try:
        return read_json(path.read_bytes())
    except RequestRefused as refusal:
        refuse(refusal)


def service_id_of(request: dict[str, Any]) -> str:
    """The id of the service that answers a request's hook."""
    try:
        return service_of_hook(request.get("hook")).id
    except RequestRefused as refusal:
        refuse(refusal)


def refuse(refusal: RequestRefused) -> NoReturn:
    """End the command with what is wrong with the request."""
    raise click.ClickException("; ".join(problem.text for problem in refusal.problems)) from None


def shifted(request: dict[str, Any], to: date) -> dict[str, Any]:
    """The request moved to a day."""
    try:
        return shift_to(request, to)
    except NoDate:
        raise click.ClickException("the request bears no date to shift from") from None
    except OverflowError:
        raise click.ClickException("a date would leave the calendar") from None


def settings_or_exit() -> Settings:
    """The settings of the environment."""
    try:
        return read_settings(os.environ)
    except SettingsError as problem:
        raise click.ClickException(str(problem)) from None


def print_json(value: Any) -> None:
    """Print a JSON value for people: indented, other alphabets readable."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
