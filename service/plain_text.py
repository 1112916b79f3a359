"""A card's Markdown as plain text, for clients that show a detail as it is sent."""

from __future__ import annotations

import re

# An escaped character, an entity of ours, or a mark of emphasis; a card's Markdown has no others.
_MARKED = re.compile(r"\\([!-/:-@\[-`{-~])|&(amp|lt|gt|quot);|\*+")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"'}
_ENTITY = re.compile(r"&(?=#?\w+;)")
# A client that renders after all must find nothing to render in what came out of a record.
_HARMLESS = str.maketrans("<>[]`*~\\", "‹›()'∗∼⧵")


def plain_text(markdown: str) -> str:
    """The words of a card's detail: paragraphs and lists stay, marks and escapes go.

    What would be markup in record text becomes its harmless like, such as ‹ for an angle bracket.

    Args:
        markdown: paragraphs, ``-`` lists and emphasis only, as ``backpath lint-cards`` proves.
    """
    return _ENTITY.sub("＆", _MARKED.sub(_meant, markdown))


def _meant(found: re.Match[str]) -> str:
    escape, entity = found[1], found[2]
    return (escape or _ENTITIES.get(entity or "", "")).translate(_HARMLESS)
