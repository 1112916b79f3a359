"""Yes, no and unknown: combining answers never turns "not known" into a yes or a no."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from cards.answer import NO, UNKNOWN, YES, Answer, ChartEntry, Finding, all_of, any_of, negate, yes
from cards.answers import GivenAnswers
from cards.criteria import Criteria, meets
from cards.facts.vocabulary import FactDefinition

ANSWERS = (YES, NO, UNKNOWN)
NAMES = ("a", "b", "c", "d")


def answer(criteria: Criteria, given_answers: dict[str, Finding]) -> Answer:
    return meets(criteria, given_answers.__getitem__).answer


def test_absence_must_be_shown() -> None:
    """A fact under none blocks while it is unknown: an unread record is no proof of absence."""
    criteria = Criteria(all=("a",), none=("b",))

    assert answer(criteria, {"a": YES, "b": NO}) is Answer.YES
    assert answer(criteria, {"a": YES, "b": UNKNOWN}) is Answer.UNKNOWN
    assert answer(criteria, {"a": YES, "b": YES}) is Answer.NO


def test_one_of_any_is_enough() -> None:
    """One yes among any suffices whatever the others are."""
    criteria = Criteria(any=("a", "b"))

    assert answer(criteria, {"a": UNKNOWN, "b": YES}) is Answer.YES
    assert answer(criteria, {"a": UNKNOWN, "b": NO}) is Answer.UNKNOWN
    assert answer(criteria, {"a": NO, "b": NO}) is Answer.NO


CRITERIA = st.builds(
    Criteria,
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple),
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple),
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple),
)
CHART = st.fixed_dictionaries({name: st.sampled_from(ANSWERS) for name in NAMES})


@given(CRITERIA, CHART)
def test_a_known_answer_survives_learning_more(
    criteria: Criteria, chart: dict[str, Finding]
) -> None:
    """Once criteria are known met or not met, learning an unknown fact never reverses that."""
    before = answer(criteria, chart)
    unknown = [name for name in NAMES if chart[name] is UNKNOWN]
    if before is Answer.UNKNOWN:
        return
    for learned in product((YES, NO), repeat=len(unknown)):
        assert before is answer(criteria, chart | dict(zip(unknown, learned, strict=True)))


def test_kleene_tables() -> None:
    """And, or and not over yes, no and unknown, all nine pairs."""
    order = {Answer.NO: 0, Answer.UNKNOWN: 1, Answer.YES: 2}
    for one, other in product(ANSWERS, repeat=2):
        pair = (one.answer, other.answer)

        assert all_of((one, other)).answer is min(pair, key=order.__getitem__)
        assert any_of((one, other)).answer is max(pair, key=order.__getitem__)
        assert negate(negate(one)).answer is one.answer


def test_grounds_are_gathered_from_what_is_yes() -> None:
    """A yes names the chart entries of every part that is yes, and of no other."""
    flag = yes([ChartEntry("Condition/flag", "Foot drop")])
    pain = yes([ChartEntry("Condition/pain", "Low back pain")])
    found = meets(Criteria(all=("b",), any=("a", "c")), {"a": flag, "b": pain, "c": NO}.__getitem__)

    assert ["Condition/flag", "Condition/pain"] == [entry.reference for entry in found.because]


def test_unless_acts_only_when_known() -> None:
    """A red flag stays open while its work-up is unknown; a known work-up closes it."""
    vocabulary = {
        "flag": FactDefinition("flag", "?", "patient"),
        "done": FactDefinition("done", "?", "patient"),
        "open": FactDefinition("open", "?", "derived", any_of=("flag",), unless=("done",)),
    }

    def opened(done: Finding) -> Answer:
        return GivenAnswers({"flag": YES, "done": done}, vocabulary)("open").answer

    assert (opened(NO), opened(UNKNOWN), opened(YES)) == (Answer.YES, Answer.YES, Answer.NO)
