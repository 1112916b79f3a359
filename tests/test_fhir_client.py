"""Asking a FHIR server that fails in every way: an outcome each time, and always in time."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from service.fhir_address import FhirAddress, read_address
from service.fhir_allow_list import AllowList
from service.fhir_answer import Outcome
from service.fhir_client import FhirClient, Question
from tests import fhir_server
from tests.authority import authority
from tests.fhir_server import Fault, FhirServer, fails, links_to, outcome, search_set, sends

__all__ = ["authority"]

AMPLE = 60.0
SHORT = 0.3
# A budget that does not hold would hold for ever; a slow machine needs less than this.
FAR_OVER = 20.0
SMALL = 100_000
TOKEN = "opaque-token"
PAINS = [{"resourceType": "Condition", "id": f"c{number}"} for number in range(5)]


@pytest.fixture
def fhir() -> Iterator[FhirServer]:
    with fhir_server.running() as server:
        server.chart["Condition"] = PAINS
        yield server


def client_for(*servers: FhirServer, seconds: float = AMPLE, largest: int = SMALL) -> FhirClient:
    allowed = AllowList(tuple(read_address(server.base) for server in servers))
    return FhirClient(allowed, seconds, largest)


def put(
    client: FhirClient, fhir: FhirServer, *queries: str, token: object = TOKEN
) -> list[Question]:
    base = read_address(fhir.base)
    questions = [
        Question(base.query_of(query), "Bundle" if "?" in query else "Patient")
        for query in queries or ("Condition?patient=p1",)
    ]
    client.put(base, token, questions)
    return questions


def ids(question: Question) -> list[str]:
    return [entry["resource"]["id"] for page in question.pages for entry in page.get("entry")]


def test_a_search_is_read_to_its_last_page(fhir: FhirServer) -> None:
    """Five problems on pages of two are all found, with the token on each page's request."""
    fhir.page_size = 2
    (question,) = put(client_for(fhir), fhir)

    assert question.outcome is Outcome.FETCHED
    assert ids(question) == ["c0", "c1", "c2", "c3", "c4"]
    assert [one.headers["Authorization"] for one in fhir.received] == [f"Bearer {TOKEN}"] * 3


def test_without_a_token_none_is_sent(fhir: FhirServer) -> None:
    """An open server is asked without credentials; whatever this machine knows stays here."""
    put(client_for(fhir), fhir, token=None)
    put(client_for(fhir), fhir, token="")

    assert len(fhir.received) == 2
    assert not [one for one in fhir.received if {"Authorization", "Cookie"} & set(one.headers)]


@pytest.mark.parametrize("token", ["a\r\nX-Injected: 1", "a b", "ü", 7, "x" * 20_000])
def test_a_token_that_is_none_is_never_sent(fhir: FhirServer, token: object) -> None:
    """A token that would break out of its header line leads to no request at all."""
    (question,) = put(client_for(fhir), fhir, token=token)

    assert question.outcome is Outcome.UNAUTHORISED
    assert not fhir.received


def test_proxies_netrc_and_cookies_play_no_part(
    fhir: FhirServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The token goes straight to its server, and nothing of one call is carried to the next."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    fhir.faults["Condition"] = sends(search_set(PAINS), headers={"Set-Cookie": "session=1"})
    client = client_for(fhir)
    first, second = put(client, fhir, token=None) + put(client, fhir, token=None)

    assert first.outcome is second.outcome is Outcome.FETCHED
    assert not [one for one in fhir.received if {"Authorization", "Cookie"} & set(one.headers)]


def test_connections_are_kept(fhir: FhirServer) -> None:
    """The next call saves itself the connecting, and with it most of the time."""
    client = client_for(fhir)
    put(client, fhir)
    put(client, fhir)

    assert len(fhir.received) == 2
    assert fhir.connections == 1


@pytest.mark.parametrize(
    ("words", "fault", "told"),
    [
        ("token refused", fails(401), Outcome.UNAUTHORISED),
        ("not permitted", fails(403), Outcome.UNAUTHORISED),
        ("unknown type", fails(404), Outcome.NOT_FOUND),
        ("failure", fails(500), Outcome.FAILED),
        ("bad request", fails(400), Outcome.FAILED),
        ("an answer without content", fails(204), Outcome.FAILED),
        ("too many requests, wait too long", fails(429, Retry_After="3600"), Outcome.THROTTLED),
        ("too many requests for good", fails(429, Retry_After="0"), Outcome.THROTTLED),
        ("always overloaded", fails(503, Retry_After="0"), Outcome.FAILED),
        ("HTML", sends(b"<html>Log in</html>", kind="text/html"), Outcome.UNREADABLE),
        ("HTML called JSON", sends(b"<html>Log in</html>"), Outcome.UNREADABLE),
        ("FHIR XML", sends(b"<Bundle/>", kind="application/fhir+xml"), Outcome.UNREADABLE),
        ("truncated JSON", sends(b'{"resourceType": "Bundle", "en'), Outcome.UNREADABLE),
        ("empty body", sends(b""), Outcome.UNREADABLE),
        ("an array", sends(b"[]"), Outcome.UNREADABLE),
        ("invalid UTF-8", sends(b'{"resourceType": "\xff"}'), Outcome.UNREADABLE),
        ("NaN", sends(b'{"resourceType": "Bundle", "total": NaN}'), Outcome.UNREADABLE),
        ("nested without end", sends(b'{"a":' * 5_000 + b"1" + b"}" * 5_000), Outcome.UNREADABLE),
        ("no FHIR", sends({"cards": []}), Outcome.UNREADABLE),
        ("another resource", sends(PAINS[0]), Outcome.UNREADABLE),
        ("no search", sends({"resourceType": "Bundle", "type": "history"}), Outcome.UNREADABLE),
        ("OperationOutcome with 200", sends(outcome("exception")), Outcome.FAILED),
        ("no gzip", sends(b"x", headers={"Content-Encoding": "gzip"}), Outcome.UNREADABLE),
        ("breaks off", fhir_server.breaks_off, Outcome.UNREADABLE),
        ("hangs up", fhir_server.hangs_up(), Outcome.UNREACHABLE),
        ("too large", sends(search_set(PAINS * 400)), Outcome.TOO_LARGE),
        ("too large once inflated", fhir_server.inflates(200), Outcome.TOO_LARGE),
    ],
)
def test_every_fault_has_its_outcome(
    fhir: FhirServer, words: str, fault: Fault, told: Outcome
) -> None:
    """A server's failure is told by a code, brings no data, and harms no other question."""
    fhir.faults["Condition"] = fault
    fhir.chart["Procedure"] = [{"resourceType": "Procedure", "id": "p1"}]
    failed, fine = put(client_for(fhir), fhir, "Condition?patient=p1", "Procedure?patient=p1")

    assert failed.outcome is told
    assert failed.pages == []
    assert fine.outcome is Outcome.FETCHED


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("overloaded once", fails(503, times=1)),
        ("a gateway twice without answer", fails(504, times=2)),
        ("too many requests, come again", fails(429, times=1, Retry_After="0")),
        ("a date to come again is not waited for", fails(503, times=1, Retry_After="Fri")),
        ("hung up once", fhir_server.hangs_up(1)),
    ],
)
def test_what_passes_is_asked_again(fhir: FhirServer, words: str, fault: Fault) -> None:
    """A passing failure does not cost the clinician the data."""
    fhir.faults["Condition"] = fault
    (question,) = put(client_for(fhir), fhir)

    assert question.outcome is Outcome.FETCHED
    assert len(ids(question)) == 5


@pytest.mark.parametrize(
    ("fault", "times"),
    [(fails(503), 3), (fails(429, Retry_After="3600"), 1), (fails(500), 1), (fails(401), 1)],
)
def test_it_never_hammers_a_server(fhir: FhirServer, fault: Fault, times: int) -> None:
    """What will not pass is asked once; what may, three times at most, and not against a wish."""
    fhir.faults["Condition"] = fault
    put(client_for(fhir), fhir)

    assert len(fhir.received) == times


def test_nobody_listening_is_told(fhir: FhirServer) -> None:
    """A server that is down is unreachable; there is no waiting for it."""
    with fhir_server.running() as gone:
        pass
    (question,) = put(client_for(gone), gone)

    assert question.outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize("fault", [fhir_server.stalls, fhir_server.drips, fhir_server.drips_head])
def test_the_budget_holds_against_slowness(fhir: FhirServer, fault: Fault) -> None:
    """A server that stalls, or drips its body or head, costs the budget and not a second more."""
    fhir.faults["Condition"] = fault
    fhir.chart["Procedure"] = [{"resourceType": "Procedure", "id": "p1"}]
    client = client_for(fhir, seconds=SHORT)
    begun = time.monotonic()
    put(client, fhir, *["Condition?patient=p1"] * 10)

    assert time.monotonic() - begun < FAR_OVER
    # Nor does it keep a thread: all of them are at hand for the next call.
    (fine,) = put(client_for(fhir), fhir, "Procedure?patient=p1")
    assert fine.outcome is Outcome.FETCHED
    client._threads.shutdown(wait=True)
    assert time.monotonic() - begun < FAR_OVER


def test_what_came_in_time_is_kept(fhir: FhirServer) -> None:
    """The first page arrived, the second never does: the first counts, and is known for a part."""
    fhir.page_size = 2
    fhir.faults["Condition"] = _on_later_pages(fhir_server.stalls)
    for seconds in (SHORT, 2.0, 10.0):  # a machine that is busy may need more for the first
        (question,) = put(client_for(fhir, seconds=seconds), fhir)
        if question.pages:
            break

    assert question.outcome is Outcome.TIMEOUT
    assert ids(question) == ["c0", "c1"]


def test_pages_before_a_failure_are_kept(fhir: FhirServer) -> None:
    """The second page is gone: the first counts, and the outcome says that it is a part."""
    fhir.page_size = 2
    fhir.faults["Condition"] = _on_later_pages(fails(404))
    (question,) = put(client_for(fhir), fhir)

    assert question.outcome is Outcome.NOT_FOUND
    assert ids(question) == ["c0", "c1"]


def _on_later_pages(fault: Fault) -> Fault:
    return lambda exchange: fault(exchange) if "_offset" in exchange.path else exchange.answer()


def test_pages_that_go_in_a_circle_end(fhir: FhirServer) -> None:
    """A page whose next page is itself is read once."""
    fhir.faults["Condition"] = links_to(lambda exchange: exchange.fhir.origin + exchange.path)
    (question,) = put(client_for(fhir), fhir)

    assert question.outcome is Outcome.UNFINISHED
    assert len(question.pages) == len(fhir.received) == 1


def test_pages_without_end_end(fhir: FhirServer) -> None:
    """Ever new addresses of next pages are followed a hundred times, no further."""
    fhir.chart["Condition"] = []
    fhir.faults["Condition"] = links_to(
        lambda exchange: f"{exchange.fhir.base}/Condition?p={len(exchange.fhir.received)}"
    )
    (question,) = put(client_for(fhir), fhir)

    assert question.outcome is Outcome.UNFINISHED
    assert len(fhir.received) == 100


def test_all_pages_together_have_a_limit(fhir: FhirServer) -> None:
    """Many pages of lawful length are no way round the limit of one answer."""
    fhir.page_size = 1
    (question,) = put(client_for(fhir, largest=500), fhir)

    assert question.outcome is Outcome.TOO_LARGE
    assert 0 < len(question.pages) < 5


def test_all_answers_together_have_a_limit(fhir: FhirServer) -> None:
    """Ten long answers at once are not all taken in; a call's memory is bounded."""
    fhir.faults["Condition"] = sends(search_set(PAINS * 100))
    one = len(json.dumps(search_set(PAINS * 100)))
    client = client_for(fhir, largest=one + 10)
    told = [question.outcome for question in put(client, fhir, *["Condition?patient=p1"] * 10)]

    assert told.count(Outcome.FETCHED) == 4
    assert told.count(Outcome.TOO_LARGE) == 6


def test_a_defect_of_ours_costs_one_answer(fhir: FhirServer) -> None:
    """Whatever breaks inside is an outcome, logged; the other questions are answered."""
    base = read_address(fhir.base)
    broken = Question(cast("FhirAddress", None), "Bundle")
    fine = Question(base.query_of("Condition?patient=p1"), "Bundle")
    client_for(fhir).put(base, TOKEN, [broken, fine])

    assert broken.outcome is Outcome.FAILED
    assert fine.outcome is Outcome.FETCHED


def test_a_small_body_never_becomes_a_large_one_in_memory(fhir: FhirServer) -> None:
    """A kilobyte that inflates to 200 megabytes is put down at the limit."""
    fhir.faults["Condition"] = fhir_server.inflates(200)
    client = client_for(fhir)
    tracemalloc.start()
    try:
        put(client, fhir)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 50 * SMALL


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(fhir: FhirServer, status: int) -> None:
    """Neither another server, nor the cloud's own secrets, nor the same server are reached so."""
    with fhir_server.running() as elsewhere:
        for to in (f"{elsewhere.base}/Condition", "http://169.254.169.254/", f"{fhir.base}/Other"):
            fhir.faults["Condition"] = fhir_server.redirects(to, status)
            (question,) = put(client_for(fhir, elsewhere), fhir)
            assert question.outcome is Outcome.REDIRECTED

        assert not elsewhere.received
    assert set(fhir.asked()) == {"Condition"}


def test_a_next_page_on_another_server_is_not_followed(fhir: FhirServer) -> None:
    """The token never leaves for another origin, not even for one that is listed as well."""
    with fhir_server.running() as elsewhere:
        elsewhere.chart["Condition"] = PAINS
        fhir.faults["Condition"] = links_to(lambda _: f"{elsewhere.base}/Condition?page=2")
        (question,) = put(client_for(fhir, elsewhere), fhir)

        assert question.outcome is Outcome.UNFINISHED
        assert len(ids(question)) == 5
        assert not elsewhere.received


def test_a_next_page_outside_the_listed_path_is_not_followed(fhir: FhirServer) -> None:
    """The list's path binds the pages too."""
    fhir.faults["Condition"] = links_to(lambda exchange: f"{exchange.fhir.origin}/admin?x=1")
    (question,) = put(client_for(fhir), fhir)

    assert question.outcome is Outcome.UNFINISHED
    assert len(fhir.received) == 1


def test_a_server_that_is_not_listed_is_not_called(fhir: FhirServer) -> None:
    """Not listed, not connected to."""
    with fhir_server.running() as listed:
        (question,) = put(client_for(listed), fhir)

    assert question.outcome is Outcome.REFUSED
    assert not fhir.received


def test_nothing_of_a_call_reaches_the_log(
    fhir: FhirServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Addresses bear the patient's id; no library of ours writes one, whatever goes wrong."""
    client = client_for(fhir)
    with caplog.at_level("DEBUG"):
        for fault in (fails(401), fhir_server.hangs_up(), _odd_head, fhir_server.breaks_off):
            fhir.faults["Condition"] = fault
            put(client, fhir, "Condition?patient=secret-1")
    written = caplog.text + "".join(capfd.readouterr())

    assert "secret-1" not in written
    assert TOKEN not in written


def _odd_head(exchange: Any) -> None:
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon here\r\n\r\n{}")
    exchange.close_connection = True


def lead(monkeypatch: pytest.MonkeyPatch, *turns: str) -> list[str]:
    """Lets every name lead to these addresses, one after the other; gives the names asked for."""
    asked: list[str] = []

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        address = turns[min(len(asked), len(turns) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", _only_for_test_names(look_up))
    return asked


def _only_for_test_names(look_up: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    real = socket.getaddrinfo
    return lambda host, port, *rest, **more: (
        look_up(host, port) if str(host).endswith(".test") else real(host, port, *rest, **more)
    )


def named(fhir: FhirServer, name: str) -> FhirAddress:
    base = read_address(fhir.base)
    return replace(base, host=name)


def ask_named(base: FhirAddress, *networks: str) -> Question:
    allowed = AllowList((base,), tuple(map(ipaddress.ip_network, networks)))
    question = Question(base.query_of("Condition?patient=p1"), "Bundle")
    FhirClient(allowed, AMPLE, SMALL).put(base, TOKEN, [question])
    return question


def test_the_certificate_is_that_of_the_name(
    authority: Callable[[str], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connected to by its checked address, the server must still prove to be the one named."""
    lead(monkeypatch, "127.0.0.1")
    with fhir_server.running(authority("fhir.test")) as server:
        server.chart["Condition"] = PAINS
        proven = ask_named(named(server, "fhir.test"), "127.0.0.0/8")
        (received,) = server.received
        mistaken = ask_named(named(server, "other.test"), "127.0.0.0/8")

        assert proven.outcome is Outcome.FETCHED
        assert received.headers["Host"] == named(server, "fhir.test").netloc
        assert mistaken.outcome is Outcome.UNREACHABLE
        assert len(server.received) == 1


def test_a_certificate_of_an_unknown_authority_is_refused(
    authority: Callable[[str], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody gets a token by signing a certificate for himself."""
    lead(monkeypatch, "127.0.0.1")
    with fhir_server.running(authority("fhir.test")) as server:
        monkeypatch.delenv("SSL_CERT_FILE")
        refused = ask_named(named(server, "fhir.test"), "127.0.0.0/8")

        assert refused.outcome is Outcome.UNREACHABLE
        assert not server.received


def test_a_name_that_changes_after_the_check_gains_nothing(
    fhir: FhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: what is connected to is the address that was checked, looked up once."""
    asked = lead(monkeypatch, "127.0.0.2", "127.0.0.1")
    question = ask_named(named(fhir, "fhir.test"), "127.0.0.2/32")

    assert question.outcome is Outcome.UNREACHABLE
    assert asked == ["fhir.test"]
    assert not fhir.received


def test_another_address_of_the_name_is_tried(
    fhir: FhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a server with two addresses, one is down: the other answers."""
    found = [(0, socket.SOCK_STREAM, 6, "", (f"127.0.0.{last}", 0)) for last in (2, 1)]
    monkeypatch.setattr(socket, "getaddrinfo", _only_for_test_names(lambda *_: found))

    assert ask_named(named(fhir, "fhir.test"), "127.0.0.0/8").outcome is Outcome.FETCHED


def test_a_name_that_leads_inside_is_refused(
    fhir: FhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listed name is not followed to this machine, although a server listens there."""
    lead(monkeypatch, "127.0.0.1")

    assert ask_named(named(fhir, "fhir.test")).outcome is Outcome.REFUSED
    assert not fhir.received


def test_a_look_up_that_hangs_costs_the_budget(
    fhir: FhirServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that does not answer does not hold the call."""
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(30) and [])
    client = FhirClient(AllowList((named(fhir, "fhir.test"),)), SHORT, SMALL)
    base = named(fhir, "fhir.test")
    question = Question(base.query_of("Condition?patient=p1"), "Bundle")
    begun = time.monotonic()
    client.put(base, TOKEN, [question])
    took = time.monotonic() - begun
    answered.set()

    assert question.outcome is Outcome.TIMEOUT
    assert took < FAR_OVER
