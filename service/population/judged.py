"""From the resources of one patient to rows: the same judging as of a hook call, and its counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from cards.advise import Advice
from cards.answer import NO, UNKNOWN
from cards.library import Library
from service.call_size import MOST_RESOURCES
from service.errors import RequestRefused
from service.hooks import SERVICES, HookService, Judgement, judge
from service.patient_record.elements import text
from service.patient_record.flat import Undecodable, decoded
from service.population.calls import Calls
from service.population.counts import count_answer, count_keys, count_opening, count_standing
from service.population.grouping import Chart, Row
from service.population.places import Rejected
from service.population.pseudonym import Keyed, own_key
from service.population.reasons import Reason
from service.population.resource_line import OF_PATIENTS, LineRefused, decoded_line
from service.population.tables import CardRow, StateRow, Tally
from service.population.visits import Call
from service.prefetch import KEYS

SERVICE_OF: Mapping[str, HookService] = {service.hook: service for service in SERVICES.values()}
CHART_OPENED, ORDER_CHOSEN = "patient-view", "order-select"
NOTHING_SAID, NOTHING_SURE = Advice(ask=lambda _: NO), Advice(ask=lambda _: UNKNOWN)
# Told how many more patients are done.
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every patient.

    Attributes:
        calls: the calls a patient's chart is judged in.
        key: what stands for a patient's id in the tables.
        empty: prefetch keys of which the whole export holds nothing.
    """

    library: Library
    calls: Calls
    key: Keyed = own_key
    empty: frozenset[str] = frozenset()


@dataclass(slots=True)
class Found:
    """What came of some patients."""

    cards: list[CardRow] = field(default_factory=list)
    states: list[StateRow] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    tally: Tally = field(default_factory=Counter)

    def add(self, other: Found) -> None:
        """Add what came of others."""
        self.cards += other.cards
        self.states += other.states
        self.rejected += other.rejected
        self.tally.update(other.tally)


class Refused(Exception):
    """A patient cannot be judged."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def judge_charts(charts: Iterable[Chart], question: Question, judged: Told) -> Found:
    """Judge patient after patient.

    Args:
        judged: told after every patient that another one is done.
    """
    found = Found()
    for chart in charts:
        found.add(_judge_chart(chart, question))
        judged(1)
    return found


def _judge_chart(chart: Chart, question: Question) -> Found:
    """Judge one patient; the last Patient given of one id counts."""
    _, rows = chart
    *again, person = [row for row in rows if row.kind == "Patient"]
    others = [row for row in rows if row.kind != "Patient"]
    theirs = Found()
    try:
        if len(others) >= MOST_RESOURCES:
            raise Refused(Reason.TOO_MANY)
        _judge(person, others, question, theirs)
    except Refused as refused:
        theirs = Found()
        _reject_patient(person, refused.reason, theirs)
    except (Undecodable, LineRefused):
        theirs = Found()
        _reject_patient(person, Reason.UNDECODABLE, theirs)
        for row in others:
            if row.kind in OF_PATIENTS and not _can_be_held(row):
                _reject(row, Reason.CANNOT_BE_HELD, theirs)
    for row in again:
        _reject(row, Reason.PATIENT_AGAIN, theirs)
    theirs.tally["patients", "in"] += 1
    return theirs


def _reject_patient(person: Row, reason: Reason, theirs: Found) -> None:
    theirs.tally["patients", "rejected"] += 1
    _reject(person, reason, theirs)


def _reject(row: Row, reason: Reason, theirs: Found) -> None:
    theirs.rejected.append(Rejected(row.place, reason))
    theirs.tally["lines", "rejected", reason.value] += 1
    theirs.tally["lines", "read", row.kind] -= 1


def _can_be_held(row: Row) -> bool:
    """Whether nothing in a resource hinders reading all of it."""
    try:
        decoded(row.body)
    except Undecodable:
        return False
    return True


def _judge(person: Row, others: Sequence[Row], question: Question, theirs: Found) -> None:
    """Judge a patient in every call there is.

    Raises:
        Refused: in one of them the patient cannot be judged.
        Undecodable, LineRefused: a resource of theirs cannot be read.
    """
    patient = text(decoded_line(person.body).get("id"))
    calls = question.calls.of(patient, [person, *others], theirs.tally)
    told_of = any(row.telling for row in others)
    _judge_calls(question.key(patient), calls, told_of, question, theirs)


def _judge_calls(
    key: str, calls: Iterable[Call], told_of: bool, question: Question, theirs: Found
) -> None:
    """Judge one patient in each call.

    Args:
        told_of: whether anything may make a pathway concern the patient; without it no answer
            bears a card or a place, whatever else the chart holds.

    Raises:
        Refused: the service would refuse one.
    """
    told: set[str] = set()
    most = 0
    last: Advice | None = None
    for call in calls:
        if told_of:
            judgement = _judgement(call, question.library)
        else:
            judgement = _nothing(call, question.calls.unfinished)
        cards = list(_card_rows(key, call, judgement.advice))
        theirs.cards += cards
        told.update(card.recommendation for card in cards)
        most = max(most, len(cards))
        count_answer(judgement, call.hook, cards, theirs.tally)
        if call.hook == CHART_OPENED:
            last = judgement.advice
            theirs.states += _state_rows(key, call.day, last)
            count_keys(judgement.prefetch, question.empty, theirs.tally)
            count_opening(last, question.library, theirs.tally)
    if last is None:
        theirs.states.append(StateRow(key, None, None, None, NOTHING_SAID.phase))
    if not theirs.tally["calls", CHART_OPENED] + theirs.tally["calls", ORDER_CHOSEN]:
        theirs.tally["patients", "without a visit"] += 1
        return
    theirs.tally["patients", "judged"] += 1
    count_standing(last or NOTHING_SAID, theirs.tally)
    theirs.tally["most cards at once", str(most)] += 1
    theirs.tally.update(("patients told", recommendation) for recommendation in told)


def _nothing(call: Call, unfinished: Collection[str]) -> Judgement:
    """What is said of a chart with nothing of the back.

    Args:
        unfinished: prefetch keys of which not all came.

    Raises:
        Refused: the service would refuse the call, for want of any Conditions.
    """
    if call.hook == CHART_OPENED and "conditions" not in call.prefetch:
        raise Refused(Reason.NO_CONDITIONS)
    states = {key: "read" if key in call.prefetch else "missing" for key in KEYS}
    states |= dict.fromkeys(unfinished, "unfinished")
    said = NOTHING_SURE if "conditions" in unfinished else NOTHING_SAID
    return Judgement(said, prefetch=states)


def _judgement(call: Call, library: Library) -> Judgement:
    """What the service would answer.

    Raises:
        Refused: it would refuse the call.
    """
    request = {"context": call.context, "prefetch": call.prefetch}
    try:
        return judge(request, SERVICE_OF[call.hook], library, call.day)
    except RequestRefused as refusal:
        (problem,) = refusal.problems
        about_conditions = problem.path == "prefetch.conditions"
        reason = Reason.NO_CONDITIONS if about_conditions else Reason.UNREADABLE_PATIENT
        raise Refused(reason) from None


def _card_rows(key: str, call: Call, advice: Advice) -> Iterator[CardRow]:
    for card, pathway in zip(advice.cards, advice.card_pathways, strict=True):
        yield CardRow(
            key,
            call.day,
            call.hook,
            card["source"]["topic"]["code"],
            card["indicator"],
            pathway,
            advice.states.get(pathway) if pathway else None,
            advice.phase,
        )


def _state_rows(key: str, day: date, advice: Advice) -> Iterator[StateRow]:
    for place in advice.places:
        yield StateRow(key, day, place.pathway, place.state, advice.phase)
    if not advice.places:
        yield StateRow(key, day, None, None, advice.phase)
