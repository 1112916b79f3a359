"""The draft orders of a hook call, and which of them the clinician has selected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from cards.record import Draft, HookName, MedicationOrder, OtherOrder, ServiceOrder
from service.patient_record.bundle import entries, ids_of, kind_of, reference_of, resource_of
from service.patient_record.chart import Chart, Dropped, order_drop
from service.patient_record.elements import Resource, text
from service.patient_record.medication_request import read_medication
from service.patient_record.references import is_about, same_id, target
from service.patient_record.service_request import read_device_request, read_service_request

# What a Bundle of orders may hold besides orders.
SUPPORTING = frozenset(
    {
        "Condition",
        "Coverage",
        "Device",
        "Encounter",
        "Location",
        "Medication",
        "Observation",
        "OperationOutcome",
        "Organization",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
    }
)
UNREADABLE = (TypeError, ValueError, KeyError, AttributeError)


def read_drafts(
    hook: HookName, context: Mapping[str, Any], chart: Chart, dropped: Counter[str]
) -> Iterator[Draft]:
    """The drafts in the order of the request; none on patient-view.

    ``dropped`` is the running count of what the reading of this call leaves out.
    """
    if hook == "patient-view":
        return
    for position, entry in enumerate(entries(context.get("draftOrders"))):
        resource = resource_of(entry)
        kind = kind_of(resource)
        if resource is None or kind in SUPPORTING:
            continue
        if not kind:
            dropped["unreadable:draftOrders"] += 1
            continue
        try:
            order = _read_order(resource, reference_of(entry, resource, kind), chart)
        except UNREADABLE:
            dropped["unreadable:draftOrders"] += 1
            continue
        if isinstance(order, Dropped):
            dropped[order.value] += 1
        else:
            selected = hook == "order-sign" or _is_selected(entry, kind, context)
            yield Draft(order, selected, position, resource)


def _read_order(
    resource: Resource, reference: str, chart: Chart
) -> MedicationOrder | ServiceOrder | OtherOrder | Dropped:
    if not is_about(resource, chart.patient_id):
        return Dropped.OTHER_PATIENT
    match kind_of(resource):
        case "MedicationRequest":
            return read_medication(resource, reference, chart, draft=True)
        case "ServiceRequest":
            return read_service_request(resource, reference, chart, draft=True)
        case "DeviceRequest":
            return read_device_request(resource, reference, chart, draft=True)
        case kind:
            drop = order_drop(resource, draft=True)
            return drop or OtherOrder(reference, kind, chart.reasons(resource))


def _is_selected(entry: Resource, kind: str, context: Mapping[str, Any]) -> bool:
    """Whether a selection names the draft, by ``Type/id``, bare id, URL or urn."""
    selections = context.get("selections")
    listed = selections if isinstance(selections, list) else [selections]
    named = [target(text(selection)) for selection in listed if text(selection)]
    return any(
        selected_kind in ("", kind) and same_id(selected_id, identifier)
        for selected_kind, selected_id in named
        for identifier in ids_of(entry)
    )
