"""Words out of a record, made fit to be drawn: one line, of bounded length, without tricks."""

from __future__ import annotations

import unicodedata

LONGEST = 60
# Marks that turn the direction of text around; an unclosed one would turn what comes after it.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str, most: int = LONGEST) -> str:
    """The text on one line and at most so long; what cannot be seen is left out."""
    seen = "".join(map(_seen, text[: 4 * most]))
    line = " ".join(seen.split())
    cut = len(line) > most or len(text) > 4 * most
    return f"{line[: most - 1].rstrip()}…" if cut else line


def wrapped(text: str, width: int, lines: int = 3) -> list[str]:
    """The text in lines of at most ``width`` characters; the last one is cut where it must be."""
    done: list[str] = []
    rest = one_line(text, width * lines)
    while rest and len(done) < lines - 1 and len(rest) > width:
        end = rest.rfind(" ", 0, width + 1)
        end = end if end > 0 else width
        done.append(rest[:end])
        rest = rest[end:].lstrip()
    return [*done, one_line(rest, width)] if rest else done


def _seen(character: str) -> str:
    if character in _TURNING:
        return ""
    return " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character
