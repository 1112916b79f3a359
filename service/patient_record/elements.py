"""The elements of a FHIR resource, read tolerantly: an element of an unexpected kind is absent.

One shape is put right instead of ignored: an object where R4 wants an array of objects is read
as an array of that one object.
"""

from __future__ import annotations

from typing import Any, Protocol

from service.patient_record.flat import Flat


class Resource(Protocol):
    """A FHIR resource or element whose members are asked for by name: plain JSON, or flat."""

    def get(self, name: str, /) -> Any:
        """The member as sent; None when absent."""
        ...


ABSENT: Resource = {}
# No array of a real resource comes near; longer ones are made to keep us busy.
MOST_ELEMENTS = 1_000
NUMBERS = (int, float)
PLAUSIBLE = 1e12  # beyond this no clinical number lies; also keeps infinity and NaN out


def is_object(value: Any) -> bool:
    """Whether this is a JSON object, plain or decoded flat."""
    return isinstance(value, dict) or (value is not None and isinstance(value, Flat))


class TooManyElements(ValueError):
    """An array is longer than any real one; what holds it is set aside as unreadable."""


def elements(value: Any, most: int = MOST_ELEMENTS) -> list[Any]:
    """The elements of an array; anything else counts as an array of one.

    Raises:
        TooManyElements: there are more than ``most``.
    """
    if not isinstance(value, list):
        return [value]
    if len(value) > most:
        raise TooManyElements
    return value


def one_object(value: Any) -> Resource:
    """The object, or an empty one when the element is absent or no object."""
    return value if isinstance(value, dict) else ABSENT


def objects(value: Any, most: int = MOST_ELEMENTS) -> tuple[Resource, ...]:
    """The objects of an array; a lone object counts as an array of one, all else is skipped.

    Raises:
        TooManyElements: see ``elements``.
    """
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple([element for element in elements(value, most) if isinstance(element, dict)])
    return (value,) if isinstance(value, dict) else ()


def text(value: Any) -> str:
    """The string without surrounding blanks; empty when the element is absent or no string."""
    return value.strip() if isinstance(value, str) else ""


def truth(value: Any) -> bool:
    """Whether the element says true; the string ``"true"`` does as well."""
    return value is True or value == "true"


def number(value: Any) -> float | None:
    """The number; None when absent, no number, not finite or beyond anything clinical."""
    if value is None or isinstance(value, bool) or not isinstance(value, NUMBERS):
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

    Raises:
        TooManyElements: see ``elements``.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        code = value.strip().lower()
        return (code,) if code else ()
    return tuple([code.lower() for one in elements(value) for code in _codes_of_one(one) if code])


def code_within(value: Any, known: frozenset[str]) -> str | None:
    """The first code that belongs to the known ones; None when there is none."""
    return first_within(codes(value), known)


def first_within(told: tuple[str, ...], known: frozenset[str]) -> str | None:
    """The first of these codes that belongs to the known ones; None when there is none."""
    return next((code for code in told if code in known), None)


def _codes_of_one(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value.strip(),)
    concept = one_object(value)
    found = tuple([text(coding.get("code")) for coding in objects(concept.get("coding"))])
    if any(found):
        return found
    return (text(concept.get("code")) or text(concept.get("text")),)
