"""Charts whose every text is hostile, and what a renderer would make of a card."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import count
from typing import Any

from markdown_it import MarkdownIt

MARKER = "zqzq"
# Short, so that what is cut off a long text is not the part that bites.
PAYLOADS = (
    f"<script>alert('{MARKER}')</script>",
    f'<img src=x onerror="{MARKER}()">',
    f"![{MARKER}](http://evil.example/x.png)",
    f"[{MARKER}](javascript:alert(1))",
    f"](http://evil.example/{MARKER}) [x",
    f"[{MARKER}]: http://evil.example",
    f"[x][{MARKER}] and {MARKER}]: x",
    f"<http://evil.example/{MARKER}>",
    f"http://evil.example/{MARKER}",
    f"HTTPS://evil.example/{MARKER} www.evil.example/a",
    f"{MARKER}@evil.example",
    f"`{MARKER}` ```{MARKER}",
    f"a | {MARKER} |\n|---|---|\n| b | c |",
    f"x\n\n# {MARKER}\n\n> quoted",
    f"x\r\n\r\n- **{MARKER}**\r- y",
    f"x\u2028\u2028# {MARKER}\x85\x0b\x0c# y",
    f"**{MARKER}** __a__ ~~b~~ *c* _d_",
    f"&lt;script&gt;{MARKER} &#60;b&#62; &amp;",
    f"\\<b>{MARKER}\\</b> \\[a\\](b) \\",
    f"</p></li></ul><style>{MARKER}</style><!--",
    f"<svg/onload={MARKER}> <a href=javascript:x>",
    f"$${MARKER}$$ :smile: @octocat #12",
    f"\x1b[31m{MARKER}\x1b[0m\x07\x08",
    f"\u202e{MARKER}\u2066\u200b\ufeff",
    f"{{{{7*7}}}} ${{{MARKER}}} %s {{0}} <%= x %>",
)
FREE = frozenset(
    {"display", "text", "div", "comment", "conclusion", "patientInstruction", "description"}
    | {"name", "title", "family", "unit", "valueString", "valueMarkdown"}
)
TAGS = frozenset({"p", "ul", "li", "em", "strong"})
# What GitHub's dialect makes a link of in bare text.
_AUTOLINK = re.compile(r"(?i)(?:https?://|ftp://|www\.)[-.\w]|[-.\w+]+@[-\w]+\.[-\w]")
_RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def hostile(request: dict[str, Any], first: int) -> dict[str, Any]:
    """The request with a payload in each text a person can have written.

    Concepts and orders without a text of their own get one. What the service goes by stays: ids,
    references, codes, states, dates and numbers.

    Args:
        first: the payload to begin with; each further text gets the next.
    """
    turn = count(first)
    changed = copy.deepcopy(request)
    for part in ("context", "prefetch"):
        _spoil(changed.get(part), turn)
    return changed


def _spoil(value: Any, turn: Iterator[int]) -> None:
    if isinstance(value, list):
        for inner in value:
            _spoil(inner, turn)
    if not isinstance(value, dict):
        return
    if "resourceType" in value and value["resourceType"] not in {"Bundle", "Patient"}:
        value.setdefault("note", [{"text": ""}])
    if isinstance(value.get("coding"), list):
        value.setdefault("text", "")
    if "system" in value and "code" in value:
        value.setdefault("unit" if "value" in value else "display", "")
    for name, inner in value.items():
        if name in FREE and isinstance(inner, str):
            value[name] = PAYLOADS[next(turn) % len(PAYLOADS)]
        else:
            _spoil(inner, turn)


def shown(card: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text of a card a client puts on a screen, but its detail."""
    yield "summary", card["summary"]
    yield "source.label", card["source"]["label"]
    yield "source.topic.display", card["source"]["topic"]["display"]
    for reason in card.get("overrideReasons", ()):
        yield "overrideReasons.display", reason["display"]
    for suggestion in card.get("suggestions", ()):
        yield "suggestions.label", suggestion["label"]
        for action in suggestion["actions"]:
            yield "actions.description", action["description"]


class _Page(HTMLParser):
    """Notes what is active on a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.active: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS or attrs:
            self.active.append(tag)

    def handle_comment(self, data: str) -> None:  # noqa: ARG002
        self.active.append("comment")

    def handle_decl(self, decl: str) -> None:  # noqa: ARG002
        self.active.append("declaration")

    def handle_pi(self, data: str) -> None:  # noqa: ARG002
        self.active.append("instruction")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def active(detail: str) -> list[str]:
    """What of a rendered detail is more than words, lists and emphasis: tags, links, characters."""
    page = _Page()
    page.feed(_RENDERER.render(detail))
    page.close()
    words = "".join(page.words)
    unseen = re.findall(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", words
    )
    return page.active + _AUTOLINK.findall(words) + [ascii(each) for each in unseen]
