"""ServiceRequest and DeviceRequest: investigations, therapies and devices ordered or drafted."""

from __future__ import annotations

from typing import Literal

from cards.record import Concept, ServiceOrder
from service.patient_record.chart import Chart, Dropped, order_drop
from service.patient_record.dates import past, period_end, period_start, when
from service.patient_record.elements import Resource, one_object, text
from service.patient_record.references import relative


def read_service_request(
    resource: Resource, reference: str, chart: Chart, draft: bool = False
) -> ServiceOrder | Dropped:
    """A ServiceRequest, or why it does not count."""
    concept = chart.concept_at(resource, "code")
    return _read_order(resource, reference, chart, draft, "ServiceRequest", concept)


def read_device_request(
    resource: Resource, reference: str, chart: Chart, draft: bool = False
) -> ServiceOrder | Dropped:
    """A DeviceRequest, or why it does not count."""
    return _read_order(
        resource, reference, chart, draft, "DeviceRequest", _read_device(resource, chart)
    )


def _read_order(
    resource: Resource,
    reference: str,
    chart: Chart,
    draft: bool,
    kind: Literal["ServiceRequest", "DeviceRequest"],
    concept: Concept,
) -> ServiceOrder | Dropped:
    drop = order_drop(resource, draft)
    if drop:
        return drop
    occurrence = resource.get("occurrencePeriod")
    return ServiceOrder(
        reference=reference,
        kind=kind,
        status=text(resource.get("status")).lower() or None,
        intent=text(resource.get("intent")).lower() or None,
        concept=concept,
        reasons=chart.reasons(resource),
        body_sites=chart.concepts_at(resource, "bodySite"),
        authored=past(resource.get("authoredOn"), chart.today),
        start=when(resource.get("occurrenceDateTime") or period_start(occurrence)),
        end=when(period_end(occurrence)),
        encounter=relative(resource.get("encounter"), "Encounter"),
    )


def _read_device(resource: Resource, chart: Chart) -> Concept:
    """The device's code, else that of a contained Device, else the display of its reference."""
    coded = chart.concept_at(resource, "codeCodeableConcept")
    if coded.readable:
        return coded
    reference = one_object(resource.get("codeReference"))
    device = chart.concept(chart.follow(reference, resource, "Device").get("type"))
    if device.readable:
        return device
    return Concept((), coded.display or device.display or text(reference.get("display")))
