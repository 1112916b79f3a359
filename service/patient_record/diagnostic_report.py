"""DiagnosticReport: reports of imaging and laboratory."""

from __future__ import annotations

from cards.record import DiagnosticReport
from service.patient_record.chart import ENTERED_IN_ERROR, Chart, Dropped
from service.patient_record.elements import Resource, text
from service.patient_record.observation import FINISHED, effective

FINISHED_REPORTS = FINISHED | {"appended"}


def read_report(resource: Resource, reference: str, chart: Chart) -> DiagnosticReport | Dropped:
    """A finished DiagnosticReport, or why it does not count. Without status it is final."""
    status = text(resource.get("status")).lower() or "final"
    if status not in FINISHED_REPORTS:
        return Dropped.ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else Dropped.NOT_FINAL
    return DiagnosticReport(
        reference=reference,
        concept=chart.concept_at(resource, "code"),
        status=status,
        effective=effective(resource, chart.today),
    )
