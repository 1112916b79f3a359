"""How much tramadol is ordered, how often, and in which form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.record import Dosage, MedicationOrder, Quantity, Timing
from tests.charts import ago, drug, referral
from tests.dosed_orders import UNREADABLE, answer, at_most, displays, ordered, take

MOST, OVER_300 = "tramadol_over_max", "tramadol_over_300"
RENAL, LIVER = "tramadol_over_renal_limit", "tramadol_over_liver_limit"
PLAIN, TABLET_50, TABLET_100 = "10689", "835603", "2179635"
SLOW_100, SLOW_300 = "833709", "833713"
WITH_ACETAMINOPHEN = "836395"  # tramadol 37.5 mg, acetaminophen 325 mg


def tramadol(code: str, *dosages: Dosage, **members: Any) -> MedicationOrder:
    return ordered(code, *dosages, of="tramadol", **members)


def every(hours: float, value: float, unit: str = "mg") -> Dosage:
    """So much every so many hours."""
    timing = Timing(frequency=1, period=hours, period_unit="h")
    return Dosage(timing=timing, dose=Quantity(value, unit))


# Words, product, dosages; over the maximum, over 300, over the renal and the liver limit.
DOSES = [
    ("8 tablets, 400 mg", TABLET_50, (take(2, times=4),), "no yes yes yes"),
    ("9 tablets, 450 mg", TABLET_50, (take(3, times=3),), "yes yes yes yes"),
    ("400 mg at once", TABLET_100, (take(400, "mg"),), "no yes yes yes"),
    ("401 mg", TABLET_100, (take(401, "mg"),), "yes yes yes yes"),
    ("300 mg", TABLET_100, (take(3),), "no no yes yes"),
    ("301 mg", TABLET_100, (take(301, "mg"),), "no yes yes yes"),
    ("200 mg in two doses", TABLET_100, (take(1, times=2),), "no no no yes"),
    ("201 mg", TABLET_100, (take(201, "mg"),), "no no yes yes"),
    ("100 mg in two doses", TABLET_50, (take(1, times=2),), "no no no no"),
    ("101 mg", TABLET_100, (take(101, "mg"),), "no no no yes"),
    ("50 mg every 12 hours", TABLET_50, (every(12, 50),), "no no no no"),
    ("45 mg every 11 hours", TABLET_50, (every(11, 45),), "no no yes yes"),
    ("25 mg every 8 hours", TABLET_50, (every(8, 25),), "no no yes yes"),
    ("25 mg three times", TABLET_50, (take(25, "mg", 3),), "no no yes yes"),
    ("25 mg morning, noon and night", TABLET_50, (take(25, "mg"),) * 3, "no no yes yes"),
    ("50 mg morning and night", TABLET_50, (take(50, "mg"),) * 2, "no no no no"),
    (
        "50 mg six times as needed, 100 mg at most",
        TABLET_50,
        (take(1, times=6, as_needed=True, max_per_period=at_most(100)),),
        "no no yes yes",
    ),
    (
        "100 mg a day at most, how often not stated",
        TABLET_50,
        (take(1, times=None, as_needed=True, max_per_period=at_most(100)),),
        "no no unknown unknown",
    ),
    ("100 mg released slowly", SLOW_100, (take(1),), "no no yes yes"),
    ("300 mg released slowly", SLOW_300, (take(1),), "no no yes yes"),
    ("301 mg released slowly", SLOW_300, (take(301, "mg"),), "yes yes yes yes"),
    ("400 mg released slowly", SLOW_100, (take(4),), "yes yes yes yes"),
    ("300 mg of unknown form", PLAIN, (take(300, "mg"),), "no no yes yes"),
    ("301 mg of unknown form", PLAIN, (take(301, "mg"),), "unknown yes yes yes"),
    ("401 mg of unknown form", PLAIN, (take(401, "mg"),), "yes yes yes yes"),
    ("50 mg of unknown form", PLAIN, (take(50, "mg"),), "no no unknown unknown"),
    ("two of 37.5 mg twice, 150 mg", WITH_ACETAMINOPHEN, (take(2, times=2),), "no no no yes"),
    ("10 of 37.5 mg, 375 mg", WITH_ACETAMINOPHEN, (take(2, times=5),), "no yes yes yes"),
    ("11 of 37.5 mg, 412.5 mg", WITH_ACETAMINOPHEN, (take(1, times=11),), "yes yes yes yes"),
    ("tablets without strength", PLAIN, (take(1),), "unknown unknown unknown unknown"),
    ("no dosage", SLOW_100, (), "unknown unknown unknown unknown"),
    ("2000 mg, five times the label", TABLET_50, (take(2000, "mg"),), "yes yes yes yes"),
    ("2001 mg", TABLET_50, (take(2001, "mg"),), "unknown unknown unknown unknown"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosages", "expected"), DOSES, ids=[row[0] for row in DOSES]
)
def test_tramadol(words: str, code: str, dosages: tuple[Dosage, ...], expected: str) -> None:
    """Dose, form and interval are compared exactly with the label; unread ones stay open."""
    order = tramadol(code, *dosages)
    told = [answer(name, draft=order) for name in (MOST, OVER_300, RENAL, LIVER)]

    assert told == expected.split(), words


def test_two_drafts_of_tramadol() -> None:
    """Drafts add up; what is released slowly has its own maximum."""
    slow = tramadol(SLOW_100, take(3))
    quick = tramadol(TABLET_50, take(1, times=2))
    more = tramadol(TABLET_50, take(51, "mg", 2))
    unread = tramadol(TABLET_100)

    assert answer(MOST, draft=slow, drafts=(quick,)) == "no"  # 400 mg, 300 of it slowly
    assert answer(MOST, draft=slow, drafts=(more,)) == "yes"  # 402 mg
    assert answer(MOST, draft=quick, drafts=(unread,)) == "unknown"
    assert answer(OVER_300, draft=more, drafts=(slow, unread)) == "yes"


RESCUE = take(1, times=4, as_needed=True)
# Words, what is taken, the draft; over the maximum, over 300, over the renal and the liver limit.
BESIDE = [
    (
        "rescue tablets beside slow release",
        (SLOW_300, take(1)),
        (TABLET_50, RESCUE),
        "yes yes yes yes",
    ),
    (
        "slow release beside rescue tablets",
        (TABLET_50, RESCUE),
        (SLOW_300, take(1)),
        "yes yes yes yes",
    ),
    (
        "400 in all",
        (SLOW_300, take(1)),
        (TABLET_50, take(1, times=2, as_needed=True)),
        "no yes yes yes",
    ),
    (
        "a combination, 500 in all",
        (WITH_ACETAMINOPHEN, take(2, times=4)),
        (TABLET_100, take(1, times=2)),
        "yes yes yes yes",
    ),
    (
        "a combination, 300 in all",
        (WITH_ACETAMINOPHEN, take(2, times=2)),
        (TABLET_50, take(3)),
        "no no no yes",
    ),
    (
        "the same product and dose, renewed",
        (TABLET_50, take(2, times=2)),
        (TABLET_50, take(2, times=2)),
        "no no no yes",
    ),
    (
        "another strength, same dose",
        (TABLET_50, take(2, times=2)),
        (TABLET_100, take(1, times=2)),
        "no no no yes",
    ),
    (
        "a higher dose in its place",
        (TABLET_50, take(3, times=2)),
        (TABLET_100, take(1, times=2)),
        "no no no yes",
    ),
    (
        "changed to slow release",
        (TABLET_50, take(3, times=2)),
        (SLOW_100, take(2)),
        "no no yes yes",
    ),
    (
        "a combination not read",
        (WITH_ACETAMINOPHEN, take(1, times=None)),
        (TABLET_50, take(1)),
        "unknown unknown unknown unknown",
    ),
]


@pytest.mark.parametrize(
    ("words", "was", "new", "expected"), BESIDE, ids=[row[0] for row in BESIDE]
)
def test_tramadol_taken_beside_the_draft(
    words: str, was: tuple[str, Dosage], new: tuple[str, Dosage], expected: str
) -> None:
    """Active orders of another preparation add up; a renewal or a change of dose counts once."""
    taken, order = tramadol(*was, days=5), tramadol(*new)
    told = [answer(name, taken, draft=order) for name in (MOST, OVER_300, RENAL, LIVER)]

    assert told == expected.split(), words


def test_what_replaces_tramadol_counts_once() -> None:
    """A draft that names the active order, or begins when its supply ends, is not added to it."""
    taken = tramadol(SLOW_300, take(1), days=5, supply=30)
    order = tramadol(TABLET_50, RESCUE)
    later = replace(
        order,
        dosages=(
            replace(
                RESCUE, timing=Timing(frequency=4, period=1, period_unit="d", bounds_start=ago(-25))
            ),
        ),
    )

    assert answer(MOST, taken, draft=order) == "yes"
    assert (
        answer(MOST, taken, draft=replace(order, replaces_prior=True, prior=taken.reference))
        == "no"
    )
    assert answer(MOST, taken, draft=later) == "no"
    assert answer(MOST, replace(taken, supply_days=4), draft=order) == "no"  # may still be taken
    assert answer(MOST, draft=order, unread=("medications",)) == "unknown"
    assert answer(MOST, draft=replace(order, dosages=(take(9),)), unread=("medications",)) == "yes"


def test_form_and_interval_are_those_of_the_draft() -> None:
    """A quick tablet twice a day is not blamed for the slow release it takes the place of."""
    taken = tramadol(SLOW_100, take(1), days=5)

    assert answer(RENAL, taken, draft=tramadol(TABLET_50, take(1, times=2))) == "no"


def test_only_tramadol_on_order_is_asked_about() -> None:
    """What is taken, another drug or no order is not judged; an unreadable order is open."""
    taken = tramadol(TABLET_50, take(3, times=4), days=5)

    for name in (MOST, OVER_300, RENAL, LIVER):
        assert answer(name, taken) == answer(name, draft=referral("tens")) == "no"
        assert answer(name, taken, draft=drug("opioid", days=0)) == "no"
        assert answer(name, draft=UNREADABLE) == "unknown"
        assert answer(name, draft=drug("tramadol", days=0)) == "unknown"


def test_tramadol_is_told_in_numbers() -> None:
    """The reason bears the dose, and what of form or interval is against it."""
    often = tramadol(TABLET_50, take(1, times=4))
    slow = tramadol(SLOW_100, take(1))
    derived = tramadol(TABLET_100, quantity=Quantity(50, "{tbl}"), supply=10)

    assert displays(MOST, draft=replace(often, dosages=(take(9),))) == [
        "tramadol hydrochloride 50 MG Oral Tablet: 450 mg a day"
    ]
    assert displays(RENAL, draft=often) == [
        "tramadol hydrochloride 50 MG Oral Tablet: 200 mg a day, less than 12 hours apart"
    ]
    assert displays(LIVER, draft=slow)[0].endswith(": 100 mg a day, extended release")
    told = displays(MOST, draft=derived)[0]
    assert told.endswith(": 500 mg a day, derived from quantity and days of supply")
