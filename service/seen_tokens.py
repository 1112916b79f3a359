"""Tokens seen before: each is good for one call."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from hashlib import sha256
from heapq import heappop, heappush
from threading import Lock, Thread
from time import time
from typing import Protocol

from service.log import log_event
from service.store_errors import StoreUnavailable
from service.token_tables import TokenTable

# Between two clearances of expired rows, and after a failure of the store until the next attempt.
CLEARANCE_SECONDS = 60
RETRY_SECONDS = 5


class SeenTokens(Protocol):
    """Remembers tokens until they expire."""

    def first_use(self, iss: str, jti: str, expires: int) -> bool:
        """Whether this is the first call that bears this ``jti`` of this issuer; remembers it.

        Args:
            expires: seconds since 1970 from which the token is refused for its age anyway.
        """


def token_hash(iss: str, jti: str) -> str:
    """What a token is remembered by; neither text can be read from it."""
    return sha256(json.dumps([iss, jti]).encode()).hexdigest()


class TokensInMemory:
    """Tokens one process has seen; forgotten when it ends."""

    def __init__(self, *, now: Callable[[], float] = time) -> None:
        """Nothing is seen yet; ``now`` gives seconds since 1970."""
        self._now = now
        self._hashes: set[str] = set()
        self._by_expiry: list[tuple[int, str]] = []
        self._lock = Lock()

    def __len__(self) -> int:
        """How many tokens are remembered."""
        return len(self._hashes)

    def first_use(self, iss: str, jti: str, expires: int) -> bool:
        """Whether this process sees this ``jti`` of this issuer for the first time."""
        token = token_hash(iss, jti)
        with self._lock:
            while self._by_expiry and self._by_expiry[0][0] <= self._now():
                self._hashes.discard(heappop(self._by_expiry)[1])
            if token in self._hashes:
                return False
            self._hashes.add(token)
            heappush(self._by_expiry, (expires, token))
            return True


class TokensInStore:
    """Tokens all processes of one store have seen.

    While the store is down each process remembers its own, so that cards are still answered; a
    token could then be used once in each process. That is logged once and counted.
    """

    def __init__(
        self,
        table: TokenTable,
        count_unshared: Callable[[], None],
        *,
        now: Callable[[], float] = time,
    ) -> None:
        """The store is first touched by the first token.

        Args:
            count_unshared: told of each token that the store could not remember.
            now: gives seconds since 1970.
        """
        self._table = table
        self._count_unshared = count_unshared
        self._now = now
        self._own = TokensInMemory(now=now)
        self._down_until = 0.0
        self._cleared_at = now()
        self._lock = Lock()

    def first_use(self, iss: str, jti: str, expires: int) -> bool:
        """Whether any process of this store sees this ``jti`` of this issuer for the first time."""
        if not self._own.first_use(iss, jti, expires):
            return False
        if self._now() < self._down_until:
            self._count_unshared()
            return True
        try:
            first = self._table.add(token_hash(iss, jti), expires)
        except StoreUnavailable as problem:
            self._go_without(problem)
            return True
        self._down_until = 0.0
        self._clear_now_and_then()
        return first

    def _go_without(self, problem: StoreUnavailable) -> None:
        if not self._down_until:
            log_event(
                logging.WARNING,
                "tokens are remembered by each process alone",
                {"kind": str(problem)},
            )
        self._count_unshared()
        self._down_until = self._now() + RETRY_SECONDS

    def _clear_now_and_then(self) -> None:
        with self._lock:
            if self._now() - self._cleared_at < CLEARANCE_SECONDS:
                return
            self._cleared_at = self._now()
        # Not while a card waits.
        Thread(target=self.clear, daemon=True).start()

    def clear(self) -> None:
        """Take out expired tokens; a store that is down is cleared another time."""
        try:
            # Another machine's clock may be behind ours.
            self._table.clear(int(self._now()) - CLEARANCE_SECONDS)
        except StoreUnavailable as problem:
            told = {"kind": str(problem)}
            log_event(logging.WARNING, "expired tokens were not taken out", told)
