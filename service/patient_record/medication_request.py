"""MedicationRequest: drugs ordered, reported or drafted."""

from __future__ import annotations

from typing import Any, NamedTuple

from cards.recognition import with_route
from cards.record import MedicationOrder, Quantity, When
from service.patient_record.chart import Chart, Dropped, order_drop
from service.patient_record.dates import in_days, past, period_end, period_start, when
from service.patient_record.dosage import read_dosages
from service.patient_record.drug import read_drug
from service.patient_record.elements import Resource, objects, one_object, text, whole_number
from service.patient_record.references import relative
from service.patient_record.ucum import read_quantity


def read_medication(
    resource: Resource, reference: str, chart: Chart, draft: bool = False
) -> MedicationOrder | Dropped:
    """A MedicationRequest, or why it does not count; of ``draft`` orders proposals count too."""
    drop = order_drop(resource, draft)
    if drop:
        return drop
    drug = read_drug(resource, chart)
    dosages = chart.told(resource, "dosageInstruction", read_dosages)
    supply = chart.told(resource, "dispenseRequest", _read_supply)
    prior = resource.get("priorPrescription")
    return MedicationOrder(
        reference=reference,
        status=text(resource.get("status")).lower() or None,
        intent=text(resource.get("intent")).lower() or None,
        drug=drug.concept,
        product=drug.product and with_route(drug.product, dosages, chart.drugs),
        unreadable=drug.unreadable,
        may_be=drug.may_be,
        reasons=chart.reasons(resource),
        authored=past(resource.get("authoredOn"), chart.today),
        dosages=dosages,
        quantity=supply.quantity,
        supply_days=supply.days,
        repeats=supply.repeats,
        validity_start=supply.start,
        validity_end=supply.end,
        replaces_prior=bool(one_object(prior)),
        prior=relative(prior, "MedicationRequest"),
        status_reason=chart.concept_at(resource, "statusReason"),
        identifiers=_identifiers(resource),
        encounter=relative(resource.get("encounter"), "Encounter"),
    )


class _Supply(NamedTuple):
    """How much is dispensed, for how long, and when; see ``MedicationOrder``."""

    quantity: Quantity | None = None
    days: float | None = None
    repeats: int = 0
    start: When | None = None
    end: When | None = None


def _read_supply(value: Any, _: Chart) -> _Supply:
    dispense = one_object(value)
    if not dispense:
        return _Supply()
    validity = dispense.get("validityPeriod")
    return _Supply(
        quantity=read_quantity(dispense.get("quantity")),
        days=in_days(dispense.get("expectedSupplyDuration")),
        repeats=max(0, whole_number(dispense.get("numberOfRepeatsAllowed")) or 0),
        start=when(period_start(validity)),
        end=when(period_end(validity)),
    )


def _identifiers(resource: Resource) -> frozenset[str]:
    return frozenset(
        [
            f"{text(one.get('system'))}|{text(one.get('value'))}"
            for one in objects(resource.get("identifier"))
            if one.get("value")
        ]
    )
