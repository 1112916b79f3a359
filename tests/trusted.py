"""A service that trusts two clients, and what it says to a token."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from service.clients import Clients, TrustedClient
from service.jwks import FixedKeys, read_keys
from service.seen_tokens import TokensInMemory
from service.trust import NotTrusted, Trust
from tests.tokens import BASE, EHR, NOW, VIEW, Signer, rsa_key

PUBLIC = "https://cds.example.org/backpath"
OTHER_EHR = "https://other-ehr.example.org"
SIGNER = Signer()
RSA_SIGNER = Signer(kid="rsa-1", algorithm="RS384", key=rsa_key())
OTHER = Signer(iss=OTHER_EHR, kid="other-1")
STRANGER = Signer(iss="https://stranger.example.org")


def fixed(*signers: Signer) -> FixedKeys:
    """The keys of these signers."""
    return FixedKeys(read_keys({"keys": [signer.jwk() for signer in signers]}))


def trusting(clients: Clients | None = None, *, now: Callable[[], float] = lambda: NOW) -> Trust:
    """The service at noon, with two clients of its own."""
    usual = {
        EHR: TrustedClient(EHR, fixed(SIGNER, RSA_SIGNER)),
        OTHER_EHR: TrustedClient(OTHER_EHR, fixed(OTHER), tenants=frozenset({"north", "7"})),
    }
    return Trust(BASE, usual if clients is None else clients, TokensInMemory(now=now), now)


def opened(token: str, trust: Trust | None = None, path: str = VIEW) -> TrustedClient:
    """The client whom this token lets in."""
    return (trust or trusting()).client_of(f"Bearer {token}", path)


def refused(authorization: str | None, trust: Trust | None = None, path: str = VIEW) -> str:
    """The reason this header does not let anybody in."""
    with pytest.raises(NotTrusted) as refusal:
        (trust or trusting()).client_of(authorization, path)
    return refusal.value.reason


def bearer(path: str, base: str = PUBLIC, signer: Signer = SIGNER, **claims: Any) -> dict[str, str]:
    """The header of a token that is good now, but for the claims given."""
    now = int(time.time())
    usual = {"aud": base + path, "iat": now, "exp": now + 300}
    return {"Authorization": f"Bearer {signer.token(path, **{**usual, **claims})}"}
