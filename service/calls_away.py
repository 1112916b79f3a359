"""The calls that wait for FHIR servers: so many at a time, and of one server half as many."""

from __future__ import annotations

from collections import Counter
from threading import Lock

from service.fhir_address import FhirAddress

Origin = tuple[str, str, int]


class CallsAway:
    """Lets a call ask its FHIR server unless too many wait already; nobody queues for it.

    A server that stalls can so keep a bounded number of calls, and never all there may be.
    """

    def __init__(self, most: int) -> None:
        """None waits yet; ``most`` may wait at a time, of this process."""
        self._most = most
        self._most_each = max(1, most // 2)
        self._waiting: Counter[Origin] = Counter()
        self._lock = Lock()

    def enter(self, server: FhirAddress) -> bool:
        """Whether one more call may wait for this server; it then counts until it leaves."""
        with self._lock:
            full = self._waiting.total() >= self._most
            if full or self._waiting[server.origin] >= self._most_each:
                return False
            self._waiting[server.origin] += 1
            return True

    def leave(self, server: FhirAddress) -> None:
        """A call that entered waits no longer."""
        with self._lock:
            self._waiting[server.origin] -= 1
            if not self._waiting[server.origin]:
                del self._waiting[server.origin]
