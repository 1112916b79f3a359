"""What clinicians did with the cards: checked whole, kept whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from service.envelope import check_shape
from service.errors import mismatched, unavailable
from service.store import Feedback, FeedbackStore, StoreUnavailable


def read_feedback(body: Mapping[str, Any], service: str) -> tuple[Feedback, ...]:
    """The feedback of one call, for one service.

    ``userComment`` and every display text are left behind: they may name the patient.

    Raises:
        RequestRefused: 400, with the path of each bad entry.
    """
    check_shape(body, "feedback")
    return tuple(_read_entry(entry, service, i) for i, entry in enumerate(body["feedback"]))


def _read_entry(entry: Mapping[str, Any], service: str, position: int) -> Feedback:
    try:
        at = datetime.fromisoformat(entry["outcomeTimestamp"].upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise mismatched(
            "The timestamp is not a real date and time.",
            f"feedback[{position}].outcomeTimestamp",
        ) from None
    accepted = entry["outcome"] == "accepted"
    suggestions = entry.get("acceptedSuggestions") or [] if accepted else []
    reason = {} if accepted else (entry.get("overrideReason") or {}).get("reason") or {}
    return Feedback(
        service=service,
        card=entry["card"],
        outcome=entry["outcome"],
        at=at,
        suggestions=tuple(suggestion["id"] for suggestion in suggestions),
        reason_system=reason.get("system"),
        reason_code=reason.get("code"),
    )


def keep_feedback(feedback: tuple[Feedback, ...], store: FeedbackStore) -> None:
    """Keep all of it; the same feedback again changes nothing.

    Raises:
        RequestRefused: 503, when the store cannot be reached; nothing was kept.
    """
    if not feedback:
        return
    try:
        store.keep(feedback)
    except StoreUnavailable:
        raise unavailable(
            "Feedback cannot be kept now; nothing of it was. Send it again."
        ) from None
