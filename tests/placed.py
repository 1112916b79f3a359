"""Judged calls as pages show them, and a page that shows one."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader

from cards.advise import advise
from cards.record import PatientRecord
from service.pages import timeline
from service.pages.placing import Placing, placing
from tests.charts import TODAY, chart
from tests.conftest import HOUSE
from tests.generated_records import STORED
from tests.reading import reading
from tests.test_laws import LIBRARY

PAGES = HOUSE / "service" / "pages"
# Never asked: what is opened there is what the templates make.
ADDRESS = "http://localhost/"
REQUESTS = {stored.name: stored for stored in STORED}
# One patient in each of these states; the first is on two pathways.
PLACED = {
    "trigger-points-t2-and-low-back-c4": "Twelve weeks of care, second drug step done",
    "low-back-c5-everything-done": "Refractory",
    "oxycodone-running-copd": "First weeks of care",
    "mid-back-a1-improved": "Improved",
    "cauda-equina-with-sciatica": "Red flag open",
}


def placed_now(record: PatientRecord, day: date = TODAY) -> Placing:
    """What pages show of a record."""
    return placing(record, advise(record, day, LIBRARY), LIBRARY, day)


@cache
def placed_as_stored(name: str) -> Placing:
    """What pages show of a synthetic patient."""
    stored = REQUESTS[name]
    return placed_now(reading(stored.request, stored.day, LIBRARY).record, stored.day)


def tree_of(markup: str) -> ET.Element:
    """What was drawn, as a tree; this fails where it is not well formed."""
    return ET.fromstring(markup)  # noqa: S314 it is our own, and must hold nothing of a record's


def drawn(*entries: Any) -> ET.Element:
    """The timeline of a chart, as a tree."""
    found = timeline.chart_marks(chart(*entries).record, LIBRARY)
    return tree_of(f"<d>{timeline.drawn(found, TODAY)}</d>")


def words_in(tree: ET.Element) -> str:
    return " ".join("".join(tree.itertext()).split())


def per_cent(element: ET.Element, name: str) -> float:
    return float(element.attrib[name].removesuffix("%"))


def page_of(placed: Placing) -> str:
    """A page of all three parts, by the templates the service uses."""
    environment = Environment(
        loader=FileSystemLoader(PAGES / "templates"), autoescape=True, trim_blocks=False
    )
    return environment.from_string(
        '{% from "placing.html" import standing, timeline, decisions %}'
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Placed</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="backpath.css">'
        '<link rel="stylesheet" href="drawings.css"><script type="module" src="filter.js"></script>'
        '<script type="module" src="frame.js"></script>'
        "</head><body><main id='content'><h1>Placed</h1>"
        "<h2>Pathway</h2>{{ standing(placed) }}<h2>Chart</h2>{{ timeline(placed) }}"
        "<h2>Decisions</h2>{{ decisions(placed) }}</main></body></html>"
    ).render(placed=placed)
