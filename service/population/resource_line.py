"""The resource a line of an export holds, and which types of resources are read."""

from __future__ import annotations

from typing import Any

import msgspec

from service.patient_record.bundle import SEARCHED
from service.patient_record.elements import text
from service.patient_record.flat import ELEMENTS, AnyResource, FlatTyped, Resources
from service.population.lines import Line, NoLine
from service.population.reasons import Reason

OF_PATIENTS = frozenset(SEARCHED.values())
# A Medication is of many patients: it is looked up by its own id.
MEDICATION = "Medication"
OF_THEMSELVES = frozenset({"Patient", MEDICATION})
NEEDED = OF_PATIENTS | OF_THEMSELVES
# What is not read, and whose name nobody vouches for.
ANOTHER_TYPE = "another type"

_NO_LINE = {NoLine.TOO_LONG: Reason.TOO_LONG, NoLine.BROKEN: Reason.BROKEN_FILE}
_DECODER = msgspec.json.Decoder(Resources)
_ANY_DECODER = msgspec.json.Decoder(AnyResource)


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
    return resource_in(line, _DECODER.decode)


def resource_in(line: Line, decode: Any) -> FlatTyped:
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
