"""The resources of one call by their reference, so that one sent twice is read once."""

from __future__ import annotations

from typing import Any

from service.patient_record.elements import TooManyElements
from service.patient_record.flat import FlatTyped

# Different resources of one id; each further one is compared with all, and set aside as unreadable.
MOST_VERSIONS = 20


class Versions:
    """What was read under each reference. Nearly every reference comes once and is just noted."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._first: dict[str, Any] = {}
        self._told: dict[str, list[Any]] = {}

    def is_new(self, reference: str, resource: Any) -> bool:
        """Whether the resource differs from all read under its reference; it counts as read then.

        Args:
            reference: ``Type/id``; empty when the resource has none, and is then always new.

        Raises:
            TooManyElements: there are more versions than of any real resource.
        """
        if not reference:
            return True
        if reference not in self._first:
            self._first[reference] = resource
            return True
        versions = self._told.setdefault(reference, [_told(self._first[reference])])
        told = _told(resource)
        if told in versions:
            return False
        if len(versions) == MOST_VERSIONS:
            raise TooManyElements
        versions.append(told)
        return True


def _told(resource: Any) -> Any:
    """What a resource says, however it was spaced and ordered when it was sent."""
    if not isinstance(resource, FlatTyped):
        return resource
    return {name: resource.get(name) for name in resource.__struct_fields__}
