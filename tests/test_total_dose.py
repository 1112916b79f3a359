"""The daily dose of one ingredient over several orders, each counted once."""

# ruff: noqa: E501 - one case is one line

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cards.content import read_yaml
from cards.mme import morphine_equivalents
from cards.mme_factors import read_mme_factors
from cards.product import Product
from cards.record import MedicationOrder
from cards.total_dose import total_daily_dose
from tests.drug_orders import CODES, at, coded, every, order, product, tablet, take

NOW = read_mme_factors(read_yaml(Path("cards/definitions/mme_factors.yaml")))[1]["cdc-2022"]
ACETAMINOPHEN = tablet("acetaminophen", 500)
OXYCODONE = tablet("oxycodone", 5)
NORCO = product(
    "acetaminophen 325 MG / hydrocodone bitartrate 10 MG Oral Tablet",
    ("acetaminophen", 325, "MG"),
    ("hydrocodone", 10, "MG"),
)
PERCOCET = product(
    "acetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral Tablet",
    ("acetaminophen", 325, "MG"),
    ("oxycodone", 5, "MG"),
)
TABLET = "{tablet}"
SLOW = tablet("oxycodone", 20)._replace(extended_release=True)


def mg(amount: float) -> list[dict[str, Any]]:
    """So many milligrams once a day."""
    return [take(amount, "mg", every(1))]


ACTIVE = order(OXYCODONE, *mg(20), name="a", authored="2026-06-01", days=30)


def total(active: list[MedicationOrder], drafts: list[MedicationOrder]) -> float:
    return total_daily_dose(active, drafts, CODES["oxycodone"]).dose.mg_per_day


def entry(**elements: Any) -> MedicationOrder:
    """20 mg of oxycodone a day under another id, from 3 June unless it says otherwise."""
    return order(OXYCODONE, *mg(20), **{"name": "b", "authored": "2026-06-03", **elements})


NUMBER = [{"system": "urn:rx", "value": "17"}]
# Words, another active entry, milligrams a day of both.
DUPLICATES: list[tuple[str, MedicationOrder, MedicationOrder, float]] = [
    ("two orders of different days", ACTIVE, entry(), 40),
    ("the same id", ACTIVE, entry(name="a"), 20),
    ("the same identifier", entry(identifier=NUMBER), entry(name="c", identifier=NUMBER), 20),
    ("the same day and dose", ACTIVE, entry(authored="2026-06-01"), 20),
    ("the same day in the afternoon", ACTIVE, entry(authored="2026-06-01T15:00"), 20),
    ("the same month, no day", entry(authored="2026-06"), entry(name="c", authored="2026-06"), 40),
    ("no date at all", entry(authored=None), entry(name="c", authored=None), 40),
    ("the same day, another dose", ACTIVE, order(OXYCODONE, *mg(10), name="b"), 30),
    ("morning and evening", order(OXYCODONE, take(10, "mg", coded("AM"))), order(OXYCODONE, take(10, "mg", coded("PM")), name="b"), 20),
    ("8 o'clock and bedtime", order(OXYCODONE, take(10, "mg", at(when=["MORN"]))), order(OXYCODONE, take(10, "mg", at(when=["HS"])), name="b"), 20),
    ("a brand of it, same day and dose", ACTIVE, replace(entry(authored="2026-06-01"), product=product("oxycodone 20 MG Oral Tablet [Brand]", ("oxycodone", 20, "MG"))), 20),
    ("a renewal names the one before", ACTIVE, entry(priorPrescription={"reference": "MedicationRequest/a"}), 20),
    ("a renewal names one long ended", ACTIVE, entry(priorPrescription={"reference": "MedicationRequest/z"}), 40),
    ("two that name each other", entry(name="c", authored="2026-06-04", days=30, priorPrescription={"reference": "MedicationRequest/b"}), entry(days=30, priorPrescription={"reference": "MedicationRequest/c"}), 40),
    ("a refill before the 30 days are over", ACTIVE, entry(authored="2026-06-29", days=30), 20),
    ("half a supply later", ACTIVE, entry(authored="2026-06-16", days=30), 20),
    ("less than half a supply later", ACTIVE, entry(authored="2026-06-15", days=30), 40),
    ("a refill by quantity, 30 days of four tablets", order(OXYCODONE, take(4, TABLET, every(1)), name="a", authored="2026-06-01", quantity=120, unit=TABLET), order(OXYCODONE, take(4, TABLET, every(1)), name="b", authored="2026-06-28"), 20),
    ("nobody knows how long the older one lasts", entry(authored="2026-06-01"), entry(name="c", authored="2026-07-01"), 20),
    ("a refill of another dose", ACTIVE, order(OXYCODONE, *mg(10), name="b", authored="2026-06-29"), 30),
    ("a refill taken twice as often", ACTIVE, order(OXYCODONE, take(10, "mg", every(2)), name="b", authored="2026-06-29"), 40),
    ("a refill of slow release", ACTIVE, replace(entry(authored="2026-06-29"), product=SLOW), 40),
    ("a refill in another month, no day", ACTIVE, entry(authored="2026-07"), 40),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "one", "other", "expected"), DUPLICATES, ids=[r[0] for r in DUPLICATES]
)
def test_duplicates(
    words: str, one: MedicationOrder, other: MedicationOrder, expected: float
) -> None:
    """One order under two ids counts once, and so does one beside its renewal or refill."""
    assert total([one, other], []) == expected, words
    assert total([other, one], []) == expected, words


TEN = tablet("oxycodone", 10)
PRIOR: dict[str, Any] = {"priorPrescription": {"reference": "MedicationRequest/a"}}
ELSEWHERE: dict[str, Any] = {"priorPrescription": {"reference": "MedicationRequest/z"}}
UNREAD: dict[str, Any] = {"priorPrescription": {"display": "the last one"}}


def draft(*, drug: Product = OXYCODONE, **elements: Any) -> MedicationOrder:
    """A draft of 30 mg of oxycodone a day, written on 15 June unless it says otherwise."""
    return order(drug, *mg(30), **{"name": "d", "authored": "2026-06-15", **elements})


def begins(day: str) -> dict[str, Any]:
    return {"dispense": {"validityPeriod": {"start": day}}}


# Words, active orders beside the 20 mg until 1 July, draft of 30 mg, milligrams a day by the bare
# dates and prior prescriptions; and where a preparation is known, as for MME.
REPLACED: list[tuple[str, list[MedicationOrder], MedicationOrder, float, float]] = [
    ("another order", [], draft(), 50, 30),
    ("a renewal by its prior prescription", [], draft(**PRIOR), 30, 30),
    ("a renewal of one of two", [order(TEN, *mg(5), name="b")], draft(**PRIOR), 35, 35),
    ("a renewal that names an older refill", [order(OXYCODONE, *mg(20), name="z", authored="2026-05-01", days=60)], draft(**ELSEWHERE), 30, 30),
    ("a prior prescription long ended, same product", [], draft(**ELSEWHERE), 30, 30),
    ("a prior prescription long ended, another strength", [], draft(drug=TEN, **ELSEWHERE), 50, 30),
    ("a prior prescription nobody can read", [], draft(drug=TEN, **UNREAD), 30, 30),
    ("the same beside two orders", [order(TEN, *mg(5), name="b")], draft(drug=TEN, **UNREAD), 50, 30),
    ("slow release beside it", [], draft(drug=SLOW), 50, 50),
    ("the same dose in slow release", [], order(SLOW, *mg(20), name="d", authored="2026-06-15"), 40, 40),
    ("a combination beside it", [], draft(drug=PERCOCET), 20, 20),
    ("tablets of a combination beside it", [], order(PERCOCET, take(2, TABLET, every(2)), name="d", authored="2026-06-15"), 40, 40),
    ("a dose that cannot be read", [], order(OXYCODONE, name="d", authored="2026-06-15"), 20, 20),
    ("begins the day before the other ends", [], draft(**begins("2026-06-30")), 50, 30),
    ("begins the day the other ends", [], draft(**begins("2026-07-01")), 30, 30),
    ("begins the day after", [], draft(**begins("2026-07-02")), 30, 30),
    ("begins in July, no day", [], draft(**begins("2026-07")), 30, 30),
    ("begins in June or later, no day", [], draft(**begins("2026-06")), 50, 30),
    ("written on the day the other ends", [], draft(authored="2026-07-01"), 30, 30),
    ("the active order itself, changed", [], draft(name="a"), 30, 30),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "others", "new", "by_date", "in_mme"), REPLACED, ids=[r[0] for r in REPLACED]
)
def test_a_draft_in_place_of_an_active_order(
    words: str,
    others: list[MedicationOrder],
    new: MedicationOrder,
    by_date: float,
    in_mme: float,
) -> None:
    """A draft that replaces an active order is not added to it; MME know it by its preparation."""
    assert total([ACTIVE, *others], [new]) == by_date, words
    assert morphine_equivalents([ACTIVE, *others], [new], NOW).total == in_mme * 1.5


def test_total_of_all_products() -> None:
    """Acetaminophen adds up over combinations; an unreadable order makes it a lower bound."""
    taken = [
        order(NORCO, take(2, TABLET, every(4))),
        order(ACETAMINOPHEN, take(2, TABLET, every(3)), name="b"),
    ]
    sure = total_daily_dose(taken, [], CODES["acetaminophen"])
    unsure = total_daily_dose([*taken, order(None, name="c")], [], CODES["acetaminophen"])

    assert (sure.dose.mg_per_day, sure.at_least) == (5600, False)
    assert (unsure.dose.mg_per_day, unsure.at_least) == (5600, True)
    assert [one.reference for one in unsure.left_out] == ["MedicationRequest/c"]
    assert total_daily_dose(taken, [], CODES["oxycodone"]).parts == ()


@pytest.mark.parametrize(
    ("salt_mg", "base_mg", "expected"),
    [(1100, 0, 1000), (1650, 0, 1500), (0, 1000, 1000), (550, 500, 1000)],
)
def test_salt_against_label_maxima(salt_mg: float, base_mg: float, expected: float) -> None:
    """1100 mg of naproxen sodium stand for 1000 mg of naproxen."""
    sodium = product("naproxen sodium 550 MG Oral Tablet", ("naproxen", 550, "MG"))
    taken = [order(sodium, *mg(salt_mg)), order(tablet("naproxen", 500), *mg(base_mg), name="b")]

    assert total_daily_dose(taken, [], CODES["naproxen"]).label_mg_per_day == expected


@pytest.mark.parametrize(("mg_a_day", "at_least"), [(19999, False), (20000, False), (20001, True)])
def test_five_times_the_label(mg_a_day: float, at_least: bool) -> None:
    """A dose of more than five times the label's maximum counts as unreadable."""
    taken = [order(ACETAMINOPHEN, *mg(mg_a_day))]

    assert total_daily_dose(taken, [], CODES["acetaminophen"], 4000).at_least is at_least


def test_two_drafts_alike_are_two_orders() -> None:
    """Signed together, twice 20 mg are 40 mg, however alike the two drafts are."""
    drafts = [draft(name="d1", authored="2026-06-15"), draft(name="d2", authored="2026-06-15")]
    one = total([], drafts[:1])

    assert total([], drafts) == 2 * one
    assert total([], [drafts[0], drafts[0]]) == one


def test_an_order_read_in_part_is_a_lower_bound() -> None:
    """What is read counts, what is not makes it "at least"; it is not added to what it renews."""
    words = {"text": "and as needed"}
    partly = order(OXYCODONE, *mg(40), words, name="p", authored="2026-06-10")
    slow = order(SLOW, *mg(20), name="s", authored="2026-06-01", days=30)

    def found(*active: MedicationOrder) -> tuple[float, bool]:
        summed = total_daily_dose(active, [partly], CODES["oxycodone"])
        return summed.dose.mg_per_day, summed.at_least

    assert found() == (40, True)
    assert found(slow) == (60, True)
    assert found(ACTIVE) == (20, True)
