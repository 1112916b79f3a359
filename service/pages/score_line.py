"""Scores of one instrument as a line, each value written where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from service.pages.chart_marks import Mark
from service.pages.time_scale import TimeScale

TOP, BOTTOM = 20, 76
# Scales of common instruments; the smallest that holds every value is drawn.
FULL = (10, 24, 50, 100)
# What a value needs beside it, in per cent of the width.
ROOM = 7.0


def score_line(marks: Sequence[Mark], scale: TimeScale) -> Markup:
    """The line and its values; scores older than the scale are left to the table."""
    scores = [mark for mark in marks if mark.since >= scale.start and mark.value is not None]
    highest = max((mark.value or 0.0 for mark in scores), default=0.0)
    full = next((most for most in FULL if highest <= most), highest)
    points = [(scale.at(mark.since), _height(mark.value or 0.0, full)) for mark in scores]
    lines = [
        Markup('<line x1="{}%" y1="{}" x2="{}%" y2="{}"/>').format(*one, *other)
        for one, other in pairwise(points)
    ]
    dots = [Markup('<circle cx="{}%" cy="{}" r="4"/>').format(*point) for point in points]
    frame = Markup(
        '<line class="edge" x1="0" x2="100%" y1="{0}" y2="{0}"/>'
        '<line class="edge" x1="0" x2="100%" y1="{1}" y2="{1}"/>'
        '<text class="edge" y="{2}">{3:g}</text><text class="edge" y="{4}">0</text>'
    ).format(TOP, BOTTOM, TOP + 12, full, BOTTOM - 3)
    return Markup("").join([frame, *lines, *dots, *_values(scores, points)])


def _height(value: float, full: float) -> float:
    share = min(max(value / full, 0.0), 1.0) if full > 0 else 0.0
    return round(BOTTOM - share * (BOTTOM - TOP), 1)


def _values(scores: Sequence[Mark], points: Sequence[tuple[float, float]]) -> list[Markup]:
    """The newest value and every earlier one that does not touch the one behind it."""
    told: list[Markup] = []
    free = 200.0
    for mark, (across, down) in zip(reversed(scores), reversed(points), strict=True):
        if free - across >= ROOM:
            told.append(
                Markup('<text x="{}%" y="{}">{}</text>').format(
                    across, round(down - 8, 1), f"{mark.value:g}"
                )
            )
            free = across
    return told
