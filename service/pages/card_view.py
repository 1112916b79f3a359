"""A card as a record system shows it: nothing of it is trusted, its Markdown least of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from service.pages.card_text import as_html_with_links

WORDS = {"info": "For information", "warning": "Warning", "critical": "Critical"}
# The label of a removal says as much.
DEEDS = {"create": "adds an order", "update": "changes the order"}
BEHAVIOURS = {"at-most-one": "Choose at most one.", "any": "", "all": "These belong together."}
RECOMMENDATION = "urn:backpath:recommendation"


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A suggestion as a button.

    Attributes:
        deed: what accepting it does to the orders, in words; empty where the label says it.
        about: what its actions say beyond the label.
    """

    uuid: str
    label: str
    deed: str
    about: str


@dataclass(frozen=True, slots=True)
class LinkView:
    """A link out of a card; ``starts_app`` when it is the launch of a SMART app."""

    label: str
    url: str
    starts_app: bool


@dataclass(frozen=True, slots=True)
class ReasonView:
    """A reason for not following a card."""

    code: str
    system: str
    display: str


@dataclass(frozen=True, slots=True)
class CardView:
    """One card.

    Attributes:
        indicator: info, warning or critical; anything else is shown as info.
        word: the indicator in words, for whoever does not see colours.
        detail: made of Markdown, and safe.
        recommendation: the id of the recommendation it stands for; empty when it does not say.
        choice: which of the suggestions go together.
    """

    uuid: str
    indicator: str
    word: str
    summary: str
    detail: Markup
    source: str
    source_url: str
    topic: str
    recommendation: str
    suggestions: tuple[SuggestionView, ...]
    choice: str
    links: tuple[LinkView, ...]
    reasons: tuple[ReasonView, ...]


def card_views(response: Mapping[str, Any]) -> tuple[CardView, ...]:
    """The cards of a response, in its order."""
    return tuple(card_view(card) for card in response.get("cards", ()))


def card_view(card: Mapping[str, Any]) -> CardView:
    """One card of ours, ready to be shown."""
    indicator = card.get("indicator", "info")
    indicator = indicator if indicator in WORDS else "info"
    source = card.get("source") or {}
    topic = source.get("topic") or {}
    return CardView(
        uuid=card.get("uuid", ""),
        indicator=indicator,
        word=WORDS[indicator],
        summary=card.get("summary", ""),
        detail=as_html_with_links(card.get("detail") or ""),
        source=source.get("label", ""),
        source_url=web_address(source.get("url")),
        topic=topic.get("display", ""),
        recommendation=topic.get("code", "") if topic.get("system") == RECOMMENDATION else "",
        suggestions=tuple(map(_suggestion, card.get("suggestions") or ())),
        choice=BEHAVIOURS.get(card.get("selectionBehavior", "any"), ""),
        links=tuple(_links(card.get("links") or ())),
        reasons=tuple(map(_reason, card.get("overrideReasons") or ())),
    )


def web_address(url: object) -> str:
    """The address when a browser may follow it; else nothing."""
    try:
        return url if isinstance(url, str) and urlsplit(url).scheme in {"http", "https"} else ""
    except ValueError:
        return ""


def _suggestion(suggestion: Mapping[str, Any]) -> SuggestionView:
    actions = suggestion.get("actions") or ()
    label = suggestion.get("label", "")
    told = (str(action.get("description", "")) for action in actions)
    return SuggestionView(
        uuid=suggestion.get("uuid", ""),
        label=label,
        deed=" and ".join(filter(None, (DEEDS.get(str(each.get("type"))) for each in actions))),
        about=" ".join(each.removeprefix(label).removeprefix(": ") for each in told).strip(),
    )


def _links(links: Iterable[Mapping[str, Any]]) -> Iterable[LinkView]:
    for link in links:
        if url := web_address(link.get("url")):
            yield LinkView(link.get("label", url), url, starts_app=link.get("type") == "smart")


def _reason(reason: Mapping[str, Any]) -> ReasonView:
    return ReasonView(
        code=reason.get("code", ""),
        system=reason.get("system", ""),
        display=reason.get("display", ""),
    )
