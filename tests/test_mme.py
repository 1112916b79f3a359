"""Opioids in morphine milligram equivalents, and totals over several orders."""

# ruff: noqa: E501 - one case is one line

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.content import ContentError, Document, read_yaml
from cards.dose import daily_dose
from cards.mme import Equivalents, morphine_equivalents
from cards.mme_factors import MmeFactors, read_mme_factors
from cards.product import Product
from cards.record import MedicationOrder, Quantity
from tests.drug_orders import (
    CODES,
    at_most,
    coded,
    every,
    ingredient,
    order,
    patch,
    product,
    solution,
    tablet,
    take,
)

CONTENT = read_yaml(Path("cards/definitions/mme_factors.yaml"))
DEFAULT, SETS = read_mme_factors(CONTENT)
NOW, THEN = SETS["cdc-2022"], SETS["cdc-2016"]

CODEINE = tablet("codeine", 30)
HYDROCODONE = product(
    "acetaminophen 325 MG / hydrocodone bitartrate 10 MG Oral Tablet",
    ("acetaminophen", 325, "MG"),
    ("hydrocodone", 10, "MG"),
)
HYDROMORPHONE = tablet("hydromorphone", 2)
METHADONE = tablet("methadone", 5)
MORPHINE = solution("morphine", 2)
OXYCODONE = tablet("oxycodone", 5)
OXYMORPHONE = tablet("oxymorphone", 5)
TAPENTADOL = solution("tapentadol", 20)
TRAMADOL = solution("tramadol", 5)
FENTANYL = patch("fentanyl", 25)
FENTANYL_12 = patch("fentanyl", 12.5)
BUPRENORPHINE = patch("buprenorphine", 10, hours=168)
SUBOXONE = product(
    "buprenorphine 8 MG / naloxone 2 MG Sublingual Film",
    ("buprenorphine", 8, "MG"),
    ("naloxone", 2, "MG"),
    route="sublingual",
)
MORPHINE_INJECTION = product(
    "morphine 10 MG/ML Injection", ("morphine", 10, "MG/ML"), route="parenteral"
)
SUFENTANIL = product(
    "sufentanil 0.05 MG/ML Injection", ("sufentanil", 0.05, "MG/ML"), route="parenteral"
)
MORPHINE_RECTAL = product(
    "morphine 30 MG Rectal Suppository", ("morphine", 30, "MG"), route="rectal"
)
FENTANYL_LOZENGE = product(
    "fentanyl 0.2 MG Oral Lozenge", ("fentanyl", 0.2, "MG"), route="oromucosal"
)
DIHYDROCODEINE = tablet("dihydrocodeine", 16)
ACETAMINOPHEN = tablet("acetaminophen", 500)
NEW_OPIOID = tablet("newopioid", 5)

TABLET = "{tablet}"
PRN: dict[str, Any] = {"asNeededBoolean": True}

Case = tuple[Product | None, list[dict[str, Any]]]


def mg(amount: float, times: float = 1, **more: Any) -> list[dict[str, Any]]:
    """So many milligrams, so many times a day."""
    return [take(amount, "mg", every(times), **more)]


def tablets(number: float, times: float = 1, **more: Any) -> list[dict[str, Any]]:
    """So many tablets, so many times a day."""
    return [take(number, TABLET, every(times), **more)]


def worn(number: float = 1) -> list[dict[str, Any]]:
    """So many patches, changed every three days."""
    return [take(number, "{patch}", every(1, 3))]


def millilitres(amount: float) -> list[dict[str, Any]]:
    """So many millilitres once a day."""
    return [take(amount, "mL", every(1))]


def written(cases: list[Case]) -> list[MedicationOrder]:
    """An order for each drug, all different ones."""
    return [
        order(drug, *said, name=f"m{number}", authored=f"2026-06-{number + 1:02}")
        for number, (drug, said) in enumerate(cases)
    ]


def equivalents(cases: list[Case], factors: MmeFactors = NOW) -> Equivalents:
    return morphine_equivalents(written(cases), [], factors)


# Words, orders, MME a day by the factors of 2022, by those of 2016.
TABLE: list[tuple[str, list[Case], float, float]] = [
    ("nothing", [], 0, 0),
    ("codeine 30 mg, 4 times", [(CODEINE, tablets(1, 4))], 18, 18),
    ("hydrocodone 10 mg, 4 times", [(HYDROCODONE, tablets(1, 4))], 40, 40),
    ("hydromorphone 2 mg, 4 times", [(HYDROMORPHONE, tablets(1, 4))], 40, 32),
    ("morphine 15 mg, twice", [(MORPHINE, mg(15, 2))], 30, 30),
    ("oxycodone 10 mg, 4 times", [(OXYCODONE, mg(10, 4))], 60, 60),
    ("oxymorphone 10 mg, twice", [(OXYMORPHONE, mg(10, 2))], 60, 60),
    ("tapentadol 100 mg, twice", [(TAPENTADOL, mg(100, 2))], 80, 0),
    ("tramadol 100 mg, 4 times", [(TRAMADOL, mg(100, 4))], 80, 0),
    ("fentanyl 25 mcg/h", [(FENTANYL, worn())], 60, 60),
    ("fentanyl 12.5 and 25 mcg/h", [(FENTANYL_12, worn()), (FENTANYL, worn())], 90, 90),
    ("two patches of 25 mcg/h", [(FENTANYL, worn(2))], 120, 120),
    ("fentanyl 25 mcg/h, changed daily", [(FENTANYL, [take(1, "{patch}", every(1))])], 60, 60),
    ("methadone 5 mg", [(METHADONE, tablets(1))], 23.5, 20),
    ("methadone 20 mg", [(METHADONE, tablets(1, 4))], 94, 80),
    ("methadone 20.5 mg, between bands", [(METHADONE, mg(20.5))], 96.35, 164),
    ("methadone 21 mg", [(METHADONE, mg(21))], 98.7, 168),
    ("methadone 40 mg", [(METHADONE, mg(40))], 188, 320),
    ("methadone 41 mg", [(METHADONE, mg(41))], 192.7, 410),
    ("methadone 60 mg", [(METHADONE, mg(60))], 282, 600),
    ("methadone 61 mg", [(METHADONE, mg(61))], 286.7, 732),
    ("methadone 20 and 10 mg: one band", [(METHADONE, mg(20)), (METHADONE, mg(10))], 141, 240),
    ("oxycodone 20 and hydrocodone 20", [(OXYCODONE, mg(20)), (HYDROCODONE, tablets(2))], 50, 50),
    ("oxycodone 20 and hydromorphone 4", [(OXYCODONE, mg(20)), (HYDROMORPHONE, mg(4))], 50, 46),
    ("fentanyl 25 and oxycodone 20", [(FENTANYL, worn()), (OXYCODONE, mg(20))], 90, 90),
    ("oxycodone as needed, up to 6 of 5 mg", [(OXYCODONE, [take(1, TABLET, coded("Q4H"), **PRN)])], 45, 45),
    ("the same, at most 4 a day", [(OXYCODONE, [take(1, TABLET, coded("Q4H"), maxDosePerPeriod=at_most(4, TABLET), **PRN)])], 30, 30),
    ("49.9 by a liquid", [(MORPHINE, millilitres(24.95))], 49.9, 49.9),
    ("50 by a liquid", [(MORPHINE, millilitres(25))], 50, 50),
    ("50.1 by a liquid", [(MORPHINE, millilitres(25.05))], 50.1, 50.1),
    ("89.9 by a liquid", [(MORPHINE, millilitres(44.95))], 89.9, 89.9),
    ("90 by a liquid", [(MORPHINE, millilitres(45))], 90, 90),
    ("90.1 by a liquid", [(MORPHINE, millilitres(45.05))], 90.1, 90.1),
    ("49.9 as a sum", [(OXYCODONE, mg(20)), (MORPHINE, mg(19.9))], 49.9, 49.9),
    ("50 as a sum", [(OXYCODONE, mg(20)), (MORPHINE, mg(20))], 50, 50),
    ("50.1 as a sum", [(OXYCODONE, mg(20)), (MORPHINE, mg(20.1))], 50.1, 50.1),
    ("89.9 as a sum", [(FENTANYL, worn()), (MORPHINE, mg(29.9))], 89.9, 89.9),
    ("90 as a sum", [(FENTANYL, worn()), (MORPHINE, mg(30))], 90, 90),
    ("90.1 as a sum", [(FENTANYL, worn()), (MORPHINE, mg(30.1))], 90.1, 90.1),
    ("tramadol 249.5 mg", [(TRAMADOL, mg(249.5))], 49.9, 0),
    ("tramadol 250 mg", [(TRAMADOL, mg(250))], 50, 0),
    ("tramadol 250.5 mg", [(TRAMADOL, mg(250.5))], 50.1, 0),
    ("tapentadol 224.75 mg", [(TAPENTADOL, mg(224.75))], 89.9, 0),
    ("tapentadol 225 mg", [(TAPENTADOL, mg(225))], 90, 0),
    ("tapentadol 225.25 mg", [(TAPENTADOL, mg(225.25))], 90.1, 0),
    ("three times 16.6666 recurring", [(MORPHINE, mg(50 / 3, 3))], 50, 50),
    ("codeine 333.333 recurring", [(CODEINE, mg(1000 / 3))], 50, 50),
    ("ordered by ingredient", [(ingredient("oxycodone"), mg(20))], 30, 30),
    ("patch ordered by ingredient", [(ingredient("fentanyl"), [take(25, "ug/h")])], 60, 60),
]  # fmt: skip


@pytest.mark.parametrize(("words", "cases", "now", "then"), TABLE, ids=[row[0] for row in TABLE])
def test_equivalents(words: str, cases: list[Case], now: float, then: float) -> None:
    """Daily dose times factor, by both sets of factors; what has none adds nothing."""
    assert equivalents(cases, NOW).total == now, words
    assert equivalents(cases, THEN).total == then, words


def test_factors_of_2022_are_used_unless_asked_otherwise() -> None:
    """The sets are those the settings can name."""
    assert DEFAULT == "cdc-2022"
    assert set(SETS) == {"cdc-2022", "cdc-2016"}


# Words, order, its name beside the sum, why, whether the sum is then only a lower bound.
APART: list[tuple[str, Case, str, str, bool]] = [
    ("buprenorphine patch", (BUPRENORPHINE, worn()), "buprenorphine", "not convertible", False),
    ("buprenorphine film", (SUBOXONE, tablets(2)), "buprenorphine", "not convertible", False),
    ("injection", (MORPHINE_INJECTION, millilitres(1)), "morphine", "injected", False),
    ("by ingredient, injected", (ingredient("morphine", route="parenteral"), mg(10)), "morphine", "injected", False),
    ("an unknown ingredient, injected", (SUFENTANIL, millilitres(1)), "sufentanil 0.05 MG/ML Injection", "injected", False),
    ("suppository", (MORPHINE_RECTAL, tablets(1)), "morphine", "no factor", True),
    ("lozenge", (FENTANYL_LOZENGE, tablets(1)), "fentanyl", "no factor", True),
    ("fentanyl by ingredient, in mg", (ingredient("fentanyl"), mg(0.2)), "fentanyl", "no factor", True),
    ("oxycodone by ingredient, worn", (ingredient("oxycodone"), [take(5, "ug/h")]), "oxycodone", "no factor", True),
    ("no factor", (DIHYDROCODEINE, tablets(1)), "dihydrocodeine", "no factor", True),
    ("unknown ingredient", (NEW_OPIOID, tablets(1)), "newopioid 5 MG Oral Tablet", "no factor", True),
    ("text only", (None, tablets(1)), "pain pills", "drug not read", True),
    ("strength not known", (ingredient("oxycodone"), tablets(1)), "oxycodone", "dose not read", True),
    ("unknown unit", (OXYCODONE, [take(5, "mL", every(2))]), "oxycodone", "dose not read", True),
    ("milligrams of a combination", (HYDROCODONE, mg(10, 4)), "hydrocodone", "dose not read", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "case", "name", "why", "at_least"), APART, ids=[r[0] for r in APART]
)
def test_opioids_apart_from_the_sum(
    words: str, case: Case, name: str, why: str, at_least: bool
) -> None:
    """What cannot be converted is named; what should be in the sum makes it a lower bound."""
    found = equivalents([case, (OXYCODONE, mg(40))])
    [apart] = (*found.not_converted, *found.left_out)

    assert found.total == 60, words
    assert (apart.name, apart.why) == (name, why)
    assert found.at_least is at_least


def test_tramadol_has_no_factor_of_2016() -> None:
    """By the older factors tramadol is named and the sum is a lower bound."""
    found = equivalents([(TRAMADOL, mg(100, 4)), (OXYCODONE, mg(40))], THEN)

    assert (found.total, found.at_least) == (60, True)
    assert [(one.name, one.why) for one in found.left_out] == [("tramadol", "no factor")]


def test_breakdown() -> None:
    """Each drug is shown with its daily dose, its factor and what it adds."""
    found = equivalents([(OXYCODONE, tablets(1, 4)), (FENTANYL, worn()), (OXYCODONE, mg(10, 2))])

    assert [
        (p.name, p.dose.mcg_per_hour or p.dose.mg_per_day, p.factor, p.mme) for p in found.parts
    ] == [
        ("fentanyl", 25, 2.4, 60),
        ("oxycodone", 40, 1.5, 60),
    ]
    assert [one.reference for one in found.parts[1].orders] == [
        "MedicationRequest/m2",
        "MedicationRequest/m0",
    ]


def test_as_needed_is_a_range() -> None:
    """As-needed doses range from none to their maximum."""
    found = equivalents(
        [(MORPHINE, mg(15, 2)), (OXYCODONE, [take(1, TABLET, coded("Q4H"), **PRN)])]
    )

    assert (found.least, found.total) == (30, 75)
    assert [part.dose.as_needed for part in found.parts] == [False, True]


def test_as_needed_methadone_in_bands() -> None:
    """The regular part of methadone counts in its own band."""
    found = equivalents([(METHADONE, mg(10, 2)), (METHADONE, mg(10, 1, **PRN))], THEN)

    assert (found.least, found.total) == (80, 240)


def test_dose_by_supply_counts_and_is_told() -> None:
    """60 tablets of 15 mg for 30 days are 30 mg of morphine a day, derived."""
    supplied = order(tablet("morphine", 15), quantity=60, unit=TABLET, days=30)
    found = morphine_equivalents([supplied], [], NOW)

    assert (found.total, found.derived, found.at_least) == (30, True, False)


def test_a_slip_of_units_is_left_out() -> None:
    """More than five times the label's maximum is no dose anybody meant."""
    taken = [order(tablet("tramadol", 50), *tablets(50, 4)), order(OXYCODONE, *mg(20), name="o")]
    limits = {CODES["tramadol"]: 400.0}

    assert morphine_equivalents(taken, [], NOW).total == 2030
    found = morphine_equivalents(taken, [], NOW, limits)
    assert (found.total, found.at_least) == (30, True)


# Laws

SOME = {
    "codeine": CODEINE,
    "hydromorphone": HYDROMORPHONE,
    "methadone": METHADONE,
    "morphine": MORPHINE,
    "oxycodone": OXYCODONE,
    "fentanyl": FENTANYL,
    "buprenorphine": BUPRENORPHINE,
    "injection": MORPHINE_INJECTION,
    "dihydrocodeine": DIHYDROCODEINE,
    "hydrocodone": HYDROCODONE,
}
UNITS = st.sampled_from(["mg", "ug", "mL", TABLET, "{patch}", "ug/h", None, "meq", "kg"])


@st.composite
def opioid_orders(draw: st.DrawFn) -> MedicationOrder:
    """An order for an opioid, readable or not, in any unit."""
    number = draw(st.integers(0, 999))
    said = take(
        draw(st.sampled_from([0, 0.5, 1, 2, 7.5, 15, 40])),
        draw(UNITS),
        draw(st.sampled_from([every(1), every(3), coded("Q6H"), every(1, 3), None])),
        asNeededBoolean=draw(st.booleans()),
    )
    drug = draw(st.sampled_from([*SOME.values(), None]))
    day = draw(st.sampled_from(["2026-06-01", "2026-06-02", "2026-06", None]))
    return order(drug, said, name=f"m{number}", authored=day)


def by_id(orders: list[MedicationOrder]) -> list[MedicationOrder]:
    return list({one.reference: one for one in orders}.values())


@given(st.lists(opioid_orders(), max_size=6), st.sampled_from([NOW, THEN]))
def test_never_negative_and_a_range(orders: list[MedicationOrder], factors: MmeFactors) -> None:
    """The sum is never negative, nor below what is taken whatever the need."""
    found = morphine_equivalents(orders, [], factors)

    assert 0 <= found.least <= found.total
    assert all(part.mme >= 0 for part in found.parts)


@given(st.lists(opioid_orders(), max_size=6).map(by_id), st.data())
def test_order_and_duplicates_do_not_matter(
    orders: list[MedicationOrder], data: st.DataObject
) -> None:
    """Entries that come twice, or in another order, change nothing."""
    repeated = data.draw(st.lists(st.sampled_from(orders), max_size=3)) if orders else []
    shuffled = data.draw(st.permutations([*orders, *repeated]))

    assert morphine_equivalents(shuffled, [], NOW) == morphine_equivalents(orders, [], NOW)


@given(st.lists(opioid_orders(), max_size=6).map(by_id), st.sampled_from([NOW, THEN]))
def test_additive_over_drugs(orders: list[MedicationOrder], factors: MmeFactors) -> None:
    """The sum over all drugs is the sum of the sums of each drug."""
    drugs = {one.product.ingredients if one.product else None for one in orders}
    each = [
        [o for o in orders if (o.product.ingredients if o.product else None) == drug]
        for drug in drugs
    ]
    whole = morphine_equivalents(orders, [], factors)
    parts = [morphine_equivalents(of_one, [], factors) for of_one in each]

    assert whole.total == pytest.approx(sum(part.total for part in parts))
    assert whole.at_least == any(part.at_least for part in parts)
    assert len(whole.left_out) == sum(len(part.left_out) for part in parts)


WRONG: dict[str, list[str | None]] = {
    "MG": ["mL", "{spray}", "{patch}", "ug/h", "mg/h"],
    "MG/ML": [TABLET, "{spray}", "{patch}", "ug/h", None],
    "MG/HR": [TABLET, "{spray}", "mL", "mg", "ug"],
}
NOBODYS = ["meq", "kg", "mg/kg", "[drp]", "%", "IU", "{dose}", "mmol", "h", "Cel", "mg/d"]


@given(st.data())
def test_wrong_units_never_give_a_number(data: st.DataObject) -> None:
    """A unit that does not fit the product gives no dose, in the dosage or in the supply."""
    drug = data.draw(st.sampled_from(list(SOME.values())))
    held = drug.strengths[-1]
    unit = data.draw(st.sampled_from([*WRONG[held.unit or ""], *NOBODYS]))
    value = data.draw(st.floats(0.001, 10000))
    amount = Quantity(value, unit)
    written = order(drug, take(value, unit, every(2)), quantity=value, unit=unit, days=30)
    limited = replace(
        written,
        dosages=tuple(
            replace(d, max_per_dose=amount, max_per_period=(amount, Quantity(1, "d")))
            for d in written.dosages
        ),
    )

    assert daily_dose(written, held.ingredient) is None
    assert daily_dose(limited, held.ingredient) is None


# The file of factors


def changed(place: list[Any], value: Any) -> Document:
    """The file with one value changed."""
    content = read_yaml(CONTENT.path).value
    part = content
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    return replace(CONTENT, value=content)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["default"], "cdc-2030"),
        (["sets", "cdc-2022", "oral", 0], {"code": "2670"}),
        (["sets", "cdc-2022", "oral", 0], {"code": "2670", "name": "codeine"}),
        (["sets", "cdc-2022", "oral", 0, "target"], 50),
        (["sets", "cdc-2016", "oral", 3, "bands"], [{"factor": 4}, {"factor": 8}]),
        (["sets", "cdc-2016", "oral", 3, "bands"], [{"factor": 4, "up_to": 20}]),
        (["sets", "cdc-2016", "oral", 3, "bands", 0, "up_to"], 50),
    ],
)
def test_a_wrong_file_of_factors_is_told(place: list[Any], value: Any) -> None:
    """A factor missing, a member nobody reads, bands that do not rise: the file is refused."""
    with pytest.raises(ContentError, match=r"mme_factors\.yaml:\d+"):
        read_mme_factors(changed(place, value))
