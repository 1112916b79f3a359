"""Encounter: visits and stays."""

from __future__ import annotations

from cards.record import Encounter
from service.patient_record.chart import ENTERED_IN_ERROR, Chart, Dropped, counts_as_diagnosis
from service.patient_record.dates import past, period_end, period_start, when
from service.patient_record.elements import Resource, objects, text


def read_encounter(resource: Resource, reference: str, chart: Chart) -> Encounter | Dropped:
    """An Encounter with the reasons of the visit, or why it does not count."""
    status = text(resource.get("status")).lower() or None
    if status == ENTERED_IN_ERROR:
        return Dropped.ENTERED_IN_ERROR
    diagnoses = [
        *objects(resource.get("reasonReference")),
        *(d.get("condition") for d in objects(resource.get("diagnosis"))),
    ]
    period = resource.get("period")
    return Encounter(
        reference=reference,
        status=status,
        class_code=next(iter(chart.codes_at(resource, "class")), "").upper() or None,
        types=chart.concepts_at(resource, "type"),
        reasons=chart.concepts_at(resource, "reasonCode")
        + chart.conditions_at(diagnoses, resource, counts_as_diagnosis),
        start=past(period_start(period), chart.today),
        end=when(period_end(period)),  # the planned end of a stay may lie ahead
    )
