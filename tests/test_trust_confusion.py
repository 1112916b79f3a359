"""Tokens that try to choose how they are verified: none of them opens anything."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from service.clients import TrustedClient
from service.fetched_keys import FetchedKeys
from service.jwks import FixedKeys, read_keys
from service.trust import Trust
from tests.tokens import (
    EHR,
    NOW,
    KeyServer,
    Signer,
    claims_of,
    curve_key,
    key_server,
    part,
    public_jwk,
    public_pem,
    rsa_key,
)
from tests.trusted import OTHER, OTHER_EHR, RSA_SIGNER, SIGNER, STRANGER, opened, refused, trusting


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "", None, 0, ["ES384"], {}])
def test_an_unsigned_token_opens_nothing(algorithm: Any) -> None:
    """No algorithm in any spelling, with and without something where the signature stands."""
    head = part({"alg": algorithm, "kid": "key-1", "typ": "JWT"})
    for signature in ("", part(b"x" * 96)):
        token = f"{head}.{part(claims_of(EHR))}.{signature}"

        assert refused(f"Bearer {token}") in {"alg", "malformed"}


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize(
    "secret",
    [
        b"",
        public_pem(SIGNER.key),
        public_pem(RSA_SIGNER.key),
        json.dumps(SIGNER.jwk()).encode(),
    ],
    ids=["empty", "curve PEM", "RSA PEM", "JWK"],
)
def test_a_public_key_is_no_shared_secret(algorithm: str, secret: bytes) -> None:
    """A token "signed" with what everybody knows."""
    for kid in ("key-1", "rsa-1"):
        head = part({"alg": algorithm, "kid": kid, "typ": "JWT"})
        signed = f"{head}.{part(claims_of(EHR))}"
        digest = getattr(hashlib, "sha" + algorithm[2:])
        signature = hmac.new(secret, signed.encode(), digest).digest()

        assert refused(f"Bearer {signed}.{part(signature)}") == "alg"


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS384", "ES384"])
def test_an_rsa_key_serves_one_algorithm(algorithm: str) -> None:
    """The right key under an algorithm that is not allowed, or not its own."""
    if algorithm == "ES384":
        head = part({"alg": algorithm, "kid": "rsa-1", "typ": "JWT"})
        token = f"{head}.{RSA_SIGNER.token().split('.', 1)[1]}"
    else:
        token = Signer(kid="rsa-1", algorithm=algorithm, key=rsa_key()).token()

    assert refused(f"Bearer {token}") == ("kid-unknown" if algorithm == "ES384" else "alg")


@pytest.mark.parametrize(("curve", "algorithm"), [("P-256", "ES256"), ("P-521", "ES512")])
def test_a_curve_serves_one_algorithm(curve: str, algorithm: str) -> None:
    """A key of another curve is not taken, whatever the token and the key set call it."""
    key = curve_key(curve)
    jwk = public_jwk(key) | {"kid": "key-1", "alg": "ES384"}
    clients = {EHR: TrustedClient(EHR, FixedKeys(read_keys({"keys": [jwk]})))}
    signed = Signer(algorithm=algorithm, key=key).token()
    renamed = f"{part({'alg': 'ES384', 'kid': 'key-1'})}.{signed.split('.', 1)[1]}"

    assert refused(f"Bearer {signed}", trusting(clients)) == "alg"
    assert refused(f"Bearer {renamed}", trusting(clients)) == "kid-unknown"


@pytest.mark.parametrize(
    ("words", "token", "reason"),
    [
        ("no id", SIGNER.token(head={"kid": None}), "kid"),
        ("an empty id", SIGNER.token(head={"kid": ""}), "kid"),
        ("a made-up id", SIGNER.token(head={"kid": "key-2"}), "kid-unknown"),
        ("the id of another client's key", SIGNER.token(head={"kid": "other-1"}), "kid-unknown"),
        ("another client's key", Signer(kid="other-1", key=OTHER.key).token(), "kid-unknown"),
        ("another client's key under our id", Signer(key=OTHER.key).token(), "signature"),
        ("a key of its own", Signer().token(), "signature"),
        ("the right key under the id of another", Signer(kid="rsa-1").token(), "kid-unknown"),
        ("a client that is not listed", STRANGER.token(), "iss-unknown"),
        ("another client's name", Signer(iss=OTHER_EHR, key=SIGNER.key).token(), "kid-unknown"),
        ("an access token", SIGNER.token(head={"typ": "at+jwt"}), "typ"),
        ("a type that is no text", SIGNER.token(head={"typ": 7}), "typ"),
        (
            "an extension it must not be read without",
            SIGNER.token(head={"crit": ["x"]}),
            "malformed",
        ),
    ],
)
def test_the_key_must_be_the_clients_own(words: str, token: str, reason: str) -> None:
    """A key id that is missing, unknown, or of somebody else."""
    assert refused(f"Bearer {token}") == reason


def test_an_id_that_is_no_text_is_refused() -> None:
    """PyJWT makes no such token, so it is put together by hand."""
    rest = SIGNER.token().split(".", 1)[1]
    for kid in (7, None, ["key-1"], {"kid": "key-1"}):
        head = part({"alg": "ES384", "kid": kid})

        assert refused(f"Bearer {head}.{rest}") in {"kid", "malformed"}


def test_a_changed_token_is_refused() -> None:
    """Another tenant, another expiry, another letter in the signature."""
    head, _, signature = SIGNER.token().split(".")
    for changed in (claims_of(EHR, tenant="evil"), claims_of(EHR, exp=NOW + 600)):
        assert refused(f"Bearer {head}.{part(changed)}.{signature}") == "signature"
    other = SIGNER.token().split(".")[2]
    assert refused(f"Bearer {head}.{SIGNER.token().split('.')[1]}.{other}") == "signature"


@pytest.fixture
def evil() -> Iterator[KeyServer]:
    """A server of somebody who would like us to fetch keys there."""
    with key_server() as served:
        served.publish(Signer(), SIGNER)
        yield served


def test_a_token_brings_no_key_along(evil: KeyServer) -> None:
    """Keys and addresses in the header are not looked at, and nothing is fetched from there."""
    forger = Signer()
    evil.publish(forger)
    certificate = b64encode(public_pem(forger.key)).decode()
    for brought in (
        {"jwk": forger.jwk()},
        {"x5c": [certificate]},
        {"x5u": evil.url},
        {"jku": evil.url},
        {"jwk": forger.jwk(), "x5u": evil.url, "jku": evil.url, "kid": "new"},
    ):
        reason = refused(f"Bearer {forger.token(head=brought)}")

        assert reason in {"signature", "kid-unknown"}
    assert evil.asked == []


@pytest.fixture
def published() -> Iterator[KeyServer]:
    """The server on which the client publishes its key."""
    with key_server() as served:
        served.publish(SIGNER)
        yield served


def _publishing(url: str) -> Trust:
    return trusting({EHR: TrustedClient(EHR, FetchedKeys(url, EHR), url)})


def test_published_keys_are_fetched_from_the_listed_address(published: KeyServer) -> None:
    """Epic names the address in each token, others leave it out: both are the listed one."""
    trust = _publishing(published.url)

    assert opened(SIGNER.token(head={"jku": published.url}), trust).iss == EHR
    assert opened(SIGNER.token(), trust).iss == EHR
    assert published.asked == ["/jwks.json"]


def test_keys_are_fetched_from_no_other_address(evil: KeyServer, published: KeyServer) -> None:
    """A token that names another address is refused before anything is fetched."""
    trust = _publishing(published.url)
    for address in (
        evil.url,
        published.url + "?",
        published.url + "#",
        published.url.upper(),
        f"{published.url}@{evil.url}",
        "",
        7,
        [published.url],
    ):
        token = SIGNER.token(head={"jku": address})

        assert refused(f"Bearer {token}", trust) == "jku"
    assert evil.asked == []
    assert published.asked == []


def test_strangers_make_us_fetch_nothing(published: KeyServer) -> None:
    """Nothing is fetched for a token that names no client, no algorithm, or no key."""
    trust = _publishing(published.url)
    for token in (
        STRANGER.token(),
        Signer(algorithm="RS256", key=rsa_key()).token(),
        SIGNER.token(head={"kid": None}),
    ):
        refused(f"Bearer {token}", trust)

    assert published.asked == []


def test_with_the_key_server_down_known_clients_are_not_served_by_chance() -> None:
    """Keys that cannot be fetched verify nothing: refused, not failed."""
    with key_server() as gone:
        url = gone.url

    assert refused(f"Bearer {SIGNER.token()}", _publishing(url)) == "keys-unavailable"
