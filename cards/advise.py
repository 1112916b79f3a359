"""From a patient record to the cards shown: pure, and the same for the same record and day."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from cards.answer import UNKNOWN, YES, Answer, Finding
from cards.answers import Answers, CallAnswers
from cards.card import Standing, build_card
from cards.case import Case
from cards.criteria import Ask
from cards.facts.entries import active_conditions, newest_first
from cards.facts.pain import episode
from cards.facts.phase import phase
from cards.library import Library
from cards.pathway import Place, locate
from cards.recommend import Applied, Verdict, judge
from cards.recommendation import Recommendation
from cards.record import Condition, Draft, PatientRecord
from cards.select import CardPlan, Selection, select
from cards.suggestion import JSON

log = logging.getLogger(__name__)
FIRST_LINE = ("nonpharm-first-line-not-started", "exercise-intensify-persistent")
MOST_ROWS = 4
UPPER_BACK = frozenset({"mid-back-musculoskeletal-pain", "upper-mid-back-trigger-points"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Advice:
    """What one call is answered with.

    Attributes:
        cards: most urgent first, without uuids.
        verdicts: what became of every recommendation of this hook, and the facts that decided.
        states: pathway → state, for the pathways the patient is on.
        errors: ids of recommendations that failed and are left out.
    """

    cards: tuple[JSON, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """Every recommendation judged: what applies, the verdicts, what failed."""

    applied: tuple[Applied, ...]
    verdicts: tuple[Verdict, ...]
    errors: tuple[str, ...]


class SureAnswers:
    """Answers for placing the patient and ordering cards: a fact that fails is unknown there.

    Attributes:
        failed: whether any did; when no recommendation failed with it, every card shown is named
            among the errors, since its place or its rows may be incomplete.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.failed = False

    def __call__(self, name: str) -> Finding:
        """The answer to one fact, unknown when answering it fails."""
        return self.attempt(lambda: self._ask(name), UNKNOWN, name)

    def attempt(self, step: Callable[[], T], otherwise: T, name: str) -> T:
        """What a step gives, or ``otherwise`` when it fails; the failure is reported."""
        try:
            return step()
        except Exception as failure:  # noqa: BLE001 the cards themselves must still be given (H-21)
            _report(name, failure)
            self.failed = True
            return otherwise


def advise(record: PatientRecord, today: date, library: Library) -> Advice:
    """The advice for one hook call.

    A recommendation that fails is left out and named in ``errors``; the others are unharmed
    (safety.md H-21).
    """
    drafts = [draft for draft in record.drafts if draft.selected]
    asks = [_answers(Case(record, today, draft), library) for draft in drafts]
    case = Case(record, today)
    call = CallAnswers(asks or [_answers(case, library)], library.draft_facts)
    sure = SureAnswers(call)

    judged = _judge_cards(record, library, call, list(zip(drafts, asks, strict=True)))
    rows = _judge_rows(record, library, call, _listed_rows(library, sure), judged)
    places = locate(library.pathways, sure)
    steps = _next_steps(library, sure)
    selection = select(judged.applied, rows.applied[:MOST_ROWS], steps, record.hook)
    standing = _standing(case, places, library, sure)
    cards, broken = _build(selection.shown, record, standing, library)
    failed = (*judged.errors, *rows.errors, *broken)
    if sure.failed and not failed:  # the place on every card may be incomplete, and must be told
        failed = tuple(plan.leader.recommendation.id for plan in selection.shown)
    errors = tuple(dict.fromkeys(failed))
    return Advice(
        cards,
        _outcomes(judged.verdicts + rows.verdicts, selection),
        {place.pathway: place.state for place in places if place.state},
        errors,
    )


def _answers(case: Case, library: Library) -> Answers:
    return Answers(case, library.vocabulary, library.unanswerable)


def _judge_cards(
    record: PatientRecord,
    library: Library,
    call: Ask,
    drafts: Sequence[tuple[Draft, Ask]],
) -> Judged:
    """Cards of this hook: those about a draft once for each draft, the others once a call."""
    questions: list[tuple[Recommendation, Ask, Draft | None]] = []
    for recommendation in library.cards[record.hook]:
        if recommendation.id in library.about_drafts and record.hook != "patient-view":
            questions += [(recommendation, ask, draft) for draft, ask in drafts]
        else:
            questions.append((recommendation, call, None))
    return _judge(questions, record)


def _judge_rows(
    record: PatientRecord, library: Library, call: Ask, listed: Sequence[str], judged: Judged
) -> Judged:
    """The option rows of the first-line card, when it is given, in the order they are listed."""
    if not any(applied.recommendation.id in FIRST_LINE for applied in judged.applied):
        return Judged((), (), ())
    questions: list[tuple[Recommendation, Ask, Draft | None]] = [
        (library.recommendations[name], _as_row(call), None) for name in listed
    ]
    return _judge(questions, record)


def _as_row(call: Ask) -> Ask:
    given = {"first_line_card_shown": YES, "row_in_option_set": YES}

    def ask(name: str) -> Finding:
        return given.get(name) or call(name)

    return ask


def _listed_rows(library: Library, call: Ask) -> tuple[str, ...]:
    """Rows of every option set that fits; the fallback only when no other set does."""
    fitting = [
        option_set
        for option_set in library.option_sets
        if all(call(name).answer is Answer.YES for name in option_set.when)
    ]
    chosen = [option_set for option_set in fitting if not option_set.fallback] or fitting
    return tuple(dict.fromkeys(row for option_set in chosen for row in option_set.rows))


def _judge(
    questions: Sequence[tuple[Recommendation, Ask, Draft | None]], record: PatientRecord
) -> Judged:
    applied: list[Applied] = []
    verdicts: list[Verdict] = []
    errors: list[str] = []
    for recommendation, ask, draft in questions:
        try:
            advice, verdict = judge(recommendation, ask, record.hook, draft)
        except Exception as failure:  # noqa: BLE001 one failing rule silences no other (H-21)
            _report(recommendation.id, failure)
            errors.append(recommendation.id)
            verdicts.append(Verdict(recommendation.id, "failed", ()))
            continue
        verdicts.append(verdict)
        if advice:
            applied.append(advice)
    return Judged(tuple(applied), tuple(verdicts), tuple(errors))


def _build(
    plans: Sequence[CardPlan], record: PatientRecord, standing: Standing, library: Library
) -> tuple[tuple[JSON, ...], tuple[str, ...]]:
    cards: list[JSON] = []
    errors: list[str] = []
    for plan in plans:
        try:
            cards.append(build_card(plan, record, standing, library))
        except Exception as failure:  # noqa: BLE001 the other cards are still returned (H-21)
            _report(plan.leader.recommendation.id, failure)
            errors.append(plan.leader.recommendation.id)
    return tuple(cards), tuple(errors)


def _report(name: str, failure: Exception) -> None:
    """Name the recommendation and the kind of failure; a message could hold patient data."""
    log.error(
        "recommendation failed", extra={"recommendation": name, "kind": type(failure).__name__}
    )


def _next_steps(library: Library, call: Ask) -> tuple[str, ...]:
    """Ids of the group next-step in the order of the pathways that apply."""
    return tuple(
        name
        for order in library.next_step_order
        if call(order.when).answer is Answer.YES
        for name in order.order
    )


def _standing(case: Case, places: Sequence[Place], library: Library, sure: SureAnswers) -> Standing:
    """Where the patient stands; the most specific pathway names the state."""
    states = {place.pathway: place.state for place in places}
    leading = [order.pathway for order in library.next_step_order if order.pathway in states]
    none: tuple[Condition, ...] = ()
    pain = sure.attempt(lambda: episode(case).conditions, none, "episode")
    return Standing(
        pathways=tuple(states),
        state=next((states[name] for name in leading if states[name]), None),
        phase=sure.attempt(lambda: phase(case), "unknown", "phase"),
        problem=next((found.reference for found in newest_first(pain)), None),
        region="whole" if _cord_signs(case, sure) else _region(states),
    )


def _region(pathways: Mapping[str, str | None]) -> str:
    """The painful part of the spine: one that a pathway names alone, else the whole of it."""
    lower = "chronic-low-back-pain" in pathways
    upper = bool(UPPER_BACK & set(pathways))
    if lower == upper:
        return "whole"
    return "lumbar" if lower else "thoracic"


def _cord_signs(case: Case, sure: SureAnswers) -> bool:
    """Whether signs of cord compression are active, which lumbar imaging cannot explain."""
    none: tuple[Condition, ...] = ()
    found = sure.attempt(lambda: active_conditions(case, "myelopathy"), none, "myelopathy")
    return bool(found)


def _outcomes(verdicts: Sequence[Verdict], selection: Selection) -> tuple[Verdict, ...]:
    """Each verdict with what selection made of it: shown, merged, row or capped."""
    places: dict[tuple[str, str | None], str] = {}
    for plan in selection.capped:
        places.update({_key(member): "capped" for member in plan.members})
    for plan in selection.shown:
        places[_key(plan.leader)] = "shown"
        places.update({_key(member): "merged" for member in plan.merged})
        places.update({_key(member): "row" for member in plan.rows})
    return tuple(
        replace(verdict, outcome=places.get((verdict.id, verdict.draft), "capped"))
        if verdict.outcome == "shown"
        else verdict
        for verdict in verdicts
    )


def _key(advice: Applied) -> tuple[str, str | None]:
    return advice.recommendation.id, advice.draft.order.reference if advice.draft else None
