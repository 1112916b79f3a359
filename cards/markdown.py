"""Record text made harmless for GitHub-flavoured Markdown and raw HTML."""

from __future__ import annotations

import re

LONGEST = 80
_SPACE = re.compile(r"[\s\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2028\u2029\ufeff]+")
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:@/])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def shortened(text: str, longest: int = LONGEST) -> str:
    """Record text on one line of at most 80 characters (safety.md H-36)."""
    line = _SPACE.sub(" ", text).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def escaped(text: str, longest: int = LONGEST) -> str:
    """Record text that no Markdown or HTML renderer takes for markup or a link."""
    line = _SPECIAL.sub(r"\\\1", shortened(text, longest))
    return "".join(_HTML.get(character, character) for character in line)
