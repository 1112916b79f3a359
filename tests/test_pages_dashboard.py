"""Administrators see what becomes of the cards and how fast they come; nobody else does."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from math import inf
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from cards.card import OVERRIDE_SYSTEM
from cards.library import Library
from service.app import create_app
from service.pages import dashboard
from service.pages.administrator_pass import PASS_SECONDS, is_good, new_pass
from service.pages.charts import Chart, draw
from service.pages.dashboard_charts import OF_PACE, OF_REPORT
from service.pages.pace import quantile
from service.pages.period import Period, PeriodRefused, read_period
from service.report import Tally, build_report
from service.settings import Settings
from service.store import Feedback, ShownCard, open_store
from tests.browser import NARROW, WIDE, chromium, opened, picture, scrolls_sideways, serious_faults
from tests.conftest import A_DAY, BACK_PAIN, bundle, call
from tests.postgres import database_url, postgres
from tests.serving import LONG, VIEW, serving

__all__ = ["database_url", "postgres"]

SECRET = "a-secret-of-administrators"
BEARER = {"Authorization": f"Bearer {SECRET}"}
EHR = "https://ehr.example.org"
HOSTILE = "<script>alert('x')</script>\"'><img src=//evil.example/x onerror=alert(1)>"
SERVICE = "back-pain-patient-view"
CHARTS = (*OF_REPORT, *OF_PACE)
SINCE, UNTIL = date(2025, 12, 15), A_DAY  # the Monday eleven weeks before that of a Monday


class _Tables(HTMLParser):
    """The texts of all cells, by table and row; captions by themselves."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.captions: list[str] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        match tag:
            case "table":
                self.tables.append([])
            case "tr":
                self.tables[-1].append([])
            case "th" | "td":
                self.tables[-1][-1].append("")
            case "caption":
                self.captions.append("")
        self._open = tag if tag in {"th", "td", "caption"} else self._open

    def handle_endtag(self, tag: str) -> None:
        self._open = "" if tag == self._open else self._open

    def handle_data(self, data: str) -> None:
        if self._open == "caption":
            self.captions[-1] += data
        elif self._open:
            self.tables[-1][-1][-1] += data

    def rows(self, caption: str) -> list[list[str]]:
        """The rows of the table whose caption begins with this, without its head."""
        (place,) = (n for n, text in enumerate(self.captions) if text.startswith(caption))
        return self.tables[place][1:]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever guesses waits; the tests need not."""
    monkeypatch.setattr(dashboard, "WRONG_SECRET_SECONDS", 0.01)


@pytest.fixture
def served(library: Library, settings: Settings) -> Callable[..., FlaskClient]:
    """Gives a browser without cookies, of a site with administrators."""

    def on(**others: Any) -> FlaskClient:
        given = replace(settings, admin_token=SECRET)
        return create_app(
            replace(given, **others), today=lambda: A_DAY, library=library
        ).test_client()

    return on


def _log_in(client: FlaskClient, secret: str = SECRET, **options: Any) -> Any:
    return client.post("/dashboard/login", data={"secret": secret}, **options)


def _fill(database_url: str, library: Library) -> None:
    """Some weeks of cards of three recommendations, one of them followed by nobody."""
    liked, disliked, quiet = list(library.cards["patient-view"])[:3]
    store = open_store(database_url)
    store.add_shown(
        {
            ShownCard(date(2026, 1, 11), EHR, SERVICE, liked.id, "info"): 40,
            ShownCard(date(2026, 1, 12), None, SERVICE, liked.id, "info"): 5,
            ShownCard(date(2026, 2, 2), EHR, SERVICE, disliked.id, "warning"): 20,
            ShownCard(UNTIL, EHR, SERVICE, quiet.id, "info"): 7,
            ShownCard(date(2025, 12, 14), EHR, SERVICE, quiet.id, "info"): 900,
        }
    )
    first, *_ = library.override_reasons
    store.keep(
        Feedback(
            service=SERVICE,
            card=f"card-{number}",
            outcome="accepted" if number < 6 else "overridden",
            at=datetime(2026, 2, 3, 10, tzinfo=UTC),
            reason_system=OVERRIDE_SYSTEM if number >= 8 else None,
            reason_code=first if number >= 8 else None,
            client=EHR,
            recommendation=liked.id if number < 6 else disliked.id,
        )
        for number in range(20)
    )
    store.keep([Feedback(SERVICE, "card-x", "accepted", datetime(2026, 2, 3, tzinfo=UTC))])
    store.close()


def _cells(tally: Tally) -> list[str]:
    share = tally.overridden_share
    told = "none yet" if share is None else f"{100 * share:.0f}%"
    numbers = (tally.shown, tally.accepted, tally.overridden, tally.no_reaction)
    return [*(str(number) for number in numbers), told]


def test_every_number_is_that_of_the_report(
    library: Library, served: Callable[..., FlaskClient], database_url: str
) -> None:
    """The tables say what the feedback report says of these twelve weeks, on either database."""
    _fill(database_url, library)
    client = served(database_url=database_url)
    html = client.get("/dashboard", headers=BEARER).text
    store = open_store(database_url)
    report = build_report(store.shown(SINCE, UNTIL), store.outcomes(SINCE, UNTIL), SINCE, UNTIL)
    store.close()
    tables = _Tables(html)
    period = "2025-12-15 to 2026-03-02"

    assert tables.rows("Cards by ISO week, " + period) == [
        [week, *_cells(report.weeks.get((week,), Tally()))] for week in Period(SINCE, UNTIL).weeks
    ]
    names = {recommendation.title: name for name, recommendation in library.recommendations.items()}
    rows = tables.rows("Cards by recommendation, " + period)
    assert {
        names[name.removesuffix(" overridden by nearly everybody")]: cells[:5]
        for name, *cells in rows
    } == {name: _cells(tally) for (name,), tally in report.recommendations.items()}
    assert tables.rows("Cards by the client that asked for them, " + period) == [
        [name or "not verified", *_cells(tally)] for (name,), tally in report.clients.items()
    ]
    words, *_ = library.override_reasons.values()
    assert tables.rows("Overridden cards by reason, " + period) == [
        [words, "12", "86%"],
        ["No reason given", "2", "14%"],
    ]
    assert report.total.shown == 72
    assert "feedback on cards that are not known to be ours, 1 accepted and 0 overridden" in html


def test_what_nearly_everybody_overrides_stands_out(
    library: Library, settings: Settings, served: Callable[..., FlaskClient]
) -> None:
    """It is named at the top and marked in its row, and both lead to its page."""
    _fill(settings.database_url, library)
    disliked = library.cards["patient-view"][1]
    html = served().get("/dashboard", headers=BEARER).text

    assert html.count(f'<a href="/recommendations/{disliked.id}">{disliked.title}</a>') == 2
    assert "Overridden by nearly everybody" in html
    assert html.count("overridden by nearly everybody</span>") == 1


def test_one_recommendation_can_be_looked_at_by_week(
    library: Library, settings: Settings, served: Callable[..., FlaskClient]
) -> None:
    """Its weeks, its reasons and its clients, without anything of the others."""
    _fill(settings.database_url, library)
    liked, *_ = library.cards["patient-view"]
    query = {"since": "2026-01-12", "until": "2026-02-08", "recommendation": liked.id}
    html = served().get("/dashboard", query_string=query, headers=BEARER).text
    tables = _Tables(html)

    assert tables.rows("Cards by ISO week") == [
        ["2026-W03", "5", "0", "0", "5", "none yet"],
        ["2026-W04", "0", "0", "0", "0", "none yet"],
        ["2026-W05", "0", "0", "0", "0", "none yet"],
        ["2026-W06", "0", "6", "0", "0", "0%"],
    ]
    assert [row[0] for row in tables.rows("Cards by recommendation")] == [liked.title]
    assert "No card was overridden" in html


def test_a_site_without_a_card_yet_is_told_so(served: Callable[..., FlaskClient]) -> None:
    """A new installation has no empty tables, but a word on what to do."""
    response = served().get("/dashboard", headers=BEARER)

    assert response.status_code == 200
    assert "No cards on these days" in response.text
    assert "No call has come yet" in response.text
    assert "<table" not in response.text


def test_a_store_that_is_away_is_told(tmp_path: Path, served: Callable[..., FlaskClient]) -> None:
    """The page says what cannot be told now, shows the rest, and no word of the program."""
    client = served(database_url=f"sqlite:///{tmp_path}")
    client.post(VIEW, json=call())
    page, chart = (
        client.get(f"/dashboard{path}", headers=BEARER) for path in ("", "/charts/weeks.svg")
    )

    assert (page.status_code, chart.status_code) == (503, 503)
    assert "The store cannot be reached" in page.text
    assert "Traceback" not in page.text + chart.text
    assert _Tables(page.text).rows("Milliseconds from call to answer")[0][:2] == [
        "patient-view",
        "1",
    ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("since=yesterday", "The first day must be written such as 2026-03-01."),
        ("until=2026-02-30", "The last day must be written such as 2026-03-01."),
        ("since=2026-02-02&until=2026-02-01", "The first day must not be after the last."),
        ("since=2020-01-01", "Choose a period of at most two years."),
        ("until=0001-01-05", "The last day is too long ago."),
    ],
)
def test_a_wrong_period_is_explained(
    served: Callable[..., FlaskClient], query: str, told: str
) -> None:
    """Whoever mistypes a day is told which; nothing is shown of a period nobody asked for."""
    client = served()
    page = client.get(f"/dashboard?{query}", headers=BEARER)
    chart = client.get(f"/dashboard/charts/weeks.svg?{query}", headers=BEARER)

    assert (page.status_code, chart.status_code) == (400, 400)
    assert told in page.text
    assert "Cards by" not in page.text


def test_the_longest_period_is_two_years() -> None:
    """A leap day more or less makes no difference; a day beyond is refused."""
    longest = read_period("2023-12-31", "2025-12-31", A_DAY)

    assert len(longest.weeks) == 106
    with pytest.raises(PeriodRefused):
        read_period("2023-12-30", "2025-12-31", A_DAY)


def test_the_door_is_shown_to_who_has_not_logged_in(served: Callable[..., FlaskClient]) -> None:
    """A browser is led to the form; a chart or a program is refused, and told how to come in."""
    client = served()
    page = client.get("/dashboard")
    refused = [
        client.get("/dashboard/charts/weeks.svg"),
        client.get("/dashboard", headers={"Authorization": "Bearer wrong"}),
        client.post("/dashboard/logout"),
    ]

    assert (page.status_code, page.headers["Location"]) == (303, "/dashboard/login")
    assert client.get("/dashboard/login").status_code == 200
    assert [(one.status_code, one.headers["WWW-Authenticate"]) for one in refused] == [
        (401, "Bearer")
    ] * 3
    assert {one.headers["Cache-Control"] for one in (page, *refused)} == {"no-store"}


def test_administrators_log_in_and_out(served: Callable[..., FlaskClient]) -> None:
    """The secret opens the page and its charts until the browser gives its pass back."""
    client = served()
    came = _log_in(client)
    inside = client.get("/dashboard"), client.get("/dashboard/charts/weeks.svg")
    again = client.get("/dashboard/login")
    left = client.post("/dashboard/logout")
    after = client.get("/dashboard")

    assert (came.status_code, came.headers["Location"]) == (303, "/dashboard")
    assert [one.status_code for one in inside] == [200, 200]
    assert {one.headers["Cache-Control"] for one in inside} == {"no-store"}
    assert again.headers["Location"] == "/dashboard"
    assert (left.status_code, left.headers["Location"]) == (303, "/dashboard/login")
    assert after.status_code == 303


def test_the_pass_is_kept_close(served: Callable[..., FlaskClient]) -> None:
    """No script and no other site gets at it, and the secret is not in it."""
    cookie = _log_in(served()).headers["Set-Cookie"]
    behind_tls = _log_in(served(public_base_url="https://backpath.example.org"))

    assert {"HttpOnly", "SameSite=Strict", "Path=/dashboard", f"Max-Age={PASS_SECONDS}"} <= set(
        cookie.split("; ")
    )
    assert "Secure" not in cookie
    assert "Secure" in behind_tls.headers["Set-Cookie"].split("; ")
    assert SECRET not in str(behind_tls.headers) + cookie


def test_a_wrong_secret_opens_nothing_and_locks_nobody_out(
    served: Callable[..., FlaskClient],
) -> None:
    """Guesses are refused however many come at once; the right secret opens all the same."""
    client = served()
    with ThreadPoolExecutor(6) as pool:
        guesses = list(
            pool.map(lambda n: _log_in(client.application.test_client(), f"guess-{n}"), range(12))
        )

    assert {401} <= {guess.status_code for guess in guesses} <= {401, 503}
    assert not any("Set-Cookie" in guess.headers for guess in guesses)
    wrong = _log_in(client, "guess-0")
    assert "This is not the administrators" in wrong.text
    assert "guess-0" not in wrong.text
    assert _log_in(client, "é" * 20).status_code == 401
    assert _log_in(client, "x" * 10_000).status_code == 413
    assert _log_in(client, f" {SECRET}\n").status_code == 303


def test_a_crowd_at_the_door_is_told_to_come_again(served: Callable[..., FlaskClient]) -> None:
    """Slow senders at the login hold few threads, and none that calls need."""
    client = served()
    with ExitStack() as crowd:
        for _ in range(4):
            crowd.enter_context(dashboard._DOOR)
        assert _log_in(client).status_code == 503
    assert _log_in(client).status_code == 303


def test_another_secret_ends_every_pass(served: Callable[..., FlaskClient]) -> None:
    """When an administrator leaves, the secret is changed, and no browser stays inside."""
    client, changed = served(), served(admin_token="another-secret-of-administrators")
    _log_in(client)
    given = client.get_cookie(dashboard.COOKIE, path="/dashboard")
    assert given is not None
    changed.set_cookie(dashboard.COOKIE, given.value, path="/dashboard")

    assert client.get("/dashboard").status_code == 200
    assert changed.get("/dashboard").status_code == 303


@pytest.mark.parametrize(
    ("given", "good", "words"),
    [
        (new_pass(SECRET, 1_000), True, "as it was given"),
        (new_pass("another secret", 1_000), False, "made with another secret"),
        (new_pass(SECRET, 1_000).replace("29800", "99800"), False, "made to last longer"),
        ("29800.", False, "not signed"),
        ("", False, "none"),
        ("é.é", False, "no pass at all"),
    ],
)
def test_a_pass_is_good_as_it_was_given(given: str, good: bool, words: str) -> None:
    """Nobody makes one or changes one without the secret."""
    assert is_good(given, SECRET, 1_000) is good


def test_a_pass_lasts_a_working_day() -> None:
    """Eight hours after the secret was typed it is asked for again."""
    given = new_pass(SECRET, 1_000.5)

    assert is_good(given, SECRET, 1_000 + 8 * 3600 - 1)
    assert not is_good(given, SECRET, 1_000 + 8 * 3600)


@pytest.mark.parametrize("query", ["next=//evil.example", "next=https://evil.example/dashboard"])
def test_logging_in_leads_nowhere_else(served: Callable[..., FlaskClient], query: str) -> None:
    """An address made up by somebody sends no administrator to another site."""
    came = served().post(
        f"/dashboard/login?{query}", data={"secret": SECRET}, headers={"Host": "evil.example"}
    )

    assert came.headers["Location"] == "/dashboard"


@pytest.mark.parametrize("others", [{"admin_token": None}, {"pages": "off"}])
def test_a_site_without_administrators_or_pages_has_no_dashboard(
    served: Callable[..., FlaskClient], others: dict[str, Any]
) -> None:
    """There is no door to guess at."""
    client = served(**others)

    for path in ("/dashboard", "/dashboard/login", "/dashboard/charts/weeks.svg"):
        assert client.get(path, headers=BEARER).status_code == 404


def _hostile(settings: Settings, library: Library) -> None:
    store = open_store(settings.database_url)
    store.add_shown({ShownCard(A_DAY, HOSTILE, SERVICE, HOSTILE, "info"): 4})
    at = datetime(2026, 3, 1, 10, tzinfo=UTC)
    store.keep(
        [
            Feedback(SERVICE, "card-1", "overridden", at, (), HOSTILE, HOSTILE, HOSTILE, HOSTILE),
            Feedback(SERVICE, "card-2", "overridden", at, (), None, HOSTILE, HOSTILE, HOSTILE),
        ]
    )
    store.close()


def test_hostile_names_are_shown_as_they_are_written(
    library: Library, settings: Settings, served: Callable[..., FlaskClient]
) -> None:
    """A client, a reason or a recommendation with markup in its name is text, in the page too."""
    _hostile(settings, library)
    client = served()
    query = {"recommendation": HOSTILE}
    for html in (
        client.get("/dashboard", headers=BEARER).text,
        client.get("/dashboard", query_string=query, headers=BEARER).text,
    ):
        tables = _Tables(html)

        assert "<script>alert" not in html
        assert "<img src=//" not in html
        assert tables.rows("Cards by the client")[0][0] == HOSTILE
        assert HOSTILE in {row[0] for row in tables.rows("Overridden cards by reason")}


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("width", ["", "&narrow=1"])
def test_a_chart_is_a_picture_and_nothing_else(
    library: Library, settings: Settings, served: Callable[..., FlaskClient], name: str, width: str
) -> None:
    """No script, nothing from elsewhere, no link: whatever names it was drawn from."""
    _hostile(settings, library)
    client = served()
    client.post(VIEW, json=call())
    response = client.get(f"/dashboard/charts/{name}.svg?since=2026-02-01{width}", headers=BEARER)
    drawn = ET.fromstring(response.data)  # noqa: S314 ours
    tags = {element.tag.rpartition("}")[2] for element in drawn.iter()}
    named = {key.rpartition("}")[2] for element in drawn.iter() for key in element.attrib}

    assert response.mimetype == "image/svg+xml"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src")
    assert "script-src" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert tags <= {"svg", "defs", "style", "title", "g", "rect", "path", "text", "desc", "circle"}
    assert not {key for key in named if key.startswith("on") or key in {"href", "style", "src"}}
    assert b"url(" not in response.data
    assert b"@import" not in response.data
    assert response.data.count(b"http") == response.data.count(b"http://www.w3.org/2000/svg")


def test_an_unknown_chart_is_not_found(served: Callable[..., FlaskClient]) -> None:
    """A mistyped name is told apart from a chart without bars."""
    client = served()

    assert client.get("/dashboard/charts/none.svg", headers=BEARER).status_code == 404
    assert client.get("/dashboard/charts/weeks.svg", headers=BEARER).status_code == 200


def test_a_chart_draws_the_numbers_of_its_table(
    library: Library, settings: Settings, served: Callable[..., FlaskClient]
) -> None:
    """Each bar says its number; the picture and the table beneath cannot differ."""
    _fill(settings.database_url, library)
    client = served()
    rows = _Tables(client.get("/dashboard", headers=BEARER).text).rows("Cards by ISO week")
    drawn = ET.fromstring(client.get("/dashboard/charts/weeks.svg", headers=BEARER).data)  # noqa: S314 ours
    told = [
        (element.text, element.get("class"))
        for element in drawn.iter("{http://www.w3.org/2000/svg}desc")
    ]
    numbers = [text for text, kind in told if kind == "value"]

    assert numbers == [row[column] for column in (1, 2, 3) for row in rows]


def test_a_picture_shows_no_more_than_can_be_read() -> None:
    """Two years are lines and not a thousand bars, and long names are shortened visibly."""
    weeks = Chart("Cards", tuple(f"2026-W{n:02}" for n in range(60)), {"shown": range(60)})
    named = Chart("Cards", ("a" * 90,), {"shown": (1,)}, lying=True)

    assert b"line-graph" in draw(weeks)
    assert b"bar-graph" in draw(
        replace(weeks, labels=weeks.labels[:12], series={"shown": [1] * 12})
    )
    assert f"{'a' * 43}…</text>".encode() in draw(named)
    assert f"{'a' * 26}…</text>".encode() in draw(named, narrow=True)


@pytest.mark.parametrize(
    ("part", "within", "seconds"),
    [
        (0.5, {0.1: 10, 0.2: 20, inf: 20}, 0.1),
        (0.75, {0.1: 10, 0.2: 20, inf: 20}, 0.15),
        (0.99, {0.1: 10, 0.2: 10, inf: 20}, inf),
        (0.5, {0.1: 0, 0.2: 4, inf: 4}, 0.15),
        (0.5, {0.1: 0, 0.2: 0, inf: 0}, None),
        (0.5, {}, None),
    ],
)
def test_percentiles_are_estimated_between_the_bounds(
    part: float, within: dict[float, int], seconds: float | None
) -> None:
    """As whoever watches the metrics would reckon; beyond the last bound nothing is made up."""
    assert quantile(part, within) == (seconds if seconds is None else pytest.approx(seconds))


def test_calls_are_told_by_hook_and_by_what_they_got(served: Callable[..., FlaskClient]) -> None:
    """Cards per hundred calls, calls without a card, and times by hook and by stage."""
    client = served()
    in_pain = call()
    in_pain["prefetch"]["conditions"] = bundle(BACK_PAIN)
    cards = [len(client.post(VIEW, json=one).json["cards"]) for one in (in_pain, call(), call())]  # type: ignore[index]
    client.post(VIEW, json={"hook": "patient-view"})
    html = client.get("/dashboard", headers=BEARER).text
    tables = _Tables(html)
    hooks = tables.rows("Milliseconds from call to answer")
    stages = tables.rows("Milliseconds by stage")

    assert cards[0] > 0
    assert cards[1:] == [0, 0]
    assert "<strong>3</strong> calls" in html
    assert "<strong>1</strong> calls" in html
    assert f"<strong>{100 * cards[0] / 3:.0f}</strong> in 100 answered calls" in html
    assert "<strong>67%</strong> of the answered calls" in html
    assert [row[:2] for row in hooks] == [
        ["patient-view", "3"],
        ["order-select", "0"],
        ["order-sign", "0"],
    ]
    assert hooks[1][2:] == ["none yet"] * 4
    assert [row[0] for row in stages] == ["receive", "wait", "read", "complete", "judge", "respond"]
    assert all(cell != "none yet" for row in stages for cell in row)


def test_the_page_is_small_however_many_recommendations(
    library: Library, settings: Settings, served: Callable[..., FlaskClient]
) -> None:
    """Two years of every recommendation still load at once on a telephone."""
    store = open_store(settings.database_url)
    store.add_shown(
        {
            ShownCard(A_DAY, EHR, SERVICE, name, "info"): 1_000 + number
            for number, name in enumerate(library.recommendations)
        }
    )
    store.close()
    response = served().get("/dashboard?since=2024-03-04&until=2026-03-02", headers=BEARER)

    assert response.status_code == 200
    assert len(response.data) < 120_000


def _page_after(base_url: str, calls: int) -> str:
    """The page of a server whose two processes have told of so many calls."""
    for _ in range(100):
        html = requests.get(f"{base_url}/dashboard", headers=BEARER, timeout=LONG).text
        if f"<strong>{calls}</strong> calls" in html:
            break
    return html


def test_the_dashboard_in_a_browser(library: Library, tmp_path: Path) -> None:
    """On a wide screen and a telephone, by light and by dark: readable, accessible, and private."""
    _fill(f"sqlite:///{tmp_path}/feedback.sqlite3", library)
    period = "since=2025-12-15&until=2026-03-02"
    with (
        serving(tmp_path, WORKERS="2", ADMIN_TOKEN=SECRET) as server,
        chromium() as browser,
    ):
        for _ in range(8):
            requests.post(server.base_url + VIEW, json=call(), timeout=LONG)
        counted = _page_after(server.base_url, 8)
        for size, scheme, name in ((WIDE, "light", "wide"), (NARROW, "dark", "narrow")):
            with opened(browser, size, color_scheme=scheme) as page:
                page.goto(f"{server.base_url}/dashboard")
                page.get_by_label("Administrators' secret").fill(SECRET)
                page.get_by_role("button", name="Log in").click()
                page.goto(f"{server.base_url}/dashboard?{period}")
                page.wait_for_load_state("networkidle")
                drawn = page.evaluate("[...document.images].map(image => image.naturalWidth)")
                faults = serious_faults(page)
                sideways = scrolls_sideways(page)
                picture(page, f"dashboard-{name}-{scheme}")
                page.get_by_role("button", name="Log out").click()
                page.wait_for_url("**/dashboard/login")

            assert faults == []
            assert not sideways
            assert len(drawn) == 6
            assert min(drawn) > 0
        with opened(browser, expected=401) as page:
            page.goto(f"{server.base_url}/dashboard/login")
            page.get_by_label("Administrators' secret").fill("a guess")
            page.get_by_role("button", name="Log in").click()
            told = page.get_by_role("alert").text_content()
            faults = serious_faults(page)
        log = server.log

    assert "<strong>8</strong> calls" in counted
    assert told == "This is not the administrators' secret."
    assert faults == []
    assert SECRET not in log
    assert "since=" not in log
