"""The Flask application: content read once, routes joined, every error an OperationOutcome."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from time import perf_counter
from typing import Any
from uuid import uuid4

from flask import Blueprint, Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from cards.library import Library, load_library
from service.envelope import load_schemas, read_json
from service.errors import (
    Problem,
    RequestRefused,
    not_json,
    outcome,
    too_large,
    unavailable,
)
from service.feedback import keep_feedback, read_feedback
from service.hooks import answer, discover, find_service, recommendation_ids
from service.log import log_event, loggable_uuid, start_log
from service.settings import Settings, switched_on
from service.store import FeedbackStore, StoreUnavailable, open_store

# What is read and thrown away of a refused body, so that the client reads our answer instead of a
# broken connection. https://www.rfc-editor.org/rfc/rfc9112#section-9.6
DRAINED_BODIES = 4
CHUNK = 65_536

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    # "*" would not cover Authorization. https://fetch.spec.whatwg.org/#http-access-control-allow-headers
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
    "Access-Control-Max-Age": "600",
}


@dataclass(frozen=True, slots=True)
class House:
    """What every request shares: settings, content, the feedback store, and the clock."""

    settings: Settings
    library: Library
    store: FeedbackStore
    today: Callable[[], date]
    discovery: dict[str, Any]


def create_app(
    settings: Settings | None = None,
    *,
    today: Callable[[], date] = date.today,
    library: Library | None = None,
    store: FeedbackStore | None = None,
) -> Flask:
    """The application, ready to answer; everything it needs is read here.

    Args:
        today: gives the day of a call, local calendar date.
        library: the content; None reads it from the package.
        store: where feedback goes; None opens the one of the settings.

    Raises:
        ContentError: a content file is wrong; the message names file and line.
    """
    settings = settings or Settings()
    library = library or load_library(
        switched_on=switched_on(settings), mme_factors=settings.mme_factors
    )
    load_schemas()
    start_log(settings.log_level)
    app = Flask("service", static_folder=None)
    app.url_map.strict_slashes = False
    app.extensions["backpath"] = House(
        settings,
        library,
        store or open_store(settings.database_url),
        today,
        discover(library),
    )
    app.register_blueprint(cds_services)
    app.register_blueprint(operations)
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(RequestRefused, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _failed)
    return app


cds_services = Blueprint("cds_services", __name__, url_prefix="/cds-services")
operations = Blueprint("operations", __name__)


def house() -> House:
    """What the running application shares between requests."""
    shared: House = current_app.extensions["backpath"]
    return shared


@cds_services.get("")
def list_services() -> Response:
    """Discovery."""
    return as_json(house().discovery)


@cds_services.post("/<service_id>")
def call_service(service_id: str) -> Response:
    """One hook call."""
    find_service(service_id)
    shared = house()
    response, judgement, call = answer(read_body(), service_id, shared.library, shared.today())
    g.log = {
        "service": service_id,
        "hookInstance": loggable_uuid(call["hookInstance"]),
        "cards": recommendation_ids(response),
        "errors": list(judgement.advice.errors),
        "dropped": dict(judgement.dropped),
    }
    return as_json(response)


@cds_services.post("/<service_id>/feedback")
def take_feedback(service_id: str) -> Response:
    """What clinicians did with cards of this service."""
    find_service(service_id)
    feedback = read_feedback(read_json(read_body()), service_id)
    keep_feedback(feedback, house().store)
    g.log = {"service": service_id, "feedback": len(feedback)}
    return as_json({})


@operations.get("/health")
def health() -> Response:
    """The process is alive."""
    return as_json({"status": "alive"})


@operations.get("/ready")
def ready() -> Response:
    """The content is loaded and feedback can be kept."""
    shared = house()
    try:
        shared.store.check()
    except StoreUnavailable:
        raise unavailable("The feedback store cannot be reached.") from None
    return as_json(
        {
            "status": "ready",
            "contentVersion": shared.library.content_version,
            "recommendations": len(shared.library.recommendations),
            "auth": shared.settings.auth,
        }
    )


def read_body() -> bytes:
    """The bytes of a JSON body.

    Raises:
        RequestRefused: 415 when it is not sent as JSON, 413 when it is too long.
    """
    kind = request.mimetype
    if not kind:
        raise not_json("The Content-Type is missing; it must be application/json.")
    if kind != "application/json" and not kind.endswith("+json"):
        raise not_json("The Content-Type must be application/json.")
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise not_json("A compressed body is not read; send it uncompressed.")
    return _read_up_to(house().settings.max_body_bytes)


def _read_up_to(limit: int) -> bytes:
    """The whole body, however it is sent; a chunked one says its length only by ending."""
    announced = request.content_length
    body = bytearray()
    if announced is None or announced <= limit:
        while len(body) <= limit and (chunk := request.stream.read(CHUNK)):
            body += chunk
    if len(body) > limit or (announced is not None and announced > limit):
        _drain(DRAINED_BODIES * limit)
        raise too_large(limit)
    return bytes(body)


def _drain(most: int) -> None:
    """Throw away the rest of a body that is too long, up to this many bytes."""
    while most > 0 and (chunk := request.stream.read(CHUNK)):
        most -= len(chunk)


def as_json(body: dict[str, Any], status: int = 200) -> Response:
    """A JSON response; plain ASCII, so that any text survives any client."""
    text = json.dumps(body, allow_nan=False)
    return Response(text, status=status, content_type="application/json")


def _begin() -> Response | None:
    """Start the clock of a call; answer every preflight, which never bears a token."""
    g.started = perf_counter()
    if request.method != "OPTIONS":
        return None
    return Response(status=204)


def _finish(response: Response) -> Response:
    """Open the response to browsers, errors included, and write the call's log line."""
    response.headers.update(CORS)
    if request.headers.get("Access-Control-Request-Private-Network") == "true":
        response.headers["Access-Control-Allow-Private-Network"] = "true"
    line = {
        "route": request.url_rule.rule if request.url_rule else None,
        "method": request.method if request.method in {"GET", "POST", "OPTIONS"} else "other",
        "status": response.status_code,
        "ms": round((perf_counter() - g.started) * 1000, 1),
        **g.get("log", {}),
    }
    quiet = request.method == "OPTIONS" or request.blueprint == "operations"
    log_event(logging.DEBUG if quiet else logging.INFO, "call", line)
    return response


def _refused(refusal: RequestRefused) -> Response:
    g.log = {"paths": [problem.path for problem in refusal.problems]}
    return as_json(outcome(refusal.problems), refusal.status)


_HTTP_TEXTS = {
    404: Problem("Nothing is served at this address.", "url", "not-found"),
    405: Problem("This address does not take this method.", "method", "not-supported"),
}


def _http_error(error: HTTPException) -> Response:
    status = error.code or 400
    if status < 400:  # a redirect to the canonical address
        return Response(status=status, headers=list(error.get_response().headers))
    if status >= 500:
        return _failed(error)
    problem = _HTTP_TEXTS.get(status, Problem("The request cannot be read."))
    response = as_json(outcome((problem,)), status)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _failed(error: Exception) -> Response:
    """Anything not foreseen: an id to ask about, and never a word of what went wrong.

    The exception's text may quote the chart, so its type and place alone are logged.
    """
    incident = str(uuid4())
    fields = {"incident": incident, "type": type(error).__name__, "at": _place(error)}
    log_event(logging.ERROR, "unexpected failure", fields)
    problem = Problem(f"The request could not be served; incident {incident}.", code="exception")
    return as_json(outcome((problem,)), 503)


def _place(error: Exception) -> str | None:
    """Module and line where an exception was raised; None when it never was."""
    trace = error.__traceback__
    if trace is None:
        return None
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
