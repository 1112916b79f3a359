"""A pasted request tried out: answered as a call is, and explained; nothing of it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from service.call import read_call
from service.envelope import check_envelope, read_json
from service.errors import RequestRefused, malformed
from service.fhir_client import NO_CLIENT, Aside
from service.hooks import Answered, answer, service_of_hook
from service.house import House, profile_of
from service.page_addresses import launch_page, recommendation_pages
from service.pages.applied import JSON, applied
from service.pages.placing import Placing, placing
from service.pages.written_at import Written, written_at

# What the service does first to last, in words.
STAGES = {
    "receive": "Receiving the request",
    "wait": "Waiting for its turn",
    "read": "Reading it",
    "complete": "Completing the prefetch",
    "judge": "Judging the chart",
    "respond": "Writing the cards",
    "explain": "Explaining (not part of a call)",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One request answered and explained.

    Attributes:
        service_id: the service that answers its hook.
        seconds: how long each stage took.
    """

    service_id: str
    answered: Answered
    placing: Placing | None
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request, and where in its text."""

    text: str
    path: str
    at: Written


def try_out(body: bytes, shared: House, aside: Aside) -> Trial:
    """Answer a request by the service of its hook.

    Where clients must prove who they are, nobody's FHIR server is asked for a stranger.

    Raises:
        RequestRefused: the service answers no cards to it.
    """
    service = service_of_hook(read_call(body).get("hook"))
    today, settings = shared.today(), shared.settings
    answered = answer(
        body,
        service.id,
        shared.library,
        today,
        profile_of(None, settings),
        fhir=shared.fhir if settings.auth == "off" else NO_CLIENT,
        aside=aside,
        pages=recommendation_pages(settings),
        launch=launch_page(settings),
    )
    begun = perf_counter()
    judgement = answered.judgement
    record = judgement.record
    placed = placing(record, judgement.advice, shared.library, today) if record else None
    seconds = {**answered.seconds, "explain": perf_counter() - begun}
    return Trial(service.id, answered, placed, seconds)


def faults(body: bytes, refusal: RequestRefused) -> tuple[Fault, ...]:
    """What is wrong with a request, each where it stands in its text, first to last."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    found = (Fault(each.text, each.path, written_at(text, each.path)) for each in refusal.problems)
    return tuple(sorted(found, key=lambda fault: (fault.at.line, fault.at.column)))


def accepted(body: bytes, instance: str) -> JSON:
    """The request that follows when a suggestion is accepted.

    Args:
        body: an object with the text of the ``request``, the ``card`` as it was answered, and the
            uuid of its ``suggestion``.
        instance: the ``hookInstance`` of the new call.

    Raises:
        RequestRefused: 400, the request is none of ours or the suggestion is not to be applied.
    """
    asked = read_json(body)
    text = asked.get("request")
    if not isinstance(text, str):
        raise malformed("request must be a string: the text of the request.", "request")
    request = read_json(text.encode())
    check_envelope(request, service_of_hook(request.get("hook")).hook)
    return applied(request, _actions(asked), instance)


def _actions(asked: Mapping[str, Any]) -> list[Any]:
    match asked:
        case {"card": {"suggestions": [*suggestions]}, "suggestion": str() as wanted}:
            for suggestion in suggestions:
                match suggestion:
                    case {"uuid": str() as uuid, "actions": [*actions]} if uuid == wanted:
                        return actions
    raise malformed("The card has no such suggestion.", "suggestion")
