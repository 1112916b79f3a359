"""HTTP requests to an address that was checked: the name is never looked up again."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError

from service.authorities import trusted_authorities
from service.call_budget import CallBudget
from service.fhir_address import FhirAddress

CONNECT_SECONDS = 0.5


class _Attempt(threading.local):
    """What the thread is doing: for which call, and over which connection."""

    budget: CallBudget | None = None
    connection: socket.socket | None = None


_ATTEMPT = _Attempt()


def _watch(connection: socket.socket) -> None:
    """Let the call's budget shut this connection when its time is over."""
    if _ATTEMPT.budget is not None:
        _ATTEMPT.connection = connection
        _ATTEMPT.budget.watch(connection)


class _PlainConnection(HTTPConnection):
    def getresponse(self) -> Any:
        _watch(self.sock)
        return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> Any:
        _watch(self.sock)
        return super().getresponse()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _PinnedAdapter(HTTPAdapter):
    """Connects to the IP address in the URL; certificate and SNI go by the header Host."""

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    @cached_property
    def trusted(self) -> ssl.SSLContext:
        """Read once: reading them takes longer than a call-back."""
        return trusted_authorities()

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] == "https":
            name = str(request.headers["Host"])
            secure = {"server_hostname": _without_port(name), "ssl_context": self.trusted}
            return host, {**pool, **secure}
        return host, pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the context that verifies certificates is given to every connection."""


def _without_port(netloc: str) -> str:
    name, colon, port = netloc.rpartition(":")
    return (name if colon and port.isdigit() else netloc).strip("[]")


class PinnedHttp:
    """Requests over kept connections, without cookies, proxies, netrc and redirects.

    The adapter is used without a session: a session keeps cookies, and would hand those of one
    user's call to the next.

    Attributes:
        unreachable, late, broken: what a question may raise when no connection comes about, when
            the answer does not come in time, and whenever anything else is wrong with it.
    """

    unreachable = requests.ConnectionError
    late = (requests.Timeout, ReadTimeoutError)
    broken = (requests.RequestException, HTTPError, OSError, ValueError)

    def __init__(self, connections: int, *, secure: bool) -> None:
        """Make ready to ask.

        Args:
            connections: idle ones kept to each server, at most.
            secure: whether HTTPS will be spoken, for which some things are better read now.
        """
        # urllib3 names addresses in its warnings, and ours bear the patient's id.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)
        self._adapter = _PinnedAdapter(pool_maxsize=connections)
        if secure:
            _ = self._adapter.trusted

    @contextmanager
    def get(
        self, address: FhirAddress, ip: str, headers: Mapping[str, str], budget: CallBudget
    ) -> Iterator[requests.Response]:
        """The response to a GET; its body is still to be read, within the budget.

        Args:
            ip: the checked address to connect to.

        Raises:
            BudgetSpent: there is no time left to ask.
            requests.RequestException: no response came.
        """
        request = requests.Request(
            "GET", address.at(ip), headers={**headers, "Host": address.netloc}
        ).prepare()
        with self._sent(request, budget) as response:
            yield response

    @contextmanager
    def send(
        self, request: requests.PreparedRequest, address: FhirAddress, ip: str, budget: CallBudget
    ) -> Iterator[requests.Response]:
        """The response to any request for an address, as ``get`` gives it.

        Raises:
            BudgetSpent: there is no time left to ask.
            requests.RequestException: no response came.
        """
        pinned = request.copy()
        pinned.prepare_url(address.at(ip), None)
        pinned.headers["Host"] = address.netloc
        with self._sent(pinned, budget) as response:
            yield response

    @contextmanager
    def _sent(
        self, request: requests.PreparedRequest, budget: CallBudget
    ) -> Iterator[requests.Response]:
        left = budget.left()
        _ATTEMPT.budget = budget
        response = None
        try:
            response = self._adapter.send(
                request, stream=True, timeout=(min(CONNECT_SECONDS, left), left), verify=True
            )
            yield response
        finally:
            _ATTEMPT.budget = None
            if response is not None:
                response.close()
            connection = _ATTEMPT.connection
            _ATTEMPT.connection = None
            if connection is not None:
                budget.unwatch(connection)
