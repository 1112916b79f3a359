"""From the lines of an export to rows that can be grouped: each line read once, and keyed.

What no fact can see is not carried along: of such a line only its place is kept, so that one which
names a patient nobody knows is still told. Conditions and visits are carried whatever they say:
others may point at them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from cards.codes import CodeIndex
from service.patient_record.flat import ELEMENTS, Undecodable, resources_with
from service.patient_record.references import ABOUT
from service.patient_record.relevance import pain_sieve, reason_sieve, relevance_to_any
from service.patient_record.sieve import Sieve
from service.population.gathered import Gathered
from service.population.lines import Line, NoLine
from service.population.reasons import Reason
from service.population.resource_line import (
    NEEDED,
    OF_PATIENTS,
    OF_THEMSELVES,
    LineRefused,
    resource_in,
)
from service.population.whose import Patients, medication_of, own_id, whose

SIEVED = frozenset({"Observation", "Procedure", "DiagnosticReport"})
ORDERS_SIEVED = frozenset({"ServiceRequest", "DeviceRequest"})
WITH_REASONS = ("Encounter", "MedicationRequest", *sorted(ORDERS_SIEVED))


class Gatherer:
    """Reads lines.

    Args:
        index: which codes any fact can see.
        whole_orders: whether every order is carried along, not only those a fact can see.
    """

    def __init__(self, index: CodeIndex, *, whole_orders: bool = False) -> None:
        self._index, self._whole_orders = index, whole_orders
        self._sieved = SIEVED if whole_orders else SIEVED | ORDERS_SIEVED
        self._decode = msgspec.json.Decoder(resources_with(self._elements())).decode

    def _elements(self) -> Mapping[str, tuple[str, ...]]:
        """By type the elements looked at here; the others are read when a patient is judged."""
        looked_at = {kind: [*ABOUT, "id"] for kind in ELEMENTS}
        looked_at["MedicationRequest"].append("medicationReference")
        for sieves in (self._sieves(), self._telling()):
            for kind, sieve in sieves.items():
                looked_at[kind] += [name for name, _ in (*sieve.usual, *sieve.rare)]
        return {kind: tuple(dict.fromkeys(names)) for kind, names in looked_at.items()}

    def _sieves(self) -> dict[str, Sieve]:
        every = relevance_to_any(self._index)
        return {kind: every[kind] for kind in self._sieved if kind in every}

    def _telling(self) -> dict[str, Sieve]:
        """What lets a resource make the chart concern us; in a replay an order alone may."""
        telling = {"Condition": pain_sieve(self._index)}
        if self._whole_orders:
            telling |= dict.fromkeys(WITH_REASONS, reason_sieve(self._index))
        return telling

    def gather(self, lines: Iterable[Line], gathered: Gathered) -> None:
        """Read some more lines of a block; what is remembered of them is forgotten again."""
        sieves, telling, patients = self._sieves(), self._telling(), Patients()
        decode = self._decode
        keep, skip = gathered.kept.add, gathered.noise.add
        counts: Counter[str] = Counter()
        number = gathered.lines - 1
        for number, line in enumerate(lines, gathered.lines):
            if not line:
                continue
            try:
                resource = resource_in(line, decode)
                kind: str = resource.resourceType  # type: ignore[attr-defined]
                if kind in OF_PATIENTS:
                    patient = whose(resource, patients)
                    sieve = sieves.get(kind)
                    if sieve is not None and sieve.is_noise(resource):
                        skip((number, patient, kind, False, None, None))
                    else:
                        tells = kind in telling and not telling[kind].is_noise(resource)
                        medication = medication_of(resource, kind)
                        keep((number, patient, kind, tells, medication, line))
                elif kind in OF_THEMSELVES:
                    rows = gathered.kept if kind == "Patient" else gathered.medications
                    rows.add((number, own_id(resource, kind), kind, False, None, line))
            except LineRefused as refused:
                _reject(line, number, refused.reason, gathered)
            except Undecodable:
                gathered.reject(number, Reason.NOT_JSON)
            else:
                counts[kind] += 1
        gathered.lines = number + 1
        for kind, count in counts.items():
            needed = "read" if kind in NEEDED else "not needed"
            gathered.tally["lines", needed, kind] += count


def _reject(line: Line, number: int, reason: Reason, gathered: Gathered) -> None:
    """Set a line aside, unless it is blank."""
    if isinstance(line, NoLine) or not line.isspace():
        gathered.reject(number, reason)
