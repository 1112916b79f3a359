"""The report says what became of the cards, and which recommendations nobody follows."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cards.library import Library
from service.app import create_app
from service.cli import main
from service.report import Report, Tally, as_json, build_report, week
from service.report_text import as_text
from service.settings import Settings
from service.store import Feedback, OutcomeCount, ShownCard, ShownCount, open_store
from tests.conftest import A_DAY

MONDAY = date(2026, 1, 12)
SUNDAY = date(2026, 1, 11)
EHR = "https://ehr.example.org"
OWN = "urn:backpath:override-reason"
TOKEN = "a-secret-of-administrators"
SHOWN = (
    ShownCount(SUNDAY, EHR, "yoga", 10),
    ShownCount(MONDAY, None, "yoga", 5),
    ShownCount(MONDAY, EHR, "imaging-not-routine", 40),
)
OUTCOMES = (
    OutcomeCount(SUNDAY, EHR, "yoga", "accepted", None, None, 2),
    OutcomeCount(MONDAY, EHR, "yoga", "overridden", OWN, "patient-declined", 3),
    OutcomeCount(MONDAY, None, "yoga", "overridden", None, None, 1),
    OutcomeCount(MONDAY, EHR, "imaging-not-routine", "overridden", OWN, "red-flag", 19),
    OutcomeCount(MONDAY, EHR, "imaging-not-routine", "accepted", None, None, 1),
    OutcomeCount(MONDAY, None, None, "overridden", "urn:other", "7", 1),
)


def _report() -> Report:
    return build_report(SHOWN, OUTCOMES, None, None)


def _numbers(tally: Tally) -> tuple[int, int, int, int]:
    return tally.shown, tally.accepted, tally.overridden, tally.no_reaction


def test_cards_are_counted_by_recommendation() -> None:
    """Shown, accepted, overridden, no reaction; cards that are not ours stand apart."""
    counted = {name: _numbers(t) for (name,), t in _report().recommendations.items()}

    assert list(counted.items()) == [
        ("imaging-not-routine", (40, 1, 19, 20)),
        ("yoga", (15, 2, 4, 9)),
    ]
    assert _numbers(_report().not_ours) == (0, 0, 1, 0)


def test_feedback_on_cards_that_are_not_ours_hides_nothing() -> None:
    """Made-up cards change no number of ours and no share; they are told by themselves."""
    made_up = OutcomeCount(MONDAY, EHR, None, "accepted", None, None, 40)
    ours = [count for count in OUTCOMES if count.recommendation]
    report, without = (build_report(SHOWN, heard, None, None) for heard in ([*ours, made_up], ours))

    assert _numbers(report.total) == (55, 3, 23, 29)
    assert (report.total, report.clients, report.weeks, report.each) == (
        (without.total, without.clients, without.weeks, without.each)
    )
    assert as_json(report)["notOurs"] == {"accepted": 40, "overridden": 0}
    assert "no card of ours: 40 accepted, 0 overridden" in as_text(report)


def test_cards_are_counted_by_client_and_by_week() -> None:
    """A hospital sees its own; a Sunday and the Monday after it are two weeks."""
    report = _report()

    assert {name: _numbers(t) for (name,), t in report.clients.items()} == {
        EHR: (50, 3, 22, 25),
        None: (5, 0, 1, 4),
    }
    assert {name: _numbers(t) for (name,), t in report.weeks.items()} == {
        "2026-W02": (10, 2, 0, 8),
        "2026-W03": (45, 1, 23, 21),
    }
    assert _numbers(report.each["yoga", EHR, "2026-W03"]) == (0, 0, 3, 0)
    assert _numbers(report.total) == (55, 3, 23, 29)


def test_reasons_are_counted_by_code() -> None:
    """The commonest comes first, and overriding without a reason is told too."""
    assert list(_report().total.reasons.items()) == [
        ((OWN, "red-flag"), 19),
        ((OWN, "patient-declined"), 3),
        ((None, None), 1),
    ]


@pytest.mark.parametrize(
    ("accepted", "overridden", "flagged"),
    [
        (1, 19, True),
        (1, 9, False),  # 90 % is not more than 90 %
        (0, 9, False),  # too few to say
        (0, 10, True),
        (5, 5, False),
        (0, 0, False),
    ],
)
def test_what_nearly_everybody_overrides_is_flagged(
    accepted: int, overridden: int, flagged: bool
) -> None:
    """More than nine in ten, of at least ten outcomes."""
    outcomes = [
        OutcomeCount(MONDAY, None, "yoga", "accepted", None, None, accepted),
        OutcomeCount(MONDAY, None, "yoga", "overridden", None, None, overridden),
    ]

    assert build_report((), outcomes, None, None).flagged == (("yoga",) if flagged else ())


def test_cards_of_nobody_are_never_flagged() -> None:
    """Feedback with made-up cards accuses no recommendation."""
    made_up = OutcomeCount(MONDAY, None, None, "overridden", None, None, 500)

    assert build_report((), [made_up], None, None).flagged == ()


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2027, 1, 1), "2026-W53"),
        (date(2024, 12, 30), "2025-W01"),
        (date(1, 1, 1), "0001-W01"),
    ],
)
def test_weeks_are_those_of_the_calendar_at_work(day: date, name: str) -> None:
    """A week belongs to the year of its Thursday."""
    assert week(day) == name


def test_the_table_can_be_read() -> None:
    """Every number, every reason, and a mark at what is flagged."""
    text = as_text(_report())

    rows = [line.split() for line in text.splitlines()]
    assert ["imaging-not-routine", "40", "1", "19", "20", "95", "!"] in rows
    assert ["imaging-not-routine", "red-flag", "19"] in rows
    assert "7 (urn:other)" not in text  # of a card that is not ours
    assert text.rstrip().endswith("imaging-not-routine")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_the_report_on_nothing_says_so() -> None:
    """A new installation has a report too."""
    empty = build_report((), (), MONDAY, MONDAY)

    assert "from 2026-01-12 to 2026-01-12" in as_text(empty)
    assert "None is overridden" in as_text(empty)
    assert as_json(empty)["total"] == {
        "shown": 0,
        "accepted": 0,
        "overridden": 0,
        "noReaction": 0,
        "overriddenShare": None,
        "reasons": [],
    }


@pytest.fixture
def filled(settings: Settings) -> Settings:
    """A store with twenty cards shown and twelve overridden, over two days."""
    store = open_store(settings.database_url)
    store.add_shown({ShownCard(SUNDAY, EHR, "back-pain-order-sign", "yoga", "info"): 20})
    at = datetime(2026, 1, 11, 23, 30, tzinfo=UTC)
    store.keep(
        Feedback(
            service="back-pain-order-sign",
            card=f"card-{number}",
            outcome="overridden",
            at=at + timedelta(hours=number % 2),
            reason_system=OWN,
            reason_code="patient-declined",
            client=EHR,
            recommendation="yoga",
        )
        for number in range(12)
    )
    return settings


def _run(settings: Settings, *options: str) -> str:
    environment = {"BACKPATH_DATABASE_URL": settings.database_url}
    result = CliRunner().invoke(main, ["feedback", "report", *options], env=environment)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_prints_both_forms(filled: Settings) -> None:
    """A table for people, the same numbers for programs."""
    printed = json.loads(_run(filled, "--json"))

    assert printed["flagged"] == ["yoga"]
    assert printed["flaggedWhen"] == {"overriddenShareAbove": 0.9, "outcomesAtLeast": 10}
    assert printed["recommendations"] == [
        {
            "recommendation": "yoga",
            "shown": 20,
            "accepted": 0,
            "overridden": 12,
            "noReaction": 8,
            "overriddenShare": 1.0,
            "reasons": [{"system": OWN, "code": "patient-declined", "cards": 12}],
        }
    ]
    rows = [line.split() for line in _run(filled).splitlines()]
    assert ["yoga", "20", "0", "12", "8", "100", "!"] in rows


def test_the_command_keeps_to_the_days_asked_for(filled: Settings) -> None:
    """The first and the last day belong to the period."""
    printed = json.loads(_run(filled, "--json", "--since", "2026-01-12", "--until", "2026-01-12"))

    assert (printed["since"], printed["until"]) == ("2026-01-12", "2026-01-12")
    assert (printed["total"]["shown"], printed["total"]["overridden"]) == (0, 6)


@pytest.mark.parametrize("url", ["sqlite:///{}/none.sqlite3", "sqlite:///{}"])
def test_the_command_makes_no_store(tmp_path: Path, url: str) -> None:
    """A mistyped path is an error, and not an empty report and a new file."""
    environment = {"BACKPATH_DATABASE_URL": url.format(tmp_path)}
    result = CliRunner().invoke(main, ["feedback", "report"], env=environment)

    assert result.exit_code == 1
    assert "store" in result.output
    assert list(tmp_path.iterdir()) == []


def _administrator(settings: Settings, library: Library) -> FlaskClient:
    given = Settings(database_url=settings.database_url, admin_token=TOKEN)
    return create_app(given, today=lambda: A_DAY, library=library).test_client()


def _ask(client: FlaskClient, query: str = "", token: str = f"Bearer {TOKEN}") -> Any:
    return client.get(f"/feedback-report{query}", headers={"Authorization": token})


def test_administrators_get_the_report(filled: Settings, library: Library) -> None:
    """The same numbers as the command prints; no browser or proxy keeps them."""
    client = _administrator(filled, library)
    response = _ask(client, "?since=2026-01-11&until=2026-01-11")

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.json == json.loads(
        _run(filled, "--json", "--since", "2026-01-11", "--until", "2026-01-11")
    )


@pytest.mark.parametrize(
    "token", ["", TOKEN, f"Bearer {TOKEN}x", "Bearer ", "Bearer \xe9", "Basic x"]
)
def test_nobody_else_does(filled: Settings, library: Library, token: str) -> None:
    """Without the secret there is no report, and no word on what was wrong."""
    response = _ask(_administrator(filled, library), token=token)

    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert response.headers["Cache-Control"] == "no-store"


def test_without_a_secret_there_is_no_such_address(client: FlaskClient) -> None:
    """A site that set no secret has no door to guess at."""
    for token in (f"Bearer {TOKEN}", "Bearer ", "Bearer None"):
        assert _ask(client, token=token).status_code == 404


@pytest.mark.parametrize("query", ["?since=yesterday", "?until=2026-02-30"])
def test_a_wrong_day_is_named(filled: Settings, library: Library, query: str) -> None:
    """An administrator who mistypes a day is told which."""
    response = _ask(_administrator(filled, library), query)

    assert response.status_code == 400
    assert response.json["issue"][0]["expression"] == [query[1:6]]


def test_a_period_that_ends_before_it_begins_is_refused(filled: Settings, library: Library) -> None:
    """Days given the wrong way round are told, and not answered with an empty report."""
    response = _ask(_administrator(filled, library), "?since=2026-01-12&until=2026-01-11")
    environment = {"BACKPATH_DATABASE_URL": filled.database_url}
    days = ["--since", "2026-01-12", "--until", "2026-01-11"]
    command = CliRunner().invoke(main, ["feedback", "report", *days], env=environment)

    assert response.status_code == 400
    assert response.json["issue"][0]["expression"] == ["until"]
    assert command.exit_code == 2
    assert "--until" in command.output
