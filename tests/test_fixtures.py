"""Every fixture patient gets exactly the cards written beside the request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from fhir.resources.R4B import get_fhir_model_class
from werkzeug.serving import make_server

from cards.library import Library, load_library
from cards.markdown import escaped
from cards.trace import cannot_fire
from service.app import create_app
from service.cli import main
from service.settings import Settings
from tests.conftest import IMPORTERS_ONLY
from tests.fixture_cards import FIXTURES, Fixture, fixtures, table, told, told_cards

ALL = [pytest.param(fixture, id=fixture.name) for fixture in fixtures()]
WITH_CARDS = [
    pytest.param(fixture, id=fixture.name)
    for fixture in fixtures()
    if fixture.expected.get("cards")
]


@pytest.fixture(scope="module")
def post_on(
    library: Library, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Fixture], requests.Response]]:
    """Posts a fixture to a real HTTP server on which it is the fixture's own day."""
    day = [date.min]
    store = tmp_path_factory.mktemp("store") / "feedback.sqlite3"
    settings = Settings(database_url=f"sqlite:///{store}")
    app = create_app(settings, today=lambda: day[0], library=library)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def post(fixture: Fixture) -> requests.Response:
        day[0] = fixture.as_of
        address = f"http://127.0.0.1:{server.port}/cds-services/{fixture.service}"
        return requests.post(address, json=fixture.request, timeout=30)

    yield post
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("fixture", ALL)
def test_cards_over_http(fixture: Fixture, post_on: Callable[[Fixture], requests.Response]) -> None:
    """Posted on its own day, the request gets exactly its cards."""
    response = post_on(fixture)

    assert fixture.expected == told(response.status_code, response.json())


# The command reads all content anew for each patient; for all of them once is enough.
READ_ONCE = cache(load_library)


@pytest.mark.parametrize("fixture", ALL)
def test_cards_by_command(fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """``backpath evaluate`` gives the same cards as the service, as of the fixture's own day."""
    monkeypatch.setattr("cards.library.load_library", READ_ONCE)
    request = str(FIXTURES / fixture.name / "request.json")
    result = CliRunner(env=IMPORTERS_ONLY).invoke(main, ["evaluate", request])
    printed = json.loads(result.stdout)

    if "status" in fixture.expected:
        assert result.exit_code == 1
        assert printed["resourceType"] == "OperationOutcome"
    else:
        assert fixture.expected == told_cards(printed)


@pytest.mark.parametrize("fixture", WITH_CARDS)
def test_ordered_resources_are_valid_r4(fixture: Fixture) -> None:
    """Every order a card would create or change is a valid, coded FHIR R4 draft."""
    for action in actions(fixture):
        if action["type"] == "delete":
            assert action["resourceId"] in drafted(fixture)
            continue
        resource = action["resource"]
        r4 = get_fhir_model_class(resource["resourceType"])

        r4.model_validate(resource)
        assert resource["status"] == "draft"
        assert resource["subject"]["reference"].endswith(fixture.request["context"]["patientId"])
        if action["type"] == "update":
            assert f"{resource['resourceType']}/{resource['id']}" in drafted(fixture)


@pytest.mark.parametrize("fixture", WITH_CARDS)
def test_cards_are_fit_to_show(fixture: Fixture, library: Library) -> None:
    """Short summary, sources and draft status said, every because entry from the request."""
    sent = json.dumps(fixture.request, ensure_ascii=False)
    for card in fixture.expected["cards"]:
        extension = card["extension"]["org.backpath.card"]

        assert len(card["summary"]) < 140
        assert library.disclaimer in card["detail"]
        assert "draft" in card["source"]["label"]
        assert card["source"]["topic"]["code"] == extension["recommendations"][0]
        assert all(entry["reference"].partition("/")[2] in sent for entry in extension["because"])
        assert all("display" in reason for reason in card.get("overrideReasons", ()))
        assert all(len(s["actions"]) == 1 for s in card.get("suggestions", ()))
        assert ("selectionBehavior" in card) == ("suggestions" in card)


def test_every_recommendation_is_on_a_fixture(library: Library) -> None:
    """Each recommendation is shown on some fixture's card, but for those without codes yet."""
    shown = {
        name
        for fixture in fixtures()
        for card in fixture.expected.get("cards", ())
        for name in card["extension"]["org.backpath.card"]["recommendations"]
    }
    texts = {r.id for r in library.recommendations.values() if r.render == "text"}
    switched_off = {"trigger-point-injection-technique"}  # shown when a site switches it on
    silent = set(library.recommendations) - shown - texts - switched_off

    assert silent == set(cannot_fire(library))


def test_the_table_names_the_cards_of_each_patient() -> None:
    """The table of patients says which recommendations lead their cards."""
    page = (FIXTURES / "README.md").read_text(encoding="utf-8")

    assert page == table(page)


def test_record_text_is_escaped() -> None:
    """A display with HTML and Markdown in it comes out as plain text."""
    expected = r"&lt;b onclick\=x&gt; \*\*bold\*\* \[a\]\(javascript\:b\)".replace(r"\=", "=")

    assert expected == escaped("<b onclick=x>\n**bold** [a](javascript:b)")


def test_each_fixture_has_its_sentence() -> None:
    """The fixtures' README names every patient, and no patient it has not."""
    readme = (FIXTURES / "README.md").read_text(encoding="utf-8")
    named = {fixture.name for fixture in fixtures() if f"| {fixture.name} |" in readme}

    assert {fixture.name for fixture in fixtures()} == named
    assert len(named) >= 20
    assert all(Path(FIXTURES / name / "cards.json").is_file() for name in named)


def actions(fixture: Fixture) -> list[dict[str, Any]]:
    """Every action on the fixture's cards."""
    return [
        action
        for card in fixture.expected["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]


def drafted(fixture: Fixture) -> set[str]:
    """References of the draft orders of the request."""
    entries = fixture.request["context"].get("draftOrders", {}).get("entry", ())
    orders = [entry["resource"] for entry in entries if "resource" in entry]
    return {f"{order['resourceType']}/{order.get('id')}" for order in orders}
