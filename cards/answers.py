"""Answering facts about one case, each at most once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cards.answer import NO, UNKNOWN, Answer, Finding, all_of, any_of, negate
from cards.case import FACTS, Case
from cards.facts.vocabulary import FactDefinition, Vocabulary


class Answers:
    """Every fact of one case, computed when first asked.

    Args:
        case: the record, the day and the draft under evaluation.
        unanswerable: facts all of whose value sets have no codes yet; always unknown.
    """

    def __init__(
        self,
        case: Case,
        vocabulary: Vocabulary,
        unanswerable: frozenset[str] = frozenset(),
    ) -> None:
        self._case = case
        self._vocabulary = vocabulary
        self._unanswerable = unanswerable
        self._known: dict[str, Finding] = {}

    def __call__(self, name: str) -> Finding:
        """The answer to one fact; KeyError when no such fact is defined."""
        finding = self._known.get(name)
        if finding is None:
            finding = self._known[name] = self._answer(self._vocabulary[name])
        return finding

    def _answer(self, definition: FactDefinition) -> Finding:
        if definition.scope == "derived":
            return derive(definition, self)
        if definition.name in self._unanswerable:
            return UNKNOWN
        if definition.scope == "draft" and self._case.draft is None and _is_of_draft(definition):
            return NO
        return FACTS[definition.name](self._case)


class CallAnswers:
    """Answers for the whole call: a fact about drafts is yes when it is yes for any of them."""

    def __init__(self, drafts: Sequence[Answers], draft_facts: frozenset[str]) -> None:
        self._drafts = drafts
        self._draft_facts = draft_facts

    def __call__(self, name: str) -> Finding:
        """The answer to one fact; KeyError when no such fact is defined."""
        if name in self._draft_facts:
            return any_of(answers(name) for answers in self._drafts)
        return self._drafts[0](name)


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


def derive(definition: FactDefinition, ask: Answers | GivenAnswers) -> Finding:
    """A derived fact from its parts; ``unless`` takes a yes (or unknown) back only when yes."""
    if any(ask(name).answer is Answer.YES for name in definition.unless):
        return NO
    parts = [ask(name) for name in definition.all_of]
    parts += [negate(ask(name)) for name in definition.none_of]
    if definition.any_of:
        parts.append(any_of(ask(name) for name in definition.any_of))
    return all_of(parts)


def _is_of_draft(definition: FactDefinition) -> bool:
    """Whether the fact is about a draft order only, never about a drug already taken."""
    return definition.name.startswith(("draft_", "order_"))
