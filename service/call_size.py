"""How many resources one call may bring, whoever sent them: the client or its FHIR server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.errors import too_many
from service.patient_record.bundle import length

# The longest charts hold a few thousand; each costs up to a fifth of a millisecond.
MOST_RESOURCES = 20_000


def entries_in(prefetch: object) -> int:
    """How many entries all keys of a prefetch hold together, readable or not."""
    return sum(map(length, prefetch.values())) if isinstance(prefetch, Mapping) else 0


def check_size(request: Mapping[str, Any]) -> None:
    """Refuse a call, its shape checked, that brings more than can be judged in good time.

    Raises:
        RequestRefused: 413.
    """
    drafts = length(request["context"].get("draftOrders"))
    if entries_in(request.get("prefetch")) + drafts > MOST_RESOURCES:
        raise too_many(MOST_RESOURCES, "resources")
