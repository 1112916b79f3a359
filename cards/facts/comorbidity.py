"""Comorbidity: what else the patient has that changes the advice."""

from __future__ import annotations

from cards.answer import Finding, any_of
from cards.case import Case, fact
from cards.facts.entries import (
    active_conditions,
    history_conditions,
    orders,
    presence,
    procedures,
    recent,
)


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
def spondyloarthritis_active(case: Case) -> Finding:
    """Axial spondyloarthritis is active."""
    return presence(case, active_conditions(case, "spondyloarthritis"), "conditions")


@fact
def sickle_cell_disease(case: Case) -> Finding:
    """Sickle cell disease, not the trait, at any time."""
    return presence(case, history_conditions(case, "sickle-cell-disease"), "conditions")


@fact
def bleeding_disorder(case: Case) -> Finding:
    """A bleeding disorder is active."""
    return presence(case, active_conditions(case, "bleeding-disorder"), "conditions")


@fact
def neuropathy_sensory_loss(case: Case) -> Finding:
    """A neuropathy with possible loss of feeling is active."""
    return presence(case, active_conditions(case, "neuropathic-pain"), "conditions")


@fact
def broken_skin(case: Case) -> Finding:
    """Broken or inflamed skin at the back is active."""
    return presence(case, active_conditions(case, "skin-problem-back"), "conditions")


@fact
def radiculopathy_or_stenosis(case: Case) -> Finding:
    """Radiculopathy, sciatica or spinal stenosis is active."""
    found = active_conditions(case, "radiculopathy-sciatica", "spinal-stenosis")
    return presence(case, found, "conditions")


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
