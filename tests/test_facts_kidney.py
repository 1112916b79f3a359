"""Kidney function: bands of eGFR, coded stages, and which of them is newer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

import cards.facts  # noqa: F401  # registers the facts
from cards.answer import Answer
from cards.case import FACTS
from cards.codes import ICD10CM, LOINC
from cards.library import HERE
from cards.record import Coding, Condition, Observation, Patient, Quantity, When
from cards.value_set_files import index_codes, read_value_sets
from tests.chart import ago, answer, case, coded, measured, month, on, problem

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
INDEX = index_codes(read_value_sets(HERE / "value_sets"))
UNIT = "mL/min/{1.73_m2}"
BANDS = ("egfr_under_30", "egfr_30_44", "egfr_45_59")
ALL_NO, ALL_UNKNOWN = (NO, NO, NO), (UNKNOWN, UNKNOWN, UNKNOWN)


def egfr(value: float, days: int = 30, unit: str | None = UNIT) -> Observation:
    """An eGFR of so many days ago."""
    return measured("egfr", days, value, unit)


def bound(comparator: str, limit: float, unit: str | None = UNIT) -> Observation:
    """An eGFR of yesterday of which only a bound is known."""
    return replace(egfr(1), value=None, bound=(comparator, Quantity(limit, unit)))


def bands(*entries: object, unread: tuple[str, ...] = ()) -> tuple[Answer, ...]:
    """What the three bands answer, worst first."""
    return tuple(answer(name, *entries, unread=unread) for name in BANDS)


@pytest.mark.parametrize(
    ("comparator", "limit", "expected"),
    [
        (">", 60, (NO, NO, NO)),
        (">=", 60, (NO, NO, NO)),
        (">", 90, (NO, NO, NO)),
        (">", 59, ALL_UNKNOWN),
        (">", 30, ALL_UNKNOWN),
        ("<", 15, (YES, NO, NO)),
        ("<", 30, (YES, NO, NO)),
        ("<", 30.1, (UNKNOWN, YES, NO)),
        ("<", 31, (UNKNOWN, YES, NO)),
        ("<=", 29, (YES, NO, NO)),
        ("<=", 30, (UNKNOWN, YES, NO)),
        ("<", 45, (UNKNOWN, YES, NO)),
        ("<", 46, (UNKNOWN, UNKNOWN, YES)),
        ("<", 60, (UNKNOWN, UNKNOWN, YES)),
        ("<=", 59, (UNKNOWN, UNKNOWN, YES)),
        ("<=", 60, ALL_UNKNOWN),
        ("<", 61, ALL_UNKNOWN),
        ("<", 2, ALL_UNKNOWN),
    ],
)
def test_a_bound_counts_where_it_settles_the_band(
    comparator: str, limit: float, expected: tuple[Answer, ...]
) -> None:
    """Above 60 speaks against no NSAID, below 15 does; below 60 is a weak kidney, how weak is open.

    The mildest band that an upper bound leaves is the one it warns of.
    """
    assert bands(bound(comparator, limit)) == expected


@pytest.mark.parametrize("unit", [None, "mL/s"])
@pytest.mark.parametrize("comparator", ["<", ">"])
def test_a_bound_in_no_known_unit_is_not_read(comparator: str, unit: str | None) -> None:
    """A bare "<15" or ">60" neither warns nor reassures: its unit is not guessed."""
    limit = 15 if comparator == "<" else 60

    assert bands(bound(comparator, limit, unit=unit)) == ALL_UNKNOWN


@pytest.mark.parametrize(
    ("words", "entries", "expected"),
    [
        ("20 before: still known to be weak", [egfr(20, 100)], (YES, NO, NO)),
        ("38 before", [egfr(38, 100)], (UNKNOWN, YES, NO)),
        ("80 before: that is over", [egfr(80, 100)], (UNKNOWN, UNKNOWN, YES)),
        ("52 before", [egfr(52, 100)], (UNKNOWN, UNKNOWN, YES)),
        ("stage 4 before", [problem("ckd-4-5", 100)], (YES, NO, NO)),
        ("stage 3b before", [problem("ckd-3b", 100)], (UNKNOWN, YES, NO)),
        ("stage 3 before", [problem("ckd-3", 100)], (UNKNOWN, UNKNOWN, YES)),
        ("25 of the same day", [egfr(25, 1)], (YES, NO, NO)),
    ],
)
def test_below_60_takes_back_no_worse_finding(
    words: str, entries: list[object], expected: tuple[Answer, ...]
) -> None:
    """A newest "<60" contradicts no stage and no value below 60, so those still warn."""
    assert bands(bound("<", 60), *entries) == expected, words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.9, ALL_UNKNOWN),
        (2, (YES, NO, NO)),
        (2.1, (YES, NO, NO)),
        (29, (YES, NO, NO)),
        (29.9, (YES, NO, NO)),
        (30, (NO, YES, NO)),
        (31, (NO, YES, NO)),
        (44, (NO, YES, NO)),
        (44.9, (NO, YES, NO)),
        (45, (NO, NO, YES)),
        (46, (NO, NO, YES)),
        (59, (NO, NO, YES)),
        (59.9, (NO, NO, YES)),
        (60, ALL_NO),
        (61, ALL_NO),
        (199.9, ALL_NO),
        (200, ALL_NO),
        (200.1, ALL_UNKNOWN),
    ],
)
def test_bands(value: float, expected: tuple[Answer, ...]) -> None:
    """Bands meet without a gap; a value outside 2 to 200 says nothing."""
    assert bands(egfr(value)) == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [(364, (NO, YES, NO)), (365, (NO, YES, NO)), (366, ALL_UNKNOWN), (420, ALL_UNKNOWN)],
)
def test_an_egfr_counts_for_a_year(days: int, expected: tuple[Answer, ...]) -> None:
    """An eGFR of 14 months ago says nothing of today's kidneys."""
    assert bands(egfr(40, days)) == expected


@pytest.mark.parametrize("unit", ["mL/s", None])
def test_a_unit_is_not_guessed(unit: str | None) -> None:
    """An eGFR in another unit, or in none, is not read."""
    assert bands(egfr(40, unit=unit)) == ALL_UNKNOWN


@pytest.mark.parametrize(
    ("value", "expected"),
    [(25, (YES, NO, NO)), (59.9, (NO, NO, YES)), (60, ALL_UNKNOWN), (90, ALL_UNKNOWN)],
)
def test_a_unit_without_body_surface_warns_only(value: float, expected: tuple[Answer, ...]) -> None:
    """Plain mL/min is enough to warn of a weak kidney, and not to call one healthy."""
    assert bands(egfr(value, unit="mL/min")) == expected


@pytest.mark.parametrize(
    ("words", "entries", "expected"),
    [
        ("nothing", [], ALL_UNKNOWN),
        ("the newest counts", [egfr(25, 100), egfr(50, 10)], (NO, NO, YES)),
        ("whatever came first", [egfr(50, 10), egfr(25, 100)], (NO, NO, YES)),
        ("unreadable newest", [egfr(50, 100), egfr(250, 10)], (UNKNOWN, UNKNOWN, YES)),
        (
            "newest without a number",
            [egfr(50, 100), replace(egfr(1), value=None)],
            (UNKNOWN, UNKNOWN, YES),
        ),
        ("unreadable behind a healthy one", [egfr(90, 100), egfr(250, 10)], ALL_UNKNOWN),
        ("two formulas at one time: the lower", [egfr(62), egfr(52)], (NO, NO, YES)),
        ("one of them unreadable", [egfr(52), egfr(52, unit="mL/min")], (NO, NO, YES)),
        ("not final", [replace(egfr(25), status="preliminary")], ALL_UNKNOWN),
        ("no date", [replace(egfr(25), effective=None)], ALL_UNKNOWN),
        ("this month", [replace(egfr(25), effective=month(2026, 6))], (YES, NO, NO)),
        ("a month across the year", [replace(egfr(25), effective=month(2025, 6))], ALL_UNKNOWN),
    ],
)
def test_newest_egfr(words: str, entries: list[Observation], expected: tuple[Answer, ...]) -> None:
    """The newest final eGFR counts; no older one stands in for one that cannot be read."""
    assert bands(*entries) == expected, words


STAGE_4, STAGE_3B, STAGE_3 = "ckd-4-5", "ckd-3b", "ckd-3"


@pytest.mark.parametrize(
    ("words", "entries", "expected"),
    [
        ("stage 4", [problem(STAGE_4, 900)], (YES, NO, NO)),
        ("stage 3b", [problem(STAGE_3B, 900)], (NO, YES, NO)),
        ("stage 3", [problem(STAGE_3, 900)], (NO, NO, YES)),
        ("stage 3 without a date", [problem(STAGE_3)], (NO, NO, YES)),
        (
            "the worst of three",
            [problem(s, 9) for s in (STAGE_3, STAGE_3B, STAGE_4)],
            (YES, NO, NO),
        ),
        ("resolved", [problem(STAGE_4, 9, clinical="resolved")], ALL_UNKNOWN),
        ("suspected", [problem(STAGE_4, 9, verification="provisional")], ALL_UNKNOWN),
        ("stage told apart", [problem("kidney", 9, stages=(coded(STAGE_3B),))], (NO, YES, NO)),
        ("old eGFR", [problem(STAGE_3B, 900), egfr(80, 366)], (NO, YES, NO)),
        ("eGFR not readable", [problem(STAGE_4, 900), egfr(80, unit=None)], (YES, NO, NO)),
        ("implausible", [problem(STAGE_3, 9), egfr(1)], (UNKNOWN, UNKNOWN, YES)),
    ],
)
def test_coded_stages(words: str, entries: list[object], expected: tuple[Answer, ...]) -> None:
    """An active coded stage stands where no eGFR of a year can be read."""
    assert bands(*entries) == expected, words


@pytest.mark.parametrize(
    ("words", "stage", "result", "expected"),
    [
        ("eGFR the day after", problem(STAGE_4, 100), egfr(35, 99), (NO, YES, NO)),
        ("eGFR on the same day", problem(STAGE_4, 100), egfr(35, 100), (YES, NO, NO)),
        ("eGFR the day before", problem(STAGE_4, 100), egfr(35, 101), (YES, NO, NO)),
        ("newer and normal", problem(STAGE_4, 100), egfr(80, 10), ALL_NO),
        ("newer and as low", problem(STAGE_4, 100), egfr(20, 10), (YES, NO, NO)),
        ("low before a milder stage", problem(STAGE_3B, 10), egfr(20, 100), (YES, NO, NO)),
        ("3b after 50", problem(STAGE_3B, 10), egfr(50, 100), (NO, YES, NO)),
        ("3b before 50", problem(STAGE_3B, 100), egfr(50, 10), (NO, NO, YES)),
        ("3 after 80: eGFR decides", problem(STAGE_3, 10), egfr(80, 100), ALL_NO),
        ("3 after 40", problem(STAGE_3, 10), egfr(40, 100), (NO, YES, NO)),
        ("stage without a date", problem(STAGE_4), egfr(42), (YES, NO, NO)),
        ("stage without a date, normal", problem(STAGE_4), egfr(80), (YES, NO, NO)),
        (
            "recorded before the eGFR, onset by year",
            problem(
                STAGE_4, onset=When(date(2026, 1, 1), date(2026, 12, 31), "2026"), recorded=ago(60)
            ),
            egfr(42, 30),
            (NO, YES, NO),
        ),
        (
            "stage by month",
            problem(STAGE_4, onset=month(2026, 5)),
            egfr(42, 30),
            (UNKNOWN, YES, NO),
        ),
    ],
)
def test_the_newer_of_stage_and_egfr(
    words: str, stage: Condition, result: Observation, expected: tuple[Answer, ...]
) -> None:
    """A newer eGFR beats a coded stage; at most one band is ever a yes."""
    assert bands(stage, result) == expected, words


def test_an_overtaken_stage_leaves_a_newer_one() -> None:
    """Stage 4 of old, a normal value since, and stage 3b after that: stage 3b stands."""
    stages = (problem(STAGE_4, 300), problem(STAGE_3B, 10))

    assert bands(*stages, egfr(70, 100)) == (NO, YES, NO)


@pytest.mark.parametrize("key", ["observations", "conditions"])
def test_unread_keys(key: str) -> None:
    """What was not read may hold a worse value; what arrived still counts."""
    assert bands(unread=(key,)) == ALL_UNKNOWN
    assert bands(egfr(80), unread=(key,)) == ALL_UNKNOWN
    assert bands(egfr(20), unread=(key,)) == (YES, NO, NO)
    assert bands(problem(STAGE_3, 9), unread=(key,)) == (UNKNOWN, UNKNOWN, YES)


def test_the_value_and_the_stage_are_shown() -> None:
    """The card names the eGFR with its date, and a stage coded since that says the same."""
    finding = FACTS["egfr_under_30"](case(egfr(20, 10), problem(STAGE_4, 5)))

    assert [entry.date for entry in finding.because] == [ago(10).text, ago(5).text]


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        ("stage 3 unspecified", "N18.30", (NO, NO, YES)),
        ("stage 3a", "N18.31", (NO, NO, YES)),
        ("stage 3b", "N18.32", (NO, YES, NO)),
        ("stage 5", "N18.5", (YES, NO, NO)),
        ("dialysis", "Z99.2", (YES, NO, NO)),
        ("stage 2", "N18.2", ALL_UNKNOWN),
        ("no stage", "N18.9", ALL_UNKNOWN),
    ],
)
def test_codes(words: str, code: str, expected: tuple[Answer, ...]) -> None:
    """The stage is known by its code."""
    stage = problem("coded", 10, concept=INDEX.concept([Coding(ICD10CM, code)]))

    assert bands(stage) == expected, words


def test_egfr_code() -> None:
    """An eGFR by the formula of 2021 is read."""
    result = replace(egfr(40), concept=INDEX.concept([Coding(LOINC, "98979-8")]))

    assert bands(result) == (NO, YES, NO)


# 65 or over without an eGFR


def born(year: int, month_: int, day: int) -> Patient:
    """A patient born on this day; today is 15 June 2026."""
    return Patient("p1", on(date(year, month_, day)), deceased=False, sex=None)


OLDER = born(1955, 1, 1)


@pytest.mark.parametrize(
    ("words", "patient", "expected"),
    [
        ("64 years 364 days", born(1961, 6, 16), NO),
        ("65 today", born(1961, 6, 15), YES),
        ("65 years and a day", born(1961, 6, 14), YES),
        ("no birth date", Patient("p1", None, deceased=False, sex=None), UNKNOWN),
    ],
)
def test_older_by_age(words: str, patient: Patient, expected: Answer) -> None:
    """From 65 on, an unknown kidney function matters."""
    assert answer("older_without_egfr", patient=patient) is expected, words


@pytest.mark.parametrize(
    ("words", "entries", "expected"),
    [
        ("364 days", [egfr(80, 364)], NO),
        ("365 days", [egfr(80, 365)], NO),
        ("366 days", [egfr(80, 366)], YES),
        ("unreadable", [egfr(80, unit=None)], YES),
        ("implausible newest", [egfr(80, 100), egfr(300, 10)], YES),
        ("a stage is no eGFR", [problem(STAGE_3, 10)], YES),
    ],
)
def test_older_by_egfr(words: str, entries: list[object], expected: Answer) -> None:
    """Only an eGFR of the last year that can be read tells the kidney function."""
    assert answer("older_without_egfr", *entries, patient=OLDER) is expected, words


def test_older_with_unread_observations() -> None:
    """Results that were not delivered leave the kidney function as unknown as none at all."""
    unread = ("observations",)

    assert answer("older_without_egfr", patient=OLDER, unread=unread) is YES
    assert answer("older_without_egfr", egfr(80), patient=OLDER, unread=unread) is NO


def test_an_egfr_settles_it_at_any_age() -> None:
    """With an eGFR on record the age need not be known."""
    nobody = Patient("p1", None, deceased=False, sex=None)

    assert answer("older_without_egfr", egfr(80), patient=nobody) is NO


def test_an_egfr_too_old_is_shown_with_its_date() -> None:
    """The clinician sees the age, and when the kidneys were last looked at."""
    finding = FACTS["older_without_egfr"](case(egfr(80, 400), patient=OLDER))

    assert finding.because[0].display == "age 71"
    assert finding.because[1].date == ago(400).text
