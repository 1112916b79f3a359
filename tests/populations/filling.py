"""Fills a chart up: its visits, what is measured at each, and noise; this is where time goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from tests.populations.templates import MIX_BITS, measures, mix, visits

Lines = dict[str, list[bytes]]


@dataclass(frozen=True, slots=True)
class Filling:
    """What is put into a chart.

    Attributes:
        stem: what the ids of its entries begin with.
        subject: the members of the reference to its patient, as JSON.
        first_visit: number of the oldest visit; the others follow.
        first_entry: number of the first entry that is no visit.
        count: how many such entries.
        size: height in cm and weight in kg of the patient.
    """

    stem: str
    subject: str
    visits: Sequence[date]
    first_visit: int
    first_entry: int
    count: int
    size: tuple[float, float]


def fill(found: Lines, filling: Filling, chance: Random) -> None:
    """Put the visits and their noise into the lines of a chart, by resource type."""
    templates, visit_templates = mix(), visits()
    measured = [
        (template, f"{value:.1f}".encode())
        for template, value in zip(measures().values(), filling.size, strict=True)
    ]
    form, subject = f"{filling.stem}%012x".encode(), filling.subject.encode()
    bits, each = chance.getrandbits, filling.count / len(filling.visits)
    encounters, observations = found["Encounter"], found["Observation"]
    number = filling.first_entry
    for place, visit_day in enumerate(filling.visits):
        day = str(visit_day).encode()
        at = b"%sT%02d:%02d:00+00:00" % (day, 8 + bits(1), bits(5))
        end = b"%sT10:45:00+00:00" % day
        visit = form % (filling.first_visit + place)
        template = visit_templates[bits(10) % len(visit_templates)]
        encounters.append(template % (visit, at, day, visit, subject, visit, at, end, at))
        left = int((place + 1) * each) - int(place * each)
        if left > 4:
            for template, value in measured:
                own = form % number
                number += 1
                places = (own, at, day, own, subject, visit, at, at, value, at)
                observations.append(template % places)
            left -= 2
        for _ in range(left):
            kind, template = templates[bits(MIX_BITS)]
            own = form % number
            number += 1
            found[kind].append(template % (own, at, day, own, subject, visit, at, at, at))
