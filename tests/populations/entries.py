"""Chart entries that matter, as FHIR resources without id and subject; the chart adds those."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.populations.catalogue import Code

Resource = dict[str, Any]
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"
VISIT_HOUR = "T10:30:00+00:00"


def at(day: date) -> str:
    """A time on a day, as charts write it."""
    return f"{day}{VISIT_HOUR}"


def concept(code: Code) -> Resource:
    """A CodeableConcept of one coding."""
    coding = {"system": code.system, "code": code.code, "display": code.display}
    return {"coding": [coding], "text": code.display}


def coded(system: str, code: str) -> Resource:
    """A CodeableConcept of one of FHIR's own codes."""
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code}]}


def problem(
    code: Code, recorded: date, onset: date | None = None, ended: date | None = None
) -> Resource:
    """A confirmed Condition.

    Args:
        onset: first day; None for the day it was recorded.
        ended: last day; None for what goes on.
    """
    resource = {
        "resourceType": "Condition",
        "clinicalStatus": coded("condition-clinical", "resolved" if ended else "active"),
        "verificationStatus": coded("condition-ver-status", "confirmed"),
        "category": [coded("condition-category", "problem-list-item")],
        "code": concept(code),
        "onsetDateTime": str(onset or recorded),
        "recordedDate": at(recorded),
    }
    return {**resource, "abatementDateTime": str(ended)} if ended else resource


def prescription(
    drug: Code, written: date, status: str = "active", why: Code | None = None
) -> Resource:
    """A MedicationRequest with the drug's usual dose and supply.

    Args:
        why: the problem it is for; None when the order does not say.
    """
    resource = {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "category": [coded("medicationrequest-category", "community")],
        "medicationCodeableConcept": concept(drug),
        "authoredOn": at(written),
    }
    if why:
        resource["reasonCode"] = [concept(why)]
    if drug.each and drug.daily and drug.days:
        resource |= _dose(drug.each, drug.daily, drug.days)
    return resource


def _dose(each: int, daily: int, days: int) -> Resource:
    quantity = {"value": each, "unit": "tablet", "system": UCUM, "code": "{tbl}"}
    dosage = {
        "sequence": 1,
        "text": f"Take {each} {daily} times a day by mouth",
        "timing": {"repeat": {"frequency": daily, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"type": coded("dose-rate-type", "ordered"), "doseQuantity": quantity}],
    }
    supply = {"value": days, "unit": "days", "system": UCUM, "code": "d"}
    number = {"value": each * daily * days, "unit": "tablet", "system": UCUM, "code": "{tbl}"}
    dispensed = {"quantity": number, "expectedSupplyDuration": supply}
    return {"dosageInstruction": [dosage], "dispenseRequest": dispensed}


def service_order(code: Code, ordered: date, status: str, why: Code) -> Resource:
    """A ServiceRequest for a problem."""
    return {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": "order",
        "code": concept(code),
        "authoredOn": at(ordered),
        "reasonCode": [concept(why)],
    }


def device_order(code: Code, ordered: date, why: Code) -> Resource:
    """A DeviceRequest for a problem."""
    return {
        "resourceType": "DeviceRequest",
        "status": "active",
        "intent": "order",
        "codeCodeableConcept": concept(code),
        "authoredOn": at(ordered),
        "reasonCode": [concept(why)],
    }


def session(code: Code, done: date, why: Code | None = None) -> Resource:
    """A completed Procedure, for a problem where one is given."""
    reason = {"reasonCode": [concept(why)]} if why else {}
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": concept(code),
        "performedDateTime": at(done),
        **reason,
    }


def result(code: Code, taken: date, **value: Any) -> Resource:
    """A final Observation with this ``value[x]``."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [coded("observation-category", "exam")],
        "code": concept(code),
        "effectiveDateTime": at(taken),
        "issued": at(taken),
        **value,
    }


def amount(value: float, unit: str) -> Resource:
    """A UCUM quantity."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def imaging_report(code: Code, done: date) -> Resource:
    """A final DiagnosticReport of radiology."""
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "category": [coded("v2-0074", "RAD")],
        "code": concept(code),
        "effectiveDateTime": at(done),
        "issued": at(done),
    }


def allergy(code: Code, recorded: date) -> Resource:
    """A confirmed AllergyIntolerance to a drug."""
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": coded("allergyintolerance-clinical", "active"),
        "verificationStatus": coded("allergyintolerance-verification", "confirmed"),
        "type": "allergy",
        "category": ["medication"],
        "code": concept(code),
        "recordedDate": at(recorded),
    }


def before(day: date, days: int) -> date:
    """The day so many days earlier."""
    return day - timedelta(days=days)
