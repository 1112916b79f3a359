"""What makes a card legal for a client: rules with ids, each told where it is broken."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.lint_suggestions import (
    Card,
    Faults,
    action_faults,
    actions_of,
    objects,
    selection_faults,
    suggestion_faults,
    suggestions_of,
)
from service.lint_text import shown_texts, text_faults
from service.profile import Profile, leads_to, leads_to_this_machine

# CDS Hooks 2.0.1: fewer than 140. https://cds-hooks.hl7.org/2.0/#card-attributes
LONGEST_SUMMARY = 139
# Ours: what nobody reads any more, and what a client may find too large to lay out.
LONGEST_DETAIL = 10_000
LARGEST_CARD_BYTES = 65_536

CARD = frozenset(
    {"uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior"}
    | {"overrideReasons", "links", "extension"}
)
SUGGESTION = frozenset({"label", "uuid", "isRecommended", "actions", "extension"})
ACTION = frozenset({"type", "description", "resource", "resourceId", "extension"})
LISTS = frozenset({"suggestions", "overrideReasons", "links"})
CODING = ("code", "system", "display")
_STATIC_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule broken by one card.

    Attributes:
        card: which card of the response, from 0.
        rule: the id of the rule.
        where: the place within the card, such as ``suggestions[0].label``.
        text: what is wrong there, without any text of the card.
    """

    card: int
    rule: str
    where: str
    text: str


def lint(cards: Sequence[Card], profile: Profile) -> list[Fault]:
    """Every rule that the cards of one response break for clients of this profile."""
    faults = [
        Fault(number, rule, where, text)
        for number, card in enumerate(cards)
        for rule, broken in RULES.items()
        for where, text in broken(card, profile)
    ]
    return faults + list(_repeated_uuids(cards))


def _members(card: Card, _: Profile) -> Faults:
    yield from _unknown(card, CARD, "")
    for name in sorted(LISTS & set(card)):
        if not isinstance(card[name], list) or len(objects(card, name)) < len(card[name]):
            yield name, "must be a list of objects"
    for where, suggestion in suggestions_of(card):
        yield from _unknown(suggestion, SUGGESTION, f"{where}.")
    for where, action in actions_of(card):
        yield from _unknown(action, ACTION, f"{where}.")


def _unknown(part: Card, known: frozenset[str], where: str) -> Faults:
    for name in sorted(set(part) - known):
        yield f"{where}{name}", "is not a member of CDS Hooks 2.0"


def _nothing(card: Card, _: Profile) -> Faults:
    for where in _empty(card, ""):
        yield where, "is null or empty"


def _empty(value: Any, where: str) -> Iterator[str]:
    if value is None or value in ("", [], {}):
        yield where
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            # A draft is the client's own, and given back as it came.
            if name != "resource":
                yield from _empty(inner, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _empty(inner, f"{where}[{number}]")


def _uuid(card: Card, _: Profile) -> Faults:
    for where, part in (("", card), *((f"{w}.", s) for w, s in suggestions_of(card))):
        if not _is_uuid(part.get("uuid")):
            yield f"{where}uuid", "must be a UUID in small letters"


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _repeated_uuids(cards: Sequence[Card]) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, card in enumerate(cards):
        for where, part in (("", card), *((f"{w}.", s) for w, s in suggestions_of(card))):
            value = part.get("uuid")
            if not isinstance(value, str):
                continue
            if value in seen:
                yield Fault(number, "uuid", f"{where}uuid", "is borne by another part too")
            seen.add(value)


def _summary(card: Card, _: Profile) -> Faults:
    summary = card.get("summary")
    if not isinstance(summary, str) or not 0 < len(summary) <= LONGEST_SUMMARY:
        yield "summary", f"must be a text of 1 to {LONGEST_SUMMARY} characters"
    elif summary != " ".join(summary.split()):
        yield "summary", "must be one line without spare blanks"


def _indicator(card: Card, _: Profile) -> Faults:
    if card.get("indicator") not in ("info", "warning", "critical"):
        yield "indicator", "must be info, warning or critical"


def _source(card: Card, profile: Profile) -> Faults:
    source = card.get("source")
    if not isinstance(source, Mapping) or not isinstance(source.get("label"), str):
        yield "source.label", "must be a text"
        return
    if "url" in source and not _may_link(str(source["url"]), profile):
        yield "source.url", "must be https and lead to a host of the client's list"


def _may_link(url: str, profile: Profile) -> bool:
    """Whether a link may be followed; one without https stays on the machine of who tries us."""
    if leads_to(url, profile.link_hosts):
        return True
    return profile.link_hosts is None and leads_to_this_machine(url)


def _topic(card: Card, profile: Profile) -> Faults:
    source = card.get("source")
    topic: Any = source.get("topic") if isinstance(source, Mapping) else None
    if not _is_coding(topic):
        yield "source.topic", "must be a coding with code, system and display"
        return
    code = topic["code"]
    if not _STATIC_CODE.fullmatch(code):
        yield "source.topic.code", "must be the fixed id of a recommendation"
    if profile.longest_topic is not None and len(code) > profile.longest_topic:
        yield "source.topic.code", f"must have {profile.longest_topic} characters at most"


def _is_coding(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(value.get(name), str) for name in CODING)


def _override(card: Card, _: Profile) -> Faults:
    codes: set[tuple[str, str]] = set()
    for where, reason in objects(card, "overrideReasons"):
        if not _is_coding(reason):
            yield where, "must be a coding with code, system and display"
        elif (reason["system"], reason["code"]) in codes:
            yield where, "is given twice"
        else:
            codes.add((reason["system"], reason["code"]))


def _links(card: Card, profile: Profile) -> Faults:
    for where, link in objects(card, "links"):
        if not isinstance(link.get("label"), str) or not link["label"].strip():
            yield f"{where}.label", "must be a text"
        if not _may_link(str(link.get("url")), profile):
            yield f"{where}.url", "must be https and lead to a host of the client's list"
        if link.get("type") not in ("absolute", "smart"):
            yield f"{where}.type", "must be absolute or smart"
        if "appContext" in link and link.get("type") != "smart":
            yield f"{where}.appContext", "is for links of type smart only"


def _extension(card: Card, _: Profile) -> Faults:
    extension = card.get("extension", {})
    if not isinstance(extension, Mapping) or not all("." in name for name in extension):
        yield "extension", "must be an object whose members bear reverse domain names"


def _size(card: Card, _: Profile) -> Faults:
    if len(str(card.get("detail", ""))) > LONGEST_DETAIL:
        yield "detail", f"must have {LONGEST_DETAIL} characters at most"
    if len(json.dumps(card)) > LARGEST_CARD_BYTES:
        yield "$this", f"must have {LARGEST_CARD_BYTES} bytes at most"


def _text(kind: str) -> Callable[[Card, Profile], Faults]:
    """The rule of ``lint_text`` of this name, for every text that is shown."""

    def broken(card: Card, profile: Profile) -> Faults:
        for where, text in shown_texts(card):
            form = profile.detail if where == "detail" else "plain"
            for rule, wrong in text_faults(text, form):
                if rule == kind:
                    yield where, wrong

    return broken


RULES: Mapping[str, Callable[[Card, Profile], Faults]] = {
    "members": _members,
    "nothing-empty": _nothing,
    "uuid": _uuid,
    "summary": _summary,
    "indicator": _indicator,
    "source": _source,
    "topic": _topic,
    "selection-behaviour": selection_faults,
    "suggestion": suggestion_faults,
    "action": action_faults,
    "override-reasons": _override,
    "links": _links,
    "extension": _extension,
    "size": _size,
    "markdown": _text("markdown"),
    "html": _text("html"),
    "link-in-text": _text("link-in-text"),
    "characters": _text("characters"),
}
