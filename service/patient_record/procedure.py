"""Procedure: what was done, is being done, or was not done."""

from __future__ import annotations

from cards.record import Procedure
from service.patient_record.chart import ENTERED_IN_ERROR, Chart, Dropped
from service.patient_record.dates import past, period_end, period_start
from service.patient_record.elements import Resource, text
from service.patient_record.references import relative


def read_procedure(resource: Resource, reference: str, chart: Chart) -> Procedure | Dropped:
    """A Procedure, or why it does not count. One not done is kept, with that status."""
    status = text(resource.get("status")).lower() or None
    if status == ENTERED_IN_ERROR:
        return Dropped.ENTERED_IN_ERROR
    period = resource.get("performedPeriod")
    return Procedure(
        reference=reference,
        concept=chart.concept_at(resource, "code"),
        status=status,
        start=past(resource.get("performedDateTime") or period_start(period), chart.today),
        end=past(period_end(period), chart.today),
        reasons=chart.reasons(resource),
        body_sites=chart.concepts_at(resource, "bodySite"),
        outcome=chart.concept_at(resource, "outcome"),
        encounter=relative(resource.get("encounter"), "Encounter"),
    )
