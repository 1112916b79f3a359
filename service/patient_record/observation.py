"""Observation: results, vital signs, scores and coded findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from cards.record import NOTHING, Observation, Quantity, When
from service.patient_record.chart import ENTERED_IN_ERROR, Chart, Dropped
from service.patient_record.dates import past, period_end, period_start, when
from service.patient_record.elements import Resource, number, objects, one_object, text
from service.patient_record.ucum import measured, read_bound, read_quantity, read_written

FINISHED = frozenset({"final", "amended", "corrected", "preliminary"})


def read_observation(resource: Resource, reference: str, chart: Chart) -> Observation | Dropped:
    """An Observation, or why it does not count. Without status it is taken as final."""
    status = text(resource.get("status")).lower() or "final"
    if status not in FINISHED:
        return Dropped.ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else Dropped.NOT_FINAL
    if resource.get("dataAbsentReason"):
        return Dropped.NO_VALUE
    whole = Observation(
        reference=reference,
        concept=chart.concept(resource.get("code")),
        status=status,
        effective=effective(resource, chart.today),
        body_sites=chart.concepts(resource.get("bodySite")),
    )
    return _answered(whole, resource, chart)


def read_components(resource: Resource, whole: Observation, chart: Chart) -> list[Observation]:
    """The parts of a panel that were answered, each as a result of its own at the same time."""
    parts = (
        _answered(replace(whole, concept=chart.concept(part.get("code"))), part, chart)
        for part in objects(resource.get("component"))
        if not part.get("dataAbsentReason")
    )
    return [part for part in parts if _has_answer(part)]


def _answered(result: Observation, element: Resource, chart: Chart) -> Observation:
    """The result with the value that a resource, or one component of it, states."""
    flag = element.get("valueBoolean")
    return replace(
        result,
        value=_read_value(element),
        bound=_read_bound(element),
        value_concept=chart.concept(element.get("valueCodeableConcept")),
        value_flag=flag if isinstance(flag, bool) else None,
        value_date=when(element.get("valueDateTime")),
    )


def _has_answer(part: Observation) -> bool:
    """Whether anything readable was found; an unanswered line of a panel is no finding."""
    answers = (part.value, part.bound, part.value_flag, part.value_date)
    return any(answer is not None for answer in answers) or part.value_concept != NOTHING


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
    """The number: a quantity, an integer, or a text that is nothing but a number and its unit."""
    if one_object(resource.get("valueQuantity")):
        return measured(read_quantity(resource.get("valueQuantity")))
    whole = number(resource.get("valueInteger"))
    if whole is not None:
        return Quantity(whole, None)
    comparator, written = read_written(resource.get("valueString")) or ("", None)
    return None if comparator else measured(written)


def _read_bound(resource: Resource) -> tuple[str, Quantity] | None:
    """Comparator and number of a result only known to lie beyond it, also where it is a text."""
    if one_object(resource.get("valueQuantity")):
        return read_bound(resource.get("valueQuantity"))
    written = read_written(resource.get("valueString"))
    return written if written and written[0] else None
