"""The routes of administrators: closed unless a secret is set, and opened by it alone."""

from __future__ import annotations

import hmac
from datetime import date

from flask import Blueprint, Response, request

from service.body import as_json
from service.errors import mismatched, not_served, unauthenticated, unavailable
from service.house import House, house
from service.report import Report, build_report
from service.report import as_json as report_as_json
from service.store_errors import StoreUnavailable

administration = Blueprint("administration", __name__)


@administration.before_request
def _let_in() -> None:
    """Let in whoever bears the secret.

    Raises:
        RequestRefused: 404 when no secret is set, 401 when this is not it.
    """
    secret = house().settings.admin_token
    if not secret:
        raise not_served()
    if not is_bearer_of(secret):
        raise unauthenticated()


def is_bearer_of(secret: str) -> bool:
    """Whether the request bears the secret in its header."""
    said = request.headers.get("Authorization", "")
    return hmac.compare_digest(said.encode(), f"Bearer {secret}".encode())


@administration.after_request
def _for_nobody_else(response: Response) -> Response:
    """Keep what administrators see out of every cache, and say how to get in."""
    response.headers["Cache-Control"] = "no-store"
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@administration.get("/feedback-report")
def feedback_report() -> Response:
    """What became of the cards of a period; ``since`` and ``until`` are days, both included."""
    since, until = _day("since"), _day("until")
    if since and until and since > until:
        raise mismatched("Must not be before 'since'.", "until")
    try:
        report = report_on(house(), since, until)
    except StoreUnavailable:
        raise unavailable("The store cannot be reached.") from None
    return as_json(report_as_json(report))


def report_on(
    shared: House, since: date | None, until: date | None, recommendation: str | None = None
) -> Report:
    """The report on a period, as the store tells it now.

    Args:
        recommendation: the only one to tell of; None tells of all.

    Raises:
        StoreUnavailable: nothing can be told.
    """
    shared.shown.write(shared.store)  # what this process has counted since its last round
    shown = shared.store.shown(since, until)
    outcomes = shared.store.outcomes(since, until)
    if recommendation is not None:
        shown = tuple(count for count in shown if count.recommendation == recommendation)
        outcomes = tuple(count for count in outcomes if count.recommendation == recommendation)
    return build_report(shown, outcomes, since, until)


def _day(name: str) -> date | None:
    text = request.args.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise mismatched("Must be a day such as 2026-03-01.", name) from None
