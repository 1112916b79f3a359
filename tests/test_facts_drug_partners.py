"""Drugs beside the one in question: pain drugs, bleeding partners, weak serotonergic drugs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.case import FACTS
from cards.codes import RXNORM, SNOMED
from cards.record import Coding, Concept, Dosage, MedicationOrder, Quantity, Timing
from tests.charts import chart, concept, drug, referral

ANALGESIC, BLEEDING = "other_analgesic", "bleeding_partner"
PROTECTION, WEAK = "gastroprotection_current", "serotonergic_weak"
DULOXETINE = drug("duloxetine", "snri", days=0, status="draft")


def answer(name: str, *entries: object, **members: Any) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value


def product(display: str, *sets: str, days: int = 1, **members: Any) -> MedicationOrder:
    """An active order for a product, with a code of its own for each display."""
    code = str(sum(ord(letter) * place for place, letter in enumerate(display, 1)))
    named = Concept((Coding(RXNORM, code, display),), display, dict.fromkeys(sets, "SCD"))
    order = drug(*sets, days=days, **members)
    return replace(order, drug=named, reference=f"MedicationRequest/{display}")


def daily(mg: float) -> tuple[Dosage, ...]:
    return (Dosage(timing=Timing(code="QD"), dose=Quantity(mg, "mg")),)


CURRENT = [
    (PROTECTION, "ppi-misoprostol"),
    (ANALGESIC, "nsaid-topical"),
    (ANALGESIC, "nsaid-oral"),
    (ANALGESIC, "duloxetine"),
    (ANALGESIC, "tca"),
    (ANALGESIC, "opioid"),
    (BLEEDING, "nsaid-oral"),
    (BLEEDING, "aspirin-low"),
    (BLEEDING, "anticoagulant"),
]


@pytest.mark.parametrize(("name", "value_set"), CURRENT)
def test_current(name: str, value_set: str) -> None:
    """A drug counts while its supply covers today, or drafted beside the order."""
    draft = drug(value_set, days=0, status="draft")

    assert answer(name, drug(value_set, days=10, supply=9)) == "no"
    assert answer(name, drug(value_set, days=10, supply=10)) == "yes"
    assert answer(name, drug(value_set, days=10, supply=11)) == "yes"
    assert answer(name, drug(value_set, days=1, status="completed")) == "no"
    assert answer(name, draft=DULOXETINE, drafts=(draft,)) == "yes"
    assert answer(name, draft=draft) == "no"
    assert answer(name, drug(value_set, days=1), unread=("medications",)) == "yes"
    assert answer(name, unread=("medications",)) == "unknown"


@pytest.mark.parametrize("mg", [81, 325, 326, 1000])
def test_aspirin_and_bleeding(mg: float) -> None:
    """Aspirin is a partner in bleeding in any dose: low, or as an NSAID."""
    aspirin = drug("aspirin-low", days=1, dosages=daily(mg))

    assert answer(BLEEDING, aspirin) == "yes"
    assert answer(ANALGESIC, aspirin) == ("yes" if mg > 325 else "no")


@pytest.mark.parametrize(("mg", "expected"), [(324, "no"), (325, "no"), (326, "yes")])
def test_strong_aspirin_tablets(mg: float, expected: str) -> None:
    """Aspirin for pain counts as an NSAID when its daily dose is read to be over 325 mg."""
    aspirin = drug("aspirin-analgesic", days=1, dosages=daily(mg))

    assert answer(ANALGESIC, aspirin) == answer(BLEEDING, aspirin) == expected


def test_nsaid_on_the_skin() -> None:
    """An NSAID used on the skin is for pain, but no partner in bleeding."""
    skin = Dosage(route=Concept((Coding(SNOMED, "6064005"),)))
    plain = concept("nsaid-oral", note="ingredient (IN); route not stated: treat as oral")
    gel = replace(drug("x", days=1, dosages=(skin,)), drug=plain)

    assert answer(ANALGESIC, gel) == "yes"
    assert answer(BLEEDING, gel) == "no"
    assert answer(BLEEDING, replace(gel, dosages=())) == "yes"


# Weakly serotonergic drugs

WEAK_SET = "serotonergic-weak"
CYCLOBENZAPRINE = product("cyclobenzaprine 5 MG Oral Tablet", WEAK_SET, "cyclobenzaprine")
SUMATRIPTAN = product("sumatriptan 50 MG Oral Tablet", WEAK_SET)
UNNAMED = product("", WEAK_SET)


def test_weak_partner() -> None:
    """Another ingredient counts, active or drafted; a lapsed one does not."""
    draft = replace(CYCLOBENZAPRINE, status="draft")
    lapsed = product("sumatriptan 50 MG Oral Tablet", WEAK_SET, days=91)

    assert answer(WEAK, SUMATRIPTAN, draft=draft) == "yes"
    assert answer(WEAK, draft=draft, drafts=(replace(SUMATRIPTAN, status="draft"),)) == "yes"
    assert answer(WEAK, lapsed, draft=draft) == "no"
    assert answer(WEAK, product("x", "serotonergic-strong"), draft=draft) == "no"
    assert answer(WEAK, draft=draft) == "no"
    assert answer(WEAK, draft=draft, unread=("medications",)) == "unknown"
    assert answer(WEAK, SUMATRIPTAN, draft=draft, unread=("medications",)) == "yes"


@pytest.mark.parametrize(("days", "expected"), [(89, "yes"), (90, "yes"), (91, "no")])
def test_weak_partner_covers_today(days: int, expected: str) -> None:
    """Without a stated supply a partner covers 90 days."""
    partner = product("sumatriptan 50 MG Oral Tablet", WEAK_SET, days=days)

    assert answer(WEAK, partner, draft=DULOXETINE) == expected


def test_weak_drug_itself_is_no_partner() -> None:
    """The drafted drug, or when the chart is opened cyclobenzaprine, is no partner of itself."""
    other_strength = product("cyclobenzaprine 10 MG Oral Tablet", WEAK_SET, "cyclobenzaprine")

    assert answer(WEAK, CYCLOBENZAPRINE, draft=other_strength) == "no"
    assert answer(WEAK, CYCLOBENZAPRINE, draft=DULOXETINE) == "yes"
    assert answer(WEAK, CYCLOBENZAPRINE) == "no"
    assert answer(WEAK, CYCLOBENZAPRINE, SUMATRIPTAN) == "yes"


def test_weak_partner_that_may_be_the_drug_itself() -> None:
    """A product nobody can tell from the draft, or a draft nobody can read, leaves it open."""
    unreadable = replace(drug("x", days=0), drug=Concept(display="pills"))

    assert answer(WEAK, UNNAMED, draft=SUMATRIPTAN) == "unknown"
    assert answer(WEAK, SUMATRIPTAN, draft=unreadable) == "unknown"
    assert answer(WEAK, SUMATRIPTAN, draft=referral("x")) == "yes"
