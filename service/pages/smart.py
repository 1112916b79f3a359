"""The pathway view: a SMART app that shows one patient's way, opened from the chart.

The token lives as long as the request that shows the chart; it is put into no cookie, no page, no
log and no store.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, redirect, request

from service.fhir_client import FhirClient
from service.gate import Busy, Places
from service.house import House, house
from service.page_addresses import site_address
from service.pages.card_view import card_views
from service.pages.frame import guard, page
from service.pages.handout import handout
from service.pages.placing import placing
from service.pages.smart_chart import ReadChart, read_chart
from service.pages.smart_http import SmartHttp
from service.pages.smart_launch import Granted, LaunchRefused, come_back, leave
from service.pages.smart_problems import TROUBLES
from service.pages.smart_ticket import PATH, SECONDS, Ticket, cookie_name, seal, unseal
from service.settings import Settings
from service.visit import this_visit

# A person waits longer than a chart that is being opened.
CHART_SECONDS = 8.0
# Views that one process opens at a time; each may wait for the EHR, on a thread of the server.
MOST_OPENING = 4
# Anybody can ask to leave for a listed EHR, which may be slow to say where its login is.
MOST_LEAVING = 8
PATIENCE_SECONDS = 2.0
EXTENSION = "backpath.smart"
# What logins answer when they cannot answer now. https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
PASSING = frozenset({"server_error", "temporarily_unavailable"})

smart = Blueprint("smart", __name__)
smart.after_request(guard)


class Opening:
    """What opening charts needs: ways to the EHR, and a bound on how many at a time."""

    def __init__(self, settings: Settings) -> None:
        self.client_id = settings.smart_client_id or ""
        self.http = SmartHttp(settings)
        self.fhir = FhirClient(
            self.http.allowed, CHART_SECONDS, settings.max_body_bytes, 2 * MOST_OPENING
        )
        self.leaving = Places(MOST_LEAVING, 0)
        self.seats = Places(2 * MOST_OPENING, 0)
        self.places = Places(MOST_OPENING, PATIENCE_SECONDS)


@smart.get("/launch")
def launch() -> Response:
    """From the chart to the EHR's login."""
    opening = _opening()
    try:
        with opening.leaving:
            leaving = leave(
                request.args.get("iss", ""),
                request.args.get("launch", ""),
                opening.client_id,
                _redirect_uri(),
                opening.http,
            )
    except LaunchRefused as refusal:
        return _trouble(refusal.reason)
    except Busy:
        return _trouble("busy")
    _note("left")
    response: Response = redirect(leaving.url)  # type: ignore[assignment]
    response.headers["Cache-Control"] = "no-store"
    _remember(response, leaving.ticket)
    return response


@smart.get(PATH)
def app() -> Response:
    """Back from the login: the chart is read, judged and shown, and forgotten."""
    state = request.args.get("state", "")
    sealed = request.cookies.get(cookie_name(state), "")
    response = _opened(state, sealed)
    if sealed:
        response.delete_cookie(cookie_name(state), path=urlsplit(_redirect_uri()).path)
    return response


def _opened(state: str, sealed: str) -> Response:
    shared, opening = house(), _opening()
    code = request.args.get("code", "")
    if error := request.args.get("error"):
        return _trouble("ehr-unreachable" if error in PASSING else "denied")
    if not state or not code:
        return _trouble("no-launch")
    ticket = unseal(sealed, state, shared.names)
    if ticket is None:
        return _trouble("expired")
    try:
        with opening.seats, opening.places:
            granted = come_back(code, ticket, opening.client_id, opening.http)
            chart = _read(granted, ticket, opening.fhir, shared)
    except LaunchRefused as refusal:
        return _trouble(refusal.reason)
    except Busy:
        return _trouble("busy")
    _note("opened", chart)
    shared.metrics.count(callbacks=chart.callbacks.items())
    return _shown(chart, shared)


def _read(granted: Granted, ticket: Ticket, fhir: FhirClient, shared: House) -> ReadChart:
    with shared.gate.turn() as turn:
        return read_chart(granted, ticket.server, shared.library, shared.today(), fhir, turn.aside)


def _shown(chart: ReadChart, shared: House) -> Response:
    today, library = shared.today(), shared.library
    return page(
        "app.html",
        chart=chart,
        placing=placing(chart.record, chart.advice, library, today),
        cards=card_views({"cards": chart.cards}),
        handout=handout(chart.advice, library),
        today=today,
    )


def _redirect_uri() -> str:
    """Where the login sends the browser back to, as the browser calls us: maybe below a path."""
    return f"{site_address(house().settings) or ''}{PATH}"


def _opening() -> Opening:
    opening: Opening = current_app.extensions[EXTENSION]
    return opening


def _trouble(reason: str) -> Response:
    _note(reason)
    trouble = TROUBLES[reason]
    return page("app_problem.html", trouble.status, trouble=trouble)


def _note(launch: str, chart: ReadChart | None = None) -> None:
    """What the log line tells of a launch: a word of ours, and what became of each query."""
    told = {"launch": launch}
    this_visit().told = told | ({"callbacks": dict(chart.callbacks)} if chart else {})


def _remember(response: Response, ticket: Ticket) -> None:
    """Put the ticket into the browser, for as long as a login takes."""
    response.set_cookie(
        ticket.cookie,
        seal(ticket, house().names),
        max_age=SECONDS,
        path=urlsplit(ticket.redirect_uri).path,
        secure=ticket.redirect_uri.startswith("https://"),
        httponly=True,
        samesite="Lax",
    )
