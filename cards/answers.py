"""Answering facts about one case, each at most once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from types import MappingProxyType
from typing import TypeVar

from cards.answer import NO, UNKNOWN, Answer, Finding, any_of, yes
from cards.case import Case, answered, once_a_call
from cards.criteria import Ask, first_yes, settled
from cards.facts.vocabulary import FactDefinition, Vocabulary
from cards.record import BESIDE, LookUp
from cards.silence import EmptyChart, drafted

# Looked up once: a member of an enumeration costs several times what a global does.
_YES, _NO, _UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN

log = logging.getLogger(__name__)
T = TypeVar("T")


class Answers:
    """Every fact of one case, computed when first asked.

    Args:
        case: the record, the day and the draft under evaluation.
        unanswerable: facts all of whose value sets have no codes yet; always unknown.
        switches: facts answered by a setting of the site.
        empty: the empty chart of this kind; what it answers is not worked out again.
    """

    def __init__(
        self,
        case: Case,
        vocabulary: Vocabulary,
        unanswerable: frozenset[str] = frozenset(),
        switches: Mapping[str, Finding] = MappingProxyType({}),
        empty: EmptyChart | None = None,
    ) -> None:
        self._case = case
        self._empty = empty
        self._held = frozenset() if empty is None else _held(case)
        self._ruled_out: Set[str] | None = None
        self._vocabulary = vocabulary
        self._unanswerable = unanswerable
        self._known: dict[str, Finding] = dict(switches)

    def __call__(self, name: str) -> Finding:
        """The answer to one fact; KeyError when no such fact is defined."""
        finding = self._known.get(name)
        if finding is None:
            silence = self._empty[name] if self._empty is not None else None
            if silence and silence.looked_up.isdisjoint(self._held):
                finding = silence.finding
            else:
                finding = self._answer(self._vocabulary[name])
            self._known[name] = finding
        return finding

    def rules_out(self, recommendation: str) -> bool:
        """Whether its trigger is not met, told by what the chart holds nothing of."""
        if self._ruled_out is None:
            self._ruled_out = (
                frozenset() if self._empty is None else self._empty.ruled_out(self._held)
            )
        return recommendation in self._ruled_out

    def _answer(self, definition: FactDefinition) -> Finding:
        if definition.scope == "derived":
            return derive(definition, self)
        if definition.name in self._unanswerable:
            return UNKNOWN
        if definition.scope == "draft" and self._case.draft is None and _is_of_draft(definition):
            return NO
        return answered(self._case, definition.name)


class CallAnswers:
    """Answers for the whole call: a fact about drafts is yes when it is yes for any of them."""

    def __init__(self, drafts: Sequence[Answers], draft_facts: frozenset[str]) -> None:
        self._drafts = drafts
        self._draft_facts = draft_facts
        self._known: dict[str, Finding] = {}

    def __call__(self, name: str) -> Finding:
        """The answer to one fact; KeyError when no such fact is defined."""
        if name not in self._draft_facts:
            return self._drafts[0](name)
        finding = self._known.get(name)
        if finding is None:
            finding = self._known[name] = any_of([answers(name) for answers in self._drafts])
        return finding


class GivenAnswers:
    """Answers with some facts settled: the engine's own facts, or an example patient's."""

    def __init__(self, given: Mapping[str, Finding], vocabulary: Vocabulary) -> None:
        self._given = given
        self._vocabulary = vocabulary

    def __call__(self, name: str) -> Finding:
        """The given answer; derived facts are computed; any other fact is no."""
        definition = self._vocabulary[name]
        if definition.scope == "derived":
            return derive(definition, self)
        return self._given.get(name, NO)


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
        try:
            return self._ask(name)
        except Exception as failure:  # noqa: BLE001 as in attempt
            self._note(name, failure)
            return UNKNOWN

    def attempt(self, step: Callable[[], T], otherwise: T, name: str) -> T:
        """What a step gives, or ``otherwise`` when it fails; the failure is reported."""
        try:
            return step()
        except Exception as failure:  # noqa: BLE001 the cards themselves must still be given (H-21)
            self._note(name, failure)
            return otherwise

    def _note(self, name: str, failure: Exception) -> None:
        report_failure(name, failure)
        self.failed = True


def given(known: Mapping[str, Finding], call: Ask) -> Ask:
    """Answers with those settled that only the course of this call can tell."""

    def ask(name: str) -> Finding:
        return known.get(name) or call(name)

    return ask


def _held(case: Case) -> Set[LookUp]:
    """Every look-up that finds something in this case."""
    held = _held_on_record(case)
    if case.other_drafts:
        held = held | {BESIDE}
    return held | drafted(case.draft) if case.draft else held


@once_a_call
def _held_on_record(case: Case) -> Set[LookUp]:
    return case.record.held()


def report_failure(name: str, failure: Exception) -> None:
    """Log what failed and the kind of failure; a message could hold patient data."""
    log.error(
        "recommendation failed", extra={"recommendation": name, "kind": type(failure).__name__}
    )


def derive(definition: FactDefinition, ask: Answers | GivenAnswers) -> Finding:
    """A derived fact from its parts; ``unless`` takes a yes (or unknown) back only when yes."""
    parts = definition.all_of, definition.any_of, definition.none_of
    met = settled(*parts, ask)
    if met is _NO or first_yes(definition.unless, ask) is _YES:
        return NO
    if met is _UNKNOWN:
        return UNKNOWN
    found = [ask(name) for name in definition.all_of + definition.any_of]
    return yes(entry for one in found if one.answer is _YES for entry in one.because)


def _is_of_draft(definition: FactDefinition) -> bool:
    """Whether the fact is about a draft order only, never about a drug already taken."""
    return definition.name.startswith(("draft_", "order_"))
