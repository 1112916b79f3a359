"""The connection to the store: SQLite in a file or PostgreSQL, brought up to date when opened."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import finalize

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.log import log_event
from service.migrations.upgrade import NotOurs, upgrade
from service.store_errors import MADE_BY_ANOTHER, StoreUnavailable, kind_of

SQLITE = "sqlite:///"
BUSY_SECONDS = 2.0
# While PostgreSQL is away, one call a second waits for it; the others are refused at once, so that
# feedback never takes the threads that answer cards.
REST_SECONDS = 1.0
AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)
POSTGRESQL_OPTIONS: dict[str, Any] = {
    "connect_timeout": 2,
    "tcp_user_timeout": 5_000,
    "application_name": "backpath",
    # A pooler such as PgBouncer hands one session to many; nothing may be prepared in it.
    "prepare_threshold": None,
}
# What was acknowledged must be on disk, whatever the server's own default is.
POSTGRESQL_TRANSACTION = (
    "SELECT set_config('synchronous_commit', 'on', true),"
    " set_config('statement_timeout', '10s', true)"
)


class Database:
    """One store; any number of threads and, after a fork, processes may use it.

    Nothing is opened until it is needed, and what cannot be reached is tried again with the next
    use: a store that comes back needs no restart.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._path = Path(url.removeprefix(SQLITE)).absolute() if url.startswith(SQLITE) else None
        self._engine: Engine | None = None
        self._process: int | None = None
        self._current = False
        self._made = False
        self._away = False
        self._rest_until = 0.0
        self._trying = Lock()
        self._lock = Lock()

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return "postgresql" if self._path is None else "sqlite"

    def exists(self) -> bool:
        """Whether there may be a store at all: False only where its file was never made."""
        return self._path is None or self._path.exists()

    @property
    def path(self) -> Path | None:
        """The file of SQLite; None for PostgreSQL."""
        return self._path

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: on disk when the block is left, and nothing of it after an error.

        Raises:
            StoreUnavailable: the store cannot be reached, or takes nothing now.
        """
        with self._available(), self._up_to_date().begin() as connection:
            if self._path is None:
                connection.exec_driver_sql(POSTGRESQL_TRANSACTION)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that only reads, and waits for no writer.

        Raises:
            StoreUnavailable: the store cannot be reached.
        """
        with self._available(), self._up_to_date().connect() as connection:
            yield connection.execution_options(only_reads=True)

    @contextmanager
    def as_it_is(self) -> Iterator[Connection]:
        """One transaction that only reads, of a store whose tables may be old or missing.

        Raises:
            StoreUnavailable: the store cannot be reached.
        """
        with self._available(), self._of_this_process().connect() as connection:
            yield connection.execution_options(only_reads=True)

    def close(self) -> None:
        """Close what this process holds open; the next use opens it again."""
        if self._engine is not None and self._process == os.getpid():
            self._engine.dispose()

    @contextmanager
    def _available(self) -> Iterator[None]:
        trying = self._away
        if trying and not self._may_try():
            raise StoreUnavailable("away a moment ago")
        try:
            yield
            self._away = False
        except NotOurs as problem:
            raise StoreUnavailable(MADE_BY_ANOTHER) from problem
        except (SQLAlchemyError, sqlite3.Error, OSError) as problem:
            if self._path is None and isinstance(problem, AWAY):
                self._rest_until = time.monotonic() + REST_SECONDS
                self._away = True
            raise StoreUnavailable(kind_of(problem)) from problem
        finally:
            if trying:
                self._trying.release()

    def _may_try(self) -> bool:
        """Whether it is this call that tries whether the store is back."""
        return time.monotonic() >= self._rest_until and self._trying.acquire(blocking=False)

    def _up_to_date(self) -> Engine:
        """The engine of this process, once the tables are those of this version."""
        if self._path is not None and self._current and not self._path.exists():
            # Someone took the file away: where its folder still is, there will be a new one.
            self._current = False
        if self._current:
            return self._of_this_process()
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise StoreUnavailable("being opened")
        try:
            if not self._current:
                if self._path is not None:
                    self._make_file(self._path)
                upgrade(self._of_this_process())
                self._current = self._made = True
        finally:
            self._lock.release()
        return self._of_this_process()

    def _make_file(self, path: Path) -> None:
        # A folder that goes away under us may be a disk that was taken off: to make it again would
        # put feedback where nobody will find it.
        if not self._made:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif path.parent.is_dir() and not path.exists():
            log_event(logging.ERROR, "the store is gone; a new and empty one is made", {})
        turn_on_wal(path)

    def _of_this_process(self) -> Engine:
        if self._engine is None or self._process != os.getpid():
            if self._engine is not None:
                # Connections made before a fork are the parent's; closing them would end its own.
                self._engine.dispose(close=False)
            self._engine = _engine(self._url, self._path)
            self._process = os.getpid()
            finalize(self, _dispose, self._engine, self._process)
        return self._engine


def _dispose(engine: Engine, process: int) -> None:
    """Close the connections of a store that nobody uses any more, but never another process's."""
    if process == os.getpid():
        engine.dispose()


def _engine(url: str, path: Path | None) -> Engine:
    if path is None:
        asked = make_url(url)
        options = {k: v for k, v in POSTGRESQL_OPTIONS.items() if k not in asked.query}
        return create_engine(
            asked,
            connect_args=options,
            pool_pre_ping=True,
            pool_size=4,
            max_overflow=4,
            pool_timeout=BUSY_SECONDS,
            hide_parameters=True,
        )
    # Each transaction opens the file anew: a connection kept would write on into a file that was
    # taken away, and lose what it acknowledges.
    engine = create_engine(
        "sqlite://", creator=lambda: _open(path), poolclass=NullPool, hide_parameters=True
    )
    event.listen(engine, "begin", _begin)
    return engine


def _open(path: Path) -> sqlite3.Connection:
    """A connection to a file that exists, which leaves transactions to us."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    # In WAL mode the default would let the last commits go when the power fails.
    # https://www.sqlite.org/pragma.html#pragma_synchronous
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _begin(connection: Connection) -> None:
    # A writer that begins as a reader may be refused in the middle, without any waiting.
    reads = connection.get_execution_options().get("only_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _make_private(path: Path) -> None:
    """An empty file that only we may read, unless another process was faster.

    Whatever else goes wrong is SQLite's to say, a moment later.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def turn_on_wal(path: Path) -> None:
    """Make the file if there is none, and let readers and a writer work at the same time.

    The mode stays with the file. The change itself is refused, not waited for, while another
    process makes the same one. What SQLite makes beside the file is as closed to others as it is.
    """
    if not path.exists():
        _make_private(path)
    last = time.monotonic() + BUSY_SECONDS
    while True:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or time.monotonic() > last:
                raise
            time.sleep(0.02)
        finally:
            connection.close()
