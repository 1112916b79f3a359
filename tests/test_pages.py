"""Pages for people as they leave the service: who gets them, what a browser may do with them."""

from __future__ import annotations

import json
import re
from time import perf_counter
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cards.library import Library
from service.app import create_app
from service.pages.site import SITE
from service.settings import Settings
from tests.conftest import A_DAY, HOUSE
from tests.fixture_cards import read_fixture
from tests.hostile_records import MARKER, PAYLOADS, hostile
from tests.page_source import PageSource
from tests.site_map import SECRET, pages

MOST_BYTES = 200_000
# What a browser says when somebody follows a link, and what its scripts and other programs say.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAM = {"Accept": "*/*"}
RECORDS = (
    "cauda-equina-with-sciatica",
    "tramadol-on-sertraline",
    "markup-in-display-text",
    "low-back-c2-age-75",
)
CSS = HOUSE / "service" / "pages" / "static" / "backpath.css"


def _site(library: Library, settings: Settings, **changed: Any) -> Flask:
    """An application with these settings, its store where the test's own settings say."""
    own = Settings(database_url=settings.database_url, log_level="error", **changed)
    return create_app(own, today=lambda: A_DAY, library=library)


@pytest.fixture(scope="module")
def site(library: Library, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A browser at a service with all its pages."""
    own = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('site')}/feedback.sqlite3")
    return _site(library, own, admin_token=SECRET).test_client(use_cookies=False)


@pytest.fixture(scope="module")
def without(library: Library, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A browser at a service without pages."""
    own = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('off')}/feedback.sqlite3")
    return _site(library, own, admin_token=SECRET, pages="off").test_client()


# What a browser may do


@pytest.mark.parametrize("path", pages())
def test_every_page_is_guarded(site: FlaskClient, path: str) -> None:
    """It runs our own files only, in nobody's frame, and leaves nothing behind in the browser."""
    response = site.get(path, headers=BROWSER)
    _prove_guarded(response)

    assert response.mimetype == "text/html"
    assert "Set-Cookie" not in response.headers


def _prove_guarded(response: TestResponse) -> None:
    policy = response.headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert [name for name, _ in response.headers if name.startswith("Access-Control-")] == []


@pytest.mark.parametrize("path", pages())
def test_every_page_loads_our_own_files_only(site: FlaskClient, path: str) -> None:
    """No script or style stands in a page, and what is fetched is served here."""
    source = PageSource(site.get(path, headers=BROWSER).text)

    assert source.faults == []
    assert [each for each in source.fetched if not each.startswith("/look/")] == []
    assert [site.get(each, buffered=True).status_code for each in source.fetched] == [200] * len(
        source.fetched
    )


@pytest.mark.parametrize("path", pages())
def test_every_page_is_small(site: FlaskClient, path: str) -> None:
    """Two hundred kilobytes with all its files; the time of the server is told, not judged."""
    site.get(path, headers=BROWSER)  # what is worked out once
    begun = perf_counter()
    page = site.get(path, headers=BROWSER)
    took = perf_counter() - begun
    files = sum(
        len(site.get(each, buffered=True).data) for each in set(PageSource(page.text).fetched)
    )
    print(f"{path}: {took * 1000:.0f} ms, {len(page.data):,} bytes and files of {files:,}")

    assert len(page.data) + files < MOST_BYTES


@pytest.mark.parametrize("path", pages())
def test_a_page_can_be_asked_after_without_its_body(site: FlaskClient, path: str) -> None:
    """HEAD gives the status and headers of GET, and nothing else."""
    shown, asked = site.get(path, headers=BROWSER), site.head(path, headers=BROWSER)

    assert (asked.status_code, asked.data) == (shown.status_code, b"")
    assert asked.headers["Content-Type"] == shown.headers["Content-Type"]


def test_web_pages_of_others_may_not_reach_in(library: Library, settings: Settings) -> None:
    """A script of another site is let to CDS Hooks, and to no page nor what stands behind one."""
    app = _site(library, settings, admin_token=SECRET)
    browser = app.test_client()
    asked = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
    rules = [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.split(".")[0] in SITE]
    allowed = [
        rule
        for rule in {re.sub(r"<[^>]+>", "x", rule) for rule in rules}
        if "Access-Control-Allow-Origin" in browser.options(rule, headers=asked).headers
    ]

    assert allowed == []
    assert "Access-Control-Allow-Origin" in browser.options("/cds-services", headers=asked).headers


def test_the_policy_knows_every_blueprint(library: Library, settings: Settings) -> None:
    """What serves pages is named among those that other sites have no business in."""
    app = _site(library, settings, admin_token=SECRET)
    programs = {"cds_services", "operations", "administration"}

    assert set(app.blueprints) - programs <= SITE


# Files


def test_a_file_is_kept_until_it_changes(site: FlaskClient) -> None:
    """A page asks for its files by their content, so a browser may keep them for good."""
    (styles,) = re.findall(r'href="(/look/backpath\.css\?v=[0-9a-f]+)"', site.get("/").text)
    kept = site.get(styles, buffered=True)
    stale = site.get(re.sub(r"v=.*", "v=0123456789ab", styles), buffered=True)
    unmarked = site.get("/look/backpath.css", buffered=True)

    assert "immutable" in kept.headers["Cache-Control"]
    assert stale.headers["Cache-Control"] == unmarked.headers["Cache-Control"] == "no-cache"
    again = site.get(
        "/look/backpath.css", buffered=True, headers={"If-None-Match": kept.headers["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize(
    "name",
    [
        "../frame.py",
        "..%2fframe.py",
        "%2e%2e/site.py",
        "nothing.css",
        "./backpath.css",
        "there/../backpath.css",
    ],
)
def test_nothing_but_the_files_of_pages_is_given_out(site: FlaskClient, name: str) -> None:
    """No address leads out of the folder, and each file has but one."""
    assert site.get(f"/look/{name}", headers=BROWSER).status_code == 404


# Which pages


@pytest.mark.parametrize("path", [*pages(), "/look/backpath.css"])
def test_no_page_is_served_where_pages_are_off(without: FlaskClient, path: str) -> None:
    """Not even the start page, nor a page that says so."""
    answer = without.get(path, headers=BROWSER)

    assert answer.status_code == 404
    assert answer.get_json()["resourceType"] == "OperationOutcome"


@pytest.fixture
def guarded_house(tmp_path: Any) -> dict[str, Any]:
    """Settings under which clients must prove who they are."""
    clients = tmp_path / "clients.yaml"
    clients.write_text("- iss: https://ehr.example.org\n  jku: https://ehr.example.org/keys\n")
    return {
        "auth": "required",
        "trusted_clients": clients,
        "public_base_url": "https://backpath.example.org",
    }


def test_nothing_is_tried_out_where_clients_must_prove_who_they_are(
    library: Library, settings: Settings, guarded_house: dict[str, Any]
) -> None:
    """There the pages are those about the content, unless the settings say otherwise."""
    usual = _site(library, settings, **guarded_house).test_client()
    asked_for = _site(library, settings, pages="all", **guarded_house).test_client()

    assert usual.get("/", headers=BROWSER).status_code == 200
    assert usual.get("/recommendations", headers=BROWSER).status_code == 200
    assert usual.get("/try", headers=BROWSER).status_code == 404
    assert usual.post("/try/run", json={}).status_code == 404
    assert "/try" not in PageSource(usual.get("/").text).words
    assert 'href="/try"' not in usual.get("/").text
    assert asked_for.get("/try", headers=BROWSER).status_code == 200


def test_the_start_page_says_how_to_connect(
    library: Library, settings: Settings, guarded_house: dict[str, Any]
) -> None:
    """It tells status, content and discovery address; the Sandbox only where it is let in."""
    home = PageSource(_site(library, settings).test_client().get("/").text).words
    closed = PageSource(_site(library, settings, **guarded_house).test_client().get("/").text).words

    assert f"version {library.content_version}" in home
    assert "http://localhost/cds-services" in home
    assert "ready" in home
    assert "Add CDS Services" in home
    assert "https://backpath.example.org/cds-services" in closed
    assert "Add CDS Services" not in closed


@pytest.mark.parametrize("accept", [BROWSER, PROGRAM])
def test_discovery_stays_json(site: FlaskClient, accept: dict[str, str]) -> None:
    """Whoever asks, the address of discovery answers programs."""
    answer = site.get("/cds-services", headers=accept)

    assert answer.mimetype == "application/json"
    assert len(answer.get_json()["services"]) == 3


# Troubles


def test_a_browser_is_told_of_an_unknown_address_by_a_page(site: FlaskClient) -> None:
    """It has the navigation, the guard of any page, and the status that says so."""
    answer = site.get("/no-such-page", headers=BROWSER)
    _prove_guarded(answer)

    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "Nothing is served at this address." in answer.text
    assert 'href="/recommendations"' in answer.text


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/no-such-page", PROGRAM),
        ("GET", "/no-such-page", {"Accept": "application/json"}),
        ("GET", "/no-such-page", {}),
        ("POST", "/no-such-page", BROWSER),
        ("GET", "/cds-services/no-such-service", BROWSER),
        ("GET", "/cds-services/", {"Accept": "text/html"}),
        ("GET", "/cds-services/x/y/z", BROWSER),
        ("GET", "/feedback-report", BROWSER),
        ("POST", "/health", BROWSER),
    ],
)
def test_programs_are_told_as_before(
    site: FlaskClient, method: str, path: str, headers: dict[str, str]
) -> None:
    """What no person looks at is answered in JSON, with an OperationOutcome for every refusal."""
    answer = site.open(path, method=method, headers=headers)

    assert answer.mimetype == "application/json"
    assert answer.status_code == 200 or answer.get_json()["resourceType"] == "OperationOutcome"


def test_a_page_that_fails_tells_an_incident_and_no_more(
    library: Library, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser gets a page with the number to ask about, never what went wrong."""

    def fail() -> bool:
        raise ValueError("of Mrs Secret")

    monkeypatch.setattr("service.pages.home._store_ready", fail)
    answer = _site(library, settings).test_client().get("/", headers=BROWSER)
    _prove_guarded(answer)

    assert answer.status_code == 503
    assert re.search(r"incident [0-9a-f-]{36}", answer.text)
    assert "Secret" not in answer.text


# Hostile texts


@pytest.mark.parametrize("first", range(len(PAYLOADS)))
@pytest.mark.parametrize("name", RECORDS)
def test_a_hostile_record_is_shown_as_words(site: FlaskClient, name: str, first: int) -> None:
    """HTML and script in every text of a record stay words: on cards, diagram, timeline, table."""
    fixture = read_fixture(HOUSE / "fhir_fixtures" / name)
    answer = site.post("/try/run", json=hostile(fixture.request, first))
    shown = PageSource(answer.text)

    assert answer.status_code == 200
    assert shown.faults == []
    assert MARKER in shown.words


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_a_hostile_request_is_refused_in_words(site: FlaskClient, payload: str) -> None:
    """What is no request at all is shown where it is wrong, harmlessly."""
    for body in (payload, json.dumps({"hook": payload, payload: payload}), f'{{"hook": "{payload}'):
        answer = site.post(
            "/try/run", data=body.encode(), content_type="application/json", headers=BROWSER
        )

        assert PageSource(answer.text).faults == []


@pytest.mark.parametrize("path", [path for path in pages() if path.count("/") > 1] + ["/x/y"])
def test_a_hostile_address_is_not_found(site: FlaskClient, path: str) -> None:
    """A name that is markup names nothing, and is markup in no answer."""
    folder = path.rpartition("/")[0]
    for payload in PAYLOADS:
        quoted = "".join(f"%{byte:02x}" for byte in payload.encode())
        answer = site.get(f"{folder}/{quoted}", headers=BROWSER)

        assert answer.status_code == 404
        assert PageSource(answer.text).faults == []


@pytest.mark.parametrize("path", pages())
def test_a_hostile_query_is_words(site: FlaskClient, path: str) -> None:
    """Whatever a link puts behind the question mark, a page shows or ignores it."""
    names = ("patient", "q", "since", "until", "recommendation", "iss", "launch", "error", "state")
    for payload in PAYLOADS[:8]:
        query = dict.fromkeys((*names, "code", "error_description", "kind", "phase"), payload)
        answer = site.get(path, query_string=query, headers=BROWSER)

        assert PageSource(answer.text).faults == []


@pytest.mark.parametrize("host", ['a"><script>x</script>', "evil.example/'onload=x", "[::1", "a b"])
def test_a_hostile_host_is_words(site: FlaskClient, host: str) -> None:
    """The address to give to a client is made of what the browser called, and escaped."""
    answer = site.get("/", headers={**BROWSER, "Host": host})

    assert PageSource(answer.text).faults == []


# Looks


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def _light(colour: str) -> float:
    """How bright a colour is, as https://www.w3.org/TR/WCAG22/#dfn-relative-luminance has it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


PAIRS = [
    *((ink, ground) for ink in ("ink", "soft", "link") for ground in ("page", "sheet", "mark")),
    ("on-accent", "accent"),
    *((mood, f"{mood}-soft") for mood in ("critical", "warning", "info", "good")),
    *(("ink", f"{mood}-soft") for mood in ("critical", "warning", "info", "good")),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_every_text_stands_out(ink: str, ground: str, scheme: str) -> None:
    """Each colour of text has a contrast of 4.5 to 1 with its ground, by day and by night."""
    styles = CSS.read_text("utf-8")
    day, night = styles.split("@media (prefers-color-scheme: dark)", 1)
    colours = _colours(day) | (_colours(night.split("\n}\n")[0]) if scheme == "dark" else {})
    bright, dim = sorted((_light(colours[ink]), _light(colours[ground])), reverse=True)

    assert (bright + 0.05) / (dim + 0.05) >= 4.5
