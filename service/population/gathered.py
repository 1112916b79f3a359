"""From the lines of an export to rows that can be grouped: each line read once, and keyed.

What no fact can see is not carried along: of such a line only its place is kept, so that one which
names a patient nobody knows is still told. Conditions and visits are carried whatever they say:
others may point at them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from cards.codes import CodeIndex
from service.patient_record.bundle import SEARCHED
from service.patient_record.elements import text
from service.patient_record.flat import (
    ELEMENTS,
    AnyResource,
    FlatTyped,
    Resources,
    Undecodable,
    decoded,
    resources_with,
)
from service.patient_record.references import ABOUT, UUID_LENGTH, reference_text, target
from service.patient_record.relevance import Sieve, pain_sieve, reason_sieve, relevance_to_any
from service.population.lines import Line, NoLine
from service.population.reasons import Reason
from service.population.tables import Tally

# A resource of a patient, or one that is for itself and stands under its own id.
#   telling: whether it may make a pathway concern the patient: a Condition, or in a replay also an
#     order or a visit with a reason.
#   medication: the id of the Medication an order points at.
#   body: its JSON; null where it says nothing to any fact.
ROWS = pa.schema(
    [
        ("file", pa.string()),
        ("block", pa.int64()),
        ("line", pa.int64()),
        ("patient", pa.string()),
        ("kind", pa.string()),
        ("telling", pa.bool_()),
        ("medication", pa.string()),
        ("body", pa.binary()),
    ]
)
# Where a line was rejected, and why.
REJECTS = pa.schema(
    [
        ("file", pa.string()),
        ("block", pa.int64()),
        ("line", pa.int64()),
        ("reason", pa.string()),
    ]
)
OF_PATIENTS = frozenset(SEARCHED.values())
SIEVED = frozenset({"Observation", "Procedure", "DiagnosticReport"})
ORDERS_SIEVED = frozenset({"ServiceRequest", "DeviceRequest"})
WITH_REASONS = ("Encounter", "MedicationRequest", *sorted(ORDERS_SIEVED))
# A Medication is of many patients: it is looked up by its own id.
MEDICATION = "Medication"
OF_THEMSELVES = frozenset({"Patient", MEDICATION})
NEEDED = OF_PATIENTS | OF_THEMSELVES
# What is not read, and whose name nobody vouches for.
ANOTHER_TYPE = "another type"

_NO_LINE = {NoLine.TOO_LONG: Reason.TOO_LONG, NoLine.BROKEN: Reason.BROKEN_FILE}
# The usual way to name a patient, with nothing in it that would need a parser.
_usual_subject = re.compile(
    rb'\{"reference": ?"Patient/([A-Za-z0-9.-]{1,64})"(?:, ?"display": ?"[^"\\]*")?\}'
).fullmatch
_DECODER = msgspec.json.Decoder(Resources)
_ANY_DECODER = msgspec.json.Decoder(AnyResource)


class Rows:
    """Rows of one block of a file."""

    def __init__(self, file: str, block: int, schema: pa.Schema) -> None:
        """No rows yet.

        Args:
            schema: what a row holds; file and block come first.
        """
        self._file, self._block, self._schema = file, block, schema
        self._rows: list[tuple[Any, ...]] = []
        # Adds the rest of a row: all but file and block.
        self.add = self._rows.append

    def take(self) -> pa.RecordBatch:
        """The rows added since the last time."""
        count = len(self._rows)
        fields = list(self._schema)[2:]
        columns = list(zip(*self._rows, strict=True)) or [()] * len(fields)
        self._rows.clear()
        return pa.record_batch(
            [
                pa.repeat(self._file, count),
                pa.repeat(pa.scalar(self._block, pa.int64()), count),
                *(pa.array(c, field.type) for c, field in zip(columns, fields, strict=True)),
            ],
            schema=self._schema,
        )


class Gathered:
    """What came of the lines of one block of a file.

    Attributes:
        lines: how many were read so far.
        kept: those of patients that may say something.
        noise: those of patients that say nothing.
        medications: those of Medications.
        rejected: those not used.
        tally: the lines by what became of them, as in the table of tallies.
    """

    def __init__(self, file: str, block: int) -> None:
        """No line is read yet."""
        self.file, self.block = file, block
        self.lines = 0
        self.kept, self.noise = Rows(file, block, ROWS), Rows(file, block, ROWS)
        self.medications = Rows(file, block, ROWS)
        self.rejected = Rows(file, block, REJECTS)
        self.tally: Tally = Counter()

    def reject(self, line: int, reason: Reason) -> None:
        """Set a line aside."""
        self.rejected.add((line, reason.value))
        self.tally["lines", "rejected", reason.value] += 1
        if reason is Reason.BROKEN_FILE:
            self.tally["broken file", self.file] += 1


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
        sieves, telling, patients = self._sieves(), self._telling(), _Patients()
        decode = self._decode
        keep, skip = gathered.kept.add, gathered.noise.add
        counts: Counter[str] = Counter()
        number = gathered.lines - 1
        for number, line in enumerate(lines, gathered.lines):
            if not line:
                continue
            try:
                resource = _resource(line, decode)
                kind: str = resource.resourceType  # type: ignore[attr-defined]
                if kind in OF_PATIENTS:
                    patient = _whose(resource, patients)
                    sieve = sieves.get(kind)
                    if sieve is not None and sieve.is_noise(resource):
                        skip((number, patient, kind, False, None, None))
                    else:
                        tells = kind in telling and not telling[kind].is_noise(resource)
                        medication = _medication_of(resource, kind)
                        keep((number, patient, kind, tells, medication, line))
                elif kind in OF_THEMSELVES:
                    rows = gathered.kept if kind == "Patient" else gathered.medications
                    rows.add((number, _own_id(resource), kind, False, None, line))
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


class LineRefused(Exception):
    """The line cannot be used."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def decoded_line(line: bytes) -> FlatTyped:
    """The resource a line holds, decoded flat; the line was gathered before.

    Raises:
        LineRefused: it holds none after all: more of it is looked at than when it was gathered.
    """
    return _resource(line, _DECODER.decode)


def _resource(line: Line, decode: Any) -> FlatTyped:
    """The resource a line holds, with the elements that ``decode`` knows.

    Raises:
        LineRefused: it holds none.
    """
    if isinstance(line, NoLine):
        raise LineRefused(_NO_LINE[line])
    try:
        if not line.isascii():
            line.decode()
        resource: FlatTyped = decode(line)
    except msgspec.ValidationError:
        return _of_another_type(line)
    except UnicodeDecodeError:
        raise LineRefused(Reason.NOT_UTF8) from None
    except (msgspec.MsgspecError, RecursionError):
        raise LineRefused(Reason.NOT_JSON) from None
    return resource


def _of_another_type(line: bytes) -> FlatTyped:
    """A resource of a type that is not read, or whose type is oddly written.

    Raises:
        LineRefused: it is none.
    """
    try:
        resource: FlatTyped = _ANY_DECODER.decode(line)
    except msgspec.ValidationError:
        raise LineRefused(Reason.NOT_FHIR) from None
    except (msgspec.MsgspecError, RecursionError):
        raise LineRefused(Reason.NOT_JSON) from None
    kind = text(resource.get("resourceType"))
    if not kind or kind == "Bundle" or not kind.isalpha():
        raise LineRefused(Reason.NOT_FHIR)
    setattr(resource, "resourceType", kind if kind in ELEMENTS else ANOTHER_TYPE)  # noqa: B010
    return resource


class _Patients(dict[bytes, str]):
    """Subject as written → the key of the patient it names, empty when it names none."""

    def __missing__(self, written: bytes) -> str:
        usual = _usual_subject(written)
        patient = key_of(usual[1].decode()) if usual else _patient_of(decoded(written))
        self[written] = patient
        return patient


def _whose(resource: Any, patients: _Patients) -> str:
    """The key of the patient a resource is about.

    Raises:
        LineRefused: it names none.
        Undecodable: what names one cannot be held.
    """
    for written in (resource.subject, resource.patient):
        if written is not None:
            patient = patients[bytes(written)]
            if patient:
                return patient
    raise LineRefused(Reason.NO_PATIENT)


def _patient_of(subject: Any) -> str:
    """The key of the patient a reference names; empty when it names none."""
    kind, identifier = target(reference_text(subject))
    return key_of(identifier) if identifier and kind in ("", "Patient") else ""


def key_of(identifier: str) -> str:
    """An id as others are compared with: UUIDs are written in either case."""
    return identifier.lower() if len(identifier) == UUID_LENGTH else identifier


def _own_id(resource: FlatTyped) -> str:
    """The key a resource stands under.

    Raises:
        LineRefused: it has no id.
    """
    identifier = key_of(text(resource.get("id")))
    if not identifier:
        raise LineRefused(Reason.NO_ID)
    return identifier


def _medication_of(resource: FlatTyped, kind: str) -> str | None:
    """The id of the Medication an order points at; None when it points at none."""
    if kind != "MedicationRequest":
        return None
    reference = resource.get("medicationReference")
    if reference is None:
        return None
    found, identifier = target(reference_text(reference))
    return key_of(identifier) if identifier and found in ("", MEDICATION) else None
