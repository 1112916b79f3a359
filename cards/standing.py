"""Where the patient stands, as every card of one call says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cards.answer import Answer, Finding
from cards.case import Case
from cards.definition_files import StepOrder
from cards.facts.entries import active_conditions, newest_first
from cards.facts.pain import episode
from cards.facts.phase import phase
from cards.pathway import Pathway, Place
from cards.record import Condition

UPPER_BACK = frozenset({"mid-back-musculoskeletal-pain", "upper-mid-back-trigger-points"})
T = TypeVar("T")


class SureAsk(Protocol):
    """Answers where a fact that fails is unknown, and so is a step that does."""

    def __call__(self, name: str, /) -> Finding:
        """The answer to one fact."""
        ...

    def attempt(self, step: Callable[[], T], otherwise: T, name: str) -> T:
        """What a step gives, or ``otherwise`` when it fails."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the patient stands.

    Attributes:
        pathways: ids of the pathways the patient is on.
        states: pathway → state, where one is certain.
        pathway: the most specific pathway on which the state is certain; None when on none is.
        phase: acute, subacute, chronic or unknown.
        problem: reference of the Condition that led here; None when there is none.
        region: spine region of the pain, for imaging.
    """

    pathways: tuple[str, ...]
    states: Mapping[str, str]
    pathway: str | None
    phase: str
    problem: str | None
    region: str

    @property
    def state(self) -> str | None:
        """State on the most specific pathway; None when not certain."""
        return None if self.pathway is None else self.states[self.pathway]


def stand(
    case: Case, places: Sequence[Place], order: Sequence[StepOrder], sure: SureAsk
) -> Standing:
    """Where the patient stands; the most specific pathway names the state.

    Args:
        order: the pathways with their next steps, the most specific pathway first.
    """
    pathways = tuple(place.pathway for place in places)
    states = {place.pathway: place.state for place in places if place.state}
    none: tuple[Condition, ...] = ()
    pain = sure.attempt(lambda: episode(case).conditions, none, "episode")
    return Standing(
        pathways=pathways,
        states=states,
        pathway=next((steps.pathway for steps in order if steps.pathway in states), None),
        phase=sure.attempt(lambda: phase(case), "unknown", "phase"),
        problem=next((found.reference for found in newest_first(pain)), None)
        or next((entry.reference for entry in sure("back_pain_problem").because), None),
        region="whole" if _cord_signs(case, sure) else _region(pathways),
    )


def leading_pathway(
    leader: str, order: Sequence[StepOrder], pathways: Sequence[Pathway], ask: SureAsk
) -> str | None:
    """The pathway whose next step this is: the most specific that applies and names it.

    A step that no such pathway lists is of the first that says what comes after it.
    """
    applying = [steps for steps in order if ask(steps.when).answer is Answer.YES]
    told = {pathway.id: pathway.if_not_enough for pathway in pathways}
    listing = [steps.pathway for steps in applying if leader in steps.order]
    telling = [steps.pathway for steps in applying if leader in told[steps.pathway]]
    return next(iter(listing + telling), None)


def _region(pathways: Sequence[str]) -> str:
    """The painful part of the spine: one that a pathway names alone, else the whole of it."""
    lower = "chronic-low-back-pain" in pathways
    upper = not UPPER_BACK.isdisjoint(pathways)
    if lower == upper:
        return "whole"
    return "lumbar" if lower else "thoracic"


def _cord_signs(case: Case, sure: SureAsk) -> bool:
    """Whether signs of cord compression are active, which lumbar imaging cannot explain."""
    none: tuple[Condition, ...] = ()
    found = sure.attempt(lambda: active_conditions(case, "myelopathy"), none, "myelopathy")
    return bool(found)
