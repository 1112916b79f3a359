"""Where feedback is kept: one protocol, and SQLite in a file by default."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class StoreUnavailable(Exception):
    """The store cannot be reached now; nothing was written."""


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
    """

    service: str
    card: str
    outcome: str
    at: datetime
    suggestions: tuple[str, ...] = ()
    reason_system: str | None = None
    reason_code: str | None = None


class FeedbackStore(Protocol):
    """Keeps feedback; the same feedback twice is kept once."""

    def keep(self, feedback: Iterable[Feedback]) -> None:
        """Keep all of it or, raising StoreUnavailable, nothing."""

    def kept(self) -> tuple[Feedback, ...]:
        """Everything kept, in the order it arrived."""

    def check(self) -> None:
        """Raise StoreUnavailable when the store cannot be written to."""


_TABLE = """
CREATE TABLE IF NOT EXISTS feedback (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    card TEXT NOT NULL,
    outcome TEXT NOT NULL,
    at TEXT NOT NULL,
    suggestions TEXT NOT NULL,
    reason_system TEXT NOT NULL,
    reason_code TEXT NOT NULL,
    UNIQUE (service, card, outcome, at, suggestions, reason_system, reason_code)
)
"""

_INSERT = """
INSERT OR IGNORE INTO feedback
    (service, card, outcome, at, suggestions, reason_system, reason_code)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""

_SELECT = """
SELECT service, card, outcome, at, suggestions, reason_system, reason_code
FROM feedback ORDER BY id
"""

BUSY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class SqliteFeedbackStore:
    """Feedback in one SQLite file; any number of threads and processes may write."""

    path: Path

    def keep(self, feedback: Iterable[Feedback]) -> None:
        """Keep all of it or, raising StoreUnavailable, nothing."""
        rows = [_row(entry) for entry in feedback]
        with self._open() as database:
            database.executemany(_INSERT, rows)

    def kept(self) -> tuple[Feedback, ...]:
        """Everything kept, in the order it arrived."""
        with self._open() as database:
            return tuple(_feedback(row) for row in database.execute(_SELECT))

    def check(self) -> None:
        """Raise StoreUnavailable when the file cannot be written to."""
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One connection for one transaction: safe across threads and forks."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.path, timeout=BUSY_SECONDS)
            try:
                database.execute("PRAGMA journal_mode=WAL")
                database.execute(_TABLE)
                with database:
                    yield database
            finally:
                database.close()
        except (sqlite3.Error, OSError) as problem:
            raise StoreUnavailable(type(problem).__name__) from problem


def _row(entry: Feedback) -> tuple[str, ...]:
    # Empty text stands for None: SQLite holds two NULLs to be different in a UNIQUE constraint.
    return (
        entry.service,
        entry.card,
        entry.outcome,
        entry.at.isoformat(),
        json.dumps(entry.suggestions),
        entry.reason_system or "",
        entry.reason_code or "",
    )


def _feedback(row: tuple[str, str, str, str, str, str, str]) -> Feedback:
    service, card, outcome, at, suggestions, reason_system, reason_code = row
    return Feedback(
        service,
        card,
        outcome,
        datetime.fromisoformat(at),
        tuple(json.loads(suggestions)),
        reason_system or None,
        reason_code or None,
    )


def open_store(database_url: str) -> FeedbackStore:
    """The store behind a checked ``BACKPATH_DATABASE_URL``; no file is touched yet."""
    return SqliteFeedbackStore(Path(database_url.removeprefix("sqlite:///")))
