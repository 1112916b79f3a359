"""Asking an EHR's authorization server: pinned to checked addresses, within one budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import requests
from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import BaseAdapter

from service.call_budget import BudgetSpent, CallBudget
from service.fhir_address import AddressRefused, FhirAddress, read_address
from service.fhir_allow_list import AllowList, is_this_machine
from service.fhir_answer import Access, NoAnswer, Outcome, ask, reaching
from service.pinned_http import PinnedHttp
from service.settings import Settings

T = TypeVar("T")

SECONDS = 5.0
THREADS = 8
KEPT = 4
# The longest documents found at EHRs have some 5 kB; a token may bear a few more.
LARGEST = 100_000
CHUNK = 8_192
# What reading an answer of another shape than the standard's ends in.
ODD = (TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)
HEADERS = {"Accept": "application/json", "User-Agent": "backpath"}


class SmartHttp:
    """The only way from the pathway view to authorization servers.

    Attributes:
        allowed: the FHIR servers of the settings; a launch from any other is refused.
    """

    def __init__(self, settings: Settings) -> None:
        """Make ready to ask; nothing is asked yet."""
        servers = tuple(map(read_address, settings.fhir_servers))
        self.allowed = AllowList(servers, settings.fhir_networks, settings.allow_loopback)
        # Tokens come from the host of a listed server, beside its FHIR path; where they come from
        # another one, that is listed as well.
        hosts = tuple(replace(server, path="") for server in servers)
        self._hosts = replace(self.allowed, servers=hosts)
        self._http = PinnedHttp(KEPT, secure=True)
        self._threads = ThreadPoolExecutor(THREADS, "smart")

    def server(self, iss: str) -> FhirAddress:
        """The address of a FHIR server that may launch us.

        Raises:
            AddressRefused: it is not listed.
        """
        address = read_address(iss)
        self.allowed.check(address)
        return address

    def endpoint(self, url: str, *, queried: bool = False) -> FhirAddress:
        """The address of an endpoint that browsers are sent to, or that issues tokens.

        Raises:
            AddressRefused: it is not https, and not on this machine where that is allowed.
        """
        address = read_address(url, queried=queried)
        here = self.allowed.loopback and is_this_machine(address.host)
        if address.scheme != "https" and not here:
            raise AddressRefused("must be https")
        return address

    def token_endpoint(self, url: str) -> FhirAddress:
        """The address that issues tokens.

        Raises:
            AddressRefused: it is not https, or not on the host of a listed server.
        """
        address = self.endpoint(url)
        self._hosts.check(address)
        return address

    def document(self, address: FhirAddress) -> Mapping[str, Any]:
        """A JSON document that a listed server publishes.

        Raises:
            NoAnswer: it could not be had.
        """

        def fetched(ips: tuple[str, ...], budget: CallBudget) -> Mapping[str, Any]:
            return ask(address, Access(self._http, ips, HEADERS, budget, LARGEST))[0]

        return self._in_time(address, self.allowed, fetched)

    def exchange(self, session: OAuth2Session, url: str, **told: str) -> Mapping[str, Any]:
        """What a token endpoint answers.

        Raises:
            AddressRefused: the endpoint is none of a listed server.
            NoAnswer: no answer came that can be read.
            authlib.integrations.base_client.OAuthError: the answer is no.
        """
        address = self.token_endpoint(url)

        def fetched(ips: tuple[str, ...], budget: CallBudget) -> Mapping[str, Any]:
            session.trust_env = False  # no proxy, no password of this machine
            for scheme in ("https://", "http://"):
                session.mount(scheme, _OneAddress(self._http, address, ips[0], budget))
            try:
                token: Mapping[str, Any] = session.fetch_token(
                    address.url, allow_redirects=False, **told
                )
            except BudgetSpent:
                raise NoAnswer(Outcome.TIMEOUT) from None
            except (*self._http.broken, *ODD):
                raise NoAnswer(Outcome.FAILED) from None
            return token

        return self._in_time(address, self._hosts, fetched)

    def _in_time(
        self,
        address: FhirAddress,
        allowed: AllowList,
        step: Callable[[tuple[str, ...], CallBudget], T],
    ) -> T:
        """What a step gives; it is cut off when the time is over, wherever it waits."""
        budget = CallBudget(SECONDS, LARGEST)

        def taken() -> T:
            return step(allowed.addresses_of(address), budget)

        try:
            with reaching():
                return self._threads.submit(taken).result(budget.left())
        finally:
            budget.end()


class _OneAddress(BaseAdapter):
    """Sends whatever a session asks to one checked address, and reads the answer whole."""

    def __init__(self, http: PinnedHttp, address: FhirAddress, ip: str, budget: CallBudget) -> None:
        super().__init__()
        self._http, self._address, self._ip, self._budget = http, address, ip, budget

    def send(
        self,
        request: requests.PreparedRequest,
        *_: object,
        **__: object,
    ) -> requests.Response:
        """The answer; how long to wait and whom to trust is settled already."""
        body = bytearray()
        with self._http.send(request, self._address, self._ip, self._budget) as response:
            for chunk in response.raw.stream(CHUNK, decode_content=True):
                body += chunk
                self._budget.left()
                if not self._budget.spend(len(chunk)):
                    raise requests.exceptions.ContentDecodingError("too long")
        whole = requests.Response()
        whole.status_code, whole.headers = response.status_code, response.headers
        whole.request, whole.url = request, self._address.url
        whole._content = bytes(body)  # noqa: SLF001 there is no other way to give a body
        return whole

    def close(self) -> None:
        """Nothing: the connections are kept by others."""
