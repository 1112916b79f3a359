"""The report as one page that needs nothing but itself: no server, no script, no other file."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from service.population.report import Report
from service.population.report_cards import MANY, MOST_PAIRS
from service.population.report_cautions import cautions, in_words, percent
from service.population.report_charts import pictures
from service.population.report_counts import Share
from service.population.report_words import size_of, what_a_visit_is, what_was_run, why_left_out

PAGE = "population.html"
# Of what is unknown, more than these say no more.
MOST_CRITICAL, MOST_FACTS, MOST_UNDECIDED = 10, 4, 15


def as_page(report: Report) -> str:
    """The report as an HTML file, to be opened from disk."""
    return (
        _environment()
        .get_template(PAGE)
        .render(
            report=report,
            cards=report.cards,
            found=report.completeness,
            pictures=pictures(report),
            cautions=cautions(report),
        )
    )


def rate(share: Share) -> str:
    """A number for each hundred, to one decimal; never 0.0 for some."""
    hundredth = share.in_hundred
    if hundredth is None:
        return "–"
    return "under 0.1" if share.number and hundredth < 0.05 else f"{hundredth:,.1f}"


def count(number: int) -> str:
    """A count with its thousands set apart."""
    return f"{number:,}"


@cache
def _environment() -> Environment:
    """The templates of this package, and the look of the pages of the service."""
    environment = Environment(
        loader=ChoiceLoader(
            [PackageLoader("service.population"), PackageLoader("service.pages", "static")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count,
        "in_words": in_words,
        "percent": percent,
        "rate": rate,
        "size": size_of,
        "why_left_out": why_left_out,
    }
    environment.globals |= {
        "Share": Share,
        "many": MANY,
        "most_critical": MOST_CRITICAL,
        "most_facts": MOST_FACTS,
        "most_pairs": MOST_PAIRS,
        "most_undecided": MOST_UNDECIDED,
        "what_a_visit_is": what_a_visit_is,
        "what_was_run": what_was_run,
    }
    return environment
