"""The chart of one patient as it grew, opened at one moment after another."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from operator import itemgetter
from typing import Any

import msgspec

from service.patient_record.bundle import SEARCHED, kind_of
from service.patient_record.elements import text
from service.patient_record.references import link, reference_text, same_id, target
from service.population.known_then import JSON, SET_GOING, Moment, is_known, moment_known
from service.population.rewound import born, day_after, day_settled, rewound, unsettled

KEY_OF = {kind: key for key, kind in SEARCHED.items()}
# Of its own day these may, or may not, be on the chart: that depends on the clock.
BY_THE_CLOCK = SET_GOING | {"Encounter"}
MATCH = {"mode": "match"}
INCLUDE = {"mode": "include"}

# From a day on, the entry at a place of the chart under a key.
Step = tuple[date, int, str, JSON]
# A resource, and when it came to be known; None where no date says so.
Known = tuple[JSON, Moment | None]


class GrowingChart:
    """What an EHR would have sent of one patient at each moment, see ``known_then``.

    Each resource is rewound once, not at each opening; Bundles that did not grow since the last
    opening are given out again, and are not to be changed.

    Attributes:
        resources: all of it, in the order of ``in_order``.
        birth: when the patient was born; None when not known.
    """

    def __init__(
        self, patient_id: str, resources: Iterable[JSON], delivered: Collection[str]
    ) -> None:
        """The chart before its first day.

        Args:
            patient_id: whose chart it is.
            resources: all that is known now of the patient, and the Medications ordered.
            delivered: the resource types the export has; the keys of others are left out.
        """
        chart = in_order(resources)
        self.resources = tuple(resource for resource, _ in chart)
        self.birth = born(self.resources)
        self._keys = tuple(key for key, kind in SEARCHED.items() if kind in delivered)
        self._patient = _patient(self.resources, patient_id)
        self._medications = _medications(self.resources)
        self._led_to: dict[str, JSON | None] = {}
        self._today: dict[date, list[Known]] = defaultdict(list)
        self._steps = sorted(self._grown(chart), key=itemgetter(0))
        self._taken = 0
        self._entries: dict[str, dict[int, JSON]] = {key: {} for key in self._keys}
        self._bundles: dict[str, JSON] = {}

    def opened(self, at: Moment) -> dict[str, Any]:
        """The prefetch of a call made at a moment, on no earlier day than the one before it."""
        self._grow(at.day)
        now: dict[str, list[JSON]] = {}
        for resource, known in self._today.get(at.day, ()):
            kind = kind_of(resource)
            if is_known(kind, known, at):
                stood = rewound(resource, at.day, self.birth)
                now.setdefault(KEY_OF[kind], []).append(_entry(stood))
        prefetch = {"patient": rewound(self._patient, at.day)} if self._patient else {}
        return prefetch | {key: self._bundle(key, now.get(key, ())) for key in self._keys}

    def medication_of(self, order: JSON) -> JSON | None:
        """The Medication an order points at; None when it points at none that is known."""
        reference = reference_text(order.get("medicationReference"))
        if reference not in self._led_to:
            kind, identifier = target(reference)
            name = link("Medication", identifier) if kind in ("", "Medication") else ""
            self._led_to[reference] = self._medications.get(name)
        return self._led_to[reference]

    def _grown(self, chart: Sequence[Known]) -> Iterator[Step]:
        """Every step in which the chart grows, in the order of its entries."""
        for place, (resource, known) in enumerate(chart):
            kind = kind_of(resource)
            key = KEY_OF.get(kind)
            if key is None or key not in self._keys:
                continue
            first = known.day if known else date.min
            if known and kind in BY_THE_CLOCK:
                self._today[first].append((resource, known))
                first = day_after(first)
            settled = day_settled(resource, self.birth)
            if settled is None or settled <= first:
                yield first, place, key, _entry(resource)
            else:
                yield first, place, key, _entry(unsettled(resource))
                yield settled, place, key, _entry(resource)

    def _grow(self, day: date) -> None:
        while self._taken < len(self._steps) and self._steps[self._taken][0] <= day:
            _, place, key, entry = self._steps[self._taken]
            self._entries[key][place] = entry
            self._bundles.pop(key, None)
            self._taken += 1

    def _bundle(self, key: str, now: Sequence[JSON]) -> JSON:
        """The answer to the search of a key: entries known before, and those of the same day."""
        if not now and key in self._bundles:
            return self._bundles[key]
        matches = [*self._entries[key].values(), *now]
        included = self._included(matches) if key == KEY_OF["MedicationRequest"] else []
        bundle: JSON = {"resourceType": "Bundle", "type": "searchset", "total": len(matches)}
        if matches:
            bundle["entry"] = matches + included
        if not now:
            self._bundles[key] = bundle
        return bundle

    def _included(self, matches: Iterable[JSON]) -> list[JSON]:
        """The Medications that come with orders, each once."""
        ordered = (self.medication_of(entry["resource"]) for entry in matches)
        brought = {medication["id"]: medication for medication in ordered if medication}
        return [{"resource": one, "search": INCLUDE} for one in brought.values()]


def in_order(resources: Iterable[JSON]) -> list[Known]:
    """Resources in an order that does not hang on that of the export: by day known, type and id.

    Those alike in all three are told apart by what they say.
    """
    told = [(resource, moment_known(resource)) for resource in resources]
    bearing = Counter(map(_name, told))

    def place(one: Known) -> tuple[date, tuple[str, str], bytes]:
        resource, known = one
        alike = bearing[_name(one)] > 1
        said = msgspec.json.encode(resource, order="deterministic") if alike else b""
        return (known.day if known else date.min), _name(one), said

    return sorted(told, key=place)


def _name(one: Known) -> tuple[str, str]:
    return kind_of(one[0]), text(one[0].get("id"))


def _patient(chart: Iterable[JSON], patient_id: str) -> JSON | None:
    patients = (resource for resource in chart if kind_of(resource) == "Patient")
    return next((one for one in patients if same_id(text(one.get("id")), patient_id)), None)


def _medications(chart: Iterable[JSON]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for resource in chart:
        if kind_of(resource) == "Medication" and text(resource.get("id")):
            found.setdefault(link("Medication", text(resource["id"])), resource)
    return found


def _entry(resource: JSON) -> JSON:
    return {"resource": resource, "search": MATCH}
