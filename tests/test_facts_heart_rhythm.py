"""Heart rhythm: the newest QTc, and drugs that lengthen it."""

from __future__ import annotations

from dataclasses import replace

import pytest

import cards.facts  # noqa: F401  # registers the facts
from cards.answer import Answer
from cards.case import FACTS
from cards.codes import LOINC
from cards.library import HERE
from cards.record import Coding, Observation, Quantity
from cards.value_set_files import index_codes, read_value_sets
from tests.chart import answer, case, measured, month, prescribed

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
INDEX = index_codes(read_value_sets(HERE / "value_sets"))
QT_DRUG = prescribed("qt-drugs", 10)


def qtc(value: float, days: int = 10, unit: str | None = "ms") -> Observation:
    """A QTc of so many days ago."""
    return measured("qtc", days, value, unit)


@pytest.mark.parametrize(
    ("value", "over_500", "over_470"),
    [
        (469, NO, NO),
        (470, NO, NO),
        (471, NO, YES),
        (499, NO, YES),
        (500, NO, YES),
        (501, YES, YES),
    ],
)
def test_limits(value: float, over_500: Answer, over_470: Answer) -> None:
    """Over means over: 500 and 470 ms themselves do not count."""
    assert answer("qtc_over_500", qtc(value)) is over_500
    assert answer("qtc_over_470_with_qt_drug", qtc(value), QT_DRUG) is over_470
    assert answer("qtc_over_470_with_qt_drug", qtc(value)) is NO


@pytest.mark.parametrize(
    ("comparator", "limit", "expected"), [(">", 499, NO), (">", 500, YES), ("<", 600, UNKNOWN)]
)
def test_a_bound_above_the_limit_counts(comparator: str, limit: float, expected: Answer) -> None:
    """An interval given only as longer than 500 ms is over 500 ms."""
    bounded = replace(qtc(1), value=None, bound=(comparator, Quantity(limit, "ms")))

    assert answer("qtc_over_500", bounded) is expected


@pytest.mark.parametrize(("days", "expected"), [(0, YES), (89, YES), (90, YES), (91, NO)])
def test_a_qtc_counts_for_90_days(days: int, expected: Answer) -> None:
    """An ECG of more than 90 days ago says nothing of today."""
    assert answer("qtc_over_500", qtc(520, days)) is expected
    assert answer("qtc_over_470_with_qt_drug", qtc(480, days), QT_DRUG) is expected


@pytest.mark.parametrize(
    ("words", "entries", "expected"),
    [
        ("none", [], NO),
        ("the newest counts", [qtc(520, 50), qtc(440, 10)], NO),
        ("the newest counts", [qtc(440, 50), qtc(520, 10)], YES),
        ("seconds are not guessed", [qtc(0.52, unit="s")], UNKNOWN),
        ("no unit", [qtc(520, unit=None)], UNKNOWN),
        ("unreadable newest", [qtc(520, 50), qtc(440, 10, None)], UNKNOWN),
        ("no number", [replace(qtc(520), value=None)], UNKNOWN),
        ("two at one time: the longer", [qtc(490), qtc(510)], YES),
        ("not final", [replace(qtc(520), status="preliminary")], NO),
        ("this month", [replace(qtc(520), effective=month(2026, 6))], YES),
        ("a month across the bound", [replace(qtc(520), effective=month(2026, 3))], UNKNOWN),
        ("a month before it", [replace(qtc(520), effective=month(2026, 2))], NO),
    ],
)
def test_newest_qtc(words: str, entries: list[Observation], expected: Answer) -> None:
    """The newest final QTc in milliseconds counts; nothing stands in for an unreadable one."""
    assert answer("qtc_over_500", *entries) is expected, words


def test_unread_keys() -> None:
    """Unread results or drugs rule nothing out; what arrived still counts."""
    results, drugs = ("observations",), ("medications",)

    assert answer("qtc_over_500", unread=results) is UNKNOWN
    assert answer("qtc_over_500", qtc(440), unread=results) is UNKNOWN
    assert answer("qtc_over_500", qtc(520), unread=results) is YES
    assert answer("qtc_over_470_with_qt_drug", qtc(480), unread=drugs) is UNKNOWN
    assert answer("qtc_over_470_with_qt_drug", qtc(480), QT_DRUG, unread=drugs) is YES
    assert answer("qtc_over_470_with_qt_drug", QT_DRUG, unread=results) is UNKNOWN


@pytest.mark.parametrize(
    ("words", "days", "status", "expected"),
    [
        ("covers today", 90, "active", YES),
        ("lapsed yesterday", 91, "active", NO),
        ("stopped", 10, "stopped", NO),
        ("on hold", 10, "on-hold", NO),
    ],
)
def test_the_drug_must_be_taken_now(words: str, days: int, status: str, expected: Answer) -> None:
    """A drug whose order does not cover today lengthens no QT interval."""
    drug = prescribed("qt-drugs", days, status=status)

    assert answer("qtc_over_470_with_qt_drug", qtc(480), drug) is expected, words


def test_value_and_drug_are_shown() -> None:
    """The card names the ECG and the drug."""
    finding = FACTS["qtc_over_470_with_qt_drug"](case(qtc(480), QT_DRUG))

    assert [entry.display for entry in finding.because] == ["qtc: 480 ms", "qt-drugs"]


@pytest.mark.parametrize(
    ("words", "code", "expected"), [("QTc", "8636-3", YES), ("QT, uncorrected", "8634-8", NO)]
)
def test_codes(words: str, code: str, expected: Answer) -> None:
    """Only the corrected interval counts."""
    result = replace(qtc(520), concept=INDEX.concept([Coding(LOINC, code)]))

    assert answer("qtc_over_500", result) is expected, words
