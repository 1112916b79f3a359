"""The calls in which a patient's chart is judged: once as of a day, or visit by visit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from service.patient_record.bundle import SEARCHED
from service.patient_record.flat import FlatTyped, decoded, searched
from service.population.grouping import Row
from service.population.known_then import undated
from service.population.resource_line import MEDICATION, decoded_line
from service.population.tables import Tally
from service.population.visits import Call, not_replayed, visit_calls

KEYS = {kind: key for key, kind in SEARCHED.items()} | {
    MEDICATION: "medications",
    "Patient": "patient",
}


# What a search answer bears that goes on elsewhere.
NEXT = [{"relation": "next"}]


class Calls(Protocol):
    """Makes the calls.

    Attributes:
        of_conditions_only: whether only a Condition can make a card be shown.
        unfinished: prefetch keys of which not all came: a file of theirs breaks off.
    """

    @property
    def of_conditions_only(self) -> bool:
        """See there."""
        ...

    @property
    def unfinished(self) -> Collection[str]:
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
        unfinished: as of ``Calls``.
    """

    day: date
    delivered: Collection[str]
    unfinished: Collection[str] = ()
    of_conditions_only = True

    def of(self, patient: str, rows: Sequence[Row], _: Tally) -> Iterator[Call]:
        """One ``patient-view``."""
        context = {"patientId": patient}
        prefetch = prefetch_of(rows, self.delivered, self.unfinished)
        yield Call("patient-view", self.day, context, prefetch)


def prefetch_of(
    rows: Iterable[Row], delivered: Collection[str], unfinished: Collection[str]
) -> dict[str, Any]:
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
            prefetch[key] = searched(by_key[key], NEXT if key in unfinished else None)
    return prefetch


@dataclass(frozen=True, slots=True)
class Replay:
    """Every chart is opened at each visit, with what was known then, and every order chosen again.

    Attributes:
        delivered: the resource types the export has; of others nothing is known.
        unfinished: as of ``Calls``.
    """

    delivered: Collection[str]
    unfinished: Collection[str] = ()
    of_conditions_only = False  # an order may be for the back where no Condition is

    def of(self, patient: str, rows: Sequence[Row], tally: Tally) -> Iterator[Call]:
        """A ``patient-view`` for each day with a visit, an ``order-select`` for each order."""
        resources = [decoded(row.body) for row in rows]
        for kind, count in undated(resources).items():
            tally["undated", kind] += count
        for kind, count in not_replayed(resources).items():
            tally["not replayed", kind] += count
        for call in visit_calls(patient, resources, self.delivered):
            yield replace(call, prefetch=self._as_far_as_known(call.prefetch))

    def _as_far_as_known(self, prefetch: dict[str, Any]) -> dict[str, Any]:
        cut = {key: {**prefetch[key], "link": NEXT} for key in self.unfinished if key in prefetch}
        return prefetch | cut if cut else prefetch
