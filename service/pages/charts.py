"""Charts as SVG files of their own: without script, without anything from elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import pygal
from pygal.etree import etree
from pygal.style import Style

# pygal has a hand in every later import for the sake of its maps, which we have none of; and in a
# way that Python 3.11 warns of and later ones ignore.
sys.meta_path[:] = [each for each in sys.meta_path if type(each).__module__ != "pygal"]

# The names of colours are those of the pages; each can be told from the others and from the ground
# at 3:1, by light and by dark.
LIGHT = {"ink": "#1c2a33", "soft": "#52626d", "line": "#d5dde2"}
DARK = {"ink": "#e5edf1", "soft": "#a7b6bf", "line": "#35444e"}
SERIES_LIGHT = ("#14607a", "#2f9e5b", "#b3541e")
SERIES_DARK = ("#7cc7e2", "#86d3a2", "#f2bd6a")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
# No picture shows more than can be read; the table beneath has them all.
MOST_BARS = 15
WIDTH, NARROW_WIDTH = 960, 420
LETTERS, NARROW_LETTERS = 44, 27
# How many words fit side by side below the bars.
LABELS, NARROW_LABELS = 12, 4


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers to be drawn as bars.

    Attributes:
        title: what they are, with their unit.
        labels: one for each group of bars.
        series: name → one number for each label; None draws no bar.
        lying: whether the bars lie, with room for long labels on the left.
        stacked: whether the bars of a group lie end to end, as parts of a whole.
    """

    title: str
    labels: tuple[str, ...]
    series: Mapping[str, Sequence[float | None]]
    lying: bool = False
    stacked: bool = False


def draw(chart: Chart, *, narrow: bool = False) -> bytes:
    """The chart as an SVG file.

    Args:
        narrow: for the screen of a telephone, where a wide picture's letters are too small.
    """
    drawing = _drawing(chart, narrow)
    letters = NARROW_LETTERS if narrow else LETTERS
    # Lying bars are drawn from the bottom up.
    turn = -1 if chart.lying else 1
    drawing.x_labels = [shortened(label, letters) for label in chart.labels][::turn]
    for name, numbers in chart.series.items():
        drawing.add(name, list(numbers)[::turn])
    return _plain(drawing.render_tree(), chart.title)


def shortened(label: str, letters: int) -> str:
    """A label of at most so many letters; one that was cut ends in an ellipsis."""
    return label if len(label) <= letters else f"{label[: letters - 1].rstrip()}…"


def _drawing(chart: Chart, narrow: bool) -> Any:
    bars = len(chart.labels) * (1 if chart.stacked else len(chart.series))
    if chart.lying:
        kind = pygal.HorizontalStackedBar if chart.stacked else pygal.HorizontalBar
        height = (140 if narrow else 80) + 12 * bars + 12 * len(chart.labels)
    else:
        # Bars of half a year of weeks are too thin to be told apart.
        kind = pygal.Bar if len(chart.labels) <= 26 else pygal.Line
        height = 300
    every = ceil(len(chart.labels) / (NARROW_LABELS if narrow else LABELS)) or 1
    one_below_another = chart.lying and narrow
    return kind(
        width=NARROW_WIDTH if narrow else WIDTH,
        height=height,
        style=_style(),
        css=[f"inline:{_css()}"],
        js=[],
        no_prefix=True,
        classes=[],
        margin=8,
        spacing=8,
        legend_at_bottom=True,
        legend_at_bottom_columns=1 if one_below_another else len(chart.series),
        truncate_legend=-1,
        truncate_label=-1,
        x_labels_major_every=None if chart.lying else every,
        show_minor_x_labels=chart.lying,
        show_dots=False,
        max_scale=5 if narrow else 8,
        min_scale=2,
        include_x_axis=True,
        value_formatter=_number,
        no_data_text="Nothing to draw",
    )


def _style() -> Any:
    return Style(
        background="transparent",
        plot_background="transparent",
        font_family=FONT,
        label_font_size=12,
        major_label_font_size=12,
        legend_font_size=14,
        value_font_size=12,
        no_data_font_size=16,
        colors=SERIES_LIGHT,
    )


def _css() -> str:
    return (
        f"{_colours(LIGHT, SERIES_LIGHT)}"
        f"@media (prefers-color-scheme: dark) {{ {_colours(DARK, SERIES_DARK)} }}"
        ".background { fill: none } path.line { fill: none }"
        # Texts beside an axis that stands end at it, those below one stand or hang in the middle.
        ".axis.y text { text-anchor: end } .axis.x text { text-anchor: middle }"
        ".axis.x text[transform] { text-anchor: start } .no_data { text-anchor: middle }"
        ".vertical .axis.x .guide.line, .horizontal .axis.y .guide.line { display: none }"
        ".line-graph .series path { fill: none; stroke-width: 2 }"
    )


def _colours(names: Mapping[str, str], series: Sequence[str]) -> str:
    bars = "".join(
        f".color-{place} {{ fill: {colour}; stroke: {colour} }}"
        for place, colour in enumerate(series)
    )
    return (
        f"{bars} text {{ fill: {names['ink']}; stroke: none }} "
        f".guide.line {{ stroke: {names['line']} }} .axis.line {{ stroke: {names['soft']} }}"
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def _plain(drawn: Any, title: str) -> bytes:
    """The file without the script, the comments and the tooltip its library puts in."""
    for parent in list(drawn.iter()):
        for child in list(parent):
            is_comment = not isinstance(child.tag, str)
            if is_comment or child.tag == "script" or "tooltip" in child.get("class", "").split():
                parent.remove(child)
    drawn.find("title").text = title
    drawn.set("role", "img")
    return bytes(etree.tostring(drawn, encoding="utf-8"))
