"""Each kind of client gets cards it can show: choices, links, and readable text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from markdown_it import MarkdownIt

from cards.library import Library
from cards.markdown import escaped
from service.app import create_app
from service.plain_text import plain_text
from service.profile import (
    CHOOSE_ONE,
    EPIC,
    GENERIC,
    PLAIN,
    PROFILES,
    SANDBOX,
    fitted,
    leads_to,
    profile_named,
)
from service.settings import Settings, SettingsError, read_settings
from tests.fixture_cards import Fixture, fixtures
from tests.tokens import EHR
from tests.trusted import PUBLIC, SIGNER, bearer

CARDS = [
    pytest.param(card, id=f"{fixture.name}-{number}")
    for fixture in fixtures()
    for number, card in enumerate(fixture.expected.get("cards", ()))
]
CHOICES = [
    fixture
    for fixture in fixtures()
    if any(c.get("selectionBehavior") == "at-most-one" for c in fixture.expected.get("cards", ()))
]


def _card(**members: Any) -> dict[str, Any]:
    return {
        "summary": "Consider exercise",
        "indicator": "info",
        "detail": "**Exercise** helps.",
        "source": {"label": "Backpath", "url": "https://guide.example.org/a"},
        **members,
    }


def _choice(*labels: str) -> dict[str, Any]:
    return {
        "selectionBehavior": "at-most-one",
        "suggestions": [{"label": label, "actions": []} for label in labels],
    }


def test_a_generic_client_gets_the_card_as_it_is() -> None:
    """Whatever CDS Hooks 2.0 allows is left alone."""
    card = _card(**_choice("Naproxen", "Ibuprofen"), links=[{"url": "https://x.example.org"}])

    assert card == fitted(card, GENERIC)


@pytest.mark.parametrize("profile", [EPIC, SANDBOX], ids=lambda profile: profile.name)
def test_a_choice_is_said_in_words_where_it_cannot_be_enforced(profile: Any) -> None:
    """A client that lets both drugs be ordered is told to show that one is meant."""
    card = _card(**_choice("Naproxen", "Ibuprofen"))

    shown = fitted(card, profile)

    assert shown["selectionBehavior"] == "any"
    assert shown["detail"] == f"**Exercise** helps.\n\n{CHOOSE_ONE}"
    assert shown["suggestions"] == card["suggestions"]
    assert card["selectionBehavior"] == "at-most-one"


def test_a_single_order_is_no_choice() -> None:
    """One suggestion left of two is offered without a word about alternatives."""
    shown = fitted(_card(**_choice("Naproxen")), EPIC)

    assert shown["selectionBehavior"] == "any"
    assert CHOOSE_ONE not in shown["detail"]


def test_links_lead_only_where_was_registered() -> None:
    """Epic follows no link that was not registered; the rest of the card stays."""
    links = [
        {"label": "Guide", "url": "https://backpath.example.org/guide", "type": "absolute"},
        {"label": "Other", "url": "https://elsewhere.example.org/", "type": "absolute"},
    ]
    site = profile_named("epic", frozenset({"backpath.example.org"}))

    assert fitted(_card(links=links), site)["links"] == links[:1]
    assert "links" not in fitted(_card(links=links), EPIC)
    assert fitted(_card(links=links), EPIC)["source"] == {"label": "Backpath"}
    assert fitted(_card(links=links), GENERIC)["links"] == links


def test_a_site_may_limit_the_links_of_every_client() -> None:
    """With a list of hosts a generic client too gets no other links."""
    site = profile_named("generic", frozenset({"guide.example.org"}))

    shown = fitted(_card(links=[{"label": "x", "url": "https://elsewhere.example.org/"}]), site)

    assert "links" not in shown
    assert shown["source"]["url"] == "https://guide.example.org/a"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://guide.example.org/", "not encrypted"),
        ("https://guide.example.org.evil.example/", "a longer name"),
        ("https://evil.example/guide.example.org", "the name in the path"),
        ("https://guide.example.org@evil.example/", "the name as a user"),
        ("https://evil.example\\@guide.example.org/", "a backslash"),
        ("javascript:alert(1)//guide.example.org", "a script"),
        ("//guide.example.org/", "no scheme"),
        ("https://[guide.example.org", "no address at all"),
    ],
    ids=lambda value: None if ":" in value or "/" in value else value,
)
def test_a_host_is_not_easily_feigned(url: str, words: str) -> None:
    """Only https and exactly the listed host will do."""
    assert not leads_to(url, {"guide.example.org"})


def test_the_listed_host_is_found_in_any_case() -> None:
    """Host names have no capitals."""
    assert leads_to("https://GUIDE.example.org:8443/a", {"guide.example.org"})


def _words(markdown: str) -> Iterator[str]:
    """The words a renderer shows."""
    for token in MarkdownIt("commonmark").parse(markdown):
        yield from (child.content for child in token.children or () if child.type == "text")


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


@pytest.mark.parametrize("card", CARDS)
def test_plain_text_has_every_word(card: dict[str, Any]) -> None:
    """A client that renders nothing shows the same words, and no backslash or asterisk."""
    shown = fitted(card, PLAIN)["detail"]

    assert _letters("".join(_words(card["detail"]))) == _letters(shown)
    assert not set("\\*`<>[]") & set(shown)


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        ("Pain (left), 5-10 mg", "Pain (left), 5-10 mg"),
        ("eGFR <30 & falling", "eGFR ‹30 & falling"),
        ("<script>alert(1)</script>", "‹script›alert(1)‹/script›"),
        ("[a](javascript:b)", "(a)(javascript:b)"),
        ("![x](http://evil.example)", "!(x)(http ://evil.example)"),
        ("`*&lt;b&gt;*`", "'∗＆lt;b＆gt;∗'"),
    ],
)
def test_record_text_is_harmless_in_plain_text(recorded: str, shown: str) -> None:
    """Should a client render plain text after all, the record still holds nothing to render."""
    assert shown == plain_text(escaped(recorded))


def test_the_profile_is_a_setting() -> None:
    """A site names what its clients can show, and is told when there is no such thing."""
    assert read_settings({"BACKPATH_PROFILE": "Epic"}).profile == "epic"
    with pytest.raises(SettingsError, match="BACKPATH_PROFILE: must be one of generic, epic"):
        read_settings({"BACKPATH_PROFILE": "cerner"})


def test_hosts_are_a_setting() -> None:
    """Hosts are named, not addresses of pages."""
    hosts = read_settings({"BACKPATH_LINK_HOSTS": "A.example.org, b.example.org"}).link_hosts

    assert hosts == {"a.example.org", "b.example.org"}
    with pytest.raises(SettingsError, match="BACKPATH_LINK_HOSTS: must be names of hosts"):
        read_settings({"BACKPATH_LINK_HOSTS": "https://a.example.org/"})


def _client(settings: Settings, fixture: Fixture, library: Library) -> FlaskClient:
    return create_app(settings, today=lambda: fixture.as_of, library=library).test_client()


@pytest.mark.parametrize("name", PROFILES)
def test_the_response_fits_the_profile(name: str, settings: Settings, library: Library) -> None:
    """A call gets cards of the profile its site has chosen."""
    fixture = CHOICES[0]
    client = _client(replace(settings, profile=name), fixture, library)
    response = client.post(
        f"/cds-services/{fixture.service}",
        data=json.dumps(fixture.request),
        content_type="application/json",
    )
    behaviours = {c.get("selectionBehavior", "any") for c in response.get_json()["cards"]}

    assert response.status_code == 200
    assert behaviours <= PROFILES[name].selection_behaviours
    assert ("at-most-one" in behaviours) == (name in {"generic", "plain"})


def test_a_trusted_client_gets_its_own_profile(
    settings: Settings, library: Library, tmp_path: Path
) -> None:
    """Epic gets cards for Epic from a service whose other clients can show more."""
    fixture = CHOICES[0]
    listed = tmp_path / "clients.yaml"
    clients = [{"iss": EHR, "jwks": {"keys": [SIGNER.jwk()]}, "profile": "epic"}]
    listed.write_text(json.dumps(clients))
    closed = replace(settings, auth="required", public_base_url=PUBLIC, trusted_clients=listed)
    path = f"/cds-services/{fixture.service}"
    response = _client(closed, fixture, library).post(
        path, json=fixture.request, headers=bearer(path)
    )

    assert response.status_code == 200
    assert {card.get("selectionBehavior", "any") for card in response.get_json()["cards"]} == {
        "any"
    }
