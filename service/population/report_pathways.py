"""Where the patients of a population stand: pathways, states, phases, and more than one at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cards.explanation import TITLES
from cards.library import Library
from cards.pathway import RED_FLAG_STATE, Pathway
from service.population.report_cards import Pair
from service.population.report_counts import Counts, Share

PHASES = ("acute", "subacute", "chronic", "unknown")
NOT_CERTAIN = "State not certain"


@dataclass(frozen=True, slots=True)
class Stand:
    """The patients in one state of a pathway.

    Attributes:
        state: the id; "" where no state is certain.
        phases: phase of the pain → patients.
        patients: of those on the pathway.
    """

    state: str
    title: str
    phases: Mapping[str, int]
    patients: Share


@dataclass(frozen=True, slots=True)
class OnPathway:
    """The patients on one pathway, of those judged, by state from early to late."""

    id: str
    title: str
    patients: Share
    states: tuple[Stand, ...]

    @property
    def told(self) -> tuple[Stand, ...]:
        """The states of the pathway, and that none is certain where this is so of anybody."""
        return tuple(stand for stand in self.states if stand.state or stand.patients.number)


@dataclass(frozen=True, slots=True)
class PathwayFigures:
    """Where patients stand at their last chart opening.

    Attributes:
        pathways: all of the content, in its order; nobody may be on one.
        on_none: patients on no pathway, of those judged.
        at_once: number of pathways → patients.
        both: pathways in pairs, with the patients on both, of those judged.
    """

    pathways: tuple[OnPathway, ...]
    on_none: Share
    at_once: Mapping[int, int]
    both: tuple[Pair, ...]


def pathway_figures(counts: Counts, library: Library) -> PathwayFigures:
    """Where the patients of a run stand, from its tallies."""
    judged = counts.total("patients", "judged")
    at_once = {int(number): count for (number,), count in counts.by("pathways at once", 0).items()}
    titles = {pathway.id: pathway.title for pathway in library.pathways}
    return PathwayFigures(
        pathways=tuple(_on_pathway(pathway, counts, judged) for pathway in library.pathways),
        on_none=Share(counts.total("standing", ""), judged),
        at_once=dict(sorted(at_once.items())),
        both=tuple(
            Pair(
                (first, second),
                (titles.get(first, first), titles.get(second, second)),
                Share(patients, judged),
            )
            for (first, second), patients in counts.by("both pathways", 0, 1).items()
        ),
    )


def _on_pathway(pathway: Pathway, counts: Counts, judged: int) -> OnPathway:
    on_it = counts.total("standing", pathway.id)
    standing = counts.by("standing", 0, 1, 2)
    return OnPathway(
        pathway.id,
        pathway.title,
        Share(on_it, judged),
        tuple(
            Stand(
                state,
                title,
                {phase: standing.get((pathway.id, state, phase), 0) for phase in PHASES},
                Share(counts.total("standing", pathway.id, state), on_it),
            )
            for state, title in _states(pathway).items()
        ),
    )


def _states(pathway: Pathway) -> dict[str, str]:
    """State → title: an open red flag, then from early to late, then where none is certain."""
    steps = {state.id: state.title for state in reversed(pathway.states)}
    return {RED_FLAG_STATE: TITLES[RED_FLAG_STATE]} | steps | {"": NOT_CERTAIN}
