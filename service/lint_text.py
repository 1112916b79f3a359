"""What the texts of a card may hold: words, in a detail also paragraphs, lists and emphasis."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from service.lint_suggestions import actions_of, objects, suggestions_of

# Rendered with all that GitHub's dialect and raw HTML can do; what a card may use is far less.
_RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_ALLOWED = re.compile(
    r"inline|text|softbreak|(?:paragraph|bullet_list|list_item|em|strong)_(?:open|close)"
)
_TAG = re.compile(r"<[A-Za-z/!?]|&(?:#\w+|\w+);")
_LINK = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)\S|\w@\w")
# Line breaks are for the detail; what cannot be seen or turns a line round is for no text.
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_MARK = re.compile(r"\\[!-/:-@\[-`{-~]|[*`]|\]\(")


def shown_texts(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text of a card that a client shows, with its place."""
    yield "summary", str(card.get("summary", ""))
    yield "detail", str(card.get("detail", ""))
    yield from _of(card.get("source"), "source", "label")
    for where, reason in objects(card, "overrideReasons"):
        yield from _of(reason, where, "display")
    for where, link in objects(card, "links"):
        yield from _of(link, where, "label")
    for where, suggestion in suggestions_of(card):
        yield from _of(suggestion, where, "label")
    for where, action in actions_of(card):
        yield from _of(action, where, "description")


def _of(part: Any, where: str, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(part, Mapping) and isinstance(part.get(name), str):
        yield f"{where}.{name}", part[name]


def text_faults(text: str, form: str) -> Iterator[tuple[str, str]]:
    """The rules of the linter a text breaks, each with what is wrong.

    Args:
        form: ``markdown`` for a detail that is rendered, ``plain`` for what is shown as sent.
    """
    if _UNSEEN.search(text):
        yield "characters", "holds a character that cannot be seen"
    words = text
    if form == "markdown":
        tokens = list(_tokens(text))
        for kind in sorted({t.type for t in tokens if not _ALLOWED.fullmatch(t.type)}):
            yield _rule_of(kind), f"renders as {kind}"
        words = "\n".join(token.content for token in tokens if token.type == "text")
    else:
        if _MARK.search(text):
            yield "markdown", "holds marks that would be shown as they are"
        if _TAG.search(text):
            yield "html", "holds a tag or an entity"
    if _LINK.search(words):
        yield "link-in-text", "holds what clients make a link of"


def _rule_of(kind: str) -> str:
    if kind.startswith("html"):
        return "html"
    return "link-in-text" if kind.startswith(("link", "image")) else "markdown"


def _tokens(text: str) -> Iterator[Token]:
    for token in _RENDERER.parse(text):
        yield token
        yield from token.children or ()
