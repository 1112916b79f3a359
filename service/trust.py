"""Whether a call comes from a trusted client: the JSON Web Token it bears, checked.

https://cds-hooks.hl7.org/2.0/#trusting-cds-clients
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, isfinite
from time import time
from typing import TYPE_CHECKING, Any

from service.database import Database
from service.seen_tokens import SeenTokens, TokensInStore
from service.settings import Settings, SettingsError
from service.token_tables import token_table

# Cryptography takes a tenth of the memory and of the start: where anybody may call, it is not
# imported. ``open_trust`` imports it for good, so that no call waits for it.
if TYPE_CHECKING:
    import jwt

    from service.clients import Clients, TrustedClient

# The clocks of two hospitals' machines; the reference client's own ``iat`` is rounded upwards.
LEEWAY_SECONDS = 10
# The specification sets no limit, its best practices an hour; what lives longer must be remembered
# longer, and is worth more to whoever finds it.
LONGEST_LIFE_SECONDS = 3_600
LONGEST_HEADER = 8_190
ROOT = "/cds-services"
_BEARER = re.compile(r"bearer +([\w-]+\.[\w-]+\.[\w-]+)", re.ASCII | re.IGNORECASE)
# Signature and presence by the library. Times are ours: it reads its own clock and takes "1" for 1.
_VERIFIED: jwt.types.Options = {
    "require": ["iss", "aud", "exp", "iat", "jti"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
    "verify_sub": False,
    "verify_jti": False,
}


class NotTrusted(Exception):
    """A call that is refused for who sends it.

    Attributes:
        reason: a code of ours for the log and the metrics; the client is never told.
        client: the client it claims to come from, when that is one of ours.
    """

    def __init__(self, reason: str, client: TrustedClient | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.client = client


@dataclass(frozen=True, slots=True)
class Trust:
    """What is needed to tell a trusted client.

    Attributes:
        base_url: what clients call the service by, without a slash at the end.
        clients: those that may call, by ``iss``.
        seen: the tokens used before.
        now: gives seconds since 1970.
    """

    base_url: str
    clients: Clients
    seen: SeenTokens
    now: Callable[[], float] = time

    def client_of(self, authorization: str | None, path: str) -> TrustedClient:
        """The client whose token the ``Authorization`` header bears; the token is then used up.

        Args:
            path: the path called, without the base URL.

        Raises:
            NotTrusted: there is no token, or not one that is good for this call.
        """
        token = _token(authorization)
        header, claims = _unverified(token)
        client = self.clients.get(_text(claims, "iss") or "")
        if client is None:
            raise NotTrusted("iss-unknown")
        try:
            claims = _verified(token, header, client)
            expires = self._check_times(claims)
            self._check_audience(claims["aud"], path)
            _check_tenant(claims, client)
            self._check_first_use(client.iss, claims, expires)
        except NotTrusted as refusal:
            raise NotTrusted(refusal.reason, client) from None
        return client

    def _check_times(self, claims: Mapping[str, Any]) -> int:
        """Refuse a token of the past or the future; gives the second from which it is too old.

        Comparisons only: a number of thousands of digits cannot be reckoned with.
        """
        now = self.now()
        issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
        if issued > now + LEEWAY_SECONDS:
            raise NotTrusted("iat-ahead")
        if expires <= now - LEEWAY_SECONDS:
            raise NotTrusted("expired")
        if issued < now - LONGEST_LIFE_SECONDS - LEEWAY_SECONDS:
            raise NotTrusted("too-old")
        if expires > issued + LONGEST_LIFE_SECONDS:
            raise NotTrusted("lives-too-long")
        if "nbf" in claims and _moment(claims, "nbf") > now + LEEWAY_SECONDS:
            raise NotTrusted("nbf-ahead")
        return ceil(expires) + LEEWAY_SECONDS

    def _check_audience(self, audience: object, path: str) -> None:
        """Refuse a token for another address.

        A token may name several addresses of ours; one that names somebody else's as well is a
        token that somebody else holds.
        """
        named = [audience] if isinstance(audience, str) else audience
        if not isinstance(named, list) or self.base_url + path not in named:
            raise NotTrusted("aud")
        ours = self.base_url + ROOT
        if not all(isinstance(url, str) and (url + "/").startswith(ours + "/") for url in named):
            raise NotTrusted("aud-shared")

    def _check_first_use(self, iss: str, claims: Mapping[str, Any], expires: int) -> None:
        jti = _text(claims, "jti")
        if not jti:
            raise NotTrusted("jti")
        if not self.seen.first_use(iss, jti, expires):
            raise NotTrusted("replayed")


def open_trust(
    settings: Settings, database: Database, count_unshared: Callable[[], None]
) -> Trust | None:
    """What the settings ask for: None when anybody may call.

    Used tokens are remembered in the store: all processes share it, and it outlives a restart.

    Args:
        count_unshared: told of each token accepted while the store was down.

    Raises:
        SettingsError: the list of trusted clients is wrong; the message names file and line.
    """
    listed, base_url = settings.trusted_clients, settings.public_base_url
    if settings.auth == "off":
        return None
    if listed is None or base_url is None:
        raise SettingsError("BACKPATH_AUTH: 'required' lacks what it needs")
    from service.clients import read_clients  # noqa: PLC0415 see above

    clients = read_clients(listed, allow_loopback=settings.allow_loopback)
    return Trust(base_url, clients, TokensInStore(token_table(database), count_unshared))


def _token(authorization: str | None) -> str:
    """The token in the header; two headers arrive joined by a comma and are no token."""
    if not authorization:
        raise NotTrusted("no-token")
    if len(authorization) > LONGEST_HEADER:
        raise NotTrusted("too-long")
    if authorization.split(" ", 1)[0].lower() != "bearer":
        raise NotTrusted("scheme")
    found = _BEARER.fullmatch(authorization.strip())
    if not found:
        raise NotTrusted("malformed")
    return found[1]


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as they stand, to find out whose key to verify them with."""
    import jwt  # noqa: PLC0415 see above

    try:
        read = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise NotTrusted("malformed") from None
    return read["header"], read["payload"]


def _verified(token: str, header: Mapping[str, Any], client: TrustedClient) -> Mapping[str, Any]:
    """The claims, signed by a key of this client.

    Of the header only ``alg`` and ``kid`` choose, and only among keys of the configuration; a key
    or an address it brings along (``jwk``, ``x5c``, ``x5u``, ``jku``) is never used.
    """
    import jwt  # noqa: PLC0415 see above

    from service.jwks import ALGORITHMS  # noqa: PLC0415

    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise NotTrusted("alg")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise NotTrusted("typ")
    if client.jku and header.get("jku", client.jku) != client.jku:
        raise NotTrusted("jku")
    if not isinstance(kid, str) or not kid:
        raise NotTrusted("kid")
    key = client.keys.find(kid, algorithm)
    if key is None:
        raise NotTrusted("kid-unknown" if client.keys.readable else "keys-unavailable")
    try:
        return jwt.decode(token, key, algorithms=[algorithm], options=_VERIFIED)
    except jwt.InvalidSignatureError:
        raise NotTrusted("signature") from None
    except jwt.MissingRequiredClaimError:
        raise NotTrusted("claim-missing") from None
    except jwt.PyJWTError:
        raise NotTrusted("malformed") from None


def _check_tenant(claims: Mapping[str, Any], client: TrustedClient) -> None:
    """Refuse a tenant that is not listed; a client without a list may call for any."""
    if client.tenants and _text(claims, "tenant") not in client.tenants:
        raise NotTrusted("tenant")


def _text(claims: Mapping[str, Any], claim: str) -> str | None:
    value = claims.get(claim)
    return value if isinstance(value, str) else None


def _moment(claims: Mapping[str, Any], claim: str) -> float:
    """A moment in seconds since 1970 (NumericDate, RFC 7519 section 2)."""
    value = claims.get(claim)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotTrusted(claim)
    if isinstance(value, float) and not isfinite(value):
        raise NotTrusted(claim)
    return value
