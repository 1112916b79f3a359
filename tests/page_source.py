"""The source of a page, looked through for what it makes a browser do."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

from tests.hostile_records import MARKER

# Whatever of these stands in a page is fetched, run or followed.
FETCHED = {"script": "src", "link": "href", "img": "src", "source": "src", "iframe": "src"}
LEADS = frozenset({"href", "src", "action", "formaction", "xlink:href", "data", "poster", "srcset"})
# Where words of a record may stand beside the text: what is read out, shown, or sent back as typed.
WORDS = frozenset({"title", "alt", "value", "aria-label", "content", "placeholder", "label"})
# Elements that no page of ours has, whatever its content says.
FOREIGN = frozenset({"iframe", "object", "embed", "base", "style", "marquee", "applet", "frame"})


class PageSource(HTMLParser):
    """What a page has in it.

    Attributes:
        faults: what our security policy forbids, or what a record's text has become.
        fetched: addresses of scripts, styles and pictures.
        words: all that can be read.
    """

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.fetched: list[str] = []
        self.words = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the element is and leads to."""
        given = {name: value or "" for name, value in attrs}
        if tag in FOREIGN or (tag == "script" and "src" not in given) or MARKER in tag:
            self.faults.append(tag)
        if tag in FETCHED:
            self.fetched.append(given.get(FETCHED[tag], ""))
        for name, value in given.items():
            self._look_at(tag, name, value)

    def _look_at(self, tag: str, name: str, value: str) -> None:
        scheme = urlsplit(value).scheme if name in LEADS else ""
        runs = name == "style" or name.startswith("on") or scheme not in {"", "http", "https"}
        is_word = name in WORDS or name.startswith("data-")
        if runs or MARKER in name or (MARKER in value and not is_word):
            self.faults.append(f'{tag} {name}="{value}"')

    def handle_comment(self, data: str) -> None:
        """Comments are ours."""
        if MARKER in data:
            self.faults.append("a comment")

    def handle_data(self, data: str) -> None:
        """Text is what it is."""
        self.words += data
