"""The report in a real browser, opened from disk: on a desk, on a phone, on paper, by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cards.library import Library
from service.population.report import build_report
from service.population.report_page import as_page
from tests.browser import NARROW, WIDE, opened, picture, scrolls_sideways, serious_faults
from tests.judged_fixtures import RUN, fixture_tallies

SIGHTS = {"wide, light": (WIDE, "light"), "narrow, dark": (NARROW, "dark")}
RUNS = ("replay", "as of a day", "nobody")
MOST_BYTES = 600_000


@pytest.fixture(scope="module")
def reports(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report on a replay, on a day, and on nobody."""
    folder = tmp_path_factory.mktemp("reports")
    replay = fixture_tallies()
    day = {key: count for key, count in replay.items() if "order-select" not in key}
    as_of = {**RUN, "replay": None, "as_of": "2026-03-01", "input": "an-export/" * 20}
    for name, tallies, run in zip(RUNS, (replay, day, {}), (RUN, as_of, {}), strict=True):
        page = as_page(build_report(tallies, run, library))
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return folder


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("name", RUNS)
def test_a_report_opened_from_disk_is_sound(
    browser: Browser, reports: Path, name: str, sight: str
) -> None:
    """It complains of nothing, asks for nothing, fits the window, and everybody can read it."""
    size, scheme = SIGHTS[sight]
    file = reports / f"{name}.html"
    asked: list[str] = []
    with opened(browser, size, color_scheme=scheme) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        picture(page, f"population-{name}-{sight}".replace(", ", "-").replace(" ", "-"))

        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert file.stat().st_size < MOST_BYTES
        assert page.locator("h1").count() == 1
        assert not scrolls_sideways(page)
        assert serious_faults(page) == []


def test_every_picture_is_drawn(browser: Browser, reports: Path) -> None:
    """The policy of the page lets its own pictures be seen."""
    with opened(browser) as page:
        page.goto((reports / "replay.html").as_uri())
        widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")

        assert len(widths) >= 6
        assert min(widths) > 0


def test_all_that_is_folded_up_can_be_read_too(browser: Browser, reports: Path) -> None:
    """The keyboard unfolds the long tables, and they fit the window of a phone."""
    with opened(browser, NARROW) as page:
        page.goto((reports / "replay.html").as_uri())
        folded = page.locator("summary")
        for place in range(folded.count()):
            folded.nth(place).press("Enter")

        assert page.locator("details[open]").count() == folded.count() > 0
        assert not scrolls_sideways(page)


def test_the_first_screen_has_what_matters(browser: Browser, reports: Path) -> None:
    """On a desk the three numbers and the critical cards need no scrolling."""
    with opened(browser) as page:
        page.goto((reports / "replay.html").as_uri())
        for words in ("Cards per 100 visits", "Visits with any card", "three or more", "cauda"):
            box = page.locator("#glance").get_by_text(words).first.bounding_box()

            assert box
            assert box["y"] + box["height"] < WIDE[1]


def test_the_keyboard_gets_past_the_contents(browser: Browser, reports: Path) -> None:
    """The first Tab offers to skip them."""
    with opened(browser) as page:
        page.goto((reports / "replay.html").as_uri())
        page.keyboard.press("Tab")
        offered = page.evaluate("document.activeElement.textContent")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")

        assert offered == "Skip to content"
        assert page.evaluate("document.activeElement.closest('main') !== null")


def test_on_paper_the_contents_are_left_out(browser: Browser, reports: Path) -> None:
    """Links within a page are of no use on paper; the figures are all there."""
    with opened(browser, color_scheme="dark") as page:
        page.goto((reports / "replay.html").as_uri())
        page.emulate_media(media="print")

        assert not page.get_by_role("navigation").is_visible()
        assert page.locator("#all-cards table").is_visible()
