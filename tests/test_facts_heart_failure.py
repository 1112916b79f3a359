"""Heart failure that has lately got worse: an acute episode, a hospital stay, a weak heart."""

from __future__ import annotations

from typing import Any

import pytest

from cards.codes import ICD10CM
from cards.facts.heart_failure import heart_failure_decompensated
from cards.library import HERE
from cards.record import Coding, Concept, Encounter, Observation
from cards.value_set_files import index_codes, read_value_sets
from tests.chart import ago, answer, case, coded, measured, month, problem

NAME = "heart_failure_decompensated"
FAILURE = problem("heart-failure", 900)
INDEX = index_codes(read_value_sets(HERE / "value_sets"))
DAYS = pytest.mark.parametrize(("days", "expected"), [(89, "yes"), (90, "yes"), (91, "no")])


def said(*entries: object, visits: tuple[Encounter, ...] = (), **details: Any) -> str:
    return answer(NAME, *entries, encounters=visits, **details).value


def stay(
    days: int, kind: str = "IMP", *reasons: Concept, status: str = "finished", **details: Any
) -> Encounter:
    """A visit that began ten days before it ended, so many days ago."""
    details = {"start": ago(days + 10), "end": ago(days), **details}
    return Encounter(f"Encounter/{days}", status, kind, reasons=reasons, **details)


def acute(days: int, **details: Any) -> Any:
    return problem("heart-failure-acute", days, **details)


@DAYS
def test_acute_code(days: int, expected: str) -> None:
    """An acute code counts for 90 days from onset or record, also when it has resolved."""
    assert said(FAILURE, acute(days)) == expected
    assert said(FAILURE, acute(days, clinical="resolved")) == expected
    assert said(FAILURE, acute(700, recorded=ago(days))) == expected


@DAYS
def test_hospital_stay(days: int, expected: str) -> None:
    """An inpatient or emergency visit counts for 90 days after its end."""
    for kind in ("IMP", "ACUTE", "NONAC", "EMER"):
        assert said(FAILURE, visits=(stay(days, kind),)) == expected
    for kind in ("AMB", "VR", "HH"):
        assert said(FAILURE, visits=(stay(days, kind),)) == "no"


def test_stay_under_way() -> None:
    """Who is in hospital is, however long; a visit planned or called off is none."""
    long = stay(200, status="in-progress", end=None)

    assert said(FAILURE, visits=(long,)) == "yes"
    assert said(FAILURE, visits=(stay(1, status="cancelled"),)) == "no"
    assert said(FAILURE, visits=(stay(1, status="planned"),)) == "no"


def test_reason_of_the_stay() -> None:
    """A stay coded for something else says nothing of the heart; one for the heart does."""
    hip, failure = coded("hip"), coded("heart-failure")
    told_there = problem("heart-failure", 900, encounter="Encounter/5")

    assert said(FAILURE, visits=(stay(5, "IMP", hip),)) == "no"
    assert said(FAILURE, visits=(stay(5, "IMP", hip, failure),)) == "yes"
    assert said(FAILURE, visits=(stay(5, "IMP", Concept(display="dyspnoea")),)) == "yes"
    assert said(told_there, visits=(stay(5, "IMP", hip),)) == "yes"


@pytest.mark.parametrize(("value", "expected"), [(39, "yes"), (40, "no"), (41, "no")])
def test_ejection_fraction(value: float, expected: str) -> None:
    """Below 40 % is severe."""
    assert said(FAILURE, measured("lvef", 5, value, "%")) == expected


@DAYS
def test_age_of_the_ejection_fraction(days: int, expected: str) -> None:
    """An ejection fraction counts for 90 days, and the newest of them decides."""
    assert said(FAILURE, measured("lvef", days, 35, "%")) == expected
    assert said(FAILURE, measured("lvef", 50, 30, "%"), measured("lvef", 5, 55, "%")) == "no"


def test_unreadable_ejection_fraction() -> None:
    """A fraction without a percent sign, or beyond 0 to 100 %, is not read."""
    for value, unit in ((0.35, None), (35, None), (350, "%"), (-5, "%")):
        assert said(FAILURE, measured("lvef", 5, value, unit)) == "unknown"
    words = Observation("Observation/w", coded("lvef"), "final", ago(5))
    assert said(FAILURE, words) == "unknown"


def test_only_with_heart_failure() -> None:
    """Without active heart failure a stay or a low fraction is none; unread problems: open."""
    low, visit = measured("lvef", 5, 20, "%"), stay(5)

    assert said(low, visits=(visit,)) == "no"
    over = problem("heart-failure", 900, clinical="resolved")
    assert said(over, low, visits=(visit,)) == "no"
    assert said(low, visits=(visit,), unread=("conditions",)) == "unknown"


def test_left_open() -> None:
    """Unread visits or results, and dates only partly known, leave it open."""
    assert said(FAILURE) == "no"
    assert said(FAILURE, unread=("encounters",)) == "unknown"
    assert said(FAILURE, unread=("observations",)) == "unknown"
    assert said(FAILURE, acute(5), unread=("encounters",)) == "yes"
    assert said(FAILURE, acute(0, onset=month(2026, 3))) == "unknown"
    assert said(FAILURE, acute(0, onset=None)) == "unknown"
    assert said(FAILURE, visits=(stay(5, start=None, end=None),)) == "unknown"


def test_what_it_implies() -> None:
    """Decompensated heart failure is heart failure; every acute code is one of both sets."""
    for code in ("I50.21", "I50.23", "I50.31", "I50.33", "I50.41", "I50.43", "I50.811", "I50.813"):
        failing = problem("x", 5, concept=INDEX.concept((Coding(ICD10CM, code),)))

        assert said(failing) == answer("heart_failure", failing).value == "yes"
    chronic = problem("x", 5, concept=INDEX.concept((Coding(ICD10CM, "I50.22"),)))
    assert (said(chronic), answer("heart_failure", chronic).value) == ("no", "yes")


def test_names_the_entries() -> None:
    """The card can name what made it worse, and the illness, each once."""
    episode = acute(5)
    because = heart_failure_decompensated(case(FAILURE, episode)).because

    assert [entry.reference for entry in because] == [episode.reference, FAILURE.reference]
