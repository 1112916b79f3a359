"""The playground: what is tried out is answered as a call is, shown safely, and kept nowhere."""

from __future__ import annotations

import json
import logging
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cards.library import Library
from service.app import create_app
from service.errors import RequestRefused
from service.pages import synthetic_patients
from service.pages.applied import applied
from service.pages.card_text import as_html_with_links
from service.pages.card_view import card_view
from service.pages.written_at import Written, written_at
from service.settings import Settings
from tests.conftest import A_DAY, call
from tests.fixture_cards import FIXTURES, Fixture, read_fixture
from tests.hostile_records import PAYLOADS, hostile

INSTANCE = "5f0c1a52-8a0e-4f0e-9a53-0d8b6c9d0a11"
# What the templates write themselves; nothing of a record may add to it.
OUTSIDE = frozenset({"script", "style", "img", "iframe", "object", "embed", "base", "meta"})
OURS = ("/", "#", "http://localhost/")
DRAFT = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order"}


@pytest.fixture(scope="module")
def clinic(library: Library, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The application, on the day all synthetic patients are judged."""
    house = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('clinic')}/x")
    return create_app(house, today=lambda: date(2026, 6, 15), library=library).test_client()


def patient(name: str) -> Fixture:
    """A synthetic patient."""
    return read_fixture(FIXTURES / name)


def run(client: FlaskClient, request: dict[str, Any] | str) -> TestResponse:
    """The parts of a page that a request is answered with."""
    text = request if isinstance(request, str) else json.dumps(request, indent=2)
    return client.post("/try/run", data=text, content_type="application/json")


class Parts(HTMLParser):
    """The parts of a page: texts by tag, and what could act."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.active: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.faults: list[tuple[str, ...]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what could act, and open a text."""
        told = {name: value or "" for name, value in attrs}
        self._open.append((tag, []))
        if "data-fault" in told:
            self.faults.append((told["data-line"], told["data-column"], told["data-fault"]))
        self.active += [tag] if tag in OUTSIDE else []
        self.active += [name for name in told if name.startswith("on") or name in {"style", "src"}]
        address = told.get("href", "/")
        self.active += [] if address.startswith(OURS) else [address]

    def handle_endtag(self, tag: str) -> None:
        """Keep the text of what ends here."""
        while any(tag == each for each, _ in self._open):
            name, words = self._open.pop()
            self.texts.setdefault(name, []).append(" ".join("".join(words).split()))
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        """Add to every open text."""
        for _, words in self._open:
            words.append(data)

    def response(self) -> dict[str, Any]:
        """The raw response on the page."""
        shown: dict[str, Any] = json.loads(self.texts["pre"][0])
        return shown


def test_a_patient_can_be_picked_and_is_ill_today(client: FlaskClient) -> None:
    """The page offers every synthetic patient by story; their dates are moved to today."""
    page = client.get("/try")
    loaded = client.get("/try/patients/tramadol-on-sertraline").get_json()
    without_script = client.get("/try?patient=tramadol-on-sertraline")

    assert "Tramadol drafted while sertraline is taken" in page.text
    assert len(page.data) < 200_000
    drafted = loaded["context"]["draftOrders"]["entry"][0]["resource"]
    assert str(A_DAY) == drafted["authoredOn"]
    assert "extension" not in loaded
    assert "draft-tramadol" in without_script.text


def test_a_patient_nobody_knows_is_not_found(client: FlaskClient) -> None:
    """A name leads to no other file, and an unknown one leaves the editor empty."""
    for name in ("nobody", "..", "%2e%2e%2fREADME.md", "README.md"):
        assert client.get(f"/try/patients/{name}").status_code == 404
    assert client.get("/try?patient=../README.md").status_code == 200


def test_without_synthetic_patients_the_page_says_so(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed without its source the service still tries out what is pasted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(synthetic_patients, "FIXTURES", tmp_path / "none")

    assert "No synthetic patients are at hand" in client.get("/try").text


@pytest.mark.parametrize(
    "name", ["tramadol-on-sertraline", "low-back-c3-naproxen-failed", "cauda-equina-with-sciatica"]
)
def test_the_cards_are_those_a_client_gets(clinic: FlaskClient, name: str) -> None:
    """Summaries, buttons and the raw response are those of a call; indicators are in words."""
    fixture = patient(name)
    parts = Parts(run(clinic, fixture.request).text)
    called = clinic.post(f"/cds-services/{fixture.service}", json=fixture.request).get_json()

    cards = fixture.expected["cards"]
    assert [card["summary"] for card in cards] == parts.texts["h3"][: len(cards)]
    words = [card_view(card).word for card in cards]
    assert all(word in parts.texts["article"][at] for at, word in enumerate(words))
    labels = [each["label"] for card in cards for each in card.get("suggestions", ())]
    assert [text for text in parts.texts["button"] if text in labels] == labels
    assert _without_uuids(parts.response()) == _without_uuids(called)


def _without_uuids(value: Any) -> Any:
    match value:
        case dict():
            return {name: _without_uuids(each) for name, each in value.items() if name != "uuid"}
        case list():
            return [_without_uuids(each) for each in value]
        case _:
            return value


def test_the_answer_is_explained(clinic: FlaskClient) -> None:
    """Place on the pathway, chart entries, every recommendation and the time each stage took."""
    fixture = patient("low-back-c3-naproxen-failed")
    html = run(clinic, fixture.request).text

    for heading in ("Place on each pathway", "Chart entries used", "All recommendations"):
        assert heading in html
    assert "Judging the chart" in html
    assert "Raw response" in html


def test_nothing_tried_out_is_counted_or_logged(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """The log line names the service and nothing of the request; no card counts as shown."""
    fixture = patient("tramadol-on-sertraline")
    house = app.extensions["backpath"]
    for logger in ("backpath", "cards", "service"):
        caplog.set_level(logging.DEBUG, logger)
    client = app.test_client()
    run(client, fixture.request)
    run(client, '{"hook": "Quillfeather", "context": {"patientId": ["Quillfeather"]}}')
    house.shown.write(house.store)
    said = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)

    assert "back-pain-order-select" in said
    for secret in ("pt-sellode", "Sellode", "tramadol", "835603", "Quillfeather"):
        assert secret not in said
    assert () == house.store.shown(None, None)


def test_problems_are_told_at_their_place(client: FlaskClient) -> None:
    """What the service complains about is told with line and column, first to last."""
    text = '{\n "hook": "patient-view",\n "hookInstance": "",\n "context": {\n  "userId": 4\n }\n}'

    assert [
        ("3", "2", "hookInstance must not be empty."),
        ("4", "2", "context.patientId is missing."),
        ("5", "3", "context.userId must be a string."),
    ] == Parts(run(client, text).text).faults


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{\n "hook": "patient-view",\n "context" {}\n}', "3", "12"),
        ("", "1", "1"),
        ('{"a": 1,\n}', "2", "1"),
        ('{"context": {"a": {"b": "a"},\n "a": 2}}', "2", "2"),
        ('{"a": [1,\n NaN]}', "2", "2"),
        ("\n" + "[" * 101 + "]" * 101, "2", "101"),
        ("[]", "1", "1"),
    ],
)
def test_a_mistake_in_the_json_is_told_at_its_place(
    client: FlaskClient, text: str, line: str, column: str
) -> None:
    """Nobody has to count lines."""
    (fault,) = Parts(run(client, text).text).faults

    assert (line, column) == fault[:2]


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ("$this", 1, 1),
        ("hook", 2, 3),
        ("context.selections[1]", 4, 24),
        ("context.selections[7]", 4, 3),
        ("context.patientId", 3, 3),
        ("prefetch.conditions", 1, 1),
        ("hook.deeper", 2, 3),
    ],
)
def test_a_path_is_found_in_the_text(path: str, line: int, column: int) -> None:
    """A missing part stands where the innermost part of its path does that is there."""
    text = (
        '{\n  "hook" : "x}\\"{",\n  "context": {\n  "selections":["a{[", "b"], "x": [[]], "y": {}}}'
    )

    assert Written(line, column) == written_at(text, path)


# Suggestions


def test_a_new_order_is_added_and_selected() -> None:
    """Accepting an order on an open chart makes it an order that is being chosen."""
    after = applied(call(), [{"type": "create", "resource": DRAFT}], INSTANCE)

    assert after["hook"] == "order-select"
    assert after["hookInstance"] == INSTANCE
    assert ["ServiceRequest/accepted-1"] == after["context"]["selections"]
    (entry,) = after["context"]["draftOrders"]["entry"]
    assert {**DRAFT, "id": "accepted-1"} == entry["resource"]


def test_a_second_order_stands_beside_the_first() -> None:
    """Its id is a new one, and on order-sign nothing is selected."""
    create = {"type": "create", "resource": DRAFT}
    twice = applied(call("order-select"), [create, create], INSTANCE)
    signed = applied(call("order-sign"), [create], INSTANCE)

    ids = ["mri-1", "accepted-1", "accepted-2"]
    assert ids == [each["resource"]["id"] for each in twice["context"]["draftOrders"]["entry"]]
    assert [f"ServiceRequest/{name}" for name in ids] == twice["context"]["selections"]
    assert signed["hook"] == "order-sign"
    assert "selections" not in signed["context"]


def test_a_changed_order_replaces_the_draft() -> None:
    """The draft of the same id gives way, and stays selected."""
    changed = DRAFT | {"id": "mri-1", "note": [{"text": "later"}]}
    after = applied(call("order-select"), [{"type": "update", "resource": changed}], INSTANCE)

    assert [{"resource": changed}] == after["context"]["draftOrders"]["entry"]
    assert ["ServiceRequest/mri-1"] == after["context"]["selections"]


def test_with_its_last_order_removed_the_chart_is_open() -> None:
    """Without drafts there is nothing to choose or sign."""
    gone = [{"type": "delete", "resourceId": "ServiceRequest/mri-1"}]
    for hook in ("order-select", "order-sign"):
        after = applied(call(hook), gone, INSTANCE)

        assert after["hook"] == "patient-view"
        assert after["context"].keys() == {"userId", "patientId"}


@pytest.mark.parametrize(
    "action",
    [
        {"type": "delete", "resourceId": "ServiceRequest/other"},
        {"type": "update", "resource": DRAFT | {"id": "other"}},
        {"type": "create"},
        {"type": "burn", "resource": DRAFT},
        None,
    ],
)
def test_a_suggestion_that_does_not_fit_is_refused(action: Any) -> None:
    """A draft that was removed by hand meanwhile cannot be changed."""
    with pytest.raises(RequestRefused) as refused:
        applied(call("order-select"), [action], INSTANCE)

    assert refused.value.status == 400


def test_a_suggestion_of_endless_actions_is_refused() -> None:
    """Ours have one action each; a long list would keep everybody else waiting."""
    with pytest.raises(RequestRefused):
        applied(call("order-select"), [{"type": "create", "resource": DRAFT}] * 51, INSTANCE)


def test_an_order_can_be_added_beside_one_with_an_odd_id() -> None:
    """Whatever a record system calls a draft, the next one gets an id of its own."""
    odd = call("order-select")
    odd["context"]["draftOrders"]["entry"] = [{"resource": DRAFT | {"id": ["list"]}}]
    after = applied(odd, [{"type": "create", "resource": DRAFT}], INSTANCE)

    entries = after["context"]["draftOrders"]["entry"]
    assert [entry["resource"]["id"] for entry in entries] == [["list"], "accepted-1"]


def test_an_accepted_suggestion_changes_the_request_and_its_cards(
    clinic: FlaskClient,
) -> None:
    """The order spoken against is removed, and nothing speaks against it any more."""
    fixture = patient("tramadol-on-sertraline")
    before = Parts(run(clinic, fixture.request).text)
    card = before.response()["cards"][0]
    asked = {
        "request": json.dumps(fixture.request),
        "card": card,
        "suggestion": card["suggestions"][0]["uuid"],
    }
    after = clinic.post("/try/apply", json=asked).get_json()["request"]

    assert json.loads(after)["hook"] == "patient-view"
    assert card["summary"] not in Parts(run(clinic, after).text).texts["h3"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"request": 4},
        {"request": "{"},
        {"request": "{}", "card": {}, "suggestion": "x"},
        {"request": json.dumps(call()), "card": {"suggestions": []}, "suggestion": "x"},
        {"request": json.dumps(call()), "card": 3, "suggestion": "x"},
    ],
)
def test_what_cannot_be_applied_is_refused(client: FlaskClient, asked: dict[str, Any]) -> None:
    """Whoever calls the address by hand is told what is wrong."""
    refused = client.post("/try/apply", json=asked)

    assert refused.status_code == 400
    assert refused.get_json()["resourceType"] == "OperationOutcome"


# Hostile texts


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_markdown_of_a_card_is_harmless(payload: str) -> None:
    """Whatever stands in a detail: words, lists, tables and links to the web come of it."""
    parts = Parts(as_html_with_links(f"- x {payload}\n\n{payload}\n"))

    kept = [each for each in parts.active if not each.lower().startswith(("http:", "https:"))]
    assert [] == kept


def test_markdown_keeps_tables_lists_and_links() -> None:
    """What guidelines need is shown."""
    html = as_html_with_links("| a | b |\n|--:|---|\n| 1 | [x](https://a.example) |\n\n- **c**\n")

    assert "<td>1</td>" in html
    assert '<a href="https://a.example" rel="noopener noreferrer">x</a>' in html
    assert "<strong>c</strong>" in html


@pytest.mark.parametrize("first", range(0, len(PAYLOADS), 4))
@pytest.mark.parametrize("name", ["tramadol-on-sertraline", "markup-in-display-text"])
def test_a_hostile_chart_is_shown_as_words(clinic: FlaskClient, name: str, first: int) -> None:
    """Markup in any text of the chart neither runs nor leads anywhere."""
    fixture = patient(name)
    answer = run(clinic, hostile(fixture.request, first))

    assert answer.status_code == 200
    assert [] == Parts(answer.text).active


def test_only_links_to_the_web_can_be_followed() -> None:
    """A script is no link, and an app is opened by the record system alone."""
    links = [
        {"label": "a", "url": "javascript:alert(1)", "type": "absolute"},
        {"label": "b", "url": "https://b.example/", "type": "absolute"},
        {"label": "c", "url": "https://c.example/launch", "type": "smart"},
        {"label": "d", "url": "http://[", "type": "absolute"},
        {"label": "e", "type": "absolute"},
    ]
    source = {"label": "s", "url": "data:text/html,x"}
    card = card_view({"summary": "x", "indicator": "purple", "links": links, "source": source})

    assert [("b", False), ("c", True)] == [(link.label, link.starts_app) for link in card.links]
    assert ("", "info") == (card.source_url, card.indicator)


# The way in


def test_sizes_and_kinds_are_limited_as_for_calls(library: Library, settings: Settings) -> None:
    """Nothing gets in here that a call would not be let in with."""
    client = create_app(settings, today=lambda: A_DAY, library=library).test_client()
    plain = client.post("/try/run", data="{}", content_type="text/plain")
    long = run(client, " " * (settings.max_body_bytes + 1))

    assert plain.status_code == 415
    assert long.status_code == 413


def test_a_crowd_is_told_to_come_again(library: Library, tmp_path: Path) -> None:
    """Trials and calls wait in the same room, and a trial leaves its seat when it is over."""
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/x", max_running_calls=1, max_waiting_calls=0
    )
    app = create_app(settings, today=lambda: A_DAY, library=library)
    client, seats = app.test_client(), app.extensions["backpath"].gate.seats
    with seats:
        assert run(client, call()).status_code == 503
    for _ in range(3):
        assert run(client, call()).status_code == 200
        assert run(client, "{").status_code == 200


def test_the_playground_is_off_unless_switched_on(library: Library, tmp_path: Path) -> None:
    """Where only the catalogue is served, nothing can be tried out."""
    settings = Settings(database_url=f"sqlite:///{tmp_path}/x", pages="catalogue")
    client = create_app(settings, today=lambda: A_DAY, library=library).test_client()

    assert client.get("/try").status_code == 404
    assert run(client, call()).status_code == 404
