"""The files of the report on a run, and what the run was judged by."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from cards.library import Library
from service.population.report import build_report
from service.population.report_json import as_json
from service.population.report_page import as_page

JSON_REPORT, PAGE = "report.json", "report.html"
DISTRIBUTION = "backpath"


def report_files(
    tallies: Iterable[Mapping[str, Any]], described: Mapping[str, Any], library: Library
) -> dict[str, str]:
    """Name → text of the report for programs and of that for people, which is the last.

    Args:
        tallies: the rows of the table of tallies.
        described: what ``run.json`` says.
    """
    summed: Counter[tuple[str, str, str, str]] = Counter()
    for row in tallies:
        kind, first, second, third, number = row.values()
        summed[kind, first, second, third] += number
    report = build_report(summed, described, library)
    return {
        JSON_REPORT: json.dumps(as_json(report), indent=2, ensure_ascii=False),
        PAGE: as_page(report),
    }


def judged_by(library: Library) -> dict[str, str]:
    """The versions of the program and of the content."""
    return {"version": _version(), "content_version": library.content_version}


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "not installed"
