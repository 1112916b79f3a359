"""Which chart entries count, for how long, and what partial dates leave open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from cards.answer import Answer
from cards.case import Case
from cards.facts.entries import (
    active_conditions,
    active_medications,
    days_ago,
    days_covered,
    for_back_pain,
    history_conditions,
    is_active,
    is_sequela,
    last_day,
    latest_observation,
    observations,
    orders,
    possible_medications,
    presence,
    procedures,
    recent,
    recent_sign,
    within,
)
from cards.record import (
    Concept,
    Draft,
    MedicationOrder,
    Patient,
    PatientRecord,
    ServiceOrder,
    When,
)
from cards.supply import coverage_window
from tests.chart import (
    TODAY,
    ago,
    case,
    coded,
    done,
    found,
    measured,
    month,
    on,
    prescribed,
    problem,
)

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
OVER: dict[str, Any] = {"clinical": "resolved"}


@pytest.mark.parametrize(
    ("words", "when", "expected"),
    [
        ("no date", None, None),
        ("today", ago(0), (0, 0)),
        ("a clock slightly ahead", ago(-1), (0, 0)),
        ("two days ahead is no date", ago(-2), None),
        ("last month", month(2026, 5), (15, 45)),
        ("this month cannot mean a day to come", month(2026, 6), (0, 14)),
    ],
)
def test_days_ago(words: str, when: When | None, expected: tuple[int, int] | None) -> None:
    """How long ago a date may lie, in fewest and most days."""
    assert days_ago(when, TODAY) == expected, words


@pytest.mark.parametrize(
    ("words", "when", "days", "expected"),
    [
        ("a day inside", ago(29), 30, YES),
        ("on the bound", ago(30), 30, YES),
        ("a day outside", ago(31), 30, NO),
        ("a month across the bound", month(2026, 5), 30, UNKNOWN),
        ("a month inside", month(2026, 5), 45, YES),
        ("a month outside", month(2026, 5), 14, NO),
        ("not dated", None, 30, UNKNOWN),
    ],
)
def test_within(words: str, when: When | None, days: int, expected: Answer) -> None:
    """A window includes its bounds; a partial date across a bound leaves it open."""
    assert within(when, TODAY, days) is expected, words


@pytest.mark.parametrize(
    ("words", "details", "expected"),
    [
        ("active", {"clinical": "active"}, True),
        ("recurring", {"clinical": "recurrence"}, True),
        ("in remission", {"clinical": "remission"}, False),
        ("listed without status", {"clinical": None}, True),
        ("listed, abated", {"clinical": None, "abatement": ago(3)}, False),
        (
            "old encounter diagnosis, still called active",
            {"categories": frozenset({"encounter-diagnosis"}), "recorded": ago(200)},
            True,
        ),
    ],
)
def test_is_active(words: str, details: dict[str, Any], expected: bool) -> None:
    """An active problem is one whose status says so; without status a listed one not abated."""
    assert is_active(problem("low-back-pain", **details), TODAY) is expected, words


@pytest.mark.parametrize(("days", "expected"), [(89, True), (90, True), (91, False)])
def test_encounter_diagnosis_without_status(days: int, expected: bool) -> None:
    """A diagnosis of a visit without status is active for 90 days."""
    condition = problem(
        "low-back-pain",
        clinical=None,
        categories=frozenset({"encounter-diagnosis"}),
        recorded=ago(days),
    )

    assert is_active(condition, TODAY) is expected


def test_suspected_conditions_count_for_red_flags_only() -> None:
    """A provisional diagnosis is looked at only where suspicion is enough, and named so."""
    chart = case(problem("cauda-equina", 1, verification="provisional"))

    assert active_conditions(chart, "cauda-equina") == ()
    suspected = history_conditions(chart, "cauda-equina", suspected=True)
    assert presence(chart, suspected, "conditions").because[0].display == "suspected: cauda-equina"


def test_presence_names_three_newest() -> None:
    """A card shows at most three entries, the newest first."""
    chart = case(*(problem("fever", days) for days in (9, 2, 5, 30)))

    shown = [e.date for e in presence(chart, chart.record.conditions, "conditions").because]
    assert shown == [ago(days).text for days in (2, 5, 9)]


@pytest.mark.parametrize(
    ("words", "unread", "expected"),
    [("read", (), NO), ("not read", ("conditions",), UNKNOWN)],
)
def test_absence(words: str, unread: tuple[str, ...], expected: Answer) -> None:
    """Nothing found means no only when the chart was read to the end."""
    chart = case(unread=unread)

    assert presence(chart, (), "conditions").answer is expected, words


def test_presence_needs_no_full_read() -> None:
    """What was found counts although more may be unread."""
    chart = case(problem("fever", 1), unread=("conditions",))

    assert recent(chart, chart.record.conditions, 7, "conditions").answer is YES


def test_recent_leaves_partial_dates_open() -> None:
    """An entry that may lie in the window makes neither yes nor no."""
    chart = case(problem("fever", onset=month(2026, 5)))

    assert recent(chart, chart.record.conditions, 30, "conditions").answer is UNKNOWN


@pytest.mark.parametrize(
    ("words", "details", "expected"),
    [
        ("active, may be recent", {"onset": month(2026, 5)}, YES),
        ("active, undated", {}, YES),
        ("over, recorded in time", {"onset": month(2026, 5), "recorded": ago(3), **OVER}, YES),
        ("over, may be recent", {"onset": month(2026, 5), **OVER}, UNKNOWN),
        ("active, surely older", {"onset": month(2026, 4), "recorded": ago(3)}, NO),
    ],
)
def test_recent_sign(words: str, details: dict[str, Any], expected: Answer) -> None:
    """A sign of danger is shown where its onset leaves open whether it is recent."""
    chart = case(problem("fever", **details))

    assert recent_sign(chart, chart.record.conditions, 30, "conditions").answer is expected, words


@pytest.mark.parametrize(
    ("words", "details", "expected"),
    [
        ("full onset", {"onset": ago(16), "recorded": ago(3)}, ago(16)),
        ("partial onset ends at the record", {"onset": month(2026, 6), "recorded": ago(3)}, ago(3)),
        ("onset after the record", {"onset": ago(3), "recorded": ago(16)}, ago(3)),
        ("only recorded", {"recorded": ago(3)}, ago(3)),
    ],
)
def test_last_day(words: str, details: dict[str, Any], expected: When) -> None:
    """The last day a problem can have begun."""
    assert last_day(problem("fever", **details)) == expected.latest, words


@pytest.mark.parametrize(
    ("words", "order", "last"),
    [
        ("end of validity", prescribed("opioid", 10, validity_end=ago(3)), ago(3)),
        ("supply with two refills", prescribed("opioid", 100, supply_days=30, repeats=2), ago(10)),
        ("no supply: 90 days", prescribed("opioid", 100), ago(10)),
    ],
)
def test_coverage_window(words: str, order: object, last: When) -> None:
    """How long an order covers."""
    window = coverage_window(order)  # type: ignore[arg-type]

    assert window is not None, words
    assert window[1] == last.earliest, words


def test_coverage_of_an_undated_order_is_not_known() -> None:
    """Without any date nothing is said about cover."""
    assert coverage_window(prescribed("opioid", None)) is None


@pytest.mark.parametrize(
    ("words", "days", "details", "active", "possible"),
    [
        ("supply ends today", 30, {"supply_days": 30}, 1, 0),
        ("supply ended yesterday", 31, {"supply_days": 30}, 0, 1),
        ("on hold", 10, {"status": "on-hold"}, 0, 1),
        ("stopped", 10, {"status": "stopped"}, 0, 0),
        ("lapsed, written a year ago", 365, {}, 0, 1),
        ("older than a year", 366, {}, 0, 0),
        ("three years old without supply", 1095, {}, 0, 0),
        ("a proposal", 10, {"intent": "proposal"}, 0, 0),
        ("active without a date", None, {}, 0, 1),
    ],
)
def test_active_and_possible_drugs(
    words: str, days: int | None, details: dict[str, Any], active: int, possible: int
) -> None:
    """An active order must cover today; a lapsed one may still be taken for a year."""
    chart = case(prescribed("anticoagulant", days, **details))

    assert len(active_medications(chart, "anticoagulant")) == active, words
    assert len(possible_medications(chart, "anticoagulant")) == possible, words


def test_lapsed_order_beside_a_refill() -> None:
    """An old order is no doubtful drug while a refill of the same set covers today."""
    chart = case(prescribed("anticoagulant", 200), prescribed("anticoagulant", 5))

    assert possible_medications(chart, "anticoagulant") == ()


def test_days_covered_counts_overlaps_once() -> None:
    """Two overlapping supplies do not add up."""
    supplies = [prescribed("opioid", days, supply_days=30) for days in (60, 45)]

    assert days_covered(supplies, TODAY - timedelta(days=365), TODAY) == 45


def test_latest_observation_skips_unfinished_and_old_ones() -> None:
    """The newest finished result in the window, never a preliminary or a future one."""
    chart = case(
        measured("body-weight", 8, 80, "kg"),
        measured("body-weight", 20, 81, "kg"),
        found("body-weight", 1, status="preliminary"),
        found("body-weight", -5),
    )

    newest = latest_observation(chart, "body-weight", days=10)
    assert newest is not None
    assert newest.effective == ago(8)
    assert latest_observation(chart, "body-weight", days=7) is None
    assert len(observations(chart, "body-weight")) == 2


def test_care_that_did_not_happen_never_counts() -> None:
    """A procedure not done and a revoked order are no care."""
    revoked = ServiceOrder("ServiceRequest/1", "ServiceRequest", "revoked", "order", coded("tens"))
    chart = case(done("tens", 3, "not-done"), service_orders=(revoked,))

    assert procedures(chart, "tens") == ()
    assert orders(chart, "tens") == ()


@pytest.mark.parametrize(
    ("words", "reasons", "expected"),
    [
        ("no reason", (), True),
        ("only text", (Concept(display="sore"),), True),
        ("back pain", (coded("back-pain-any"),), True),
        ("muscle spasm of the back", (coded("back-spasm"),), True),
        ("diabetes", (coded("diabetes"),), False),
    ],
)
def test_for_back_pain(words: str, reasons: tuple[Concept, ...], expected: bool) -> None:
    """Care is for the back when its reason says so or none is coded."""
    assert for_back_pain(reasons) is expected, words


@pytest.mark.parametrize(
    ("code", "expected"), [("S22.010S", True), ("S22.010A", False), ("S22.010D", False)]
)
def test_is_sequela(code: str, expected: bool) -> None:
    """The seventh character S names a late effect."""
    assert is_sequela(coded("major-trauma", code=code)) is expected


def test_drafts_other_than_the_evaluated() -> None:
    """The draft under evaluation is no partner of itself, even beside an equal one."""
    order = ServiceOrder("ServiceRequest/1", "ServiceRequest", "draft", "order", coded("tens"))
    one, other = Draft(order, selected=True), Draft(order, selected=True)
    chart = case(drafts=(one, other))
    evaluated = type(chart)(chart.record, TODAY, draft=one)

    (left,) = evaluated.other_drafts
    assert left is other


def test_leap_day_counts_as_a_day() -> None:
    """29 February is a day like others."""
    assert days_ago(on(date(2024, 2, 28)), date(2024, 3, 1)) == (2, 2)


def test_a_lapsed_supply_counts_from_its_last_refill() -> None:
    """A year's supply that ran out ten days ago may still be taken; one of three years ago not."""
    day = date(2026, 6, 15)
    written = date.fromordinal(day.toordinal() - 370)
    order = MedicationOrder(
        "MedicationRequest/m",
        "active",
        "order",
        Concept(sets={"anticoagulant": ""}),
        authored=When(written, written, written.isoformat()),
        supply_days=90,
        repeats=3,
    )
    old = date.fromordinal(day.toordinal() - 1100)
    ancient = replace(order, authored=When(old, old, old.isoformat()), supply_days=None, repeats=0)

    assert possible_medications(_case_of(order, day), "anticoagulant") == (order,)
    assert possible_medications(_case_of(ancient, day), "anticoagulant") == ()


def test_an_absurd_supply_ends_with_the_calendar() -> None:
    """A supply of millions of years is read as lasting, not as a failure."""
    day = date(2026, 6, 1)
    order = MedicationOrder(
        "MedicationRequest/m",
        "active",
        "order",
        Concept(),
        authored=When(day, day, "2026-06-01"),
        supply_days=9e10,
        repeats=900_000_000,
    )

    assert coverage_window(order) == (day, date.max)


def _case_of(order: MedicationOrder, day: date) -> Case:
    patient = Patient("p", None, deceased=False, sex=None)
    return Case(PatientRecord("patient-view", patient, medications=(order,)), day)
