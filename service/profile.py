"""What a kind of client can show, and a card made to fit it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit

from service.plain_text import plain_text

JSON = dict[str, Any]
AT_MOST_ONE = "at-most-one"
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
# Said in words where the client cannot be told: two of them together may be one drug twice.
CHOOSE_ONE = "The orders offered here are alternatives: choose at most one."


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of client can show.

    Attributes:
        name: what settings and the list of trusted clients call it.
        selection_behaviours: the values of ``selectionBehavior`` it knows.
        detail: whether it renders Markdown, or shows the text as it is sent.
        longest_topic: characters it keeps of ``source.topic.code``; None when there is no limit.
        link_hosts: hosts a link may lead to, in small letters; None lets any through.
    """

    name: str
    selection_behaviours: frozenset[str] = frozenset({"any", AT_MOST_ONE})
    detail: Literal["markdown", "plain"] = "markdown"
    longest_topic: int | None = None
    link_hosts: frozenset[str] | None = None


# Whatever CDS Hooks 2.0 allows.
GENERIC = Profile("generic")
# Knows "any" only, forgets an override when the topic is longer, and follows no link that was not
# registered beforehand. Each action is shown by its description.
EPIC = Profile(
    "epic",
    selection_behaviours=frozenset({"any"}),
    longest_topic=100,
    link_hosts=frozenset(),
)
# Makes a button of every suggestion and ignores selectionBehavior, so a choice is said in words.
SANDBOX = Profile("sandbox", selection_behaviours=frozenset({"any"}))
# A client of its own kind that shows the source text of the detail.
PLAIN = Profile("plain", detail="plain")

PROFILES: Mapping[str, Profile] = {
    profile.name: profile for profile in (GENERIC, EPIC, SANDBOX, PLAIN)
}


@cache
def profile_named(name: str, link_hosts: frozenset[str] = frozenset()) -> Profile:
    """The profile of this name for a site whose links lead to these hosts.

    Args:
        link_hosts: where links may lead; empty leaves it to the profile.

    Raises:
        KeyError: there is no profile of this name.
    """
    profile = PROFILES[name]
    if not link_hosts:
        return profile
    return replace(profile, link_hosts=(profile.link_hosts or frozenset()) | link_hosts)


def fitted(card: Mapping[str, Any], profile: Profile) -> JSON:
    """The card as a client of this profile can show it; what fits already is left alone."""
    fit = dict(card)
    if fit.get("selectionBehavior", "any") not in profile.selection_behaviours:
        fit |= _as_any(fit)
    if profile.link_hosts is not None:
        fit = _without_foreign_links(fit, profile.link_hosts)
    if profile.detail == "plain" and "detail" in fit:
        fit["detail"] = plain_text(fit["detail"])
    return fit


def _as_any(card: Mapping[str, Any]) -> JSON:
    """``selectionBehavior`` "any", and what it said before in words.

    Where one suggestion is offered there is no choice to speak of.
    """
    if len(card.get("suggestions", ())) < 2:
        return {"selectionBehavior": "any"}
    detail = "\n\n".join(part for part in (card.get("detail"), CHOOSE_ONE) if part)
    return {"selectionBehavior": "any", "detail": detail}


def _without_foreign_links(card: JSON, hosts: Collection[str]) -> JSON:
    """The card without links and source addresses that lead elsewhere."""
    kept = [link for link in card.get("links", ()) if leads_to(link["url"], hosts)]
    fit = {name: value for name, value in card.items() if name != "links"}
    source = card.get("source", {})
    if "url" in source and not leads_to(source["url"], hosts):
        fit["source"] = {name: value for name, value in source.items() if name != "url"}
    return {**fit, "links": kept} if kept else fit


def leads_to(url: str, hosts: Collection[str] | None) -> bool:
    """Whether a link is https and leads to one of these hosts; None stands for any host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if "\\" in url:  # browsers read it as a slash, and lead elsewhere
        return False
    known = hosts is None or (parts.hostname or "") in hosts
    return parts.scheme == "https" and bool(parts.hostname) and known


def leads_to_this_machine(url: str) -> bool:
    """Whether a link leads to the machine it is followed on, where nothing listens in between."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and "\\" not in url and parts.hostname in THIS_MACHINE
