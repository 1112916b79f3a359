"""Drugs by class: what a draft is, which drug is in question, and what follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cards.case import FACTS
from cards.codes import RXNORM
from cards.content import read_yaml
from cards.library import HERE
from cards.record import Coding, Concept, MedicationOrder, OtherOrder
from cards.value_set_files import index_codes, read_value_sets
from tests.charts import chart, drug, referral

VALUE_SETS = read_value_sets(HERE / "value_sets")
INDEX = index_codes(VALUE_SETS)
DEFINED = read_yaml(HERE / "definitions" / "facts.yaml").value
UNREADABLE = MedicationOrder("MedicationRequest/t", "draft", "order", Concept(display="pills"))


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


def order_of(code: str) -> MedicationOrder:
    """An active order, written today, for one RxNorm code."""
    return replace(drug("x", days=0), drug=INDEX.concept((Coding(RXNORM, code),)))


DRAFTS = [
    ("draft_acetaminophen", "acetaminophen"),
    ("draft_cyclobenzaprine", "cyclobenzaprine"),
    ("draft_muscle_relaxant", "skeletal-muscle-relaxant"),
    ("draft_duloxetine", "duloxetine"),
    ("draft_tca", "tca"),
    ("draft_amitriptyline", "amitriptyline"),
    ("draft_antidepressant", "ssri"),
    ("draft_antidepressant", "snri"),
    ("draft_antidepressant", "tca"),
    ("draft_tramadol", "tramadol"),
    ("draft_opioid_er_la", "opioid-er-la"),
    ("draft_fentanyl_patch", "fentanyl-transdermal"),
    ("draft_systemic_steroid", "systemic-corticosteroid"),
]


@pytest.mark.parametrize(("name", "value_set"), DRAFTS)
def test_draft_class(name: str, value_set: str) -> None:
    """A draft is what its code says; one already taken is no draft."""
    taken = drug(value_set, days=1)

    assert answer(name, draft=drug(value_set, days=0)) == "yes"
    assert answer(name, taken, draft=drug("nsaid-oral", days=0)) == "no"
    assert answer(name, taken, draft=UNREADABLE) == "unknown"
    assert answer(name, draft=OtherOrder("NutritionOrder/n", "NutritionOrder")) == "no"
    assert answer(name, taken) == "no"


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("draft_tramadol", "2670", "no"),  # codeine
        ("draft_amitriptyline", "7531", "no"),  # nortriptyline
        ("draft_tca", "7531", "yes"),
        ("draft_duloxetine", "39786", "no"),  # venlafaxine
        ("draft_antidepressant", "39786", "yes"),
        ("draft_antidepressant", "42347", "no"),  # bupropion
        ("draft_cyclobenzaprine", "6845", "no"),  # methocarbamol
        ("draft_muscle_relaxant", "6845", "yes"),
        ("draft_opioid_er_la", "6813", "yes"),  # methadone: all of it is long acting
        ("draft_opioid_er_la", "7804", "no"),  # oxycodone, form not stated
        ("draft_fentanyl_patch", "4337", "no"),  # fentanyl, form not stated
    ],
)
def test_near_misses(name: str, code: str, expected: str) -> None:
    """A drug of the same class is not the drug itself."""
    assert answer(name, draft=order_of(code)) == expected


SUBJECTS = [
    ("beers_relaxant_subject", "beers-muscle-relaxant"),
    ("duloxetine_subject", "duloxetine"),
    ("tca_subject", "tca"),
]


@pytest.mark.parametrize(("name", "value_set"), SUBJECTS)
@pytest.mark.parametrize(("days", "expected"), [(89, "yes"), (90, "yes"), (91, "no")])
def test_subject(name: str, value_set: str, days: int, expected: str) -> None:
    """In question is the drug ordered; when the chart is opened, one that covers today."""
    taken = drug(value_set, days=days)

    assert answer(name, taken) == expected
    assert answer(name, taken, draft=drug("x", days=0)) == "no"
    assert answer(name, taken, draft=UNREADABLE) == "unknown"
    assert answer(name, draft=drug(value_set, days=0), unread=("medications",)) == "yes"
    assert answer(name, unread=("medications",)) == "unknown"


IMPLIED = [
    (name, implied)
    for name, _ in DRAFTS
    for implied in DEFINED[name].get("implies", ())
    if implied in DEFINED
]


@pytest.mark.parametrize(("name", "implied"), sorted(set(IMPLIED)))
def test_what_a_drug_implies(name: str, implied: str) -> None:
    """Every code that makes one fact true makes true what follows from it."""
    kept = [
        code
        for code in _codes(*DEFINED[name]["value_sets"])
        if answer(name, draft=order_of(code)) == "yes"
    ]

    assert kept
    assert [code for code in kept if answer(implied, draft=order_of(code)) != "yes"] == []


IMPLIED_ON_VIEW = [
    (name, implied)
    for name, _ in SUBJECTS
    for implied in DEFINED[name].get("implies_on_patient_view", ())
]


@pytest.mark.parametrize(("name", "implied"), IMPLIED_ON_VIEW)
def test_what_a_drug_taken_implies(name: str, implied: str) -> None:
    """When the chart is opened, every drug in question is on record."""
    codes = _codes(*DEFINED[name]["value_sets"])

    assert codes
    for code in codes:
        assert (answer(name, order_of(code)), answer(implied, order_of(code))) == ("yes", "yes")


def _codes(*names: str) -> list[str]:
    rows = (row for name in names for row in VALUE_SETS[name])
    return sorted({row["code"] for row in rows if row["system"] == RXNORM})


def test_muscle_relaxant_as_a_service() -> None:
    """A drug billed as a service is told by its code as well."""
    assert answer("draft_muscle_relaxant", draft=referral("skeletal-muscle-relaxant")) == "yes"
