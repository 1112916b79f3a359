"""A real browser for the tests of pages: Debian's chromium, told what to open and watched.

Whatever a page complains about (an error in a script, something its security policy forbids, a
request that fails) fails the test that opened it.
"""

from __future__ import annotations

import atexit
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

WIDE, NARROW = (1440, 900), (390, 844)
SERIOUS = frozenset({"serious", "critical"})
LONGEST_PICTURE = 4_000
# Where tests leave their pictures; kept by whoever runs them.
PICTURES = Path(os.environ.get("TEST_PICTURES", "build/pictures"))
# Whether a machine without a browser fails the tests of pages; .ci/run says so. Neither name is one
# of a setting, which start with BACKPATH_.
REQUIRED = os.environ.get("TEST_BROWSER") == "required"
NONE_FOUND = "no chromium to be found; .ci/run installs it"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The running browser; without one the test is skipped, and fails where one is required."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        if REQUIRED:
            pytest.fail(NONE_FOUND)
        pytest.skip(NONE_FOUND)
    yield _launched(program)


@cache
def _launched(program: str) -> Browser:
    """One browser for all tests of this process; each opens a window of its own in it."""
    playwright = sync_playwright().start()
    atexit.register(playwright.stop)
    browser = playwright.chromium.launch(
        executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    )
    atexit.register(browser.close)
    return browser


@contextmanager
def opened(
    browser: Browser, size: tuple[int, int] = WIDE, expected: int = 200, **options: Any
) -> Iterator[Page]:
    """A window without history; leaving the block fails when the page had to complain.

    Args:
        expected: the only status but 200 and redirections a response may have.
    """
    complaints: list[str] = []
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    page = context.new_page()
    page.on("console", lambda message: _note_console(message, complaints, expected))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: _note_failure(request, complaints))
    page.on("response", lambda response: _note_status(response, complaints, expected))
    try:
        yield page
    finally:
        context.close()
    assert complaints == []


def _note_console(message: ConsoleMessage, complaints: list[str], expected: int) -> None:
    told = message.type in ("error", "warning")
    if told and f"status of {expected} " not in message.text:
        complaints.append(message.text)


def _note_failure(request: Request, complaints: list[str]) -> None:
    if "ERR_ABORTED" not in (request.failure or ""):  # the test went on to another page
        complaints.append(f"{request.url}: {request.failure}")


def _note_status(response: Response, complaints: list[str], expected: int) -> None:
    if response.status >= 400 and response.status != expected:
        complaints.append(f"{response.url}: {response.status}")


def serious_faults(page: Page) -> list[str]:
    """What axe-core calls a serious or critical fault of accessibility, with its place."""
    # What is in order need not be listed, which takes longer than to find what is not.
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {fault['nodes'][0]['target']}"
        for fault in found
        if fault["impact"] in SERIOUS
    ]


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than the window."""
    wider: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wider


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page, of a long one the beginning."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    width, height = page.evaluate(
        "[document.documentElement.clientWidth, document.documentElement.scrollHeight]"
    )
    page.screenshot(
        path=PICTURES / f"{name}.png",
        full_page=True,
        clip={"x": 0, "y": 0, "width": width, "height": min(height, LONGEST_PICTURE)},
    )
