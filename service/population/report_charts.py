"""What the charts of a report draw, as pictures that are part of the page."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from service.pages.charts import MOST_BARS, Chart, draw
from service.population.report import Report
from service.population.report_cards import OPENING, ORDERING, CardFigures
from service.population.report_completeness import Completeness
from service.population.report_counts import Share
from service.population.report_pathways import OnPathway, PathwayFigures


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart drawn twice, as addresses that hold the picture itself."""

    title: str
    wide: str
    narrow: str


def pictures(report: Report) -> dict[str, Picture]:
    """Name → picture, of the charts that have anything to show."""
    charts = {
        "recommendations": _recommendations(report.cards),
        "at-once": _at_once(report.cards),
        "pathways": _pathways(report.pathways),
        "keys": _keys(report.completeness),
        "undecided": _undecided(report.completeness),
        **{f"states-{one.id}": _states(one) for one in report.pathways.pathways},
    }
    return {name: _picture(chart) for name, chart in charts.items() if chart.labels}


def _picture(chart: Chart) -> Picture:
    return Picture(chart.title, _address(draw(chart)), _address(draw(chart, narrow=True)))


def _address(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg).decode('ascii')}"


def _recommendations(cards: CardFigures) -> Chart:
    noisiest = cards.noisiest
    series = {
        "on opening a chart": [_rate(one.hooks[OPENING], cards.visits) for one in noisiest],
        "on choosing an order": [_rate(one.hooks[ORDERING], cards.visits) for one in noisiest],
    }
    if not cards.orders:
        del series["on choosing an order"]
    return Chart(
        "Cards per 100 visits, the ten noisiest recommendations",
        tuple(one.title for one in noisiest),
        series,
        lying=True,
        stacked=True,
    )


def _at_once(cards: CardFigures) -> Chart:
    return Chart(
        "Patients by the most cards in one answer",
        tuple(_cards(most) for most in cards.most_at_once),
        {"patients": list(cards.most_at_once.values())},
        lying=True,
    )


def _cards(most: int) -> str:
    return {0: "never a card", 1: "1 card"}.get(most, f"{most} cards")


def _pathways(figures: PathwayFigures) -> Chart:
    found = [(one.title, one.patients.number) for one in figures.pathways]
    shown = [*found, ("On no pathway", figures.on_none.number)] if figures.on_none.of else []
    return Chart(
        "Patients by pathway",
        tuple(title for title, _ in shown),
        {"patients": [patients for _, patients in shown]},
        lying=True,
    )


def _states(one: OnPathway) -> Chart:
    shown = one.told if one.patients.number else ()
    return Chart(
        f"Patients on the pathway “{one.title}” by state",
        tuple(stand.title for stand in shown),
        {"patients": [stand.patients.number for stand in shown]},
        lying=True,
    )


def _keys(found: Completeness) -> Chart:
    keys = [key for key in found.keys if key.openings]
    return Chart(
        "How each part of the chart arrived, per cent of chart openings",
        tuple(key.name for key in keys),
        {
            "read": [_rate(key.states["read"], key.openings) for key in keys],
            "empty in all the export": [_rate(key.states["empty"], key.openings) for key in keys],
            "not delivered or not whole": [
                _rate(key.states["missing"] + key.broken, key.openings) for key in keys
            ],
        },
        lying=True,
        stacked=True,
    )


def _undecided(found: Completeness) -> Chart:
    most = found.undecided[:MOST_BARS]
    return Chart(
        "Not decided, per cent of the chart openings of patients on a pathway",
        tuple(one.title for one in most),
        {"per cent of chart openings": [one.openings.in_hundred for one in most]},
        lying=True,
    )


def _rate(number: int, of: int) -> float | None:
    return Share(number, of).in_hundred
