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
from service.pages.synthetic_patients import FIXTURES
from service.shift import FIXTURE_EXTENSION, as_of, newest_date, shift_to
from tests.conftest import IMPORTERS_ONLY, bundle, call, patient
from tests.drug_calls import call as drug_call
from tests.drug_calls import medicine, taken


def _run(*arguments: str) -> Result:
    return CliRunner(env=IMPORTERS_ONLY).invoke(main, arguments)


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


def test_evaluate_keeps_to_the_settings_of_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stored request is judged by the table of opioid factors the site has chosen, as served.

    Tramadol 300 mg is 60 MME by the factors of 2022, and has none in those of 2016.
    """
    path = tmp_path / "request.json"
    order = medicine(("10689", "tramadol"), "d1", **taken(300))
    path.write_text(json.dumps(drug_call(order)))
    told = []
    for factors in ("cdc-2022", "cdc-2016"):
        monkeypatch.setenv("BACKPATH_MME_FACTORS", factors)
        result = _run("evaluate", str(path), "--as-of", "2026-06-15")
        told.append("opioid-mme-50" in result.stdout)

    assert told == [True, False]


def test_evaluate_shows_what_the_site_has_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The card on injection technique comes only where the site wants it, as served."""
    path = str(FIXTURES / "injection-all-in-order" / "request.json")
    told = []
    for switch in ("no", "yes"):
        monkeypatch.setenv("BACKPATH_TPI_TECHNIQUE", switch)
        told.append("trigger-point-injection-technique" in _run("evaluate", path).stdout)

    assert told == [False, True]


def test_evaluate_names_a_setting_it_cannot_use(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped table is named; the request is not judged by another one instead."""
    monkeypatch.setenv("BACKPATH_MME_FACTORS", "cdc-2019")
    result = _run("evaluate", str(stored))

    assert result.exit_code == 1
    assert "BACKPATH_MME_FACTORS" in result.stderr


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
