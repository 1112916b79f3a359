"""How much ibuprofen or naproxen is ordered in a day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.codes import SNOMED
from cards.record import Coding, Concept, Dosage, MedicationOrder, Quantity
from tests.charts import drug, referral
from tests.dosed_orders import UNREADABLE, answer, at_most, because, displays, ordered, take
from tests.products import product

OVER_3200, OVER_2400 = "ibuprofen_over_3200", "ibuprofen_over_2400"
OVER_1500, OVER_1000 = "naproxen_over_1500", "naproxen_over_1000"
IBUPROFEN, IBUPROFEN_600, IBUPROFEN_800, SUSPENSION = "5640", "197806", "197807", "197803"
WITH_HYDROCODONE = "859315"  # hydrocodone 10 mg, ibuprofen 200 mg
NAPROXEN, NAPROXEN_250, NAPROXEN_500 = "7258", "198013", "198014"
SODIUM, SODIUM_220, SODIUM_275, SODIUM_550 = "142442", "849574", "849398", "849431"


def nsaid(code: str, *dosages: Dosage, **members: Any) -> MedicationOrder:
    return ordered(code, *dosages, of="nsaid-oral", **members)


IBUPROFEN_DOSES = [
    ("four of 600 mg, 2400", IBUPROFEN_600, (take(1, times=4),), "no", "no"),
    ("2399 mg", IBUPROFEN, (take(2399, "mg"),), "no", "no"),
    ("2400 mg", IBUPROFEN, (take(2400, "mg"),), "no", "no"),
    ("2401 mg", IBUPROFEN, (take(2401, "mg"),), "yes", "no"),
    ("four of 800 mg, 3200", IBUPROFEN_800, (take(1, times=4),), "yes", "no"),
    ("3200 mg", IBUPROFEN, (take(3200, "mg"),), "yes", "no"),
    ("3201 mg", IBUPROFEN, (take(3201, "mg"),), "yes", "yes"),
    ("five of 800 mg, 4000", IBUPROFEN_800, (take(1, times=5),), "yes", "yes"),
    (
        "800 mg five times as needed",
        IBUPROFEN_800,
        (take(1, times=5, as_needed=True),),
        "yes",
        "yes",
    ),
    (
        "as needed, at most 2400",
        IBUPROFEN_800,
        (take(1, times=5, as_needed=True, max_per_period=at_most(2400)),),
        "no",
        "no",
    ),
    ("40 mL of 20 mg/mL three times, 2400", SUSPENSION, (take(40, "mL", 3),), "no", "no"),
    ("40 mL of 20 mg/mL four times, 3200", SUSPENSION, (take(40, "mL", 4),), "yes", "no"),
    ("12 tablets with hydrocodone, 2400", WITH_HYDROCODONE, (take(2, times=6),), "no", "no"),
    ("13 tablets with hydrocodone, 2600", WITH_HYDROCODONE, (take(1, times=13),), "yes", "no"),
    ("milligrams of a combination", WITH_HYDROCODONE, (take(800, "mg", 4),), "unknown", "unknown"),
    ("tablets without strength", IBUPROFEN, (take(1, times=4),), "unknown", "unknown"),
    ("how often is not stated", IBUPROFEN_800, (take(1, times=None),), "unknown", "unknown"),
    ("no dosage", IBUPROFEN_800, (), "unknown", "unknown"),
    ("16000 mg, five times the label", IBUPROFEN, (take(16000, "mg"),), "yes", "yes"),
    ("16001 mg cannot be meant", IBUPROFEN, (take(16001, "mg"),), "unknown", "unknown"),
    ("another NSAID", NAPROXEN_500, (take(8),), "no", "no"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosages", "over_2400", "over_3200"),
    IBUPROFEN_DOSES,
    ids=[row[0] for row in IBUPROFEN_DOSES],
)
def test_ibuprofen(
    words: str, code: str, dosages: tuple[Dosage, ...], over_2400: str, over_3200: str
) -> None:
    """The daily dose is compared exactly; one that cannot be read is not judged."""
    order = nsaid(code, *dosages)

    assert answer(OVER_2400, draft=order) == over_2400, words
    assert answer(OVER_3200, draft=order) == over_3200, words
    unread = answer(OVER_3200, draft=order, unread=("medications",))

    assert unread == ("unknown" if over_3200 == "no" and code != NAPROXEN_500 else over_3200), words


STEADY = (take(500, "mg", 2, step=2),)  # 1000 mg a day
NAPROXEN_DOSES = [
    ("999 mg", NAPROXEN, (take(999, "mg"),), "no", "no"),
    ("two of 500 mg, 1000", NAPROXEN_500, (take(1, times=2),), "no", "no"),
    ("1001 mg", NAPROXEN, (take(1001, "mg"),), "yes", "no"),
    ("three of 500 mg, 1500", NAPROXEN_500, (take(1, times=3),), "yes", "no"),
    ("1501 mg", NAPROXEN, (take(1501, "mg"),), "yes", "yes"),
    ("four of 275 mg of the salt, 1100", SODIUM_275, (take(1, times=4),), "no", "no"),
    ("two of 550 mg of the salt, 1100", SODIUM_550, (take(1, times=2),), "no", "no"),
    ("1101 mg of the salt", SODIUM, (take(1101, "mg"),), "yes", "no"),
    ("three of 550 mg of the salt, 1650", SODIUM_550, (take(1, times=3),), "yes", "no"),
    ("1651 mg of the salt", SODIUM, (take(1651, "mg"),), "yes", "yes"),
    ("eight of 220 mg of the salt, 1760", SODIUM_220, (take(2, times=4),), "yes", "yes"),
    (
        "1250 mg on the first day, then 1000",
        NAPROXEN,
        (take(1250, "mg", step=1, days=1), *STEADY),
        "no",
        "no",
    ),
    (
        "1251 mg on the first day",
        NAPROXEN,
        (take(1251, "mg", step=1, days=1), *STEADY),
        "yes",
        "no",
    ),
    (
        "1250 mg for two days",
        NAPROXEN,
        (take(1250, "mg", step=1, days=2), *STEADY),
        "yes",
        "no",
    ),
    (
        "1250 mg at first, for how long is not told",
        NAPROXEN,
        (take(1250, "mg", step=1), *STEADY),
        "yes",
        "no",
    ),
    (
        "1250 mg on the first day, then 1001",
        NAPROXEN,
        (take(1250, "mg", step=1, days=1), take(1001, "mg", step=2)),
        "yes",
        "no",
    ),
    (
        "1250 mg on the last day",
        NAPROXEN,
        (*STEADY, take(1250, "mg", step=3, days=1)),
        "yes",
        "no",
    ),
    ("only 1250 mg for one day", NAPROXEN, (take(1250, "mg", days=1),), "yes", "no"),
    (
        "1375 mg of the salt on the first day, then 1100",
        SODIUM,
        (take(1375, "mg", step=1, days=1), take(550, "mg", 2, step=2)),
        "no",
        "no",
    ),
    (
        "1376 mg of the salt on the first day",
        SODIUM,
        (take(1376, "mg", step=1, days=1), take(550, "mg", 2, step=2)),
        "yes",
        "no",
    ),
    (
        "500 mg once at first, when is not stated",
        NAPROXEN,
        (take(500, "mg", None, step=1), *STEADY),
        "unknown",
        "unknown",
    ),
    ("tablets without strength", NAPROXEN, (take(2),), "unknown", "unknown"),
    ("another NSAID", IBUPROFEN_800, (take(8),), "no", "no"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosages", "over_1000", "over_1500"),
    NAPROXEN_DOSES,
    ids=[row[0] for row in NAPROXEN_DOSES],
)
def test_naproxen(
    words: str, code: str, dosages: tuple[Dosage, ...], over_1000: str, over_1500: str
) -> None:
    """A steady dose is compared, the salt by its own weight; a first day may take more."""
    order = nsaid(code, *dosages)

    assert answer(OVER_1000, draft=order) == over_1000, words
    assert answer(OVER_1500, draft=order) == over_1500, words


def test_drafts_of_one_call_add_up() -> None:
    """Two drafts of ibuprofen are one dose; one that cannot be read makes it a lower bound."""
    first, second = nsaid(IBUPROFEN_800, take(1, times=3)), nsaid(IBUPROFEN_600, take(1, times=2))
    unread = nsaid("198405", take(1, times=None))

    assert answer(OVER_3200, draft=first, drafts=(second,)) == "yes"  # 2400 and 1200
    assert displays(OVER_3200, draft=first, drafts=(second,)) == [
        "ibuprofen 800 MG Oral Tablet: 2400 of 3600 mg a day",
        "ibuprofen 600 MG Oral Tablet: 1200 of 3600 mg a day",
    ]
    assert answer(OVER_3200, draft=first, drafts=(unread,)) == "unknown"
    assert answer(OVER_3200, draft=second, drafts=(first, unread)) == "yes"


# Words, what is taken: code and dosage; draft of 1200 mg of ibuprofen; over 2400 mg in all.
BESIDE = [
    ("a combination as needed", WITH_HYDROCODONE, take(1, times=7, as_needed=True), "yes"),
    ("a combination, 2400 in all", WITH_HYDROCODONE, take(2, times=3), "no"),
    ("the same product, renewed", IBUPROFEN_600, take(1, times=2), "no"),
    ("the same dose in other tablets", "197805", take(1, times=3), "no"),
    ("another dose of it, changed", IBUPROFEN_800, take(1, times=3), "no"),
    ("a combination whose dose is unread", WITH_HYDROCODONE, take(1, times=None), "unknown"),
    ("another NSAID", NAPROXEN_500, take(1, times=2), "no"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosage", "expected"), BESIDE, ids=[row[0] for row in BESIDE]
)
def test_ibuprofen_taken_beside(words: str, code: str, dosage: Dosage, expected: str) -> None:
    """Another preparation that is taken adds up; what the draft renews or changes does not."""
    taken = nsaid(code, dosage, days=5)
    order = nsaid(IBUPROFEN_600, take(1, times=2))  # 1200 mg

    assert answer(OVER_2400, taken, draft=order) == expected, words
    assert answer(OVER_2400, replace(taken, status="on-hold"), draft=order) == "no", words
    assert answer(OVER_2400, replace(taken, supply_days=4), draft=order) == "no", words


def test_ibuprofen_taken_beside_is_told() -> None:
    """The reasons name the drafted and the taken order, each with its part of the dose."""
    taken = nsaid(WITH_HYDROCODONE, take(1, times=7, as_needed=True), days=5)
    order = nsaid(IBUPROFEN_600, take(1, times=2))
    renewing = replace(order, replaces_prior=True, prior=taken.reference)
    found = because(OVER_2400, taken, draft=order)

    assert [entry.display.rpartition(": ")[2] for entry in found] == [
        "up to 1400 of 2600 mg a day",
        "1200 of 2600 mg a day",
    ]
    assert {entry.reference for entry in found} == {taken.reference, order.reference}
    assert answer(OVER_2400, taken, draft=renewing) == "no"
    assert answer(OVER_2400, taken, draft=nsaid(NAPROXEN_500, take(1))) == "no"


def test_naproxen_taken_beside_its_salt() -> None:
    """Naproxen beside its sodium salt adds up; the same daily dose of the other is a change."""
    salt = nsaid(SODIUM_220, take(2, times=2), days=5)  # 800 mg of naproxen
    order = nsaid(NAPROXEN_500, take(1, times=2))

    assert answer(OVER_1000, salt, draft=order) == "yes"  # 1800
    assert answer(OVER_1500, salt, draft=order) == "yes"
    assert answer(OVER_1000, nsaid(SODIUM_550, take(1, times=2), days=5), draft=order) == "no"
    assert answer(OVER_1000, draft=order, unread=("medications",)) == "unknown"


def test_only_an_ordered_nsaid_is_asked_about() -> None:
    """What is taken alone is another question; without an oral NSAID ordered, there is none."""
    taken = nsaid(IBUPROFEN_800, take(1, times=5), days=5)
    small = nsaid(IBUPROFEN_600, take(1))

    for name in (OVER_3200, OVER_2400, OVER_1500, OVER_1000):
        assert answer(name, taken, draft=small) == "no"
        assert answer(name, taken) == answer(name, draft=referral("tens")) == "no"
        assert answer(name, taken, draft=drug("opioid", days=0)) == "no"
        assert answer(name, draft=UNREADABLE) == "unknown"
        assert answer(name, draft=drug("nsaid-oral", days=0)) == "unknown"


def test_ibuprofen_on_the_skin_has_no_daily_dose() -> None:
    """A drug coded by its ingredient is no oral one when its route says skin."""
    skin = Dosage(route=Concept((Coding(SNOMED, "6064005"),)))
    note = {"nsaid-oral": "ingredient (IN); route not stated: treat as oral"}
    plain = nsaid(IBUPROFEN, skin)
    gel = replace(
        plain,
        drug=replace(plain.drug, sets=note),
        product=product(IBUPROFEN)._replace(route="topical"),
    )

    for name in (OVER_3200, OVER_2400, OVER_1500, OVER_1000, "nsaid_high_dose"):
        assert answer(name, draft=gel) == "no"
    assert answer("draft_oral_nsaid", draft=gel) == "no"


def test_a_dose_is_told_in_numbers() -> None:
    """The reason bears the computed dose, and says when it was derived or is at most."""
    tablets = nsaid(IBUPROFEN_800, take(1, times=5))
    as_needed = nsaid(IBUPROFEN_800, take(1, times=5, as_needed=True))
    supplied = nsaid(IBUPROFEN_800, quantity=Quantity(50, "{tbl}"), supply=10)
    derived = "derived from quantity and days of supply"

    assert displays(OVER_3200, draft=tablets) == ["ibuprofen 800 MG Oral Tablet: 4000 mg a day"]
    assert displays(OVER_3200, draft=as_needed) == [
        "ibuprofen 800 MG Oral Tablet: up to 4000 mg a day"
    ]
    (entry,) = because(OVER_3200, draft=supplied)
    assert entry.display.startswith("ibuprofen 800 MG")
    assert entry.display.endswith(f": 4000 mg a day, {derived}")
    assert entry.calculated
    assert (entry.reference, entry.date) == (supplied.reference, "2026-03-02")
    assert answer(OVER_3200, draft=replace(supplied, quantity=Quantity(40, "{tbl}"))) == "no"


def test_high_dose_is_told_in_numbers() -> None:
    """The reasons for a high dose name each order with its part of it."""
    taken = nsaid(IBUPROFEN_600, take(1, times=2), days=5)
    order = nsaid(IBUPROFEN_800, take(1, times=2))

    assert displays("nsaid_high_dose", taken, draft=order) == [
        "ibuprofen 800 MG Oral Tablet: 1600 of 2800 mg a day, a high dose",
        "ibuprofen 600 MG Oral Tablet: 1200 of 2800 mg a day, a high dose",
    ]


def test_naproxen_and_its_salt_add_up() -> None:
    """550 mg of the salt stand for 500 mg of naproxen."""
    salt, plain = nsaid(SODIUM_550, take(1)), nsaid(NAPROXEN_500, take(1), days=5)
    more = nsaid(NAPROXEN_250, take(3), days=5)

    assert answer("nsaid_high_dose", plain, draft=salt) == "no"  # 1000 in all
    assert answer("nsaid_high_dose", more, draft=salt) == "yes"  # 1250 in all
