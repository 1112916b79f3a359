"""Why a patient is not in the next state: the criteria that are not met, or not known to be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from cards.answer import Answer
from cards.answers import SureAnswers
from cards.criteria import Ask, Criteria
from cards.library import Library
from cards.pathway import Pathway, State, locate


@dataclass(frozen=True, slots=True)
class Missing:
    """A criterion that is not met.

    Attributes:
        question: what the fact asks.
        answer: yes, no or unknown.
        wanted: the answer that would be needed.
        instead: whether one of several such answers would be enough.
        parts: of a fact that is made of others: those that keep it from the wanted answer.
    """

    fact: str
    question: str
    answer: str
    wanted: str
    instead: bool = False
    parts: tuple[Missing, ...] = ()


def why_not_next(pathway: Pathway, ask: Ask, library: Library) -> tuple[Missing, ...]:
    """What keeps a patient from the next more advanced state; empty when there is none."""
    following = next_state(pathway, ask)
    return missing(following.when, ask, library) if following else ()


def next_state(pathway: Pathway, ask: Ask) -> State | None:
    """The next more advanced state that has next steps.

    Of members whose state is not certain it is the earliest one. There is none where a red flag
    is open, at the end of a pathway, and for patients who are not on it.
    """
    sure = SureAnswers(ask)
    steps = [state for state in reversed(pathway.states) if state.shows]
    for place in locate((pathway,), sure):
        at = [number for number, state in enumerate(steps) if state.id == place.state]
        if at or place.state is None:
            return next(iter(steps[at[0] + 1 :] if at else steps), None)
    return None


def missing(criteria: Criteria, ask: Ask, library: Library) -> tuple[Missing, ...]:
    """The criteria that are not met, or not known to be."""
    sure = SureAnswers(ask)
    lacking = _lacking(criteria.all, Answer.YES, sure, library)
    if not any(sure(name).answer is Answer.YES for name in criteria.any):
        lacking += _lacking(criteria.any, Answer.YES, sure, library, instead=len(criteria.any) > 1)
    return lacking + _lacking(criteria.none, Answer.NO, sure, library)


def _lacking(
    names: Iterable[str], wanted: Answer, ask: Ask, library: Library, instead: bool = False
) -> tuple[Missing, ...]:
    return tuple(
        Missing(
            name,
            library.vocabulary[name].ask,
            ask(name).answer.value,
            wanted.value,
            instead,
            _parts(name, ask, library) if wanted is Answer.YES else (),
        )
        for name in names
        if ask(name).answer is not wanted
    )


def _parts(name: str, ask: Ask, library: Library) -> tuple[Missing, ...]:
    """Of a fact made of others: what keeps it from being yes."""
    made = library.vocabulary[name]
    return missing(Criteria(made.all_of, made.any_of, made.none_of + made.unless), ask, library)


# In words


def in_lines(lacking: Iterable[Missing]) -> list[Markup]:
    """A line for each: the question, the answer, and what it was made of."""
    lines = [_line(one) for one in lacking if not one.instead]
    instead = [_line(one) for one in lacking if one.instead]
    if instead:
        lines.append(Markup("one of these: {}").format(Markup("; ").join(instead)))
    return lines


def _line(one: Missing) -> Markup:
    parts = Markup("; ").join(in_lines(one.parts))
    return Markup('<a href="/facts/{}">{}</a> <span class="answer">{}</span>{}').format(
        one.fact,
        one.question,
        "not on record" if one.answer == "unknown" else one.answer,
        Markup(" ({})").format(parts) if parts else "",
    )
