"""How much acetaminophen is taken in a day, from all products together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.record import Dosage, MedicationOrder, Quantity
from tests.charts import drug, referral
from tests.dosed_orders import UNREADABLE, answer, at_most, because, displays, ordered, take

OVER_4000, OVER_2000 = "acetaminophen_over_4000", "acetaminophen_over_2000"
PLAIN, LIQUID = "161", "307668"  # 32 mg/mL
PERCOCET, NORCO = "1049221", "857002"  # 325 mg with oxycodone 5 mg, with hydrocodone 5 mg
PERCOCET_10 = "1049214"


def acetaminophen(code: str, *dosages: Dosage, **members: Any) -> MedicationOrder:
    return ordered(code, *dosages, of="acetaminophen", **members)


DOSES = [
    ("1999 mg", PLAIN, (take(1999, "mg"),), "no", "no"),
    ("2000 mg", PLAIN, (take(500, "mg", 4),), "no", "no"),
    ("2001 mg", PLAIN, (take(2001, "mg"),), "yes", "no"),
    ("4000 mg", PLAIN, (take(1000, "mg", 4),), "yes", "no"),
    ("1 g four times", PLAIN, (take(1, "g", 4),), "yes", "no"),
    ("4001 mg", PLAIN, (take(4001, "mg"),), "yes", "yes"),
    ("six tablets of 325 mg, 1950", NORCO, (take(1, times=6),), "no", "no"),
    ("seven tablets of 325 mg, 2275", NORCO, (take(1, times=7),), "yes", "no"),
    ("twelve tablets of 325 mg, 3900", NORCO, (take(2, times=6),), "yes", "no"),
    ("thirteen tablets of 325 mg, 4225", NORCO, (take(1, times=13),), "yes", "yes"),
    ("as needed counts in full", NORCO, (take(1, times=13, as_needed=True),), "yes", "yes"),
    (
        "as needed, at most 12 tablets, 3900",
        NORCO,
        (take(1, times=13, as_needed=True, max_per_period=at_most(12, "{tbl}")),),
        "yes",
        "no",
    ),
    ("20 mL of 32 mg/mL three times, 1920", LIQUID, (take(20, "mL", 3),), "no", "no"),
    ("20 mL of 32 mg/mL seven times, 4480", LIQUID, (take(20, "mL", 7),), "yes", "yes"),
    ("milligrams of a combination", NORCO, (take(650, "mg", 4),), "unknown", "unknown"),
    ("tablets without strength", PLAIN, (take(2, times=4),), "unknown", "unknown"),
    ("no dosage", NORCO, (), "unknown", "unknown"),
    ("20000 mg, five times the label", PLAIN, (take(20000, "mg"),), "yes", "yes"),
    ("20001 mg cannot be meant", PLAIN, (take(20001, "mg"),), "unknown", "unknown"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosages", "over_2000", "over_4000"), DOSES, ids=[row[0] for row in DOSES]
)
def test_dose_of_the_draft(
    words: str, code: str, dosages: tuple[Dosage, ...], over_2000: str, over_4000: str
) -> None:
    """The daily dose is compared exactly; as-needed doses count at their maximum."""
    order = acetaminophen(code, *dosages)

    assert answer(OVER_2000, draft=order) == over_2000, words
    assert answer(OVER_4000, draft=order) == over_4000, words


TAKEN = [
    ("a second product, 4000 in all", acetaminophen(PLAIN, take(2375, "mg"), days=5), "no"),
    ("a second product, 4001 in all", acetaminophen(PLAIN, take(2376, "mg"), days=5), "yes"),
    ("tablets, 4225 in all", acetaminophen(NORCO, take(2, times=4), days=5), "yes"),
    ("not covered today", acetaminophen(PLAIN, take(4000, "mg"), days=5, supply=4), "no"),
    ("stopped", acetaminophen(PLAIN, take(4000, "mg"), days=5, status="stopped"), "no"),
    ("a dose that cannot be read", acetaminophen(PLAIN, take(2), days=5), "unknown"),
    ("a product that is not known", drug("acetaminophen", days=5), "unknown"),
    ("the same order, written today", acetaminophen(PERCOCET, take(1, times=5)), "no"),
]


@pytest.mark.parametrize(("words", "taken", "expected"), TAKEN, ids=[row[0] for row in TAKEN])
def test_all_products_add_up(words: str, taken: MedicationOrder, expected: str) -> None:
    """What is taken adds to the draft of 1625 mg (five tablets of 325 mg)."""
    order = acetaminophen(PERCOCET, take(1, times=5))

    assert answer(OVER_4000, taken, draft=order) == expected, words


def test_other_drafts_and_replaced_orders() -> None:
    """Other drafts of the call add up; an order that the draft replaces counts once."""
    order = acetaminophen(PERCOCET, take(1, times=5))
    other = acetaminophen(PLAIN, take(2376, "mg"))
    old = acetaminophen(PERCOCET, take(2, times=4), days=20)  # 2600 mg
    renewing = replace(order, replaces_prior=True, prior=old.reference)

    assert answer(OVER_4000, draft=order, drafts=(other,)) == "yes"
    assert answer(OVER_4000, old, draft=renewing) == "no"


REFILLS = [
    ("a day early", acetaminophen(PERCOCET, take(2, times=6), days=29, supply=30), "no"),
    ("five days early", acetaminophen(PERCOCET, take(2, times=6), days=25, supply=30), "no"),
    ("no supply data", acetaminophen(PERCOCET, take(2, times=6), days=30), "no"),
    ("another dose of it", acetaminophen(PERCOCET, take(1, times=5), days=29, supply=30), "no"),
    ("another strength of it", acetaminophen(PERCOCET_10, take(1, times=5), days=29), "no"),
    ("the same in another product", acetaminophen(NORCO, take(2, times=6), days=29), "yes"),
    ("the plain drug", acetaminophen(PLAIN, take(3900, "mg"), days=29), "yes"),
]


@pytest.mark.parametrize(("words", "taken", "expected"), REFILLS, ids=[row[0] for row in REFILLS])
def test_a_refill_is_no_second_dose(words: str, taken: MedicationOrder, expected: str) -> None:
    """3900 mg a day of one combination, refilled early, are 3900 mg; another one adds up."""
    refill = acetaminophen(PERCOCET, take(2, times=6), supply=30)

    assert answer(OVER_4000, taken, draft=refill) == expected, words


def test_refills_on_the_list_are_one_course() -> None:
    """Two overlapping months of one drug count once beside a draft of another."""
    draft = acetaminophen(NORCO, take(1, times=4))  # 1300 mg
    months = [acetaminophen(PERCOCET, take(2, times=4), days=d, supply=30) for d in (1, 29)]
    at_once = [acetaminophen(PERCOCET, take(2, times=4), days=d, supply=30) for d in (1, 3)]

    assert answer(OVER_4000, *months, draft=draft) == "no"  # 3900 mg
    assert answer(OVER_4000, *at_once, draft=draft) == "yes"  # 6500 mg


def test_a_lower_bound_over_the_limit_is_a_yes() -> None:
    """An order that cannot be read leaves a lower sum open and a higher one a lower bound."""
    high, low = acetaminophen(PLAIN, take(4001, "mg")), acetaminophen(PLAIN, take(500, "mg"))
    unread = acetaminophen(NORCO, days=5)

    assert answer(OVER_4000, unread, draft=low) == "unknown"
    assert displays(OVER_4000, unread, draft=high) == [
        "acetaminophen: at least 4001 mg a day",
        "acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet: dose could not be read",
    ]
    assert answer(OVER_4000, draft=low, unread=("medications",)) == "unknown"
    assert answer(OVER_4000, draft=high, unread=("medications",)) == "yes"


def test_each_order_is_told_with_its_part() -> None:
    """One entry for each order that counts, the largest first, derived doses called so."""
    order = acetaminophen(PERCOCET, take(2, times=4, as_needed=True))  # 2600
    supplied = acetaminophen(NORCO, days=3, supply=10, quantity=Quantity(60, "{tbl}"))  # 1950

    found = because(OVER_4000, supplied, draft=order)

    assert [entry.reference for entry in found] == [order.reference, supplied.reference]
    assert found[0].display.endswith(": up to 2600 of 4550 mg a day")
    words = ": 1950 of 4550 mg a day, derived from quantity and days of supply"
    assert found[1].display.endswith(words)
    assert found[1].display.startswith("acetaminophen")


def test_another_order_asks_nothing() -> None:
    """The dose is judged on an order of acetaminophen alone; an unreadable one leaves it open."""
    taken = acetaminophen(PLAIN, take(5000, "mg"), days=5)

    for name in (OVER_4000, OVER_2000):
        assert answer(name, taken) == answer(name, taken, draft=referral("tens")) == "no"
        assert answer(name, taken, draft=drug("opioid", days=0)) == "no"
        assert answer(name, draft=UNREADABLE) == "unknown"
