"""The same order, first selected and then signed: the same cards, under the same topics."""

from __future__ import annotations

from copy import deepcopy

import pytest

from tests.drug_calls import JSON, client
from tests.fixture_cards import Fixture, fixtures

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


@pytest.mark.parametrize("fixture", SELECTED, ids=lambda fixture: fixture.name)
def test_signing_says_what_selecting_said(fixture: Fixture) -> None:
    """Same topic, indicator and words, so that a client can tell a card it has shown before.

    Only the uuids are new, as for each response.
    """
    request = selected_only(fixture)
    selecting, signed = answer(fixture, request), answer(fixture, signing(request))

    assert without_uuids(signed) == without_uuids(selecting)
    assert not uuids(signed) & uuids(selecting)


def test_the_same_call_twice_says_the_same() -> None:
    """Nothing is remembered between calls: a card does not fade because it was shown."""
    fixture = next(f for f in SELECTED if f.name == "ibuprofen-apixaban")
    request = signing(selected_only(fixture))
    first, second = answer(fixture, request), answer(fixture, request)

    assert first
    assert without_uuids(first) == without_uuids(second)
