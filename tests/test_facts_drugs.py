"""Drugs taken, possibly taken or not tolerated, and daily doses in milligrams."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cards.case import FACTS
from cards.codes import ICD10CM, SNOMED
from cards.dose import daily_dose_mg
from cards.record import Allergy, Coding, Concept, Dosage, Quantity, Timing
from tests.charts import chart, concept, drug, referral


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


def taken(value: float, unit: str, timing: Timing | None, step: int | None = None) -> Dosage:
    return Dosage(sequence=step, timing=timing, dose=Quantity(value, unit))


TWICE = Timing(frequency=2, period=1, period_unit="d")
DOSES = [
    ("500 mg twice a day", (taken(500, "mg", TWICE),), None, 1000),
    (
        "half a gram every 8 hours",
        (taken(0.5, "g", Timing(frequency=1, period=8, period_unit="h")),),
        None,
        1500,
    ),
    ("100 mg BID by code", (taken(100, "mg", Timing(code="BID")),), None, 200),
    ("100 mg Q6H by code", (taken(100, "mg", Timing(code="Q6H")),), None, 400),
    ("at three times of day", (taken(100, "mg", Timing(times_of_day=3)),), None, 300),
    ("two tablets of unknown strength", (taken(2, "{tbl}", TWICE),), None, None),
    ("two tablets of 81 mg", (taken(2, "{tbl}", TWICE),), 81, 324),
    ("no timing", (taken(100, "mg", None),), None, None),
    (
        "morning and evening together",
        (taken(10, "mg", Timing(code="AM")), taken(20, "mg", Timing(code="PM"))),
        None,
        30,
    ),
    (
        "taper: the highest step",
        (taken(40, "mg", Timing(code="QD"), 1), taken(20, "mg", Timing(code="QD"), 2)),
        None,
        40,
    ),
    ("no dosage", (), None, None),
]


@pytest.mark.parametrize(("words", "dosages", "strength", "expected"), DOSES)
def test_daily_dose(words, dosages, strength, expected) -> None:  # type: ignore[no-untyped-def]
    """The daily dose is dose times doses a day; what cannot be read is not guessed."""
    assert daily_dose_mg(drug("x", days=1, dosages=dosages), strength) == expected, words


@pytest.mark.parametrize(("mg", "expected"), [(324, "no"), (325, "no"), (326, "yes"), (None, "no")])
def test_aspirin(mg: float | None, expected: str) -> None:
    """Aspirin is a systemic NSAID only above 325 mg a day that can be read."""
    dosages = (taken(mg, "mg", Timing(code="QD")),) if mg else ()

    assert answer("oral_nsaid_active", drug("aspirin-low", days=1, dosages=dosages)) == expected


def test_nsaid_active() -> None:
    """An NSAID counts while its supply lasts; on the skin it counts as a topical one."""
    skin = Dosage(route=Concept((Coding(SNOMED, "6064005"),)))
    plain = concept("nsaid-oral", note="ingredient (IN); route not stated: treat as oral")
    gel = replace(drug("nsaid-oral", days=1, dosages=(skin,)), drug=plain)

    assert answer("oral_nsaid_active", drug("nsaid-oral", days=90)) == "yes"
    assert answer("oral_nsaid_active", drug("nsaid-oral", days=91)) == "no"
    assert answer("oral_nsaid_active", gel) == "no"
    assert answer("nsaid_topical_active_or_drafted", gel) == "yes"
    assert answer("oral_nsaid_active", unread=("medications",)) == "unknown"


def test_nsaid_or_anticoagulant_drafted() -> None:
    """Another draft of the call counts, the draft under evaluation itself does not."""
    for name, value_set in (
        ("nsaid_topical_active_or_drafted", "nsaid-topical"),
        ("anticoagulant_current", "anticoagulant"),
        ("oral_nsaid_active", "nsaid-oral"),
    ):
        order = drug(value_set, days=0, status="draft")

        assert answer(name, draft=referral("x"), drafts=(order,)) == "yes"
        assert answer(name, draft=order) == "no"


@pytest.mark.parametrize(
    ("days", "current", "possible"),
    [(90, "yes", "no"), (91, "no", "yes"), (365, "no", "yes"), (366, "no", "no")],
)
def test_anticoagulant(days: int, current: str, possible: str) -> None:
    """Without supply data an anticoagulant is current for 90 days and possible for a year."""
    order = drug("anticoagulant", days=days)

    assert answer("anticoagulant_current", order) == current
    assert answer("anticoagulant_possible", order) == possible


def reaction(code: str, system: str = SNOMED) -> Concept:
    return Concept((Coding(system, code),), "reaction")


ALLERGIES = [
    ("anaphylaxis", "intolerance", (reaction("39579001"),), "yes"),
    ("bronchospasm", "intolerance", (reaction("4386001"),), "yes"),
    ("swelling of the larynx", "intolerance", (reaction("51599000"),), "yes"),
    ("allergy, no reaction stated", "allergy", (), "yes"),
    ("no type, no reaction", None, (), "yes"),
    ("intolerance, no reaction stated", "intolerance", (), "no"),
    ("allergy with nausea", "allergy", (reaction("422587007"),), "no"),
    ("allergy, reaction in words", "allergy", (Concept(display="swelling"),), "yes"),
    ("hives", "intolerance", (reaction("247472004"),), "yes"),
    *(
        (f"intolerance with {code}", "intolerance", (reaction(code, ICD10CM),), "yes")
        for code in ("T78.00XA", "T78.2XXA", "T78.3XXA", "T88.6XXA", "L50.0", "J45.909", "J46")
    ),
    ("allergy, unlisted reaction", "allergy", (reaction("unlisted"),), "yes"),
    ("no type, unlisted reaction", None, (reaction("L27.0", ICD10CM),), "yes"),
    ("intolerance, unlisted reaction", "intolerance", (reaction("unlisted"),), "no"),
    (
        "allergy with nausea and an unlisted reaction",
        "allergy",
        (reaction("422587007"), reaction("unlisted")),
        "yes",
    ),
]


@pytest.mark.parametrize(("words", "kind", "reactions", "expected"), ALLERGIES)
def test_nsaid_allergy(words, kind, reactions, expected: str) -> None:  # type: ignore[no-untyped-def]
    """Serious reactions and allergies without a stated reaction block."""
    allergy = Allergy("AllergyIntolerance/a", concept("nsaid-oral"), kind, reactions)

    assert answer("nsaid_allergy_serious", allergy) == expected, words


def test_other_allergy() -> None:
    """Penicillin is no NSAID; unread allergies leave it open."""
    penicillin = Allergy("AllergyIntolerance/a", concept(code="penicillin"), "allergy")

    assert answer("nsaid_allergy_serious", penicillin) == "no"
    assert answer("nsaid_allergy_serious", unread=("allergies",)) == "unknown"


@pytest.mark.parametrize(
    ("days", "supply", "expected"),
    [(100, 11, "no"), (100, 10, "no"), (100, 9, "yes"), (0, 5, "yes"), (1, 1, "no")],
)
def test_opioid_naive(days: int, supply: int, expected: str) -> None:
    """Cover on any of the 90 days before today ends naivety; today's order does not."""
    assert answer("opioid_naive_90d", drug("opioid", days=days, supply=supply)) == expected


def test_opioid_unread() -> None:
    """Nobody is opioid-naive on an unread drug list."""
    assert answer("opioid_naive_90d", unread=("medications",)) == "unknown"


@pytest.mark.parametrize(
    ("status", "expected"), [("active", "unknown"), ("on-hold", "unknown"), ("cancelled", "yes")]
)
def test_opioid_undated(status: str, expected: str) -> None:
    """Nobody is surely opioid-naive beside an opioid under way whose order bears no date."""
    undated = replace(drug("opioid", days=0, status=status), authored=None)

    assert answer("opioid_naive_90d", undated) == expected


def monthly(first: int, gap: int) -> tuple[object, ...]:
    second = first - 30 - gap
    return drug("opioid", days=first, supply=30), drug("opioid", days=second, supply=second + 5)


LONG = [
    ("89 days", (drug("opioid", days=89, supply=95),), "no"),
    ("90 days", (drug("opioid", days=90, supply=95),), "yes"),
    ("91 days", (drug("opioid", days=91, supply=95),), "yes"),
    ("gap of 14 days", monthly(120, 14), "yes"),
    ("gap of 15 days", monthly(120, 15), "no"),
    ("ended last week", (drug("opioid", days=200, supply=193),), "no"),
]


@pytest.mark.parametrize(("words", "orders", "expected"), LONG, ids=[row[0] for row in LONG])
def test_opioid_long_term(words: str, orders: tuple[object, ...], expected: str) -> None:
    """Long-term means unbroken cover of 90 days or more that reaches today."""
    assert answer("opioid_long_term", *orders) == expected, words
