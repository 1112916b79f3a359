"""FHIR R4 JSON read into ``cards.record.PatientRecord``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
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
    Draft,
    Encounter,
    Entry,
    HookName,
    MedicationOrder,
    Observation,
    PatientRecord,
    Procedure,
    ServiceOrder,
)
from service.patient_record.allergy import read_allergy
from service.patient_record.bundle import (
    SEARCHED,
    is_resource,
    linked,
    listed,
    reference_of,
)
from service.patient_record.chart import Chart, Dropped
from service.patient_record.condition import is_refuted, read_condition
from service.patient_record.coverage import coverage_of, states_of
from service.patient_record.diagnostic_report import read_report
from service.patient_record.drafts import UNREADABLE, read_drafts
from service.patient_record.elements import Resource, TooManyElements, text
from service.patient_record.encounter import read_encounter
from service.patient_record.errors import PatientUnavailable, WrongPatient
from service.patient_record.medication_request import read_medication
from service.patient_record.observation import read_components, read_observation
from service.patient_record.patient import read_patient
from service.patient_record.procedure import read_procedure
from service.patient_record.references import is_about, relative, target
from service.patient_record.relevance import CODED, Relevance, relevance
from service.patient_record.service_request import read_device_request, read_service_request

__all__ = [
    "PatientUnavailable",
    "Reading",
    "WrongPatient",
    "coverage_of",
    "read_patient_record",
    "states_of",
]

REFUTED = "RefutedCondition"  # kept apart from the Conditions that count
# Different resources of one id; each further one is compared with all, and set aside as unreadable.
MOST_VERSIONS = 20
LINKED = frozenset({"Condition", "Medication"})

READERS: Mapping[str, Callable[[Resource, str, Chart], Entry | Dropped]] = {
    "Condition": read_condition,
    "MedicationRequest": read_medication,
    "Observation": read_observation,
    "Procedure": read_procedure,
    "ServiceRequest": read_service_request,
    "DeviceRequest": read_device_request,
    "Encounter": read_encounter,
    "AllergyIntolerance": read_allergy,
    "DiagnosticReport": read_report,
}


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
    searched = [prefetch.get(key) for key in SEARCHED]
    orders = context.get("draftOrders")
    told = linked([orders, *searched], LINKED)
    chart = Chart(patient.id, index, today, patient.birth, told, drugs)
    dropped: Counter[str] = Counter()
    drafts = tuple(read_drafts(hook, context, chart, dropped))
    found, unread_keys = _read_entries(prefetch, chart, drafts, dropped)
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
        encounter=relative(context.get("encounterId"), "Encounter"),
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


def _read_entries(
    prefetch: Mapping[str, Any],
    chart: Chart,
    drafts: tuple[Draft, ...],
    dropped: Counter[str],
) -> tuple[dict[str, list[Entry]], list[str]]:
    """Every entry by kind, each resource once, and the keys in which one could not be read.

    An order under review is not read again as existing therapy. Of two versions that share an id
    both are read: which one came first must not decide whether a finding counts.
    """
    found: dict[str, list[Entry]] = {kind: [] for kind in (*READERS, REFUTED)}
    unread: list[str] = []
    drafted = {draft.order.reference for draft in drafts} - {""}
    seen: dict[str, list[Any]] = {}
    relevant = relevance(chart.index, chart.linked)
    for key in SEARCHED:
        for entry, resource, kind in listed(prefetch.get(key)):
            if kind in CODED and _is_noise(resource, kind, chart, relevant):
                continue
            reference = reference_of(entry)
            unasked = is_resource(resource) and kind not in READERS
            versions = seen.setdefault(reference, []) if reference else []
            if unasked or reference in drafted or resource in versions:
                continue
            try:
                if len(versions) == MOST_VERSIONS:
                    raise TooManyElements
                versions.append(resource)
                reading = _read_one(resource, kind, reference, chart)
                parts = (
                    read_components(resource, reading, chart)
                    if isinstance(reading, Observation)
                    else ()
                )
            except UNREADABLE:
                dropped[f"unreadable:{kind if kind in READERS else 'resource'}"] += 1
                unread.append(key)
                continue
            if isinstance(reading, Dropped):
                dropped[reading.value] += 1
            elif kind == "Condition" and is_refuted(resource):
                found[REFUTED].append(reading)
            else:
                found[kind].extend((reading, *parts))
    return found, unread


def _allergies(found: Mapping[str, list[Entry]]) -> tuple[Allergy, ...]:
    return cast("tuple[Allergy, ...]", tuple(found["AllergyIntolerance"]))


def _is_noise(resource: Resource, kind: str, chart: Chart, relevant: Relevance) -> bool:
    """Whether it is this patient's, and of no concern to any fact."""
    if not chart.index.complete:
        return False
    try:
        return not relevant.concerns(resource, kind) and is_about(resource, chart.patient_id)
    except TooManyElements:  # which reading it will meet as well, and count
        return False


def _read_one(resource: Any, kind: str, reference: str, chart: Chart) -> Entry | Dropped:
    if not is_resource(resource):
        raise TypeError("an entry's resource is no FHIR resource")
    if not is_about(resource, chart.patient_id):
        return Dropped.OTHER_PATIENT
    return READERS[kind](resource, reference, chart)
