"""All that pages show of a judged call: as the service explains it, and in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route

from cards.advise import advise
from cards.answer import Answer
from cards.explanation import explain
from service.pages.frame import HEADERS
from service.pages.placing import Placing, placing
from tests.browser import (
    NARROW,
    WIDE,
    chromium,
    opened,
    picture,
    scrolls_sideways,
    serious_faults,
)
from tests.generated_records import STORED
from tests.hostile_records import MARKER, hostile
from tests.placed import (
    ADDRESS,
    PAGES,
    PLACED,
    REQUESTS,
    page_of,
    placed_as_stored,
    placed_now,
)
from tests.reading import reading
from tests.test_laws import LIBRARY


def test_the_page_tells_what_the_explanation_tells() -> None:
    """Every recommendation is listed with the outcome and facts a client is told."""
    for name in PLACED:
        stored = REQUESTS[name]
        record = reading(stored.request, stored.day, LIBRARY).record
        advice = advise(record, stored.day, LIBRARY)
        told = {
            (one["recommendation"], one.get("draft", "")): one
            for one in explain(advice, LIBRARY)["recommendations"]
        }
        placed = placing(record, advice, LIBRARY, stored.day)

        assert {(one.id, one.draft) for one in placed.decisions} == set(told)
        assert sum(placed.counts.values()) == len(placed.decisions)
        for one in placed.decisions:
            same = told[one.id, one.draft]
            known = "unknown" if same.get("undecided") else same["outcome"]
            assert (one.outcome, one.shown_as) == (known, same.get("as", ""))
            facts = {fact.fact: fact.answer for fact in one.facts}
            assert facts == {fact["fact"]: fact["answer"] for fact in same["facts"]}


def test_what_is_shown_comes_first_and_says_on_what_it_rests() -> None:
    """The first rows of the table are those of cards, with the entries behind them."""
    decisions = placed_as_stored("oxycodone-running-copd").decisions
    naloxone = next(one for one in decisions if one.id == "opioid-naloxone-offer")

    assert decisions[0].outcome == "shown"
    assert naloxone.facts[0].answer == "yes"
    assert naloxone.facts[0].references


def test_an_order_is_judged_and_shown_like_a_chart() -> None:
    """Of an order being signed each decision says which draft it is about."""
    stored = next(
        s
        for s in STORED
        if s.request["hook"] == "order-sign" and "conditions" in s.request["prefetch"]
    )
    record = reading(stored.request, stored.day, LIBRARY).record
    advice = advise(record, stored.day, LIBRARY)
    placed = placing(record, advice, LIBRARY, stored.day)

    assert {one.draft for one in placed.decisions} - {""}
    assert advice.ask("age_65_or_over").answer in Answer


# In a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests here."""
    with chromium() as running:
        yield running


def _show(page: Page, placed: Placing, scripts: bool = True) -> None:
    """Open the page as it is served: with the looks, the script and the policy of the service."""

    def serve(route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        if name:
            route.fulfill(path=PAGES / "static" / name)
        else:
            route.fulfill(body=page_of(placed), headers={"Content-Type": "text/html"} | HEADERS)

    page.unroute_all()
    page.route(f"{ADDRESS}**", serve)
    page.goto(ADDRESS)
    if scripts:
        page.wait_for_selector("form[data-filter]:not([hidden])")


def _rows(page: Page) -> int:
    count: int = page.locator("#decisions tbody > tr:visible").count()
    return count


def test_decisions_are_filtered_by_outcome_and_words(browser: Browser) -> None:
    """Choosing "shown" leaves the shown ones, a word those that bear it; the page says how many."""
    placed = placed_as_stored("oxycodone-running-copd")
    with opened(browser) as page:
        _show(page, placed)
        assert _rows(page) == len(placed.decisions)

        page.get_by_label("Outcome").select_option("shown")
        shown = placed.counts["shown"]
        page.get_by_text(f"{shown} of {len(placed.decisions)} shown").wait_for()
        assert _rows(page) == shown

        page.get_by_role("searchbox", name="Words").fill("naloxone")
        page.get_by_text(f"1 of {len(placed.decisions)} shown").wait_for()
        assert "Offer naloxone" in page.locator("#decisions tbody > tr:visible").inner_text()


def test_without_scripts_every_decision_is_shown(browser: Browser) -> None:
    """No control is offered that does nothing."""
    placed = placed_as_stored("oxycodone-running-copd")
    with opened(browser, java_script_enabled=False) as page:
        _show(page, placed, scripts=False)

        assert page.locator("form[data-filter]").is_hidden()
        assert _rows(page) == len(placed.decisions)


@pytest.mark.parametrize(
    ("name", "size", "scheme"), [("wide-dark", WIDE, "dark"), ("narrow-light", NARROW, "light")]
)
def test_drawings_fit_and_are_accessible(
    browser: Browser, name: str, size: tuple[int, int], scheme: str
) -> None:
    """At a desk by night and on a phone by day."""
    with opened(browser, size, color_scheme=scheme) as page:
        _show(page, placed_as_stored("low-back-c5-everything-done"))
        picture(page, f"drawings-{name}")
        page.get_by_text("The same as a table").click()
        page.wait_for_selector(".twin[open] .wide")

        assert serious_faults(page) == []
        assert not scrolls_sideways(page)


def test_a_hostile_chart_is_drawn_harmlessly(browser: Browser) -> None:
    """Nothing runs, nothing is fetched, and the page is no wider than the phone."""
    stored = REQUESTS["low-back-c5-everything-done"]
    spoilt = placed_now(reading(hostile(stored.request, 3), stored.day, LIBRARY).record, stored.day)
    with opened(browser, NARROW) as page:
        _show(page, spoilt)

        assert MARKER in page.inner_text(".timeline")
        assert page.locator("main img, main script, main style, main iframe").count() == 0
        assert not scrolls_sideways(page)
        picture(page, "drawings-hostile")
