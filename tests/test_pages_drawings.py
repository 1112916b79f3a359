"""A pathway as pages draw it: where the patient stands, and why not further on."""

from __future__ import annotations

import pytest

from cards.answer import Answer
from cards.pathway import Pathway
from service.pages.diagram import boxes_of, pathway_diagram
from service.pages.why_not import why_not_next
from service.pages.words import wrapped
from tests.charts import (
    ago,
    chart,
    low_back_pain,
    pain,
    session,
)
from tests.placed import (
    PLACED,
    page_of,
    placed_as_stored,
    placed_now,
    tree_of,
    words_in,
)
from tests.test_laws import LIBRARY

LOW_BACK = next(one for one in LIBRARY.pathways if one.id == "chronic-low-back-pain")


@pytest.mark.parametrize(("name", "title"), PLACED.items())
def test_the_picture_marks_the_state_the_patient_is_in(name: str, title: str) -> None:
    """One state is marked, to the eye and in words."""
    standing = placed_as_stored(name).standings[0]
    tree = tree_of(standing.diagram)
    marked = [group for group in tree.iter("g") if "here" in group.attrib["class"].split()]
    written = [" ".join(t.text or "" for t in g.iter("text")) for g in marked]

    assert standing.state_title == title
    assert len(marked) == 1
    assert written[0].startswith(title)
    assert f"The patient is here: {title}." in words_in(tree)


@pytest.mark.parametrize("pathway", LIBRARY.pathways, ids=lambda pathway: pathway.id)
def test_every_pathway_is_drawn_from_early_to_late(pathway: Pathway) -> None:
    """Each state is a box; a red flag stands before them, improvement behind them."""
    boxes = boxes_of(pathway)
    steps = [box.id for box in boxes if box.kind == "step"]
    tree = tree_of(pathway_diagram(pathway, LIBRARY))

    assert boxes[0].id == "RF"
    assert steps == [state.id for state in reversed(pathway.states) if state.shows]
    assert {box.id for box in boxes} >= {"RESOLVED", *(state.id for state in pathway.states)}
    assert len(list(tree.iter("rect"))) == len(boxes)
    assert not [group for group in tree.iter("g") if "here" in group.attrib["class"].split()]
    assert "The patient is here" not in words_in(tree)


def test_the_words_of_a_box_stay_in_it() -> None:
    """No line is wider than a box, and a long title is cut."""
    titles = [box.title for pathway in LIBRARY.pathways for box in boxes_of(pathway)]
    for title in [*titles, "word " * 200, "x" * 10_000]:
        lines = wrapped(title, 32)
        assert 1 <= len(lines) <= 3
        assert max(map(len, lines)) <= 32


def test_a_patient_is_told_what_the_next_state_takes() -> None:
    """Two weeks of exercise: four are needed, and the page says that they are not there."""
    case = chart(
        low_back_pain(onset=ago(200)), session("exercise-therapy", "nonpharm-any", days=14)
    )
    (lacking,) = why_not_next(LOW_BACK, LIBRARY.answers(case), LIBRARY)
    (standing,) = placed_now(case.record).standings

    assert (lacking.fact, lacking.answer, lacking.wanted) == ("care_4_weeks", "no", "yes")
    assert lacking.question == LIBRARY.vocabulary["care_4_weeks"].ask
    assert standing.state_title == "First weeks of care"
    assert standing.next_title == "Four weeks of care, NSAID step open"
    assert f"{lacking.question} no" in words_in(tree_of(standing.diagram))


def test_what_is_not_known_is_not_told_as_a_no() -> None:
    """Without the procedures nobody knows of exercise; the page says "not on record"."""
    unread = ("procedures", "serviceRequests", "encounters")
    case = chart(low_back_pain(onset=ago(200)), unread=unread)
    lacking = why_not_next(LOW_BACK, LIBRARY.answers(case), LIBRARY)
    (standing,) = placed_now(case.record).standings

    assert "unknown" in {one.answer for one in lacking}
    assert "not on record" in standing.diagram


def test_a_fact_made_of_others_says_which_of_them_are_missing() -> None:
    """No flare on record, and it is the flare that is missing."""
    spasm = next(one for one in LIBRARY.pathways if one.id == "back-muscle-spasm")
    case = chart(pain("back-spasm", "back-pain-any", onset=ago(400)), session("heat", days=40))
    ask = LIBRARY.answers(case)
    lacking = why_not_next(spasm, ask, LIBRARY)

    assert ask(spasm.member).answer is Answer.YES
    assert lacking
    for one in lacking:
        made = LIBRARY.vocabulary[one.fact]
        assert {part.fact for part in one.parts} <= set(made.parts)


def test_no_next_state_is_talked_of_while_a_red_flag_is_open() -> None:
    """The red flag comes first; what exercise would lead to is of no interest."""
    (standing, *_) = placed_as_stored("cauda-equina-with-sciatica").standings

    assert standing.state == "RF"
    assert standing.why_not_next == ()
    assert "Why not yet" not in standing.diagram


def test_someone_on_no_pathway_gets_no_picture() -> None:
    """A chart without back pain has no standing, and the page says so."""
    placed = placed_now(chart().record)

    assert placed.standings == ()
    assert "on no pathway" in page_of(placed)
