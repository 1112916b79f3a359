"""Whom this machine believes when a server says who it is, and sessions that go by nothing else."""

from __future__ import annotations

import ssl
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter


def trusted_authorities() -> ssl.SSLContext:
    """The certificate authorities of this machine and of certifi.

    Those of the machine are the file that ``SSL_CERT_FILE`` names, and the folder of
    ``SSL_CERT_DIR``, where these are set: an internal authority is added there. Reading them takes
    longer than a request.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def own_session() -> requests.Session:
    """A session that knows the trusted authorities, and no proxies and credentials of others."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _Adapter())
    return session


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, ssl_context=trusted_authorities())

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the context that verifies certificates is given to every connection."""
