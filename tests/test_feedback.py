"""What clinicians did with the cards is kept once, whole, and without any words of theirs."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.library import Library
from service.app import create_app
from service.settings import Settings
from service.store import Feedback, SqliteFeedbackStore, open_store

URL = "/cds-services/back-pain-order-sign/feedback"
ACCEPTED: dict[str, Any] = {
    "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
    "outcome": "accepted",
    "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
    "outcomeTimestamp": "2026-01-11T10:05:31Z",
}
OVERRIDDEN: dict[str, Any] = {
    "card": "9368d37b-283f-44a0-93ea-547cebab93ed",
    "outcome": "overridden",
    "outcomeTimestamp": "2026-01-11T12:06:00.5+01:00",
    "overrideReason": {
        "reason": {"code": "red-flag", "system": "urn:backpath:override-reason"},
        "userComment": "Known cancer, see letter to Mrs Lovelace",
    },
}


def _kept(settings: Settings) -> tuple[Feedback, ...]:
    return open_store(settings.database_url).kept()


def test_feedback_is_kept_without_the_comment(
    client: FlaskClient, settings: Settings, tmp_path: Path
) -> None:
    """Accepting and overriding are kept; the clinician's own words never reach the disk."""
    response = client.post(URL, json={"feedback": [ACCEPTED, OVERRIDDEN]})

    assert (response.status_code, response.json) == (200, {})
    assert _kept(settings) == (
        Feedback(
            "back-pain-order-sign",
            ACCEPTED["card"],
            "accepted",
            datetime(2026, 1, 11, 10, 5, 31, tzinfo=UTC),
            ("e56e1945-20b3-4393-8503-a1a20fd73152",),
        ),
        Feedback(
            "back-pain-order-sign",
            OVERRIDDEN["card"],
            "overridden",
            datetime(2026, 1, 11, 11, 6, 0, 500_000, tzinfo=UTC),
            (),
            "urn:backpath:override-reason",
            "red-flag",
        ),
    )
    assert b"Lovelace" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_the_same_feedback_again_is_kept_once(client: FlaskClient, settings: Settings) -> None:
    """A client that is not sure its feedback arrived may send it again."""
    for _ in range(3):
        client.post(URL, json={"feedback": [OVERRIDDEN, OVERRIDDEN]})

    assert len(_kept(settings)) == 1


def test_a_card_may_be_accepted_and_later_overridden(
    client: FlaskClient, settings: Settings
) -> None:
    """Cards stay on the screen after acceptance, so both outcomes of one card count."""
    later = {**OVERRIDDEN, "card": ACCEPTED["card"]}
    client.post(URL, json={"feedback": [ACCEPTED, later]})

    assert [entry.outcome for entry in _kept(settings)] == ["accepted", "overridden"]


@pytest.mark.parametrize(
    "entry",
    [
        {**OVERRIDDEN, "overrideReason": None},
        {**OVERRIDDEN, "overrideReason": {"userComment": "no"}},
        {**OVERRIDDEN, "overrideReason": {"reason": {"code": "x"}}},
        {**OVERRIDDEN, "acceptedSuggestions": []},
        {**ACCEPTED, "extension": {"com.example": 1}, "futureMember": 1},
    ],
)
def test_what_real_clients_send_is_accepted(client: FlaskClient, entry: dict[str, Any]) -> None:
    """Plain dismissal, comment only, and unknown members are all welcome."""
    assert client.post(URL, json={"feedback": [entry]}).status_code == 200


def test_no_feedback_is_fine(client: FlaskClient) -> None:
    """An empty list is legal."""
    assert client.post(URL, json={"feedback": []}).status_code == 200


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "feedback"),
        ({"feedback": ACCEPTED}, "feedback"),
        ({"feedback": [ACCEPTED, None]}, "feedback[1]"),
        ({"feedback": [{**ACCEPTED, "card": 5}]}, "feedback[0].card"),
        ({"feedback": [{**ACCEPTED, "outcome": "ignored"}]}, "feedback[0].outcome"),
        (
            {"feedback": [{**ACCEPTED, "outcomeTimestamp": "yesterday"}]},
            "feedback[0].outcomeTimestamp",
        ),
        (
            {"feedback": [{**ACCEPTED, "outcomeTimestamp": "2026-02-30T10:00:00Z"}]},
            "feedback[0].outcomeTimestamp",
        ),
        (
            {"feedback": [{**ACCEPTED, "acceptedSuggestions": []}]},
            "feedback[0].acceptedSuggestions",
        ),
        (
            {"feedback": [{**ACCEPTED, "acceptedSuggestions": [{}]}]},
            "feedback[0].acceptedSuggestions[0].id",
        ),
        ({"feedback": [{**OVERRIDDEN, "overrideReason": {}}]}, "feedback[0].overrideReason"),
        (
            {"feedback": [{**OVERRIDDEN, "overrideReason": {"reason": {"system": "s"}}}]},
            "feedback[0].overrideReason.reason.code",
        ),
    ],
)
def test_one_bad_entry_refuses_all_and_is_named(
    client: FlaskClient, settings: Settings, body: dict[str, Any], path: str
) -> None:
    """Feedback is taken whole or not at all, and the path leads to the bad entry."""
    if isinstance(body.get("feedback"), list):
        body = {"feedback": [*body["feedback"], OVERRIDDEN]}
    response = client.post(URL, json=body)

    assert response.status_code == 400
    assert response.json is not None
    assert response.json["issue"][0]["expression"] == [path]
    assert _kept(settings) == ()


def test_feedback_for_an_unknown_service_is_404(client: FlaskClient) -> None:
    """Feedback goes to the service that gave the card."""
    response = client.post("/cds-services/neck-pain/feedback", json={"feedback": []})

    assert response.status_code == 404


def test_an_unreachable_store_is_503_and_not_silence(library: Library, tmp_path: Path) -> None:
    """When nothing can be kept the client learns it, and the service says it is not ready."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    closed = Settings(database_url=f"sqlite:///{in_the_way}/feedback.sqlite3")
    client = create_app(closed, library=library).test_client()

    assert client.post(URL, json={"feedback": [ACCEPTED]}).status_code == 503
    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200


def test_a_store_that_is_no_database_is_unavailable(tmp_path: Path, library: Library) -> None:
    """A damaged file is reported, not overwritten."""
    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_bytes(b"this is no database, " * 100)
    client = create_app(
        Settings(), library=library, store=SqliteFeedbackStore(damaged)
    ).test_client()

    assert client.post(URL, json={"feedback": [ACCEPTED]}).status_code == 503
    assert damaged.read_bytes().startswith(b"this is no database")


def test_the_log_says_how_many_and_nothing_else(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A comment never reaches the log."""
    with caplog.at_level(logging.DEBUG, "backpath"):
        client.post(URL, json={"feedback": [OVERRIDDEN]})
    lines = json.dumps([vars(record).get("fields") for record in caplog.records])

    assert '"feedback": 1' in lines
    assert "Lovelace" not in lines
