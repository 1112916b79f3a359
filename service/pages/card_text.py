"""The Markdown of cards as HTML that can do nothing but be read."""

from __future__ import annotations

from collections.abc import Set

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

# What cards are written with; no links, no pictures.
TAGS = frozenset(
    (
        *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote"),
        *("ul", "ol", "li"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    )
)
_READER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def as_html(markdown: str) -> Markup:
    """Card Markdown as harmless HTML, whatever a record has brought into it."""
    return _cleaned(markdown, TAGS)


def as_html_with_links(markdown: str) -> Markup:
    """The same with its links to the web."""
    return _cleaned(markdown, TAGS | {"a"})


def _cleaned(markdown: str, tags: Set[str]) -> Markup:
    return Markup(  # noqa: S704 cleaned by a list of what is allowed
        nh3.clean(
            _READER.render(markdown),
            tags=set(tags),
            attributes={"a": {"href"}},
            link_rel="noopener noreferrer",
            url_schemes={"http", "https"},
        )
    )
