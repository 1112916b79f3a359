"""Nothing anybody wrote into a chart, a body or a header becomes markup, a link or a header."""

from __future__ import annotations

import gzip
import json
import re
import socket
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from cards.explanation import explain, in_words
from cards.library import Library, load_library
from cards.markdown import escaped
from service.app import create_app
from service.hooks import judge, service_of_hook
from service.lint import lint
from service.profile import PLAIN, PROFILES, fitted
from service.settings import Settings
from tests.conftest import bundle, call
from tests.generated_records import NAMES, STORED, TODAY, Stored, address, places, put, sent
from tests.hostile_records import MARKER, PAYLOADS, active, hostile, shown

VIEW = "/cds-services/back-pain-patient-view"
MEGABYTES = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The application, on the day all synthetic patients are judged."""
    folder = tmp_path_factory.mktemp("injection")
    house = Settings(database_url=f"sqlite:///{folder}/feedback.sqlite3", log_level="error")
    return create_app(house, today=lambda: TODAY, library=load_library()).test_client()


def _faults(card: dict[str, Any]) -> list[str]:
    """What of a card is active, or has record text where only our own words belong."""
    plain = fitted(card, PLAIN)["detail"]
    faults = [f"detail: {each}" for each in active(card["detail"])]
    faults += [f"plain detail: {each}" for each in active(plain)]
    faults += [f"{where}: {text}" for where, text in shown(card) if MARKER in text]
    return faults


# Texts of the chart


@pytest.mark.parametrize("stored", STORED, ids=NAMES)
def test_no_text_of_a_chart_becomes_markup(clinic: FlaskClient, stored: Stored) -> None:
    """Names, displays, notes, units and instructions full of markup are shown as words."""
    first = NAMES.index(stored.name)
    response = sent(clinic, hostile(stored.request, first))

    assert response.status_code in {200, 412}
    for card in response.get_json().get("cards", ()):
        assert [] == _faults(card)


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
def test_each_payload_is_shown_as_words(clinic: FlaskClient, number: int) -> None:
    """Each kind of markup does reach a card, and does nothing there."""
    detail = ""
    for stored in STORED[::20]:
        response = sent(clinic, hostile(stored.request, number))
        for card in response.get_json().get("cards", ()):
            assert [] == _faults(card)
            detail += card["detail"]

    assert MARKER in detail


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
@pytest.mark.parametrize(
    "place", ["{}", "- {}", "Found in the record: {} (2026-01-02); {}", "**{}**", "a\n\n{}\n\n{}"]
)
def test_a_payload_is_harmless_wherever_it_stands(payload: str, place: str) -> None:
    """At the start of a line, in a list, in emphasis or twice: escaped text is words."""
    text = escaped(payload)

    assert [] == active(place.format(text, text))


@pytest.mark.parametrize("name", PROFILES)
def test_the_linter_agrees(clinic: FlaskClient, name: str) -> None:
    """Cards of hostile charts are as legal as any for each kind of client."""
    profile = PROFILES[name]
    for number, stored in enumerate(STORED[::10]):
        response = sent(clinic, hostile(stored.request, number))
        cards = [fitted(card, profile) for card in response.get_json().get("cards", ())]

        assert [] == lint(cards, profile)


EVERYWHERE = ("oxycodone-cyclobenzaprine", "markup-in-display-text", "epic-like-oxycodone")


@pytest.mark.parametrize(
    "stored", [s for s in STORED if s.name in EVERYWHERE], ids=lambda stored: stored.name
)
@pytest.mark.parametrize("payload", [PAYLOADS[0], PAYLOADS[4]], ids=ascii)
def test_not_even_ids_codes_and_dates_become_markup(
    clinic: FlaskClient, stored: Stored, payload: str
) -> None:
    """A payload in any other text, one after the other, is refused, ignored or shown as words."""
    for path in places(stored.request):
        if path[0] not in {"context", "prefetch"} or not isinstance(_at(stored, path), str):
            continue
        request = stored.copy()
        put(request, path, payload)
        response = sent(clinic, request, address(stored.request))

        assert response.status_code in {200, 400, 412}
        if response.status_code == 200:
            assert [] == [f for card in response.get_json()["cards"] for f in _faults(card)], path
        else:
            assert MARKER not in response.text


def _at(stored: Stored, path: tuple[Any, ...]) -> Any:
    value: Any = stored.request
    for step in path:
        value = value[step]
    return value


def test_an_explanation_does_not_steer_the_terminal(library: Library) -> None:
    """``backpath evaluate --explain`` prints words; no colour, bell or moved cursor."""
    for number, stored in enumerate(STORED[::40]):
        for shift in range(0, len(PAYLOADS), 5):
            request = hostile(stored.request, number + shift)
            service = service_of_hook(request["hook"])
            if "patient" not in (request.get("prefetch") or {}):
                continue
            advice = judge(request, service, library, stored.day).advice
            told = in_words(explain(advice, library))

            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", told)


# Bodies that grow


def _bundle(count: int) -> bytes:
    entry = b'{"resource":{"resourceType":"Condition"}}'
    return (
        b'{"hook":"patient-view","hookInstance":"d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",'
        b'"context":{"userId":"Practitioner/1","patientId":"1"},"prefetch":{"patient":'
        b'{"resourceType":"Patient","id":"1","birthDate":"1980-01-01"},"conditions":'
        b'{"resourceType":"Bundle","entry":[' + b",".join([entry] * count) + b"]}}}"
    )


GROWING: dict[str, Callable[[], bytes]] = {
    "8 MB of open brackets": lambda: b"[" * MEGABYTES,
    "8 MB of open members": lambda: (b'{"a":' * MEGABYTES)[:MEGABYTES],
    "8 MB of one text without end": lambda: b'"' + b"x" * (MEGABYTES - 1),
    "8 MB of backslashes": lambda: b'"' + b"\\" * (MEGABYTES - 1),
    "8 MB of quotation marks": lambda: b'"' * MEGABYTES,
    "8 MB of digits": lambda: b'{"a":' + b"9" * (MEGABYTES - 6) + b"}",
    "8 MB of decimals": lambda: b'{"a":0.' + b"3" * (MEGABYTES - 8) + b"}",
    "a huge exponent": lambda: b'{"a":1e' + b"9" * 100_000 + b"}",
    "one member a million times": lambda: b"{" + b'"a":1,' * 1_000_000 + b'"a":1}',
    "500,000 members": lambda: b"{" + b",".join(b'"%d":1' % n for n in range(500_000)) + b"}",
    "1,000,000 empty lists": lambda: b'{"a":[' + b"[]," * 1_000_000 + b"[]]}",
    "8 MB of blanks": lambda: b" " * MEGABYTES,
}


@pytest.mark.parametrize("make", GROWING.values(), ids=GROWING)
def test_a_body_that_grows_when_read_is_refused(
    clinic: FlaskClient, make: Callable[[], bytes]
) -> None:
    """Whatever fits the size limit and is no call gets 400 or 413 with a short answer."""
    body = make()
    response = clinic.post(VIEW, data=body, content_type="application/json")

    assert len(body) <= MEGABYTES
    assert response.status_code in {400, 413}
    assert response.get_json()["resourceType"] == "OperationOutcome"
    assert len(response.data) < 2_000


def test_a_bundle_of_many_small_entries_is_refused(clinic: FlaskClient) -> None:
    """A hundred thousand empty conditions fit the size limit, and would take half a minute."""
    response = clinic.post(VIEW, data=_bundle(100_000), content_type="application/json")

    assert response.status_code == 413
    assert response.get_json()["issue"][0]["code"] == "too-costly"


def test_a_long_list_of_one_drug_is_read(clinic: FlaskClient) -> None:
    """Two thousand orders of an opioid are summed in a moment, each once."""
    request = call()
    request["prefetch"]["medications"] = bundle(*(_oxycodone(n) for n in range(2_000)))
    response = clinic.post(VIEW, json=request)

    assert response.status_code == 200


def test_more_drafts_than_anybody_signs_are_refused(clinic: FlaskClient) -> None:
    """Each draft is judged beside all others, so their number is bounded."""
    request = call("order-sign")
    drafts = [_oxycodone(n, status="draft") for n in range(201)]
    request["context"]["draftOrders"] = bundle(*drafts)
    response = clinic.post("/cds-services/back-pain-order-sign", json=request)
    (issue,) = response.get_json()["issue"]

    assert response.status_code == 400
    assert issue["expression"] == ["context.draftOrders.entry"]


def _oxycodone(number: int, status: str = "active") -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": f"m{number}",
        "status": status,
        "intent": "order",
        "subject": {"reference": "Patient/pat-1"},
        "authoredOn": "2026-06-01",
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "7804"}]
        },
    }


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-gzip", "identity, gzip"])
def test_a_compressed_body_is_not_unpacked(clinic: FlaskClient, encoding: str) -> None:
    """A bomb of a few kilobytes that would unpack to a gigabyte stays packed."""
    packed = zlib.compressobj(9)
    zeros = bytes(1024 * 1024)
    bomb = b"".join(packed.compress(zeros) for _ in range(64)) + packed.flush()
    body = gzip.compress(bomb) if "gzip" in encoding else bomb
    response = clinic.post(
        VIEW, data=body, content_type="application/json", headers={"Content-Encoding": encoding}
    )

    assert response.status_code == 415


@pytest.mark.parametrize("value", [1e308, -1e308, 5e-324, 10**300, -(10**300), 10**20, 0, -0.0])
def test_numbers_at_the_edge_are_no_failure(clinic: FlaskClient, value: float) -> None:
    """A dose, score or age beyond all bounds is not reckoned with, and ends no call."""
    for stored in STORED[::60]:
        request = stored.copy()
        for path in places(request):
            old = _at(stored, path)
            number = isinstance(old, int | float) and not isinstance(old, bool)
            if number and path[0] in {"context", "prefetch"}:
                put(request, path, value)
        response = sent(clinic, request, address(stored.request))

        assert response.status_code in {200, 400, 412}
        assert "Infinity" not in response.text
        assert "NaN" not in response.text


# Headers


def _exchange(base_url: str, head: bytes, body: bytes = b"") -> tuple[int, bytes]:
    """Status and header block of the answer to a request written byte by byte."""
    parts = urlsplit(base_url)
    with socket.create_connection((str(parts.hostname), parts.port or 80), timeout=30) as line:
        line.sendall(head + b"\r\n\r\n" + body)
        answer = b""
        while b"\r\n\r\n" not in answer and (more := line.recv(65_536)):
            answer += more
    block = answer.partition(b"\r\n\r\n")[0]
    return (int(block.split(b" ", 2)[1]) if block else 0), block


EVIL = b"evil.example"
HEADERS: dict[str, bytes] = {
    "a request id with a line in it": b"X-Request-ID: ab\rSet-Cookie: evil.example=1",
    "a request id folded": b"X-Request-ID: ab\r\n Set-Cookie: evil.example=1",
    "a request id with words": b"X-Request-ID: evil.example",
    "a request id with an encoded line": b"X-Request-ID: ab%0d%0aSet-Cookie:%20evil.example=1",
    "a request id beyond ASCII": b"X-Request-ID: evil.example\xc3\xa9\xff",
    "two request ids": b"X-Request-ID: evil.example\r\nX-Request-ID: evil.example",
    "an origin": b"Origin: https://evil.example",
    "an origin with a line in it": b"Origin: https://evil.example\rX-A: evil.example",
    "what a browser asks for": b"Access-Control-Request-Headers: evil.example\r\n"
    b"Access-Control-Request-Method: evil.example",
    "a forwarded host": b"X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example",
    "a referrer": b"Referer: https://evil.example/",
    "a null": b"X-Request-ID: ab\x00evil.example",
    "an accepted type": b"Accept: evil.example/x",
    "a token": b"Authorization: Bearer evil.example",
}
PATHS = {
    "discovery": b"/cds-services",
    "an encoded line": b"/cds-services/%0d%0aSet-Cookie:evil.example=1",
    "a query": b"/cds-services?a=%0d%0aSet-Cookie:evil.example=1",
    "two slashes": b"//evil.example/cds-services",
    "two slashes within": b"/cds-services//evil.example",
    "dots": b"/cds-services/../../evil.example",
    "a whole address": b"http://evil.example/cds-services",
    "a slash at the end": b"/cds-services/evil.example/",
    "a backslash": b"/\\evil.example/cds-services",
}


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_no_header_is_echoed(live_server: str, header: bytes, method: str) -> None:
    """A client's header comes back in none of ours, whatever stands in it."""
    head = method.encode() + b" /cds-services HTTP/1.1\r\nHost: evil.example\r\n" + header
    status, block = _exchange(live_server, head)

    assert status in {200, 204, 400, 401, 405}
    assert EVIL not in block.lower()
    assert b"set-cookie" not in block.lower()


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "EVIL.EXAMPLE"])
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_no_address_is_echoed(live_server: str, path: bytes, method: str) -> None:
    """Neither the address nor the host asked for comes back, not even in a redirection."""
    head = method.encode() + b" " + path + b" HTTP/1.1\r\nHost: evil.example"
    status, block = _exchange(live_server, head)

    assert status in {200, 204, 400, 404, 405, 415}
    assert EVIL not in block.lower()
    assert b"location:" not in block.lower()
    assert b"set-cookie" not in block.lower()


SMUGGLED = {
    "two lengths": b"Content-Length: 2\r\nContent-Length: 3",
    "length and chunks": b"Content-Length: 2\r\nTransfer-Encoding: chunked",
    "a length below nought": b"Content-Length: -1",
    "a length of words": b"Content-Length: evil.example",
    "a length of ten thousand digits": b"Content-Length: " + b"9" * 8_000,
    "chunks of an unknown kind": b"Transfer-Encoding: evil.example",
    "chunks twice": b"Transfer-Encoding: chunked, chunked",
}


@pytest.mark.parametrize("header", SMUGGLED.values(), ids=SMUGGLED)
def test_a_body_of_doubtful_length_is_refused(live_server: str, header: bytes) -> None:
    """No second request can hide in the first, and a wrong length is the client's fault."""
    head = b"POST /cds-services HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\n"
    status, block = _exchange(live_server, head + header, b"{}")

    assert 400 <= status < 500 or status == 501
    assert EVIL not in block.lower()


@pytest.mark.parametrize("number", [150, 5_000])
def test_too_many_headers_are_refused(live_server: str, number: int) -> None:
    """A client cannot fill our memory with headers."""
    many = b"\r\n".join(b"X-%d: y" % n for n in range(number))
    status, _ = _exchange(live_server, b"GET /cds-services HTTP/1.1\r\nHost: a.example\r\n" + many)

    assert 400 <= status < 500


def test_an_answer_is_json_and_not_a_page(clinic: FlaskClient) -> None:
    """A browser that opens an answer finds nothing in it to run, refused or not."""
    stored = STORED[0]
    for request in (hostile(stored.request, 0), {"hook": PAYLOADS[0]}):
        response = sent(clinic, request, address(stored.request))

        assert response.content_type == "application/json"
        assert "<script" not in json.dumps(response.get_json().get("issue", ""))
