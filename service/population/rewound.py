"""Resources rewound: as they stood on a day, before what happened to them later.

An export holds each resource once, as it stands now. What it says of its own end is undone where
that came later; an end without a date cannot be, and stays:

* a Condition resolved without a date of abatement, and an allergy no longer active;
* an order stopped, completed or cancelled that does not say how long it was for: it counts as
  running on the day it was written only. One that does say is taken to have run to that end, also
  where it was stopped before: FHIR R4 does not tell when;
* what was corrected, verified or refuted later.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from cards.record import When
from service.patient_record.bundle import kind_of
from service.patient_record.condition import ABATEMENTS
from service.patient_record.dates import ONE_DAY, at_age, period_end, period_start, when
from service.patient_record.elements import Resource, TooManyElements, codes, text
from service.population.order_days import last_day

JSON = dict[str, Any]

ACTIVE_CONDITION = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
    ]
}
ALL_ABATEMENTS = (*ABATEMENTS, "abatementString", "abatementBoolean")
# The statuses of an Encounter that took place; that of one without status is not told.
TOOK_PLACE = frozenset({"finished", "in-progress", "arrived", "triaged", "onleave", "unknown", ""})
DONE = frozenset({"completed", "stopped", "in-progress", "unknown", ""})
ENDED_ORDERS = frozenset({"completed", "stopped", "cancelled", "revoked"})
# What becomes known of an order only after it was written.
LATER_IN_ORDERS = ("statusReason", "eventHistory", "relevantHistory")


def rewound(resource: JSON, day: date, birth: When | None = None) -> JSON:
    """A resource known by that day as it stood on it; the same dict where nothing has changed.

    Args:
        birth: when the patient was born, for ends that are told as an age; None when not known.
    """
    settled = day_settled(resource, birth)
    return unsettled(resource) if settled is not None and day < settled else resource


def born(resources: Iterable[Resource]) -> When | None:
    """The birth of the patient among these resources; None when not known."""
    births = (when(r.get("birthDate")) for r in resources if kind_of(r) == "Patient")
    return min(filter(None, births), key=lambda birth: birth.text, default=None)


def day_settled(resource: Resource, birth: When | None = None) -> date | None:
    """The first day on which a resource stood as it stands now.

    None where it always has, as far as can be told. Partial dates count from their last day.
    """
    match kind_of(resource):
        case "Patient":
            return _last_day(when(resource.get("deceasedDateTime")))
        case "Condition":
            return _last_day(_abated(resource, birth))
        case "Encounter" if text(resource.get("status")).lower() in TOOK_PLACE:
            return _last_day(when(period_end(resource.get("period"))))
        case "Procedure" if text(resource.get("status")).lower() in DONE:
            return _last_day(when(period_end(resource.get("performedPeriod"))))
        case "MedicationRequest" | "ServiceRequest" | "DeviceRequest":
            told = statuses(resource)
            end = last_day(resource) if told and told <= ENDED_ORDERS else None
            return day_after(end) if end else None
    return None


def unsettled(resource: JSON) -> JSON:
    """A resource as it stood before its ``day_settled``, as a new dict."""
    match kind_of(resource):
        case "Patient":
            return _without(resource, "deceasedDateTime", "deceasedBoolean")
        case "Condition":
            active = {"clinicalStatus": ACTIVE_CONDITION}
            return _without(resource, *ALL_ABATEMENTS) | active
        case "Encounter":
            return _still_going(resource, "period")
        case "Procedure":
            return _still_going(_without(resource, "outcome"), "performedPeriod")
        case _:
            return _without(resource, *LATER_IN_ORDERS) | {"status": "active"}


def as_drafted(order: JSON) -> JSON:
    """An order as it was picked: a draft, without what became of it, as a new dict."""
    return _without(order, *LATER_IN_ORDERS) | {"status": "draft"}


def statuses(order: Resource) -> frozenset[str]:
    """The status of an order, however it is written; none where it is written too often."""
    try:
        return frozenset(codes(order.get("status")))
    except TooManyElements:  # which its reader will meet as well, and count
        return frozenset()


def day_after(day: date) -> date:
    """The next day; of the last day of the calendar that day itself."""
    return min(day, date.max - ONE_DAY) + ONE_DAY


def _last_day(found: When | None) -> date | None:
    return found.latest if found else None


def _without(resource: JSON, *names: str) -> JSON:
    return {name: value for name, value in resource.items() if name not in names}


def _still_going(resource: JSON, period: str) -> JSON:
    open_end = _without(resource[period], "end")
    return resource | {"status": "in-progress", period: open_end}


def _abated(condition: Resource, birth: When | None) -> When | None:
    """The end of a Condition as its reader takes it; None when that is not told by a date."""
    period = condition.get("abatementPeriod")
    written = condition.get("abatementDateTime") or period_end(period) or period_start(period)
    return when(written) if written else at_age(condition.get("abatementAge"), birth)
