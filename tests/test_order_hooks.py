"""The same order, first selected and then signed: the same cards, in fewer words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from functools import cache

import pytest
import yaml

from cards.library import Library, load_library
from cards.recommendation import Recommendation
from tests.drug_calls import JSON, client
from tests.fixture_cards import HOUSE, Fixture, fixtures

RECOMMENDATIONS = HOUSE / "cards" / "recommendations"
SELECTED = [fixture for fixture in fixtures() if fixture.request["hook"] == "order-select"]


def selected_only(fixture: Fixture) -> JSON:
    """The call with the selected drafts alone, so that signing evaluates the same ones."""
    request = deepcopy(fixture.request)
    context = request["context"]
    chosen = set(context["selections"])
    context["draftOrders"]["entry"] = [
        entry
        for entry in context["draftOrders"].get("entry", ())
        if f"{entry['resource']['resourceType']}/{entry['resource'].get('id')}" in chosen
    ]
    return request


def signing(request: JSON) -> JSON:
    """The same call when the orders are signed."""
    context = {name: value for name, value in request["context"].items() if name != "selections"}
    return {**request, "hook": "order-sign", "context": context}


def answer(fixture: Fixture, request: JSON) -> list[JSON]:
    service = f"/cds-services/back-pain-{request['hook']}"
    response = client(day=fixture.as_of).post(service, json=request)
    assert response.status_code == 200
    found: list[JSON] = response.get_json()["cards"]
    return found


def without_uuids(cards: list[JSON]) -> list[JSON]:
    bare = deepcopy(cards)
    for card in bare:
        del card["uuid"]
        for suggestion in card.get("suggestions", ()):
            del suggestion["uuid"]
    return bare


def uuids(cards: list[JSON]) -> set[str]:
    suggestions = [one for card in cards for one in card.get("suggestions", ())]
    return {one["uuid"] for one in (*cards, *suggestions)}


def without_detail(cards: list[JSON]) -> list[JSON]:
    return [{name: v for name, v in card.items() if name != "detail"} for card in cards]


@cache
def both(name: str) -> tuple[list[JSON], list[JSON]]:
    """The cards of one fixture when its drafts are selected, and when they are signed."""
    fixture = next(one for one in SELECTED if one.name == name)
    request = selected_only(fixture)
    return answer(fixture, request), answer(fixture, signing(request))


def cards_of_both(name: str) -> list[tuple[JSON, JSON]]:
    return list(zip(*both(name), strict=True))


NAMES = [fixture.name for fixture in SELECTED]


@pytest.mark.parametrize("name", NAMES)
def test_signing_shows_what_selecting_showed(name: str) -> None:
    """Same topic, summary, indicator, grounds and suggestions: a client can tell a card it knows.

    Only the uuids are new, as for each response, and the detail may be shorter.
    """
    selecting, signed = both(name)

    assert without_detail(without_uuids(signed)) == without_detail(without_uuids(selecting))
    assert not uuids(signed) & uuids(selecting)


def lines(card: JSON) -> list[str]:
    return [line for line in card["detail"].splitlines() if line]


LEFT_OUT = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))["card"].get("left_out_when_signed", [])
    for path in sorted(RECOMMENDATIONS.glob("*.yaml"))
}


def beyond_duty(card: JSON, content: Library) -> list[str]:
    """Sentences of a card that signing leaves out, and its paragraphs on differing sources."""
    ids = card["extension"]["org.backpath.card"]["recommendations"]
    sentences = [sentence for name in ids for sentence in LEFT_OUT[name]]
    return [words for words in (*sentences, *content.conflicts.values()) if words in card["detail"]]


def sentences_of(card: JSON) -> set[str]:
    return {part.lstrip("- ") for line in lines(card) for part in re.split(r"(?<=[.]) ", line)}


@pytest.mark.parametrize("name", NAMES)
def test_signing_says_it_in_fewer_words(name: str, library: Library) -> None:
    """A card that is not critical leaves out what lies beyond its duty, and says nothing new."""
    for selected, signed in cards_of_both(name):
        if selected["indicator"] != "critical":
            beyond = beyond_duty(selected, library)
            shorter = len(signed["detail"]) < len(selected["detail"])

            assert shorter == bool(beyond)
            assert not any(words in signed["detail"] for words in beyond)
        assert sentences_of(signed) <= sentences_of(selected)


def test_most_cards_are_shorter_when_signed() -> None:
    """Of the cards of all stored calls that are not critical, more than half say less."""
    pairs = [p for name in NAMES for p in cards_of_both(name) if p[0]["indicator"] != "critical"]
    shorter = [p for p in pairs if len(p[1]["detail"]) < len(p[0]["detail"])]

    assert len(shorter) > len(pairs) / 2


@pytest.mark.parametrize("name", NAMES)
def test_what_is_critical_is_signed_whole(name: str, library: Library) -> None:
    """Not a sentence of the leading recommendation is left out."""
    for selected, signed in cards_of_both(name):
        if selected["indicator"] == "critical":
            leader = library.recommendations[selected["source"]["topic"]["code"]]

            assert signed["detail"].startswith(leader.detail)
            if selected["extension"]["org.backpath.card"]["recommendations"] == [leader.id]:
                assert signed["detail"] == selected["detail"]


CALCULATED = re.compile(r"Calculated from the record:\n\n((?:- .*\n?)+)")
KEPT = (
    "Found in the record: ",
    "Not found in the record: ",
    "Could not be checked: ",
    "*Sources: ",
)


@pytest.mark.parametrize("name", NAMES)
def test_signing_keeps_grounds_and_calculations(name: str) -> None:
    """What was found, not found, not checked and calculated, and the sources, word for word."""
    for selected, signed in cards_of_both(name):
        for start in KEPT:
            assert [x for x in lines(selected) if x.startswith(start)] == [
                x for x in lines(signed) if x.startswith(start)
            ]
        assert CALCULATED.findall(selected["detail"]) == CALCULATED.findall(signed["detail"])


# What the wording may never lose


CONTENT = load_library()
ON_ORDERS = [r for r in CONTENT.recommendations.values() if "order-sign" in r.hooks]
# Which factors count for naloxone is told by the grounds of the card, from the record.
TOLD_BY_THE_GROUNDS = {"factors"}


def duty_words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in re.findall(r"[a-z]{4,}|[0-9]+", text.lower())}


@pytest.mark.parametrize("told", ON_ORDERS, ids=lambda told: told.id)
def test_signing_still_says_every_duty(told: Recommendation) -> None:
    """Every word of ``must_say`` that the detail says, the brief wording or summary says too."""
    card = yaml.safe_load((RECOMMENDATIONS / f"{told.id}.yaml").read_text("utf-8"))["card"]
    duty = duty_words(card["must_say"])
    brief = duty_words([told.brief, told.summary])

    assert (duty & duty_words([told.detail])) - TOLD_BY_THE_GROUNDS <= brief


@pytest.mark.parametrize("told", ON_ORDERS, ids=lambda told: told.id)
def test_signing_keeps_the_words_against_harm(told: Recommendation) -> None:
    """No abrupt stop; on opioid and NSAID cards that drugs may be missing from the record."""
    assert ("abrupt" in told.brief) == ("abrupt" in told.detail)
    if told.merge_group in ("opioid-safety", "nsaid-safety"):
        assert ("ver-the-counter" in told.brief) == ("ver-the-counter" in told.detail)
    if told.merge_group == "red-flag":
        assert told.brief == told.detail


def test_the_same_call_twice_says_the_same() -> None:
    """Nothing is remembered between calls: a card does not fade because it was shown."""
    fixture = next(f for f in SELECTED if f.name == "ibuprofen-apixaban")
    request = signing(selected_only(fixture))
    first, second = answer(fixture, request), answer(fixture, request)

    assert first
    assert without_uuids(first) == without_uuids(second)
