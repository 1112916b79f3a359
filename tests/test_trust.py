"""Which tokens open the service, and which do not."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import jwt
import pytest

from service.clients import TrustedClient
from service.seen_tokens import TokensInMemory
from service.trust import LEEWAY_SECONDS, LONGEST_LIFE_SECONDS, NotTrusted, Trust
from tests.tokens import BASE, EHR, NOW, ROOT, VIEW, Signer, claims_of, part
from tests.trusted import (
    OTHER,
    OTHER_EHR,
    RSA_SIGNER,
    SIGNER,
    STRANGER,
    fixed,
    opened,
    refused,
    trusting,
)


@pytest.mark.parametrize(
    ("words", "token"),
    [
        ("ES384, as the sandbox signs", SIGNER.token()),
        ("RS384, as Epic signs", RSA_SIGNER.token()),
        ("the address in an array", SIGNER.token(aud=[BASE + VIEW])),
        ("two addresses of ours", SIGNER.token(aud=[BASE + ROOT, BASE + VIEW])),
        ("a clock half a second ahead", SIGNER.token(iat=NOW + 0.5, exp=NOW + 300.5)),
        ("a clock some seconds ahead", SIGNER.token(iat=NOW + LEEWAY_SECONDS)),
        ("a clock some seconds behind", SIGNER.token(exp=NOW - LEEWAY_SECONDS + 1)),
        ("an hour to live", SIGNER.token(exp=NOW + LONGEST_LIFE_SECONDS)),
        ("a key address nobody needs", SIGNER.token(head={"jku": "https://x.example.org/k"})),
        ("no type", SIGNER.token(head={"typ": ""})),
        ("a tenant nobody asked for", SIGNER.token(tenant="south")),
        ("members we do not know", SIGNER.token(sub=7, scope=["x"], nbf=NOW)),
    ],
)
def test_a_good_token_opens(words: str, token: str) -> None:
    """Everything real clients send, and what the specification lets them send."""
    assert opened(token).iss == EHR


def test_each_address_has_its_own_tokens() -> None:
    """Discovery, a call and feedback each take the token made for them, and no other."""
    paths = (ROOT, VIEW, f"{VIEW}/feedback", "/cds-services/back-pain-order-sign")
    for called in paths:
        for meant in paths:
            authorization = f"Bearer {SIGNER.token(meant)}"
            if called == meant:
                assert trusting().client_of(authorization, called).iss == EHR
            else:
                assert refused(authorization, path=called) == "aud"


def test_the_public_address_counts() -> None:
    """Behind a proxy the address clients know is not the one we listen on."""
    trust = Trust(
        "https://gateway.example.org/backpath",
        {EHR: TrustedClient(EHR, fixed(SIGNER))},
        TokensInMemory(now=lambda: NOW),
        lambda: NOW,
    )
    outside = SIGNER.token(aud="https://gateway.example.org/backpath" + VIEW)

    assert opened(outside, trust).iss == EHR
    assert refused(f"Bearer {SIGNER.token()}", trust) == "aud"


@pytest.mark.parametrize(
    ("words", "authorization", "reason"),
    [
        ("none", None, "no-token"),
        ("empty", "", "no-token"),
        ("a password", "Basic " + b64encode(b"ehr:secret").decode(), "scheme"),
        ("a token without scheme", SIGNER.token(), "scheme"),
        ("another scheme", "DPoP " + SIGNER.token(), "scheme"),
        ("the scheme alone", "Bearer", "malformed"),
        ("the scheme and a space", "Bearer ", "malformed"),
        ("no token", "Bearer not.a.jwt", "malformed"),
        ("two parts", "Bearer " + SIGNER.token().rsplit(".", 1)[0], "malformed"),
        ("four parts", f"Bearer {SIGNER.token()}.x", "malformed"),
        ("cut short", "Bearer " + SIGNER.token()[:-20], "signature"),
        ("padded", f"Bearer {SIGNER.token()}=", "malformed"),
        ("two headers, joined by the server", f"Bearer {SIGNER.token()},Bearer x", "malformed"),
        ("two tokens", f"Bearer {SIGNER.token()} {SIGNER.token()}", "malformed"),
        ("other alphabets", "Bearer é.é.é", "malformed"),
        ("a header as long as a book", "Bearer " + "a" * 10_000, "too-long"),
        ("no JSON inside", f"Bearer {part(b'{')}.{part({})}.{part(b'x')}", "malformed"),
        ("an array inside", f"Bearer {part([])}.{part({})}.{part(b'x')}", "malformed"),
        ("text inside", f"Bearer {part({'alg': 'ES384'})}.{part('x')}.{part(b'x')}", "malformed"),
        (
            "deeply nested",
            f"Bearer {part({'alg': 'ES384'})}.{part(b'[' * 5_000)}.{part(b'x')}",
            "malformed",
        ),
    ],
)
def test_what_is_no_bearer_token_is_refused(
    words: str, authorization: str | None, reason: str
) -> None:
    """Whatever stands in the header, it is refused, and the log says what it was."""
    assert refused(authorization) == reason


def test_the_scheme_may_be_written_small() -> None:
    """A scheme is the same in any case (RFC 9110, section 11.1)."""
    assert trusting().client_of(f"bearer {SIGNER.token()}", VIEW).iss == EHR


HUGE = 10**2_000


@pytest.mark.parametrize(
    ("reason", "claims"),
    [
        ("claim-missing", {"aud": None}),
        ("claim-missing", {"exp": None}),
        ("claim-missing", {"iat": None}),
        ("claim-missing", {"jti": None}),
        ("iss-unknown", {"iss": None}),
        ("iss-unknown", {"iss": "https://stranger.example.org"}),
        ("iss-unknown", {"iss": EHR + "/"}),
        ("iss-unknown", {"iss": [EHR]}),
        ("iss-unknown", {"iss": ""}),
        ("aud", {"aud": ""}),
        ("aud", {"aud": []}),
        ("aud", {"aud": {}}),
        ("aud", {"aud": 7}),
        ("aud", {"aud": BASE}),
        ("aud", {"aud": BASE + ROOT}),
        ("aud", {"aud": VIEW}),
        ("aud", {"aud": "http://cds.example.org" + VIEW}),
        ("aud", {"aud": "https://CDS.example.org" + VIEW}),
        ("aud", {"aud": BASE + VIEW + "/"}),
        ("aud", {"aud": BASE + VIEW + ".evil.example.org"}),
        ("aud", {"aud": BASE + VIEW + "?x=1"}),
        ("aud", {"aud": "https://evil.example.org" + VIEW}),
        ("aud-shared", {"aud": [BASE + VIEW, "https://evil.example.org" + VIEW]}),
        ("aud-shared", {"aud": [BASE + VIEW, BASE + "/cds-services-of-others"]}),
        ("aud-shared", {"aud": [BASE + VIEW, None]}),
        ("expired", {"exp": NOW - LEEWAY_SECONDS}),
        ("expired", {"exp": NOW - 86_400, "iat": NOW - 86_700}),
        ("expired", {"exp": 0}),
        ("expired", {"exp": -HUGE}),
        ("exp", {"exp": True}),
        ("exp", {"exp": str(NOW + 300)}),
        ("exp", {"exp": "soon"}),
        ("exp", {"exp": [NOW + 300]}),
        ("exp", {"exp": float("inf")}),
        ("exp", {"exp": float("nan")}),
        ("lives-too-long", {"exp": NOW + LONGEST_LIFE_SECONDS + 1}),
        ("lives-too-long", {"exp": NOW + 86_400}),
        ("lives-too-long", {"exp": HUGE}),
        ("lives-too-long", {"exp": 1e300}),
        ("iat-ahead", {"iat": NOW + LEEWAY_SECONDS + 1}),
        ("iat-ahead", {"iat": NOW + 60, "exp": NOW + 360}),
        ("iat-ahead", {"iat": HUGE, "exp": HUGE}),
        ("too-old", {"iat": NOW - 86_400, "exp": NOW + 300}),
        ("too-old", {"iat": -HUGE}),
        ("iat", {"iat": True}),
        ("iat", {"iat": str(NOW)}),
        ("iat", {"iat": {}}),
        ("nbf-ahead", {"nbf": NOW + 60}),
        ("nbf", {"nbf": "later"}),
        ("jti", {"jti": ""}),
        ("jti", {"jti": 7}),
        ("jti", {"jti": ["a"]}),
    ],
)
def test_a_wrong_claim_is_refused(reason: str, claims: dict[str, Any]) -> None:
    """A token that lacks a claim, or bears one of the wrong kind, time or address."""
    token = _signed(claims_of(EHR, **claims))

    assert refused(f"Bearer {token}") == reason


def _signed(claims: dict[str, Any], head: dict[str, Any] | None = None) -> str:
    body = json.dumps(claims).encode()
    return jwt.api_jws.encode(body, SIGNER.key, "ES384", headers={"kid": "key-1", **(head or {})})


def test_a_number_nobody_can_read_is_refused() -> None:
    """Numbers of many thousand digits are not even reckoned with."""
    claims = json.dumps(claims_of(EHR)).replace(str(NOW + 300), "9" * 5_000)
    token = jwt.api_jws.encode(claims.encode(), SIGNER.key, "ES384", headers={"kid": "key-1"})

    assert refused(f"Bearer {token}") == "malformed"


def test_a_token_is_good_once() -> None:
    """A token found on the wire opens nothing, nor does a new one of the same number."""
    trust = trusting()
    token = SIGNER.token(jti="1")

    assert opened(token, trust).iss == EHR
    assert refused(f"Bearer {token}", trust) == "replayed"
    assert refused(f"Bearer {SIGNER.token(jti='1', exp=NOW + 200)}", trust) == "replayed"
    assert refused(f"Bearer {SIGNER.token(ROOT, jti='1')}", trust, ROOT) == "replayed"
    assert opened(SIGNER.token(jti="2"), trust).iss == EHR
    assert opened(OTHER.token(jti="1", tenant="north"), trust).iss == OTHER_EHR


def test_a_refused_token_is_not_used_up() -> None:
    """A stranger cannot spend a client's numbers, nor a wrong call its own token."""
    trust = trusting()
    token = SIGNER.token(jti="1")
    forged = Signer().token(jti="1")

    assert refused(f"Bearer {forged}", trust) == "signature"
    assert refused(f"Bearer {token}", trust, ROOT) == "aud"
    assert opened(token, trust).iss == EHR
    assert refused(f"Bearer {OTHER.token(jti='2', tenant='south')}", trust) == "tenant"
    assert opened(OTHER.token(jti="2", tenant="north"), trust).iss == OTHER_EHR


def test_a_token_is_remembered_as_long_as_it_is_good() -> None:
    """To the last second of its life and leeway; then its age alone refuses it."""
    clock = [float(NOW)]
    trust = trusting(now=lambda: clock[0])
    token = SIGNER.token(exp=NOW + 60.5)
    opened(token, trust)
    reasons = []
    for second in range(80):
        clock[0] = NOW + second
        reasons.append(refused(f"Bearer {token}", trust))

    assert set(reasons[:70]) == {"replayed"}
    assert set(reasons[71:]) == {"expired"}
    assert set(reasons) == {"replayed", "expired"}


@pytest.mark.parametrize(
    ("tenant", "opens"),
    [("north", True), ("7", True), ("south", False), (None, False), (7, False), (["north"], False)],
)
def test_a_client_calls_for_its_own_tenants(tenant: Any, opens: bool) -> None:
    """Where tenants are listed, a token names one of them."""
    token = OTHER.token(tenant=tenant)
    if opens:
        assert opened(token).iss == OTHER_EHR
    else:
        assert refused(f"Bearer {token}") == "tenant"


def test_the_client_is_known_even_when_refused() -> None:
    """The log may name the client whose token was refused; it never names strangers."""
    for token, name in ((SIGNER.token(exp=0), EHR), (STRANGER.token(), None)):
        with pytest.raises(NotTrusted) as refusal:
            opened(token)

        assert getattr(refusal.value.client, "iss", None) == name
