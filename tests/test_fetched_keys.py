"""Published keys: when the client's server is asked for them, and what if it fails."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from service import fetched_keys
from service.clock import clock_of_server
from service.fetched_keys import (
    FLOOR_SECONDS,
    KEPT_SECONDS,
    OLD_SECONDS,
    SOON_SECONDS,
    FetchedKeys,
    KeysNotFetched,
    fetch_keys,
)
from service.jwks import Keys, read_keys
from tests import fhir_server
from tests.authority import authority
from tests.tokens import KeyServer, Signer, key_server

__all__ = ["authority"]

SIGNER = Signer()
NEXT = Signer(kid="key-2")
JWK = SIGNER.jwk()


@pytest.fixture
def server() -> Iterator[KeyServer]:
    """A server that publishes the signer's key."""
    with key_server() as served:
        served.publish(SIGNER)
        yield served


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Seconds by this clock."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until it is set."""
    return Clock()


def _settled(keys: FetchedKeys) -> None:
    """Wait for a fetch that runs behind the calls."""
    assert keys._done.wait(10)


def _knows(keys: FetchedKeys, signer: Signer) -> bool:
    return keys.find(signer.kid, signer.algorithm) is not None


def test_keys_are_fetched_once(server: KeyServer, clock: Clock) -> None:
    """Not before the first call, and not again for each."""
    keys = FetchedKeys(server.url, "ehr", clock=clock)

    assert server.asked == []
    assert [_knows(keys, SIGNER) for _ in range(20)] == [True] * 20
    assert server.asked == ["/jwks.json"]


def test_many_first_calls_share_one_fetch(server: KeyServer, clock: Clock) -> None:
    """A ward that starts its day does not overrun the EHR's server."""
    keys = FetchedKeys(server.url, "ehr", clock=clock)
    with ThreadPoolExecutor(16) as pool:
        known = list(pool.map(lambda _: _knows(keys, SIGNER), range(64)))

    assert known == [True] * 64
    assert len(server.asked) == 1


def test_a_new_key_is_found_by_its_id(server: KeyServer, clock: Clock) -> None:
    """A client changes its key; the next call fetches it, as soon as the least time has passed."""
    keys = FetchedKeys(server.url, "ehr", clock=clock)
    assert _knows(keys, SIGNER)
    server.publish(SIGNER, NEXT)

    assert not _knows(keys, NEXT)
    clock.now += FLOOR_SECONDS
    assert _knows(keys, NEXT)
    assert len(server.asked) == 2


def test_made_up_ids_do_not_make_us_ask_and_ask(server: KeyServer, clock: Clock) -> None:
    """A stranger who makes up key ids causes one fetch in the least time, and no more."""
    keys = FetchedKeys(server.url, "ehr", clock=clock)
    found = [keys.find(f"made-up-{number}", "ES384") for number in range(50)]

    assert set(found) == {None}
    assert len(server.asked) == 1


def test_a_withdrawn_key_is_forgotten(server: KeyServer, clock: Clock) -> None:
    """A key the client takes back is refused after the renewal, also when nobody called since."""
    keys = FetchedKeys(server.url, "ehr", clock=clock)
    assert _knows(keys, SIGNER)
    server.publish(NEXT)
    clock.now += OLD_SECONDS

    assert not _knows(keys, SIGNER)
    assert _knows(keys, NEXT)


def test_a_client_may_withdraw_all_its_keys(server: KeyServer, clock: Clock) -> None:
    """An empty set is an answer, not a failure."""
    keys = FetchedKeys(server.url, "ehr", clock=clock)
    assert _knows(keys, SIGNER)
    server.publish()
    clock.now += OLD_SECONDS

    assert not _knows(keys, SIGNER)


def test_keys_are_renewed_behind_the_calls(server: KeyServer, clock: Clock) -> None:
    """No call waits for a renewal while the keys are not old."""
    keys = FetchedKeys(server.url, "ehr", clock=clock)
    assert _knows(keys, SIGNER)
    server.publish(NEXT)
    clock.now += SOON_SECONDS

    assert _knows(keys, SIGNER)
    _settled(keys)
    assert not _knows(keys, SIGNER)
    assert len(server.asked) == 2


FAILURES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status 500", {"status": 500}),
    ("status 404", {"status": 404}),
    ("status 302", {"status": 302, "headers": {"Location": "/elsewhere.json"}}),
    ("not a key set", {"body": b"<html>Maintenance</html>"}),
    ("not a key set", {"body": b'{"keys": [{"kty": "EC", "kid"'}),
    ("not a key set", {"body": b"[" * 100_000}),
    ("not a key set", {"body": b'{"keys": "\xff"}'}),
    ("not a key set", {"body": b"7"}),
    ("too large", {"body": b'{"keys": []' + b" " * fetched_keys.LARGEST_SET + b"}"}),
)


@pytest.mark.parametrize(("kind", "failure"), FAILURES)
def test_the_last_keys_stand_while_the_server_fails(
    server: KeyServer, clock: Clock, kind: str, failure: dict[str, Any]
) -> None:
    """A night of maintenance at the EHR's side does not stop cards; it is not for ever either."""
    keys = FetchedKeys(server.url, "ehr", clock=clock)
    assert _knows(keys, SIGNER)
    began = clock.now
    vars(server).update(failure)
    with pytest.raises(KeysNotFetched) as refused:
        fetch_keys(server.url)

    assert refused.value.kind == kind
    clock.now = began + OLD_SECONDS
    assert _knows(keys, SIGNER)
    assert keys.find("other", "ES384") is None
    clock.now = began + KEPT_SECONDS - 1
    assert _knows(keys, SIGNER)
    _settled(keys)
    clock.now = began + KEPT_SECONDS
    assert not _knows(keys, SIGNER)
    assert "/elsewhere.json" not in server.asked


def test_a_server_that_is_down_is_asked_again_and_not_at_once(
    server: KeyServer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure is remembered for the least time, told once, and over when the server is back."""
    server.status = 503
    keys = FetchedKeys(server.url, "ehr", clock=clock)
    with caplog.at_level("INFO", "backpath"):
        assert [_knows(keys, SIGNER) for _ in range(5)] == [False] * 5
        assert len(server.asked) == 1
        clock.now += FLOOR_SECONDS
        assert not _knows(keys, SIGNER)
        server.publish(SIGNER)
        clock.now += FLOOR_SECONDS
        assert _knows(keys, SIGNER)

    assert len(server.asked) == 3
    assert [(record.msg, vars(record)["fields"]) for record in caplog.records] == [
        ("keys of a client cannot be read", {"client": "ehr", "kind": "status 503"}),
        ("keys of a client read again", {"client": "ehr"}),
    ]


def test_a_key_that_is_not_there_differs_from_a_set_that_is_not(
    server: KeyServer, clock: Clock
) -> None:
    """Whoever looks into refusals is told whether the client's server or its token is at fault."""
    keys = FetchedKeys(server.url, "ehr", clock=clock)
    assert not _knows(keys, NEXT)
    assert keys.readable
    server.status = 503
    clock.now += FLOOR_SECONDS
    assert not _knows(keys, NEXT)
    assert not keys.readable
    server.publish(SIGNER, NEXT)
    clock.now += FLOOR_SECONDS
    assert _knows(keys, NEXT)
    assert keys.readable


def test_a_key_server_of_an_internal_authority(
    server: KeyServer,
    authority: Callable[[str], ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A hospital's own authority is added by SSL_CERT_FILE; without that nobody is believed."""
    with fhir_server.running(authority("localhost")) as published:
        published.chart["jwks.json"] = [json.loads(server.body)]
        url = f"{published.base.replace('127.0.0.1', 'localhost')}/jwks.json"

        assert set(fetch_keys(url)) == {("key-1", "ES384")}
        assert clock_of_server(url) is not None
        with pytest.raises(KeysNotFetched, match="certificate"):  # the name must be right as well
            fetch_keys(url.replace("localhost", "127.0.0.1"))
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(KeysNotFetched, match="certificate"):
            fetch_keys(url)
        assert clock_of_server(url) is None


def test_nobody_listening_is_told_as_such() -> None:
    """A wrong port is a failure like any other."""
    with key_server() as gone:
        url = gone.url
    with pytest.raises(KeysNotFetched, match="connection"):
        fetch_keys(url)


def test_a_dripping_answer_is_left(server: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends a byte now and then does not hold the renewal for ever."""
    monkeypatch.setattr(fetched_keys, "WAIT_SECONDS", 0.2)

    def drip() -> Iterator[bytes]:
        while True:
            yield b" "
            time.sleep(0.02)

    server.chunks = drip()
    with pytest.raises(KeysNotFetched, match="timeout"):
        fetch_keys(server.url)


def test_a_chunked_answer_is_read(server: KeyServer) -> None:
    """Many servers do not say how long their answer is."""
    server.headers = {"Connection": "close"}
    server.chunks = iter([server.body[:40], server.body[40:]])

    assert set(fetch_keys(server.url)) == {("key-1", "ES384")}


def test_known_keys_serve_while_a_fetch_hangs(clock: Clock) -> None:
    """With the server silent, known clients are answered at once."""
    hold = Event()
    answers: list[Callable[[], Keys]] = [lambda: read_keys({"keys": [JWK]}), lambda: _fail(hold)]
    keys = FetchedKeys("", "ehr", clock=clock, fetch=lambda _: answers.pop(0)())
    assert _knows(keys, SIGNER)
    clock.now += SOON_SECONDS

    assert [_knows(keys, SIGNER) for _ in range(3)] == [True] * 3
    assert not keys._done.is_set()
    hold.set()
    _settled(keys)


@pytest.mark.parametrize("begins", ["read before", "never read", "failed before"])
def test_a_silent_server_keeps_few_calls_waiting(clock: Clock, begins: str) -> None:
    """Made-up key ids find no way to hold all seats: one call waits, or a few for the first set."""
    hold = Event()
    first: dict[str, list[Callable[[], Keys]]] = {
        "read before": [lambda: read_keys({"keys": [JWK]})],
        "never read": [],
        "failed before": [lambda: _fail(hold)],
    }
    answers: list[Callable[[], Keys]] = [*first[begins], lambda: _fail(hold)]
    keys = FetchedKeys("", "ehr", clock=clock, fetch=lambda _: answers.pop(0)())
    most: int = fetched_keys.MOST_WAITING if begins == "never read" else 1
    if begins != "never read":
        if begins == "failed before":
            hold.set()
        keys.find(SIGNER.kid, "ES384")
        hold.clear()
        clock.now += FLOOR_SECONDS
    with ThreadPoolExecutor(most) as pool:
        waiting = [pool.submit(keys.find, f"made-up-{n}", "ES384") for n in range(most)]
        while keys._waiting < most:
            assert not any(one.done() for one in waiting)
            time.sleep(0.001)
        # Nobody waits for this one: the server says nothing before it is answered.
        assert keys.find("one-more", "ES384") is None
        assert not keys.readable
        assert keys._waiting == most
        hold.set()

    assert keys._waiting == 0


def _fail(hold: Event) -> Keys:
    hold.wait(10)
    raise KeysNotFetched("timeout")


def test_the_environment_sends_nothing_elsewhere(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy or password somebody set for other programs is not used for keys."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    assert json.loads(server.body)["keys"]
    assert set(fetch_keys(server.url)) == {("key-1", "ES384")}
