"""What is wrong with a store is told by a code: enough to act on, and nothing that was in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from service.database import Database
from service.store_errors import StoreUnavailable
from tests.postgres import Postgres, postgres

__all__ = ["postgres"]


def _kind(url: str) -> str:
    with pytest.raises(StoreUnavailable) as problem, Database(url).writing():
        pass
    return str(problem.value)


def test_a_file_that_cannot_be_made_is_named_so(tmp_path: Path) -> None:
    """Something else lies where the file should be: SQLite's own name of the error is told."""
    (tmp_path / "store.sqlite3").mkdir()
    (tmp_path / "no-database").write_bytes(b"words, " * 100)

    assert _kind(f"sqlite:///{tmp_path}/store.sqlite3") == "SQLITE_CANTOPEN"
    assert _kind(f"sqlite:///{tmp_path}/no-database") == "SQLITE_NOTADB"
    assert _kind(f"sqlite:///{tmp_path}/no-database/below.sqlite3") == "FileExistsError"


def test_each_mistake_in_an_address_is_told_from_the_others(postgres: Postgres) -> None:
    """Wrong database, user, machine or port: four mistakes, four codes, and no name repeated."""
    right = make_url(postgres.new_database())

    def mistaken(**parts: Any) -> str:
        return _kind(right.set(**parts).render_as_string(hide_password=False))

    assert mistaken(database="ward-7") == "database-unknown"
    assert mistaken(username="nobody-else") == "login-refused"
    assert mistaken(host="nowhere.invalid", query={}) == "host-unknown"
    assert mistaken(host="127.0.0.1", port=1, query={}) == "connection-refused"
