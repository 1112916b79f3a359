"""A request or response stored in a file, and what the service would answer it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import click

from cards.advise import Advice
from cards.library import Library
from service.envelope import check_envelope, read_json
from service.errors import RequestRefused
from service.hooks import judge, respond, service_of_hook
from service.profile import Profile
from service.shift import NoDate, as_of, shift_to


def advise_on(body: bytes, library: Library, today: date, day: date | None = None) -> Advice:
    """The advice on a stored request, by the same steps as over HTTP.

    Args:
        today: the day to judge a request on that names none.
        day: the day to judge it on; None takes the request's own.

    Raises:
        RequestRefused: as over HTTP.
    """
    request = read_json(body)
    service = service_of_hook(request.get("hook"))
    check_envelope(request, service.hook)
    return judge(request, service, library, day or as_of(request) or today).advice


def cards_for(
    stored: dict[str, Any], profiles: Sequence[Profile], library: Library, today: date
) -> Iterator[tuple[Profile, list[dict[str, Any]]]]:
    """For each profile the cards of a stored response, or those a stored request would get.

    A request that is refused gets none.
    """
    if "cards" in stored:
        kept = stored["cards"]
        if not isinstance(kept, list) or not all(isinstance(card, dict) for card in kept):
            raise click.ClickException("the cards of a response must be a list of objects")
        yield from ((profile, kept) for profile in profiles)
        return
    try:
        advice = advise_on(json.dumps(stored).encode(), library, today)
    except RequestRefused:
        return
    for profile in profiles:
        yield profile, respond(advice, profile=profile)["cards"]


def read_request(path: Path) -> dict[str, Any]:
    """The JSON object in a file, read as strictly as over HTTP."""
    try:
        return read_json(path.read_bytes())
    except RequestRefused as refusal:
        refuse(refusal)


def service_id_of(request: dict[str, Any]) -> str:
    """The id of the service that answers a request's hook."""
    try:
        return service_of_hook(request.get("hook")).id
    except RequestRefused as refusal:
        refuse(refusal)


def refuse(refusal: RequestRefused) -> NoReturn:
    """End the command with what is wrong with the request."""
    raise click.ClickException("; ".join(problem.text for problem in refusal.problems)) from None


def shifted(request: dict[str, Any], to: date) -> dict[str, Any]:
    """The request moved to a day."""
    try:
        return shift_to(request, to)
    except NoDate:
        raise click.ClickException("the request bears no date to shift from") from None
    except OverflowError:
        raise click.ClickException("a date would leave the calendar") from None
