"""Where the processes of one store remember used tokens together."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

from sqlalchemy import delete, text

from service.database import Database, turn_on_wal
from service.store_errors import StoreUnavailable
from service.tables import SEEN_TOKENS

# Every card waits here; a store that takes longer is gone without.
BUSY_SECONDS = 0.25
SUFFIX = "-tokens"
SPOILT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class TokenTable(Protocol):
    """Digests of used tokens, and when they expire; each method may raise StoreUnavailable."""

    def add(self, token: str, expires: int) -> bool:
        """Whether this digest was not there yet; two processes that add it at once hear one yes."""

    def clear(self, before: int) -> None:
        """Take out what expired before this second since 1970."""


def token_table(database: Database) -> TokenTable:
    """The table of a store: its own for PostgreSQL, a file beside it for SQLite."""
    if database.path is None:
        return SharedTokens(database)
    return TokenFile(database.path.with_name(database.path.name + SUFFIX))


@dataclass(frozen=True, slots=True)
class SharedTokens:
    """The table ``seen_tokens`` of the store."""

    database: Database

    def add(self, token: str, expires: int) -> bool:
        """Whether this digest was not there yet."""
        with self.database.writing() as connection:
            return connection.execute(_ADD, {"token": token, "expires": expires}).rowcount == 1

    def clear(self, before: int) -> None:
        """Take out what expired before this second since 1970."""
        with self.database.writing() as connection:
            connection.execute(delete(SEEN_TOKENS).where(SEEN_TOKENS.c.expires < before))


_ADD = text(
    "INSERT INTO seen_tokens (token, expires) VALUES (:token, :expires) ON CONFLICT DO NOTHING"
)
_TABLE = """
CREATE TABLE IF NOT EXISTS seen_tokens (token TEXT PRIMARY KEY, expires INTEGER NOT NULL)
WITHOUT ROWID
"""


class TokenFile:
    """A SQLite file of its own, so that no card waits for feedback to reach the disk.

    It outlives its processes, but need not outlive a power failure: nothing waits for the disk,
    and a file that was spoilt or taken away is made anew.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is touched yet."""
        self._path = path
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._inherited: list[sqlite3.Connection] = []
        self._opened: tuple[int, int, int] | None = None

    def add(self, token: str, expires: int) -> bool:
        """Whether this digest was not there yet."""
        with self._available() as connection:
            row = (token, expires)
            added = connection.execute("INSERT OR IGNORE INTO seen_tokens VALUES (?, ?)", row)
            return added.rowcount == 1

    def clear(self, before: int) -> None:
        """Take out what expired before this second since 1970."""
        with self._available() as connection:
            connection.execute("DELETE FROM seen_tokens WHERE expires < ?", (before,))

    @contextmanager
    def _available(self) -> Iterator[sqlite3.Connection]:
        """The connection of this process, to the file that is there now."""
        with self._lock:
            try:
                yield self._connected()
            except (sqlite3.Error, OSError) as problem:
                self._let_go()
                if getattr(problem, "sqlite_errorcode", None) in SPOILT:
                    self._path.unlink(missing_ok=True)
                name = getattr(problem, "sqlite_errorname", None) or type(problem).__name__
                raise StoreUnavailable(name) from problem

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None and self._opened == self._identity():
            return self._connection
        self._let_go()
        turn_on_wal(self._path)
        self._connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(_TABLE)
        self._opened = self._identity()
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None:
            if self._opened is None or self._opened[0] == os.getpid():
                self._connection.close()
            else:  # made before a fork: it is not ours to close, nor to be closed when forgotten
                self._inherited.append(self._connection)
        self._connection = self._opened = None

    def _identity(self) -> tuple[int, int, int] | None:
        """This process and the file; None when there is no file."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return os.getpid(), status.st_dev, status.st_ino
