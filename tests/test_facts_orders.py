"""The draft order: what it is, what it is for, and whether it renews a drug."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cards.case import FACTS
from cards.content import read_yaml
from cards.library import HERE
from cards.record import (
    Coding,
    Concept,
    Coverage,
    Dosage,
    MedicationOrder,
    OtherOrder,
    Quantity,
    ServiceOrder,
    Timing,
)
from cards.value_set_files import index_codes, read_value_sets
from tests.charts import ago, chart, concept, drug, low_back_pain, referral, session, visit
from tests.dosed_orders import ordered

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
    ("draft_traction", "traction"),
    ("draft_therapeutic_ultrasound", "therapeutic-ultrasound"),
    ("draft_lumbar_support", "lumbar-support"),
    ("draft_laser", "low-level-laser"),
    ("draft_manipulation", "manipulation"),
    ("draft_dry_needling", "dry-needling"),
    ("draft_trigger_point_injection", "tpi"),
    ("draft_steroid_injection", "corticosteroid-injectable"),
    ("draft_botulinum", "botulinum-toxin"),
    ("draft_epidural", "spinal-injection-epidural"),
    ("draft_facet_or_rfa", "spinal-injection-facet-rfa"),
    ("draft_surgery_referral", "spine-surgery-referral"),
    ("draft_surgery_referral", "spine-surgery"),
    ("draft_glucosamine", "glucosamine-chondroitin"),
    ("draft_benzodiazepine", "benzodiazepine"),
    ("draft_cns_depressant", "cns-depressant"),
    ("draft_passive_modality", "passive-modality"),
    ("draft_opioid", "opioid"),
    ("draft_oral_nsaid", "nsaid-oral"),
    ("draft_analgesic_nonopioid", "duloxetine"),
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


def test_device_and_drug_drafts() -> None:
    """A device ordered as a device, and a drug, are told by their codes like a service."""
    brace = replace(referral("lumbar-support"), kind="DeviceRequest")

    assert answer("draft_lumbar_support", draft=brace) == "yes"
    assert answer("draft_benzodiazepine", draft=drug("benzodiazepine", days=0)) == "yes"
    assert answer("draft_botulinum", draft=drug("botulinum-toxin", days=0)) == "yes"


def test_general_surgical_referral() -> None:
    """A referral to any surgeon counts only with a back-pain reason."""
    name, note = "draft_surgery_referral", "general: counts only with a back-pain reason"
    surgeon = replace(referral("x"), concept=concept("spine-surgery-referral", note=note))

    assert answer(name, draft=surgeon) == "no"
    assert answer(name, draft=replace(surgeon, reasons=(KNEE,))) == "no"
    assert answer(name, draft=replace(surgeon, reasons=(BACK,))) == "yes"


VALUE_SETS = read_value_sets(HERE / "value_sets")
INDEX = index_codes(VALUE_SETS)
DEFINED = read_yaml(HERE / "definitions" / "facts.yaml").value
IMPLIED = [
    (name, implied)
    for name, definition in DEFINED.items()
    for implied in definition.get("implies", ())
    if name.startswith("draft_") and implied in DEFINED
]


@pytest.mark.parametrize(("name", "implied"), IMPLIED)
def test_what_a_draft_implies(name: str, implied: str) -> None:
    """Every code that makes one fact true makes true what follows from it, whatever the reason."""
    rows = (row for value_set in DEFINED[name]["value_sets"] for row in VALUE_SETS[value_set])
    codes = sorted({(row["system"], row["code"]) for row in rows if row["match"] == "exact"})

    left_out = [
        code
        for system, code in codes
        for order in ways_to_order(Coding(system, code))
        if answer(name, draft=order) == "yes" and answer(implied, draft=order) != "yes"
    ]

    assert left_out == []


def ways_to_order(coding: Coding) -> tuple[MedicationOrder | ServiceOrder, ...]:
    """The code ordered as a service without and with a reason, and as a drug of 500 mg a day."""
    daily = Dosage(timing=Timing(code="QD"), dose=Quantity(500, "mg"))
    service = replace(referral("x"), concept=INDEX.concept((coding,)))
    medicine = replace(drug("x", days=0, dosages=(daily,)), drug=service.concept)
    return service, replace(service, reasons=(BACK,)), medicine


READINGS = [
    ("read to the end", Coverage.READ, "no"),
    ("a next page not read", Coverage.UNFINISHED, "no"),
    ("not sent", Coverage.MISSING, "yes"),
    ("failed", Coverage.FAILED, "yes"),
]


@pytest.mark.parametrize(("words", "coverage", "expected"), READINGS, ids=[r[0] for r in READINGS])
def test_conditions_unread(words: str, coverage: Coverage, expected: str) -> None:
    """An order without a problem list, unless it is coded for something else."""
    name = "conditions_unread_on_order"

    def asked(reasons: tuple[Concept, ...]) -> str:
        case = chart(draft=referral("spine-imaging", reasons=reasons))
        read = {**case.record.coverage, "conditions": coverage}
        unread = replace(case, record=replace(case.record, coverage=read))
        return FACTS[name](unread).answer.value

    assert [asked(r) for r in ((), (BACK,), (TEXT,), (KNEE,))] == [expected] * 3 + ["no"], words
    assert answer(name, unread=("conditions",)) == "no"


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


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("864706", "yes"),  # methadone hydrochloride 10 MG Oral Tablet
        ("351265", "yes"),  # buprenorphine 8 MG Sublingual Tablet
        ("6813", "yes"),  # methadone
        ("1049683", "no"),  # oxycodone hydrochloride 10 MG Oral Tablet
    ],
)
def test_oud_treatment_by_its_reason(code: str, expected: str) -> None:
    """Any product of methadone or buprenorphine for opioid use disorder; of oxycodone, none."""
    name = "subject_opioid_is_oud_treatment"
    for_oud = ordered(code, of="opioid", reasons=(concept("oud"),))
    for_pain = ordered(code, of="opioid", reasons=(concept("back-pain-any"),))

    assert answer(name, draft=for_oud) == answer(name, for_oud) == expected
    assert answer(name, draft=for_pain) == answer(name, for_pain) == "no"
