"""What an order is for beside back pain; steroids for the whole body."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cards.case import FACTS
from cards.codes import ICD10CM, RXNORM, SNOMED
from cards.facts.steroids import LOCAL_ROUTES, SYSTEMIC_ROUTES
from cards.library import HERE
from cards.record import (
    NOTHING,
    Coding,
    Concept,
    Dosage,
    MedicationOrder,
    OtherOrder,
    ServiceOrder,
)
from cards.value_set_files import index_codes, read_value_sets
from tests.charts import chart, concept, drug, low_back_pain, pain, referral

BACK = concept("back-pain-any", "low-back-pain")
KNEE = concept(code="knee pain")
WORDS = Concept(display="spasms at night")
INDEX = index_codes(read_value_sets(HERE / "value_sets"))
STEROID, OTHER = "draft_systemic_steroid", "steroid_other_indication"


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


STATED = [
    ("order_for_spasticity", "spasticity-disorder"),
    ("order_for_anxiety_seizure_withdrawal", "mood-anxiety"),
    ("order_for_anxiety_seizure_withdrawal", "seizure"),
    ("order_for_anxiety_seizure_withdrawal", "alcohol-use-disorder"),
]


@pytest.mark.parametrize(("name", "value_set"), STATED)
def test_stated_reason(name: str, value_set: str) -> None:
    """A coded reason counts, beside others too; a problem on the list is no reason."""
    there = concept(value_set)

    def asked(*reasons: Concept) -> str:
        return answer(name, draft=drug("x", days=0, reasons=reasons))

    assert [asked(there), asked(BACK, there)] == ["yes", "yes"]
    assert [asked(), asked(BACK), asked(KNEE)] == ["no", "no", "no"]
    assert asked(WORDS) == "unknown"
    assert answer(name) == "no"
    assert answer(name, pain(value_set), draft=drug("x", days=0)) == "no"
    assert answer(name, draft=replace(drug("x", days=0), drug=NOTHING)) == "unknown"


def test_spasticity_after_an_injury() -> None:
    """Spasticity as the late effect of a cord injury is spasticity."""
    late = INDEX.concept((Coding(ICD10CM, "S24.101S"),))

    assert answer("order_for_spasticity", draft=drug("x", days=0, reasons=(late,))) == "yes"


# Steroids


def steroid(note: str, *routes: str, system: str = SNOMED) -> MedicationOrder:
    dosages = tuple(Dosage(route=Concept((Coding(system, code),))) for code in routes)
    order = drug("systemic-corticosteroid", days=0, dosages=dosages)
    return replace(order, drug=concept("systemic-corticosteroid", note=note))


INJECTION = "SCD; depot or injection: may be local (joint, trigger point); use route"
INGREDIENT = "ingredient (IN); route not stated: hedge"
ORAL, INTO_MUSCLE, INTO_JOINT, TOPICAL = "26643006", "78421000", "12130007", "6064005"


@pytest.mark.parametrize("note", [INJECTION, INGREDIENT, "injection; may be local"])
def test_steroid_by_route(note: str) -> None:
    """Where the code does not tell, the route does; without a known one nobody knows."""
    assert answer(STEROID, draft=steroid(note)) == "unknown"
    assert answer(STEROID, draft=steroid(note, "999")) == "unknown"
    assert answer(STEROID, draft=steroid(note, INTO_MUSCLE, system="local")) == "unknown"
    for route in SYSTEMIC_ROUTES:
        assert answer(STEROID, draft=steroid(note, route)) == "yes"
        assert answer(STEROID, draft=steroid(note, INTO_JOINT, route)) == "yes"
    for route in LOCAL_ROUTES:
        assert answer(STEROID, draft=steroid(note, route)) == "no"
        assert answer(STEROID, draft=steroid(note, route, "999")) == "unknown"


def test_steroid_by_code() -> None:
    """Tablets and syrups are for the whole body; an injection billed as a service is open."""
    service = referral("x")
    billed = replace(service, concept=concept("systemic-corticosteroid", note=INJECTION))

    assert answer(STEROID, draft=steroid("SCD")) == "yes"
    assert answer(STEROID, draft=steroid("GPCK", ORAL)) == "yes"
    assert answer(STEROID, draft=billed) == "unknown"
    assert answer(STEROID, draft=drug("x", days=0)) == "no"
    assert answer(STEROID, draft=replace(steroid("SCD"), drug=NOTHING)) == "unknown"
    assert answer(STEROID, draft=OtherOrder("NutritionOrder/n", "NutritionOrder")) == "no"
    assert answer(STEROID) == "no"


@pytest.mark.parametrize(
    ("code", "route", "expected"),
    [
        ("312617", None, "yes"),  # prednisone 5 MG Oral Tablet
        ("8640", None, "unknown"),  # prednisone
        ("8640", ORAL, "yes"),
        ("5492", TOPICAL, "no"),  # hydrocortisone
    ],
)
def test_steroid_products(code: str, route: str | None, expected: str) -> None:
    """As coded: a prednisone tablet, the ingredient with and without route."""
    product = INDEX.concept((Coding(RXNORM, code),))
    order = steroid("", *([route] if route else []))

    assert answer(STEROID, draft=replace(order, drug=product)) == expected


REASONS: list[tuple[str, tuple[Concept, ...], str]] = [
    ("none", (), "no"),
    ("back pain", (BACK,), "no"),
    ("back pain and sciatica", (BACK, concept("radiculopathy-sciatica")), "no"),
    ("knee", (KNEE,), "yes"),
    ("back pain and knee", (BACK, KNEE), "yes"),
    ("back pain and stenosis", (BACK, concept("spinal-stenosis")), "yes"),
    ("words only", (WORDS,), "no"),
]


@pytest.mark.parametrize(("words", "stated", "expected"), REASONS, ids=[r[0] for r in REASONS])
def test_other_reason_for_a_steroid(words: str, stated: tuple[Concept, ...], expected: str) -> None:
    """Any coded reason but back pain and sciatica is another one."""
    order: ServiceOrder = referral("x", reasons=stated)

    assert answer(OTHER, low_back_pain(), draft=order) == expected, words


def test_illness_treated_with_steroids() -> None:
    """Active airway disease is another reason; one resolved, suspected or unread is not."""
    draft = steroid("SCD")

    assert answer(OTHER, pain("steroid-indication"), draft=draft) == "yes"
    assert answer(OTHER, pain("steroid-indication", clinical="resolved"), draft=draft) == "no"
    unsure = pain("steroid-indication", verification="provisional")
    assert answer(OTHER, unsure, draft=draft) == "no"
    assert answer(OTHER, draft=draft, unread=("conditions",)) == "no"
    assert answer(OTHER) == "no"
