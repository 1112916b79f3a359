"""Observation: results, vital signs, scores and coded findings."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from cards.record import Observation, Quantity, When
from service.patient_record.chart import ENTERED_IN_ERROR, Chart, Dropped
from service.patient_record.dates import past, period_end, period_start, when
from service.patient_record.elements import Resource, number, one_object, text
from service.patient_record.ucum import measured, read_bound, read_quantity

FINISHED = frozenset({"final", "amended", "corrected", "preliminary"})
NUMERAL = re.compile(r"\d{1,9}(?:\.\d{1,9})?")


def read_observation(resource: Resource, reference: str, chart: Chart) -> Observation | Dropped:
    """An Observation, or why it does not count. Without status it is taken as final."""
    status = text(resource.get("status")).lower() or "final"
    if status not in FINISHED:
        return Dropped.ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else Dropped.NOT_FINAL
    if resource.get("dataAbsentReason"):
        return Dropped.NO_VALUE
    flag = resource.get("valueBoolean")
    return Observation(
        reference=reference,
        concept=chart.concept(resource.get("code")),
        status=status,
        effective=effective(resource, chart.today),
        value=_read_value(resource),
        bound=read_bound(resource.get("valueQuantity")),
        value_concept=chart.concept(resource.get("valueCodeableConcept")),
        value_flag=flag if isinstance(flag, bool) else None,
        value_date=when(resource.get("valueDateTime")),
        body_sites=chart.concepts(resource.get("bodySite")),
    )


def effective(resource: Resource, today: date) -> When | None:
    """When a result speaks for: its effective time, never when it was issued.

    None when not recorded or more than 24 h in the future.
    """
    period = resource.get("effectivePeriod")
    written: Any = (
        resource.get("effectiveDateTime")
        or resource.get("effectiveInstant")
        or period_start(period)
        or period_end(period)
    )
    return past(written, today)


def _read_value(resource: Resource) -> Quantity | None:
    """The number: a quantity, an integer, or a text that is nothing but a number."""
    if one_object(resource.get("valueQuantity")):
        return measured(read_quantity(resource.get("valueQuantity")))
    whole = number(resource.get("valueInteger"))
    if whole is not None:
        return Quantity(whole, None)
    written = text(resource.get("valueString"))
    return Quantity(float(written), None) if NUMERAL.fullmatch(written) else None
