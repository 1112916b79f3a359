"""Comorbidity: what else the patient has that changes the advice."""

from __future__ import annotations

from cards.answer import Finding, any_of
from cards.case import Case, Fact, fact, fact_named
from cards.facts.entries import (
    active_conditions,
    history_conditions,
    orders,
    presence,
    procedures,
    recent,
)

# Fact → the value sets of which one problem must be active today.
ACTIVE_PROBLEMS: dict[str, tuple[str, ...]] = {
    # The spine
    "spondyloarthritis_active": ("spondyloarthritis",),
    "radiculopathy_or_stenosis": ("radiculopathy-sciatica", "spinal-stenosis"),
    "structural_pathology": ("structural-spine",),
    "fracture_instability_deformity": ("vertebral-fracture", "spinal-deformity-instability"),
    "neuropathic_component": (
        "radiculopathy-sciatica",
        "spinal-stenosis",
        "neuropathic-pain",
        "fibromyalgia",
    ),
    # Skin, nerves, joints
    "broken_skin": ("skin-problem-back",),
    "neuropathy_sensory_loss": ("neuropathic-pain",),
    "osteoarthritis": ("osteoarthritis",),
    # Stomach and liver
    "gi_inflammation": ("gi-risk",),
    "liver_moderate_severe": ("liver-moderate-severe",),
    "liver_disease_any": ("liver-disease",),
    "liver_steatosis": ("liver-steatosis",),
    # Heart, vessels, blood, breathing
    "heart_failure": ("heart-failure",),
    "ischaemic_cvd": ("ischaemic-cvd",),
    "arrhythmia_or_block": ("arrhythmia-conduction",),
    "bleeding_disorder": ("bleeding-disorder",),
    "respiratory_risk": ("sleep-disordered-breathing", "copd-resp"),
    # Glands, eyes, bladder
    "hyperthyroidism": ("hyperthyroidism",),
    "angle_closure_glaucoma": ("angle-closure-glaucoma",),
    "urinary_retention_or_bph": ("urinary-retention-bph",),
    # Brain and mind
    "epilepsy": ("seizure",),
    "spasticity": ("spasticity-disorder",),
    "mood_or_anxiety": ("mood-anxiety",),
    "bipolar": ("bipolar",),
    "alcohol_use_disorder": ("alcohol-use-disorder",),
    "sud_active": ("sud", "alcohol-use-disorder"),
}


def _register(name: str, sets: tuple[str, ...]) -> Fact:
    @fact_named(name, f"A confirmed problem in {', '.join(sets)} is active today.")
    def problem_fact(case: Case) -> Finding:
        return presence(case, active_conditions(case, *sets), "conditions")

    return problem_fact


ACTIVE_PROBLEM_FACTS = {name: _register(name, sets) for name, sets in ACTIVE_PROBLEMS.items()}


@fact
def end_of_life(case: Case) -> Finding:
    """Palliative care is an active problem, or palliative or hospice care was ordered in a year."""
    return any_of(
        (
            presence(case, active_conditions(case, "palliative-care"), "conditions"),
            recent(case, orders(case, "hospice-palliative"), 365, "serviceRequests"),
        )
    )


@fact
def sickle_cell_disease(case: Case) -> Finding:
    """Sickle cell disease, not the trait, at any time."""
    return presence(case, history_conditions(case, "sickle-cell-disease"), "conditions")


@fact
def fracture_or_instability(case: Case) -> Finding:
    """A vertebral fracture in the last 12 weeks, or an unstable spine."""
    return any_of(
        (
            presence(case, active_conditions(case, "spinal-instability"), "conditions"),
            recent(case, history_conditions(case, "vertebral-fracture"), 84, "conditions"),
        )
    )


@fact
def spine_surgery_history(case: Case) -> Finding:
    """Spine surgery, or a post-laminectomy syndrome, at any time."""
    return any_of(
        (
            presence(case, procedures(case, "spine-surgery"), "procedures"),
            presence(case, history_conditions(case, "post-laminectomy"), "conditions"),
        )
    )
