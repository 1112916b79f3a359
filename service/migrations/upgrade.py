"""Brings a store's tables to those of this version, whichever version made them, or none."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    inspect,
    text,
)

from service.tables import TABLES

HERE = Path(__file__).parent
# Every step, in turn; that these are all is tested.
STEPS = ("0001", "0002")
HEAD = STEPS[-1]
# Any number will do, as long as every process of every version takes the same one.
ADVISORY_LOCK = 4_207_310
# As Alembic makes it.
VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


class NotOurs(Exception):
    """The tables are those of a later version, or of another program."""


def upgrade(engine: Engine) -> None:
    """Run the steps that are missing, all in one transaction; a store without any table gets all.

    Several processes may start at once: the transaction (SQLite) or a lock inside it (PostgreSQL)
    lets one of them work, and the others find the work done.

    Raises:
        NotOurs: nothing was changed.
    """
    with engine.connect() as connection:
        if revision(connection.execution_options(only_reads=True)) == HEAD:
            return
    with engine.begin() as connection:
        _take_turn(connection)
        if not inspect(connection).get_table_names():
            _make_all(connection)
            return
    run_steps(engine)


def _make_all(connection: Connection) -> None:
    """What all steps lead to, made at once."""
    TABLES.create_all(connection)
    VERSION.create(connection)
    connection.execute(VERSION.insert(), {"version_num": HEAD})


def run_steps(engine: Engine) -> None:
    """Run the steps that are missing, one after another.

    Raises:
        NotOurs: nothing was changed.
    """
    # Imported here, and before anyone is kept waiting: most starts find nothing to do, and need
    # neither the time nor the memory that this takes.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        _take_turn(connection)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as problem:
            raise NotOurs from problem


def _take_turn(connection: Connection) -> None:
    """Wait until no other process runs steps; SQLite has waited already, to begin."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '30s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK})


def revision(connection: Connection) -> str | None:
    """The step a store has reached; None when it has none of ours or comes from before steps."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found
