"""Every recommendation does for its own example patients what its file says."""

from __future__ import annotations

from itertools import product

import pytest

from cards.answer import YES, Answer
from cards.answers import GivenAnswers
from cards.library import Library, load_library
from cards.recommendation import Example, Recommendation
from tests.example_patients import answer, outcome, what_follows

LIBRARY = load_library()
EXAMPLES = [
    pytest.param(recommendation, example, id=f"{recommendation.id}: {example.case}")
    for recommendation in LIBRARY.recommendations.values()
    for example in recommendation.examples
]


@pytest.mark.parametrize(("recommendation", "example"), EXAMPLES)
def test_example_patient(recommendation: Recommendation, example: Example) -> None:
    """The example patient gets the card, or does not, exactly as the file says."""
    expected = (example.expect, example.indicator)

    assert expected == outcome(recommendation, example, LIBRARY)


@pytest.mark.parametrize(("recommendation", "example"), EXAMPLES)
def test_example_is_sound(recommendation: Recommendation, example: Example) -> None:
    """No example contradicts itself or names facts that exclude each other."""
    library: Library = LIBRARY
    known = what_follows(example.present, example.hook, library.vocabulary) - example.unknown

    assert not example.present & example.unknown
    assert not known & example.absent
    assert all(len(group & known) < 2 for group in library.exclusive)
    assert example.hook in recommendation.hooks


SILENCED = [
    pytest.param(recommendation, name, id=f"{recommendation.id}: {name}")
    for recommendation in LIBRARY.recommendations.values()
    for name in recommendation.exclusions
]


@pytest.mark.parametrize(("recommendation", "exclusion"), SILENCED)
def test_exclusion_silences(recommendation: Recommendation, exclusion: str) -> None:
    """Each exclusion, made yes in a patient who gets the card, takes the card away."""
    example = next(e for e in recommendation.examples if e.expect == "shown")
    vocabulary = LIBRARY.vocabulary
    tried = 0
    for way in _ways(exclusion):
        extra = what_follows(way, example.hook, vocabulary)
        before = what_follows(example.present, example.hook, vocabulary)
        rivals = {n for group in LIBRARY.exclusive if group & extra for n in group - extra}
        facts = (before - rivals) | extra
        if GivenAnswers(dict.fromkeys(facts, YES), vocabulary)(exclusion).answer is Answer.YES:
            tried += 1
            assert answer(recommendation, facts, (), example.hook, vocabulary) is None

    assert tried


def _ways(name: str) -> list[frozenset[str]]:
    """All ways to make a fact yes, as sets of plain facts."""
    definition = LIBRARY.vocabulary[name]
    if definition.scope != "derived":
        return [frozenset({name})]
    required = [_ways(part) for part in definition.all_of]
    if definition.any_of:
        required.append([way for part in definition.any_of for way in _ways(part)])
    return [frozenset().union(*choice) for choice in product(*required)]
