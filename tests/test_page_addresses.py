"""The source of every card leads to the page of its recommendation, where there is one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.library import Library
from service.app import create_app
from service.settings import Settings
from tests.conftest import A_DAY, BACK_PAIN, bundle, call


def _call() -> dict[str, Any]:
    """A chart with a year of back pain and nothing else."""
    asked = call()
    asked["prefetch"]["conditions"] = bundle(BACK_PAIN)
    return asked


Asking = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def sources_of(library: Library, settings: Settings) -> Asking:
    """Gives the sources of the cards of a call, under other settings or another host."""

    def ask(host: str = "cds.example.org", **changed: Any) -> list[dict[str, Any]]:
        app = create_app(replace(settings, **changed), today=lambda: A_DAY, library=library)
        answer = app.test_client().post(
            "/cds-services/back-pain-patient-view", json=_call(), headers={"Host": host}
        )
        cards = json.loads(answer.data)["cards"]
        assert cards
        return [card["source"] for card in cards]

    return ask


def test_a_card_leads_to_the_page_of_its_recommendation(
    sources_of: Asking, client: FlaskClient
) -> None:
    """The source of every card is an absolute address under the host that was called."""
    for source in sources_of():
        path = f"/recommendations/{source['topic']['code']}"

        assert source["url"] == f"http://cds.example.org{path}"
        assert client.get(path).status_code == 200


def test_the_public_address_comes_before_the_host_called(sources_of: Asking) -> None:
    """Behind a proxy the address is that which the site has told us."""
    for source in sources_of(public_base_url="https://backpath.example.org/a"):
        assert source["url"].startswith("https://backpath.example.org/a/recommendations/")


def test_no_address_where_no_pages_are_served(sources_of: Asking) -> None:
    """A link that leads nowhere is not given."""
    assert all("url" not in source for source in sources_of(pages="off"))


@pytest.mark.parametrize("host", ["x.example'onclick", "a b", 'x"y', "<b>"])
def test_a_host_that_is_none_is_not_repeated(sources_of: Asking, host: str) -> None:
    """What a client calls us by is part of a link only when it is a host."""
    assert all("url" not in source for source in sources_of(host))


def test_a_client_that_follows_no_links_gets_none(sources_of: Asking) -> None:
    """Epic opens registered addresses only; the site registers its own to have them."""
    https = {"public_base_url": "https://backpath.example.org", "profile": "epic"}
    registered = frozenset({"backpath.example.org"})

    assert all("url" not in source for source in sources_of(**https))
    assert all("url" in source for source in sources_of(**https, link_hosts=registered))
