"""The draft order: what it is, what it is for, and whether it renews a drug."""

from __future__ import annotations

import pytest

from cards.case import FACTS
from cards.record import Concept, MedicationOrder, OtherOrder
from tests.charts import ago, chart, concept, drug, low_back_pain, referral, session, visit

BACK = concept("back-pain-any", "low-back-pain")
SPASM = concept("back-spasm")
KNEE = concept(code="knee pain")
TEXT = Concept(display="back pain")
AT_BACK, AT_DIABETES = visit(BACK), visit(KNEE)


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


REASONS = [
    ("back pain", (BACK,), None, "yes", "no"),
    ("spasm makes a pathway", (SPASM,), None, "yes", "no"),
    ("knee", (KNEE,), None, "no", "yes"),
    ("knee and back", (KNEE, BACK), None, "yes", "no"),
    ("words only", (TEXT,), None, "unknown", "no"),
    ("none, back visit", (), AT_BACK, "yes", "no"),
    ("none, other visit", (), AT_DIABETES, "no", "no"),
    ("none, no visit", (), None, "unknown", "no"),
    ("knee at a back visit", (KNEE,), AT_BACK, "no", "yes"),
]


@pytest.mark.parametrize(("words", "reasons", "at", "back", "elsewhere"), REASONS)
def test_reason(words, reasons, at, back: str, elsewhere: str) -> None:  # type: ignore[no-untyped-def]
    """The coded reason of the order decides; without one, the visit does."""
    order = referral("spine-imaging", reasons=reasons)

    assert answer("order_for_back_pain", draft=order, at=at) == back
    assert answer("order_reason_elsewhere", draft=order, at=at) == elsewhere, words


def test_unstated_reason() -> None:
    """An order without reason is taken to be for the back only in a back-pain patient."""
    order = referral("spine-imaging")
    name = "order_for_back_pain_or_unstated"

    assert answer(name, low_back_pain(), draft=order) == "yes"
    assert answer(name, draft=order) == "no"
    assert answer(name, draft=order, unread=("conditions",)) == "unknown"
    assert answer(name, low_back_pain(), draft=referral("x", reasons=(KNEE,))) == "no"


DRAFTS = [
    ("draft_spine_imaging", "spine-imaging"),
    ("draft_tens", "tens"),
    ("draft_passive_modality", "passive-modality"),
    ("draft_opioid", "opioid"),
    ("draft_spine_procedure", "manipulation"),
    ("draft_pain_treatment", "exercise-therapy"),
]


@pytest.mark.parametrize(("name", "value_set"), DRAFTS)
def test_draft_kind(name: str, value_set: str) -> None:
    """A draft is what its code says; without a readable code nobody knows; no draft is a no."""
    unread = MedicationOrder("MedicationRequest/t", "draft", "order", Concept(display="pills"))

    assert answer(name, draft=referral(value_set)) == "yes"
    assert answer(name, draft=referral("cervical")) == "no"
    assert answer(name, draft=unread) == "unknown"
    assert answer(name, draft=OtherOrder("NutritionOrder/n", "NutritionOrder")) == "no"
    assert answer(name) == "no"


def test_mri_is_not_other_imaging() -> None:
    """A spine MRI is spine imaging, but not imaging other than MRI."""
    mri = referral("spine-imaging", "spine-mri")

    assert answer("draft_spine_imaging", draft=mri) == "yes"
    assert answer("draft_spine_imaging_not_mri", draft=mri) == "no"
    assert answer("draft_spine_imaging_not_mri", draft=referral("spine-imaging")) == "yes"


def test_code_that_needs_a_reason() -> None:
    """A bone scan counts as spine imaging only with a back-pain reason."""
    scan = concept("spine-imaging", note="not spine-specific: needs back-pain reason; own words")
    level = concept("spine-imaging", note="needs back-pain reason or bodySite; own words")
    order = referral("x")
    plain = type(order)("ServiceRequest/s", "ServiceRequest", "draft", "order", scan)
    stated = type(order)("ServiceRequest/s", "ServiceRequest", "draft", "order", scan, (BACK,))
    sited = type(order)(
        "ServiceRequest/s", "ServiceRequest", "draft", "order", level, (), (concept("back-site"),)
    )

    found = [answer("draft_spine_imaging", draft=o) for o in (plain, stated, sited)]

    assert found == ["no", "yes", "yes"]


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [((concept("fever"),), "yes"), ((KNEE,), "no"), ((), "unknown"), ((TEXT,), "unknown")],
)
def test_serious_reason(reasons: tuple[Concept, ...], expected: str) -> None:
    """A red flag stated as the reason is serious; without a coded reason nobody knows."""
    assert answer("order_reason_serious", draft=referral("x", reasons=reasons)) == expected


@pytest.mark.parametrize(("days", "expected"), [(29, "yes"), (30, "yes"), (31, "no")])
def test_after_surgery(days: int, expected: str) -> None:
    """Surgery of the spine counts for 30 days."""
    surgery = session("spine-surgery", days=days)

    assert answer("order_trauma_or_postoperative", surgery, draft=referral("x")) == expected


def test_injury_unread_procedures() -> None:
    """A stated injury is enough; otherwise unread procedures leave it open."""
    name, unread = "order_trauma_or_postoperative", ("procedures",)
    injured = referral("x", reasons=(concept("major-trauma"),))

    assert answer(name, draft=injured, unread=unread) == "yes"
    assert answer(name, draft=referral("x"), unread=unread) == "unknown"


RENEWALS = [
    ("cover ended 89 days ago", 99, "yes"),
    ("cover ended 90 days ago", 100, "yes"),
    ("cover ended 91 days ago", 101, "no"),
]


@pytest.mark.parametrize(("words", "days", "expected"), RENEWALS)
def test_renewal(words: str, days: int, expected: str) -> None:
    """The same drug covered within 90 days makes the draft a renewal."""
    earlier = drug("opioid", days=days, supply=10, status="completed")

    assert answer("draft_is_renewal", earlier, draft=drug("opioid", days=0)) == expected, words


def test_renewal_of_another_product() -> None:
    """Another opioid may or may not be the same drug; a priorPrescription settles it."""
    other = drug("opioid", "tramadol", days=5)

    assert answer("draft_is_renewal", other, draft=drug("opioid", days=0)) == "unknown"
    assert answer("draft_is_renewal", draft=drug("opioid", days=0, replaces_prior=True)) == "yes"
    assert answer("draft_is_renewal", draft=drug("opioid", days=0)) == "no"


def test_oud_treatment() -> None:
    """A product for opioid use disorder is its treatment, in a draft and when the chart opens."""
    name = "subject_opioid_is_oud_treatment"
    product, pain_opioid = drug("oud-treatment", days=1), drug("opioid", days=1)

    assert answer(name, draft=product) == "yes"
    assert answer(name, product) == "yes"
    assert answer(name, draft=pain_opioid) == answer(name, pain_opioid) == "no"
    assert answer(name, draft=drug("opioid", days=0, reasons=(concept("oud"),))) == "unknown"
    assert ago(1) is not None
