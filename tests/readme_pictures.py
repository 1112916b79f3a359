"""The pictures of the README; ``make pictures`` takes them anew.

What they show is the same each time: the patient, the day, and what became of the cards. Fonts are
those of the machine, so a picture differs a little from one machine to the next.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Thread

from playwright.sync_api import Browser, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from cards.card import OVERRIDE_SYSTEM
from cards.library import load_library
from service.app import create_app
from service.settings import Settings
from service.store import Feedback, ShownCard, open_store
from tests.browser import chromium, opened
from tests.conftest import A_DAY, HOUSE
from tests.site_map import SECRET

PICTURES = HOUSE / "tests" / "pictures"
MOST_BYTES = 120_000
# A window of a desk, made small enough for a README.
SIZE, SCALE = (1280, 860), 0.625
PATIENT = "low-back-c3-naproxen-failed"
SERVICE = "back-pain-patient-view"
WEEKS = 12
# How often each was shown in a week, at first, and the share of clinicians who followed it.
SHOWN = {
    "nonpharm-first-line-not-started": (34, 0.62),
    "oral-nsaid-first-line-chronic": (21, 0.48),
    "nsaid-gi-risk-gastroprotection": (12, 0.55),
    "imaging-routine-avoid": (16, 0.38),
    "opioid-mme-50": (7, 0.4),
}


class _Quiet(WSGIRequestHandler):
    """Says nothing of the requests it answers."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@contextmanager
def _site(folder: Path) -> Iterator[str]:
    """The base URL of a site with all its pages, on the day of the pictures."""
    url = f"sqlite:///{folder}/feedback.sqlite3"
    _fill(url)
    settings = Settings(
        database_url=url,
        admin_token=SECRET,
        public_base_url="http://127.0.0.1:8000",
        log_level="error",
    )
    server = make_server(
        "127.0.0.1",
        0,
        create_app(settings, today=lambda: A_DAY),
        threaded=True,
        request_handler=_Quiet,
    )
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _fill(url: str) -> None:
    """Some weeks of cards and of what became of them, alike each time."""
    chance, number = Random(7), count()
    reasons = list(load_library().override_reasons)
    store = open_store(url)
    for week in range(WEEKS):
        day = A_DAY - timedelta(days=7 * week)
        for name, (shown, share) in SHOWN.items():
            cards = max(1, round(shown * (1 - week / 20) * chance.uniform(0.8, 1.2)))
            store.add_shown({ShownCard(day, None, SERVICE, name, "info"): cards})
            store.keep(
                _outcome(name, day, f"card-{next(number)}", chance, share, reasons)
                for _ in range(cards)
                if chance.random() < 0.7
            )
    store.close()


def _outcome(
    name: str, day: date, card: str, chance: Random, share: float, reasons: list[str]
) -> Feedback:
    followed = chance.random() < share
    return Feedback(
        service=SERVICE,
        card=card,
        outcome="accepted" if followed else "overridden",
        at=datetime.combine(day, time(10), UTC),
        reason_system=None if followed else OVERRIDE_SYSTEM,
        reason_code=None if followed else chance.choice(reasons),
        recommendation=name,
    )


def _home(page: Page, site: str) -> None:
    page.goto(f"{site}/")


def _playground(page: Page, site: str) -> None:
    page.goto(f"{site}/try?patient={PATIENT}")
    if page.locator("article.card").count() == 0:
        page.locator("#run").click()
    page.locator("article.card").first.wait_for()
    page.evaluate("document.activeElement.blur()")
    page.evaluate("scrollTo(0, 0)")
    page.mouse.move(0, 0)


def _pathway(page: Page, site: str) -> None:
    page.goto(f"{site}/pathways/chronic-low-back-pain")


def _dashboard(page: Page, site: str) -> None:
    page.goto(f"{site}/dashboard/login")
    page.locator("input[name=secret]").fill(SECRET)
    page.locator("main button").first.click()
    page.wait_for_url(f"{site}/dashboard")
    page.locator("h2").first.evaluate("heading => heading.scrollIntoView()")


SIGHTS = {
    "home": _home,
    "playground": _playground,
    "pathway": _pathway,
    "dashboard": _dashboard,
}


def _take(browser: Browser, site: str, name: str) -> int:
    """Take one picture; how many bytes it has."""
    target = PICTURES / f"{name}.png"
    with opened(browser, SIZE, device_scale_factor=SCALE) as page:
        SIGHTS[name](page, site)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=target)
    return target.stat().st_size


def main() -> int:
    """Take all pictures; 1 when one of them is too large to be kept."""
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, _site(Path(folder)) as site, chromium() as browser:
        sizes = {name: _take(browser, site, name) for name in SIGHTS}
    for name, size in sizes.items():
        print(f"{name}.png: {size:,} bytes")
    return int(max(sizes.values()) > MOST_BYTES)


if __name__ == "__main__":
    sys.exit(main())
