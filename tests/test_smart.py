"""The pathway view: opened from a chart by SMART App Launch, with a real record and server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from cards.library import Library
from service.app import create_app
from service.card_names import CardNames
from service.pages.smart_http import SmartHttp
from service.pages.smart_launch import LaunchRefused, come_back
from service.pages.smart_ticket import Ticket, cookie_name, seal, unseal
from service.profile import PROFILES
from service.settings import Settings
from service.store import open_store
from tests.browser import NARROW, WIDE, opened, picture, scrolls_sideways, serious_faults
from tests.conftest import A_DAY, BACK_PAIN, bundle, call, patient
from tests.fhir_server import fails
from tests.serving import Serving, serving
from tests.smart_server import CLIENT_ID, SmartServer, smart_running

WAIT = 15
NAME = {"family": "Featherstonehaugh", "given": ["Wilhelmina"]}
STEALING = '<img src=x onerror="window.stolen=1"><script>window.stolen=1</script>'
VIEW = "/cds-services/back-pain-patient-view"


@dataclass(frozen=True)
class Hospital:
    """A health record, and our service that it launches."""

    record: SmartServer
    server: Serving

    @property
    def launch_url(self) -> str:
        """What the record opens in the browser when somebody starts the app from a chart."""
        return f"{self.server.base_url}/launch?{self.record.launch()}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    with smart_running() as record:
        settings = {
            "FHIR_SERVERS": record.base,
            "ALLOW_LOOPBACK": "true",
            "SMART_CLIENT_ID": CLIENT_ID,
        }
        with serving(tmp_path_factory.mktemp("smart"), **settings) as server:
            record.redirect_uri = f"{server.base_url}/app"
            yield Hospital(record, server)


@pytest.fixture
def hospital(running: Hospital) -> Hospital:
    """The record as it usually is: one patient with a year of low back pain, and no care yet."""
    record = running.record
    record.hold({**call()["prefetch"], "conditions": bundle(BACK_PAIN)})
    record.chart["Patient"] = [patient(name=[NAME])]
    record.configuration, record.granted, record.faults = {}, {}, {}
    record.denies, record.token_status, record.token_body = "", 0, None
    record.token_elsewhere, record.token_stalls = "", False
    record.refused.clear()
    record.received.clear()
    return running


@pytest.fixture
def visitor() -> Iterator[requests.Session]:
    """Keeps cookies and follows redirections, as a browser does."""
    with requests.Session() as session:
        yield session


def _way_back(hospital: Hospital, visitor: requests.Session) -> str:
    """The address that the record sends the browser back to, not yet opened."""
    left = visitor.get(hospital.launch_url, allow_redirects=False, timeout=WAIT)
    back = visitor.get(left.headers["Location"], allow_redirects=False, timeout=WAIT)
    return back.headers["Location"]


def _opened(hospital: Hospital, visitor: requests.Session) -> requests.Response:
    return visitor.get(hospital.launch_url, timeout=WAIT)


def _title(response: requests.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", response.text)
    return found[1] if found else ""


def test_a_launch_from_the_chart_shows_the_pathway(
    hospital: Hospital, visitor: requests.Session
) -> None:
    """From the link in the chart, over the login, to the patient's place and next step."""
    page = _opened(hospital, visitor)

    assert page.status_code == 200
    assert hospital.record.refused == []
    assert "Wilhelmina Featherstonehaugh" in page.text
    assert "Chronic low back pain" in page.text
    assert "First-line: activity or exercise" in page.text
    assert "When to get help" in page.text
    assert 'class="drawing' in page.text


def test_every_query_bears_the_users_own_token(
    hospital: Hospital, visitor: requests.Session
) -> None:
    """The chart is read with what this user may see, and with nothing else."""
    _opened(hospital, visitor)
    queries = [one for one in hospital.record.received if one.path.startswith("/fhir/")]
    token = hospital.record.tokens[-1]

    assert len({one.kind for one in queries}) == 10
    assert {one.headers.get("Authorization") for one in queries} == {f"Bearer {token}"}


def test_each_login_has_its_own_state_and_challenge(hospital: Hospital) -> None:
    """Nothing of one login can be used in another; the secret itself is never in the address."""
    asked = []
    for _ in range(2):
        left = requests.get(hospital.launch_url, allow_redirects=False, timeout=WAIT)
        asked.append(parse_qs(urlsplit(left.headers["Location"]).query))

    assert asked[0]["state"] != asked[1]["state"]
    assert asked[0]["code_challenge"] != asked[1]["code_challenge"]
    assert "code_verifier" not in asked[0]


def test_only_what_facts_look_at_is_asked_for(hospital: Hospital) -> None:
    """The user is asked to let ten kinds of entries be read, and nothing be written."""
    left = requests.get(hospital.launch_url, allow_redirects=False, timeout=WAIT)
    scopes = parse_qs(urlsplit(left.headers["Location"]).query)["scope"][0].split()

    assert {"launch", "patient/Patient.rs", "patient/Condition.rs"} < set(scopes)
    assert len([scope for scope in scopes if re.fullmatch(r"patient/[A-Za-z]+\.rs", scope)]) == 10


def test_an_older_record_is_asked_in_its_own_words(hospital: Hospital) -> None:
    """A record of the first version of SMART knows other names for the same permissions."""
    hospital.record.configuration = {"capabilities": ["launch-ehr", "permission-v1"]}
    left = requests.get(hospital.launch_url, allow_redirects=False, timeout=WAIT)
    scopes = parse_qs(urlsplit(left.headers["Location"]).query)["scope"][0].split()

    assert "patient/Condition.read" in scopes


def test_what_the_browser_keeps_is_sealed_and_short_lived(hospital: Hospital) -> None:
    """The cookie of a login cannot be read, is kept from scripts, and ends within ten minutes."""
    left = requests.get(hospital.launch_url, allow_redirects=False, timeout=WAIT)
    cookie = left.headers["Set-Cookie"]
    state = parse_qs(urlsplit(left.headers["Location"]).query)["state"][0]

    assert {"HttpOnly", "SameSite=Lax", "Path=/app", "Max-Age=600"} <= set(cookie.split("; "))
    assert state not in cookie
    assert urlsplit(hospital.record.base).netloc not in cookie
    assert left.headers["Cache-Control"] == "no-store"


def test_the_cookie_is_gone_once_the_chart_is_open(
    hospital: Hospital, visitor: requests.Session
) -> None:
    """Nothing of the visit stays in the browser."""
    _opened(hospital, visitor)

    assert list(visitor.cookies) == []


def test_the_token_is_nowhere_but_in_the_queries(
    hospital: Hospital, visitor: requests.Session
) -> None:
    """Neither pages nor headers nor cookies nor the log nor the store hold it."""
    back = _way_back(hospital, visitor)
    page = visitor.get(back, timeout=WAIT)
    token = hospital.record.tokens[-1]
    stored = b"".join(
        path.read_bytes() for path in hospital.server.folder.iterdir() if path.is_file()
    )

    assert page.status_code == 200
    assert token not in page.text
    assert token not in str(page.headers)
    assert token not in str(visitor.cookies)
    assert token.encode() not in stored


def test_the_log_tells_nothing_of_whose_chart_it_was(
    hospital: Hospital, visitor: requests.Session
) -> None:
    """A line says that a chart was opened; no patient, no code, no state, no address."""
    back = _way_back(hospital, visitor)
    visitor.get(back, timeout=WAIT)
    visitor.get(back, timeout=WAIT)
    sent = parse_qs(urlsplit(back).query)
    lines = [json.loads(line) for line in hospital.server.log.splitlines()]
    opened = [line for line in lines if line.get("route") == "/app"]

    assert opened[-2]["launch"] == "opened"
    assert [
        secret
        for secret in (sent["code"][0], sent["state"][0], "pat-1", "Featherstonehaugh")
        if secret in hospital.server.log
    ] == []


def test_nothing_of_the_chart_is_kept_by_browsers_and_proxies(
    hospital: Hospital, visitor: requests.Session
) -> None:
    """The page is for now, and the address that opened it is told to no other site."""
    page = _opened(hospital, visitor)

    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_a_record_that_is_not_listed_opens_nothing(hospital: Hospital) -> None:
    """A link from elsewhere leads to a page that says so, and is not followed."""
    page = requests.get(
        f"{hospital.server.base_url}/launch",
        params={"iss": "https://elsewhere.example.org/fhir", "launch": "x"},
        timeout=WAIT,
    )

    assert (page.status_code, _title(page)) == (400, "This health record is not connected")
    assert "elsewhere" not in page.text


@pytest.mark.parametrize(
    "endpoints",
    [
        {"token_endpoint": "https://elsewhere.example.org/login/token"},
        {"token_endpoint": "http://169.254.169.254/latest/meta-data"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": None},
        {"authorization_endpoint": "http://elsewhere.example.org/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": ["https://ehr.example.org/authorize"]},
        {"authorization_endpoint": "https://ehr.example.org/authorize?aud=https://another.org"},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": "S256"},
    ],
    ids=lambda endpoints: str(next(iter(endpoints.values()))),
)
def test_a_login_that_is_not_safe_is_not_used(
    hospital: Hospital, endpoints: dict[str, Any]
) -> None:
    """Codes go to the record's own host only, and nobody is sent to an address in the clear."""
    hospital.record.configuration = endpoints
    page = requests.get(hospital.launch_url, allow_redirects=False, timeout=WAIT)

    assert page.status_code == 502
    assert _title(page) == "The login of the health record cannot be used"
    assert "Set-Cookie" not in page.headers


def test_a_launch_without_a_chart_says_where_to_start(hospital: Hospital) -> None:
    """Whoever opens the address by hand is told what it is for."""
    for path in ("/launch", "/app", f"/launch?iss={hospital.record.base}"):
        page = requests.get(hospital.server.base_url + path, timeout=WAIT)

        assert (page.status_code, _title(page)) == (400, "Open it from a chart")


def test_a_state_that_is_not_ours_opens_nothing(
    hospital: Hospital, visitor: requests.Session
) -> None:
    """An address somebody else made up cannot open a chart in this browser."""
    back = _way_back(hospital, visitor)
    code = parse_qs(urlsplit(back).query)["code"][0]
    forged = visitor.get(
        hospital.record.redirect_uri, params={"code": code, "state": "f" * 43}, timeout=WAIT
    )

    assert (forged.status_code, _title(forged)) == (400, "This view is closed")
    assert code in hospital.record.codes  # nobody tried to use it


def test_the_way_back_opens_nothing_in_another_browser(
    hospital: Hospital, visitor: requests.Session
) -> None:
    """Whoever gets hold of the address alone sees nothing."""
    back = _way_back(hospital, visitor)
    stolen = requests.get(back, timeout=WAIT)

    assert (stolen.status_code, _title(stolen)) == (400, "This view is closed")
    assert visitor.get(back, timeout=WAIT).status_code == 200


def test_reloading_says_to_start_again(hospital: Hospital, visitor: requests.Session) -> None:
    """A view opens once; the second time a page says what to do."""
    back = _way_back(hospital, visitor)
    visitor.get(back, timeout=WAIT)
    again = visitor.get(back, timeout=WAIT)

    assert (again.status_code, _title(again)) == (400, "This view is closed")
    assert "open the pathway view from there again" in again.text


def test_a_used_code_opens_nothing(hospital: Hospital, visitor: requests.Session) -> None:
    """The record refuses it, and a page says so."""
    back = _way_back(hospital, visitor)
    hospital.record.codes.clear()
    page = visitor.get(back, timeout=WAIT)

    assert (page.status_code, _title(page)) == (400, "The health record did not open the chart")


def test_two_charts_can_be_opened_at_once(hospital: Hospital, visitor: requests.Session) -> None:
    """A second window does not undo the first."""
    first, second = _way_back(hospital, visitor), _way_back(hospital, visitor)

    assert visitor.get(first, timeout=WAIT).status_code == 200
    assert visitor.get(second, timeout=WAIT).status_code == 200


def test_who_says_no_is_taken_at_their_word(hospital: Hospital, visitor: requests.Session) -> None:
    """Permission refused at the login is no fault, and nothing is read."""
    hospital.record.denies = "access_denied"
    page = _opened(hospital, visitor)

    assert (page.status_code, _title(page)) == (403, "The chart was not opened")
    assert not hospital.record.asked()["Patient"]


@pytest.mark.parametrize(
    ("granted", "title"),
    [
        ({"patient": None}, "No patient is chosen"),
        ({"patient": 7}, "No patient is chosen"),
        ({"patient": "../Patient/other"}, "The chart could not be read"),
        ({"patient": "somebody-else"}, "The chart could not be read"),
        ({"access_token": None}, "The health record did not open the chart"),
        ({"access_token": "two\r\nlines"}, "The chart could not be read"),
        ({"token_type": "mac"}, "The health record did not open the chart"),
    ],
)
def test_a_grant_that_names_no_chart(
    hospital: Hospital, visitor: requests.Session, granted: dict[str, Any], title: str
) -> None:
    """Whatever the record leaves out or gets wrong ends at a page that says what to do."""
    hospital.record.granted = granted
    page = _opened(hospital, visitor)

    assert 400 <= page.status_code < 504
    assert page.status_code != 500
    assert _title(page) == title
    assert "What to do" in page.text


def test_a_login_that_fails_is_told_plainly(hospital: Hospital, visitor: requests.Session) -> None:
    """The record's own trouble is not ours, and is told as what it is."""
    hospital.record.token_status = 503
    page = _opened(hospital, visitor)

    assert (page.status_code, _title(page)) == (502, "The health record does not answer")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 90_000,
        b'{"a": "' + b"x" * 200_000 + b'"}',
        b'{"access_token": "t", "token_type": "Bearer", "patient": "p", "expires_in": []}',
        b'{"access_token": ["t"], "token_type": "Bearer", "patient": "pat-1"}',
        b'{"access_token": "t", "token_type": {}, "patient": "pat-1"}',
        b'{"error": {"code": 7}, "error_description": ["no"]}',
        b'{"error": ""}',
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)
def test_whatever_a_login_answers_ends_at_a_page(
    hospital: Hospital, visitor: requests.Session, body: bytes
) -> None:
    """An answer that is none leads to a page that says what to do, as any failure does."""
    hospital.record.token_body = body
    page = _opened(hospital, visitor)

    assert page.status_code in {400, 502}
    assert "What to do" in page.text


def test_a_code_is_never_sent_on(hospital: Hospital, visitor: requests.Session) -> None:
    """A login that sends us elsewhere with the code is not followed."""
    hospital.record.token_elsewhere = f"{hospital.record.origin}/elsewhere"
    page = _opened(hospital, visitor)

    assert (page.status_code, _title(page)) == (502, "The health record does not answer")
    assert [one for one in hospital.record.received if "elsewhere" in one.path] == []


def test_a_login_that_never_answers_is_not_waited_for(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time it may take is bounded, whatever it does."""
    monkeypatch.setattr("service.pages.smart_http.SECONDS", 0.3)
    hospital.record.token_stalls = True
    http = SmartHttp(Settings(fhir_servers=(hospital.record.base,), allow_loopback=True))
    token = f"{hospital.record.origin}/login/token"
    begun = monotonic()
    with pytest.raises(LaunchRefused, match="ehr-unreachable"):
        come_back("c", Ticket("s", "v", hospital.record.base, token, "r"), CLIENT_ID, http)

    assert monotonic() - begun < WAIT


def test_a_record_that_gives_no_problems_is_told_plainly(
    hospital: Hospital, visitor: requests.Session
) -> None:
    """Without the list of problems nothing is said about the back."""
    hospital.record.faults = {"Condition": fails(403)}
    page = _opened(hospital, visitor)

    assert (page.status_code, _title(page)) == (502, "The chart could not be read")


def test_what_could_not_be_read_is_named(hospital: Hospital, visitor: requests.Session) -> None:
    """A gap in the chart is never silent."""
    hospital.record.faults = {"MedicationRequest": fails(403)}
    page = _opened(hospital, visitor)

    assert page.status_code == 200
    assert "Not everything could be read:</strong> medicines." in page.text


def test_a_name_full_of_script_is_only_a_name(
    hospital: Hospital, visitor: requests.Session
) -> None:
    """Whatever is written in the chart is shown as text."""
    hospital.record.chart["Patient"] = [patient(name=[{"text": STEALING}], birthDate=STEALING)]
    page = _opened(hospital, visitor)

    assert "<img src=x" not in page.text
    assert "&lt;img src=x" in page.text


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_in_a_browser_the_chart_opens_without_a_fault(
    hospital: Hospital, browser: Browser, size: tuple[int, int]
) -> None:
    """On a desk and on a phone: nothing is blocked, everybody can use it, and it can be printed."""
    with opened(browser, size) as window:
        window.goto(hospital.launch_url)
        window.get_by_role("button", name="Print this sheet").wait_for()

        assert window.url == hospital.record.redirect_uri  # without code and state
        assert window.locator("h1").inner_text() == "Back pain pathway"
        assert serious_faults(window) == []
        assert not scrolls_sideways(window)
        picture(window, f"pathway-view-{size[0]}")

        window.emulate_media(media="print")
        assert window.get_by_role("heading", name="When to get help").is_visible()
        assert not window.get_by_text("Featherstonehaugh").is_visible()


def test_in_a_browser_a_chart_full_of_script_does_nothing(
    hospital: Hospital, browser: Browser
) -> None:
    """HTML and script in every text of the chart stay words."""
    snomed = {"system": "http://snomed.info/sct", "code": "278860009", "display": STEALING}
    hostile = {"text": STEALING, "coding": [snomed]}
    hospital.record.chart["Condition"] = [{**BACK_PAIN, "code": hostile}]
    hospital.record.chart["Patient"] = [patient(name=[{"text": STEALING}])]
    with opened(browser) as window:
        window.goto(hospital.launch_url)

        assert "<script>" in window.locator(".whose").inner_text()
        assert window.evaluate("window.stolen") is None


def test_in_a_browser_a_refusal_is_a_page_like_the_others(
    hospital: Hospital, browser: Browser
) -> None:
    """Whoever is turned away reads why, and what to do."""
    hospital.record.denies = "access_denied"
    with opened(browser, NARROW, expected=403) as window:
        window.goto(hospital.launch_url)

        assert window.locator("h1").inner_text() == "The chart was not opened"
        assert serious_faults(window) == []
        assert not scrolls_sideways(window)


def _client(library: Library, settings: Settings) -> FlaskClient:
    app: Flask = create_app(settings, today=lambda: A_DAY, library=library)
    return app.test_client()


def test_switched_off_it_says_how_to_switch_it_on(library: Library, settings: Settings) -> None:
    """An operator who finds the address learns which settings it needs."""
    page = _client(library, settings).get("/launch")

    assert page.status_code == 200
    assert "BACKPATH_SMART_CLIENT_ID" in page.text
    assert "http://localhost/app" in page.text


def _switched_on(settings: Settings, **more: Any) -> Settings:
    return Settings(
        database_url=settings.database_url,
        fhir_servers=("https://ehr.example.org/fhir",),
        smart_client_id=CLIENT_ID,
        public_base_url="https://cds.example.org",
        **more,
    )


def _cards(library: Library, settings: Settings) -> list[dict[str, Any]]:
    request = call()
    request["prefetch"]["conditions"] = bundle(BACK_PAIN)
    cards: list[dict[str, Any]] = (
        _client(library, settings).post(VIEW, json=request).get_json()["cards"]
    )
    assert cards
    return cards


def test_cards_link_to_the_pathway_view(library: Library, settings: Settings) -> None:
    """Where it is switched on, every card opens it for the patient the card is about."""
    link = {
        "label": "Back pain pathway",
        "url": "https://cds.example.org/launch",
        "type": "smart",
    }
    cards = _cards(library, _switched_on(settings))

    assert [card["links"] for card in cards] == [[link]] * len(cards)


def test_cards_bear_no_link_where_it_would_lead_nowhere(
    library: Library, settings: Settings
) -> None:
    """Switched off, with pages off, or for a client that follows no links there is none."""
    assert "epic" in PROFILES
    for closed in (
        settings,
        _switched_on(settings, pages="off"),
        _switched_on(settings, profile="epic"),
    ):
        assert [card for card in _cards(library, closed) if "links" in card] == []


def test_behind_a_path_and_https_the_cookie_fits(
    hospital: Hospital, library: Library, settings: Settings
) -> None:
    """A proxy may serve us below a path: the browser must bring the cookie back to it, safely."""
    behind = Settings(
        database_url=settings.database_url,
        fhir_servers=(hospital.record.base,),
        allow_loopback=True,
        smart_client_id=CLIENT_ID,
        public_base_url="https://cds.example.org/backpath",
    )
    left = _client(library, behind).get(f"/launch?{hospital.record.launch()}")
    asked = parse_qs(urlsplit(left.headers["Location"]).query)

    assert asked["redirect_uri"] == ["https://cds.example.org/backpath/app"]
    assert {"Secure", "Path=/backpath/app"} <= set(left.headers["Set-Cookie"].split("; "))


def test_a_ticket_is_good_for_its_own_launch_only() -> None:
    """A cookie of one login does not vouch for another, nor does one somebody changed."""
    names = CardNames(())
    ticket = Ticket("one", "verifier", "https://a.example.org", "https://a.example.org/t", "r")
    sealed = seal(ticket, names)

    assert unseal(sealed, "one", names) == ticket
    assert unseal(sealed, "two", names) is None
    assert unseal(sealed[:-4] + "AAAA", "one", names) is None
    assert unseal("", "one", names) is None
    assert unseal(sealed, "one", CardNames(())) is None
    assert cookie_name("one") != cookie_name("two")


def test_every_process_of_one_store_opens_a_ticket(settings: Settings) -> None:
    """The way back may lead to another process than the way out, or to another machine."""
    store = open_store(settings.database_url)
    here, there = CardNames(()), CardNames(())
    ticket = Ticket("one", "verifier", "https://a.example.org", "https://a.example.org/t", "r")
    early = seal(ticket, here)  # before the store has told its key
    here.learn(store)
    there.learn(store)
    store.close()

    assert unseal(seal(ticket, here), "one", there) == ticket
    assert unseal(early, "one", here) == ticket


def test_an_old_ticket_is_good_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that took more than ten minutes has to be begun again."""
    names = CardNames(())
    ticket = Ticket("one", "verifier", "https://a.example.org", "https://a.example.org/t", "r")
    sealed = seal(ticket, names)
    now = __import__("time").time()
    monkeypatch.setattr("cryptography.fernet.time.time", lambda: now + 601)

    assert unseal(sealed, "one", names) is None


def test_the_log_holds_no_trace_of_a_failure(hospital: Hospital) -> None:
    """Whatever the launches of this file did, none of them was a defect."""
    log = Path(hospital.server.folder / "log").read_text()

    assert "unexpected failure" not in log
    assert "Traceback" not in log
