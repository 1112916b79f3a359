"""Facts about past events: each window at its edges, and dates that leave it open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

import cards.facts  # noqa: F401  # registers the facts
from cards.answer import Answer
from cards.case import FACTS
from cards.codes import ICD10CM
from cards.library import HERE
from cards.record import Coding, Condition, When
from cards.value_set_files import index_codes, read_value_sets
from tests.chart import ago, answer, case, coded, done, month, prescribed, problem

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
INDEX = index_codes(read_value_sets(HERE / "value_sets"))

# Fact, value set, first and last day of its window.
WINDOWS = [
    ("gi_ulcer_bleed_recent", "gi-ulcer-bleed", 0, 365),
    ("aki_30d", "aki", 0, 30),
    ("aki_31_90d", "aki", 31, 90),
    ("mi_60d", "recent-mi", 0, 60),
    ("mi_90d", "recent-mi", 0, 90),
    ("mi_91_365d", "recent-mi", 91, 365),
    ("suicidality_365d", "suicidality", 0, 365),
    ("head_injury_recent", "head-injury-recent", 0, 365),
    ("oud_or_overdose_recent", "overdose", 0, 365),
]
LATER = [("aki_30d", "aki_31_90d", "aki", 30), ("mi_90d", "mi_91_365d", "recent-mi", 90)]
EDGES = [
    (fact, value_set, day, YES if first <= day <= last else NO)
    for fact, value_set, first, last in WINDOWS
    for day in (first - 1, first, first + 1, last - 1, last, last + 1)
    if day >= 0
]
every_window = pytest.mark.parametrize(("fact", "value_set", "first", "last"), WINDOWS)


def year(number: int) -> When:
    """A date of which only the year was recorded."""
    return When(date(number, 1, 1), date(number, 12, 31), str(number))


def over(name: str, days: int | None = None, **details: object) -> Condition:
    """An event that is over, with its onset so many days ago."""
    return problem(name, days, clinical="resolved", **details)


@pytest.mark.parametrize(("fact", "value_set", "days", "expected"), EDGES)
def test_window(fact: str, value_set: str, days: int, expected: Answer) -> None:
    """An event counts on the first and the last day of its window, over or not."""
    assert answer(fact, over(value_set, days)) is expected
    assert answer(fact, problem(value_set, days)) is expected


@every_window
def test_the_record_dates_an_event_without_onset(
    fact: str, value_set: str, first: int, last: int
) -> None:
    """Without an onset the day of the record counts; with one it does not."""
    assert answer(fact, over(value_set, recorded=ago(last))) is YES
    assert answer(fact, over(value_set, recorded=ago(last + 1))) is NO
    assert answer(fact, over(value_set, 4000, recorded=ago(first))) is NO


@every_window
def test_unread_conditions_leave_an_event_open(
    fact: str, value_set: str, first: int, last: int
) -> None:
    """Unread conditions rule no event out; what arrived still counts."""
    assert answer(fact, unread=("conditions",)) is UNKNOWN
    assert answer(fact, over(value_set, last), unread=("conditions",)) is YES
    assert answer(fact, over(value_set, 4000), unread=("conditions",)) is UNKNOWN


@every_window
def test_a_suspected_event_does_not_count(fact: str, value_set: str, first: int, last: int) -> None:
    """What nobody has confirmed bars no drug."""
    assert answer(fact, problem(value_set, last, verification="provisional")) is NO


@every_window
def test_an_event_is_shown_with_its_day(fact: str, value_set: str, first: int, last: int) -> None:
    """The card can name the event and its day."""
    finding = FACTS[fact](case(over(value_set, last)))

    assert [entry.date for entry in finding.because] == [ago(last).text]


# The day of the call is 15 June 2026.
@pytest.mark.parametrize(
    ("words", "fact", "event", "expected"),
    [
        ("this month", "aki_30d", over("aki", onset=month(2026, 6)), YES),
        ("16 May is the bound", "aki_30d", over("aki", onset=month(2026, 5)), UNKNOWN),
        ("in the later window at the least", "aki_31_90d", over("aki", onset=month(2026, 5)), YES),
        ("a year across the bound", "aki_31_90d", over("aki", onset=year(2026)), UNKNOWN),
        ("a year in the window", "mi_91_365d", over("recent-mi", onset=year(2026)), YES),
        ("a year across the bound", "mi_91_365d", over("recent-mi", onset=year(2025)), UNKNOWN),
        ("surely between", "aki_31_90d", over("aki", onset=month(2026, 4)), YES),
        ("surely before", "aki_30d", over("aki", onset=month(2026, 4)), NO),
        ("no date", "aki_30d", over("aki"), UNKNOWN),
        ("16 April is the bound", "mi_60d", over("recent-mi", onset=month(2026, 4)), UNKNOWN),
        ("surely in the longer window", "mi_90d", over("recent-mi", onset=month(2026, 4)), YES),
        ("no date", "mi_91_365d", over("recent-mi"), UNKNOWN),
        ("no date", "suicidality_365d", over("suicidality"), UNKNOWN),
        ("no date", "oud_or_overdose_recent", over("overdose"), UNKNOWN),
        ("no date", "head_injury_recent", over("head-injury-recent"), UNKNOWN),
    ],
)
def test_dates_that_leave_it_open(
    words: str, fact: str, event: Condition, expected: Answer
) -> None:
    """A month across the bound, or no date at all, is not known to lie in the window."""
    assert answer(fact, event) is expected, words


@pytest.mark.parametrize(
    ("fact", "value_set", "across"),
    [
        ("aki_31_90d", "aki", 2026),
        ("mi_91_365d", "recent-mi", 2025),
        ("suicidality_365d", "suicidality", 2025),
        ("head_injury_recent", "head-injury-recent", 2025),
    ],
)
def test_an_active_problem_of_open_date_warns(fact: str, value_set: str, across: int) -> None:
    """A problem still active counts where its date is open; one surely too old does not."""
    assert answer(fact, problem(value_set)) is YES
    assert answer(fact, problem(value_set, onset=year(across))) is YES
    assert answer(fact, problem(value_set, onset=year(2024))) is NO


@pytest.mark.parametrize(("nearer", "later", "value_set", "bound"), LATER)
def test_an_undated_active_problem_is_no_certain_near_one(
    nearer: str, later: str, value_set: str, bound: int
) -> None:
    """The graver warning needs a date; with one, the later window gives way."""
    undated = problem(value_set)

    assert answer(nearer, undated) is UNKNOWN
    assert answer(nearer, undated, over(value_set, bound)) is YES
    assert answer(later, undated, over(value_set, bound)) is NO


@pytest.mark.parametrize(("nearer", "later", "value_set", "bound"), LATER)
def test_the_newest_event_decides(nearer: str, later: str, value_set: str, bound: int) -> None:
    """After a second event only the newer one counts: one fact of the two, never both."""
    both = (over(value_set, bound), over(value_set, bound + 1))

    assert answer(nearer, *both) is YES
    assert answer(later, *both) is NO


@pytest.mark.parametrize(("nearer", "later", "value_set", "bound"), LATER)
def test_an_event_of_unknown_day_hides_no_other(
    nearer: str, later: str, value_set: str, bound: int
) -> None:
    """What surely lies in the later window stays, whatever an undated event may turn out to be."""
    both = (over(value_set), over(value_set, bound + 1))

    assert answer(nearer, *both) is UNKNOWN
    assert answer(later, *both) is YES


# Ulcer and bleeding


@pytest.mark.parametrize(
    ("words", "events", "recent", "older"),
    [
        ("364 days", [over("gi-ulcer-bleed", 364)], YES, NO),
        ("365 days", [over("gi-ulcer-bleed", 365)], YES, NO),
        ("366 days", [over("gi-ulcer-bleed", 366)], NO, YES),
        ("six years", [over("gi-ulcer-bleed", 2200)], NO, YES),
        ("no date", [over("gi-ulcer-bleed")], NO, YES),
        ("both", [over("gi-ulcer-bleed", 100), over("gi-ulcer-bleed", 2200)], YES, NO),
        ("one undated", [over("gi-ulcer-bleed", 100), over("gi-ulcer-bleed")], YES, NO),
        ("month across", [over("gi-ulcer-bleed", onset=month(2025, 6))], UNKNOWN, YES),
        ("none", [], NO, NO),
        ("suspected", [problem("gi-ulcer-bleed", 9, verification="differential")], NO, NO),
    ],
)
def test_ulcer_or_bleeding(
    words: str, events: list[Condition], recent: Answer, older: Answer
) -> None:
    """An ulcer is recent or older, never both; one of unknown date is warned of as older."""
    assert answer("gi_ulcer_bleed_recent", *events) is recent, words
    assert answer("gi_ulcer_bleed_older", *events) is older, words


def test_ulcer_with_unread_conditions() -> None:
    """An old ulcer that arrived counts; more may lie among what was not read."""
    ulcer = over("gi-ulcer-bleed", 2200)

    assert answer("gi_ulcer_bleed_older", ulcer, unread=("conditions",)) is YES
    assert answer("gi_ulcer_bleed_recent", ulcer, unread=("conditions",)) is UNKNOWN
    assert answer("gi_ulcer_bleed_older", unread=("conditions",)) is UNKNOWN


# Bypass surgery


@pytest.mark.parametrize(("days", "expected"), [(0, YES), (29, YES), (30, YES), (31, NO)])
def test_bypass_surgery(days: int, expected: Answer) -> None:
    """Bypass surgery counts for 30 days after it was done."""
    assert answer("cabg_30d", done("cabg", days)) is expected


def test_bypass_surgery_not_done_or_not_known() -> None:
    """Surgery that was not done does not count, and unread procedures rule none out."""
    undated = replace(done("cabg", 5), start=None)

    assert answer("cabg_30d", done("cabg", 5, "not-done")) is NO
    assert answer("cabg_30d", problem("cabg", 5)) is NO
    assert answer("cabg_30d", undated) is UNKNOWN
    assert answer("cabg_30d", unread=("procedures",)) is UNKNOWN
    assert answer("cabg_30d", unread=("conditions",)) is NO


# Opioid use disorder and overdose


@pytest.mark.parametrize(
    ("words", "entries", "recent", "history"),
    [
        (
            "active disorder",
            [problem("oud-active", 900, concept=coded("oud-active", "oud"))],
            YES,
            YES,
        ),
        ("in remission by code", [problem("oud", 900)], NO, YES),
        (
            "in remission by status",
            [problem("oud", 900, concept=coded("oud-active", "oud"), clinical="remission")],
            NO,
            YES,
        ),
        ("overdose a year ago", [over("overdose", 365)], YES, YES),
        ("overdose longer ago", [over("overdose", 366)], NO, YES),
        ("overdose without a date", [over("overdose")], UNKNOWN, YES),
        ("nothing", [], NO, NO),
    ],
)
def test_opioid_use_disorder(
    words: str, entries: list[Condition], recent: Answer, history: Answer
) -> None:
    """A disorder is active or history, an overdose recent for a year and history for ever."""
    assert answer("oud_or_overdose_recent", *entries) is recent, words
    assert answer("oud_or_overdose_history", *entries) is history, words


@pytest.mark.parametrize(
    ("words", "status", "days", "expected"),
    [
        ("729 days ago", "completed", 729, YES),
        ("730 days ago", "completed", 730, YES),
        ("731 days ago", "completed", 731, NO),
        ("running", "active", 10, YES),
        ("stopped", "stopped", 10, YES),
        ("cancelled, never taken", "cancelled", 10, NO),
        ("draft", "draft", 10, NO),
        ("no date", "active", None, UNKNOWN),
    ],
)
def test_treatment_of_opioid_use_disorder(
    words: str, status: str, days: int | None, expected: Answer
) -> None:
    """Treatment ordered within two years tells of the disorder; a cancelled order does not."""
    treatment = prescribed("oud-treatment", days, status=status)

    assert answer("oud_or_overdose_history", treatment) is expected, words
    assert answer("oud_or_overdose_recent", treatment) is NO, words


@pytest.mark.parametrize("key", ["conditions", "medications"])
def test_opioid_history_needs_both_sources(key: str) -> None:
    """Neither unread conditions nor unread drugs let the history be ruled out."""
    assert answer("oud_or_overdose_history", unread=(key,)) is UNKNOWN
    assert answer("oud_or_overdose_history", problem("oud", 900), unread=(key,)) is YES


@pytest.mark.parametrize(
    ("words", "fact", "code", "expected"),
    [
        ("brain injury", "head_injury_recent", "S06.0X1A", YES),
        ("late effect of a brain injury", "head_injury_recent", "S06.0X1S", NO),
        ("bruise of the scalp", "head_injury_recent", "S00.03XA", NO),
        ("heroin overdose", "oud_or_overdose_recent", "T40.1X1A", YES),
        ("late effect of an overdose", "oud_or_overdose_recent", "T40.1X1S", NO),
        ("late effect of an overdose", "oud_or_overdose_history", "T40.1X1S", YES),
        ("side effect of an opioid", "oud_or_overdose_history", "T40.2X5A", NO),
        ("dependence in remission", "oud_or_overdose_recent", "F11.21", NO),
        ("dependence in remission", "oud_or_overdose_history", "F11.21", YES),
        ("dependence", "oud_or_overdose_recent", "F11.20", YES),
        ("opioid use without disorder", "oud_or_overdose_history", "F11.90", NO),
        ("old infarction", "mi_90d", "I25.2", NO),
        ("infarction", "mi_90d", "I21.4", YES),
    ],
)
def test_codes(words: str, fact: str, code: str, expected: Answer) -> None:
    """An event of ten days ago is known by its code, and near misses are told apart."""
    concept = INDEX.concept([Coding(ICD10CM, code)])

    assert answer(fact, problem("coded", 10, concept=concept)) is expected, words
