"""FHIR R4 JSON read into ``cards.record.PatientRecord``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from cards.codes import CodeIndex
from cards.drug_index import NO_DRUGS, DrugIndex
from cards.recognition import NOT_TRUSTED
from cards.record import (
    Allergy,
    Condition,
    Coverage,
    DiagnosticReport,
    Encounter,
    Entry,
    HookName,
    MedicationOrder,
    Observation,
    PatientRecord,
    Procedure,
    ServiceOrder,
)
from service.patient_record.bundle import SEARCHED, linked, listed
from service.patient_record.chart import Chart
from service.patient_record.coverage import coverage_of, states_of
from service.patient_record.drafts import read_drafts
from service.patient_record.elements import text
from service.patient_record.errors import PatientUnavailable, WrongPatient
from service.patient_record.found import REFUTED, read_entries
from service.patient_record.patient import read_patient
from service.patient_record.references import relative, target

__all__ = [
    "PatientUnavailable",
    "Reading",
    "WrongPatient",
    "coverage_of",
    "read_patient_record",
    "states_of",
]


@dataclass(frozen=True, slots=True)
class Reading:
    """A patient record, and how many resources were left out on the way.

    Attributes:
        dropped: reason → count, such as ``other-patient`` or ``unreadable:Condition``. Fit for
            logs: reasons are fixed words and never hold anything the client sent. Counted too are
            orders that stay but whose drug code is not trusted: ``untrusted:codes disagree``.
    """

    record: PatientRecord
    dropped: Mapping[str, int]


def read_patient_record(
    *,
    hook: HookName,
    context: Mapping[str, Any],
    prefetch: Mapping[str, Any],
    coverage: Mapping[str, Coverage],
    index: CodeIndex,
    today: date,
    drugs: DrugIndex = NO_DRUGS,
) -> Reading:
    """The record of the patient a hook call is about.

    Args:
        hook: order-sign selects every draft, patient-view has none.
        context: the hook's context; ``patientId`` names the only patient.
        prefetch: key → Bundle, single resource or None; keys nobody asked for are ignored.
        coverage: how much of each key was delivered; a key in which something could not be read
            becomes failed.
        index: which value sets hold a code.
        today: the day of the call; what lies more than 24 h after it has no valid date.
        drugs: what drug codes stand for; without it no product is recognised.

    Raises:
        PatientUnavailable: no Patient can be read.
        WrongPatient: the prefetched Patient is not that of the context.
    """
    patient_id = target(text(context.get("patientId")))[1]
    if not patient_id:
        raise WrongPatient("context.patientId is missing")
    patient = read_patient(prefetch.get("patient"), patient_id, today)
    searched = {key: listed(prefetch.get(key)) for key in SEARCHED}
    orders = listed(context.get("draftOrders"))
    told = linked([orders, *searched.values()], "Condition", "Medication")
    chart = Chart(patient.id, index, today, patient.birth, told, drugs)
    dropped: Counter[str] = Counter()
    drafts = tuple(read_drafts(hook, context, chart, dropped))
    drafted = frozenset(draft.order.reference for draft in drafts)
    encounter = relative(context.get("encounterId"), "Encounter")
    found, unread_keys = read_entries(searched, chart, drafted, encounter, dropped)
    if not all(allergy.concept.readable for allergy in _allergies(found)):
        unread_keys.append("allergies")  # an allergen in words only may be any drug
    record = PatientRecord(
        hook=hook,
        patient=patient,
        conditions=cast("tuple[Condition, ...]", tuple(found["Condition"])),
        refuted=cast("tuple[Condition, ...]", tuple(found[REFUTED])),
        medications=cast("tuple[MedicationOrder, ...]", tuple(found["MedicationRequest"])),
        observations=cast("tuple[Observation, ...]", tuple(found["Observation"])),
        procedures=cast("tuple[Procedure, ...]", tuple(found["Procedure"])),
        service_orders=cast(
            "tuple[ServiceOrder, ...]", (*found["ServiceRequest"], *found["DeviceRequest"])
        ),
        encounters=cast("tuple[Encounter, ...]", tuple(found["Encounter"])),
        allergies=_allergies(found),
        reports=cast("tuple[DiagnosticReport, ...]", tuple(found["DiagnosticReport"])),
        drafts=drafts,
        encounter=encounter,
        coverage={**coverage, **dict.fromkeys(unread_keys, Coverage.FAILED)},
    )
    dropped.update(f"untrusted:{order.unreadable}" for order in _untrusted(record))
    return Reading(record, dict(dropped))


def _untrusted(record: PatientRecord) -> Iterator[MedicationOrder]:
    """Orders whose drug code is contradicted; they stay in the record, without the code."""
    drafts = (draft.order for draft in record.drafts)
    for order in (*record.medications, *drafts):
        if isinstance(order, MedicationOrder) and order.unreadable in NOT_TRUSTED:
            yield order


def _allergies(found: Mapping[str, list[Entry]]) -> tuple[Allergy, ...]:
    return cast("tuple[Allergy, ...]", tuple(found["AllergyIntolerance"]))
