"""The store: feedback, how often cards were shown, and the keys of their uuids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, func, select, text
from sqlalchemy.dialects import sqlite

from service.database import Database
from service.store_errors import StoreUnavailable
from service.tables import CARD_KEY, FEEDBACK, SHOWN

# As many as one statement's placeholders allow on every database.
ROWS_AT_ONCE = 1_000
# What makes two rows the same.
ONE_OUTCOME = ("card", "outcome", "at")
ONE_COUNT = ("day", "client", "service", "recommendation", "indicator")


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a clinician did with one card; no comment, no name, nothing of the chart.

    Attributes:
        service: id of the service the card came from.
        card: the card's uuid.
        outcome: ``accepted`` or ``overridden``.
        at: the client's outcomeTimestamp, in UTC.
        suggestions: uuids of the suggestions accepted; empty when overridden.
        reason_system: system of the override reason; None when none was given.
        reason_code: code of the override reason; None when none was given.
        client: who sent it; None when clients are not verified.
        recommendation: what the card's uuid names; None when the uuid is not one of ours.
    """

    service: str
    card: str
    outcome: str
    at: datetime
    suggestions: tuple[str, ...] = ()
    reason_system: str | None = None
    reason_code: str | None = None
    client: str | None = None
    recommendation: str | None = None


@dataclass(frozen=True, slots=True)
class ShownCard:
    """What showings are counted by.

    Attributes:
        day: the day of the call, local calendar date.
        client: who asked; None when clients are not verified.
        recommendation: the card's leading one.
    """

    day: date
    client: str | None
    service: str
    recommendation: str
    indicator: str


@dataclass(frozen=True, slots=True)
class ShownCount:
    """How many cards of a recommendation one client was shown in a day."""

    day: date
    client: str | None
    recommendation: str
    count: int


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many cards ended alike, by their latest outcome.

    Attributes:
        day: the day of that outcome, in UTC.
        recommendation: None when the cards' uuids are not ours.
        reason_code: None when no reason was given.
    """

    day: date
    client: str | None
    recommendation: str | None
    outcome: str
    reason_system: str | None
    reason_code: str | None
    count: int


class Store:
    """What is kept between calls; each method is one transaction, or raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def keep(self, feedback: Iterable[Feedback]) -> tuple[str, ...]:
        """Keep all of it or, raising StoreUnavailable, nothing; what is kept already stays.

        Returns:
            the outcome of each entry that was not kept before.
        """
        rows = _in_turn(map(_row, feedback), *ONE_OUTCOME)
        once = _inserting(self.database, FEEDBACK).on_conflict_do_nothing(
            index_elements=ONE_OUTCOME
        )
        added: list[str] = []
        with self.database.writing() as connection:
            for some in _in_pieces(rows):
                new = connection.execute(once.returning(FEEDBACK.c.outcome), some)
                added.extend(new.scalars())
        return tuple(added)

    def kept(self) -> tuple[Feedback, ...]:
        """Everything kept, by the time of the outcome."""
        every = select(FEEDBACK).order_by(FEEDBACK.c.at, FEEDBACK.c.id)
        with self.database.reading() as connection:
            return tuple(_feedback(row) for row in connection.execute(every).mappings())

    def add_shown(self, shown: Mapping[ShownCard, int]) -> None:
        """Add these numbers to those counted before."""
        rows = _in_turn((_shown_row(*counted) for counted in shown.items()), *ONE_COUNT)
        adding = _inserting(self.database, SHOWN)
        more = adding.on_conflict_do_update(
            index_elements=ONE_COUNT,
            set_={"shown": SHOWN.c.shown + adding.excluded.shown},
        )
        with self.database.writing() as connection:
            for some in _in_pieces(rows):
                connection.execute(more, some)

    def shown(self, since: date | None, until: date | None) -> tuple[ShownCount, ...]:
        """Cards shown on these days, both included; None leaves an end open."""
        columns = (SHOWN.c.day, SHOWN.c.client, SHOWN.c.recommendation)
        counted = select(*columns, func.sum(SHOWN.c.shown)).group_by(*columns).order_by(*columns)
        if since:
            counted = counted.where(SHOWN.c.day >= since)
        if until:
            counted = counted.where(SHOWN.c.day <= until)
        with self.database.reading() as connection:
            return tuple(
                ShownCount(day, client or None, recommendation, int(count))
                for day, client, recommendation, count in connection.execute(counted)
            )

    def outcomes(self, since: date | None, until: date | None) -> tuple[OutcomeCount, ...]:
        """Cards by their latest outcome up to ``until``, of those that came since ``since``."""
        with self.database.reading() as connection:
            return tuple(_outcome(row) for row in connection.execute(_latest(since, until)))

    def card_keys(self, own: bytes | None = None) -> tuple[bytes, ...]:
        """Every key that card uuids were made with; the first is the one to use.

        Args:
            own: a key this process has used already, or would use: it is added, so that
                everybody knows the cards made with it. None adds nothing.
        """
        known = select(CARD_KEY.c.key).order_by(CARD_KEY.c.id)
        with self.database.reading() as connection:
            keys = tuple(bytes.fromhex(key) for key in connection.execute(known).scalars())
        if own is None or own in keys:
            return keys
        adding = _inserting(self.database, CARD_KEY).on_conflict_do_nothing()
        with self.database.writing() as connection:
            connection.execute(adding, {"key": own.hex()})
            return tuple(bytes.fromhex(key) for key in connection.execute(known).scalars())

    def check(self) -> None:
        """Raise StoreUnavailable when nothing can be written."""
        with self.database.writing() as connection:
            if self.database.dialect == "postgresql" and _read_only(connection):
                raise StoreUnavailable("read only")

    def close(self) -> None:
        """Let go of the database; the next use opens it again."""
        self.database.close()


def open_store(database_url: str) -> Store:
    """The store behind a checked ``BACKPATH_DATABASE_URL``; nothing is touched yet."""
    return Store(Database(database_url))


def _inserting(database: Database, table: Table) -> Any:
    """An INSERT that may say what to do with a row that is there; each database has its own."""
    if database.dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 not for those who use SQLite

        return postgresql.insert(table)
    return sqlite.insert(table)


def _in_pieces(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    return (rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE))


def _in_turn(rows: Iterable[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
    """Rows in one order for all: two writers in different ones would wait for each other."""
    return sorted(rows, key=lambda row: [row[column] for column in columns])


def _read_only(connection: Connection) -> bool:
    return connection.execute(text("SHOW transaction_read_only")).scalar() != "off"


def _latest(since: date | None, until: date | None) -> Select[Any]:
    newest = func.row_number().over(
        # A client's word on another's card, which names no recommendation, is not its latest.
        partition_by=(FEEDBACK.c.card, FEEDBACK.c.client),
        order_by=(FEEDBACK.c.at.desc(), FEEDBACK.c.id.desc()),
    )
    ranked = select(FEEDBACK, newest.label("place"))
    if since:  # a card's latest outcome is among these, if it came since then at all
        ranked = ranked.where(FEEDBACK.c.day >= since)
    if until:
        ranked = ranked.where(FEEDBACK.c.day <= until)
    each = ranked.subquery().c
    columns = (
        *(each.day, each.client, each.recommendation),
        *(each.outcome, each.reason_system, each.reason_code),
    )
    counted = select(*columns, func.count()).where(each.place == 1)
    return counted.group_by(*columns).order_by(*columns)


def _outcome(row: Any) -> OutcomeCount:
    day, client, recommendation, outcome, system, code, count = row
    return OutcomeCount(
        *(day, client or None, recommendation or None, outcome),
        *(system or None, code or None, count),
    )


def _row(entry: Feedback) -> dict[str, Any]:
    return {
        "service": entry.service,
        "client": entry.client or "",
        "card": entry.card,
        "recommendation": entry.recommendation or "",
        "outcome": entry.outcome,
        "at": entry.at,
        "day": entry.at.astimezone(UTC).date(),
        "suggestions": json.dumps(entry.suggestions),
        "reason_system": entry.reason_system or "",
        "reason_code": entry.reason_code or "",
    }


def _shown_row(card: ShownCard, count: int) -> dict[str, Any]:
    return {
        "day": card.day,
        "client": card.client or "",
        "service": card.service,
        "recommendation": card.recommendation,
        "indicator": card.indicator,
        "shown": count,
    }


def _feedback(row: Mapping[Any, Any]) -> Feedback:
    return Feedback(
        service=row["service"],
        card=row["card"],
        outcome=row["outcome"],
        at=row["at"],
        suggestions=tuple(json.loads(row["suggestions"])),
        reason_system=row["reason_system"] or None,
        reason_code=row["reason_code"] or None,
        client=row["client"] or None,
        recommendation=row["recommendation"] or None,
    )
