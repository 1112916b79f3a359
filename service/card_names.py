"""Names every card given out, so that feedback can say which recommendation it was."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from secrets import randbits, token_bytes
from typing import Any

from service.card_uuid import CHANCE_BITS, make_card_uuid, read_card_uuid, tags
from service.store import Store

KEY_BYTES = 32


class CardNames:
    """The uuids of cards, made with the key that all processes of one store share.

    Until the store has told its key, cards bear one of this process; it is handed to the store as
    soon as that can be reached, so that these cards are known as well.
    """

    def __init__(self, recommendations: Iterable[str]) -> None:
        self._recommendations = tags(recommendations)
        self._own = token_bytes(KEY_BYTES)
        self._own_used = False
        self._keys: tuple[bytes, ...] = ()

    @property
    def learnt(self) -> bool:
        """Whether the store has told its keys."""
        return bool(self._keys)

    def uuid(self, card: Mapping[str, Any], client: str | None = None) -> str:
        """A new uuid for a card that this client is shown; None when clients are not verified."""
        recommendation: str = card["source"]["topic"]["code"]
        return make_card_uuid(recommendation, self._key(), randbits(CHANCE_BITS), client)

    def _key(self) -> bytes:
        if self._keys:
            return self._keys[0]
        self._own_used = True
        return self._own

    def learn(self, store: Store) -> None:
        """Take the keys of the store, and leave it ours where cards bear it.

        Raises:
            StoreUnavailable: nothing was learnt.
        """
        keys = store.card_keys(self._own if self._own_used else None)
        self._keys = keys or store.card_keys(self._own)

    def secrets_for(self, purpose: bytes) -> tuple[bytes, ...]:
        """Secrets of their own for another purpose, that all processes of one store share.

        The one to use stands first; the last is of this process and those forked off it.
        """
        keys = (*self._keys, self._own)
        return tuple(hmac.digest(key, purpose, "sha256") for key in dict.fromkeys(keys))

    def recommendation(self, card: str, client: str | None = None) -> str | None:
        """The recommendation a card's uuid names; None when we made it for no card of this client.

        None for the client when clients are not verified.
        """
        return read_card_uuid(card, self._keys, self._recommendations, client)
