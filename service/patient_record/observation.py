"""Observation: results, vital signs, scores and coded findings."""

from __future__ import annotations

from datetime import date
from typing import Any

from cards.record import NOTHING, Concept, Observation, Quantity, When
from service.patient_record.chart import ENTERED_IN_ERROR, Chart, Dropped
from service.patient_record.dates import past, period_end, period_start, when
from service.patient_record.elements import Resource, number, objects, one_object, text
from service.patient_record.ucum import measured, read_bound, read_quantity, read_written

FINISHED = frozenset({"final", "amended", "corrected", "preliminary"})

Bound = tuple[str, Quantity]


def read_observation(resource: Resource, reference: str, chart: Chart) -> Observation | Dropped:
    """An Observation, or why it does not count. Without status it is taken as final."""
    status = text(resource.get("status")).lower() or "final"
    if status not in FINISHED:
        return Dropped.ENTERED_IN_ERROR if status == ENTERED_IN_ERROR else Dropped.NOT_FINAL
    if resource.get("dataAbsentReason"):
        return Dropped.NO_VALUE
    return _answered(
        resource,
        chart,
        reference=reference,
        status=status,
        effective=effective(resource, chart.today),
        body_sites=chart.concepts_at(resource, "bodySite"),
    )


def read_components(resource: Resource, whole: Observation, chart: Chart) -> list[Observation]:
    """The parts of a panel that were answered, each as a result of its own at the same time."""
    component = resource.get("component")
    if not component:
        return []
    parts = (
        _answered(
            part,
            chart,
            reference=whole.reference,
            status=whole.status,
            effective=whole.effective,
            body_sites=whole.body_sites,
        )
        for part in objects(component)
        if not part.get("dataAbsentReason")
    )
    return [part for part in parts if _has_answer(part)]


def _answered(
    element: Resource,
    chart: Chart,
    *,
    reference: str,
    status: str,
    effective: When | None,
    body_sites: tuple[Concept, ...],
) -> Observation:
    """The result that a resource, or one component of it, states."""
    value, bound = _read_value(element, chart)
    flag = element.get("valueBoolean")
    return Observation(
        reference=reference,
        concept=chart.concept_at(element, "code"),
        status=status,
        effective=effective,
        value=value,
        bound=bound,
        value_concept=chart.concept_at(element, "valueCodeableConcept"),
        value_flag=flag if isinstance(flag, bool) else None,
        value_date=when(element.get("valueDateTime")),
        body_sites=body_sites,
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


def _read_value(element: Resource, chart: Chart) -> tuple[Quantity | None, Bound | None]:
    """The number, or the bound it is only known to lie beyond.

    A quantity, an integer, or a text that is nothing but a number and its unit.
    """
    told = chart.told(element, "valueQuantity", _read_quantity)
    if told:
        return told
    written = read_written(element.get("valueString"))
    bound = written if written and written[0] else None
    whole = number(element.get("valueInteger"))
    if whole is not None:
        return Quantity(whole, None), bound
    return measured(written[1]) if written and not bound else None, bound


def _read_quantity(value: Any, _: Chart) -> tuple[Quantity | None, Bound | None] | None:
    """The number or the bound that a Quantity states; None when it is none."""
    quantity = one_object(value)
    return (measured(read_quantity(quantity)), read_bound(quantity)) if quantity else None
