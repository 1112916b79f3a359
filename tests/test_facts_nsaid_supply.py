"""How long an NSAID will last with its refills."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cards.case import FACTS
from cards.codes import SNOMED
from cards.record import NOTHING, Coding, Concept, Dosage, MedicationOrder, Quantity, Timing
from tests.charts import chart, concept, drug, referral

SHORT, OVER_30, OVER_90 = "nsaid_supply_15_30d", "nsaid_supply_over_30d", "nsaid_supply_over_90d"
THREE_TIMES = Dosage(timing=Timing(code="TID"), dose=Quantity(1, "{tbl}"))


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


def nsaid(supply: float | None, *, sets: str = "nsaid-oral", **members: object) -> MedicationOrder:
    return drug(sets, days=0, supply=supply, **members)


BANDS = [
    (14, "no", "no", "no"),
    (15, "yes", "no", "no"),
    (16, "yes", "no", "no"),
    (29, "yes", "no", "no"),
    (30, "yes", "no", "no"),
    (31, "no", "yes", "no"),
    (89, "no", "yes", "no"),
    (90, "no", "yes", "no"),
    (91, "no", "yes", "yes"),
]


@pytest.mark.parametrize(("days", "short", "over_30", "over_90"), BANDS)
def test_bands(days: int, short: str, over_30: str, over_90: str) -> None:
    """Up to 30 days and over 30 exclude each other; over 90 is over 30 as well."""
    draft = nsaid(days)

    assert answer(SHORT, draft=draft) == short
    assert answer(OVER_30, draft=draft) == over_30
    assert answer(OVER_90, draft=draft) == over_90


@pytest.mark.parametrize(
    ("supply", "repeats", "name"),
    [(15, 0, SHORT), (15, 1, SHORT), (16, 1, OVER_30), (30, 2, OVER_30), (30, 3, OVER_90)],
)
def test_refills(supply: int, repeats: int, name: str) -> None:
    """Each refill adds the days of one fill."""
    assert answer(name, draft=nsaid(supply, repeats=repeats)) == "yes"


@pytest.mark.parametrize(("tablets", "expected"), [(89, "no"), (90, "no"), (91, "yes")])
def test_derived_from_quantity(tablets: int, expected: str) -> None:
    """Ninety tablets three times a day are 30 days."""
    draft = nsaid(None, dosages=(THREE_TIMES,), quantity=Quantity(tablets, "{tbl}"))

    assert answer(OVER_30, draft=draft) == expected


def test_underivable_supply() -> None:
    """Without a supply nobody can work out, and for a drug nobody can read, it stays open."""
    for name in (SHORT, OVER_30, OVER_90):
        assert answer(name, draft=nsaid(None)) == "unknown"
        assert answer(name, draft=replace(nsaid(120), drug=NOTHING)) == "unknown"
        assert answer(name, draft=referral("nsaid-oral")) == "unknown"


def test_other_drugs() -> None:
    """Another drug, an injection, an NSAID for the skin and low-dose aspirin do not count."""
    skin = Dosage(route=Concept((Coding(SNOMED, "6064005"),)))
    plain = concept("nsaid-oral", note="ingredient (IN); route not stated: treat as oral")
    on_skin = replace(nsaid(120, dosages=(skin,)), drug=plain)

    for name in (SHORT, OVER_30, OVER_90):
        for value_set in ("x", "nsaid-parenteral", "nsaid-topical", "aspirin-low"):
            assert answer(name, draft=nsaid(20, sets=value_set)) == "no"
            assert answer(name, draft=nsaid(120, sets=value_set)) == "no"
        assert answer(name, draft=on_skin) == "no"
        assert answer(name, draft=referral("x")) == "no"


@pytest.mark.parametrize(("mg", "expected"), [(324, "no"), (325, "no"), (326, "yes")])
def test_aspirin_as_an_nsaid(mg: float, expected: str) -> None:
    """Aspirin above 325 mg a day is an oral NSAID."""
    daily = Dosage(timing=Timing(code="QD"), dose=Quantity(mg, "mg"))

    assert answer(OVER_30, draft=nsaid(31, sets="aspirin-low", dosages=(daily,))) == expected


@pytest.mark.parametrize(("days", "expected"), [(30, "no"), (31, "yes"), (None, "unknown")])
def test_taken(days: float | None, expected: str) -> None:
    """When the chart is opened, an NSAID taken is judged over 30 days; the draft facts are no."""
    taken = nsaid(days)

    assert answer(OVER_30, taken) == expected
    assert answer(SHORT, taken) == answer(OVER_90, taken) == "no"
    assert answer(OVER_30, taken, nsaid(31)) == "yes"


def test_taken_unread() -> None:
    """Unread drugs leave it open when the chart is opened, and do not matter to an order."""
    assert answer(OVER_30, unread=("medications",)) == "unknown"
    assert answer(OVER_30) == "no"
    assert answer(OVER_30, draft=nsaid(31), unread=("medications",)) == "yes"
    assert answer(OVER_30, nsaid(120), draft=nsaid(10)) == "no"


@pytest.mark.parametrize("days", [1, 14, 15, 30, 31, 60, 90, 91, 365])
def test_what_supply_implies(days: int) -> None:
    """Over 90 days is over 30 days, and never the short band."""
    case = chart(draft=nsaid(days))
    short, over_30, over_90 = (FACTS[n](case).answer.value for n in (SHORT, OVER_30, OVER_90))

    assert over_90 == "no" or over_30 == "yes"
    assert (short, over_30) != ("yes", "yes")
