"""A care pathway: who belongs to it, its ordered states, and where a patient stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cards.answer import Answer
from cards.criteria import Ask, Criteria, meets

RED_FLAGS_OPEN = ("rf_high_open", "rf_moderate_open")
RED_FLAG_STATE = "RF"
RESOLVED_STATE = "RESOLVED"


@dataclass(frozen=True, slots=True)
class State:
    """One state of a pathway, entered when its criteria are met.

    Attributes:
        shows: ids of the next steps that may lead in this state.
        entry, exit: what brings a patient here and what ends it, in words for readers.
    """

    id: str
    title: str
    when: Criteria
    shows: tuple[str, ...] = ()
    entry: str = ""
    exit: str = ""


@dataclass(frozen=True, slots=True)
class Pathway:
    """A pathway; ``states`` stand most advanced first and the first whose criteria are met wins.

    Attributes:
        member: the fact that makes a patient a member.
        if_not_enough: next step → what comes after it when it does not help enough.
    """

    id: str
    title: str
    member: str
    states: tuple[State, ...]
    if_not_enough: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a patient stands on one pathway; ``state`` is None when no state is certain."""

    pathway: str
    state: str | None


def locate(pathways: Sequence[Pathway], ask: Ask) -> tuple[Place, ...]:
    """The patient's place on every pathway of which they are certainly a member.

    An open red flag of grade high or moderate puts every pathway into the state RF.
    """
    members = [pathway for pathway in pathways if ask(pathway.member).answer is Answer.YES]
    flagged = bool(members) and any(ask(fact).answer is Answer.YES for fact in RED_FLAGS_OPEN)
    return tuple(
        Place(pathway.id, RED_FLAG_STATE if flagged else _state(pathway, ask))
        for pathway in members
    )


def left_behind(places: Sequence[Place], resolved: Iterable[str]) -> tuple[Place, ...]:
    """Places on pathways whose pain has resolved, and of which the patient is no member now."""
    present = {place.pathway for place in places}
    return tuple(Place(name, RESOLVED_STATE) for name in resolved if name not in present)


def _state(pathway: Pathway, ask: Ask) -> str | None:
    return next(
        (s.id for s in pathway.states if meets(s.when, ask).answer is Answer.YES),
        None,
    )
