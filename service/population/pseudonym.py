"""What stands for a patient in the tables, where their id must not."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

SALT_BYTES = 32
# Half of a SHA-256: among a billion patients no two are expected to share one.
LETTERS = 32

Keyed = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Patient id → a name that only the holder of the salt can work out.

    Attributes:
        salt: the secret; the same gives the same names in another run.
    """

    salt: bytes = field(repr=False)

    def __call__(self, patient: str) -> str:
        """The name of a patient."""
        return hmac.new(self.salt, patient.encode(), "sha256").hexdigest()[:LETTERS]

    @property
    def mark(self) -> str:
        """Tells one salt from another, and nothing else of it."""
        return hmac.new(self.salt, b"", "sha256").hexdigest()[:LETTERS]


def new_salt() -> bytes:
    """A salt nobody knows."""
    return secrets.token_bytes(SALT_BYTES)


def own_key(patient: str) -> str:
    """The patient's own id."""
    return patient
