"""What is remembered between leaving for the EHR's login and coming back: in the browser only."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from hmac import compare_digest

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from service.card_names import CardNames

PURPOSE = b"backpath smart launch 1"
SECONDS = 600
COOKIE = "backpath-launch-"
PATH = "/app"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One launch under way; nothing of a patient, and no token.

    Attributes:
        state: what the answer must bring back.
        verifier: the secret that proves that who asked is who comes for the token (PKCE).
        server: the FHIR server that launched us.
        token_endpoint: where the code is exchanged.
        redirect_uri: the address we are called back at.
    """

    state: str
    verifier: str
    server: str
    token_endpoint: str
    redirect_uri: str

    @property
    def cookie(self) -> str:
        """The name of its cookie; each launch has its own, so that two windows do not collide."""
        return cookie_name(self.state)


def cookie_name(state: str) -> str:
    """The name of the cookie of a launch."""
    return COOKIE + sha256(state.encode()).hexdigest()[:16]


def seal(ticket: Ticket, names: CardNames) -> str:
    """The ticket encrypted, for a cookie."""
    return _box(names).encrypt(json.dumps(asdict(ticket)).encode()).decode()


def unseal(sealed: str, state: str, names: CardNames) -> Ticket | None:
    """The ticket in a cookie; None when it is not ours, too old, or of another launch."""
    try:
        ticket = Ticket(**json.loads(_box(names).decrypt(sealed.encode(), ttl=SECONDS)))
    except (InvalidToken, ValueError, TypeError):
        return None
    return ticket if compare_digest(ticket.state.encode(), state.encode()) else None


def _box(names: CardNames) -> MultiFernet:
    """Locked with a key that every process of one store has."""
    secrets = names.secrets_for(PURPOSE)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(secret)) for secret in secrets])
