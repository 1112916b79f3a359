"""A pathway as a picture: its states in the order of care, and where the patient stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from cards.explanation import TITLES
from cards.library import Library
from cards.pathway import RED_FLAG_STATE, RESOLVED_STATE, Pathway, State
from service.pages.words import wrapped

NOTHING: Mapping[str, Sequence[str]] = MappingProxyType({})
WIDTH, MARGIN, GAP = 340, 4, 20
LINE, PADDING, LETTERS, INDENT = 19, 9, 32, 30
BEFORE_ALL, AFTER_ALL = "can interrupt every step", "can follow every step"
NONE = Markup("")


@dataclass(frozen=True, slots=True)
class Box:
    """One state in the picture.

    Attributes:
        kind: step, end (there is no next step to it) or flag.
    """

    id: str
    title: str
    kind: str
    shows: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The title as it is written into the box."""
        return wrapped(self.title, LETTERS)

    @property
    def note(self) -> str:
        """From where the state can be reached, unless from the step above it."""
        return {"flag": BEFORE_ALL, "end": AFTER_ALL}.get(self.kind, "")

    @property
    def height(self) -> int:
        """How high the box is."""
        return LINE * (len(self.lines) + bool(self.note)) + 2 * PADDING


def boxes_of(pathway: Pathway) -> tuple[Box, ...]:
    """The red flag, the states from the earliest on, and at last those that end the pathway."""
    states = tuple(reversed(pathway.states))
    steps = [_box(state, "step") for state in states if state.shows]
    ends = [_box(state, "end") for state in states if not state.shows]
    if all(box.id != RESOLVED_STATE for box in ends):
        ends.append(Box(RESOLVED_STATE, TITLES[RESOLVED_STATE], "end"))
    return (Box(RED_FLAG_STATE, TITLES[RED_FLAG_STATE], "flag"), *steps, *ends)


def _box(state: State, kind: str) -> Box:
    return Box(state.id, state.title, kind, state.shows)


def pathway_diagram(
    pathway: Pathway,
    library: Library,
    *,
    place: str | None = None,
    why_not: Mapping[str, Sequence[str]] = NOTHING,
) -> Markup:
    """The pathway drawn, with the same in words beside it; looks as ``drawings.css`` says.

    Args:
        place: id of the state the patient is in; None when no patient is placed.
        why_not: state → why the patient is not in it: plain words, or Markup that is safe.
    """
    boxes = boxes_of(pathway)
    here = next((box for box in boxes if box.id == place), None)
    every = _joined(_in_words(box, library, box is here) for box in boxes)
    listed = Markup('<ol class="states">{}</ol>').format(every)
    if here or why_not:
        listed = Markup("{}{}<details><summary>All states in words</summary>{}</details>").format(
            _here(here, library) if here else NONE,
            _joined(_not_yet(box, why_not[box.id]) for box in boxes if why_not.get(box.id)),
            listed,
        )
    return Markup('<div class="pathway">{}<div>{}</div></div>').format(
        _drawing(pathway, boxes, here), listed
    )


# Drawn


def _drawing(pathway: Pathway, boxes: Sequence[Box], here: Box | None) -> Markup:
    parts: list[Markup] = []
    top = MARGIN
    for number, box in enumerate(boxes):
        if number:
            onward = box.kind == "step" and boxes[number - 1].kind == "step"
            parts += [_arrow(top)] if onward else []
            top += GAP
        parts.append(_drawn(box, top, box is here))
        top += box.height
    steps = "; ".join(box.title for box in boxes if box.kind == "step")
    told = f"The patient is here: {here.title}. " if here else ""
    return Markup(
        '<svg class="drawing" role="img" viewBox="0 0 {0} {1}" width="{0}" height="{1}">'
        "<title>States of the pathway: {2}</title><desc>{3}From early to late: {4}.</desc>"
        "{5}</svg>"
    ).format(WIDTH, top + MARGIN, pathway.title, told, steps, _joined(parts))


def _drawn(box: Box, top: int, here: bool) -> Markup:
    written = [(line, NONE) for line in box.lines]
    written += [(box.note, Markup(' class="note"'))] if box.note else []
    lines = _joined(
        Markup('<text x="{}" y="{}"{}>{}</text>').format(
            INDENT, top + PADDING + 14 + LINE * number, marked, line
        )
        for number, (line, marked) in enumerate(written)
    )
    dot = Markup('<circle cx="{}" cy="{}" r="5"/>').format(INDENT // 2 + 2, top + PADDING + 9)
    return Markup(
        '<g class="state {}{}"><rect x="{}" y="{}" width="{}" height="{}" rx="7"/>{}{}</g>'
    ).format(
        box.kind,
        " here" if here else "",
        MARGIN,
        top,
        WIDTH - 2 * MARGIN,
        box.height,
        dot if here else NONE,
        lines,
    )


def _arrow(top: int) -> Markup:
    return Markup('<path class="arrow" d="M{} {}v{}m-5 -6l5 6l5 -6"/>').format(
        WIDTH // 2, top + 2, GAP - 4
    )


# In words


def _here(box: Box, library: Library) -> Markup:
    steps = _steps(box, library)
    told = Markup("<p>Next steps that may lead here:</p>{}").format(steps) if steps else NONE
    return Markup("<p>The patient is here: <strong>{}</strong></p>{}").format(box.title, told)


def _not_yet(box: Box, reasons: Sequence[str]) -> Markup:
    lines = _joined(Markup("<li>{}</li>").format(reason) for reason in reasons)
    return Markup("<p>Why not yet <strong>{}</strong>:</p><ul>{}</ul>").format(box.title, lines)


def _in_words(box: Box, library: Library, here: bool) -> Markup:
    return Markup("<li{}><strong>{}</strong>{}{}</li>").format(
        Markup(' aria-current="step"') if here else NONE,
        box.title,
        Markup(' <span class="soft">{}</span>').format(box.note) if box.note else NONE,
        _steps(box, library),
    )


def _steps(box: Box, library: Library) -> Markup:
    lines = _joined(
        Markup('<li><a href="/recommendations/{}">{}</a></li>').format(
            step, library.recommendations[step].title
        )
        for step in box.shows
    )
    return Markup("<ul>{}</ul>").format(lines) if lines else NONE


def _joined(parts: Iterable[Markup]) -> Markup:
    return NONE.join(parts)
