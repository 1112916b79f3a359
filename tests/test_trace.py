"""Every statement of the source digests has a home, and the matrix says what became of it."""

from __future__ import annotations

import csv
from pathlib import Path

from click.testing import CliRunner

from cards.library import Library
from cards.trace import COLUMNS, as_markdown, cannot_fire, cells, trace
from service.cli import main
from tests.conftest import IMPORTERS_ONLY
from tests.content_yaml import read

PAGE = Path(__file__).parents[1] / "cards" / "TRACE.md"
STATEMENTS = 277
EMPTY_BY_THE_GAPS = {
    "bed-rest-avoid",
    "mbsr",
    "motor-control-exercise",
    "trigger-point-assessment",
}


def test_every_statement_has_a_home(library: Library) -> None:
    """No statement is lost: each stands in a recommendation."""
    rows = trace(library)
    homeless = [
        row.statement for row in rows if not set(row.recommendations) & set(library.recommendations)
    ]

    assert len(rows) == len({row.statement for row in rows}) == STATEMENTS
    assert homeless == []


def test_every_home_knows_its_statements(library: Library) -> None:
    """The recommendation names the statement as the matrix names the recommendation."""
    named = {(row.statement, name) for row in trace(library) for name in row.recommendations}
    files = {path.stem: read(path) for path in (PAGE.parent / "recommendations").glob("*.yaml")}
    told = {(statement, name) for name, file in files.items() for statement in file["statements"]}

    assert told <= named


def test_a_statement_is_computed_or_says_why_not(library: Library) -> None:
    """Encoded has facts and examples behind it; everything else bears a reason."""
    for row in trace(library):
        if row.status == "encoded":
            assert row.facts, row.statement
            assert row.examples >= 2, row.statement
        else:
            assert row.why, row.statement


def test_what_waits_for_codes_is_named(library: Library) -> None:
    """Recommendations that cannot fire are those whose value sets the gaps leave empty."""
    assert set(cannot_fire(library)) == EMPTY_BY_THE_GAPS


def test_the_page_is_the_matrix_of_today(library: Library) -> None:
    """The page in the documentation is what ``backpath trace`` writes."""
    assert PAGE.read_text("utf-8") == as_markdown(trace(library), library)


def test_the_command_prints_page_and_table(library: Library) -> None:
    """``backpath trace`` prints the page; with ``--format csv`` a table that can be filtered."""
    page = CliRunner(env=IMPORTERS_ONLY).invoke(main, ["trace"])
    table = CliRunner(env=IMPORTERS_ONLY).invoke(main, ["trace", "--format", "csv"])
    rows = list(csv.DictReader(table.output.splitlines()))

    assert page.output == as_markdown(trace(library), library)
    assert [tuple(row.values()) for row in rows] == [cells(row) for row in trace(library)]
    assert list(rows[0]) == list(COLUMNS)
