"""Key sets: which keys are taken out of them."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from service.jwks import NotAKeySet, read_keys
from tests.tokens import Signer, curve_key, public_jwk, rsa_key

SIGNER = Signer()
NEXT = Signer(kid="key-2")
JWK = SIGNER.jwk()
PRIVATE = jwt.algorithms.ECAlgorithm.to_jwk(curve_key("P-384"), as_dict=True) | {
    "kid": "key-1",
    "key_ops": ["sign", "verify"],
}


def test_both_algorithms_of_the_specification_are_taken() -> None:
    """A set may hold a P-384 key and an RSA key, under one id even."""
    both = Signer(algorithm="RS384", key=rsa_key())
    keys = read_keys({"keys": [JWK, both.jwk(alg="RS384")]})

    assert set(keys) == {("key-1", "ES384"), ("key-1", "RS384")}


@pytest.mark.parametrize(
    ("words", "jwk"),
    [
        ("no object", "key"),
        ("without an id", {name: value for name, value in JWK.items() if name != "kid"}),
        ("its id a number", JWK | {"kid": 1}),
        ("of another curve", public_jwk(curve_key("P-256")) | {"kid": "key-1"}),
        ("of another curve, said to be ES384", public_jwk(curve_key("P-521")) | {"alg": "ES384"}),
        ("a point of another curve under this one's name", JWK | {"x": "AAAA"}),
        ("a point that is not on the curve", JWK | {"x": JWK["y"]}),
        ("not base64", JWK | {"x": 5}),
        ("without a coordinate", {name: value for name, value in JWK.items() if name != "y"}),
        ("a shared secret", {"kty": "oct", "k": "c2VjcmV0", "kid": "key-1", "alg": "ES384"}),
        ("RSA, to be used under ES384", public_jwk(rsa_key()) | {"kid": "k", "alg": "ES384"}),
        ("RSA for another algorithm", public_jwk(rsa_key()) | {"kid": "k", "alg": "RS256"}),
        ("RSA that is too short", public_jwk(rsa_key(1024)) | {"kid": "k"}),
        ("to encrypt with", JWK | {"use": "enc"}),
        ("to sign with", JWK | {"key_ops": ["sign"]}),
        ("its operations a text", JWK | {"key_ops": "verify"}),
        ("private, and published by mistake", PRIVATE),
        ("its kind a list", JWK | {"kty": ["EC"]}),
        ("its curve an object", JWK | {"crv": {}}),
    ],
)
def test_a_key_that_cannot_be_used_is_left_out(words: str, jwk: Any) -> None:
    """One odd key does not spoil the set, and cannot verify anything."""
    keys = read_keys({"keys": [jwk, NEXT.jwk()]})

    assert set(keys) == {("key-2", "ES384")}


def test_two_keys_of_one_id_are_no_key() -> None:
    """Which of them is meant cannot be told, so neither is trusted."""
    keys = read_keys({"keys": [JWK, Signer().jwk(), NEXT.jwk()]})

    assert set(keys) == {("key-2", "ES384")}


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": None}, "keys", 1])
def test_what_is_no_key_set_is_told(document: Any) -> None:
    """Whatever a server answers with instead of a key set, nothing is read into it."""
    with pytest.raises(NotAKeySet):
        read_keys(document)
