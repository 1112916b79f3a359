"""The dashboard of administrators: what becomes of the cards, and how fast they come."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from time import sleep, time

from flask import Blueprint, Response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from service.administration import is_bearer_of, report_on
from service.errors import broken_off, busy, not_served
from service.gate import Busy, Places
from service.house import house
from service.pages.administrator_pass import PASS_SECONDS, is_good, new_pass
from service.pages.charts import MOST_BARS, draw
from service.pages.dashboard_charts import NO_CARDS, OF_PACE, OF_REPORT, reason_words
from service.pages.frame import guard, missing, page
from service.pages.pace import LONGEST_MS, SHORTEST_MS, read_pace
from service.pages.period import USUAL_WEEKS, Period, PeriodRefused, read_period
from service.report import OUTCOMES_AT_LEAST, OVERRIDDEN_ABOVE, Report
from service.store_errors import StoreUnavailable
from service.visit import this_visit

COOKIE = "backpath_administrator"
HOME, LOGIN = "/dashboard", "/dashboard/login"
# Open to those who are still to prove who they are.
OPEN = frozenset({"dashboard.log_in", "dashboard.show_login"})
MOST_TYPED_BYTES = 4_096
# Whoever guesses waits. Few stand at the door at a time, slow senders included: anybody may, and
# the threads are for calls. The header needs no door.
WRONG_SECRET_SECONDS = 0.5
_DOOR = Places(4, 0)
# A chart is a file of its own, which styles itself and can do nothing else.
CHART_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

dashboard = Blueprint("dashboard", __name__, url_prefix=HOME)
dashboard.after_request(guard)


@dashboard.before_request
def _let_in() -> Response | None:
    """Let in whoever bears the secret or a pass; show the others the door."""
    if request.endpoint in OPEN or _is_administrator():
        return None
    if request.endpoint == "dashboard.overview" and "Authorization" not in request.headers:
        return _go_to(LOGIN)
    return _refused()


@dashboard.after_request
def _for_nobody_else(response: Response) -> Response:
    """Keep what administrators see out of every cache."""
    response.headers["Cache-Control"] = "no-store"
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@dashboard.get("")
def overview() -> Response:
    """Everything on one page; ``since``, ``until`` and ``recommendation`` choose."""
    try:
        period = _period()
    except PeriodRefused as problem:
        return _shown(HTTPStatus.BAD_REQUEST, wrong=str(problem))
    try:
        report = _report(period)
    except StoreUnavailable:
        return _shown(HTTPStatus.SERVICE_UNAVAILABLE, period=period)
    return _shown(HTTPStatus.OK, period=period, report=report)


@dashboard.get("/charts/<name>.svg")
def chart(name: str) -> Response:
    """One chart of the page, of the same period; ``narrow`` makes it fit a telephone."""
    shared = house()
    try:
        if name in OF_REPORT:
            period = _period()
            drawn = OF_REPORT[name](_report(period), period, shared.library)
        elif name in OF_PACE:
            drawn = OF_PACE[name](read_pace(shared.metrics.samples()))
        else:
            return missing("chart")
    except PeriodRefused as problem:
        return _shown(HTTPStatus.BAD_REQUEST, wrong=str(problem))
    except StoreUnavailable:
        return _shown(HTTPStatus.SERVICE_UNAVAILABLE)
    response = Response(draw(drawn, narrow="narrow" in request.args), mimetype="image/svg+xml")
    response.headers["Content-Security-Policy"] = CHART_POLICY
    return response


@dashboard.get("/login")
def show_login() -> Response:
    """The door."""
    return _go_to(HOME) if _is_administrator() else page("login.html", wrong=False)


@dashboard.post("/login")
def log_in() -> Response:
    """Give a pass to whoever types the secret."""
    secret = _secret()
    try:
        with _DOOR:
            right = hmac.compare_digest(_typed().encode(), secret.encode())
            if not right:
                sleep(WRONG_SECRET_SECONDS)
    except Busy:
        raise busy() from None
    if not right:
        return _refused()
    response = _go_to(HOME)
    response.set_cookie(
        COOKIE,
        new_pass(secret, time()),
        max_age=PASS_SECONDS,
        path=HOME,
        secure=_is_https(),
        httponly=True,
        samesite="Strict",
    )
    return response


@dashboard.post("/logout")
def log_out() -> Response:
    """Take the pass from this browser.

    The page of another site cannot do that: a browser sends the cookie along with none of its
    requests, and so it does not come this far.
    """
    response = _go_to(LOGIN)
    response.delete_cookie(COOKIE, path=HOME, secure=_is_https(), httponly=True, samesite="Strict")
    return response


def _secret() -> str:
    secret = house().settings.admin_token
    if not secret:  # never served then
        raise not_served()
    return secret


def _is_administrator() -> bool:
    secret = _secret()
    return is_bearer_of(secret) or is_good(request.cookies.get(COOKIE, ""), secret, time())


def _is_https() -> bool:
    """Whether browsers come by https: a proxy in front of us is known by our public name alone."""
    base = house().settings.public_base_url or request.host_url
    return base.startswith("https:")


def _go_to(path: str) -> Response:
    """Lead to a page of ours by its path: no word of the request is in it."""
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})


def _refused() -> Response:
    this_visit().told = {"refused": "administrator"}
    house().metrics.count(auth_failures=[("administrator",)])
    return page("login.html", HTTPStatus.UNAUTHORIZED, wrong=request.method == "POST")


def _typed() -> str:
    """The secret as it was typed.

    Raises:
        RequestRefused: 400, the form did not arrive whole.
        HTTPException: 413, it is far longer than a secret.
    """
    request.max_content_length = MOST_TYPED_BYTES
    try:
        return request.form.get("secret", "").strip()
    except (OSError, ClientDisconnected, ParseException):
        raise broken_off() from None


def _period() -> Period:
    said = request.args
    return read_period(said.get("since", ""), said.get("until", ""), house().today())


def _report(period: Period) -> Report:
    return report_on(house(), period.since, period.until, _chosen() or None)


def _chosen() -> str:
    """The id of the only recommendation to tell of; empty for all."""
    return request.args.get("recommendation", "")


def _shown(
    status: int, *, period: Period | None = None, report: Report | None = None, wrong: str = ""
) -> Response:
    """The page; without a report it says why there is none."""
    shared = house()
    return page(
        "dashboard.html",
        status,
        period=period or read_period("", "", shared.today()),
        usual_weeks=USUAL_WEEKS,
        chosen=_chosen(),
        report=report,
        wrong=wrong,
        pace=read_pace(shared.metrics.samples()),
        bounds_ms=(SHORTEST_MS, LONGEST_MS),
        flagged_above=OVERRIDDEN_ABOVE,
        flagged_of=OUTCOMES_AT_LEAST,
        most_bars=MOST_BARS,
        none_shown=NO_CARDS,
        words=reason_words,
    )
