"""AllergyIntolerance: what the patient must not or cannot take."""

from __future__ import annotations

from collections.abc import Sequence

from cards.record import Allergy, Concept
from service.patient_record.chart import ENTERED_IN_ERROR, Chart, Dropped
from service.patient_record.concepts import merged
from service.patient_record.condition import onset_of
from service.patient_record.dates import past
from service.patient_record.elements import Resource, first_within, objects

ENDED = frozenset({"inactive", "resolved"})
KINDS = frozenset({"allergy", "intolerance"})


def read_allergy(resource: Resource, reference: str, chart: Chart) -> Allergy | Dropped:
    """An AllergyIntolerance that is active or without clinical status, or why it is left out."""
    verification = chart.codes_at(resource, "verificationStatus")
    if ENTERED_IN_ERROR in verification:
        return Dropped.ENTERED_IN_ERROR
    if "refuted" in verification:
        return Dropped.REFUTED
    if first_within(chart.codes_at(resource, "clinicalStatus"), ENDED):
        return Dropped.NOT_ACTIVE
    reactions = objects(resource.get("reaction"))
    return Allergy(
        reference=reference,
        concept=_allergen(resource, reactions, chart),
        kind=first_within(chart.codes_at(resource, "type"), KINDS),
        reactions=tuple(
            concept
            for reaction in reactions
            for concept in chart.concepts_at(reaction, "manifestation")
        ),
        noted=onset_of(resource, chart) or past(resource.get("recordedDate"), chart.today),
    )


def _allergen(resource: Resource, reactions: Sequence[Resource], chart: Chart) -> Concept:
    """The substance it is to, and those that reactions were to: each of them counts."""
    named = chart.concept_at(resource, "code")
    substances = [chart.concept_at(reaction, "substance") for reaction in reactions]
    told = (named, *(each for each in substances if each.readable or each.display))
    display = next(filter(None, (each.display for each in told)), "")
    return merged(told, chart.index, display) if len(told) > 1 else named
