"""The Flask application: content read once, routes joined, every error an OperationOutcome."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from functools import partial
from http import HTTPStatus
from time import perf_counter

from flask import Flask, Response, g, request

from cards.library import Library, load_library
from service.administration import administration
from service.card_names import CardNames
from service.cds_services import cds_services
from service.envelope import load_schemas
from service.error_answers import answer_errors
from service.errors import busy
from service.fhir_client import client_of
from service.gate import Busy, Gate
from service.hooks import SERVICES, discover
from service.house import House
from service.log import begin_lines, is_written, log_event, start_log
from service.metrics import OTHER, Metrics
from service.operations import operations
from service.pages.site import SITE, open_site
from service.plain_flask import PlainFlask
from service.request_id import HEADER as REQUEST_ID
from service.request_id import request_id
from service.settings import Settings, switched_on
from service.shown import Shown
from service.store import Store, open_store
from service.trust import ROOT, open_trust
from service.upkeep import Upkeep
from service.visit import Visit, this_visit

# What other sites' web pages have no business in.
INSIDE = frozenset({"operations", "administration", *SITE})
# What every page has, one that tells of an unknown address too.
PAGES_ONLY = "Content-Security-Policy"
CALL = "cds_services.call_service"
# Nothing about private networks: a web page of anybody's is not to reach into the hospital.
CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    # "*" would not cover Authorization. https://fetch.spec.whatwg.org/#http-access-control-allow-headers
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, X-Request-ID"),
    ("Access-Control-Expose-Headers", "Retry-After, X-Request-ID"),
    ("Access-Control-Max-Age", "600"),
)


def create_app(
    settings: Settings | None = None,
    *,
    today: Callable[[], date] = date.today,
    library: Library | None = None,
    store: Store | None = None,
) -> Flask:
    """The application, ready to answer; everything it needs is read here.

    Whoever serves it by another server than ours calls ``upkeep.start()`` of its ``House`` in each
    process, or no cards are counted as shown.

    Args:
        today: gives the day of a call, local calendar date.
        library: the content; None reads it from the package.
        store: where feedback goes; None opens the one of the settings.

    Raises:
        ContentError: a content file is wrong; the message names file and line.
        SettingsError: the list of trusted clients is wrong; the message names file and line.
    """
    settings = settings or Settings()
    library = library or load_library(
        switched_on=switched_on(settings), mme_factors=settings.mme_factors
    )
    load_schemas()
    start_log(settings.log_level)
    app = PlainFlask("service", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # by a redirection, which repeats the host asked for
    store = store or open_store(settings.database_url)
    names, shown = CardNames(library.recommendations), Shown()
    gate = Gate(settings.max_running_calls, settings.max_waiting_calls)
    metrics = Metrics(library, gate)
    shared = app.extensions["backpath"] = House(
        settings=settings,
        library=library,
        store=store,
        names=names,
        shown=shown,
        upkeep=Upkeep(store, names, shown),
        today=today,
        discovery=discover(library),
        gate=gate,
        metrics=metrics,
        fhir=client_of(settings),
        trust=open_trust(
            settings,
            store.database,
            lambda: metrics.count(unshared_tokens=[(store.database.dialect,)]),
        ),
    )
    app.register_blueprint(cds_services)
    app.register_blueprint(operations)
    app.register_blueprint(administration)
    app.before_request(partial(_let_in, shared))
    app.after_request(partial(_finish, shared))
    app.teardown_request(partial(_leave_seat, shared))
    answer_errors(app)
    open_site(app, settings)
    return app


def _let_in(shared: House) -> Response | None:
    """Start the clock of a request; seat a call of CDS Hooks, and find out who sends it.

    Every preflight is answered here: it never bears a token.

    Raises:
        RequestRefused: 503, too many are in already to prove who they are and to be received.
        NotTrusted: clients must prove who they are, and this one did not; unknown addresses and
            wrong methods of CDS Hooks included.
    """
    visit = Visit(perf_counter(), request_id(request.headers.get(REQUEST_ID)))
    g.visit = visit
    begin_lines(visit.request_id)
    method, path = request.method, request.path
    if method == "OPTIONS":
        return Response(status=204)
    if _is_of_cds_hooks(path):
        if method == "POST":
            _take_seat(shared, visit)
        if shared.trust is not None:
            visit.client = shared.trust.client_of(request.headers.get("Authorization"), path)
    return None


def _is_of_cds_hooks(path: str) -> bool:
    """Whether the path is one of CDS Hooks, unknown services included."""
    return f"{path}/".startswith(f"{ROOT}/")


def _take_seat(shared: House, visit: Visit) -> None:
    """Let a call in, unless too many are in already."""
    try:
        shared.gate.seats.__enter__()
    except Busy:
        raise busy() from None
    visit.is_seated = True


def _leave_seat(shared: House, _: BaseException | None) -> None:
    """However a call ends, its seat is free for the next."""
    visit: Visit | None = g.get("visit")
    if visit is not None and visit.is_seated:
        visit.is_seated = False
        shared.gate.seats.__exit__()


def _finish(shared: House, response: Response) -> Response:
    """Name the response, open it to browsers, count it, and write the call's log line."""
    visit = this_visit()
    method, blueprint, rule = request.method, request.blueprint, request.url_rule
    response.headers[REQUEST_ID] = visit.request_id
    if blueprint not in INSIDE and PAGES_ONLY not in response.headers:
        response.headers.extend(CORS)
    route, status = rule.rule if rule else None, response.status_code
    took = perf_counter() - visit.begun
    if method == "POST" and request.endpoint == CALL:
        _time(shared, visit, took, status)
    shared.metrics.count(requests=((route or OTHER, str(status)),))
    quiet = method == "OPTIONS" or blueprint == "operations"
    level = logging.DEBUG if quiet else logging.INFO
    if is_written(level):
        line = {
            "route": route,
            "method": method if method in {"GET", "POST", "OPTIONS"} else "other",
            "status": status,
            "ms": round(took * 1000, 1),
            **({"client": visit.client.iss} if visit.client else {}),
            **visit.told,
        }
        log_event(level, "call", line)
    return response


def _time(shared: House, visit: Visit, took: float, status: int) -> None:
    """Note how long a call of a hook took, answered with cards or refused."""
    service = SERVICES.get((request.view_args or {}).get("service_id", ""))
    if service:
        answered = status == HTTPStatus.OK
        shared.metrics.time_call(service.hook, took, visit.seconds, answered=answered)
