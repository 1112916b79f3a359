"""Whose a resource is: the patient it is about, or itself; and which Medication an order is for."""

from __future__ import annotations

import re
from typing import Any

from service.patient_record.elements import text
from service.patient_record.flat import FlatTyped, decoded
from service.patient_record.references import UUID_LENGTH, reference_text, target
from service.population.reasons import Reason
from service.population.resource_line import MEDICATION, LineRefused

_WITHOUT_ID = {
    "Patient": Reason.PATIENT_WITHOUT_ID,
    MEDICATION: Reason.MEDICATION_WITHOUT_ID,
}
# The usual way to name a patient, with nothing in it that would need a parser.
_usual_subject = re.compile(
    rb'\{"reference": ?"Patient/([A-Za-z0-9.-]{1,64})"(?:, ?"display": ?"[^"\\]*")?\}'
).fullmatch


class Patients(dict[bytes, str]):
    """Subject as written → the key of the patient it names, empty when it names none."""

    def __missing__(self, written: bytes) -> str:
        usual = _usual_subject(written)
        patient = key_of(usual[1].decode()) if usual else _patient_of(decoded(written))
        self[written] = patient
        return patient


def whose(resource: Any, patients: Patients) -> str:
    """The key of the patient a resource is about.

    Raises:
        LineRefused: it names none.
        Undecodable: what names one cannot be held.
    """
    for written in (resource.subject, resource.patient):
        if written is not None:
            patient = patients[bytes(written)]
            if patient:
                return patient
    raise LineRefused(Reason.NO_PATIENT)


def _patient_of(subject: Any) -> str:
    """The key of the patient a reference names; empty when it names none."""
    kind, identifier = target(reference_text(subject))
    return key_of(identifier) if identifier and kind in ("", "Patient") else ""


def key_of(identifier: str) -> str:
    """An id as others are compared with: UUIDs are written in either case."""
    return identifier.lower() if len(identifier) == UUID_LENGTH else identifier


def own_id(resource: FlatTyped, kind: str) -> str:
    """The key a Patient or a Medication stands under.

    Raises:
        LineRefused: it has no id.
    """
    identifier = key_of(text(resource.get("id")))
    if not identifier:
        raise LineRefused(_WITHOUT_ID[kind])
    return identifier


def medication_of(resource: FlatTyped, kind: str) -> str | None:
    """The id of the Medication an order points at; None when it points at none."""
    if kind != "MedicationRequest":
        return None
    reference = resource.get("medicationReference")
    if reference is None:
        return None
    found, identifier = target(reference_text(reference))
    return key_of(identifier) if identifier and found in ("", MEDICATION) else None
