"""The calls an EHR would have made of one patient: at each visit, and at each order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from cards.record import HookName
from service.patient_record.bundle import kind_of
from service.patient_record.chart import ENTERED_IN_ERROR
from service.patient_record.dates import period_start, when
from service.patient_record.elements import Resource, text, truth
from service.patient_record.references import relative
from service.population.growing_chart import GrowingChart
from service.population.known_then import JSON, ORDERS, Moment, moment_of
from service.population.rewound import TOOK_PLACE, as_drafted, born, statuses

# Hooks ask for a user; nothing that is judged rests on who it is.
USER = "Practitioner/unknown"
ORDERED = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
NEVER_ORDERED = frozenset({ENTERED_IN_ERROR, "draft"})


@dataclass(frozen=True, slots=True)
class Call:
    """A hook call of the past.

    Attributes:
        day: the day it would have been made on, and is judged as of.
        context: as the hook's own; a patient-view names the visit where that has an id.
        prefetch: see ``GrowingChart``; shared with other calls, and not to be changed.
    """

    hook: HookName
    day: date
    context: dict[str, Any]
    prefetch: dict[str, Any]


class _Occasion(NamedTuple):
    """What a call is made for, in the order of calls: a visit stands before the day's orders."""

    day: date
    is_order: bool
    clock: str
    kind: str
    identifier: str
    resource: JSON


def visit_calls(
    patient_id: str, resources: Iterable[JSON], delivered: Collection[str]
) -> Iterator[Call]:
    """Every call of one patient's past, by day, the visit before the orders, these by time and id.

    The chart is opened once (patient-view) on each day on which a visit began that took place in
    the patient's life, at the time of the first of them; and once (order-select) for each order
    written, as a draft. Each call bears only what was known then, see ``known_then.is_known``, as
    it stood then, see ``rewound``. ``not_replayed`` counts what no call can be made for.

    Args:
        patient_id: whose past it is.
        resources: all that is known now of the patient, and the Medications ordered; in any order.
        delivered: the resource types the export has; the prefetch keys of others are left out.
    """
    chart = GrowingChart(patient_id, resources, delivered)
    occasions = (*_visits(chart.resources), *_orders(chart.resources))
    for occasion in sorted(occasions, key=lambda one: one[:-1]):
        prefetch = chart.opened(Moment(occasion.day, occasion.clock))
        context = {"userId": USER, "patientId": patient_id}
        if occasion.is_order:
            context |= _ordering(occasion, chart.medication_of(occasion.resource))
            yield Call("order-select", occasion.day, context, prefetch)
        else:
            context |= {"encounterId": occasion.identifier} if occasion.identifier else {}
            yield Call("patient-view", occasion.day, context, prefetch)


def not_replayed(resources: Iterable[JSON]) -> Counter[str]:
    """Type → how many visits and orders no call can be made for.

    Visits that took place without a full date of their start, or not in the patient's life; and
    orders written without a full date or without an id.
    """
    chart = list(resources)
    lived = _lived(chart)
    visits = sum(_took_place(one) and _visit_began(one, lived) is None for one in chart)
    orders = (one for one in chart if _was_ordered(one) and _order_written(one) is None)
    return Counter(kind_of(order) for order in orders) + Counter(Encounter=visits)


def _visits(chart: Sequence[JSON]) -> Iterable[_Occasion]:
    """The first visit of each day; one without clock time comes after all others."""
    lived = _lived(chart)
    took_place = [(_visit_began(one, lived), one) for one in chart if _took_place(one)]
    visits = [
        (began.day, not began.clock, began.clock, text(visit.get("id")), visit)
        for began, visit in took_place
        if began
    ]
    first: dict[date, _Occasion] = {}
    for day, _, clock, identifier, visit in sorted(visits, key=lambda one: one[:-1]):
        first.setdefault(day, _Occasion(day, False, clock, "Encounter", identifier, visit))
    return first.values()


def _orders(chart: Sequence[JSON]) -> Iterator[_Occasion]:
    """Every order once; of versions that share an id, the one written first."""
    seen: set[tuple[str, str]] = set()
    for resource in chart:
        written = _order_written(resource) if _was_ordered(resource) else None
        named = (kind_of(resource), text(resource.get("id")))
        if written and named not in seen:
            seen.add(named)
            yield _Occasion(written.day, True, written.clock, *named, resource)


def _ordering(occasion: _Occasion, medication: JSON | None) -> dict[str, Any]:
    """What the context of an order-select says beside who it is about."""
    visit = relative(occasion.resource.get("encounter"), "Encounter")
    drafted = [as_drafted(occasion.resource), *([medication] if medication else ())]
    return {
        **({"encounterId": visit.partition("/")[2]} if visit else {}),
        "selections": [f"{occasion.kind}/{occasion.identifier}"],
        "draftOrders": {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": resource} for resource in drafted],
        },
    }


def _took_place(resource: Resource) -> bool:
    if kind_of(resource) != "Encounter":
        return False
    return text(resource.get("status")).lower() in TOOK_PLACE


def _visit_began(visit: Resource, lived: tuple[date, date]) -> Moment | None:
    """When a visit began; None where that is not told to the day, or not in the patient's life."""
    began = _to_the_day(period_start(visit.get("period")))
    return began if began and lived[0] <= began.day <= lived[1] else None


def _was_ordered(resource: Resource) -> bool:
    """Whether this is an order that somebody meant and wrote."""
    if kind_of(resource) not in ORDERS or truth(resource.get("doNotPerform")):
        return False
    intent = text(resource.get("intent")).lower()
    return intent in ORDERED | {""} and not NEVER_ORDERED & statuses(resource)


def _order_written(order: Resource) -> Moment | None:
    """When an order was written; None where that is not told to the day, or it has no id."""
    return _to_the_day(order.get("authoredOn")) if text(order.get("id")) else None


def _to_the_day(written: Any) -> Moment | None:
    found = when(written)
    return moment_of(written) if found and found.earliest == found.latest else None


def _lived(chart: Sequence[Resource]) -> tuple[date, date]:
    """The first and the last day the patient can have been seen on."""
    birth = born(chart)
    deaths = (when(r.get("deceasedDateTime")) for r in chart if kind_of(r) == "Patient")
    died = max((death.latest for death in deaths if death), default=date.max)
    return (birth.earliest if birth else date.min), died
