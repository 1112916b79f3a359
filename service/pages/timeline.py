"""The chart entries that were used, along the time: drawn, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from cards.facts.vocabulary import closure
from cards.library import Library
from cards.record import PatientRecord
from service.pages.chart_marks import KINDS, Mark, marks
from service.pages.score_line import score_line
from service.pages.time_scale import TimeScale, time_scale
from service.pages.words import one_line

MOST_ROWS, MOST_MARKS, MOST_ENTRIES = 40, 20, 200
# What a timeline is about; everything else is drawn where it falls.
LEADING = frozenset({"back pain", "treatment", "drug", "score", "red flag"})
HEADINGS = {
    "back pain": "Back pain",
    "score": "Scores",
    "treatment": "Treatment",
    "drug": "Drugs (days covered)",
    "red flag": "Red-flag findings",
    "result": "Results",
    "visit": "Visits",
    "other problem": "Other problems",
}


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One entry in the table beneath the timeline."""

    date: str
    until: str
    what: str
    kind: str
    reference: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the timeline: the entries of one name, the earliest first."""

    kind: str
    name: str
    marks: tuple[Mark, ...]

    @property
    def dates(self) -> str:
        """When it was, or how often."""
        last = self.marks[-1]
        if len(self.marks) > 1:
            return f"{len(self.marks)} entries, last {last.told}"
        if last.until is None:
            return f"since {last.told}"
        return last.told if last.until == last.since else f"{last.told} – {last.until}"


def chart_marks(record: PatientRecord, library: Library) -> list[Mark]:
    """Every dated entry that facts can see, the earliest first."""
    return marks(record, red_flag_sets(library))


def rows_of(found: Sequence[Mark]) -> tuple[TimelineRow, ...]:
    """The entries as rows, the newest first, at most ``MOST_ENTRIES``."""
    return tuple(_row(mark) for mark in found[: -MOST_ENTRIES - 1 : -1])


def drawn(found: Sequence[Mark], today: date) -> Markup:
    """The entries drawn along the time; looks as ``drawings.css`` says."""
    if not found:
        return Markup("<p>The chart holds no dated entry that this service uses.</p>")
    lanes = _lanes(found)
    leading = [mark for mark in found if mark.kind in LEADING] or found
    scale = time_scale([(mark.since, mark.until or today) for mark in leading], today)
    name = f"Timeline of {len(found)} chart entries from {scale.start} to {scale.end}"
    left_out = len(lanes) - MOST_ROWS
    return Markup('<div class="timeline" role="img" aria-label="{}">{}{}{}</div>{}').format(
        f"{name}; the table says the same in words.",
        _grid(scale),
        _axis(scale),
        Markup("").join(_groups(lanes[:MOST_ROWS], scale)),
        Markup('<p class="soft">{} more lines are not drawn.</p>').format(left_out)
        if left_out > 0
        else "",
    )


def red_flag_sets(library: Library) -> frozenset[str]:
    """The value sets of what red flags are about."""
    names = [
        name
        for recommendation in library.recommendations.values()
        if recommendation.merge_group == "red-flag"
        for name in recommendation.trigger.names
    ]
    facts = closure(tuple(names), library.vocabulary)
    return frozenset(s for name in facts for s in library.vocabulary[name].value_sets)


def _row(mark: Mark) -> TimelineRow:
    until = "" if mark.until in (None, mark.since) else str(mark.until)
    return TimelineRow(
        mark.told, until, mark.shown or mark.name, mark.kind, one_line(mark.reference, 80)
    )


def _lanes(found: Sequence[Mark]) -> list[Lane]:
    """Entries of one kind and name together, kinds in their order, the latest begun last."""
    named: dict[tuple[str, str], list[Mark]] = {}
    for mark in found:
        name = HEADINGS["visit"] if mark.kind == "visit" else mark.name
        named.setdefault((mark.kind, name), []).append(mark)
    lanes = [Lane(kind, name, tuple(those)) for (kind, name), those in named.items()]
    return sorted(lanes, key=lambda lane: KINDS.index(lane.kind))


# Drawing


def _grid(scale: TimeScale) -> Markup:
    lines = Markup("").join(
        Markup('<line x1="{0}%" x2="{0}%" y1="36" y2="100%"/>').format(tick.at)
        for tick in scale.ticks
    )
    today = Markup('<line class="today" x1="{0}%" x2="{0}%" y1="36" y2="100%"/>').format(
        scale.at(scale.today)
    )
    return Markup('<svg class="grid">{}{}</svg>').format(lines, today)


def _axis(scale: TimeScale) -> Markup:
    ticks = Markup("").join(
        Markup('<text x="{0}%" y="13">{1}</text>{2}').format(
            tick.at,
            tick.month,
            Markup('<text class="year" x="{}%" y="30">{}</text>').format(tick.at, tick.year)
            if tick.year
            else "",
        )
        for tick in scale.ticks
    )
    today = Markup('<text class="today" x="{}%" y="30">today</text>').format(scale.at(scale.today))
    return Markup('<svg class="axis" height="36">{}{}</svg>').format(ticks, today)


def _groups(lanes: Sequence[Lane], scale: TimeScale) -> list[Markup]:
    parts: list[Markup] = []
    for number, lane in enumerate(lanes):
        if not number or lanes[number - 1].kind != lane.kind:
            parts.append(Markup('<span class="group">{}</span>').format(HEADINGS[lane.kind]))
        parts.append(_lane(lane, scale))
    return parts


def _lane(lane: Lane, scale: TimeScale) -> Markup:
    newest = lane.marks[-MOST_MARKS:]
    if lane.kind == "score":
        drawn, high = score_line(newest, scale), 84
    else:
        drawn, high = Markup("").join(_mark(mark, scale) for mark in newest), 16
    label = lane.marks[-1].shown if lane.kind == "result" else ""
    return Markup(
        '<span class="label"><bdi>{}</bdi> <small>{}</small></span>'
        '<svg class="lane {}" height="{}">{}</svg>'
    ).format(label or lane.name, lane.dates, lane.kind.replace(" ", "-"), high, drawn)


def _mark(mark: Mark, scale: TimeScale) -> Markup:
    last = mark.until or scale.today
    if last < scale.start:
        return Markup('<path class="older" d="M9 3L2 8l7 5z"/>')
    left, right = scale.at(mark.since), scale.at(last)
    if right - left < 1:
        return Markup('<circle cx="{}%" cy="8" r="5"/>').format(left)
    earlier = Markup('<path class="older" d="M7 3L0 8l7 5z"/>') if mark.since < scale.start else ""
    return Markup('{}<rect x="{}%" y="3" width="{}%" height="10" rx="3"{}/>').format(
        earlier,
        left,
        round(right - left, 2),
        Markup(' class="open"') if mark.until is None else "",
    )
