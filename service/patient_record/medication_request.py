"""MedicationRequest: drugs ordered, reported or drafted."""

from __future__ import annotations

from cards.recognition import with_route
from cards.record import MedicationOrder
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
    dosages = read_dosages(resource.get("dosageInstruction"), chart)
    dispense = one_object(resource.get("dispenseRequest"))
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
        quantity=read_quantity(dispense.get("quantity")),
        supply_days=in_days(dispense.get("expectedSupplyDuration")),
        repeats=max(0, whole_number(dispense.get("numberOfRepeatsAllowed")) or 0),
        validity_start=when(period_start(dispense.get("validityPeriod"))),
        validity_end=when(period_end(dispense.get("validityPeriod"))),
        replaces_prior=bool(one_object(resource.get("priorPrescription"))),
        prior=relative(resource.get("priorPrescription"), "MedicationRequest"),
        status_reason=chart.concept(resource.get("statusReason")),
        identifiers=_identifiers(resource),
        encounter=relative(resource.get("encounter"), "Encounter"),
    )


def _identifiers(resource: Resource) -> frozenset[str]:
    found = objects(resource.get("identifier"))
    return frozenset(
        f"{text(one.get('system'))}|{text(one.get('value'))}" for one in found if one.get("value")
    )
