"""AllergyIntolerance: what the patient must not or cannot take."""

from __future__ import annotations

from cards.record import Allergy
from service.patient_record.chart import ENTERED_IN_ERROR, Chart, Dropped
from service.patient_record.elements import Resource, code_within, codes, objects

ENDED = frozenset({"inactive", "resolved"})
KINDS = frozenset({"allergy", "intolerance"})


def read_allergy(resource: Resource, reference: str, chart: Chart) -> Allergy | Dropped:
    """An AllergyIntolerance that is active or without clinical status, or why it is left out."""
    verification = codes(resource.get("verificationStatus"))
    if ENTERED_IN_ERROR in verification:
        return Dropped.ENTERED_IN_ERROR
    if "refuted" in verification:
        return Dropped.REFUTED
    if code_within(resource.get("clinicalStatus"), ENDED):
        return Dropped.NOT_ACTIVE
    return Allergy(
        reference=reference,
        concept=chart.concept(resource.get("code")),
        kind=code_within(resource.get("type"), KINDS),
        reactions=tuple(
            concept
            for reaction in objects(resource.get("reaction"))
            for concept in chart.concepts(reaction.get("manifestation"))
        ),
    )
