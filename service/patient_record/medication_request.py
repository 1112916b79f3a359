"""MedicationRequest: drugs ordered, reported or drafted."""

from __future__ import annotations

from cards.record import Concept, MedicationOrder
from service.patient_record.chart import Chart, Dropped, order_drop
from service.patient_record.concepts import merged
from service.patient_record.dates import in_days, past, period_end, when
from service.patient_record.dosage import read_dosages
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
    dispense = one_object(resource.get("dispenseRequest"))
    return MedicationOrder(
        reference=reference,
        status=text(resource.get("status")).lower() or None,
        intent=text(resource.get("intent")).lower() or None,
        drug=read_drug(resource, chart),
        reasons=chart.reasons(resource),
        authored=past(resource.get("authoredOn"), chart.today),
        dosages=read_dosages(resource.get("dosageInstruction"), chart),
        quantity=read_quantity(dispense.get("quantity")),
        supply_days=in_days(dispense.get("expectedSupplyDuration")),
        repeats=max(0, whole_number(dispense.get("numberOfRepeatsAllowed")) or 0),
        validity_end=when(period_end(dispense.get("validityPeriod"))),
        replaces_prior=bool(one_object(resource.get("priorPrescription"))),
        status_reason=chart.concept(resource.get("statusReason")),
        identifiers=_identifiers(resource),
        encounter=relative(resource.get("encounter"), "Encounter"),
    )


def read_drug(resource: Resource, chart: Chart) -> Concept:
    """The drug: its own code, else that of the Medication it points at.

    A reference that leads nowhere gives its display only, so that the drug counts as unreadable
    and never as absent.
    """
    stated = chart.concept(resource.get("medicationCodeableConcept"))
    if stated.readable:
        return stated
    reference = one_object(resource.get("medicationReference"))
    medication = chart.follow(reference, resource, "Medication")
    named = _read_product(medication, chart)
    if named.readable:
        return named
    return Concept((), stated.display or named.display or text(reference.get("display")))


def _read_product(medication: Resource, chart: Chart) -> Concept:
    """The code of a Medication, else those of its ingredients; some name it by identifier only."""
    coded = chart.concept(medication.get("code"))
    if coded.readable:
        return coded
    ingredients = tuple(
        chart.concept(ingredient.get("itemCodeableConcept"))
        for ingredient in objects(medication.get("ingredient"))
    )
    names = (text(identifier.get("value")) for identifier in objects(medication.get("identifier")))
    return merged(ingredients, chart.index, coded.display or next(filter(None, names), ""))


def _identifiers(resource: Resource) -> frozenset[str]:
    found = objects(resource.get("identifier"))
    return frozenset(
        f"{text(one.get('system'))}|{text(one.get('value'))}" for one in found if one.get("value")
    )
