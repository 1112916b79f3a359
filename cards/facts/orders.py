"""The draft order under evaluation: what it is, and what it is for."""

from __future__ import annotations

from cards.answer import NO, UNKNOWN, YES, Answer, Finding, any_of, yes
from cards.case import Case, Fact, fact, fact_named, once
from cards.codes import SNOMED
from cards.facts.entries import (
    belongs,
    draft_order,
    is_sequela,
    procedures,
    recent,
    shown,
)
from cards.facts.pain import back_pain_problem
from cards.facts.visit import reason_is_back_pain, visit_for_back_pain
from cards.record import Concept, Coverage, MedicationOrder, OtherOrder, ServiceOrder

AFTER_SURGERY_DAYS = 30
NEEDS_REASON = ("needs back-pain reason", "counts only with a back-pain reason")
OR_BODY_SITE = "needs back-pain reason or bodySite"

TOPICAL_ROUTES = frozenset({"6064005", "448598008", "45890007"})

SERIOUS_REASONS = (
    "cauda-equina",
    "leg-weakness",
    "myelopathy",
    "spinal-infection",
    "malignant-neoplasm",
    "personal-history-of-cancer",
    "major-trauma",
    "vertebral-fracture",
    "osteoporosis-fracture-risk",
    "weight-loss",
    "fever",
    "spinal-deformity-instability",
    "post-laminectomy",
)

# The facts a drug fact implies hold for every product of it: cyclobenzaprine and the fentanyl patch
# have products their classes do not list.
DRAFT_SETS: dict[str, tuple[str, ...]] = {
    "draft_spine_imaging": ("spine-imaging",),
    "draft_tens": ("tens",),
    "draft_bed_rest": ("bed-rest",),
    "draft_traction": ("traction",),
    "draft_therapeutic_ultrasound": ("therapeutic-ultrasound",),
    "draft_lumbar_support": ("lumbar-support",),
    "draft_laser": ("low-level-laser",),
    "draft_manipulation": ("manipulation",),
    "draft_dry_needling": ("dry-needling",),
    "draft_trigger_point_injection": ("tpi",),
    "draft_steroid_injection": ("corticosteroid-injectable",),
    "draft_botulinum": ("botulinum-toxin",),
    "draft_epidural": ("spinal-injection-epidural",),
    "draft_facet_or_rfa": ("spinal-injection-facet-rfa",),
    "draft_surgery_referral": ("spine-surgery-referral", "spine-surgery"),
    "draft_glucosamine": ("glucosamine-chondroitin",),
    "draft_benzodiazepine": ("benzodiazepine",),
    "draft_cns_depressant": ("cns-depressant",),
    "draft_passive_modality": ("passive-modality",),
    "draft_opioid": ("opioid",),
    "draft_tramadol": ("tramadol",),
    "draft_opioid_er_la": ("opioid-er-la", "fentanyl-transdermal"),
    "draft_fentanyl_patch": ("fentanyl-transdermal",),
    "draft_acetaminophen": ("acetaminophen",),
    "draft_muscle_relaxant": ("skeletal-muscle-relaxant", "cyclobenzaprine"),
    "draft_cyclobenzaprine": ("cyclobenzaprine",),
    "draft_antidepressant": ("ssri", "snri", "tca"),
    "draft_duloxetine": ("duloxetine",),
    "draft_tca": ("tca",),
    "draft_amitriptyline": ("amitriptyline",),
    "draft_spine_procedure": (
        "spine-imaging",
        "spinal-injection-epidural",
        "spinal-injection-facet-rfa",
        "manipulation",
        "spine-surgery",
    ),
}


def counts_for(order: MedicationOrder | ServiceOrder, name: str, reason: Answer) -> bool:
    """Whether an order counts for a value set, by its code and the condition of its code's row.

    Args:
        reason: whether the order is for back pain.
    """
    concept = ordered(order)
    if name not in concept.sets:
        return False
    note = concept.sets[name]
    if OR_BODY_SITE in note:
        return reason is Answer.YES or (isinstance(order, ServiceOrder) and _at_back(order))
    return reason is Answer.YES or not any(needs in note for needs in NEEDS_REASON)


def _at_back(order: ServiceOrder) -> bool:
    return any(belongs(site, "back-site", "thoracic-upper-site") for site in order.body_sites)


def ordered(order: MedicationOrder | ServiceOrder) -> Concept:
    """What an order is for: the drug, or the service."""
    return order.drug if isinstance(order, MedicationOrder) else order.concept


def routes(order: MedicationOrder) -> set[str]:
    """Coded routes of an order's dosages, as SNOMED CT codes; empty when none is stated."""
    return {
        coding.code
        for dosage in order.dosages
        for coding in dosage.route.codings
        if coding.system == SNOMED
    }


def draft_in(case: Case, *sets: str) -> Finding:
    """Whether the draft counts for one of the sets; unknown when its code cannot be read."""
    order = case.draft.order if case.draft else None
    if order is None or isinstance(order, OtherOrder):
        return NO
    concept = order.drug if isinstance(order, MedicationOrder) else order.concept
    if not concept.readable:
        return UNKNOWN
    if concept.sets.keys().isdisjoint(sets):
        return NO
    reason = order_for_back_pain(case).answer
    return because_draft(case) if any(counts_for(order, s, reason) for s in sets) else NO


@once
def because_draft(case: Case) -> Finding:
    """A yes that rests on the draft under evaluation."""
    order = draft_order(case)
    if order is None or isinstance(order, OtherOrder):
        return YES
    return yes([shown(order)])


def _register(name: str, sets: tuple[str, ...]) -> Fact:
    @fact_named(name, f"The draft under evaluation is coded in: {', '.join(sets)}.")
    def draft_fact(case: Case) -> Finding:
        return draft_in(case, *sets)

    return draft_fact


DRAFT_FACTS = {name: _register(name, sets) for name, sets in DRAFT_SETS.items()}


@fact
def draft_spine_imaging_not_mri(case: Case) -> Finding:
    """The draft is spine imaging other than MRI."""
    order = draft_order(case)
    if isinstance(order, ServiceOrder) and belongs(order.concept, "spine-mri"):
        return NO
    return draft_in(case, "spine-imaging")


# What it is for


@fact
@once
def order_for_back_pain(case: Case) -> Finding:
    """The draft states back pain as its reason; without a reason, the visit does."""
    order = draft_order(case)
    if order is None:
        return NO
    match reason_is_back_pain(order.reasons):
        case Answer.YES:
            return because_draft(case)
        case Answer.NO:
            return NO
        case Answer.UNKNOWN:
            return visit_for_back_pain(case)


@fact
def order_reason_elsewhere(case: Case) -> Finding:
    """The draft states coded reasons, and none of them is back pain."""
    order = draft_order(case)
    if order is None or reason_is_back_pain(order.reasons) is not Answer.NO:
        return NO
    return because_draft(case)


@fact
def order_for_back_pain_or_unstated(case: Case) -> Finding:
    """The draft is for back pain, or states nothing in a patient with a back-pain problem."""
    stated = order_for_back_pain(case)
    return back_pain_problem(case) if stated.answer is Answer.UNKNOWN else stated


def reason_in(case: Case, *sets: str, late_effects: bool = False) -> Finding:
    """Whether a coded reason of the draft is in the sets; unknown without a coded reason.

    Args:
        late_effects: whether an injury coded as sequela counts.
    """
    order = draft_order(case)
    if order is None:
        return NO
    readable = [reason for reason in order.reasons if reason.readable]
    if any(belongs(r, *sets) and (late_effects or not is_sequela(r)) for r in readable):
        return because_draft(case)
    return NO if readable else UNKNOWN


@fact
def order_reason_serious(case: Case) -> Finding:
    """The draft states a red flag, a fracture risk or earlier spine surgery as its reason."""
    return reason_in(case, *SERIOUS_REASONS)


@fact
def conditions_unread_on_order(case: Case) -> Finding:
    """An order that may be for the back is placed, and no problem list came with the call.

    A list read in part is not unread: what it holds still counts.
    """
    delivered = (Coverage.READ, Coverage.UNFINISHED)
    if case.record.hook == "patient-view" or case.record.coverage.get("conditions") in delivered:
        return NO
    return NO if order_reason_elsewhere(case).answer is Answer.YES else YES


@fact
def order_trauma_or_postoperative(case: Case) -> Finding:
    """The draft is for severe injury, or the spine was operated on within 30 days."""
    if case.draft is None:
        return NO
    injury = reason_in(case, "major-trauma", "vertebral-fracture")
    surgery = recent(case, procedures(case, "spine-surgery"), AFTER_SURGERY_DAYS, "procedures")
    return any_of([injury if injury.answer is Answer.YES else NO, surgery])
