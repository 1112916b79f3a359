"""How much duloxetine or amitriptyline is ordered, and with how much it is begun."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.record import Dosage, MedicationOrder, Quantity
from tests.charts import ago, drug, referral
from tests.dosed_orders import UNREADABLE, answer, at_most, because, displays, ordered, take

OVER_60, OVER_120 = "duloxetine_over_60", "duloxetine_over_120"
STARTED, TRICYCLIC_STARTED = "duloxetine_start_over_30", "amitriptyline_over_25_start"
PLAIN, CAPSULE_20, CAPSULE_30, CAPSULE_60 = "72625", "596926", "596930", "596934"
AMITRIPTYLINE, TABLET_10, TABLET_25 = "704", "856783", "856834"


def duloxetine(code: str, *dosages: Dosage, **members: Any) -> MedicationOrder:
    return ordered(code, *dosages, of="duloxetine", **members)


def amitriptyline(code: str, *dosages: Dosage, **members: Any) -> MedicationOrder:
    return ordered(code, *dosages, of="amitriptyline", **members)


def titrated(*milligrams: float) -> tuple[Dosage, ...]:
    """A step of a week for each dose, once a day."""
    return tuple(take(mg, "mg", step=n, days=7) for n, mg in enumerate(milligrams, start=1))


# Words, product, dosages; over 60, over 120, begun over 30.
DOSES = [
    ("29 mg", PLAIN, (take(29, "mg"),), "no no no"),
    ("one of 30 mg", CAPSULE_30, (take(1, "{capsule}"),), "no no no"),
    ("31 mg", PLAIN, (take(31, "mg"),), "no no yes"),
    ("two of 20 mg, 40", CAPSULE_20, (take(1, "{capsule}", 2),), "no no yes"),
    ("one of 60 mg", CAPSULE_60, (take(1, "{capsule}"),), "no no yes"),
    ("61 mg", PLAIN, (take(61, "mg"),), "yes no yes"),
    ("three of 30 mg, 90", CAPSULE_30, (take(3, "{capsule}"),), "yes no yes"),
    ("two of 60 mg, 120", CAPSULE_60, (take(1, "{capsule}", 2),), "yes no yes"),
    ("121 mg", PLAIN, (take(121, "mg"),), "yes yes yes"),
    ("three of 60 mg, 180", CAPSULE_60, (take(1, "{capsule}", 3),), "yes yes yes"),
    ("30 mg, then 60", CAPSULE_30, titrated(30, 60), "no no no"),
    ("31 mg, then 60", CAPSULE_30, titrated(31, 60), "no no yes"),
    ("30 mg, then 61", CAPSULE_30, titrated(30, 61), "yes no no"),
    ("60 mg, then 30", CAPSULE_30, titrated(60, 30), "no no yes"),
    (
        "60 mg as needed, 30 mg at most",
        CAPSULE_60,
        (take(60, "mg", as_needed=True, max_per_period=at_most(30)),),
        "no no no",
    ),
    ("capsules without strength", PLAIN, (take(1, "{capsule}"),), "unknown unknown unknown"),
    ("how often not stated", CAPSULE_60, (take(1, times=None),), "unknown unknown unknown"),
    ("no dosage", CAPSULE_60, (), "unknown unknown unknown"),
    ("600 mg, five times the label", PLAIN, (take(600, "mg"),), "yes yes yes"),
    ("601 mg cannot be meant", PLAIN, (take(601, "mg"),), "unknown unknown unknown"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosages", "expected"), DOSES, ids=[row[0] for row in DOSES]
)
def test_duloxetine(words: str, code: str, dosages: tuple[Dosage, ...], expected: str) -> None:
    """The highest step is compared with the label, the first with a gentle start."""
    order = duloxetine(code, *dosages)

    assert [answer(n, draft=order) for n in (OVER_60, OVER_120, STARTED)] == expected.split(), words


TRICYCLIC_DOSES = [
    ("24 mg", AMITRIPTYLINE, (take(24, "mg"),), "no"),
    ("one of 25 mg", TABLET_25, (take(1),), "no"),
    ("26 mg", AMITRIPTYLINE, (take(26, "mg"),), "yes"),
    ("three of 10 mg, 30", TABLET_10, (take(3),), "yes"),
    ("10 mg, then 25", TABLET_10, titrated(10, 25), "no"),
    ("10 mg, then 26", TABLET_10, titrated(10, 26), "yes"),
    ("tablets without strength", AMITRIPTYLINE, (take(1),), "unknown"),
    ("no dosage", TABLET_25, (), "unknown"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosages", "expected"), TRICYCLIC_DOSES, ids=[r[0] for r in TRICYCLIC_DOSES]
)
def test_amitriptyline(words: str, code: str, dosages: tuple[Dosage, ...], expected: str) -> None:
    """A new order is compared with 25 mg a day."""
    assert answer(TRICYCLIC_STARTED, draft=amitriptyline(code, *dosages)) == expected, words


BEGUN = [
    ("covered until 29 days ago", {"days": 39, "supply": 10}, "no"),
    ("covered until 30 days ago", {"days": 40, "supply": 10}, "no"),
    ("covered until 31 days ago", {"days": 41, "supply": 10}, "yes"),
    ("still covered", {"days": 5, "supply": 30}, "no"),
    ("stopped, within its supply", {"days": 20, "supply": 30, "status": "stopped"}, "no"),
    ("never taken", {"days": 5, "supply": 30, "status": "cancelled"}, "yes"),
]


@pytest.mark.parametrize(("words", "members", "expected"), BEGUN, ids=[row[0] for row in BEGUN])
def test_no_start_while_covered(words: str, members: dict[str, Any], expected: str) -> None:
    """A drug that covered one of the last 30 days is not begun anew."""
    order = duloxetine(CAPSULE_60, take(1, "{capsule}"))
    tricyclic = amitriptyline(TABLET_25, take(2))

    assert answer(STARTED, drug("duloxetine", **members), draft=order) == expected, words
    assert answer(TRICYCLIC_STARTED, drug("tca", **members), draft=tricyclic) == expected, words
    assert answer(STARTED, drug("tca", **members), draft=order) == "yes"


@pytest.mark.parametrize("name", [STARTED, TRICYCLIC_STARTED])
def test_start_that_cannot_be_told(name: str) -> None:
    """Unread drugs, an order without a date or an unlisted earlier prescription leave it open."""
    high, low, earlier = (
        (duloxetine(PLAIN, take(60, "mg")), duloxetine(PLAIN, take(30, "mg")), "duloxetine")
        if name == STARTED
        else (amitriptyline(TABLET_25, take(2)), amitriptyline(TABLET_25, take(1)), "tca")
    )
    undated = replace(drug(earlier, days=5), authored=None)

    assert answer(name, draft=high) == "yes"
    assert answer(name, draft=high, unread=("medications",)) == "unknown"
    assert answer(name, undated, draft=high) == "unknown"
    assert answer(name, draft=replace(high, replaces_prior=True)) == "unknown"
    assert answer(name, draft=low, unread=("medications",)) == "no"


def drafted(code: str, *dosages: Dosage, name: str, begins: int = 0) -> MedicationOrder:
    """A draft of its own, to be taken from so many days on."""
    first = [
        replace(d, timing=replace(d.timing, bounds_start=ago(-begins))) for d in dosages if d.timing
    ]
    order = duloxetine(code, *(first if begins else dosages))
    return replace(order, reference=f"MedicationRequest/{name}")


def test_two_drafts_are_one_start() -> None:
    """Two drafts of 30 mg in one call begin with 60 mg, one draft listed twice with 30 mg."""
    one = drafted(CAPSULE_30, take(1, "{capsule}"), name="one")
    two = drafted(CAPSULE_30, take(1, "{capsule}"), name="two")

    assert answer(STARTED, draft=one, drafts=(two,)) == "yes"
    assert answer(STARTED, draft=one, drafts=(one,)) == "no"
    assert answer(STARTED, draft=one) == "no"
    assert len(because(STARTED, draft=one, drafts=(two,))) == 2
    unread = drafted(CAPSULE_30, name="three")
    assert answer(STARTED, draft=one, drafts=(unread,)) == "unknown"


def test_a_later_draft_is_a_later_step() -> None:
    """60 mg from the second week on is no start beside 30 mg for the first; alone it is one."""
    first = drafted(CAPSULE_30, take(1, "{capsule}", days=7), name="first")
    second = drafted(CAPSULE_60, take(1, "{capsule}"), name="second", begins=7)

    assert answer(STARTED, draft=first, drafts=(second,)) == "no"
    assert answer(STARTED, draft=second, drafts=(first,)) == "no"
    assert answer(STARTED, draft=second) == "yes"


CURRENT = [
    ("the same dose, renewed", 60),
    ("a lower dose, raised", 30),
    ("a higher dose, lowered", 90),
]


@pytest.mark.parametrize(("words", "mg"), CURRENT, ids=[row[0] for row in CURRENT])
def test_duloxetine_in_place_of_duloxetine(words: str, mg: float) -> None:
    """A draft for whoever takes duloxetine takes the place of it, and is no second dose."""
    current = duloxetine(CAPSULE_30, take(mg, "mg"), days=5)
    order = duloxetine(CAPSULE_60, take(1, "{capsule}"))

    assert answer(OVER_60, current, draft=order) == "no", words
    assert answer(STARTED, current, draft=order) == "no", words


def test_supply_does_not_tell_the_first_step() -> None:
    """53 mg a day on average says nothing of a first step that cannot be read."""
    unread = (take(1, "{capsule}", None, step=1), take(60, "mg", step=2))
    supplied = {"quantity": Quantity(53, "{capsule}"), "supply": 30}

    assert answer(STARTED, draft=duloxetine(CAPSULE_30, *unread, **supplied)) == "unknown"
    assert answer(STARTED, draft=duloxetine(CAPSULE_30, **supplied)) == "yes"
    assert answer(STARTED, draft=duloxetine(CAPSULE_30, quantity=Quantity(30, "1"), supply=30)) == (
        "no"
    )


def test_only_the_order_is_asked_about() -> None:
    """Another drug, what is taken and no order are not judged; an unreadable order is open."""
    taken = duloxetine(CAPSULE_60, take(3, "{capsule}"), days=5)

    for name in (OVER_60, OVER_120, STARTED, TRICYCLIC_STARTED):
        assert answer(name, taken) == answer(name, draft=referral("tens")) == "no"
        assert answer(name, taken, draft=drug("opioid", days=0)) == "no"
        assert answer(name, draft=UNREADABLE) == "unknown"
    assert answer(OVER_60, draft=drug("duloxetine", days=0)) == "unknown"


def test_antidepressants_are_told_in_numbers() -> None:
    """The reason bears the dose it rests on."""
    high = duloxetine(PLAIN, *titrated(40, 90))
    supplied = duloxetine(CAPSULE_60, quantity=Quantity(60, "{capsule}"), supply=20)

    assert displays(OVER_60, draft=high) == ["duloxetine: 90 mg a day"]
    assert displays(STARTED, draft=high) == ["duloxetine: 40 mg a day"]
    derived = ": 180 mg a day, derived from quantity and days of supply"
    assert displays(OVER_120, draft=supplied)[0].endswith(derived)
    tablets = amitriptyline(TABLET_10, take(3))
    told = ["amitriptyline hydrochloride 10 MG Oral Tablet: 30 mg a day"]
    assert displays(TRICYCLIC_STARTED, draft=tablets) == told
