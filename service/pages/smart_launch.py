"""SMART App Launch 2, both halves: leaving for the EHR's login, and coming back with a code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from service.fhir_address import AddressRefused, FhirAddress
from service.fhir_answer import NoAnswer
from service.pages.smart_http import SmartHttp
from service.pages.smart_ticket import Ticket
from service.prefetch import SEARCHES

WELL_KNOWN = ".well-known/smart-configuration"
TYPES = ("Patient", *SEARCHES.values())
VERIFIER_LENGTH, STATE_LENGTH = 64, 43
LONGEST_LAUNCH = 4_096
# What we say ourselves where we send the browser. A server that could say it first might have
# another one's login take us for its own.
OURS = frozenset(
    {
        "aud", "client_id", "code_challenge", "code_challenge_method", "launch", "redirect_uri",
        "response_type", "scope", "state",
    }
)  # fmt: skip


class LaunchRefused(Exception):
    """A launch that does not lead to a chart; the reason is a page of ours."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where to send the browser, and what it is to bring back."""

    url: str
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Granted:
    """What the EHR lets us read: kept for one request, and never written anywhere."""

    patient: str
    token: str = field(repr=False)


def leave(iss: str, launch: str, client_id: str, redirect_uri: str, http: SmartHttp) -> Leaving:
    """The EHR's login for a launch from a chart.

    Raises:
        LaunchRefused: the launch does not come from a listed server, or that cannot be asked.
    """
    if not iss or not launch or len(launch) > LONGEST_LAUNCH:
        raise LaunchRefused("no-launch")
    try:
        server = http.server(iss)
    except AddressRefused:
        raise LaunchRefused("iss-not-listed") from None
    configuration = _configuration(server, http)
    authorize, token_endpoint = _endpoints(configuration, http)
    session = _session(client_id, redirect_uri, scopes(configuration))
    state, verifier = generate_token(STATE_LENGTH), generate_token(VERIFIER_LENGTH)
    url, _ = session.create_authorization_url(
        authorize, state=state, code_verifier=verifier, aud=iss, launch=launch
    )
    ticket = Ticket(state, verifier, server.url, token_endpoint, redirect_uri)
    return Leaving(str(url), ticket)


def come_back(code: str, ticket: Ticket, client_id: str, http: SmartHttp) -> Granted:
    """What the EHR grants for a code.

    Raises:
        LaunchRefused: it grants nothing, or cannot be asked.
    """
    session = _session(client_id, ticket.redirect_uri)
    try:
        granted = http.exchange(
            session, ticket.token_endpoint, code=code, code_verifier=ticket.verifier
        )
    except OAuthError:
        raise LaunchRefused("code-refused") from None
    except AddressRefused:
        raise LaunchRefused("endpoint-refused") from None
    except NoAnswer:
        raise LaunchRefused("ehr-unreachable") from None
    token, patient = granted.get("access_token"), granted.get("patient")
    bearer = str(granted.get("token_type")).lower() == "bearer"
    if not isinstance(token, str) or not token or not bearer:
        raise LaunchRefused("code-refused")
    if not isinstance(patient, str) or not patient:
        raise LaunchRefused("no-patient")
    return Granted(patient, token)


def scopes(configuration: Mapping[str, Any]) -> str:
    """What we ask to be let read: the patient's entries that facts look at, and no others.

    Servers of the first version of SMART know ``read`` only.
    """
    capabilities = configuration.get("capabilities")
    old = isinstance(capabilities, list) and {"permission-v1"} == {
        one for one in capabilities if one in ("permission-v1", "permission-v2")
    }
    may = "read" if old else "rs"
    return " ".join(("launch", "openid", "fhirUser", *(f"patient/{name}.{may}" for name in TYPES)))


def _configuration(server: FhirAddress, http: SmartHttp) -> Mapping[str, Any]:
    try:
        return http.document(server.query_of(WELL_KNOWN))
    except NoAnswer:
        raise LaunchRefused("ehr-unreachable") from None


def _endpoints(configuration: Mapping[str, Any], http: SmartHttp) -> tuple[str, str]:
    """Where to send the browser and where the token comes from, both checked."""
    methods = configuration.get("code_challenge_methods_supported", ["S256"])
    if not isinstance(methods, list) or "S256" not in methods:
        raise LaunchRefused("endpoint-refused")
    authorize, token = (
        str(configuration.get(name, "")) for name in ("authorization_endpoint", "token_endpoint")
    )
    if not OURS.isdisjoint(parse_qs(urlsplit(authorize).query, keep_blank_values=True)):
        raise LaunchRefused("endpoint-refused")
    try:
        http.endpoint(authorize, queried=True)
        return authorize, http.token_endpoint(token).url
    except AddressRefused:
        raise LaunchRefused("endpoint-refused") from None


def _session(client_id: str, redirect_uri: str, scope: str | None = None) -> OAuth2Session:
    """A public client: it holds no secret but the one PKCE makes for each launch."""
    return OAuth2Session(
        client_id,
        scope=scope,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method="none",  # noqa: S106 the name of a method
    )
