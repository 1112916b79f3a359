"""The entries of a call read kind by kind, each resource once, and what had to be left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import compress
from typing import Any

from cards.record import Condition, Entry, Observation
from service.patient_record.allergy import read_allergy
from service.patient_record.bundle import NO_RESOURCE, Listed, reference_of
from service.patient_record.chart import Chart, Dropped
from service.patient_record.condition import is_refuted, read_condition
from service.patient_record.diagnostic_report import read_report
from service.patient_record.drafts import UNREADABLE
from service.patient_record.elements import Resource
from service.patient_record.encounter import read_encounter
from service.patient_record.medication_request import read_medication
from service.patient_record.observation import read_components, read_observation
from service.patient_record.procedure import read_procedure
from service.patient_record.relevance import mattering, relevance
from service.patient_record.service_request import read_device_request, read_service_request
from service.patient_record.versions import Versions

REFUTED = "RefutedCondition"  # kept apart from the Conditions that count

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


def read_entries(
    searched: Mapping[str, Listed],
    chart: Chart,
    drafted: frozenset[str],
    encounter: str | None,
    dropped: Counter[str],
) -> tuple[dict[str, list[Entry]], list[str]]:
    """Every entry by kind, each resource once, and the keys in which one could not be read.

    Of two versions that share an id both are read: which one came first must not decide whether a
    finding counts.

    Args:
        drafted: references of the drafts; an order under review is no existing therapy as well.
        encounter: reference of the encounter of this call; None when not given.
        dropped: the running count of what the reading of this call leaves out.
    """
    sieves = relevance(chart)
    found = _Found(chart, drafted, dropped)
    matters = {key: mattering(told, sieves) for key, told in searched.items()}
    for key, told in searched.items():
        for entry, resource, kind in compress(told.each(), matters[key]):
            if kind != "Encounter":
                found.add(key, entry, resource, kind)
    named = found.visits_named(encounter)
    for key, told in searched.items():
        if "Encounter" not in told.present:
            continue
        for (entry, resource, kind), matter in zip(told.each(), matters[key], strict=True):
            if kind == "Encounter" and (matter or reference_of(entry, resource, kind) in named):
                found.add(key, entry, resource, kind)
    return found.entries, found.unread


class _Found:
    """What is read of one call.

    Attributes:
        entries: those that count, by kind.
        unread: prefetch keys in which one could not be read.
    """

    def __init__(self, chart: Chart, drafted: frozenset[str], dropped: Counter[str]) -> None:
        self.entries: dict[str, list[Entry]] = {kind: [] for kind in (*READERS, REFUTED)}
        self.unread: list[str] = []
        self._dropped = dropped
        self._chart = chart
        self._drafted = drafted
        self._versions = Versions()

    def visits_named(self, encounter: str | None) -> frozenset[str]:
        """The visits whose date can matter: this one, and those the Conditions were made in."""
        named = (*self.entries["Condition"], *self.entries[REFUTED])
        visits = (one.encounter for one in named if isinstance(one, Condition))
        return frozenset(filter(None, (encounter, *visits)))

    def add(self, key: str, entry: Resource, resource: Any, kind: str) -> None:
        """Read an entry, unless it is a draft or was read before."""
        reference = reference_of(entry, resource, kind)
        unasked = kind not in READERS and kind not in NO_RESOURCE
        if unasked or (reference and reference in self._drafted):
            return
        try:
            if not self._versions.is_new(reference, resource):
                return
            reading = _read_one(resource, kind, reference, self._chart)
            parts = (
                read_components(resource, reading, self._chart)
                if isinstance(reading, Observation)
                else ()
            )
        except UNREADABLE:
            self._dropped[f"unreadable:{kind if kind in READERS else 'resource'}"] += 1
            self.unread.append(key)
            return
        if isinstance(reading, Dropped):
            self._dropped[reading.value] += 1
        elif kind == "Condition" and is_refuted(resource, self._chart):
            self.entries[REFUTED].append(reading)
        else:
            self.entries[kind].extend((reading, *parts))


def _read_one(resource: Any, kind: str, reference: str, chart: Chart) -> Entry | Dropped:
    if kind in NO_RESOURCE:
        raise TypeError("an entry's resource is no FHIR resource")
    if not chart.is_about(resource):
        return Dropped.OTHER_PATIENT
    return READERS[kind](resource, reference, chart)
