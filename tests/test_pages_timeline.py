"""The chart along the time, as pages draw it and as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest

from cards.record import When
from service.pages.time_scale import time_scale
from service.pages.timeline import MOST_ENTRIES, chart_marks, rows_of
from service.pages.words import one_line
from tests.charts import (
    TODAY,
    ago,
    chart,
    concept,
    drug,
    low_back_pain,
    pain,
    referral,
    score,
    session,
    visit,
)
from tests.hostile_records import PAYLOADS
from tests.placed import (
    drawn,
    page_of,
    per_cent,
    placed_now,
    words_in,
)
from tests.test_laws import LIBRARY


def test_pain_lasts_from_its_onset_until_today() -> None:
    """The bar of a problem begins at its onset and ends at the line that marks today."""
    tree = drawn(low_back_pain(onset=ago(300)))
    (bar,) = (one for one in tree.iter("rect"))
    (today,) = (one for one in tree.iter("line") if one.get("class") == "today")

    assert per_cent(bar, "x") < 5
    assert per_cent(bar, "x") + per_cent(bar, "width") == pytest.approx(
        per_cent(today, "x1"), abs=0.1
    )
    assert "since 2025-05-06" in words_in(tree)
    assert "today" in words_in(tree)


def test_pain_that_ended_ends_in_the_picture() -> None:
    """What has abated does not reach today."""
    tree = drawn(low_back_pain(onset=ago(300), abatement=ago(150), clinical="resolved"))
    (bar,) = tree.iter("rect")

    assert per_cent(bar, "x") + per_cent(bar, "width") == pytest.approx(50, abs=2)


def test_a_drug_is_drawn_for_the_days_it_covers() -> None:
    """Thirty days of naproxen, begun a hundred days ago, are three tenths of the way."""
    tree = drawn(low_back_pain(onset=ago(100)), drug("nsaid-oral", days=100, supply=30))
    bars = list(tree.iter("rect"))

    assert len(bars) == 2
    assert per_cent(bars[1], "width") == pytest.approx(per_cent(bars[0], "width") * 0.3, abs=1)


def test_scores_are_a_line_with_their_values() -> None:
    """Eight, then six, then three: the line falls, and each value is written."""
    tree = drawn(low_back_pain(onset=ago(90)), score(8, 80), score(6, 40), score(3, 2))
    (panel,) = (svg for svg in tree.iter("svg") if svg.get("class") == "lane score")
    dots = [(per_cent(dot, "cx"), float(dot.attrib["cy"])) for dot in panel.iter("circle")]

    assert dots == sorted(dots)
    assert [down for _, down in dots] == sorted(down for _, down in dots)
    assert {text.text for text in panel.iter("text")} >= {"8", "6", "3"}


def test_therapies_referrals_visits_and_red_flags_have_their_place() -> None:
    """Each kind has a heading, and every entry a line in the table."""
    entries = (
        low_back_pain(onset=ago(90)),
        pain("weight-loss", recorded=ago(20)),
        session("exercise-therapy", days=30),
        referral("exercise-therapy", days=35),
        visit(concept("back-pain-any")),
    )
    told = words_in(drawn(*entries))
    kinds = {row.kind for row in rows_of(chart_marks(chart(*entries).record, LIBRARY))}

    for heading in ("Back pain", "Red-flag findings", "Treatment", "Visits"):
        assert heading in told
    assert kinds == {"back pain", "red flag", "treatment", "visit"}


def test_what_no_fact_can_see_is_not_drawn() -> None:
    """A cold is of no interest here; nor is a problem that bears no date."""
    entries = (pain(onset=ago(10)), low_back_pain())

    assert rows_of(chart_marks(chart(*entries).record, LIBRARY)) == ()
    assert "no dated entry" in words_in(drawn(*entries))


def test_an_old_history_does_not_squeeze_the_newest() -> None:
    """Pain of twenty years ago lies at the left edge; this spring is still wide enough to read."""
    old = low_back_pain(onset=ago(7300), reference="Condition/old", clinical="resolved")
    tree = drawn(old, pain("back-spasm", "back-pain-any", onset=ago(60)))
    (bar,) = tree.iter("rect")

    assert any(path.get("class") == "older" for path in tree.iter("path"))
    assert per_cent(bar, "width") > 80


def test_a_chart_of_thousands_of_entries_stays_small() -> None:
    """The picture and the table are bounded, and say what they leave out."""
    sets = sorted({name for _, name in _sets()})[:120]
    many = [session(name, days=day) for name in sets for day in range(1, 30)]
    case = chart(low_back_pain(onset=ago(900)), *many)
    placed = placed_now(case.record)

    assert len(placed.timeline) < 100_000
    assert "more lines are not drawn" in placed.timeline
    assert len(placed.entries) == MOST_ENTRIES
    assert placed.older == len(many) + 1 - MOST_ENTRIES
    assert len(page_of(placed)) < 180_000


def _sets() -> Iterator[tuple[str, str]]:
    for definition in LIBRARY.vocabulary.values():
        for name in definition.value_sets:
            yield definition.name, name


@pytest.mark.parametrize("days", [1, 30, 45, 100, 400, 1000, 9000])
def test_months_stand_apart_however_long_the_history(days: int) -> None:
    """On a phone no month is written over another, and no year over another or over today."""
    scale = time_scale([(ago(days).earliest, TODAY)], TODAY)
    places = [tick.at for tick in scale.ticks]
    years = [tick.at for tick in scale.ticks if tick.year] + [scale.at(TODAY)]

    assert len(places) <= 7
    for row, apart in ((places, 7.5), (years, 12.0)):
        assert all(b - a >= apart for a, b in pairwise(row))


@pytest.mark.parametrize("day", [date.min, date(9999, 1, 1)])
def test_absurd_dates_are_drawn_at_the_edge(day: date) -> None:
    """The first and the last day of the calendar break nothing."""
    when = When(day, day, day.isoformat())
    tree = drawn(low_back_pain(onset=when), session("heat", days=3), score(4, 3))

    for bar in tree.iter("rect"):
        assert 0 <= per_cent(bar, "x") <= 100


@pytest.mark.parametrize("payload", [*PAYLOADS, "\u05d0" * 10_000, "x" * 10_000])
def test_hostile_names_are_cut_and_harmless(payload: str) -> None:
    """Whatever a name holds is text of one line in the picture, and never an element."""
    known = low_back_pain(onset=ago(30))
    tree = drawn(replace(known, concept=replace(known.concept, display=payload)))
    label = next(tree.iter("bdi")).text or ""

    assert {element.tag for element in tree.iter()} <= {
        "d", "div", "svg", "line", "text", "rect", "circle", "path", "span", "bdi", "small"
    }  # fmt: skip
    assert len(label) <= 60
    assert not set(label) & set("\u202e\u2066\x1b\n\r")


def test_words_keep_what_can_be_read() -> None:
    """Cutting leaves short names as they are, accents and other scripts included."""
    assert one_line("Lumbalgie aiguë") == "Lumbalgie aiguë"
    assert one_line("כאב גב") == "כאב גב"
    assert one_line("a\n\tb") == "a b"
    assert one_line("x" * 100, 10) == "xxxxxxxxx…"
