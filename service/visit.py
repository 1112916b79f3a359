"""One request on its way through the application."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import g

if TYPE_CHECKING:
    from service.clients import TrustedClient


@dataclass(slots=True)
class Visit:
    """What is known of the request that is being answered.

    Attributes:
        begun: when it came, by the clock that durations are taken with.
        request_id: what our log and our answer name it by.
        client: who sent it; None when clients are not verified.
        is_seated: whether it holds a seat of the waiting room.
        seconds: how long each stage took that it came to.
        told: what its line in the log tells beside address, status and time.
    """

    begun: float
    request_id: str
    client: TrustedClient | None = None
    is_seated: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def client_name(self) -> str | None:
        """The name the client is known by, its ``iss``; None when it was not verified."""
        return self.client.iss if self.client else None


def this_visit() -> Visit:
    """The request that this thread answers."""
    visit: Visit = g.visit
    return visit
