"""Resources decoded flat: one struct over every type, holding the elements somebody reads.

What no reader asks for (narratives, extensions, performers) is skipped without being built. An
element is kept just as it was sent, so a reader cannot tell such a resource from plain JSON.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Flat(msgspec.Struct, gc=False):
    """The base of what is decoded flat; tells the readers that this is a JSON object."""

    def get(self, name: str, /) -> Any:
        """The element as sent; None when absent, or when no reader asks for it."""
        return getattr(self, name, None)


class FlatTyped(Flat, gc=False):
    """What says its type: a resource or a Bundle."""

    resourceType: Any = None  # noqa: N815 a name of FHIR


# Every other element of a resource or a Bundle that some reader asks for.
ELEMENTS = (
    "id", "status", "intent", "code", "subject", "patient", "category", "type",
    "clinicalStatus", "verificationStatus", "bodySite", "stage", "encounter", "recordedDate",
    "onsetDateTime", "onsetPeriod", "onsetAge", "onsetRange",
    "abatementDateTime", "abatementPeriod", "abatementAge", "abatementRange", "abatementString",
    "abatementBoolean",
    "effectiveDateTime", "effectivePeriod", "effectiveInstant", "dataAbsentReason", "component",
    "valueQuantity", "valueCodeableConcept", "valueString", "valueInteger", "valueBoolean",
    "valueDateTime",
    "performedDateTime", "performedPeriod", "outcome", "reasonCode", "reasonReference",
    "class", "period", "diagnosis",
    "medicationCodeableConcept", "medicationReference", "dosageInstruction", "dispenseRequest",
    "authoredOn", "priorPrescription", "statusReason", "identifier", "doNotPerform", "contained",
    "ingredient",
    "occurrenceDateTime", "occurrencePeriod", "codeCodeableConcept", "codeReference",
    "reaction",
    "birthDate", "deceasedBoolean", "deceasedDateTime", "gender",
    "issue", "total", "link",
)  # fmt: skip

# Anything JSON that is no object; msgspec tells it from the struct it stands in the place of.
Odd = list[Any] | str | int | float | bool | None

FlatResource = msgspec.defstruct(
    "FlatResource", [(name, Any, None) for name in ELEMENTS], bases=(FlatTyped,), gc=False
)


class FlatEntry(Flat, gc=False):
    """An entry of a Bundle."""

    resource: FlatResource | Odd = None  # type: ignore[valid-type]
    fullUrl: Any = None  # noqa: N815 a name of FHIR
    search: Any = None


FlatBundle = msgspec.defstruct(
    "FlatBundle",
    [("entry", list[FlatEntry | Odd] | dict[str, Any] | str | int | float | bool | None, None)],
    bases=(FlatResource,),
    gc=False,
)
