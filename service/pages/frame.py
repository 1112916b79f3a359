"""The frame of every page: its look, its way about, and what a browser may do with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from service.house import house

# Nothing but what this service serves itself: no inline script or style, no frame, no other host.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# How long a browser may keep what never holds anything of a patient.
CONTENT_SECONDS = 300
# A file asked for by its mark is that file for ever: another content has another mark.
MARKED = "public, max-age=31536000, immutable"

looks = Blueprint(
    "looks", __name__, template_folder="templates", static_folder="static", static_url_path="/look"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the navigation, and what one finds there."""

    path: str
    title: str
    purpose: str


HOME = Place("/", "Home", "What this is, how it is, and how to connect to it.")
TRY = Place(
    "/try",
    "Try it",
    "Run a synthetic patient or a request of your own, and see each card's reasons.",
)
CATALOGUE = (
    Place(
        "/recommendations", "Recommendations", "Each rule in English, its wording, and its sources."
    ),
    Place("/pathways", "Pathways", "The course of each kind of back pain, drawn from the content."),
    Place("/facts", "Facts", "What is asked of a chart, and how the answer is found."),
    Place("/sources", "Sources", "The guidelines followed, and where they differ."),
    Place("/trace", "Trace", "Where each statement of the sources went."),
)
DASHBOARD = Place(
    "/dashboard", "Dashboard", "What became of the cards, week by week; for administrators."
)


def page(template: str, status: int = HTTPStatus.OK, **shown: Any) -> Response:
    """A page of this service, from a template that extends ``frame.html``."""
    body = render_template(
        template, places=places(), here=request.path, library=house().library, **shown
    )
    response = Response(body, status=status, content_type="text/html; charset=utf-8")
    response.headers.setdefault("Cache-Control", "no-store")
    return guard(response)


def places() -> tuple[Place, ...]:
    """The navigation: what this site has switched on."""
    settings = house().settings
    tried = (TRY,) if settings.pages_served == "all" else ()
    watched = (DASHBOARD,) if settings.admin_token else ()
    return (HOME, *tried, *CATALOGUE, *watched)


def missing(what: str) -> Response:
    """A page that says that there is no such thing."""
    return page("missing.html", HTTPStatus.NOT_FOUND, what=what)


def guard(response: Response) -> Response:
    """Tell the browser what it may do with a page."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def keep(response: Response) -> Response:
    """Let browsers keep for a while a page that is the same for everybody."""
    response.headers["Cache-Control"] = f"public, max-age={CONTENT_SECONDS}"
    return response


@cache
def _marks() -> dict[str, str]:
    """What tells the content of each file of ours from any other content, by the file's name."""
    files = Path(looks.static_folder or "").iterdir()
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in files}


@looks.before_request
def _know_file() -> None:
    """Serve each file by its own name only; paths spell one name in endless ways.

    Raises:
        NotFound: there is no such file.
    """
    if (request.view_args or {}).get("filename") not in _marks():
        abort(HTTPStatus.NOT_FOUND)


@looks.app_url_defaults
def _ask_by_mark(endpoint: str, values: dict[str, Any]) -> None:
    """Have pages ask for scripts and styles by their content, so that none is ever stale."""
    if endpoint == "looks.static":
        values["v"] = _marks()[values["filename"]]


@looks.after_request
def _keep_by_mark(response: Response) -> Response:
    """Let browsers keep for good what they asked for by its mark."""
    found = response.status_code in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}
    if found and request.args.get("v") == _marks()[(request.view_args or {})["filename"]]:
        response.headers["Cache-Control"] = MARKED
    return response
