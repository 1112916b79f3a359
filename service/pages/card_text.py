"""The Markdown of cards as HTML that can do nothing but be read."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

# What cards are written with; no links, no pictures, no attributes.
TAGS = frozenset(
    (
        *("p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote"),
        *("ul", "ol", "li", "h3", "h4", "h5", "h6"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    )
)
_READER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def as_html(markdown: str) -> Markup:
    """Card Markdown as harmless HTML, whatever a record has brought into it."""
    clean = nh3.clean(_READER.render(markdown), tags=set(TAGS), attributes={})
    return Markup(clean)  # noqa: S704 cleaned above
