"""JSON Web Key Sets: which of a client's public keys can verify its tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from jwt import PyJWK
from jwt.exceptions import PyJWTError

# Those the specification recommends, and no others.
# https://cds-hooks.hl7.org/2.0/#trusting-cds-clients
ALGORITHMS = ("ES384", "RS384")
# What a key must be to serve an algorithm; the rest of a set, such as keys to encrypt with, is left
# alone.
_SHAPES = {("EC", "P-384"): "ES384", ("RSA", None): "RS384"}
RSA_BITS = range(2_048, 8_193)

Keys = Mapping[tuple[str, str], PyJWK]
"""Keys by ``kid`` and algorithm."""


class KeySource(Protocol):
    """Where the keys of one client come from."""

    @property
    def readable(self) -> bool:
        """Whether the keys could be read, so that one that is not found is none of them."""

    def find(self, kid: str, algorithm: str) -> PyJWK | None:
        """The key of this id that serves this algorithm; None when there is none now."""


class NotAKeySet(ValueError):
    """A document is no JSON Web Key Set; the message says why, without quoting it."""


def read_keys(document: object) -> Keys:
    """The keys of a set that can verify a token, by id and algorithm; may be none.

    A key that is of another kind, private, too short, without id, or not well formed is left out,
    and so are two of the same id: neither can be told from the other.

    Raises:
        NotAKeySet: it is not an object with an array ``keys``.
    """
    usable = [(place, key) for place, key in map(_usable, key_list(document)) if key is not None]
    times = Counter(place for place, _ in usable)
    return MappingProxyType({place: key for place, key in usable if times[place] == 1})


def key_list(document: object) -> list[object]:
    """What a key set lists, whatever it is.

    Raises:
        NotAKeySet: it is not an object with an array ``keys``.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise NotAKeySet("must be an object with an array 'keys'")
    return listed


def _usable(jwk: object) -> tuple[tuple[str, str], PyJWK | None]:
    """A key's place in a set, and the key itself; None when it cannot verify a token."""
    nothing = ("", ""), None
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or "d" in jwk:
        return nothing
    algorithm = _algorithm(jwk)
    if algorithm is None or jwk.get("use", "sig") != "sig":
        return nothing
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return nothing
    try:
        key = PyJWK(jwk, algorithm)
    except (PyJWTError, ValueError, TypeError, OverflowError):
        return nothing
    if algorithm == "RS384" and key.key.key_size not in RSA_BITS:
        return nothing
    return (jwk["kid"], algorithm), key


def _algorithm(jwk: Mapping[str, Any]) -> str | None:
    """The one algorithm a key serves by its type and curve; None when it says another."""
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        return None
    fitting = _SHAPES.get((kind, curve))
    return fitting if jwk.get("alg", fitting) == fitting else None


@dataclass(frozen=True, slots=True)
class FixedKeys:
    """Keys given in the configuration; they change with a restart only."""

    keys: Keys

    def find(self, kid: str, algorithm: str) -> PyJWK | None:
        """The key of this id that serves this algorithm; None when there is none."""
        return self.keys.get((kid, algorithm))

    @property
    def readable(self) -> bool:
        """Always: they were read at the start."""
        return True
