"""What was known at a moment: which resources the chart held when it was opened, and in what form.

A partial date counts from its last day, so that nothing is known too early. A clock time counts as
it is written, whatever its zone, as the day does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

from service.patient_record.bundle import SEARCHED, kind_of
from service.patient_record.dates import period_end, period_start, when
from service.patient_record.elements import Resource
from service.population.order_days import starts
from service.population.rewound import born, rewound

JSON = dict[str, Any]

ORDERS = frozenset({"MedicationRequest", "ServiceRequest", "DeviceRequest"})
# What a visit sets going: of its own day it is still to come when the chart is opened.
SET_GOING = ORDERS | {"Procedure", "DiagnosticReport"}
# Known from the first to the last.
TIMELESS = frozenset({"Patient", "Medication"})


class Moment(NamedTuple):
    """When something came to be known, or a chart was opened.

    Attributes:
        clock: ``HH:MM:SS``; empty when no clock time is told.
    """

    day: date
    clock: str = ""


def day_known(resource: Resource) -> date | None:
    """The day a resource came to be known; None when it bears no date that says so.

    See ``moment_known``.
    """
    known = moment_known(resource)
    return known.day if known else None


def moment_known(resource: Resource) -> Moment | None:
    """When a resource came to be known; None when it bears no date that says so.

    Conditions and allergies: when recorded, else the onset. Results and reports: when issued, else
    the time they speak for. Procedures and Encounters: their start, else their end. Orders: when
    authored, else the first day they are for. Patients and Medications are timeless. What cannot
    be read as a date counts as none, and an onset given as an age does.
    """
    return next((known for known in map(moment_of, _dates(resource)) if known), None)


def moment_of(written: Any) -> Moment | None:
    """A FHIR date or dateTime as the last day it can mean; None when absent or no date."""
    found = when(written)
    if found is None:
        return None
    clock = found.text.partition("T")[2]
    return Moment(found.latest, f"{clock}:00" if len(clock) == len("HH:MM") else clock)


def _dates(resource: Resource) -> Iterator[Any]:
    """The dates that say when a resource came to be known, as written, the best first."""
    match kind_of(resource):
        case "Condition" | "AllergyIntolerance":
            yield resource.get("recordedDate")
            yield resource.get("onsetDateTime")
            yield period_start(resource.get("onsetPeriod"))
        case "Observation" | "DiagnosticReport":
            yield resource.get("issued")
            yield resource.get("effectiveDateTime")
            yield resource.get("effectiveInstant")
            yield period_end(resource.get("effectivePeriod"))
            yield period_start(resource.get("effectivePeriod"))
        case "Procedure":
            yield resource.get("performedDateTime")
            yield period_start(resource.get("performedPeriod"))
            yield period_end(resource.get("performedPeriod"))
        case "Encounter":
            yield period_start(resource.get("period"))
            yield period_end(resource.get("period"))
        case kind if kind in ORDERS:
            yield resource.get("authoredOn")
            yield _first_of(starts(resource))


def _first_of(written: Iterable[Any]) -> Any:
    known = [(moment, one) for one in written if (moment := moment_of(one))]
    return min(known, key=lambda told: told[0])[1] if known else None


def is_known(kind: str, known: Moment | None, opened: Moment) -> bool:
    """Whether a resource was on the chart when that was opened.

    What came to be known on an earlier day was, and what bears no date. Of the same day

    * conditions, allergies and results were: they are the reason for the visit, or found in it;
    * visits were, unless both clock times are told and theirs is later;
    * orders, procedures and reports were not, unless both clock times are told and theirs is
      earlier: they follow from the visit, and what it decides must not be known before it.

    Args:
        kind: the resource type.
        known: its ``moment_known``.
        opened: when the chart was opened.
    """
    if known is None or known.day != opened.day:
        return known is None or known.day < opened.day
    if kind in SET_GOING:
        return "" < known.clock < opened.clock
    if kind == "Encounter" and opened.clock:
        return known.clock <= opened.clock
    return True


def known_by(resources: Iterable[JSON], opened: Moment) -> list[JSON]:
    """The chart of one patient as it was when opened: what was known, in the form of that day.

    See ``is_known`` for what was known, and ``rewound`` for its form. Resources of types no
    search asks for are known. The answer keeps the order given; what changed is a new dict.
    """
    chart = list(resources)
    birth = born(chart)
    return [
        rewound(resource, opened.day, birth)
        for resource in chart
        if is_known(kind_of(resource), moment_known(resource), opened)
    ]


def undated(resources: Iterable[Resource]) -> Counter[str]:
    """Type → how many resources bear no date, and are taken as known from the beginning.

    Patients and Medications, which are timeless, do not count, nor do types nobody reads.
    """
    dated_types = frozenset(SEARCHED.values())
    kinds = ((kind_of(resource), resource) for resource in resources)
    return Counter(k for k, r in kinds if k in dated_types and moment_known(r) is None)
