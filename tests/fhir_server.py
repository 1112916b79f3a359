"""A real HTTP FHIR server for the tests: it pages, and it fails in every way asked of it."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from service.prefetch import SEARCHES

DRIP_SECONDS = 0.02
KINDS = {**SEARCHES, "patient": "Patient"}


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]

    @property
    def kind(self) -> str:
        """The resource type asked for."""
        return _kind(self.path)


Fault = Callable[["Exchange"], None]


@dataclass
class FhirServer:
    """What the server holds, how it behaves, and what it was asked.

    Attributes:
        chart: resource type → resources; every search finds them all.
        page_size: entries on a page; 0 puts all on one.
        faults: resource type → what is done instead of answering.
        connections: how many were made to it.
        origin: scheme, host and port it listens on.
        stopping: set when the server ends; what stalls waits for it.
    """

    chart: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    page_size: int = 0
    faults: dict[str, Fault] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    origin: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def base(self) -> str:
        """The FHIR base URL."""
        return f"{self.origin}/fhir"

    def hold(self, prefetch: Mapping[str, Any]) -> None:
        """Hold what a client would have sent as its prefetch."""
        for key, value in prefetch.items():
            entries = [{"resource": value}] if key == "patient" else value.get("entry", [])
            self.chart[KINDS[key]] = [entry["resource"] for entry in entries]

    def asked(self) -> Counter[str]:
        """How often each resource type was asked for."""
        return Counter(request.kind for request in self.received)


class Exchange(BaseHTTPRequestHandler):
    """One request to the server, and its answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fhir: FhirServer  # set by the class made for each server

    def setup(self) -> None:
        """Count the connection."""
        self.fhir.connections += 1
        super().setup()

    def do_GET(self) -> None:
        """Answer, or do what the fault for this resource type says."""
        self.fhir.received.append(Received(self.path, dict(self.headers.items())))
        with suppress(OSError):  # whoever asked may have lost patience
            self.fhir.faults.get(_kind(self.path), Exchange.answer)(self)

    def answer(self) -> None:
        """The resource read, or the page of the search."""
        kind = _kind(self.path)
        found = self.fhir.chart.get(kind, [])
        if "?" in self.path:
            self.send(self._page(found))
        elif found:
            self.send(found[0])
        else:
            self.send(outcome("not-found"), status=404)

    def _page(self, found: list[dict[str, Any]]) -> dict[str, Any]:
        start = int(parse_qs(urlsplit(self.path).query).get("_offset", ["0"])[0])
        end = start + self.fhir.page_size if self.fhir.page_size else len(found)
        page = search_set(found[start:end], total=len(found))
        if end < len(found):
            bare = self.path.partition("&_offset=")[0]
            page["link"] = [{"relation": "next", "url": f"{self.fhir.origin}{bare}&_offset={end}"}]
        return page

    def send(
        self,
        body: Any,
        *,
        status: int = 200,
        kind: str = "application/fhir+json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send JSON, or bytes as they are."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.begin(len(sent), status=status, kind=kind, headers=headers)
        self.wfile.write(sent)

    def begin(
        self,
        length: int,
        *,
        status: int = 200,
        kind: str = "application/fhir+json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send the head of an answer whose body is to have this length."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


def _kind(path: str) -> str:
    parts = urlsplit(path).path.removeprefix("/fhir/").split("/")
    return parts[0]


def search_set(resources: Iterable[dict[str, Any]], total: int | None = None) -> dict[str, Any]:
    """A page of a search."""
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    return bundle if total is None else {**bundle, "total": total}


def outcome(code: str, severity: str = "error") -> dict[str, Any]:
    """An OperationOutcome with one issue."""
    issue = {"severity": severity, "code": code}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def fails(status: int, *, times: int = 1_000, **headers: str) -> Fault:
    """Answer with an error so many times, then as usual."""
    left = [times]

    def fault(exchange: Exchange) -> None:
        if left[0] <= 0:
            return exchange.answer()
        left[0] -= 1
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return exchange.send(outcome("exception"), status=status, headers=named)

    return fault


def sends(body: Any, **how: Any) -> Fault:
    """Answer with this body, whatever was asked."""
    return lambda exchange: exchange.send(body, **how)


def stalls(exchange: Exchange) -> None:
    """Never answer."""
    exchange.close_connection = True
    exchange.fhir.stopping.wait(60)


def drips(exchange: Exchange) -> None:
    """Announce a long body and send a byte now and then."""
    exchange.begin(1_000_000)
    _drip(exchange, b" ")


def drips_head(exchange: Exchange) -> None:
    """Send header lines for ever, a letter at a time."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\n")
    _drip(exchange, b"X")


def _drip(exchange: Exchange, drop: bytes) -> None:
    exchange.close_connection = True
    while not exchange.fhir.stopping.wait(DRIP_SECONDS):
        exchange.wfile.write(drop)
        exchange.wfile.flush()


def breaks_off(exchange: Exchange) -> None:
    """Announce more than is sent, and hang up."""
    exchange.begin(5_000)
    exchange.wfile.write(b'{"resourceType": "Bundle", "entry": [')
    exchange.close_connection = True


def hangs_up(times: int = 1_000) -> Fault:
    """Close the connection without a word so many times, then answer."""
    left = [times]

    def fault(exchange: Exchange) -> None:
        if left[0] <= 0:
            return exchange.answer()
        left[0] -= 1
        exchange.close_connection = True
        return None

    return fault


def links_to(url: Callable[[Exchange], str]) -> Fault:
    """Answer as usual, with a link to a next page somewhere."""

    def fault(exchange: Exchange) -> None:
        found = exchange.fhir.chart.get(_kind(exchange.path), [])
        link = {"relation": "next", "url": url(exchange)}
        exchange.send({**search_set(found), "link": [link]})

    return fault


def redirects(to: str, status: int = 302) -> Fault:
    """Send whoever asks elsewhere."""
    return lambda exchange: exchange.send(b"", status=status, headers={"Location": to})


def inflates(megabytes: int) -> Fault:
    """Send a small body that becomes this large when decompressed."""
    body = gzip.compress(b" " * (megabytes << 20))
    return sends(body, headers={"Content-Encoding": "gzip"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients that hang up are what the tests are about."""


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[FhirServer]:
    """A FHIR server on a free port of this machine.

    Args:
        tls: its certificate; None serves plain HTTP.
    """
    fhir = FhirServer()
    exchange = type("Exchange", (Exchange,), {"fhir": fhir})
    server = _Server(("127.0.0.1", 0), exchange)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    fhir.origin = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield fhir
    finally:
        fhir.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
