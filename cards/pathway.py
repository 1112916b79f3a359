"""A care pathway: who belongs to it, its ordered states, and where a patient stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cards.answer import Answer
from cards.criteria import Ask, Criteria, meets

RED_FLAG_STATE = "RF"


@dataclass(frozen=True, slots=True)
class State:
    """One state of a pathway, entered when its criteria are met."""

    id: str
    title: str
    when: Criteria


@dataclass(frozen=True, slots=True)
class Pathway:
    """A pathway; ``states`` stand most advanced first and the first whose criteria are met wins.

    Attributes:
        member: the fact that makes a patient a member.
    """

    id: str
    title: str
    member: str
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a patient stands on one pathway; ``state`` is None when no state is certain."""

    pathway: str
    state: str | None


def locate(pathways: Sequence[Pathway], ask: Ask) -> tuple[Place, ...]:
    """The patient's place on every pathway of which they are certainly a member.

    An open red flag of grade high or moderate puts every pathway into the state RF.
    """
    flagged = any(ask(fact).answer is Answer.YES for fact in ("rf_high_open", "rf_moderate_open"))
    return tuple(
        Place(pathway.id, RED_FLAG_STATE if flagged else _state(pathway, ask))
        for pathway in pathways
        if ask(pathway.member).answer is Answer.YES
    )


def _state(pathway: Pathway, ask: Ask) -> str | None:
    return next(
        (s.id for s in pathway.states if meets(s.when, ask).answer is Answer.YES),
        None,
    )
