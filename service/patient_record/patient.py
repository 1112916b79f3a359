"""Patient: the person."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from cards.record import Patient
from service.patient_record.bundle import entries, kind_of, resource_of
from service.patient_record.dates import past
from service.patient_record.elements import (
    Resource,
    TooManyElements,
    code_within,
    elements,
    text,
    truth,
)
from service.patient_record.errors import PatientUnavailable, WrongPatient
from service.patient_record.references import same_id

SEXES = frozenset({"male", "female", "other", "unknown"})


def read_patient(prefetched: Any, patient_id: str, today: date) -> Patient:
    """The patient of the hook's context, from the value of the prefetch key ``patient``.

    Raises:
        PatientUnavailable: there is no Patient, or it does not say who it is.
        WrongPatient: it is somebody else.
    """
    try:
        resource = _find(prefetched)
    except TooManyElements:
        raise PatientUnavailable("prefetch.patient holds too many resources") from None
    identifier = text(resource.get("id"))
    if not identifier:
        raise PatientUnavailable("prefetch.patient holds no Patient resource with an id")
    if not same_id(identifier, patient_id):
        raise WrongPatient("prefetch.patient is not the patient of context.patientId")
    return Patient(
        id=identifier,
        birth=past(resource.get("birthDate"), today),
        deceased=truth(resource.get("deceasedBoolean"))
        or bool(text(resource.get("deceasedDateTime"))),
        sex=code_within(resource.get("gender"), SEXES),
    )


def _find(prefetched: Any) -> Resource:
    """The Patient itself, or the first Patient of a Bundle."""
    for value in elements(prefetched):
        if kind_of(value) == "Patient":
            return cast("Resource", value)
        if kind_of(value) == "Bundle":
            return _find([resource_of(entry) for entry in entries(value)])
    raise PatientUnavailable("prefetch.patient holds no Patient resource")
