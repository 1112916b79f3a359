"""The elements of a FHIR resource, read tolerantly: an element of an unexpected kind is absent.

One shape is put right instead of ignored: an object where R4 wants an array of objects is read
as an array of that one object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Resource: TypeAlias = Mapping[str, Any]

ABSENT: Resource = {}
PLAUSIBLE = 1e12  # beyond this no clinical number lies; also keeps infinity and NaN out


def one_object(value: Any) -> Resource:
    """The object, or an empty one when the element is absent or no object."""
    return value if isinstance(value, dict) else ABSENT


def objects(value: Any) -> tuple[Resource, ...]:
    """The objects of an array; a lone object counts as an array of one, all else is skipped."""
    if isinstance(value, list):
        return tuple(element for element in value if isinstance(element, dict))
    return (value,) if isinstance(value, dict) else ()


def text(value: Any) -> str:
    """The string without surrounding blanks; empty when the element is absent or no string."""
    return value.strip() if isinstance(value, str) else ""


def truth(value: Any) -> bool:
    """Whether the element says true; the string ``"true"`` does as well."""
    return value is True or value == "true"


def number(value: Any) -> float | None:
    """The number; None when absent, no number, not finite or beyond anything clinical."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -PLAUSIBLE < value < PLAUSIBLE else None


def whole_number(value: Any) -> int | None:
    """The number when it is whole; None otherwise."""
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def codes(value: Any) -> tuple[str, ...]:
    """The codes of a CodeableConcept, Coding, plain string, or an array of them, lower-cased.

    Older FHIR versions wrote statuses as plain strings. A concept without any code gives its
    text.
    """
    elements: Iterable[Any] = value if isinstance(value, list) else (value,)
    return tuple(code.lower() for element in elements for code in _codes_of_one(element) if code)


def code_within(value: Any, known: frozenset[str]) -> str | None:
    """The first code that belongs to the known ones; None when there is none."""
    return next((code for code in codes(value) if code in known), None)


def _codes_of_one(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value.strip(),)
    concept = one_object(value)
    found = tuple(text(coding.get("code")) for coding in objects(concept.get("coding")))
    if any(found):
        return found
    return (text(concept.get("code")) or text(concept.get("text")),)
