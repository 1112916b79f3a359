"""The clients trusted to call: who they are, and where their keys come from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from cards.content import ContentError, Document, Place, read_yaml
from service.fetched_keys import FetchedKeys
from service.jwks import FixedKeys, KeySource, key_list, read_keys
from service.profile import PROFILES
from service.settings import SettingsError

VARIABLE = "BACKPATH_TRUSTED_CLIENTS"
MEMBERS = frozenset({"iss", "jwks", "jku", "tenants", "profile"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What is logged as a name: printable, without spaces.
_NAME = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class TrustedClient:
    """One client that may call.

    Attributes:
        iss: what its tokens bear as ``iss``.
        keys: where its public keys come from.
        jku: the address its keys are fetched from; None when they are given by file.
        tenants: the tenants it may call for; empty means that it is not asked for one.
        profile: what the client can show; None means the setting of the service.
    """

    iss: str
    keys: KeySource
    jku: str | None = None
    tenants: frozenset[str] = frozenset()
    profile: str | None = None


Clients = Mapping[str, TrustedClient]
"""Clients by ``iss``."""


def read_clients(path: Path, *, allow_loopback: bool = False) -> Clients:
    """The clients a YAML or JSON file lists.

    Args:
        allow_loopback: whether keys may be fetched by http from this machine (development only).

    Raises:
        SettingsError: the file is wrong; the message names file, line and member.
    """
    try:
        document = _document(path)
        if not isinstance(document.value, list) or not document.value:
            raise document.error("must be a list of clients, and not empty")
        clients: dict[str, TrustedClient] = {}
        for position, entry in enumerate(document.value):
            client = _client(document, position, entry, allow_loopback)
            if client.iss in clients:
                raise document.error("iss: another client has the same", (position, "iss"))
            clients[client.iss] = client
    except ContentError as problem:
        raise SettingsError(f"{VARIABLE}: {problem}") from None
    return clients


def _document(path: Path) -> Document:
    try:
        return read_yaml(path)
    except (yaml.YAMLError, TypeError, ValueError) as failure:
        # Tags of other languages, a list as a member's name, a day that does not exist.
        mark = getattr(failure, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ContentError(f"{path.parent.name}/{path.name}:{line}: not plain YAML") from None


def _client(
    document: Document, position: int, entry: object, allow_loopback: bool
) -> TrustedClient:
    here: Place = (position,)
    if not isinstance(entry, dict):
        raise document.error("a client must be a mapping with 'iss' and 'jwks' or 'jku'", here)
    for member in entry:
        if member not in MEMBERS:
            known = ", ".join(sorted(MEMBERS))
            raise document.error(f"{member}: not known; a client has {known}", (*here, member))
    if ("jwks" in entry) == ("jku" in entry):
        raise document.error("a client needs either 'jwks' or 'jku'", here)

    def read(member: str, reader: Callable[[Any], Any]) -> Any:
        try:
            return reader(entry.get(member))
        except ValueError as problem:
            raise document.error(f"{member}: {problem}", (*here, member)) from None

    iss: str = read("iss", _iss)
    tenants: frozenset[str] = read("tenants", _tenants) if "tenants" in entry else frozenset()
    profile: str | None = read("profile", _profile) if "profile" in entry else None
    if "jku" in entry:
        jku: str = read("jku", lambda value: _jku(value, allow_loopback))
        return TrustedClient(iss, FetchedKeys(jku, iss), jku, tenants, profile)
    keys: FixedKeys = read("jwks", lambda value: _fixed_keys(value, document.path.parent))
    return TrustedClient(iss, keys, None, tenants, profile)


def _iss(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("must be the exact 'iss' of the client's tokens, without spaces")
    return value


def _tenants(value: object) -> frozenset[str]:
    # An empty list would read as "none" and mean "any".
    if not isinstance(value, list) or not value:
        raise ValueError("must be a list of texts, and not empty; leave it out to accept any")
    if not all(isinstance(tenant, str) and tenant for tenant in value):
        raise ValueError("must be a list of texts; put quotes around numbers")
    return frozenset(value)


def _profile(value: object) -> str:
    if not isinstance(value, str) or value not in PROFILES:
        raise ValueError("must be one of " + ", ".join(PROFILES))
    return value


def _jku(value: object, allow_loopback: bool) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("must be an https URL")
    parts = urlsplit(value)
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError("must be an https URL without user and fragment")
    local = allow_loopback and parts.scheme == "http" and parts.hostname in LOOPBACK
    if parts.scheme != "https" and not local:
        raise ValueError("must be an https URL; http is for BACKPATH_ALLOW_LOOPBACK only")
    return value


def _fixed_keys(value: object, folder: Path) -> FixedKeys:
    """The keys of a set that stands in the list itself, or in a file beside it."""
    document = _key_file(folder / value) if isinstance(value, str) else value
    if any(_is_secret(key) for key in key_list(document)):
        raise ValueError("holds a secret key; only the client may have it, list public ones")
    keys = read_keys(document)
    if not keys:
        raise ValueError(
            "holds no key that can be used: a public key with a 'kid' of its own, of type EC on "
            "curve P-384 (ES384) or RSA of 2048 to 8192 bits (RS384)"
        )
    return FixedKeys(keys)


def _is_secret(jwk: object) -> bool:
    return isinstance(jwk, Mapping) and not {"d", "k"}.isdisjoint(jwk)


def _key_file(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except OSError:
        raise ValueError("names no readable file") from None
    except (ValueError, RecursionError):
        raise ValueError("names a file that is not JSON") from None
