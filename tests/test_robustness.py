"""Broken and hostile requests: refused with a reason or answered lawfully, never a failure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from cards.library import load_library
from service.app import create_app
from service.settings import Settings
from service.shift import as_of
from tests.generated_records import (
    DROP,
    GARBAGE,
    NAMES,
    ODD_TEXTS,
    STORED,
    TODAY,
    Path,
    Stored,
    address,
    law,
    places,
    put,
    sent,
)

# A card member, and the types its value may have.
CARD_MEMBERS: dict[str, type | tuple[type, ...]] = {
    "uuid": str,
    "summary": str,
    "indicator": str,
    "detail": str,
    "source": dict,
    "extension": dict,
    "suggestions": list,
    "selectionBehavior": str,
    "overrideReasons": list,
    "links": list,
}
REQUIRED = {"uuid", "summary", "indicator", "source", "extension"}
DATES = [
    (stored, path)
    for stored in STORED
    for path in places(stored.request)
    if path[0] != "extension" and ("date" in str(path[-1]).lower() or path[-1] in ("start", "end"))
]
PLACES = {
    stored.name: [path for path in places(stored.request) if path[0] in ("context", "prefetch")]
    for stored in STORED
}


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The application, on the day all synthetic patients are judged."""
    folder = tmp_path_factory.mktemp("robustness")
    house = Settings(database_url=f"sqlite:///{folder}/feedback.sqlite3", log_level="critical")
    return create_app(house, today=lambda: TODAY, library=load_library()).test_client()


def _faults(body: dict[str, Any]) -> list[str]:
    """What is wrong with a response to a hook call."""
    faults = [f"{path} is empty" for path in _empty(body) if path != "cards"]
    faults += [f"unknown member {name}" for name in body if name != "cards"]
    for card in body["cards"]:
        faults += [f"{name} is missing" for name in REQUIRED - set(card)]
        for name, value in card.items():
            if not isinstance(value, CARD_MEMBERS.get(name, ())):
                faults.append(f"card.{name}")
        if not 0 < len(card["summary"]) < 140:
            faults.append("the summary is too long")
        if card["indicator"] not in ("info", "warning", "critical"):
            faults.append("the indicator is none")
        for suggestion in card.get("suggestions", []):
            actions = suggestion.get("actions", [])
            kinds = [action.get("type") for action in actions]
            if len(kinds) != 1 or kinds[0] not in ("create", "update", "delete"):
                faults.append(f"actions {kinds}")
            if not suggestion.get("label") or not suggestion.get("uuid"):
                faults.append("a suggestion without label or uuid")
        if "suggestions" in card and card.get("selectionBehavior") not in ("any", "at-most-one"):
            faults.append("selectionBehavior")
    return faults


def _empty(value: Any, path: str = "") -> list[str]:
    """The path of every null, empty text, empty array or empty object.

    A null that holds a place in a list of the client's own draft is that draft's own.
    """
    if value is None and ".resource." in path and path.endswith("]"):
        return []
    if value is None or value in ("", [], {}):
        return [path]
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in _empty(v, f"{path}.{k}" if path else k)]
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in _empty(v, f"{path}[{i}]")]
    return []


def _check(response: Any) -> None:
    """A response is either lawful cards or an OperationOutcome that says where."""
    assert response.status_code in (200, 400, 412), response.status_code
    body = response.get_json()
    if response.status_code == 200:
        assert _faults(body) == []
    else:
        _check_outcome(body)


def _check_outcome(body: dict[str, Any]) -> None:
    assert body["resourceType"] == "OperationOutcome"
    assert body["issue"]
    for issue in body["issue"]:
        assert issue["severity"] == "error"
        assert issue["diagnostics"]
        assert issue["expression"]


@pytest.mark.parametrize("stored", STORED, ids=NAMES)
def test_every_patient_gets_lawful_cards(clinic: FlaskClient, stored: Stored) -> None:
    """Every synthetic patient stands for one day, and all their cards are well formed."""
    assert as_of(stored.request) == TODAY
    _check(sent(clinic, stored.request))


@pytest.mark.parametrize(
    "new",
    [DROP, None, 7, "x", [], {}, [None]],
    ids=lambda new: "dropped" if new is DROP else str(new),
)
@pytest.mark.parametrize(
    "stored",
    [s for s in STORED if s.name in ("epic-like-oxycodone", "fever-and-injection", "car-crash")],
    ids=lambda stored: stored.name,
)
def test_each_element_may_be_broken(clinic: FlaskClient, stored: Stored, new: Any) -> None:
    """Every single element of three requests is taken away or replaced in turn."""
    for path in PLACES[stored.name]:
        request = stored.copy()
        put(request, path, new)

        _check(sent(clinic, request, address(stored.request)))


@st.composite
def damages(draw: st.DrawFn) -> tuple[Stored, list[tuple[Path, Any]]]:
    """A synthetic patient's request and one to four damages to it."""
    stored = draw(st.sampled_from(STORED))
    damage = st.tuples(st.sampled_from(PLACES[stored.name]), GARBAGE)
    return stored, draw(st.lists(damage, min_size=1, max_size=4))


@law(1500)
@given(damaged=damages())
def test_any_damage_is_refused_or_answered(
    clinic: FlaskClient, damaged: tuple[Stored, list[tuple[Path, Any]]]
) -> None:
    """Whatever elements are missing, null or of another kind, there is never a failure."""
    stored, changes = damaged
    request = stored.copy()
    for path, new in changes:
        put(request, path, new)

    _check(sent(clinic, request, address(stored.request)))


@law(400)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(DATES), st.sampled_from(ODD_TEXTS)), min_size=1, max_size=1
    )
)
def test_any_date_may_be_nonsense(
    clinic: FlaskClient, changes: list[tuple[tuple[Stored, Path], str]]
) -> None:
    """A date far off, half known or none at all never ends a call."""
    for (stored, path), text in changes:
        request = stored.copy()
        put(request, path, text)

        _check(sent(clinic, request))


# Hostile transport

SECRET = "Wilhelmina-Featherstonehaugh"
HOSTILE = {
    "5,000 levels deep": b'{"prefetch":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "100,000 levels deep": b'{"prefetch":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "opened and never closed": b"[" * 100_000,
    "NaN": b'{"hook": "patient-view", "x": NaN, "name": "%s"}' % SECRET.encode(),
    "Infinity": b'{"hook": "patient-view", "x": -Infinity, "name": "%s"}' % SECRET.encode(),
    "a number out of range": b'{"x": 1e999, "name": "%s"}' % SECRET.encode(),
    "a number of a million digits": b'{"x": %s}' % (b"9" * 1_000_000),
    "a member twice": b'{"name": "%s", "name": "%s"}' % (SECRET.encode(), SECRET.encode()),
    "invalid UTF-8": b'{"name": "%s\xff\xfe"}' % SECRET.encode(),
    "UTF-16": json.dumps({"name": SECRET}).encode("utf-16"),
    "half a surrogate pair": b'{"name": "%s\\ud800"}' % SECRET.encode(),
    "a control character": b'{"name": "%s\x01"}' % SECRET.encode(),
    "cut off": json.dumps(STORED[0].request).encode()[:-40],
    "cut off in a text": b'{"name": "%s' % SECRET.encode(),
    "nothing": b"",
    "an array": b'["%s"]' % SECRET.encode(),
    "a text": b'"%s"' % SECRET.encode(),
    "no JSON": b"<Patient><name>%s</name></Patient>" % SECRET.encode(),
    "an empty object": b"{}",
    "wrong kinds": b'{"hook": ["%s"], "hookInstance": 1, "context": "%s"}'
    % (SECRET.encode(), SECRET.encode()),
}
SERVICES = ("back-pain-patient-view", "back-pain-order-select", "back-pain-order-sign")


@pytest.mark.parametrize("suffix", ["", "/feedback"])
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_is_400_and_not_repeated(
    clinic: FlaskClient, body: bytes, suffix: str
) -> None:
    """The answer says what is wrong and where, and repeats nothing of what was sent."""
    for service in SERVICES:
        response = clinic.post(
            f"/cds-services/{service}{suffix}", data=body, content_type="application/json"
        )

        assert response.status_code == 400
        _check_outcome(response.get_json())
        assert SECRET not in response.text
        assert len(response.data) < 2_000


@pytest.mark.parametrize("suffix", ["", "/feedback"])
def test_nine_megabytes_are_too_much(clinic: FlaskClient, suffix: str) -> None:
    """A valid body beyond the limit is refused before it is read as JSON."""
    body = json.dumps({"name": SECRET, "x": "y" * 9 * 1024 * 1024})
    response = clinic.post(
        f"/cds-services/{SERVICES[0]}{suffix}", data=body, content_type="application/json"
    )

    assert response.status_code == 413
    _check_outcome(response.get_json())
    assert SECRET not in response.text


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/xml", "application/x-www-form-urlencoded", "x", "/"]
)
def test_a_body_that_is_not_called_json_is_415(clinic: FlaskClient, kind: str | None) -> None:
    """What a body is must be said; a form or a page is not read as JSON."""
    body = json.dumps({**STORED[0].request, "name": SECRET})
    response = clinic.post(address(STORED[0].request), data=body, content_type=kind)

    assert response.status_code == 415
    _check_outcome(response.get_json())
    assert SECRET not in response.text


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context", "fhirServer", "prefetch"])
@pytest.mark.parametrize("value", [None, True, 3, SECRET, [SECRET], {SECRET: SECRET}], ids=str)
def test_an_envelope_of_wrong_kinds_names_the_member(
    clinic: FlaskClient, member: str, value: Any
) -> None:
    """A developer reads which member is wrong, and no other text of the request."""
    request = {**STORED[0].copy(), member: value}
    response = sent(clinic, request, address(STORED[0].request))

    assert response.status_code in (200, 400, 412)
    assert SECRET not in response.text
    if response.status_code == 400:
        _check_outcome(response.get_json())
        named = [path for issue in response.get_json()["issue"] for path in issue["expression"]]
        assert all(path.startswith(member) for path in named), named
