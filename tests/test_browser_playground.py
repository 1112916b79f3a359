"""The playground in a real browser: a patient is picked, run, advised on and explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser import NARROW, WIDE, opened, picture, scrolls_sideways, serious_faults
from tests.fixture_cards import FIXTURES, read_fixture
from tests.hostile_records import MARKER, PAYLOADS, hostile
from tests.serving import serving

PATIENTS = ("low-back-c3-naproxen-failed", "cauda-equina-with-sciatica", "tramadol-on-sertraline")
MOST_BYTES, MOST_MILLISECONDS = 200_000, 100
BROKEN = '{\n "hook": "patient-view",\n "context" {}\n}'
MISSHAPEN = '{\n "hook": "patient-view",\n "hookInstance": "x",\n "context": {"userId": "u"}\n}'

CARRY = """text => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], "request.json", { type: "application/json" }));
  return carried;
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running service with its playground."""
    with serving(
        tmp_path_factory.mktemp("playground"), WORKERS="1", MAX_BODY_BYTES="262144"
    ) as server:
        yield server.base_url


def pick(page: Page, site: str, name: str) -> None:
    """Open the playground and run the request of a synthetic patient."""
    page.goto(f"{site}/try")
    page.get_by_label("Patient", exact=True).select_option(name)
    page.get_by_role("button", name="Load and run").click()
    expect(page.locator("#answer-heading")).to_be_focused()


def enter(page: Page, text: str) -> None:
    """Write a request into the editor and run it by the keyboard."""
    page.get_by_label("Hook request (JSON)").fill(text)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#answer-heading")).to_be_focused()


def summaries(page: Page) -> list[str]:
    """The summaries of the cards, as they are read on the page."""
    return page.locator("article.card h3").all_inner_texts()


@pytest.mark.parametrize("name", PATIENTS)
def test_a_synthetic_patient_gets_the_expected_cards(
    browser: Browser, site: str, name: str
) -> None:
    """Picked and run: the summaries of the fixture, told to screen readers, in good time."""
    expected = [card["summary"] for card in read_fixture(FIXTURES / name).expected["cards"]]
    with opened(browser) as page:
        pick(page, site, name)
        picture(page, f"playground-{name}")

        assert expected == summaries(page)
        count = f"{len(expected)} {'card' if len(expected) == 1 else 'cards'}."
        expect(page.get_by_role("status").filter(has_text=f"Loaded. {count}")).to_be_visible()
        assert page.url == f"{site}/try"
        assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [
            0,
            0,
            "",
        ]


def test_the_explanation_is_drawn_and_filtered(browser: Browser, site: str) -> None:
    """The state the patient is in is marked, the entries stand on a line, the table is filtered."""
    with opened(browser) as page:
        pick(page, site, "low-back-c3-naproxen-failed")

        expect(page.locator("#why .drawing .here")).to_contain_text("Eight weeks of care")
        expect(page.get_by_role("heading", name="Chart entries used")).to_be_visible()
        rows = page.locator("#decisions tbody > tr")
        everything = rows.count()
        page.get_by_label("Outcome").select_option("shown")
        expect(rows.filter(visible=True)).to_have_count(2)
        assert everything > 20
        for heading in ("Time taken", "Raw response"):
            page.locator("summary", has_text=heading).click()
        expect(page.locator("[data-response]")).to_contain_text('"summary"')


def test_an_accepted_suggestion_changes_the_draft_and_the_cards(
    browser: Browser, site: str
) -> None:
    """The order spoken against is removed at a click; a new one is added to an open chart."""
    with opened(browser) as page:
        pick(page, site, "tramadol-on-sertraline")
        spoken_against = summaries(page)[0]
        request = page.get_by_label("Hook request (JSON)")
        page.get_by_role("button", name="Remove this order").first.click()
        expect(page.get_by_role("status").filter(has_text="Applied: Remove")).to_be_visible()

        assert json.loads(request.input_value())["hook"] == "patient-view"
        assert spoken_against not in summaries(page)

        pick(page, site, "low-back-c3-naproxen-failed")
        before = summaries(page)
        page.locator("[data-suggestion]").first.press("Enter")
        expect(page.get_by_role("status").filter(has_text="Applied: ")).to_be_visible()
        context = json.loads(request.input_value())["context"]

        assert len(context["draftOrders"]["entry"]) == len(context["selections"]) == 1
        assert before != summaries(page)


def test_an_override_shows_the_feedback_it_would_send(browser: Browser, site: str) -> None:
    """The reason chosen is shown as the feedback of CDS Hooks, and nothing is sent."""
    with opened(browser) as page:
        pick(page, site, "tramadol-on-sertraline")
        page.locator("summary", has_text="Not followed").first.click()
        page.get_by_label("Reason").first.select_option("specialist-recommendation")
        (told,) = json.loads(page.locator("[data-feedback] pre").inner_text())["feedback"]

    assert told["outcome"] == "overridden"
    assert told["overrideReason"]["reason"]["code"] == "specialist-recommendation"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [(BROKEN, 3, "not valid JSON"), (MISSHAPEN, 4, "context.patientId is missing.")],
)
def test_a_mistake_is_shown_at_its_line(
    browser: Browser, site: str, text: str, line: int, words: str
) -> None:
    """The line is marked in the editor, and a button moves the caret there."""
    with opened(browser) as page:
        page.goto(f"{site}/try")
        enter(page, text)
        picture(page, f"playground-mistake-{line}")
        note = page.locator(".editor-note")
        expect(note).to_contain_text(words)
        place = page.locator(".editor-numbers").bounding_box()
        marked = note.bounding_box()
        assert place
        assert marked
        assert abs(marked["y"] - place["y"] - 8 - 20 * (line - 1)) < 2

        assert serious_faults(page) == []
        page.get_by_role("button", name=f"Line {line}, column").click()
        expect(page.get_by_label("Hook request (JSON)")).to_be_focused()
        caret = page.evaluate("document.activeElement.selectionStart")
        assert text[:caret].count("\n") == line - 1


def test_a_file_is_opened_or_dropped_and_all_is_cleared(
    browser: Browser, site: str, tmp_path: Path
) -> None:
    """A request kept in a file is loaded, run by keyboard, forgotten, and dropped in again."""
    file = tmp_path / "request.json"
    file.write_text(MISSHAPEN)
    with opened(browser) as page:
        page.goto(f"{site}/try")
        page.get_by_label("Open a file").set_input_files(file)
        request = page.get_by_label("Hook request (JSON)")
        expect(request).to_have_value(MISSHAPEN)
        request.press("Control+Enter")
        expect(page.locator("#answer-heading")).to_be_focused()
        page.get_by_role("button", name="Clear").click()

        expect(request).to_have_value("")
        expect(page.locator("#answer")).to_contain_text("The cards appear here")
        assert page.locator(".editor-note").count() == 0

        carried = page.evaluate_handle(CARRY, MISSHAPEN)
        page.dispatch_event("#editor", "drop", {"dataTransfer": carried})
        expect(request).to_have_value(MISSHAPEN)


def test_a_request_too_large_is_refused_in_words(browser: Browser, site: str) -> None:
    """What no call may be is told beneath the editor."""
    with opened(browser, expected=413) as page:
        page.goto(f"{site}/try")
        page.evaluate("document.getElementById('request').value = ' '.repeat(262145)")
        page.get_by_role("button", name="Run", exact=True).click()

        expect(page.locator("#request-told")).to_contain_text("larger than 262144 bytes")


@pytest.mark.parametrize("first", range(0, len(PAYLOADS), 9))
def test_a_hostile_chart_does_nothing(browser: Browser, site: str, first: int) -> None:
    """Markup and script in every text of a chart are words on the page, and nothing else."""
    request = hostile(read_fixture(FIXTURES / "tramadol-on-sertraline").request, first)
    with opened(browser) as page:
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        page.goto(f"{site}/try")
        enter(page, json.dumps(request))

        expect(page.locator("#answer")).to_contain_text(MARKER)
        assert page.locator("#answer script, #answer img, #why script, #why img").count() == 0
        links = page.locator("#answer a, #why a").evaluate_all("all => all.map(a => a.host)")
        assert set(links) <= {site.removeprefix("http://")}


@pytest.mark.parametrize(
    ("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"]
)
def test_the_playground_is_readable_everywhere(
    browser: Browser, site: str, size: tuple[int, int], scheme: str
) -> None:
    """On a desk and on a phone, by day and by night: nothing is cut off or too faint."""
    with opened(browser, size, color_scheme=scheme) as page:
        page.goto(f"{site}/try")
        assert not scrolls_sideways(page)
        pick(page, site, "cauda-equina-with-sciatica")
        picture(page, f"playground-{size[0]}-{scheme}")

        assert not scrolls_sideways(page)
        assert serious_faults(page) == []


def test_pages_are_small_and_quick(site: str) -> None:
    """The page and an explained answer are under 200 kB and a tenth of a second."""
    request = requests.get(f"{site}/try/patients/tramadol-on-sertraline", timeout=30).text
    headers = {"Content-Type": "application/json"}

    def seconds(address: str, body: str | None) -> list[float]:
        return sorted(
            requests.request(
                "POST" if body else "GET",
                f"{site}{address}",
                data=body,
                headers=headers,
                timeout=30,
            ).elapsed.total_seconds()
            for _ in range(5)
        )

    for address, body in (("/try", None), ("/try/run", request)):
        assert seconds(address, body)[0] * 1000 < MOST_MILLISECONDS
    longest = requests.get(f"{site}/try/patients/six-orders-signed", timeout=30).text
    answer = requests.post(f"{site}/try/run", data=longest, headers=headers, timeout=30)
    assert int(answer.headers["Content-Length"]) < MOST_BYTES
