"""``backpath lint-cards`` finds every card a client could not take, and no other."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.lint import RULES, lint
from service.profile import EPIC, GENERIC, PLAIN, PROFILES, Profile
from tests.conftest import HOUSE

Change = Callable[[dict[str, Any]], Any]


def _uuid(number: int) -> str:
    return str(UUID(int=number, version=4))


SOUND: dict[str, Any] = {
    "uuid": _uuid(1),
    "summary": "Consider exercise",
    "indicator": "info",
    "detail": "**Exercise** helps.\n\n- daily\n  - at home\n\n*Sources: some.*",
    "source": {
        "label": "Backpath",
        "topic": {"system": "urn:backpath:recommendation", "code": "exercise", "display": "Move"},
    },
    "suggestions": [
        {
            "label": "Refer to physiotherapy",
            "uuid": _uuid(2),
            "actions": [
                {
                    "type": "create",
                    "description": "Refer to physiotherapy",
                    "resource": {"resourceType": "ServiceRequest", "status": "draft"},
                }
            ],
        }
    ],
    "selectionBehavior": "any",
    "overrideReasons": [
        {"system": "urn:backpath:override-reason", "code": "done", "display": "Done already"}
    ],
    "links": [{"label": "Guide", "url": "https://guide.example.org/", "type": "absolute"}],
    "extension": {"org.backpath.card": {"recommendations": ["exercise"]}},
}


def _set(*path: str | int, to: Any) -> Change:
    """A change of one member of a card."""

    def change(card: dict[str, Any]) -> None:
        part: Any = card
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = to

    return change


def _drop(*path: str | int) -> Change:
    def change(card: dict[str, Any]) -> None:
        part: Any = card
        for step in path[:-1]:
            part = part[step]
        del part[path[-1]]

    return change


ACTION = ("suggestions", 0, "actions", 0)
BROKEN: list[tuple[str, str, Profile, Change]] = [
    ("members", "colour", GENERIC, _set("colour", to="red")),
    ("members", "links", GENERIC, _set("links", to=["https://guide.example.org/"])),
    (
        "members",
        "suggestions[0].actionSelectionBehavior",
        GENERIC,
        _set("suggestions", 0, "actionSelectionBehavior", to="all"),
    ),
    ("nothing-empty", "links", GENERIC, _set("links", to=[])),
    ("nothing-empty", "source.url", GENERIC, _set("source", "url", to=None)),
    ("uuid", "uuid", GENERIC, _drop("uuid")),
    ("uuid", "uuid", GENERIC, _set("uuid", to="URN:UUID:1")),
    ("uuid", "suggestions[0].uuid", GENERIC, _drop("suggestions", 0, "uuid")),
    ("uuid", "suggestions[0].uuid", GENERIC, _set("suggestions", 0, "uuid", to=_uuid(1))),
    ("summary", "summary", GENERIC, _set("summary", to="x" * 140)),
    ("summary", "summary", GENERIC, _set("summary", to="two\nlines")),
    ("summary", "summary", GENERIC, _drop("summary")),
    ("indicator", "indicator", GENERIC, _set("indicator", to="hard-stop")),
    ("source", "source.label", GENERIC, _drop("source", "label")),
    ("source", "source.url", GENERIC, _set("source", "url", to="http://guide.example.org")),
    ("source", "source.url", EPIC, _set("source", "url", to="https://guide.example.org")),
    ("source", "source.url", EPIC, _set("source", "url", to="http://localhost:8000/a")),
    ("topic", "source.topic", GENERIC, _drop("source", "topic", "system")),
    ("topic", "source.topic.code", GENERIC, _set("source", "topic", "code", to="Exercise 3")),
    ("topic", "source.topic.code", EPIC, _set("source", "topic", "code", to="x" * 101)),
    ("selection-behaviour", "selectionBehavior", EPIC, _set("selectionBehavior", to="at-most-one")),
    ("selection-behaviour", "selectionBehavior", GENERIC, _drop("selectionBehavior")),
    ("selection-behaviour", "selectionBehavior", GENERIC, _drop("suggestions")),
    (
        "selection-behaviour",
        "suggestions[1]",
        GENERIC,
        lambda card: card.update(
            selectionBehavior="at-most-one",
            suggestions=[
                {**card["suggestions"][0], "uuid": _uuid(n), "isRecommended": True} for n in (8, 9)
            ],
        ),
    ),
    ("suggestion", "suggestions[0].label", GENERIC, _set("suggestions", 0, "label", to=" ")),
    (
        "suggestion",
        "suggestions[0].actions",
        EPIC,
        lambda card: card["suggestions"][0]["actions"].append(
            {"type": "delete", "description": "Remove", "resourceId": "ServiceRequest/1"}
        ),
    ),
    ("action", "suggestions[0].actions[0].type", GENERIC, _set(*ACTION, "type", to="remove")),
    ("action", "suggestions[0].actions[0].description", EPIC, _drop(*ACTION, "description")),
    ("action", "suggestions[0].actions[0].resource", GENERIC, _drop(*ACTION, "resource")),
    (
        "action",
        "suggestions[0].actions[0].resource.id",
        GENERIC,
        _set(*ACTION, "type", to="update"),
    ),
    (
        "action",
        "suggestions[0].actions[0].resourceId",
        GENERIC,
        _set(*ACTION, to={"type": "delete", "description": "Remove", "resourceId": "1"}),
    ),
    ("override-reasons", "overrideReasons[0]", GENERIC, _drop("overrideReasons", 0, "display")),
    (
        "override-reasons",
        "overrideReasons[1]",
        GENERIC,
        lambda card: card["overrideReasons"].append(card["overrideReasons"][0]),
    ),
    ("links", "links[0].url", EPIC, _set("links", 0, "label", to="Guide")),
    ("links", "links[0].url", GENERIC, _set("links", 0, "url", to="javascript:alert(1)")),
    ("links", "links[0].label", GENERIC, _drop("links", 0, "label")),
    ("links", "links[0].type", GENERIC, _set("links", 0, "type", to="launch")),
    ("links", "links[0].appContext", GENERIC, _set("links", 0, "appContext", to="x")),
    ("extension", "extension", GENERIC, _set("extension", to={"card": {"a": 1}})),
    ("size", "detail", GENERIC, _set("detail", to="x" * 10_001)),
    ("size", "$this", GENERIC, _set(*ACTION, "resource", "note", to="x" * 65_536)),
    ("markdown", "detail", GENERIC, _set("detail", to="# Exercise")),
    ("markdown", "detail", GENERIC, _set("detail", to="`code`")),
    ("markdown", "detail", GENERIC, _set("detail", to="a | b\n--|--\n1 | 2")),
    ("markdown", "detail", GENERIC, _set("detail", to="> quoted")),
    ("markdown", "detail", PLAIN, _set("detail", to="5\\-10 mg, **daily**")),
    ("markdown", "summary", GENERIC, _set("summary", to="**Consider** exercise")),
    ("html", "detail", GENERIC, _set("detail", to="Exercise <b>daily</b>")),
    ("html", "detail", GENERIC, _set("detail", to="<script>alert(1)</script>")),
    ("html", "suggestions[0].label", GENERIC, _set("suggestions", 0, "label", to="a<br>b")),
    (
        "html",
        "overrideReasons[0].display",
        GENERIC,
        _set("overrideReasons", 0, "display", to="&lt;"),
    ),
    ("link-in-text", "detail", GENERIC, _set("detail", to="[a](https://evil.example)")),
    ("link-in-text", "detail", GENERIC, _set("detail", to="![a](https://evil.example)")),
    ("link-in-text", "detail", GENERIC, _set("detail", to="<https://evil.example>")),
    ("link-in-text", "detail", GENERIC, _set("detail", to="http\\:\\/\\/evil\\.example")),
    ("link-in-text", "summary", GENERIC, _set("summary", to="See www.evil.example")),
    ("characters", "summary", GENERIC, _set("summary", to="Consider \u202eesicrexe")),
    ("characters", "detail", GENERIC, _set("detail", to="Exercise\u200b")),
]


def _faults(card: dict[str, Any], profile: Profile) -> set[tuple[str, str]]:
    return {(fault.rule, fault.where) for fault in lint([card], profile)}


@pytest.mark.parametrize("profile", [GENERIC, PLAIN], ids=lambda profile: profile.name)
def test_a_sound_card_breaks_no_rule(profile: Profile) -> None:
    """Nobody is sent to look for a fault that is not there."""
    card = copy.deepcopy(SOUND)
    if profile is PLAIN:
        card["detail"] = "Exercise helps.\n\n- daily (5-10 min)"

    assert set() == _faults(card, profile)


def test_a_link_to_the_machine_of_who_tries_us_is_legal() -> None:
    """A service on one's own machine has no certificate, and its cards lead to its pages."""
    card = copy.deepcopy(SOUND)
    card["source"]["url"] = "http://127.0.0.1:8000/recommendations/yoga"

    assert set() == _faults(card, GENERIC)


@pytest.mark.parametrize(
    ("rule", "where", "profile", "change"),
    BROKEN,
    ids=[f"{rule}-{where}-{number}" for number, (rule, where, _, _) in enumerate(BROKEN)],
)
def test_a_broken_card_is_found(rule: str, where: str, profile: Profile, change: Change) -> None:
    """Each thing a client would stumble over is told with its rule and its place."""
    card = copy.deepcopy(SOUND)
    change(card)

    assert (rule, where) in _faults(card, profile)


def test_every_rule_can_be_broken() -> None:
    """No rule stands here unproven."""
    assert set(RULES) == {rule for rule, _, _, _ in BROKEN}


def test_a_uuid_is_borne_once_in_a_response() -> None:
    """Feedback on one card must not be taken for feedback on another."""
    twice = [copy.deepcopy(SOUND), copy.deepcopy(SOUND)]

    assert {(f.card, f.rule) for f in lint(twice, GENERIC)} == {(1, "uuid")}


@pytest.mark.parametrize("value", [None, 1, "x", [], ["x"], {}, {"x": 1}], ids=str)
@pytest.mark.parametrize("name", sorted(SOUND))
def test_a_member_of_any_kind_is_told_and_not_stumbled_over(name: str, value: Any) -> None:
    """The linter itself survives every card."""
    card = {**copy.deepcopy(SOUND), name: value}

    lint([card], EPIC)


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["lint-cards", *arguments])


def _stored(folder: Path, card: dict[str, Any]) -> str:
    path = folder / "response.json"
    path.write_text(json.dumps({"cards": [card]}))
    return str(path)


def test_every_fixture_gets_legal_cards_whatever_the_client() -> None:
    """The cards of every synthetic patient are legal for each profile."""
    result = _run()

    assert result.stdout == ""
    assert result.exit_code == 0
    assert result.stderr.endswith(" 0 faults\n")


def test_a_stored_response_is_linted_as_it_is(tmp_path: Path) -> None:
    """An integrator reads file, card, client, place and rule, and the command fails."""
    path = _stored(tmp_path, {**SOUND, "selectionBehavior": "at-most-one"})
    result = _run(path, "--profile", "epic", "--profile", "generic")
    first, *_ = result.stdout.splitlines()

    assert result.exit_code == 1
    assert first == (
        f"{path}: card 0 for epic: selectionBehavior must be any [selection-behaviour]"
    )
    assert "for generic" not in result.stdout


def test_a_stored_request_is_answered_first() -> None:
    """A request of one's own gets the cards its client would get."""
    request = HOUSE / "fhir_fixtures" / "cauda-equina-with-sciatica" / "request.json"
    result = _run(str(request))

    assert result.exit_code == 0
    assert result.stderr == f"1 files, {len(PROFILES)} cards, 0 faults\n"


@pytest.mark.parametrize("text", ["[]", "{", '{"cards": ["x"]}', '{"cards": 1}'])
def test_what_is_no_response_is_told(tmp_path: Path, text: str) -> None:
    """A wrong file ends the command with a sentence."""
    path = tmp_path / "response.json"
    path.write_text(text)
    result = _run(str(path))

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output
