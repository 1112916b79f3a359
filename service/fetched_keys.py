"""Keys that a client publishes at its ``jku``: fetched when asked for, kept, renewed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic
from types import MappingProxyType

import requests
from jwt import PyJWK
from urllib3.exceptions import HTTPError

from service.authorities import own_session
from service.jwks import Keys, read_keys
from service.log import log_event

# Older keys are looked after behind the calls; beyond OLD a call waits for them, so that a key
# withdrawn while nobody called is not accepted once more.
SOON_SECONDS = 300.0
OLD_SECONDS = 900.0
# How long the last keys stand while the set cannot be read: a night without the client's server.
KEPT_SECONDS = 43_200.0
# Least time between two fetches, whether they succeed or not and whatever kid is asked for.
FLOOR_SECONDS = 15.0
WAIT_SECONDS = 3.0
# Calls that wait for the first keys, or for others than old ones, at a time.
MOST_WAITING = 16
CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0
LARGEST_SET = 262_144
CHUNK = 16_384


class KeysNotFetched(Exception):
    """A key set could not be fetched; ``kind`` is one word of ours for the reason."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def fetch_keys(url: str) -> Keys:
    """The keys published at an address, which the configuration names.

    Neither redirects nor the environment's proxies and credentials are followed.

    Raises:
        KeysNotFetched: there was no answer, not one of status 200, or not a key set.
    """
    try:
        with (
            own_session() as session,
            session.get(
                url,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            if response.status_code != requests.codes.ok:
                raise KeysNotFetched(f"status {response.status_code}")
            body = _read(response)
    except requests.exceptions.SSLError:
        raise KeysNotFetched("certificate") from None
    except requests.Timeout:
        raise KeysNotFetched("timeout") from None
    except (requests.RequestException, HTTPError):
        raise KeysNotFetched("connection") from None
    try:
        return read_keys(json.loads(body))
    except (ValueError, RecursionError):
        raise KeysNotFetched("not a key set") from None


def _read(response: requests.Response) -> bytes:
    """The body, unless it is too long or drips in too slowly."""
    body = bytearray()
    deadline = monotonic() + WAIT_SECONDS
    while chunk := response.raw.read1(CHUNK, decode_content=False):
        body += chunk
        if len(body) > LARGEST_SET:
            raise KeysNotFetched("too large")
        if monotonic() > deadline:
            raise KeysNotFetched("timeout")
    return bytes(body)


@dataclass(frozen=True, slots=True)
class _Held:
    """The keys last fetched, and when; ``failed`` when the fetch after it brought nothing."""

    keys: Keys = field(default_factory=lambda: MappingProxyType({}))
    at: float = float("-inf")
    failed: bool = False


class FetchedKeys:
    """Keys published by a client at its ``jku``: fetched when asked for, kept, renewed.

    Any number of threads may ask; one fetch at a time goes out. A kid that is not known asks for
    a renewal, at most once in ``FLOOR_SECONDS``. While the set cannot be read the last keys stand,
    up to ``KEPT_SECONDS``. Few calls wait for a fetch; the others find what is there now.
    """

    def __init__(
        self,
        url: str,
        name: str,
        *,
        clock: Callable[[], float] = monotonic,
        fetch: Callable[[str], Keys] = fetch_keys,
    ) -> None:
        """Nothing is fetched yet; ``name`` is what the log calls the client."""
        self._url = url
        self._name = name
        self._clock = clock
        self._fetch = fetch
        self._held = _Held()
        self._lock = Lock()
        self._waiting = 0
        self._tried = float("-inf")
        self._done = Event()
        self._done.set()

    def find(self, kid: str, algorithm: str) -> PyJWK | None:
        """The key of this id that serves this algorithm; None when there is none now."""
        key, age, failed = self._look_up(kid, algorithm)
        if key is not None and age < SOON_SECONDS:
            return key
        renewed = self._renew()
        if key is not None and (age < OLD_SECONDS or failed):
            return key
        # Whoever makes up key ids waits as well: a set that was read, or that just failed, is
        # waited for by one call, so that others find their seats.
        self._wait(renewed, MOST_WAITING if age >= OLD_SECONDS and not failed else 1)
        return self._look_up(kid, algorithm)[0]

    def _wait(self, renewed: Event, most: int) -> None:
        """Wait for a fetch, unless as many calls do so already."""
        with self._lock:
            if self._waiting >= most:
                return
            self._waiting += 1
        try:
            renewed.wait(WAIT_SECONDS)
        finally:
            with self._lock:
                self._waiting -= 1

    @property
    def readable(self) -> bool:
        """Whether the set was read when it was last asked for, so that what it lacks is not there.

        False while a fetch that was waited for in vain is still under way.
        """
        held = self._held
        kept = self._clock() - held.at < KEPT_SECONDS
        return kept and not held.failed and self._done.is_set()

    def _look_up(self, kid: str, algorithm: str) -> tuple[PyJWK | None, float, bool]:
        held = self._held
        age = self._clock() - held.at
        key = held.keys.get((kid, algorithm)) if age < KEPT_SECONDS else None
        return key, age, held.failed

    def _renew(self) -> Event:
        """Start a fetch unless one runs or ran just now; the event says when it is over."""
        with self._lock:
            now = self._clock()
            if self._done.is_set() and now - self._tried >= FLOOR_SECONDS:
                done = Event()
                # A thread of its own: whatever the other side does, a call waits WAIT_SECONDS.
                Thread(target=self._fetch_once, args=(done,), daemon=True).start()
                self._tried, self._done = now, done
            return self._done

    def _fetch_once(self, done: Event) -> None:
        before = self._held
        try:
            self._held = _Held(self._fetch(self._url), self._clock())
            if before.failed:
                log_event(logging.INFO, "keys of a client read again", {"client": self._name})
        except KeysNotFetched as problem:
            self._held = _Held(before.keys, before.at, failed=True)
            if not before.failed:
                told = {"client": self._name, "kind": problem.kind}
                log_event(logging.WARNING, "keys of a client cannot be read", told)
        finally:
            done.set()
