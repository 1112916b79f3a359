"""What is counted of each answer and each patient, for the table of tallies."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

from cards.advise import Advice
from cards.answer import Answer
from cards.library import Library
from service.hooks import Judgement
from service.population.tables import CardRow, Tally


def count_answer(judgement: Judgement, hook: str, cards: Sequence[CardRow], tally: Tally) -> None:
    """Count one answer, of whatever hook."""
    tally["calls", hook] += 1
    if cards:
        tally["calls with cards", hook] += 1
    for card in cards:
        tally["cards", card.recommendation, card.indicator, hook] += 1
    for one, other in combinations(sorted({card.recommendation for card in cards}), 2):
        tally["cards together", one, other] += 1
    for reason, count in judgement.dropped.items():
        tally["left out", reason] += count
    for recommendation in judgement.advice.errors:
        tally["failed", recommendation] += 1


def count_keys(states: Mapping[str, str], empty: Collection[str], tally: Tally) -> None:
    """Count how each part of one chart was delivered.

    Args:
        states: prefetch key → read, empty, missing, failed or unfinished.
        empty: keys of which the whole export holds nothing. Of the others some charts may hold
            only what says nothing to any fact, and was not carried along: they count as read.
    """
    for key, state in states.items():
        told = "empty" if key in empty else "read"
        tally["key", key, told if state in ("read", "empty") else state] += 1


def count_opening(advice: Advice, library: Library, tally: Tally) -> None:
    """Count what could not be told when a chart was opened."""
    for pathway in library.pathways:
        if advice.ask(pathway.member).answer is Answer.UNKNOWN:
            tally["membership unknown", pathway.id] += 1
    if not advice.places:
        return
    tally[("on a pathway",)] += 1
    for verdict in advice.verdicts:
        if verdict.outcome == "unknown":
            tally["undecided", verdict.id] += 1
            for fact, finding in verdict.deciding:
                if finding.answer is Answer.UNKNOWN:
                    tally["undecided because", verdict.id, fact] += 1


def count_standing(last: Advice, tally: Tally) -> None:
    """Count where a patient stood the last time their chart was opened."""
    for place in last.places:
        tally["standing", place.pathway, place.state or "", last.phase] += 1
    if not last.places:
        tally["standing", "", "", last.phase] += 1
    names = sorted(place.pathway for place in last.places)
    tally["pathways at once", str(len(names))] += 1
    for one, other in combinations(names, 2):
        tally["both pathways", one, other] += 1
