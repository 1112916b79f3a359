"""Resources decoded flat: one struct for each type, holding the elements some reader asks for.

What no reader asks for (narratives, extensions, performers) is skipped without being built. Texts,
numbers and dates are kept as sent; an element that holds more is kept as the bytes it was sent in
and decoded when a reader asks for it. Most never are: nearly all of a chart is set aside by a look
at the bytes of a few elements, which repeat from one entry to the next. A reader cannot tell such
a resource from plain JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Any

import msgspec

# Elements that hold others, or a list; all others are one text, number or truth.
INNER = frozenset(
    {
        "subject", "patient", "code", "category", "type", "clinicalStatus", "verificationStatus",
        "bodySite", "stage", "encounter", "onsetPeriod", "onsetAge", "onsetRange",
        "abatementPeriod", "abatementAge", "abatementRange", "effectivePeriod",
        "dataAbsentReason", "component", "valueQuantity", "valueCodeableConcept",
        "performedPeriod", "outcome", "reasonCode", "reasonReference", "class", "period",
        "diagnosis", "medicationCodeableConcept", "medicationReference", "dosageInstruction",
        "dispenseRequest", "priorPrescription", "statusReason", "identifier", "contained",
        "ingredient", "occurrencePeriod", "codeCodeableConcept", "codeReference", "reaction",
        "issue", "link", "entry",
    }
)  # fmt: skip
# An ``entry`` belongs to Bundles alone; where something else bears one, what is in it still counts.
_OF_ALL = ("id", "subject", "patient", "entry")
_ONSET = ("onsetDateTime", "onsetPeriod", "onsetAge", "onsetRange")
_EFFECTIVE = ("effectiveDateTime", "effectivePeriod", "effectiveInstant")
_REASONS = ("reasonCode", "reasonReference", "contained", "encounter")
_OF_ORDERS = ("status", "intent", "doNotPerform", "authoredOn", *_REASONS)
_SERVICE = (
    *_OF_ORDERS, "bodySite", "code", "codeCodeableConcept", "codeReference",
    "occurrenceDateTime", "occurrencePeriod",
)  # fmt: skip
# Type → the elements that some reader asks for, beside ``resourceType``.
ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "Patient": (*_OF_ALL, "birthDate", "deceasedBoolean", "deceasedDateTime", "gender"),
    "Condition": (
        *_OF_ALL, *_ONSET, "code", "clinicalStatus", "verificationStatus", "category", "bodySite",
        "stage", "recordedDate", "encounter",
        "abatementDateTime", "abatementPeriod", "abatementAge", "abatementRange",
        "abatementString", "abatementBoolean",
    ),
    "Observation": (
        *_OF_ALL, *_EFFECTIVE, "status", "code", "dataAbsentReason", "bodySite", "component",
        "valueQuantity", "valueCodeableConcept", "valueString", "valueInteger", "valueBoolean",
        "valueDateTime",
    ),
    "Procedure": (
        *_OF_ALL, *_REASONS, "status", "code", "performedDateTime", "performedPeriod", "bodySite",
        "outcome",
    ),
    "MedicationRequest": (
        *_OF_ALL, *_OF_ORDERS, "medicationCodeableConcept", "medicationReference",
        "dosageInstruction", "dispenseRequest", "priorPrescription", "statusReason", "identifier",
    ),
    "Medication": (*_OF_ALL, "code", "ingredient", "identifier"),
    "ServiceRequest": (*_OF_ALL, *_SERVICE),
    "DeviceRequest": (*_OF_ALL, *_SERVICE),
    "Encounter": (*_OF_ALL, *_REASONS, "status", "class", "type", "diagnosis", "period"),
    "AllergyIntolerance": (
        *_OF_ALL, *_ONSET, "code", "clinicalStatus", "verificationStatus", "type", "reaction",
        "recordedDate",
    ),
    "DiagnosticReport": (*_OF_ALL, *_EFFECTIVE, "status", "code"),
    "OperationOutcome": ("id", "issue", "entry"),
    # What searches bring along, which nobody reads.
    "Practitioner": ("id", "entry"),
    "PractitionerRole": ("id", "entry"),
    "Organization": ("id", "entry"),
    "Location": ("id", "entry"),
    "Provenance": ("id", "entry"),
}  # fmt: skip
_OF_BUNDLES = ("total", "link")


class Undecodable(Exception):
    """An element a reader asked for is JSON that cannot be held, such as the number 1e999."""


class Flat(msgspec.Struct, gc=False):
    """The base of what is decoded flat; tells the readers that this is a JSON object."""

    def get(self, name: str, /) -> Any:
        """The element as sent; None when absent, or when no reader asks for it.

        It is decoded once: a thousand references may lead to the same long element.

        Raises:
            Undecodable: it holds a number out of all range.
        """
        value = getattr(self, name, None)
        if type(value) is msgspec.Raw:
            value = decoded(value)
            setattr(self, name, value)
        return value


class FlatTyped(Flat, gc=False):
    """What says its type, as ``resourceType``: a resource or a Bundle."""


class FlatEntry(Flat, gc=False):
    """An entry of a Bundle, its ``resource`` still to be named."""

    fullUrl: Any = None  # noqa: N815 a name of FHIR
    search: msgspec.Raw = None  # type: ignore[assignment]  # absent


# Anything JSON that is no object; msgspec tells it from the struct it stands in the place of.
Odd = list[Any] | str | int | float | bool | None


def _fields(names: Iterable[str]) -> list[tuple[str, Any, None]]:
    return [(name, msgspec.Raw if name in INNER else Any, None) for name in names]


def _typed(kind: str, fields: Iterable[tuple[str, Any, None]]) -> Any:
    """The struct of one type, which its ``resourceType`` picks out."""
    return msgspec.defstruct(
        f"Flat{kind}",
        fields,
        bases=(FlatTyped,),
        namespace={"resourceType": kind},
        tag_field="resourceType",
        tag=kind,
        gc=False,
    )


def _entry_of(resource: Any) -> Any:
    """The entry of a Bundle of these resources, whatever else stands in their place."""
    return msgspec.defstruct(
        "Entry", [("resource", resource | Odd, None)], bases=(FlatEntry,), gc=False
    )


def _entries_of(entry: Any) -> Any:
    """The entries a Bundle can have."""
    return list[entry | Odd] | dict[str, Any] | str | int | float | bool | None


def resources_with(elements: Mapping[str, Iterable[str]]) -> Any:
    """A resource of one of these types, which says its type, with these of its elements."""
    return reduce(or_, (_typed(kind, _fields(names)) for kind, names in elements.items()))


Resources = resources_with(ELEMENTS)
_ENTRY = _entry_of(Resources)
_BUNDLE = _typed("Bundle", [("entry", _entries_of(_ENTRY), None), *_fields(_OF_BUNDLES)])
# What stands under a prefetch key: resources and Bundles of these types.
Delivered = _BUNDLE | Resources | Odd

_ANY = ("resourceType", *dict.fromkeys(name for names in ELEMENTS.values() for name in names))
# A resource of whatever type.
AnyResource: Any = msgspec.defstruct("AnyResource", _fields(_ANY), bases=(FlatTyped,), gc=False)
_ANY_BUNDLE = msgspec.defstruct(
    "AnyBundle",
    [("entry", _entries_of(_entry_of(AnyResource)), None), *_fields(_OF_BUNDLES)],
    bases=(AnyResource,),
    gc=False,
)
# The same, of whatever type and whether or not they say it: one struct with every element.
DeliveredOddly = _ANY_BUNDLE | Odd

_DECODER = msgspec.json.Decoder()


def searched(resources: Iterable[Any], link: list[dict[str, str]] | None = None) -> Any:
    """A Bundle of resources that were decoded one by one, as if they had come in it.

    Args:
        link: the links of the Bundle; None where it has none.
    """
    return _BUNDLE(entry=[_ENTRY(resource=resource) for resource in resources], link=link)


def decoded(written: bytes | msgspec.Raw) -> Any:
    """The JSON value of an element's bytes.

    Raises:
        Undecodable: see there.
    """
    try:
        return _DECODER.decode(written)
    except (msgspec.MsgspecError, RecursionError) as problem:
        raise Undecodable from problem
