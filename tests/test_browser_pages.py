"""Every page in a real browser: sound, readable on a desk and on a phone, and usable by keyboard.

``tests/site_map.py`` finds the pages, so that no page is forgotten. Dark is looked at on the phone
and light on the desk: each colour is proved once. Pictures are left in ``build/pictures``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from playwright.sync_api import Browser, Error, Page, Response, expect

from tests.browser import NARROW, WIDE, opened, picture, scrolls_sideways, serious_faults
from tests.conftest import HOUSE
from tests.fixture_cards import read_fixture
from tests.hostile_records import MARKER, PAYLOADS, hostile
from tests.serving import serving
from tests.site_map import SECRET, pages

MOST_BYTES = 200_000
ENOUGH_ROWS = 30
HTML = "text/html"
SIGHTS = {"wide, light": (WIDE, "light"), "narrow, dark": (NARROW, "dark")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running service with all its pages."""
    folder = tmp_path_factory.mktemp("site")
    with serving(folder, ADMIN_TOKEN=SECRET, WORKERS="1") as server:
        yield server.base_url


@contextmanager
def _window(browser: Browser, url: str, sight: str) -> Iterator[Page]:
    """A window that is about to open the address."""
    size, scheme = SIGHTS[sight]
    # A page that asks for something first, such as a launch, says so with a status of its own.
    answer = requests.get(url, headers={"Accept": HTML}, timeout=30)
    assert answer.headers["Content-Type"].startswith(HTML), "not a page: see site_map.NO_PAGES"
    with opened(browser, size, answer.status_code, color_scheme=scheme) as page:
        yield page


def _prove_sound(page: Page, url: str, name: str, sight: str) -> None:
    """Open the address, keep a picture, and look for what makes the page hard to read."""
    fetched: list[Response] = []
    page.on("response", lambda response: fetched.append(response))  # noqa: PLW0108
    page.goto(url, wait_until="networkidle")
    picture(page, f"{name}-{sight.replace(', ', '-')}")

    assert not scrolls_sideways(page)
    assert sum(_bytes(response) for response in fetched) < MOST_BYTES
    assert page.locator("h1").count() == 1
    _shorten(page)
    assert serious_faults(page) == []


def _shorten(page: Page) -> None:
    """Leave the beginning of long lists: rows are alike, and each takes its time to look at."""
    page.evaluate(
        """most => document.querySelectorAll("tbody, ul, ol, dl, select").forEach(
            list => [...list.children].slice(most).forEach(row => row.remove()))""",
        ENOUGH_ROWS,
    )


def _bytes(response: Response) -> int:
    try:
        return len(response.body())
    except Error:  # a redirection has no body
        return 0


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("path", pages())
def test_a_page_is_sound(browser: Browser, site: str, path: str, sight: str) -> None:
    """It loads without complaint, fits the window, is light, and can be read by everybody."""
    with _window(browser, site + path, sight) as page:
        _prove_sound(page, site + path, path.strip("/").replace("/", "-") or "home", sight)


@pytest.mark.parametrize("sight", SIGHTS)
def test_the_dashboard_is_sound(browser: Browser, site: str, sight: str) -> None:
    """So is what administrators see once they are let in."""
    with _window(browser, f"{site}/dashboard", sight) as page:
        page.goto(f"{site}/dashboard/login")
        page.locator("input[name=secret]").fill(SECRET)
        page.locator("main button").first.click()
        page.wait_for_url(f"{site}/dashboard")
        _prove_sound(page, f"{site}/dashboard", "dashboard-let-in", sight)


@pytest.mark.parametrize("path", pages())
def test_the_keyboard_gets_past_the_navigation(browser: Browser, site: str, path: str) -> None:
    """The first Tab offers to skip it, the next ones go through it in order."""
    with _window(browser, site + path, "wide, light") as page:
        page.goto(site + path)
        steps = []
        for _step in range(3):
            page.keyboard.press("Tab")
            steps.append(page.evaluate("document.activeElement.textContent.trim()"))
        first_place = page.locator("nav li a").first.inner_text()

        assert steps == ["Skip to content", "Backpath", first_place]


def test_the_skip_link_leads_to_the_content(browser: Browser, site: str) -> None:
    """Whoever takes it goes on from the first thing on the page itself."""
    with opened(browser) as page:
        page.goto(f"{site}/")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")

        assert page.evaluate("document.activeElement.closest('main') !== null")


def test_what_is_wider_than_a_phone_is_scrolled_by_keyboard(browser: Browser, site: str) -> None:
    """A table that does not fit can be reached, and only then is it a stop of the keyboard."""
    with opened(browser, (240, 844)) as page:
        page.goto(f"{site}/")
        table = page.locator(".wide").first

        expect(table).to_have_attribute("tabindex", "0")
        page.set_viewport_size({"width": 1440, "height": 900})
        expect(table).not_to_have_attribute("tabindex", "0")


def test_the_discovery_address_is_copied(browser: Browser, site: str) -> None:
    """One press puts what a client needs on the clipboard, and says so."""
    with opened(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto(f"{site}/")
        page.get_by_role("button", name="Copy the address").click()
        page.get_by_text("Copied.").wait_for()

        assert page.evaluate("navigator.clipboard.readText()") == f"{site}/cds-services"


def test_an_unknown_address_is_told_on_a_page(browser: Browser, site: str) -> None:
    """Whoever mistypes an address stays in the site, with its way back."""
    with opened(browser, expected=404) as page:
        page.goto(f"{site}/recomendations")

        assert page.locator("h1").inner_text() == "Not found"
        assert page.get_by_role("navigation").get_by_role("link").count() > 3


def test_pages_can_be_read_without_scripts(browser: Browser, site: str) -> None:
    """Where scripts are off the start page says the same, without a button that does nothing."""
    with opened(browser, java_script_enabled=False) as page:
        page.goto(f"{site}/")

        assert page.locator("#discovery").inner_text() == f"{site}/cds-services"
        assert not page.get_by_role("button", name="Copy the address").is_visible()


@pytest.mark.parametrize("first", range(0, len(PAYLOADS), 6))
def test_a_hostile_record_does_nothing_in_a_browser(
    browser: Browser, site: str, first: int
) -> None:
    """Pasted and run, a record full of markup opens no window, runs nothing, loads nothing."""
    record = read_fixture(HOUSE / "fhir_fixtures" / "cauda-equina-with-sciatica").request
    asked: list[str] = []
    with opened(browser) as page:
        page.on("dialog", lambda dialog: asked.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{site}/try")
        page.locator("#request").fill(json.dumps(hostile(record, first)))
        page.locator("#run").click()
        expect(page.locator("#answer-heading")).to_contain_text("card")
        expect(page.locator("body")).to_contain_text(MARKER)

        assert [each for each in asked if not each.startswith(f"{site}/")] == []
        assert page.url == f"{site}/try"
