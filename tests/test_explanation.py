"""The explanation: asked for, it says for every pathway and recommendation why."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.library import Library
from service.app import create_app
from service.settings import Settings
from tests.fixture_cards import Fixture, fixtures

OUTCOMES = {"shown", "withheld", "suppressed", "capped"}


def story(name: str) -> Fixture:
    return next(fixture for fixture in fixtures() if fixture.name == name)


def client(day: date, library: Library) -> FlaskClient:
    settings = Settings(database_url="sqlite:///:memory:")
    return create_app(settings, today=lambda: day, library=library).test_client()


def answer(fixture: Fixture, library: Library, extension: Any) -> dict[str, Any]:
    request = deepcopy(fixture.request)
    request["extension"] = {**request["extension"], "org.backpath.request": extension}
    posted = client(fixture.as_of, library).post(f"/cds-services/{fixture.service}", json=request)
    body: dict[str, Any] = posted.get_json()
    assert posted.status_code == 200, body
    return body


def explained(name: str, library: Library) -> dict[str, Any]:
    body = answer(story(name), library, {"explain": True})
    found: dict[str, Any] = body["extension"]["org.backpath.response"]["explanation"]
    return found


@pytest.mark.parametrize("asked", [{}, {"explain": False}, {"explain": "true"}, {"explain": 1}])
def test_nobody_is_told_who_did_not_ask(library: Library, asked: dict[str, Any]) -> None:
    """Only ``explain: true`` brings the explanation; an EHR's ordinary call stays small."""
    assert "extension" not in answer(story("chronic-low-back-no-therapy"), library, asked)


def test_a_call_without_the_extension_is_not_explained(library: Library) -> None:
    """A call that carries no extension of ours gets cards only."""
    fixture = story("chronic-low-back-no-therapy")
    posted = client(fixture.as_of, library).post(
        f"/cds-services/{fixture.service}", json=fixture.request
    )

    assert set(posted.get_json()) == {"cards"}


def test_the_cards_are_the_same_with_and_without(library: Library) -> None:
    """Asking why changes no card."""
    fixture = story("chronic-low-back-no-therapy")
    plain, why = (answer(fixture, library, {"explain": e}) for e in (False, True))

    assert [c["detail"] for c in plain["cards"]] == [c["detail"] for c in why["cards"]]


def test_every_recommendation_of_the_hook_is_accounted_for(library: Library) -> None:
    """Shown, withheld, suppressed or capped: none is passed over in silence."""
    told = explained("chronic-low-back-no-therapy", library)["recommendations"]
    own = {r.id for r in library.cards["patient-view"] if r.id not in library.about_drafts}

    assert own <= {each["recommendation"] for each in told}
    assert {each["outcome"] for each in told} <= OUTCOMES
    assert all(each["facts"] for each in told if each["outcome"] in ("withheld", "suppressed"))


def test_what_is_shown_is_told_with_its_place_and_its_grounds(library: Library) -> None:
    """The card that is shown names the facts that decided and the chart entries behind them."""
    told = explained("chronic-low-back-no-therapy", library)
    first = next(e for e in told["recommendations"] if e["outcome"] == "shown")
    pain = next(fact for fact in first["facts"] if fact["fact"] == "back_pain_problem")

    assert (first["as"], first["indicator"]) == ("card", "info")
    assert pain["answer"] == "yes"
    assert pain["question"].endswith("?")
    assert all(reference.startswith("Condition/") for reference in pain["because"])
    assert told["pathways"][0] == {
        "pathway": "chronic-low-back-pain",
        "title": "Chronic low back pain",
        "state": "C0",
        "stateTitle": "No active therapy found",
    }
    assert told["phase"] == "chronic"


def test_an_open_red_flag_is_what_suppresses(library: Library) -> None:
    """Beside an open red flag the first-line card is suppressed, and the flag is named."""
    told = explained("cauda-equina-with-sciatica", library)
    first_line = next(
        e for e in told["recommendations"] if e["recommendation"].startswith("nonpharm-first-line")
    )

    assert first_line["outcome"] == "suppressed"
    assert [fact["fact"] for fact in first_line["facts"]] == ["rf_high_open"]
    assert {place["state"] for place in told["pathways"]} == {"RF"}


def test_data_that_were_not_read_leave_it_undecided(library: Library) -> None:
    """Procedures that were not delivered: withheld, and said to be for want of knowledge."""
    told = explained("procedures-failed", library)["recommendations"]
    first_line = next(e for e in told if e["recommendation"].startswith("nonpharm-first-line"))

    assert (first_line["outcome"], first_line["undecided"]) == ("withheld", True)


def test_resolved_pain_is_a_place_without_cards(library: Library) -> None:
    """Back pain resolved on the problem list: no card, and the explanation says why."""
    fixture = story("chronic-low-back-no-therapy")
    request = deepcopy(fixture.request)
    for entry in request["prefetch"]["conditions"]["entry"]:
        entry["resource"]["clinicalStatus"]["coding"][0]["code"] = "resolved"
    request["extension"]["org.backpath.request"] = {"explain": True}
    body = client(fixture.as_of, library).post(f"/cds-services/{fixture.service}", json=request)
    told = body.get_json()["extension"]["org.backpath.response"]["explanation"]

    assert body.get_json()["cards"] == []
    assert [(p["pathway"], p["state"]) for p in told["pathways"]] == [
        ("chronic-low-back-pain", "RESOLVED")
    ]
