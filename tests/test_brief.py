"""The brief wording of a recommendation: its detail without the sentences left out at signing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cards.brief import in_brief
from cards.content import ContentError
from cards.library import Library, load_library
from tests.fixture_cards import HOUSE

DETAIL = """First. Second: more.

- Third. Fourth.
- Fifth.

Last."""


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        ((), DETAIL),
        (("First.",), DETAIL.replace("First. ", "")),
        (("Fourth.",), DETAIL.replace(" Fourth.", "")),
        (("Fifth.",), DETAIL.replace("- Fifth.\n", "")),
        (("Third.", "Fourth.", "Fifth."), "First. Second: more.\n\nLast."),
        (("First.", "Second: more."), "- Third. Fourth.\n- Fifth.\n\nLast."),
    ],
)
def test_sentences_are_left_out(left_out: tuple[str, ...], told: str) -> None:
    """A line or list item that is emptied goes, and no gap stays."""
    assert in_brief(DETAIL, left_out) == told


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("It says no such thing.", "stands not once in the detail"),
        (None, "nothing would be left to say"),
    ],
)
def test_a_sentence_left_out_must_stand_in_the_detail(
    tmp_path: Path, library: Library, sentence: str | None, said: str
) -> None:
    """A mistake stops the start, with file and line."""
    content = shutil.copytree(HOUSE / "cards", tmp_path / "cards")
    path = content / "recommendations" / "traction-avoid.yaml"
    text = path.read_text("utf-8")
    whole = library.recommendations["traction-avoid"].detail
    left_out = text.index("  left_out_when_signed:")
    limits = text.index("limits:")
    entry = f"  left_out_when_signed:\n    - '{sentence or whole}'\n"
    path.write_text(text[:left_out] + entry + text[limits:], "utf-8")

    with pytest.raises(ContentError, match=rf"recommendations/traction-avoid.yaml:\d+: {said}"):
        load_library(content)
