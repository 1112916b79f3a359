"""A rule in English: the questions it asks of the chart, and what each answer leads to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cards.criteria import Criteria
from cards.facts.vocabulary import FactDefinition, Vocabulary
from cards.recommendation import RANK, Example, Recommendation
from cards.record import HookName

HOOKS: dict[HookName, str] = {
    "patient-view": "the chart is opened",
    "order-select": "an order is chosen",
    "order-sign": "orders are signed",
}
RENDERS = {
    "card": "a card of its own",
    "row": "a line of the card on first-line care",
    "text": "words on other cards",
}
EXPECTED = {"shown": "shown", "withheld": "not shown", "softened": "worded more softly"}
SCOPES = {
    "patient": "asked of the chart, once a call",
    "draft": "asked of each drafted order",
    "engine": "answered while the cards are chosen",
    "derived": "made of other facts",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A fact a rule asks for, by its question."""

    fact: str
    question: str


@dataclass(frozen=True, slots=True)
class Condition:
    """Facts under one condition.

    Attributes:
        words: what is asked of their answers, such as "yes to every one of these".
    """

    words: str
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Loudness:
    """How loud a card becomes when a fact is yes."""

    indicator: str
    grade: str | None
    asked: Asked


@dataclass(frozen=True, slots=True)
class Rule:
    """When a recommendation is shown, when not, and how loud."""

    shown: tuple[Condition, ...]
    silent: tuple[Condition, ...]
    louder: tuple[Loudness, ...]


@dataclass(frozen=True, slots=True)
class Patient:
    """An example patient: what the chart says of them, and what comes of it."""

    case: str
    hook: str
    present: tuple[Asked, ...]
    absent: tuple[Asked, ...]
    unknown: tuple[Asked, ...]
    expect: str
    indicator: str | None


def rule_of(recommendation: Recommendation, vocabulary: Vocabulary) -> Rule:
    """The rule of a recommendation in English."""
    silent = (
        Condition("yes to any of these", _asked(recommendation.exclusions, vocabulary)),
        Condition(
            "yes to any of these, unless the card is critical",
            _asked(recommendation.critical_only_when, vocabulary),
        ),
    )
    rules = sorted(recommendation.indicator_rules, key=lambda rule: -RANK[rule.indicator])
    return Rule(
        shown=conditions(recommendation.trigger, vocabulary),
        silent=_told(silent),
        louder=tuple(
            Loudness(rule.indicator, rule.grade, _ask(rule.fact, vocabulary)) for rule in rules
        ),
    )


def conditions(criteria: Criteria, vocabulary: Vocabulary) -> tuple[Condition, ...]:
    """Criteria in English; those that ask for nothing are left out."""
    return _told(
        (
            Condition("yes to every one of these", _asked(criteria.all, vocabulary)),
            Condition("yes to at least one of these", _asked(criteria.any, vocabulary)),
            Condition("a known no to each of these", _asked(criteria.none, vocabulary)),
        )
    )


def offered_when(
    when_all: tuple[str, ...], when_none: tuple[str, ...], vocabulary: Vocabulary
) -> tuple[Condition, ...]:
    """When a suggestion is offered, in English."""
    return _told(
        (
            Condition("Offered on a yes to every one of these", _asked(when_all, vocabulary)),
            Condition("Not offered on a yes to any of these", _asked(when_none, vocabulary)),
        )
    )


def made_of(definition: FactDefinition, vocabulary: Vocabulary) -> tuple[Condition, ...]:
    """How a derived fact comes about, in English."""
    parts = Criteria(definition.all_of, definition.any_of, definition.none_of)
    unless = Condition("unless one of these is yes", _asked(definition.unless, vocabulary))
    return conditions(parts, vocabulary) + _told((unless,))


def patients_of(recommendation: Recommendation, vocabulary: Vocabulary) -> tuple[Patient, ...]:
    """The example patients of a recommendation."""
    return tuple(_patient(example, vocabulary) for example in recommendation.examples)


def _patient(example: Example, vocabulary: Vocabulary) -> Patient:
    return Patient(
        case=example.case,
        hook=HOOKS[example.hook],
        present=_asked(sorted(example.present), vocabulary),
        absent=_asked(sorted(example.absent), vocabulary),
        unknown=_asked(sorted(example.unknown), vocabulary),
        expect=example.expect,
        indicator=example.indicator,
    )


def _told(found: Iterable[Condition]) -> tuple[Condition, ...]:
    return tuple(condition for condition in found if condition.asked)


def _asked(names: Iterable[str], vocabulary: Vocabulary) -> tuple[Asked, ...]:
    return tuple(_ask(name, vocabulary) for name in names)


def _ask(name: str, vocabulary: Vocabulary) -> Asked:
    return Asked(name, vocabulary[name].ask)
