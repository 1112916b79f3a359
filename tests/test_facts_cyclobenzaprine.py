"""Cyclobenzaprine: for how long, and how much of it."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cards.case import FACTS
from cards.codes import RXNORM
from cards.record import Coding, Concept, Dosage, MedicationOrder, Quantity, Timing, When
from cards.supply import supply_days, supply_days_with_refills
from tests.charts import chart, drug, referral
from tests.products import product, recognised

ROWS = Path("cards/value_sets/cyclobenzaprine.csv")
UNREADABLE = MedicationOrder("MedicationRequest/t", "draft", "order", Concept(display="pills"))
SUPPLY = "cyclobenzaprine_supply_over_21d"
OVER, UNKNOWN_DOSE = "cyclobenzaprine_over_5mg_or_er", "cyclobenzaprine_dose_unknown"
THRICE = Timing(frequency=3, period=1, period_unit="d")


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


def taken(days: int, supply: float | None = None, **members: object) -> MedicationOrder:
    """Cyclobenzaprine written so many days ago."""
    return drug("cyclobenzaprine", days=days, supply=supply, **members)


FIVE, SEVEN, TEN, PLAIN = "828320", "828299", "828348", "21949"
EXTENDED_RELEASE = {"828353", "828355", "828358", "828359"}


def of_product(code: str, **members: Any) -> MedicationOrder:
    """An order of today for the product of an RxNorm code."""
    drug_of = Concept((Coding(RXNORM, code),), "cyclobenzaprine", {"cyclobenzaprine": ""})
    return recognised(replace(taken(0, **members), drug=drug_of))


def dosage(value: float, unit: str | None, timing: Timing | None = THRICE) -> Dosage:
    return Dosage(timing=timing, dose=Quantity(value, unit))


# Days of supply


def day(number: int) -> When:
    one = date(2026, 3, number)
    return When(one, one, one.isoformat())


MARCH = When(date(2026, 3, 1), date(2026, 3, 31), "2026-03")
TABLET = dosage(1, "{tbl}")
SUPPLIES = [
    ("stated", {"supply": 14, "quantity": Quantity(90, "{tbl}"), "dosages": (TABLET,)}, 14),
    (
        "period of 21 days",
        {"dosages": (Dosage(timing=Timing(bounds_start=day(1), bounds_end=day(21))),)},
        21,
    ),
    (
        "period partly dated",
        {"dosages": (Dosage(timing=Timing(bounds_start=MARCH, bounds_end=day(21))),)},
        None,
    ),
    ("for 7 days", {"dosages": (Dosage(timing=Timing(bounds_days=7)),)}, 7),
    (
        "morning and evening for 7 days",
        {"dosages": (Dosage(timing=Timing(bounds_days=7)), Dosage(timing=Timing(bounds_days=7)))},
        7,
    ),
    (
        "7 days, then 3",
        {
            "dosages": (
                Dosage(sequence=1, timing=Timing(bounds_days=7)),
                Dosage(sequence=2, timing=Timing(bounds_days=3)),
            )
        },
        10,
    ),
    (
        "30 tablets, one three times a day",
        {"quantity": Quantity(30, "{tbl}"), "dosages": (TABLET,)},
        10,
    ),
    ("30 tablets, spelled out", {"quantity": Quantity(30, "tablets"), "dosages": (TABLET,)}, 10),
    (
        "30 tablets, dose in mg",
        {"quantity": Quantity(30, "{tbl}"), "dosages": (dosage(5, "mg"),)},
        None,
    ),
    (
        "150 mg, 5 mg three times a day",
        {"quantity": Quantity(150, "mg"), "dosages": (dosage(5, "mg"),)},
        10,
    ),
    ("30 tablets, no dosage", {"quantity": Quantity(30, "{tbl}")}, None),
    (
        "30 tablets, no timing",
        {"quantity": Quantity(30, "{tbl}"), "dosages": (dosage(1, "{tbl}", None),)},
        None,
    ),
    ("nothing stated", {}, None),
    ("no days at all", {"supply": 0}, None),
]


@pytest.mark.parametrize(
    ("words", "members", "expected"), SUPPLIES, ids=[row[0] for row in SUPPLIES]
)
def test_supply_days(words: str, members: dict[str, object], expected: float | None) -> None:
    """Days of supply as stated, else as long as it is to be taken, else by the quantity."""
    order = drug("x", days=0, **members)  # type: ignore[arg-type]
    refilled = replace(order, repeats=2)

    assert supply_days(order) == expected, words
    assert supply_days(refilled) == expected, words
    assert supply_days_with_refills(refilled) == (expected and expected * 3), words


# How long


@pytest.mark.parametrize(
    ("supply", "repeats", "expected"),
    [
        (20, 0, "no"),
        (21, 0, "no"),
        (22, 0, "yes"),
        (7, 2, "no"),
        (7, 3, "yes"),
        (None, 0, "unknown"),
    ],
)
def test_supply_ordered(supply: float | None, repeats: int, expected: str) -> None:
    """An order is for too long when its supply with refills is over 21 days."""
    assert answer(SUPPLY, draft=taken(0, supply, repeats=repeats)) == expected


def test_supply_by_quantity() -> None:
    """Thirty tablets, three times daily, with two refills, last over 21 days."""
    order = taken(0, quantity=Quantity(30, "{tbl}"), dosages=(TABLET,), repeats=2)

    assert answer(SUPPLY, draft=order) == "yes"
    assert answer(SUPPLY, draft=replace(order, repeats=1)) == "no"


@pytest.mark.parametrize(("days", "expected"), [(6, "no"), (7, "no"), (8, "yes")])
def test_supply_ordered_on_top(days: int, expected: str) -> None:
    """Days already elapsed count: a fortnight ordered after a week is just within the limit."""
    earlier = taken(days, 10)

    assert answer(SUPPLY, earlier, draft=taken(0, 14)) == expected
    assert answer(SUPPLY, replace(earlier, status="completed"), draft=taken(0, 14)) == expected


@pytest.mark.parametrize(
    ("ended", "expected"), [(6, "yes"), (7, "yes"), (8, "no")], ids=["gap 6", "gap 7", "gap 8"]
)
def test_gap_before_the_order(ended: int, expected: str) -> None:
    """A gap of up to 7 days does not end the cover."""
    earlier = taken(10 + ended, 10, status="completed")

    assert answer(SUPPLY, earlier, draft=taken(0, 14)) == expected


@pytest.mark.parametrize(("gap", "expected"), [(6, "yes"), (7, "yes"), (8, "no")])
def test_gap_between_fills(gap: int, expected: str) -> None:
    """Two fills make one cover unless more than 7 days lie between them."""
    first, second = taken(20 + gap, 10, status="completed"), taken(10, 30)

    assert answer(SUPPLY, first, second) == expected


@pytest.mark.parametrize(("days", "expected"), [(20, "no"), (21, "no"), (22, "yes")])
def test_days_taken(days: int, expected: str) -> None:
    """Of a drug taken only the days elapsed count, not the length of the fill."""
    assert answer(SUPPLY, taken(days, 60)) == expected


def test_days_taken_early_in_a_long_fill() -> None:
    """Ten days into a fill of thirty is not over 21 days."""
    assert answer(SUPPLY, taken(10, 30)) == "no"


OPEN = [
    ("no supply stated", taken(40), "unknown"),
    ("no supply stated, begun lately", taken(10), "unknown"),
    ("month of the order only", replace(taken(1, 60), authored=MARCH), "no"),
    (
        "year of the order only",
        replace(taken(1, 60), authored=When(date(2026, 1, 1), date(2026, 12, 31), "2026")),
        "unknown",
    ),
]


@pytest.mark.parametrize(("words", "order", "expected"), OPEN, ids=[row[0] for row in OPEN])
def test_supply_left_open(words: str, order: MedicationOrder, expected: str) -> None:
    """A supply nobody stated, or a date that leaves the days open, is no answer."""
    assert answer(SUPPLY, order) == expected, words


def test_supply_of_a_stopped_order() -> None:
    """When a stopped drug was last taken is not recorded, so its days may count or not."""
    assert answer(SUPPLY, taken(20, 30, status="stopped"), draft=taken(0, 10)) == "unknown"
    assert answer(SUPPLY, taken(5, 30, status="stopped"), draft=taken(0, 10)) == "no"
    assert answer(SUPPLY, taken(5, 30, status="cancelled"), draft=taken(0, 21)) == "no"


def test_supply_beside_an_undated_order() -> None:
    """An order under way without a date may have begun at any time."""
    undated = replace(taken(0, 30), authored=None)

    assert answer(SUPPLY, undated, draft=taken(0, 14)) == "unknown"
    assert answer(SUPPLY, undated, draft=taken(0, 22)) == "yes"


def test_supply_unread() -> None:
    """Unread drugs may add days to an order within the limit, never take any away."""
    unread = ("medications",)

    assert answer(SUPPLY, draft=taken(0, 21), unread=unread) == "unknown"
    assert answer(SUPPLY, draft=taken(0, 22), unread=unread) == "yes"
    assert answer(SUPPLY, unread=unread) == "unknown"


def test_supply_after_long_cover() -> None:
    """After 22 days of cover any further supply is too long, whatever its length."""
    assert answer(SUPPLY, taken(22, 30), draft=taken(0)) == "yes"
    assert answer(SUPPLY, taken(21, 30), draft=taken(0)) == "unknown"


def test_supply_names_what_came_before() -> None:
    """The reasons name the order and the earlier fills it adds to, first with their days."""
    found = FACTS[SUPPLY](chart(taken(15, 20), draft=taken(0, 14)))
    days = [(entry.reference, entry.display.split(": ")[1]) for entry in found.because[:2]]

    assert days == [
        ("MedicationRequest/15", "15 days covered so far"),
        ("MedicationRequest/0", "14 days ordered"),
    ]
    assert [entry.reference for entry in found.because[2:]] == [
        "MedicationRequest/0",
        "MedicationRequest/15",
    ]


def test_supply_of_another_drug() -> None:
    """Another drug is not judged, however long; an unreadable order leaves it open."""
    for name in (SUPPLY, OVER, UNKNOWN_DOSE):
        assert answer(name) == "no"
        assert answer(name, taken(40, 60), draft=drug("opioid", days=0, supply=90)) == "no"
        assert answer(name, draft=referral("tens")) == "no"
    assert answer(SUPPLY, draft=UNREADABLE) == answer(OVER, draft=UNREADABLE) == "unknown"
    assert answer(UNKNOWN_DOSE, draft=UNREADABLE) == "no"


# How much


def times(number: float) -> Timing:
    return Timing(frequency=number, period=1, period_unit="d")


UP_TO_15_MG = (Quantity(15, "mg"), Quantity(1, "d"))
DOSES = [
    ("4.99 mg three times daily", (dosage(4.99, "mg"),), "no", "no"),
    ("5 mg three times daily", (dosage(5, "mg"),), "no", "no"),
    ("5 mg every 8 hours", (dosage(5, "mg", Timing(code="Q8H")),), "no", "no"),
    ("5.01 mg once daily", (dosage(5.01, "mg", times(1)),), "yes", "no"),
    ("5 mg four times daily", (dosage(5, "mg", times(4)),), "yes", "no"),
    ("3.74 mg four times daily", (dosage(3.74, "mg", times(4)),), "no", "no"),
    ("3.75 mg four times daily", (dosage(3.75, "mg", times(4)),), "no", "no"),
    ("3.76 mg four times daily", (dosage(3.76, "mg", times(4)),), "yes", "no"),
    ("10 mg, how often not stated", (dosage(10, "mg", None),), "yes", "no"),
    ("5 mg, how often not stated", (dosage(5, "mg", None),), "unknown", "yes"),
    ("one tablet three times daily", (TABLET,), "unknown", "yes"),
    ("no dosage", (), "unknown", "yes"),
    (
        "up to 15 mg a day, at once not stated",
        (Dosage(max_per_period=UP_TO_15_MG),),
        "unknown",
        "yes",
    ),
    (
        "5 mg up to 15 mg a day",
        (replace(dosage(5, "mg", times(6)), max_per_period=UP_TO_15_MG),),
        "no",
        "no",
    ),
]


@pytest.mark.parametrize(
    ("words", "dosages", "over", "unread"), DOSES, ids=[row[0] for row in DOSES]
)
def test_dose(words: str, dosages: tuple[Dosage, ...], over: str, unread: str) -> None:
    """More than 5 mg at once or 15 mg a day is much; what cannot be read is said to be so."""
    order = taken(0, dosages=dosages)

    assert answer(OVER, draft=order) == answer(OVER, order) == over, words
    assert answer(UNKNOWN_DOSE, draft=order) == answer(UNKNOWN_DOSE, order) == unread, words


def test_extended_release() -> None:
    """A product of extended release is much, whatever dose is stated."""
    for code in EXTENDED_RELEASE:
        order = of_product(code)

        assert answer(OVER, draft=order) == answer(OVER, order) == "yes"
        assert answer(UNKNOWN_DOSE, draft=order) == "no"


def test_extended_release_is_the_value_set() -> None:
    """The products of extended release are those the value set calls so."""
    with ROWS.open(encoding="utf-8") as file:
        named = {r["code"] for r in csv.DictReader(file) if "Extended Release" in r["display"]}

    assert named == EXTENDED_RELEASE
    assert all(product(code).extended_release for code in named)


TABLETS = [
    ("one of 5 mg three times daily", FIVE, (dosage(1, "{tbl}"),), "no", "no"),
    ("two of 5 mg once daily", FIVE, (dosage(2, "{tbl}", times(1)),), "yes", "no"),
    ("one of 5 mg four times daily", FIVE, (dosage(1, "{tbl}", times(4)),), "yes", "no"),
    ("one of 7.5 mg once daily", SEVEN, (dosage(1, "{tbl}", times(1)),), "yes", "no"),
    ("tablets of no known strength", PLAIN, (dosage(1, "{tbl}"),), "unknown", "yes"),
    ("milligrams of the drug", PLAIN, (dosage(5, "mg"),), "no", "no"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosages", "over", "unread"), TABLETS, ids=[row[0] for row in TABLETS]
)
def test_dose_in_tablets(
    words: str, code: str, dosages: tuple[Dosage, ...], over: str, unread: str
) -> None:
    """A dose told in tablets is read by the strength of the product."""
    order = of_product(code, dosages=dosages)

    assert answer(OVER, draft=order) == answer(OVER, order) == over, words
    assert answer(UNKNOWN_DOSE, draft=order) == unread, words


def as_needed(tablets: float, at_most: float) -> Dosage:
    return replace(dosage(tablets, "{tbl}", times(at_most)), as_needed=True)


OVER_LABEL = "cyclobenzaprine_over_30mg"
SLOW = "828353"
EVERY_12 = Timing(code="Q12H")
LABEL = [
    ("10 mg three times daily is 30 mg", TEN, (dosage(1, "{tbl}"),), "no"),
    ("10 mg four times daily is 40 mg", TEN, (dosage(1, "{tbl}", times(4)),), "yes"),
    (
        "as needed, up to 40 mg",
        TEN,
        (replace(dosage(1, "{tbl}", times(4)), as_needed=True),),
        "yes",
    ),
    ("7.5 mg four times daily is 30 mg", SEVEN, (dosage(7.5, "mg", times(4)),), "no"),
    ("7.51 mg four times daily", SEVEN, (dosage(7.51, "mg", times(4)),), "yes"),
    ("10 mg at once", TEN, (dosage(10, "mg", times(1)),), "no"),
    ("10.01 mg at once", TEN, (dosage(10.01, "mg", times(1)),), "yes"),
    ("two tablets of 10 mg at bedtime", TEN, (dosage(2, "{tbl}", times(1)),), "yes"),
    ("20 mg at once, how often not stated", TEN, (dosage(20, "mg", None),), "yes"),
    ("10 mg at once, how often not stated", TEN, (dosage(10, "mg", None),), "unknown"),
    ("30 mg released slowly", SLOW, (dosage(1, "{capsule}", times(1)),), "no"),
    ("30 mg released slowly, twice", SLOW, (dosage(1, "{capsule}", EVERY_12),), "yes"),
    ("15 mg of unknown form at once", PLAIN, (dosage(15, "mg", times(1)),), "unknown"),
    ("15 mg of unknown form three times", PLAIN, (dosage(15, "mg"),), "yes"),
    ("10 mg of unknown form three times", PLAIN, (dosage(10, "mg"),), "no"),
    ("tablets of unknown strength", PLAIN, (dosage(1, "{tbl}"),), "unknown"),
    ("no dosage", TEN, (), "unknown"),
    ("150 mg, five times the maximum", TEN, (dosage(50, "mg"),), "yes"),
    ("153 mg cannot be meant", TEN, (dosage(51, "mg"),), "unknown"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosages", "expected"), LABEL, ids=[row[0] for row in LABEL]
)
def test_over_the_label(words: str, code: str, dosages: tuple[Dosage, ...], expected: str) -> None:
    """More than 30 mg a day, or 10 mg at once unless released slowly; only of an order."""
    order = of_product(code, dosages=dosages)

    assert answer(OVER_LABEL, draft=order) == expected, words
    unread = answer(OVER_LABEL, draft=order, unread=("medications",))

    assert unread == ("unknown" if expected == "no" else expected), words
    assert answer(OVER_LABEL, order) == "no", words


ONE_SLOW = (SLOW, (dosage(1, "{capsule}", times(1)),))  # 30 mg
ONE_QUICK = (TEN, (dosage(1, "{tbl}", times(1)),))
BESIDE = [
    ("as needed beside slow release", TEN, (as_needed(1, 2),), ONE_SLOW, "yes"),
    ("on schedule: changed to slow release", TEN, (dosage(1, "{tbl}", times(2)),), ONE_SLOW, "no"),
    ("the same dose released slowly", TEN, (as_needed(1, 3),), ONE_SLOW, "no"),
    ("another strength", FIVE, (dosage(2, "{tbl}"),), ONE_QUICK, "no"),
    ("the same, renewed", TEN, (dosage(1, "{tbl}", times(1)),), ONE_QUICK, "no"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosages", "new", "expected"), BESIDE, ids=[row[0] for row in BESIDE]
)
def test_taken_beside_the_order(
    words: str,
    code: str,
    dosages: tuple[Dosage, ...],
    new: tuple[str, tuple[Dosage, ...]],
    expected: str,
) -> None:
    """Quick tablets as needed add to slow release; a renewal or a change of dose does not."""
    before = replace(of_product(code, dosages=dosages), reference="MedicationRequest/before")
    order = of_product(new[0], dosages=new[1])

    assert answer(OVER_LABEL, before, draft=order) == expected, words


def test_over_the_label_by_supply() -> None:
    """Without a dosage 40 tablets of 10 mg for 10 days are 40 mg a day; 30 leave one dose open."""
    forty, thirty = (
        of_product(TEN, supply=10, quantity=Quantity(number, "{tbl}")) for number in (40, 30)
    )

    assert answer(OVER_LABEL, draft=forty) == "yes"
    assert answer(OVER_LABEL, draft=thirty) == "unknown"


def test_over_the_label_is_told_in_numbers() -> None:
    """The reason names the order with its dose, once."""
    often = of_product(TEN, dosages=(dosage(2, "{tbl}"),))
    once = of_product(TEN, dosages=(dosage(2, "{tbl}", times(1)),))

    told = [FACTS[OVER_LABEL](chart(draft=order)).because for order in (often, once)]

    assert [[entry.display for entry in because] for because in told] == [
        ["cyclobenzaprine: 60 mg a day"],
        ["cyclobenzaprine: 20 mg at once"],
    ]


def test_dose_unread_drugs() -> None:
    """Without the list of drugs nobody knows the dose, and no unread dose is claimed."""
    assert answer(OVER, unread=("medications",)) == "unknown"
    assert answer(UNKNOWN_DOSE, unread=("medications",)) == "no"
