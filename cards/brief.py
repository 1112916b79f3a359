"""A recommendation in brief: without the sentences its file leaves out at signing."""

from __future__ import annotations

import re
from collections.abc import Iterable

BLANK_LINES = re.compile(r"\n{3,}")


def in_brief(detail: str, left_out: Iterable[str]) -> str:
    """The detail without these sentences, and without the lines and list items they emptied.

    Args:
        left_out: sentences as they stand in the detail, word for word.
    """
    sentences = tuple(left_out)
    lines = [_without(line, sentences) for line in detail.splitlines()]
    kept = "\n".join(line for line in lines if line is not None)
    return BLANK_LINES.sub("\n\n", kept).strip()


def _without(line: str, sentences: tuple[str, ...]) -> str | None:
    """The line without the sentences; None when nothing is left of it."""
    rest = line
    for sentence in sentences:
        rest = rest.replace(sentence, "")
    if rest == line:
        return line
    rest = " ".join(rest.split())
    return None if rest in ("", "-") else rest
