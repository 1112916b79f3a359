"""The drug in question, its class and dose; what else is taken for pain; injections ordered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.case import FACTS, Case
from cards.codes import RXNORM, SNOMED
from cards.record import (
    Coding,
    Concept,
    Dosage,
    MedicationOrder,
    OtherOrder,
    Quantity,
    Timing,
)
from tests.charts import TODAY, chart, concept, drug, referral, session
from tests.products import recognised

UNREADABLE = MedicationOrder("MedicationRequest/t", "draft", "order", Concept(display="pills"))
DAILY = Timing(frequency=1, period=1, period_unit="d")


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


def a_day(mg: float, unit: str = "mg") -> tuple[Dosage, ...]:
    return (Dosage(timing=DAILY, dose=Quantity(mg, unit)),)


def on_skin(order: MedicationOrder) -> MedicationOrder:
    """The order as one of a drug coded without its form, for use on the skin."""
    skin = Dosage(route=Concept((Coding(SNOMED, "6064005"),)))
    plain = concept("nsaid-oral", note="ingredient (IN); route not stated: treat as oral")
    return replace(order, drug=plain, dosages=(skin,))


SUBJECTS = [
    ("oral_nsaid_subject", "nsaid-oral"),
    ("parenteral_nsaid_subject", "nsaid-parenteral"),
    ("cyclobenzaprine_subject", "cyclobenzaprine"),
    ("opioid_subject", "opioid"),
]


@pytest.mark.parametrize(("name", "value_set"), SUBJECTS)
def test_subject_of_an_order(name: str, value_set: str) -> None:
    """With an order, the drug ordered is in question, never one already taken."""
    taken = drug(value_set, days=1)

    assert answer(name, draft=drug(value_set, days=0)) == "yes"
    assert answer(name, taken, draft=drug("x", days=0)) == "no"
    assert answer(name, taken, draft=referral("x")) == "no"
    assert answer(name, taken, draft=UNREADABLE) == "unknown"
    assert answer(name, draft=OtherOrder("NutritionOrder/n", "NutritionOrder")) == "no"
    assert answer(name, draft=drug(value_set, days=0), unread=("medications",)) == "yes"


@pytest.mark.parametrize(("name", "value_set"), SUBJECTS)
@pytest.mark.parametrize(("days", "expected"), [(89, "yes"), (90, "yes"), (91, "no")])
def test_subject_of_an_opened_chart(name: str, value_set: str, days: int, expected: str) -> None:
    """When the chart is opened, a drug that covers today is in question."""
    assert answer(name, drug(value_set, days=days)) == expected
    assert answer(name, unread=("medications",)) == "unknown"


@pytest.mark.parametrize("name", [name for name, _ in SUBJECTS])
def test_no_subject_without_an_order(name: str) -> None:
    """On an order hook without a draft under evaluation, no drug is in question."""
    value_set = dict(SUBJECTS)[name]
    ordering = chart(drug(value_set, days=1), draft=referral("x"))

    assert FACTS[name](Case(ordering.record, TODAY)).answer.value == "no"


@pytest.mark.parametrize("value_set", ["aspirin-low", "aspirin-analgesic"])
@pytest.mark.parametrize(("mg", "expected"), [(324, "no"), (325, "no"), (326, "yes"), (None, "no")])
def test_aspirin_ordered(value_set: str, mg: float | None, expected: str) -> None:
    """Aspirin is an oral NSAID only above 325 mg a day that can be read."""
    order = drug(value_set, days=0, dosages=a_day(mg) if mg else ())

    assert answer("draft_oral_nsaid", draft=order) == expected
    assert answer("oral_nsaid_subject", draft=order) == expected
    assert answer("oral_nsaid_subject", order) == expected
    if expected == "yes":
        assert answer("draft_analgesic_nonopioid", draft=order) == "yes"
        assert answer("draft_pain_treatment", draft=order) == "yes"


def test_nsaid_on_the_skin() -> None:
    """An NSAID coded without its form is no oral one when used on the skin, yet treats pain."""
    gel = on_skin(drug("nsaid-oral", days=0))

    assert answer("draft_oral_nsaid", draft=gel) == "no"
    assert answer("draft_analgesic_nonopioid", draft=gel) == "no"
    assert answer("oral_nsaid_subject", draft=gel) == answer("oral_nsaid_subject", gel) == "no"
    assert answer("draft_pain_treatment", draft=gel) == "yes"


@pytest.mark.parametrize(
    ("value_set", "expected"),
    [
        ("nsaid-oral", "yes"),
        ("acetaminophen", "yes"),
        ("duloxetine", "yes"),
        ("tca", "yes"),
        ("skeletal-muscle-relaxant", "yes"),
        ("opioid", "no"),
        ("nsaid-topical", "no"),
    ],
)
def test_non_opioid_analgesic(value_set: str, expected: str) -> None:
    """Swallowed analgesics other than opioids."""
    assert answer("draft_analgesic_nonopioid", draft=drug(value_set, days=0)) == expected
    assert answer("draft_analgesic_nonopioid", draft=UNREADABLE) == "unknown"


TOPICALS = [
    ("nothing on the skin", (), "yes"),
    ("gel covered until 29 days ago", (drug("nsaid-topical", days=39, supply=10),), "yes"),
    ("gel covered until 28 days ago", (drug("nsaid-topical", days=38, supply=10),), "no"),
    ("gel covered until 27 days ago", (drug("nsaid-topical", days=37, supply=10),), "no"),
    ("ingredient on the skin", (on_skin(drug("nsaid-oral", days=5)),), "no"),
    ("gel never taken", (drug("nsaid-topical", days=5, status="cancelled"),), "yes"),
    ("gel without a date", (replace(drug("nsaid-topical", days=5), authored=None),), "unknown"),
]


@pytest.mark.parametrize(("words", "entries", "expected"), TOPICALS, ids=[r[0] for r in TOPICALS])
def test_topical_nsaid_before_systemic(
    words: str, entries: tuple[object, ...], expected: str
) -> None:
    """An oral NSAID or opioid ordered, and no NSAID for the skin within 28 days."""
    name = "no_topical_nsaid_28d_order_context"

    for value_set in ("nsaid-oral", "opioid"):
        assert answer(name, *entries, draft=drug(value_set, days=0)) == expected, words
    assert answer(name, *entries, draft=drug("acetaminophen", days=0)) == "no"
    assert answer(name, *entries) == "no"


def test_topical_nsaid_unread_or_drafted() -> None:
    """Unread drugs leave it open; a gel drafted beside counts, an unreadable draft is open."""
    name = "no_topical_nsaid_28d_order_context"
    order, gel = drug("nsaid-oral", days=0), drug("nsaid-topical", days=0, status="draft")

    assert answer(name, draft=order, unread=("medications",)) == "unknown"
    assert answer(name, draft=order, drafts=(gel,)) == "no"
    assert answer(name, draft=on_skin(order)) == "no"
    assert answer(name, draft=UNREADABLE) == "unknown"


@pytest.mark.parametrize("value_set", ["nsaid-topical", "nsaid-oral", "acetaminophen", "opioid"])
def test_no_analgesic(value_set: str) -> None:
    """No analgesic covers today, and the chart was opened, not an order placed."""
    name = "no_analgesic_patient_view"
    undated = replace(drug(value_set, days=1), authored=None)

    assert answer(name) == "yes"
    assert answer(name, drug(value_set, days=90)) == "no"
    assert answer(name, drug(value_set, days=91)) == "yes"
    assert answer(name, undated) == "unknown"
    assert answer(name, unread=("medications",)) == "unknown"
    assert answer(name, draft=referral("x")) == "no"


# NSAID doses


def nsaid(code: str, mg: float | None, days: int = 0, **members: Any) -> MedicationOrder:
    """An order for so many milligrams a day of an NSAID of this RxNorm code; None: in tablets."""
    product = Concept((Coding(RXNORM, code),), "NSAID", {"nsaid-oral": ""})
    dosages = a_day(mg) if mg is not None else a_day(2, "{tbl}")
    made: MedicationOrder = replace(drug("x", days=days, dosages=dosages, **members), drug=product)
    return recognised(replace(made, reference=f"MedicationRequest/{code}-{days}"))


IBUPROFEN, NAPROXEN, NAPROXEN_SODIUM = "197806", "198014", "849431"
DICLOFENAC, CELECOXIB, MELOXICAM, WITH_HYDROCODONE = "855926", "205323", "311486", "859315"

HIGH = [
    ("ibuprofen below", IBUPROFEN, 2399, "no"),
    ("ibuprofen at", IBUPROFEN, 2400, "yes"),
    ("ibuprofen above", IBUPROFEN, 2401, "yes"),
    ("naproxen below", NAPROXEN, 999, "no"),
    ("naproxen at", NAPROXEN, 1000, "no"),
    ("naproxen above", NAPROXEN, 1001, "yes"),
    ("naproxen sodium below", NAPROXEN_SODIUM, 1099, "no"),
    ("naproxen sodium at", NAPROXEN_SODIUM, 1100, "no"),
    ("naproxen sodium above", NAPROXEN_SODIUM, 1101, "yes"),
    ("diclofenac below", DICLOFENAC, 149, "no"),
    ("diclofenac at", DICLOFENAC, 150, "yes"),
    ("diclofenac above", DICLOFENAC, 151, "yes"),
    ("celecoxib below", CELECOXIB, 399, "no"),
    ("celecoxib at", CELECOXIB, 400, "yes"),
    ("celecoxib above", CELECOXIB, 401, "yes"),
    ("another NSAID", MELOXICAM, 5000, "no"),
    ("two tablets of 600 mg", IBUPROFEN, None, "no"),
    ("two tablets of no known strength", "5640", None, "unknown"),
    ("two drugs in one tablet", WITH_HYDROCODONE, 2400, "unknown"),
]


@pytest.mark.parametrize(("words", "code", "mg", "expected"), HIGH, ids=[row[0] for row in HIGH])
def test_high_dose(words: str, code: str, mg: float | None, expected: str) -> None:
    """The daily dose is compared exactly with the drug's own limit, ordered or taken."""
    order = nsaid(code, mg)

    assert answer("nsaid_high_dose", draft=order) == expected, words
    assert answer("nsaid_high_dose", order) == expected, words


ADDED = [
    ("another product of it", (nsaid("197807", 1200, 5),), "yes"),
    ("too little of another product", (nsaid("197807", 1199, 5),), "no"),
    ("the same product, renewed", (nsaid(IBUPROFEN, 1200, 5),), "no"),
    ("another ingredient", (nsaid(NAPROXEN, 1000, 5),), "no"),
    ("two tablets of 800 mg", (nsaid("197807", None, 5),), "yes"),
    ("in tablets of no known strength", (nsaid("5640", None, 5),), "unknown"),
    ("no longer covered", (nsaid("197807", 1200, 5, supply=4),), "no"),
]


@pytest.mark.parametrize(("words", "taken", "expected"), ADDED, ids=[row[0] for row in ADDED])
def test_doses_add_up(words: str, taken: tuple[object, ...], expected: str) -> None:
    """What is taken of the ingredient adds to the draft; what the draft renews does not."""
    order = nsaid(IBUPROFEN, 1200)

    assert answer("nsaid_high_dose", *taken, draft=order) == expected, words
    if expected == "yes":
        renewing = replace(order, replaces_prior=True)

        assert answer("nsaid_high_dose", *taken, draft=renewing) == "no"
        assert answer("nsaid_high_dose", draft=order, drafts=taken) == "yes"


def test_high_dose_of_nothing() -> None:
    """No NSAID, no dose; an unreadable draft or unread drugs leave it open; skin has no dose."""
    gel = on_skin(drug("nsaid-oral", days=0))

    assert answer("nsaid_high_dose") == "no"
    assert answer("nsaid_high_dose", unread=("medications",)) == "unknown"
    assert answer("nsaid_high_dose", draft=UNREADABLE) == "unknown"
    assert answer("nsaid_high_dose", draft=referral("tens")) == "no"
    assert answer("nsaid_high_dose", draft=gel) == "no"


# Injections


BLOCKS = [
    ("block 364 days ago", 364, "unknown"),
    ("block 365 days ago", 365, "unknown"),
    ("block 366 days ago", 366, "no"),
]


@pytest.mark.parametrize(("words", "days", "expected"), BLOCKS)
def test_facet_procedure_after_block(words: str, days: int, expected: str) -> None:
    """Who orders is not delivered, so only a missing block within 365 days can be known."""
    name = "facet_rfa_by_specialist_after_block"
    order = referral("spinal-injection-facet-rfa")
    block = session("spinal-injection-facet-rfa", days=days)

    assert answer(name, block, draft=order) == expected, words
    assert answer(name, draft=order) == "no"
    assert answer(name, draft=order, unread=("procedures",)) == "unknown"
    assert answer(name, block, draft=referral("spinal-injection-epidural")) == "no"
    assert answer(name, draft=UNREADABLE) == "unknown"
    assert answer(name, block) == "no"


KNEE, MYOFASCIAL = concept(code="knee pain"), concept("myofascial-pain")
WORDS = Concept(display="muscle knots")
MEANT = [
    ("myofascial pain", (MYOFASCIAL,), "yes", "yes"),
    ("trigger point", (concept("trigger-point"),), "yes", "yes"),
    ("knee pain", (KNEE,), "no", "no"),
    ("no reason", (), "no", "no"),
    ("words only", (WORDS,), "unknown", "unknown"),
]


@pytest.mark.parametrize(("words", "stated", "reason", "meant"), MEANT, ids=[r[0] for r in MEANT])
def test_meant_for_a_trigger_point(
    words: str, stated: tuple[Concept, ...], reason: str, meant: str
) -> None:
    """A steroid is meant for a trigger point by its reason, or by an injection drafted with it."""
    order = drug("corticosteroid-injectable", days=0, reasons=stated)
    injection = referral("tpi", status="draft")

    assert answer("order_reason_myofascial", draft=order) == reason, words
    assert answer("steroid_with_trigger_point_order", draft=order) == meant, words
    assert answer("steroid_with_trigger_point_order", draft=order, drafts=(injection,)) == "yes"


def test_trigger_point_without_readable_order() -> None:
    """Without a draft nothing is meant; what cannot be read stays open."""
    for name in ("order_reason_myofascial", "steroid_with_trigger_point_order"):
        assert answer(name) == "no"
        assert answer(name, draft=UNREADABLE) == "unknown"
