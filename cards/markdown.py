"""Record text made harmless for GitHub-flavoured Markdown and raw HTML."""

from __future__ import annotations

import re

LONGEST = 80
SHORTEST_PART = 6
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
# Some renderers make a link of a bare address, escaped or not; a blank within it prevents that.
_ADDRESS = re.compile(r"(?i)(?<=\w)(?=://\S)|(?<=\bwww)(?=\.)|(?<=\w)(?=@\w)")
_HARMLESS = str.maketrans(
    {character: f"\\{character}" for character in "\\`*_{}[]()#+-.!|~:@/"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
)
_STRENGTH = re.compile(
    r"(\d[\d.,]*\s*(?:mg|mcg|ug|g|meq|unt|units?|%)(?:/(?:\d[\d.,]*\s*)?(?:ml|hr|actuat|mg))?)(?!\w)",
    re.IGNORECASE,
)


def shortened(text: str, longest: int = LONGEST) -> str:
    """Record text on one line of at most 80 characters (safety.md H-36)."""
    plain = text.isascii() and text.isprintable() and "  " not in text
    line = (text if plain else _SPACE.sub(" ", text)).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def with_strengths(name: str, longest: int = LONGEST) -> str:
    """A drug's name on one line of so many characters, cut anywhere but in its strengths.

    Who checks a dose needs them: the form is cut first, then the drugs, as in "acetaminop… 325 MG
    / oxycod… 5 MG…". A name without strength, or with more than fit, is cut at its end.
    """
    line = shortened(name, len(name))
    *drugs, form = _STRENGTH.split(line)
    texts, strengths = drugs[::2], drugs[1::2]
    room = longest - sum(map(len, strengths)) - len(form[:1])
    each = max(room // max(len(texts), 1), 0)
    if len(line) <= longest or not drugs or each < SHORTEST_PART:
        return shortened(line, longest)
    cut = texts if sum(map(len, texts)) <= room else [_cut(text, each) for text in texts]
    told = "".join(text + strength for text, strength in zip(cut, strengths, strict=True))
    return shortened(told + form, longest).strip()


def _cut(text: str, longest: int) -> str:
    """A drug's name up to its strength, cut before the space between them."""
    if len(text) <= longest:
        return text
    space = " " if text.endswith(" ") else ""
    return text[: longest - 1 - len(space)].rstrip() + "…" + space


def escaped(text: str, longest: int = LONGEST) -> str:
    """Record text that no Markdown or HTML renderer takes for markup or a link."""
    line = shortened(text, longest)
    if "://" in line or "@" in line or "www." in line.lower():
        line = _ADDRESS.sub(" ", line)
    return line.translate(_HARMLESS)
