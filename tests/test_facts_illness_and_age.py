"""Illness and age that change the advice on a drug."""

from __future__ import annotations

from datetime import date

import pytest

from cards.answer import Answer
from cards.case import FACTS
from cards.codes import ICD10CM, SNOMED
from cards.library import HERE
from cards.record import Coding, Patient, When
from cards.value_set_files import index_codes, read_value_sets
from tests.chart import answer, case, month, on, problem

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
INDEX = index_codes(read_value_sets(HERE / "value_sets"))

ILLNESSES = [
    ("neuropathic_component", "radiculopathy-sciatica"),
    ("neuropathic_component", "spinal-stenosis"),
    ("neuropathic_component", "neuropathic-pain"),
    ("neuropathic_component", "fibromyalgia"),
    ("mood_or_anxiety", "mood-anxiety"),
    ("spasticity", "spasticity-disorder"),
]


@pytest.mark.parametrize(("fact", "value_set"), ILLNESSES)
def test_active_illness(fact: str, value_set: str) -> None:
    """An active, confirmed problem counts however old; one that is over does not."""
    assert answer(fact, problem(value_set, 4000)) is YES
    assert answer(fact, problem(value_set)) is YES
    assert answer(fact, problem(value_set, 10, clinical="resolved")) is NO
    assert answer(fact, problem(value_set, 10, verification="provisional")) is NO
    assert answer(fact) is NO
    assert answer(fact, unread=("conditions",)) is UNKNOWN
    assert answer(fact, problem(value_set, 10), unread=("conditions",)) is YES


@pytest.mark.parametrize(
    ("fact", "system", "code", "expected"),
    [
        ("neuropathic_component", ICD10CM, "M54.16", YES),
        ("neuropathic_component", ICD10CM, "M54.50", NO),
        ("mood_or_anxiety", ICD10CM, "F32.1", YES),
        ("mood_or_anxiety", ICD10CM, "F41.1", YES),
        ("spasticity", ICD10CM, "G35", YES),
        ("spasticity", SNOMED, "221360009", YES),
        ("spasticity", ICD10CM, "M62.830", NO),  # spasm of the back
    ],
)
def test_coded_illness(fact: str, system: str, code: str, expected: Answer) -> None:
    """What the codes of the value sets make of a problem."""
    found = problem("x", 10, concept=INDEX.concept((Coding(system, code),)))

    assert answer(fact, found) is expected


def aged(birth: When | None) -> Answer:
    person = Patient("p1", birth, deceased=False, sex=None)
    return FACTS["age_over_75"](case(patient=person)).answer


# The day of these charts is 15 June 2026.
@pytest.mark.parametrize(
    ("birth", "expected"),
    [
        (date(1950, 6, 14), YES),
        (date(1950, 6, 15), YES),
        (date(1950, 6, 16), NO),
        (date(1951, 6, 15), NO),
    ],
)
def test_over_75(birth: date, expected: Answer) -> None:
    """Over 75 from the 76th birthday on; 75 is not yet over."""
    assert aged(on(birth)) is expected


def test_over_75_left_open() -> None:
    """A month or nothing as birth date leaves the birthday open."""
    assert aged(month(1950, 6)) is UNKNOWN
    assert aged(None) is UNKNOWN
    assert aged(month(1950, 5)) is YES


@pytest.mark.parametrize("year", range(1940, 1965))
def test_over_75_is_75_or_over(year: int) -> None:
    """Who is over 75 is 75 or over."""
    patient = Patient("p1", on(date(year, 6, 15)), deceased=False, sex=None)

    said = [FACTS[name](case(patient=patient)).answer for name in ("age_over_75", "age_75_or_over")]

    assert said != [YES, NO]
