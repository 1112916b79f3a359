"""What a person is shown when a request is refused or fails: what a program is told, as a page."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request

from service.error_answers import ANSWERS
from service.pages.frame import page
from service.trust import ROOT

HTML = "text/html"
# Addresses of programs: whoever asks there is answered as a program, even by a browser.
PROGRAMS = frozenset({"cds_services", "operations", "administration"})
TITLES = {
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.UNAUTHORIZED: "Not let in",
    HTTPStatus.FORBIDDEN: "Not let in",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not possible at the moment",
}
# What is said beside the words, and says the same to a browser.
CARRIED = ("Allow", "Retry-After")


def tell_people(app: Flask) -> None:
    """From here on a browser that asks for a page is told of troubles by a page."""
    for trouble, answer in ANSWERS.items():
        app.register_error_handler(trouble, _told(answer))


def _told(answer: Callable[[Any], Response]) -> Callable[[Exception], Response]:
    def tell(trouble: Exception) -> Response:
        response = answer(trouble)
        refused = response.status_code >= HTTPStatus.BAD_REQUEST  # and not sent elsewhere
        return _as_page(response) if refused and _is_a_person() else response

    return tell


def _is_a_person() -> bool:
    """Whether a browser asked for a page; the scripts it runs ask for something else."""
    blueprint, path = request.blueprint, request.path
    if blueprint in PROGRAMS or f"{path}/".startswith(f"{ROOT}/"):
        return False
    if blueprint is None and request.method not in {"GET", "HEAD"}:
        return False
    return HTML in request.accept_mimetypes.values()


def _as_page(response: Response) -> Response:
    problems = (response.get_json(silent=True) or {}).get("issue", ())
    shown = page(
        "trouble.html",
        response.status_code,
        title=TITLES.get(HTTPStatus(response.status_code), "The request cannot be served"),
        problems=[problem["diagnostics"] for problem in problems],
    )
    for name in CARRIED:
        if name in response.headers:
            shown.headers[name] = response.headers[name]
    return shown
