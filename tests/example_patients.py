"""Running the example patients of a recommendation: facts given, no chart behind them."""

from __future__ import annotations

from collections.abc import Iterable

from cards.answer import UNKNOWN, YES
from cards.answers import GivenAnswers
from cards.facts.vocabulary import Vocabulary
from cards.library import Library
from cards.recommend import Applied, judge
from cards.recommendation import RANK, Example, Indicator, Recommendation
from cards.record import HookName

# Facts that say something was not read; known records do not have them.
UNREAD = frozenset(
    {
        "conditions_incomplete",
        "conditions_unread_on_order",
        "red_flag_data_incomplete",
        "allergies_unread",
    }
)


def what_follows(present: Iterable[str], hook: HookName, vocabulary: Vocabulary) -> frozenset[str]:
    """The facts that are yes when these are: the hook, and whatever each implies."""
    hook_fact = "hook_is_patient_view" if hook == "patient-view" else "hook_is_order"
    waiting = [*present, hook_fact]
    following: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in following:
            continue
        following.add(name)
        definition = vocabulary.get(name)
        if definition is None:
            continue
        waiting += definition.implies
        if hook == "patient-view":
            waiting += definition.implies_on_patient_view
    return frozenset(following)


def answer(
    recommendation: Recommendation,
    present: Iterable[str],
    unknown: Iterable[str],
    hook: HookName,
    vocabulary: Vocabulary,
) -> Applied | None:
    """What the recommendation says of a patient given in facts; all other facts are no."""
    given = dict.fromkeys(present, YES) | dict.fromkeys(unknown, UNKNOWN)
    advice, _ = judge(recommendation, GivenAnswers(given, vocabulary), hook)
    return advice


def outcome(
    recommendation: Recommendation, example: Example, library: Library
) -> tuple[str, Indicator | None]:
    """``withheld``, ``shown`` or ``softened`` (weaker than were all known), and the indicator."""
    vocabulary = library.vocabulary
    known = what_follows(example.present, example.hook, vocabulary) - example.unknown
    got = answer(recommendation, known, example.unknown, example.hook, vocabulary)
    if got is None:
        return "withheld", None
    full = what_follows(example.present - UNREAD, example.hook, vocabulary)
    complete = [full - example.unknown, full | example.unknown]
    complete += [(full - example.unknown) | {name} for name in example.unknown]
    better = (
        answer(recommendation, facts - UNREAD, (), example.hook, vocabulary) for facts in complete
    )
    softened = any(other is not None and _stronger(other, got) for other in better)
    return ("softened" if softened else "shown"), got.indicator


def _stronger(one: Applied, other: Applied) -> bool:
    return RANK[one.indicator] > RANK[other.indicator] or set(one.suggestions) > set(
        other.suggestions
    )
