"""What Spark's Python workers do with charts: each judged, and its rows given."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

import pyarrow as pa

from service.population.calls import Calls
from service.population.gathered import REJECTS
from service.population.grouping import charts
from service.population.judged import Found, Question, judge_charts
from service.population.mixture import Mixture
from service.population.pseudonym import Keyed
from service.population.spark_gather import Batches, Content, library_of
from service.population.tables import TABLES, as_table, tally_rows

JUDGED = Mixture({**TABLES, "rejects": REJECTS})
# Patients whose rows are held at a time.
PATIENTS = 2_000


class Asked(NamedTuple):
    """What is asked of every patient, as it is sent to the workers.

    Attributes:
        calls, key, empty: as of a ``Question``.
    """

    content: Content
    calls: Calls
    key: Keyed
    empty: frozenset[str]


def judge_rows(batches: Batches, asked: Asked) -> Batches:
    """Judge the patients of one partition.

    Args:
        batches: the rows of ``charts_of``.

    Returns:
        Batches of ``JUDGED``.
    """
    question = Question(library_of(asked.content), asked.calls, asked.key, asked.empty)
    told = charts(batches)
    while True:
        found = judge_charts(islice(told, PATIENTS), question, _judged)
        if not found.tally:
            return
        yield from _mixed(found)


def _judged(_: int) -> None:
    """Spark shows by itself how far it is."""


def _mixed(found: Found) -> Batches:
    yield from JUDGED.mixed("cards", as_table("cards", found.cards))
    yield from JUDGED.mixed("states", as_table("states", found.states))
    rejects = [[*place, reason.value] for place, reason in found.rejected]
    columns = list(zip(*rejects, strict=True)) or [()] * len(REJECTS)
    yield from JUDGED.mixed(
        "rejects",
        pa.record_batch(
            [pa.array(c, f.type) for c, f in zip(columns, REJECTS, strict=True)], schema=REJECTS
        ),
    )
    yield from JUDGED.mixed("tallies", as_table("tallies", tally_rows(found.tally)))
