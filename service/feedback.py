"""What clinicians did with the cards: checked whole, kept whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from cards.card import OVERRIDE_SYSTEM
from service.card_names import CardNames
from service.envelope import check_shape
from service.errors import mismatched, too_many, unavailable
from service.log import log_event
from service.store import Feedback, Store
from service.store_errors import StoreUnavailable

# What a reason counts as that is none of those our cards offer. What looks like a code may name
# somebody: a client's own may be "john-smith", in the system "urn:patient:1950".
OTHER_REASON = "other"
# Over all entries of one call; each takes as long to check as an entry.
MOST_SUGGESTIONS = 20_000


def read_feedback(
    body: Mapping[str, Any],
    service: str,
    today: date,
    reasons: Collection[str],
    client: str | None = None,
) -> tuple[Feedback, ...]:
    """The feedback of one call, for one service.

    ``userComment``, every display text and every code that is not ours are left behind: they may
    name the patient.

    Args:
        today: the day of the call, local calendar date.
        reasons: the codes of the override reasons our cards offer.
        client: who sends it; None when clients are not verified.

    Raises:
        RequestRefused: 400, with the path of the first bad entry; 413, when they accept more than
            ``MOST_SUGGESTIONS``.
    """
    if _suggestions_in(body) > MOST_SUGGESTIONS:
        raise too_many(MOST_SUGGESTIONS, "accepted suggestions")
    check_shape(body, "feedback")
    times = [_moment(entry, today, position) for position, entry in enumerate(body["feedback"])]
    return tuple(
        _read_entry(entry, service, reasons, client, at)
        for entry, at in zip(body["feedback"], times, strict=True)
    )


def _suggestions_in(body: Mapping[str, Any]) -> int:
    """How many accepted suggestions a body of any shape holds, told without reading them."""
    entries = body.get("feedback")
    accepted = (
        entry.get("acceptedSuggestions")
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    )
    return sum(len(one) for one in accepted if isinstance(one, list))


def _moment(entry: Mapping[str, Any], today: date, position: int) -> datetime:
    """When the outcome came to be.

    The latest outcome of a card counts, so one of a year to come would count for ever. A day is
    left for clocks and time zones.
    """
    path = f"feedback[{position}].outcomeTimestamp"
    try:
        at = datetime.fromisoformat(entry["outcomeTimestamp"].upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise mismatched("The timestamp is not a real date and time.", path) from None
    if at.date() > today + timedelta(days=1):
        raise mismatched("The timestamp is more than a day ahead.", path)
    return at


def _read_entry(
    entry: Mapping[str, Any],
    service: str,
    reasons: Collection[str],
    client: str | None,
    at: datetime,
) -> Feedback:
    accepted = entry["outcome"] == "accepted"
    suggestions = entry.get("acceptedSuggestions") or [] if accepted else []
    given = {} if accepted else (entry.get("overrideReason") or {}).get("reason") or {}
    system, code = _reason(given, reasons)
    return Feedback(
        service=service,
        card=one_uuid(entry["card"]),
        outcome=entry["outcome"],
        at=at,
        suggestions=tuple(one_uuid(suggestion["id"]) for suggestion in suggestions),
        reason_system=system,
        reason_code=code,
        client=client,
    )


def one_uuid(text: str) -> str:
    """A uuid in the one form it is kept in.

    Cards and suggestions of ours bear uuids. Another text could hold anything, so a uuid made from
    it stands for it: the same for the same text, and one that names no card of ours.
    """
    try:
        return str(UUID(text))
    except ValueError:
        digest = sha256(text.encode("utf-8", "surrogatepass")).digest()
        return str(UUID(bytes=digest[:16], version=5))


def _reason(given: Mapping[str, Any], reasons: Collection[str]) -> tuple[str | None, str | None]:
    """The system and code a reason is kept as; both None when none was given."""
    if not given:
        return None, None
    if given.get("system") == OVERRIDE_SYSTEM and given["code"] in reasons:
        return OVERRIDE_SYSTEM, given["code"]
    return None, OTHER_REASON


def keep_feedback(
    feedback: tuple[Feedback, ...], store: Store, names: CardNames
) -> tuple[str, ...]:
    """Keep all of it, with the recommendation each card was; what is kept already stays as it is.

    Returns:
        the outcome of each entry that was not kept before.

    Raises:
        RequestRefused: 503, when the store cannot be reached; nothing was kept.
    """
    if not feedback:
        return ()
    try:
        # Another process may have made a key of its own since: these cards are to be known too.
        names.learn(store)
        return store.keep(
            replace(entry, recommendation=names.recommendation(entry.card, entry.client))
            for entry in feedback
        )
    except StoreUnavailable as problem:
        log_event(logging.WARNING, "feedback was not kept", {"kind": str(problem)})
        raise unavailable(
            "Feedback cannot be kept now; nothing of it was. Send it again."
        ) from None
