"""What was read from the bytes of an element, for all entries of one call that bear the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from service.patient_record.elements import Resource
from service.patient_record.flat import decoded

Told = TypeVar("Told")


class Remembered(dict[bytes, Told], Generic[Told]):
    """Bytes of an element → what was read of it, filled as asked.

    Codes, categories and patients repeat from one entry of a chart to the next, letter by letter.
    It holds what the client sent, and must not outlive the call.
    """

    __slots__ = ("read",)

    def __init__(self, read: Callable[[Any], Told]) -> None:
        """Remember nothing yet.

        Args:
            read: tells of an element, given as plain JSON, what is to be remembered.
        """
        super().__init__()
        self.read = read

    def __missing__(self, written: bytes) -> Told:
        told = self[written] = self.read(decoded(written))
        return told

    def of(self, resource: Resource, name: str) -> Told:
        """What is told of an inner element of a resource, plain or decoded flat."""
        written = getattr(resource, name, None)
        if type(written) is msgspec.Raw:
            return self[bytes(written)]
        return self.read(resource.get(name) if isinstance(resource, dict) else written)
