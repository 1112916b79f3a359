"""The Flask application: content read once, routes joined, every error an OperationOutcome."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
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
from service.house import House, client_name, house
from service.log import begin_lines, log_event, start_log
from service.metrics import OTHER, Metrics
from service.operations import operations
from service.request_id import HEADER as REQUEST_ID
from service.request_id import request_id
from service.settings import Settings, switched_on
from service.shown import Shown
from service.store import Store, open_store
from service.trust import ROOT, open_trust
from service.upkeep import Upkeep

# What other sites' web pages have no business in.
INSIDE = frozenset({"operations", "administration"})
CALL = "cds_services.call_service"
# Nothing about private networks: a web page of anybody's is not to reach into the hospital.
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    # "*" would not cover Authorization. https://fetch.spec.whatwg.org/#http-access-control-allow-headers
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept, X-Request-ID",
    "Access-Control-Expose-Headers": "Retry-After, X-Request-ID",
    "Access-Control-Max-Age": "600",
}


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
    app = Flask("service", static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # by a redirection, which repeats the host asked for
    store = store or open_store(settings.database_url)
    names, shown = CardNames(library.recommendations), Shown()
    gate = Gate(settings.max_running_calls, settings.max_waiting_calls)
    metrics = Metrics(library, gate)
    app.extensions["backpath"] = House(
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
    app.before_request(_begin)
    app.before_request(_take_seat)
    app.before_request(_know_client)
    app.after_request(_finish)
    app.teardown_request(_leave_seat)
    answer_errors(app)
    return app


def _begin() -> Response | None:
    """Start the clock of a call; answer every preflight, which never bears a token."""
    g.started = perf_counter()
    g.request_id = request_id(request.headers.get(REQUEST_ID))
    begin_lines(g.request_id)
    if request.method != "OPTIONS":
        return None
    return Response(status=204)


def _take_seat() -> None:
    """Let a call in, to prove who sends it and to be received, unless too many are in already.

    Raises:
        RequestRefused: 503.
    """
    if request.method == "POST" and _is_of_cds_hooks():
        try:
            house().gate.seats.__enter__()
        except Busy:
            raise busy() from None
        g.is_seated = True


def _leave_seat(_: BaseException | None) -> None:
    """However a call ends, its seat is free for the next."""
    if g.pop("is_seated", False):
        house().gate.seats.__exit__()


def _is_of_cds_hooks() -> bool:
    """Whether the path is one of CDS Hooks, unknown services included."""
    return f"{request.path}/".startswith(f"{ROOT}/")


def _know_client() -> None:
    """Find out who calls the CDS Hooks addresses, unknown ones and wrong methods included.

    Raises:
        NotTrusted: clients must prove who they are, and this one did not.
    """
    trust = house().trust
    if trust is not None and _is_of_cds_hooks():
        g.client = trust.client_of(request.headers.get("Authorization"), request.path)


def _finish(response: Response) -> Response:
    """Name the response, open it to browsers, count it, and write the call's log line."""
    response.headers[REQUEST_ID] = g.request_id
    if request.blueprint not in INSIDE:
        _open_to_browsers(response)
    route = request.url_rule.rule if request.url_rule else None
    took = perf_counter() - g.started
    _time(took, response.status_code)
    house().metrics.count(requests=[(route or OTHER, str(response.status_code))])
    line = {
        "route": route,
        "method": request.method if request.method in {"GET", "POST", "OPTIONS"} else "other",
        "status": response.status_code,
        "ms": round(took * 1000, 1),
        **({"client": name} if (name := client_name()) else {}),
        **g.get("log", {}),
    }
    quiet = request.method == "OPTIONS" or request.blueprint == "operations"
    log_event(logging.DEBUG if quiet else logging.INFO, "call", line)
    return response


def _time(took: float, status: int) -> None:
    """Note how long a call of a hook took, answered with cards or refused."""
    service = SERVICES.get((request.view_args or {}).get("service_id", ""))
    if service and request.method == "POST" and request.endpoint == CALL:
        answered = status == HTTPStatus.OK
        house().metrics.time_call(service.hook, took, g.get("seconds", {}), answered=answered)


def _open_to_browsers(response: Response) -> None:
    response.headers.update(CORS)
