"""Keys and tokens as clients make them, and a server that publishes keys."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
NOW = 1_772_445_600  # 2026-03-02, 10:00 UTC
BASE = "https://cds.example.org"
ROOT = "/cds-services"
VIEW = "/cds-services/back-pain-patient-view"
EHR = "https://ehr.example.org"


@dataclass(frozen=True)
class Signer:
    """A client that can sign: its name, its key, and what it calls the key."""

    iss: str = EHR
    kid: str = "key-1"
    algorithm: str = "ES384"
    key: PrivateKey = field(default_factory=lambda: curve_key("P-384"), repr=False)

    def jwk(self, **members: Any) -> dict[str, Any]:
        """Its public key, as it is published."""
        return {**public_jwk(self.key), "kid": self.kid, "use": "sig", **members}

    def token(self, path: str = VIEW, *, head: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token as it should be, but for the header members and claims given; None omits one."""
        header = without_none({"kid": self.kid, **(head or {})})
        body = json.dumps(claims_of(self.iss, path, **claims)).encode()
        return jwt.api_jws.encode(body, self.key, self.algorithm, headers=header)


def claims_of(iss: str, path: str = VIEW, /, **claims: Any) -> dict[str, Any]:
    """The claims of a good token, but for those given; None omits one."""
    usual = {
        "iss": iss,
        "aud": BASE + path,
        "iat": NOW,
        "exp": NOW + 300,
        "jti": str(uuid4()),
    }
    return without_none({**usual, **claims})


def without_none(members: dict[str, Any]) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def part(value: Any) -> str:
    """One part of a token: JSON, or bytes, in base64url without padding."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def public_jwk(key: PrivateKey) -> dict[str, Any]:
    """The public half of a key as a JSON Web Key, without id and use."""
    if isinstance(key, rsa.RSAPrivateKey):
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        jwk = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return jwk


def public_pem(key: PrivateKey) -> bytes:
    """The public half of a key as PEM."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
}


def curve_key(curve: str) -> ec.EllipticCurvePrivateKey:
    """A new key on this curve."""
    return ec.generate_private_key(_CURVES[curve]())


@cache
def rsa_key(bits: int = 2048, number: int = 1) -> rsa.RSAPrivateKey:
    """An RSA key; the same for the same number, for making one takes long."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


class KeyServer:
    """A web server that publishes a key set, counts who asks, and can be told to fail."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200
        self.headers: dict[str, str] = {"Content-Type": "application/json"}
        self.body = b'{"keys": []}'
        self.chunks: Iterator[bytes] | None = None
        self.url = ""

    def publish(self, *signers: Signer) -> None:
        """From now on answer with the keys of these signers."""
        self.status = 200
        self.body = json.dumps({"keys": [signer.jwk() for signer in signers]}).encode()


@contextmanager
def key_server() -> Iterator[KeyServer]:
    """A running key server on this machine."""
    served = KeyServer()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            self.send_response(served.status)
            for name, value in served.headers.items():
                self.send_header(name, value)
            chunks = served.chunks
            if chunks is None:
                self.send_header("Content-Length", str(len(served.body)))
            self.end_headers()
            try:
                for chunk in chunks or (served.body,):
                    self.wfile.write(chunk)
                    self.wfile.flush()
            except ConnectionError:
                pass  # the client has heard enough

        def log_message(self, *_: object) -> None:
            """The test's own assertions say what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
