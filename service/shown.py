"""How many cards were shown: counted in memory, so that no call waits for the store."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from threading import Lock
from typing import Any

from service.log import log_event
from service.store import ShownCard, Store
from service.store_errors import StoreUnavailable

# Far more than a day can have; a store that stays away must not fill the memory.
MOST_KINDS = 20_000


class Shown:
    """The cards shown since they were last written to the store."""

    def __init__(self) -> None:
        # By what a ShownCard holds; one is made of it when it is written.
        self._counts: Counter[tuple[date, str | None, str, str, str]] = Counter()
        self._left_out = 0
        self._lock = Lock()

    def count(
        self, day: date, client: str | None, service: str, cards: Iterable[Mapping[str, Any]]
    ) -> None:
        """Count the cards of one response.

        Args:
            day: the day of the call, local calendar date.
            client: who asked; None when clients are not verified.
        """
        kinds = [
            (day, client, service, card["source"]["topic"]["code"], card["indicator"])
            for card in cards
        ]
        with self._lock:
            for kind in kinds:
                if kind in self._counts or len(self._counts) < MOST_KINDS:
                    self._counts[kind] += 1
                else:
                    self._left_out += 1

    def write(self, store: Store) -> None:
        """Add what was counted to the store.

        Raises:
            StoreUnavailable: it was not added, and stays counted here.
        """
        with self._lock:
            counts, self._counts = self._counts, Counter()
            left_out, self._left_out = self._left_out, 0
        if left_out:
            log_event(logging.WARNING, "cards shown were not counted", {"cards": left_out})
        if not counts:
            return
        try:
            store.add_shown({ShownCard(*kind): count for kind, count in counts.items()})
        except StoreUnavailable:
            with self._lock:
                self._counts.update(counts)
            raise
