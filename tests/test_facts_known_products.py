"""What the product of an order tells: tablets in milligrams, its ingredients, and its route."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.answer import Answer
from cards.codes import RXNORM
from cards.facts.ingredient import same_ordered_drug
from cards.facts.order_dose import daily_mg
from cards.library import Library
from cards.record import Coding, Concept, Dosage, MedicationOrder, Quantity
from tests.charts import concept, drug, session
from tests.dosed_orders import answer, ordered, take
from tests.products import product

ASPIRIN, ASPIRIN_325, ASPIRIN_81, WITH_CARISOPRODOL = "1191", "212033", "243670", "197447"
IBUPROFEN, IBUPROFEN_600, IBUPROFEN_800, NAPROXEN_500 = "5640", "197806", "197807", "198014"
CAPSULE_30, CAPSULE_60 = "596930", "596934"  # duloxetine
DICLOFENAC, DICLOFENAC_SODIUM, DICLOFENAC_50 = "3355", "203214", "855906"
OXYCODONE, PERCOCET, NORCO_5, NORCO_10 = "1049621", "1049221", "857002", "856999"
TRAMADOL, ULTRACET = "835603", "836395"


def said(route: str) -> Concept:
    """A route in words only."""
    return Concept((), route)


ASPIRINS = [
    ("one of 325 mg", ASPIRIN_325, (take(1),), {}, "no"),
    ("two of 325 mg, 650", ASPIRIN_325, (take(1, times=2),), {}, "yes"),
    ("four of 81 mg, 324", ASPIRIN_81, (take(4),), {}, "no"),
    ("five of 81 mg, 405", ASPIRIN_81, (take(5),), {}, "yes"),
    ("325 mg", ASPIRIN, (take(325, "mg"),), {}, "no"),
    ("326 mg", ASPIRIN, (take(326, "mg"),), {}, "yes"),
    ("tablets without strength", ASPIRIN, (take(9),), {}, "no"),
    (
        "30 of 325 mg in 30 days",
        ASPIRIN_325,
        (),
        {"quantity": Quantity(30, "{tbl}"), "supply": 30},
        "no",
    ),
    (
        "60 of 325 mg in 30 days, 650",
        ASPIRIN_325,
        (),
        {"quantity": Quantity(60, "{tbl}"), "supply": 30},
        "yes",
    ),
    ("milligrams of a combination", WITH_CARISOPRODOL, (take(650, "mg"),), {}, "no"),
    ("two of 325 mg with carisoprodol", WITH_CARISOPRODOL, (take(2),), {}, "yes"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosages", "members", "expected"), ASPIRINS, ids=[row[0] for row in ASPIRINS]
)
def test_aspirin_in_tablets(
    words: str, code: str, dosages: tuple[Dosage, ...], members: dict[str, Any], expected: str
) -> None:
    """Aspirin told in tablets counts as an NSAID above 325 mg a day."""
    order = ordered(code, *dosages, of="aspirin-analgesic", **members)

    assert answer("oral_nsaid_active", order) == expected, words
    assert answer("draft_oral_nsaid", draft=order) == expected, words


ROUTES = [
    ("diclofenac, nothing said", DICLOFENAC, Dosage(), "unknown"),
    ("diclofenac sodium", DICLOFENAC_SODIUM, Dosage(), "unknown"),
    ("diclofenac, 50 mg", DICLOFENAC, take(50, "mg"), "unknown"),
    ("diclofenac, tablets", DICLOFENAC, take(1, "{tbl}"), "yes"),
    ("diclofenac, the word topical", DICLOFENAC, Dosage(route=said("Topical")), "unknown"),
    ("diclofenac, the word oral", DICLOFENAC, Dosage(route=said("Oral")), "yes"),
    ("diclofenac tablets", DICLOFENAC_50, Dosage(), "yes"),
    ("ibuprofen, nothing said", IBUPROFEN, Dosage(), "yes"),
    ("ibuprofen, the word oral", IBUPROFEN, Dosage(route=said("by mouth")), "yes"),
    ("ibuprofen on the skin, in words", IBUPROFEN, Dosage(route=said("on skin")), "unknown"),
    ("ibuprofen tablets on the skin", IBUPROFEN_600, Dosage(route=said("on skin")), "yes"),
]


@pytest.mark.parametrize(
    ("words", "code", "dosage", "expected"), ROUTES, ids=[row[0] for row in ROUTES]
)
def test_nsaid_of_unknown_route(
    words: str, code: str, dosage: Dosage, expected: str, library: Library
) -> None:
    """Where nothing tells mouth from skin, an NSAID is neither: no card on the stomach (H-26)."""
    written = ordered(code, dosage, of="nsaid-oral")
    order = replace(written, drug=library.index.concept([Coding(RXNORM, code)]))

    assert answer("draft_oral_nsaid", draft=order) == expected, words
    assert answer("oral_nsaid_active", order) == expected, words
    assert answer("nsaid_topical_active_or_drafted", order) == "no", words
    beside = replace(order, reference="MedicationRequest/beside")
    second = unnamed(ordered(NAPROXEN_500, of="nsaid-oral"))
    assert answer("two_oral_nsaids", beside, draft=second) == expected, words


def test_daily_milligrams_without_a_product() -> None:
    """A drug whose product is not known is read by its milligrams, never by its tablets."""
    stated = drug("duloxetine", days=1, dosages=(take(30, "mg", 2),))

    assert daily_mg(stated, "72625") == 60
    assert daily_mg(replace(stated, dosages=(take(2),)), "72625") is None
    assert daily_mg(replace(stated, product=product(CAPSULE_60)), "5640") is None


TRIALS = [
    ("one of 60 mg for 28 days", CAPSULE_60, 28, (take(1, "{capsule}"),), "yes"),
    ("one of 60 mg for 27 days", CAPSULE_60, 27, (take(1, "{capsule}"),), "no"),
    ("one of 30 mg", CAPSULE_30, 28, (take(1, "{capsule}"),), "no"),
    ("two of 30 mg", CAPSULE_30, 28, (take(1, "{capsule}", 2),), "yes"),
]


@pytest.mark.parametrize(
    ("words", "code", "days", "dosages", "expected"), TRIALS, ids=[row[0] for row in TRIALS]
)
def test_duloxetine_in_capsules(
    words: str, code: str, days: int, dosages: tuple[Dosage, ...], expected: str
) -> None:
    """A trial told in capsules is judged by their strength, as a step and before an opioid."""
    tried = ordered(code, *dosages, of="duloxetine", days=days)
    other_steps = (
        *(session("exercise-therapy", days=days) for days in (50, 40, 30, 20)),
        *(session("cbt", days=days) for days in (50, 40, 30, 20)),
        drug("nsaid-oral", days=20, supply=14, status="completed"),
    )
    missing = {"yes": "no", "no": "yes"}[expected]

    assert answer("duloxetine_or_tramadol_step_done", tried) == expected, words
    assert answer("opioid_prerequisite_missing", *other_steps, tried) == missing, words


SAME = [
    ("two strengths", IBUPROFEN_600, IBUPROFEN_800, "yes"),
    ("ingredient and product", IBUPROFEN, IBUPROFEN_800, "yes"),
    ("two ingredients", IBUPROFEN_600, NAPROXEN_500, "no"),
    ("a part of a combination", OXYCODONE, PERCOCET, "yes"),
    ("a common part", NORCO_5, PERCOCET, "unknown"),
]


@pytest.mark.parametrize(("words", "one", "other", "expected"), SAME, ids=[row[0] for row in SAME])
def test_same_drug_by_products(words: str, one: str, other: str, expected: str) -> None:
    """Products are compared by ingredient, whatever their codes are called."""
    pair = unnamed(ordered(one, of="x")), unnamed(ordered(other, of="x"))

    assert same_ordered_drug(*pair).value == expected, words
    assert same_ordered_drug(pair[1], pair[0]).value == expected, words
    unknown = replace(pair[1], product=None)
    assert same_ordered_drug(pair[0], unknown) is Answer.UNKNOWN


def unnamed(order: MedicationOrder) -> MedicationOrder:
    """The order with codes that bear no name."""
    codings = tuple(replace(coding, display="") for coding in order.drug.codings)
    return replace(order, drug=replace(order.drug, codings=codings, display=""))


def test_two_nsaids_without_names() -> None:
    """Two products of ibuprofen are one drug; ibuprofen and naproxen are two."""
    taken = unnamed(ordered(IBUPROFEN_600, of="nsaid-oral", days=5))
    same, other = (unnamed(ordered(c, of="nsaid-oral")) for c in (IBUPROFEN_800, NAPROXEN_500))

    assert answer("two_oral_nsaids", taken, draft=same) == "no"
    assert answer("two_oral_nsaids", taken, draft=other) == "yes"


RENEWED = [
    ("another strength", NORCO_10, NORCO_5, "yes"),
    ("a part of what was covered", OXYCODONE, PERCOCET, "yes"),
    ("more than what was covered", PERCOCET, OXYCODONE, "unknown"),
    ("a common part", PERCOCET, NORCO_5, "unknown"),
    ("another drug of the family", OXYCODONE, TRAMADOL, "no"),
]


@pytest.mark.parametrize(
    ("words", "code", "earlier", "expected"), RENEWED, ids=[row[0] for row in RENEWED]
)
def test_renewal_by_products(words: str, code: str, earlier: str, expected: str) -> None:
    """An order renews a drug when all its ingredients were covered."""
    covered = ordered(earlier, of="opioid", days=20)

    assert answer("draft_is_renewal", covered, draft=ordered(code, of="opioid")) == expected, words


@pytest.mark.parametrize(
    ("route", "oral", "on_skin"),
    [
        ("topical", "no", "yes"),
        ("transdermal", "no", "yes"),
        ("oral", "yes", "no"),
        ("parenteral", "yes", "no"),
        ("", "yes", "no"),
    ],
)
def test_nsaid_by_route(route: str, oral: str, on_skin: str) -> None:
    """An NSAID coded by its ingredient is none for the whole body when its route says skin."""
    order = ordered(IBUPROFEN, of="nsaid-oral")
    note = "ingredient (IN); route not stated: treat as oral"
    given = replace(
        order,
        drug=replace(concept("nsaid-oral", note=note), codings=order.drug.codings),
        product=product(IBUPROFEN)._replace(route=route),
    )

    assert answer("oral_nsaid_active", given) == answer("draft_oral_nsaid", draft=given) == oral
    assert answer("nsaid_topical_active_or_drafted", given) == on_skin
