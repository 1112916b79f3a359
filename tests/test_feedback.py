"""What clinicians did with the cards is kept once, whole, and without any words of theirs."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cards.library import Library
from service.app import create_app
from service.feedback import OTHER_REASON, one_uuid
from service.settings import Settings
from service.store import Feedback, ShownCount, open_store
from service.tables import TABLES
from tests.conftest import A_DAY, BACK_PAIN, HOUSE, bundle, call
from tests.tokens import EHR, VIEW
from tests.trusted import PUBLIC, SIGNER, bearer

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
        "reason": {"code": "red-flag-not-coded", "system": "urn:backpath:override-reason"},
        "userComment": "Known cancer, see letter to Mrs Lovelace",
    },
}


def _cards(client: FlaskClient) -> list[dict[str, Any]]:
    """The cards for a patient with chronic low back pain."""
    request = call()
    request["prefetch"]["conditions"] = bundle(BACK_PAIN)
    response = client.post("/cds-services/back-pain-patient-view", json=request)
    assert response.json is not None
    cards: list[dict[str, Any]] = response.json["cards"]
    assert cards
    return cards


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
            "red-flag-not-coded",
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
            {"feedback": [OVERRIDDEN, {**ACCEPTED, "outcomeTimestamp": "2026-03-04T00:00:00Z"}]},
            "feedback[1].outcomeTimestamp",
        ),
        (
            {"feedback": [{**ACCEPTED, "outcomeTimestamp": "9999-12-31T10:00:00Z"}]},
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


def test_a_clock_a_day_ahead_is_borne_with(client: FlaskClient, settings: Settings) -> None:
    """West of Greenwich our day is still yesterday's, and clocks differ."""
    entry = {**ACCEPTED, "outcomeTimestamp": "2026-03-03T23:59:59Z"}

    assert client.post(URL, json={"feedback": [entry]}).status_code == 200
    assert len(_kept(settings)) == 1


def test_feedback_for_an_unknown_service_is_404(client: FlaskClient) -> None:
    """Feedback goes to the service that gave the card."""
    response = client.post("/cds-services/neck-pain/feedback", json={"feedback": []})

    assert response.status_code == 404


def test_feedback_says_which_recommendation_the_card_was(
    client: FlaskClient, settings: Settings
) -> None:
    """Nothing is stored when a card is shown, and still its feedback can be read."""
    cards = _cards(client)
    sent = [{**OVERRIDDEN, "card": card["uuid"].upper()} for card in cards]
    assert client.post(URL, json={"feedback": [*sent, ACCEPTED]}).status_code == 200

    assert {entry.card: entry.recommendation for entry in _kept(settings)} == {
        card["uuid"]: card["source"]["topic"]["code"] for card in cards
    } | {ACCEPTED["card"]: None}


def test_a_card_given_out_while_the_store_was_away_is_known_later(
    library: Library, tmp_path: Path
) -> None:
    """The key made in the meantime is handed over, so that every process knows these cards."""
    folder = tmp_path / "store"
    folder.write_text("in the way")
    settings = Settings(database_url=f"sqlite:///{folder}/feedback.sqlite3")
    early, late = (
        create_app(settings, today=lambda: A_DAY, library=library).test_client() for _ in range(2)
    )
    card = _cards(early)[0]
    assert early.post(URL, json={"feedback": [ACCEPTED]}).status_code == 503
    folder.unlink()
    other = _cards(late)[0]
    for client, given in ((late, other), (early, card), (late, card)):
        feedback = [{**OVERRIDDEN, "card": given["uuid"]}]
        assert client.post(URL, json={"feedback": feedback}).status_code == 200

    assert {entry.recommendation for entry in _kept(settings)} == {card["source"]["topic"]["code"]}


def test_words_in_the_place_of_codes_are_not_kept(client: FlaskClient, settings: Settings) -> None:
    """A client may put anything where a uuid or a code belongs; it is counted, not written down."""
    words = "Ada Lovelace\u0000 of 12 St James's Square"
    entries = [
        {**ACCEPTED, "card": words, "acceptedSuggestions": [{"id": words}]},
        {**OVERRIDDEN, "overrideReason": {"reason": {"code": words, "system": words}}},
    ]
    response = client.post(URL, json={"feedback": entries})
    accepted, overridden = _kept(settings)

    assert response.status_code == 200
    assert (accepted.card, accepted.suggestions) == (one_uuid(words), (one_uuid(words),))
    assert (overridden.reason_system, overridden.reason_code) == (None, OTHER_REASON)


def test_a_batch_of_thousands_is_one_transaction(client: FlaskClient, settings: Settings) -> None:
    """A client that was offline sends a month of feedback at once."""
    batch = [{**OVERRIDDEN, "card": one_uuid(str(number))} for number in range(3_000)]
    refused = client.post(URL, json={"feedback": [*batch, {**OVERRIDDEN, "outcome": "maybe"}]})
    assert refused.json is not None
    assert refused.json["issue"][0]["expression"] == ["feedback[3000].outcome"]
    assert _kept(settings) == ()

    assert client.post(URL, json={"feedback": batch}).status_code == 200
    assert len(_kept(settings)) == 3_000


def test_no_chart_reaches_the_store(library: Library, settings: Settings, tmp_path: Path) -> None:
    """Every table, and every byte of the file, after many synthetic patients were seen."""
    app = create_app(settings, today=lambda: A_DAY, library=library)
    client, chart = app.test_client(), set[str]()
    for path in sorted((HOUSE / "fhir_fixtures").glob("*/request.json"))[::12]:
        request = json.loads(path.read_bytes())
        chart.update(_telling(request))
        service = f"/cds-services/back-pain-{request['hook']}"
        answer = client.post(service, json=request).json
        assert answer is not None
        sent = [{**OVERRIDDEN, "card": card["uuid"]} for card in answer.get("cards", ())]
        assert client.post(f"{service}/feedback", json={"feedback": sent}).status_code == 200
    house = app.extensions["backpath"]
    house.shown.write(house.store)
    with house.store.database.reading() as connection:
        rows = [list(connection.execute(table.select())) for table in TABLES.sorted_tables]
    stored = str(rows) + b"".join(path.read_bytes() for path in tmp_path.iterdir()).decode("latin1")

    assert len(chart) > 100
    assert "nonpharm-first-line-not-started" in stored
    assert {text for text in [*chart, "Lovelace", "userComment"] if text in stored} == set()


def _telling(value: Any, member: str = "") -> Iterator[str]:
    """Texts of a chart that could name somebody."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from _telling(inner, name)
        case list():
            for inner in value:
                yield from _telling(inner, member)
        case str() if member in {"text", "family", "reference", "display", "valueString"}:
            if len(value) >= 6:
                yield value


def test_feedback_and_cards_shown_bear_their_client(
    library: Library, settings: Settings, tmp_path: Path
) -> None:
    """Where clients prove who they are, the report can tell one hospital from another."""
    listed = tmp_path / "clients.json"
    listed.write_text(json.dumps([{"iss": EHR, "jwks": {"keys": [SIGNER.jwk()]}}]))
    closed = replace(settings, auth="required", public_base_url=PUBLIC, trusted_clients=listed)
    app = create_app(closed, today=lambda: A_DAY, library=library)
    client, house = app.test_client(), app.extensions["backpath"]
    request = call()
    request["prefetch"]["conditions"] = bundle(BACK_PAIN)
    client.post(VIEW, json=request, headers=bearer(VIEW))
    client.post(
        f"{VIEW}/feedback", json={"feedback": [ACCEPTED]}, headers=bearer(f"{VIEW}/feedback")
    )
    house.shown.write(house.store)

    assert [entry.client for entry in house.store.kept()] == [EHR]
    assert {count.client for count in house.store.shown(None, None)} == {EHR}


def test_cards_shown_are_counted_by_the_day_of_the_call(app: Flask, client: FlaskClient) -> None:
    """Each card counts once each time it is given out, without a row of its own."""
    cards = [*_cards(client), *_cards(client)]
    house = app.extensions["backpath"]
    house.shown.write(house.store)
    house.shown.write(house.store)

    ids = Counter(card["source"]["topic"]["code"] for card in cards)
    assert house.store.shown(None, None) == tuple(
        ShownCount(A_DAY, None, name, count) for name, count in sorted(ids.items())
    )


def test_an_unreachable_store_is_503_and_not_silence(library: Library, tmp_path: Path) -> None:
    """When nothing can be kept the client learns it, and the service says it is not ready."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    closed = Settings(database_url=f"sqlite:///{in_the_way}/feedback.sqlite3")
    client = create_app(closed, library=library).test_client()

    refused = client.post(URL, json={"feedback": [ACCEPTED]})
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    assert _cards(client)
    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200


def test_a_store_that_is_no_database_is_unavailable(tmp_path: Path, library: Library) -> None:
    """A damaged file is reported, not overwritten."""
    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_bytes(b"this is no database, " * 100)
    client = create_app(
        Settings(), library=library, store=open_store(f"sqlite:///{damaged}")
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
