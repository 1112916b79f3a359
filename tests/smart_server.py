"""A health record that launches SMART apps: a FHIR server with a login that lets everybody in.

It is as strict as a real one: every code is good once, for whoever began the login.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.fhir_server import Exchange, FhirServer, Received, outcome, stalls

CLIENT_ID = "backpath-in-this-hospital"
PATIENT = "pat-1"
WELL_KNOWN = "/fhir/.well-known/smart-configuration"
SCOPES = {"launch", "openid", "fhirUser"}


@dataclass
class SmartServer(FhirServer):
    """What the login expects, how it behaves, and what it has seen.

    Attributes:
        redirect_uri: the address registered for the app.
        configuration: members of the SMART configuration that differ from the usual.
        granted: members of the token response that differ; None leaves one out.
        denies: what is answered instead of a code; empty gives one.
        token_status: the status of the token endpoint when it fails; 0 does not fail.
        token_body: what it sends instead of a token; None sends one.
        token_elsewhere: where it redirects to; empty answers itself.
        token_stalls: whether it never answers.
        refused: what was wrong with each request that was refused.
        tokens: every access token given out.
        codes: codes not yet used, with what they were given out for.
    """

    redirect_uri: str = ""
    configuration: dict[str, Any] = field(default_factory=dict)
    granted: dict[str, Any] = field(default_factory=dict)
    denies: str = ""
    token_status: int = 0
    token_body: bytes | None = None
    token_elsewhere: str = ""
    token_stalls: bool = False
    refused: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    launches: set[str] = field(default_factory=set)

    def launch(self) -> str:
        """Somebody opens the app from the chart; what the record adds to the launch address."""
        launch = token_urlsafe(12)
        self.launches.add(launch)
        return urlencode({"iss": self.base, "launch": launch})

    def published(self) -> dict[str, Any]:
        """The SMART configuration."""
        usual = {
            "authorization_endpoint": f"{self.origin}/login/authorize?tenant=1",
            "token_endpoint": f"{self.origin}/login/token",
            "grant_types_supported": ["authorization_code"],
            "capabilities": ["launch-ehr", "client-public", "permission-v2"],
            "code_challenge_methods_supported": ["S256"],
        }
        return {**usual, **self.configuration}

    def authorize(self, asked: Mapping[str, str]) -> str | None:
        """Where the browser is sent back to; None when the request is refused."""
        wrong = self._wrong_with(asked)
        if wrong:
            self.refused.append(wrong)
            return None
        answer = {"state": asked["state"]}
        if self.denies:
            answer["error"] = self.denies
        else:
            answer["code"] = token_urlsafe(24)
            self.codes[answer["code"]] = dict(asked)
            self.launches.discard(asked["launch"])
        return f"{self.redirect_uri}?{urlencode(answer)}"

    def _wrong_with(self, asked: Mapping[str, str]) -> str:
        scopes = set(asked.get("scope", "").split())
        checks = {
            "client_id": asked.get("client_id") == CLIENT_ID,
            "redirect_uri": asked.get("redirect_uri") == self.redirect_uri,
            "response_type": asked.get("response_type") == "code",
            "aud": asked.get("aud") == self.base,
            "launch": asked.get("launch") in self.launches,
            "state": len(asked.get("state", "")) >= 32,
            "code_challenge": len(asked.get("code_challenge", "")) == 43,
            "code_challenge_method": asked.get("code_challenge_method") == "S256",
            "tenant": asked.get("tenant") == "1",
            "scope": SCOPES < scopes and not any("*" in scope for scope in scopes),
        }
        return ", ".join(name for name, right in checks.items() if not right)

    def token(self, asked: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and body for a code."""
        if self.token_status:
            return self.token_status, outcome("exception")
        given_for = self.codes.pop(asked.get("code", ""), None)
        if given_for is None:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        checks = {
            "grant_type": asked.get("grant_type") == "authorization_code",
            "redirect_uri": asked.get("redirect_uri") == self.redirect_uri,
            "client_id": asked.get("client_id") == CLIENT_ID,
            "code_verifier": base64.urlsafe_b64encode(digest).decode().rstrip("=")
            == given_for["code_challenge"],
        }
        wrong = ", ".join(name for name, right in checks.items() if not right)
        if wrong:
            self.refused.append(wrong)
            return 400, {"error": "invalid_grant"}
        self.tokens.append(token_urlsafe(32))
        usual = {
            "access_token": self.tokens[-1],
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": given_for["scope"],
            "patient": PATIENT,
        }
        told = {**usual, **self.granted}
        return 200, {name: value for name, value in told.items() if value is not None}


class SmartExchange(Exchange):
    """One request to the record: its login, or a FHIR query with a token."""

    fhir: SmartServer

    def do_GET(self) -> None:  # noqa: N802
        """The SMART configuration, the login, or FHIR for whoever bears a token."""
        parts = urlsplit(self.path)
        if parts.path == WELL_KNOWN:
            self._send(200, self.fhir.published())
        elif parts.path == "/login/authorize":
            self._send_back(self.fhir.authorize(_single(parts.query)))
        elif self._bears_a_token():
            super().do_GET()
        else:
            self._send(401, outcome("login"))

    def do_POST(self) -> None:  # noqa: N802
        """A code in exchange for a token."""
        length = int(self.headers.get("Content-Length", "0"))
        asked = _single(self.rfile.read(length).decode())
        self.fhir.received.append(Received(self.path, dict(self.headers.items())))
        if self.fhir.token_stalls:
            stalls(self)
        elif self.fhir.token_elsewhere:
            self.send(b"", status=307, headers={"Location": self.fhir.token_elsewhere})
        elif self.fhir.token_body is not None:
            self.send(self.fhir.token_body, kind="application/json")
        elif urlsplit(self.path).path == "/login/token":
            self._send(*self.fhir.token(asked))
        else:
            self._send(404, outcome("not-found"))

    def _bears_a_token(self) -> bool:
        said = self.headers.get("Authorization", "")
        return said.removeprefix("Bearer ") in self.fhir.tokens

    def _send_back(self, address: str | None) -> None:
        if address is None:
            self._send(400, outcome("invalid"))
        else:
            self.send(b"", status=302, headers={"Location": address})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        with suppress(OSError):
            self.send(json.dumps(body).encode(), status=status, kind="application/json")


def _single(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients may hang up."""


@contextmanager
def smart_running() -> Iterator[SmartServer]:
    """A health record on a free port of this machine."""
    record = SmartServer()
    exchange = type("Exchange", (SmartExchange,), {"fhir": record})
    server = _Server(("127.0.0.1", 0), exchange)
    record.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield record
    finally:
        record.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
