"""The calls in which a patient's chart is judged: once as of a day, or visit by visit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from service.patient_record.bundle import SEARCHED
from service.patient_record.flat import FlatTyped, decoded, searched
from service.population.gathered import MEDICATION, decoded_line
from service.population.grouping import Row
from service.population.known_then import undated
from service.population.tables import Tally
from service.population.visits import Call, not_replayed, visit_calls

KEYS = {kind: key for key, kind in SEARCHED.items()} | {
    MEDICATION: "medications",
    "Patient": "patient",
}


class Calls(Protocol):
    """Makes the calls.

    Attributes:
        of_conditions_only: whether only a Condition can make a card be shown.
    """

    @property
    def of_conditions_only(self) -> bool:
        """See there."""
        ...

    def of(self, patient: str, rows: Sequence[Row], tally: Tally) -> Iterable[Call]:
        """The calls of one patient, in order.

        Args:
            patient: their id.
            rows: the Patient, and all resources that are of them.
            tally: where to count what could not be asked.

        Raises:
            Undecodable: a resource cannot be held.
        """
        ...


@dataclass(frozen=True, slots=True)
class AsOf:
    """Every chart is opened once, with all that the export holds.

    Attributes:
        day: the day it is opened on.
        delivered: the resource types the export has; of others nothing is known.
    """

    day: date
    delivered: Collection[str]
    of_conditions_only = True

    def of(self, patient: str, rows: Sequence[Row], _: Tally) -> Iterator[Call]:
        """One ``patient-view``."""
        context = {"patientId": patient}
        yield Call("patient-view", self.day, context, prefetch_of(rows, self.delivered))


def prefetch_of(rows: Iterable[Row], delivered: Collection[str]) -> dict[str, Any]:
    """The prefetch an EHR that holds these resources would send, decoded flat."""
    by_key: defaultdict[str, list[FlatTyped]] = defaultdict(list)
    prefetch: dict[str, Any] = {}
    for row in rows:
        resource = decoded_line(row.body)
        if row.kind == "Patient":
            prefetch["patient"] = resource
        else:
            by_key[KEYS[row.kind]].append(resource)
    for key, kind in SEARCHED.items():
        if kind in delivered:
            prefetch[key] = searched(by_key[key])
    return prefetch


@dataclass(frozen=True, slots=True)
class Replay:
    """Every chart is opened at each visit, with what was known then, and every order chosen again.

    Attributes:
        delivered: the resource types the export has; of others nothing is known.
    """

    delivered: Collection[str]
    of_conditions_only = False  # an order may be for the back where no Condition is

    def of(self, patient: str, rows: Sequence[Row], tally: Tally) -> Iterator[Call]:
        """A ``patient-view`` for each day with a visit, an ``order-select`` for each order."""
        resources = [decoded(row.body) for row in rows]
        for kind, count in undated(resources).items():
            tally["undated", kind] += count
        for kind, count in not_replayed(resources).items():
            tally["not replayed", kind] += count
        yield from visit_calls(patient, resources, self.delivered)
