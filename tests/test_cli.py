"""The command line judges, moves and posts stored requests."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.shift import FIXTURE_EXTENSION, as_of, newest_date, shift_to
from tests.conftest import bundle, call, patient


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A request in a file, meant for 2 March 2026."""
    request = call(extension={FIXTURE_EXTENSION: {"asOf": "2026-03-02"}})
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request))
    return path


def test_evaluate_prints_the_response(stored: Path) -> None:
    """A stored request is answered as over HTTP."""
    result = _run("evaluate", str(stored))

    assert result.exit_code == 0
    assert list(json.loads(result.stdout)) == ["cards"]


def test_evaluate_explains_every_recommendation(stored: Path) -> None:
    """For each recommendation one can see whether it was shown, and what decided."""
    result = _run("evaluate", str(stored), "--explain", "--as-of", "2026-03-03")

    assert result.exit_code == 0
    assert re.search(r"^nonpharm-first-line-not-started: withheld$", result.stdout, re.MULTILINE)


def test_evaluate_says_what_is_wrong(tmp_path: Path) -> None:
    """A request that would be refused over HTTP ends with the same OperationOutcome."""
    path = tmp_path / "request.json"
    request = call()
    del request["prefetch"]["patient"]
    path.write_text(json.dumps(request))
    result = _run("evaluate", str(path))

    assert result.exit_code == 1
    assert json.loads(result.stdout)["resourceType"] == "OperationOutcome"


def test_evaluate_refuses_a_date_that_is_none(stored: Path) -> None:
    """A mistyped day is named, not guessed."""
    assert _run("evaluate", str(stored), "--as-of", "soon").exit_code == 2


def test_shift_prints_a_request_for_another_day(stored: Path) -> None:
    """A request written for one day can be made current."""
    result = _run("shift", str(stored), "--to", "2026-04-01")
    moved = json.loads(result.stdout)

    assert as_of(moved) == date(2026, 4, 1)
    assert moved["prefetch"]["patient"]["birthDate"] == "1980-06-04"


DATED: dict[str, Any] = {
    "extension": {FIXTURE_EXTENSION: {"asOf": "2026-03-01"}},
    "hookInstance": "2026-01-01",
    "context": {"patientId": "2026-01-01"},
    "prefetch": {
        "patient": patient(birthDate="1980"),
        "conditions": bundle(
            {
                "resourceType": "Condition",
                "id": "2026-02-01",
                "onsetDateTime": "2026-02-01",
                "recordedDate": "2026-02-28T23:30:00.5+11:00",
                "abatementPeriod": {"start": "2026-02", "end": "2026-02-30"},
                "note": [{"text": "2026-02-01"}],
                "code": {"coding": [{"code": "2026", "display": "2026-02-01"}]},
            }
        ),
    },
}


def test_shift_moves_dates_and_nothing_else() -> None:
    """Ids, codes and texts that look like dates stay; times of day and zones stay too."""
    moved = shift_to(DATED, date(2026, 3, 31))
    problem = moved["prefetch"]["conditions"]["entry"][0]["resource"]

    assert problem == {
        "resourceType": "Condition",
        "id": "2026-02-01",
        "onsetDateTime": "2026-03-03",
        "recordedDate": "2026-03-30T23:30:00.5+11:00",
        "abatementPeriod": {"start": "2026-03", "end": "2026-02-30"},
        "note": [{"text": "2026-02-01"}],
        "code": {"coding": [{"code": "2026", "display": "2026-02-01"}]},
    }
    assert moved["context"] == {"patientId": "2026-01-01"}
    assert moved["hookInstance"] == "2026-01-01"
    assert moved["prefetch"]["patient"]["birthDate"] == "1980"


def test_shift_there_and_back_changes_nothing() -> None:
    """Moving full dates forth and back gives the request back."""
    assert shift_to(shift_to(DATED, date(2026, 3, 9)), date(2026, 3, 1)) == DATED


def test_without_a_day_of_its_own_the_newest_date_counts() -> None:
    """A request from elsewhere is moved by its newest entry."""
    request = {name: value for name, value in DATED.items() if name != "extension"}

    assert as_of(request) is None
    assert newest_date(request) == date(2026, 2, 28)
    assert newest_date(shift_to(request, date(2027, 1, 1))) == date(2027, 1, 1)


def test_shift_of_a_request_without_dates_says_so(tmp_path: Path) -> None:
    """There is nothing to shift from."""
    path = tmp_path / "request.json"
    path.write_text('{"hook": "patient-view"}')
    result = _run("shift", str(path), "--to", "2026-01-01")

    assert result.exit_code == 1
    assert "no date" in result.output


def test_fixtures_are_listed_shown_and_posted(live_server: str) -> None:
    """The synthetic patients can be tried against a running service, moved to today."""
    names = _run("fixtures", "list").stdout.split()
    shown = _run("fixtures", "show", names[0])
    posted = _run("fixtures", "post", "car-crash", "--url", live_server)

    assert len(names) >= 20
    assert json.loads(shown.stdout)["hook"]
    assert posted.exit_code == 0
    assert "cards" in json.loads(posted.stdout)


@pytest.mark.parametrize("name", ["nobody", "../tests", "README.md"])
def test_an_unknown_fixture_is_refused(name: str) -> None:
    """Only the fixtures that exist can be named."""
    assert _run("fixtures", "show", name).exit_code == 1


def test_serve_refuses_a_misspelt_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in the environment stops the start and is named."""
    monkeypatch.setenv("BACKPATH_PROT", "9000")
    result = _run("serve")

    assert result.exit_code == 1
    assert "BACKPATH_PORT" in result.output
