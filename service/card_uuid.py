"""The uuid of a card, which says which recommendation it was, and that we gave it out.

An RFC 9562 version 8 uuid: 20 bits that stand for the recommendation, 70 bits of chance, and
32 bits of a keyed digest over both and the client that is shown the card. So feedback names its
recommendation without a row for each card shown, and holds nothing of the patient. A uuid that is
forged, another service's, or sent back by another client than was shown the card, fails the digest
but for one chance in four thousand million.

Source: https://www.rfc-editor.org/rfc/rfc9562#section-5.8
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from secrets import token_bytes
from uuid import UUID

TAG_BITS = 20
CHANCE_BITS = 70
DIGEST_BITS = 32
# The bits of a uuid that are not ours: version 8 and variant 10.
_FIXED = (8 << 76) | (0b10 << 62)
# The same for version 4, whose other bits are all of chance.
_FIXED_OF_CHANCE = (4 << 76) | (0b10 << 62)
_FREE = (1 << 128) - 1 ^ (0b1111 << 76 | 0b11 << 62)
_LOW = (1 << 62) - 1
_MIDDLE = (1 << 12) - 1


@lru_cache(maxsize=4096)
def tag(recommendation: str) -> int:
    """The number that stands for a recommendation in the uuids of its cards."""
    return int.from_bytes(sha256(recommendation.encode()).digest()[:4], "big") >> (32 - TAG_BITS)


def tags(recommendations: Iterable[str]) -> dict[int, str]:
    """Each number with its recommendation.

    Raises:
        ValueError: two recommendations share a number; one needs another id.
    """
    known: dict[int, str] = {}
    for recommendation in sorted(recommendations):
        other = known.setdefault(tag(recommendation), recommendation)
        if other != recommendation:
            raise ValueError(f"cards of {other} and {recommendation} could not be told apart")
    return known


def make_card_uuid(recommendation: str, key: bytes, chance: int, client: str | None = None) -> str:
    """A new uuid for a card.

    Args:
        recommendation: id of the recommendation the card stands for, its leader.
        chance: 70 random bits, never the same for two cards.
        client: who is shown the card; None when clients are not verified.
    """
    signed = tag(recommendation) << CHANCE_BITS | chance
    bits = signed << DIGEST_BITS | _digest(signed, key, client)
    return _written(_spread(bits))


def chance_uuids(count: int) -> list[str]:
    """So many version 4 uuids, which say nothing and are never the same; drawn all at once."""
    drawn = token_bytes(16 * count)
    numbers = (int.from_bytes(drawn[at : at + 16], "big") for at in range(0, len(drawn), 16))
    return [_written(number & _FREE | _FIXED_OF_CHANCE) for number in numbers]


def read_card_uuid(
    text: str,
    keys: Sequence[bytes],
    recommendations: Mapping[int, str],
    client: str | None = None,
) -> str | None:
    """The recommendation a card's uuid names; None when it is no uuid we made for this client.

    Args:
        keys: every key that uuids were ever made with.
        recommendations: as ``tags`` gives them.
        client: who sends it back; None when clients are not verified.
    """
    try:
        number = UUID(text).int
    except ValueError:
        return None
    bits = _gathered(number)
    signed, digest = bits >> DIGEST_BITS, bits & ((1 << DIGEST_BITS) - 1)
    ours = _spread(bits) == number and any(_digest(signed, key, client) == digest for key in keys)
    return recommendations.get(signed >> CHANCE_BITS) if ours else None


def _digest(signed: int, key: bytes, client: str | None) -> int:
    told = b"backpath card" + signed.to_bytes(12, "big")
    if client is not None:
        told += client.encode("utf-8", "surrogatepass")
    keyed = _keyed(key).copy()
    keyed.update(told)
    return int.from_bytes(keyed.digest()[: DIGEST_BITS // 8], "big")


@lru_cache(maxsize=16)
def _keyed(key: bytes) -> hmac.HMAC:
    """What is the same for every card: the key, mixed in."""
    return hmac.new(key, digestmod="sha256")


def _written(number: int) -> str:
    """A uuid in its canonical form; the library's own class takes five times as long."""
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _spread(bits: int) -> int:
    """A uuid's number out of its 122 free bits."""
    return (bits >> 74) << 80 | (bits >> 62 & _MIDDLE) << 64 | bits & _LOW | _FIXED


def _gathered(number: int) -> int:
    """The 122 free bits of a uuid's number."""
    return (number >> 80) << 74 | (number >> 64 & _MIDDLE) << 62 | number & _LOW
