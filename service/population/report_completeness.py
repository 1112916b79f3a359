"""What could not be checked in a population, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cards.library import Library
from service.population.report_cards import OPENING, ORDERING, title_of
from service.population.report_counts import Counts, Share
from service.prefetch import KEYS

DELIVERED = ("read", "empty", "missing", "failed", "unfinished")


@dataclass(frozen=True, slots=True)
class KeyRead:
    """How one part of the chart arrived, over all chart openings.

    Attributes:
        name: what clinicians call it.
        states: read, empty, missing, failed, unfinished → chart openings.
        openings: all of them.
        recommendations: how many recommendations look at it.
    """

    key: str
    name: str
    states: Mapping[str, int]
    openings: int
    recommendations: int

    @property
    def never_sent(self) -> bool:
        """Whether no chart had it."""
        return 0 < self.openings == self.states["missing"]

    @property
    def always_empty(self) -> bool:
        """Whether every chart was read as holding none of it."""
        return 0 < self.openings == self.states["empty"]

    @property
    def broken(self) -> int:
        """Chart openings where it was sent and could not be read to the end."""
        return self.states["failed"] + self.states["unfinished"]


@dataclass(frozen=True, slots=True)
class UnknownFact:
    """A question to which a chart had no answer, and at how many chart openings."""

    fact: str
    question: str
    openings: int


@dataclass(frozen=True, slots=True)
class Undecided:
    """A recommendation that could not be decided.

    Attributes:
        openings: of the chart openings of patients on a pathway.
        because: the facts that were unknown, the commonest first; one opening may lack several.
    """

    id: str
    title: str
    openings: Share
    because: tuple[UnknownFact, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """Something of the content with a number: by id and title."""

    id: str
    title: str
    share: Share


@dataclass(frozen=True, slots=True)
class Completeness:
    """What was there to judge by.

    Attributes:
        keys: the parts of a chart, as the service asks for them.
        on_pathway: chart openings of patients on a pathway.
        checks: how many could not be decided, of all: a check is one recommendation that can lead
            a card, at one of those openings.
        undecided: recommendations that could not always be decided, the most often first.
        membership: pathways, with the chart openings where it is not known whether the patient
            belongs to them.
        left_out: reason → resources the reader left out.
        undated: type → resources without any date, taken as known from the beginning.
        silent: recommendations that were judged and led no card, with the chart openings where
            they could not be decided.
        not_asked: recommendations on orders, when no order was judged.
        failed: recommendation → answers where its rule failed inside, of all answers.
    """

    keys: tuple[KeyRead, ...]
    on_pathway: Share
    checks: Share
    undecided: tuple[Undecided, ...]
    membership: tuple[Named, ...]
    left_out: Mapping[str, int]
    undated: Mapping[str, int]
    silent: tuple[Named, ...]
    not_asked: tuple[Named, ...]
    failed: tuple[Named, ...]


def completeness(counts: Counts, library: Library) -> Completeness:
    """What a run could and could not check, from its tallies."""
    openings, orders = counts.total("calls", OPENING), counts.total("calls", ORDERING)
    asked = {one.id for one in library.cards[OPENING]}
    ordering = {one.id for one in library.cards[ORDERING]}
    fired = {name for (name,) in counts.by("cards", 0)}
    judged = asked | (ordering if orders else set())
    failed = counts.by("failed", 0)
    return Completeness(
        keys=tuple(_key(key, counts, library, openings) for key in KEYS),
        on_pathway=Share(counts.total("on a pathway"), openings),
        checks=_checks(counts, library),
        undecided=_undecided(counts, library),
        membership=tuple(
            Named(one.id, one.title, Share(counts.total("membership unknown", one.id), openings))
            for one in library.pathways
        ),
        left_out={reason: count for (reason,), count in counts.by("left out", 0).items()},
        undated={kind: count for (kind,), count in counts.by("undated", 0).items()},
        silent=_with_doubts(judged - fired, counts, library),
        not_asked=_with_doubts(asked.union(ordering) - judged - fired, counts, library),
        failed=tuple(
            Named(name, title_of(name, library), Share(count, openings + orders))
            for (name,), count in failed.items()
        ),
    )


def _key(key: str, counts: Counts, library: Library, openings: int) -> KeyRead:
    states = {state: counts.total("key", key, state) for state in DELIVERED}
    looking = {one.id for hook in (OPENING, ORDERING) for one in library.cards[hook]}
    resting = sum(key in library.reads[name] for name in looking)
    return KeyRead(key, library.key_names.get(key, key), states, openings, resting)


def _checks(counts: Counts, library: Library) -> Share:
    asked = library.cards[OPENING]
    unknown = sum(counts.total("undecided", one.id) for one in asked)
    return Share(unknown, counts.total("on a pathway") * len(asked))


def _undecided(counts: Counts, library: Library) -> tuple[Undecided, ...]:
    on_pathway = counts.total("on a pathway")
    return tuple(
        Undecided(
            name,
            title_of(name, library),
            Share(openings, on_pathway),
            tuple(
                UnknownFact(fact, _question(fact, library), count)
                for fact, count in counts.within("undecided because", name).items()
            ),
        )
        for (name,), openings in counts.by("undecided", 0).items()
    )


def _question(fact: str, library: Library) -> str:
    known = library.vocabulary.get(fact)
    return known.ask if known else fact


def _with_doubts(names: set[str], counts: Counts, library: Library) -> tuple[Named, ...]:
    on_pathway = counts.total("on a pathway")
    found = [
        Named(name, title_of(name, library), Share(counts.total("undecided", name), on_pathway))
        for name in names
    ]
    return tuple(sorted(found, key=lambda one: (one.title, one.id)))
