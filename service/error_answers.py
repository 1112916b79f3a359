"""What a request that is refused or fails is answered with: always an OperationOutcome."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from service.body import as_json
from service.errors import Problem, RequestRefused, outcome, unauthenticated
from service.house import house
from service.log import log_event
from service.trust import NotTrusted
from service.visit import this_visit

RETRY_AFTER_SECONDS = "1"


def answer_errors(app: Flask) -> None:
    """From here on the application answers whatever goes wrong in its requests."""
    for trouble, answer in ANSWERS.items():
        app.register_error_handler(trouble, answer)


def _refused(refusal: RequestRefused) -> Response:
    visit = this_visit()
    visit.told = {"paths": [problem.path for problem in refusal.problems]}
    if refusal.callbacks:
        visit.told["callbacks"] = dict(refusal.callbacks)
        house().metrics.count(callbacks=refusal.callbacks.items())
    response = as_json(outcome(refusal.problems), refusal.status)
    if refusal.status == 503:
        response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def _not_trusted(refusal: NotTrusted) -> Response:
    """401 without a word why; the log gets the reason, and the name of a client that we know."""
    response = _refused(unauthenticated())
    response.headers["WWW-Authenticate"] = "Bearer"
    told = this_visit().told = {"refused": refusal.reason}
    if refusal.client is not None:
        told["client"] = refusal.client.iss
    house().metrics.count(auth_failures=[(refusal.reason,)])
    return response


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


# What answers each kind of trouble.
ANSWERS: Mapping[type[Exception], Callable[[Any], Response]] = {
    RequestRefused: _refused,
    NotTrusted: _not_trusted,
    HTTPException: _http_error,
    Exception: _failed,
}
