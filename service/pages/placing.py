"""What pages show of one judged call: where the patient stands, why, and on what it rests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from cards.advise import Advice
from cards.answer import Answer, Finding
from cards.criteria import Ask
from cards.explanation import TOLD, state_title
from cards.library import Library
from cards.pathway import Place
from cards.recommend import Verdict
from cards.record import PatientRecord
from service.pages.diagram import pathway_diagram
from service.pages.timeline import MOST_ENTRIES, TimelineRow, chart_marks, drawn, rows_of
from service.pages.why_not import Missing, in_lines, next_state, why_not_next
from service.pages.words import one_line

OUTCOMES = ("shown", "suppressed", "capped", "unknown", "withheld", "failed")

APPLIES = frozenset({"shown", "merged", "row", "text", "capped"})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the patient stands on one pathway.

    Attributes:
        state: its id; empty when no state is certain.
        next_title: the next more advanced state; empty when there is none.
        why_not_next: what keeps the patient from it.
    """

    pathway: str
    title: str
    state: str
    state_title: str
    diagram: Markup
    next_title: str = ""
    why_not_next: tuple[Missing, ...] = ()


@dataclass(frozen=True, slots=True)
class DecidingFact:
    """A fact that decided on a recommendation; ``answer`` is yes, no or unknown."""

    fact: str
    question: str
    answer: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one recommendation.

    Attributes:
        outcome: shown, suppressed, capped, unknown, withheld or failed.
        shown_as: card, merged, row or text; empty unless shown.
        draft: reference of the draft order it is about; empty when about the patient.
    """

    id: str
    title: str
    outcome: str
    shown_as: str
    indicator: str
    draft: str
    facts: tuple[DecidingFact, ...]


@dataclass(frozen=True, slots=True)
class Placing:
    """All that pages show of one judged call.

    Attributes:
        entries: the timeline as a table, the newest first.
        older: how many more entries there are.
        counts: outcome → number of recommendations, for those there are.
    """

    standings: tuple[Standing, ...]
    phase: str
    timeline: Markup
    entries: tuple[TimelineRow, ...]
    older: int
    decisions: tuple[Decision, ...]
    counts: Mapping[str, int]


def placing(record: PatientRecord, advice: Advice, library: Library, today: date) -> Placing:
    """What pages show of this advice on this record."""
    decisions = sorted(
        (_decision(verdict, library) for verdict in advice.verdicts),
        key=lambda one: (OUTCOMES.index(one.outcome), one.title),
    )
    used = chart_marks(record, library)
    counted = Counter(decision.outcome for decision in decisions)
    return Placing(
        tuple(_standing(place, advice.ask, library) for place in advice.places),
        advice.phase,
        drawn(used, today),
        rows_of(used),
        max(len(used) - MOST_ENTRIES, 0),
        tuple(decisions),
        {outcome: counted[outcome] for outcome in OUTCOMES if counted[outcome]},
    )


def _standing(place: Place, ask: Ask, library: Library) -> Standing:
    pathway = next(one for one in library.pathways if one.id == place.pathway)
    following = next_state(pathway, ask)
    missing = why_not_next(pathway, ask, library) if following else ()
    reasons = {following.id: in_lines(missing)} if following else {}
    return Standing(
        pathway.id,
        pathway.title,
        place.state or "",
        state_title(pathway, place.state),
        pathway_diagram(pathway, library, place=place.state, why_not=reasons),
        following.title if following else "",
        missing,
    )


def _decision(verdict: Verdict, library: Library) -> Decision:
    outcome, shown_as = TOLD[verdict.outcome]
    return Decision(
        verdict.id,
        library.recommendations[verdict.id].title,
        "unknown" if verdict.outcome == "unknown" else outcome,
        shown_as or "",
        verdict.indicator or "",
        one_line(verdict.draft or "", 80),
        tuple(_fact(name, found, library) for name, found in _telling(verdict)),
    )


def _telling(verdict: Verdict) -> list[tuple[str, Finding]]:
    """The facts that decided; of what applies those first that are so."""
    if verdict.outcome not in APPLIES:
        return list(verdict.deciding)
    return sorted(verdict.deciding, key=lambda fact: fact[1].answer is not Answer.YES)


def _fact(name: str, found: Finding, library: Library) -> DecidingFact:
    references = dict.fromkeys(entry.reference for entry in found.because if entry.reference)
    told = tuple(one_line(reference, 80) for reference in references)
    return DecidingFact(name, library.vocabulary[name].ask, found.answer.value, told)
