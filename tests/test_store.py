"""The store keeps what it acknowledged, alike on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from service.database import Database
from service.migrations.upgrade import HEAD, HERE, STEPS, VERSION, run_steps
from service.store import Feedback, OutcomeCount, ShownCard, ShownCount, Store, open_store
from service.store_errors import StoreUnavailable
from service.tables import TABLES
from service.token_tables import token_table
from tests.conftest import HOUSE
from tests.postgres import Postgres, database_url, postgres

__all__ = ["database_url", "postgres"]

A_MOMENT = datetime(2026, 1, 11, 10, 5, 31, 250_000, tzinfo=UTC)
SUNDAY = date(2026, 1, 11)
CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
ACCEPTED = Feedback(
    service="back-pain-order-sign",
    card=CARD,
    outcome="accepted",
    at=A_MOMENT,
    suggestions=("e56e1945-20b3-4393-8503-a1a20fd73152",),
    client="https://ehr.example.org",
    recommendation="imaging-not-routine",
)
OVERRIDDEN = replace(
    ACCEPTED,
    outcome="overridden",
    at=A_MOMENT + timedelta(days=1),
    suggestions=(),
    reason_system="urn:backpath:override-reason",
    reason_code="red-flag",
)
SHOWN = ShownCard(SUNDAY, None, "back-pain-patient-view", "yoga", "info")
# The table as the first version of Backpath made it.
FIRST_TABLE = """
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL, card TEXT NOT NULL, outcome TEXT NOT NULL, at TEXT NOT NULL,
    suggestions TEXT NOT NULL, reason_system TEXT NOT NULL, reason_code TEXT NOT NULL,
    UNIQUE (service, card, outcome, at, suggestions, reason_system, reason_code)
)
"""
FIRST_ROWS = [
    ("back-pain-order-sign", CARD, "accepted", "2026-01-11T10:05:31.25+00:00", '["s-1"]', "", ""),
    ("back-pain-order-sign", CARD, "overridden", "2026-01-12T10:05:31+00:00", "[]", "urn:x", "y"),
]
# What only a server needs, and what only a first start does.
SERVER_PACKAGES = frozenset(
    {
        *("flask", "gunicorn", "sqlalchemy", "alembic", "psycopg", "prometheus_client"),
        *("requests", "urllib3", "jwt", "cryptography", "yaml"),
    }
)
OPEN = "import sys; from service.store import open_store; open_store(sys.argv[1]).check()"


@pytest.fixture
def store(database_url: str) -> Store:
    """A store nobody has used."""
    return open_store(database_url)


def test_what_is_kept_comes_back(store: Store) -> None:
    """Every member of feedback survives, to the part of a second."""
    store.keep([OVERRIDDEN, ACCEPTED])

    assert store.kept() == (ACCEPTED, OVERRIDDEN)


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """Files are open to everybody's eyes unless their maker says otherwise."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_nobody_else_may_read_the_files(tmp_path: Path, usual_umask: None) -> None:
    """Another user of the machine sees neither feedback nor the keys of card uuids."""
    folder = tmp_path / "made"
    store = open_store(f"sqlite:///{folder}/feedback.sqlite3")
    store.keep([ACCEPTED])
    assert token_table(store.database).add("digest", 0)
    with store.database.reading() as connection:
        connection.execute(text("SELECT 1 FROM feedback"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    database = "feedback.sqlite3"

    assert folder.stat().st_mode & 0o777 == 0o700
    assert set(modes) >= {database, f"{database}-wal", f"{database}-shm", f"{database}-tokens"}
    assert set(modes.values()) == {0o600}


def test_the_word_of_another_client_hides_nothing(store: Store) -> None:
    """What a client says later about a card another was shown does not take its outcome away."""
    said = replace(OVERRIDDEN, client="https://other.example.org", recommendation=None)
    store.keep([ACCEPTED, said])
    counted = [one for one in store.outcomes(None, None) if one.recommendation]

    assert [(one.recommendation, one.outcome) for one in counted] == [
        ("imaging-not-routine", "accepted")
    ]


def test_the_same_again_is_kept_once(store: Store) -> None:
    """A client that did not hear our answer sends its feedback again."""
    zoned = replace(ACCEPTED, at=A_MOMENT.astimezone())
    for batch in ([ACCEPTED, ACCEPTED], [ACCEPTED], [zoned]):
        store.keep(batch)

    assert store.kept() == (ACCEPTED,)


def test_the_first_word_on_an_outcome_stays(store: Store) -> None:
    """The same card, outcome and moment once more, with another reason, changes nothing."""
    other = replace(OVERRIDDEN, reason_code="another")
    store.keep([OVERRIDDEN, other])
    store.keep([other])

    assert store.kept() == (OVERRIDDEN,)


def test_a_later_outcome_is_history_and_the_latest_counts(store: Store) -> None:
    """A clinician accepts a card and takes it back the next day: one card, overridden."""
    store.keep([OVERRIDDEN])
    store.keep([ACCEPTED])

    assert len(store.kept()) == 2
    assert [count.outcome for count in store.outcomes(None, None)] == ["overridden"]


@pytest.mark.parametrize(
    ("since", "until", "outcomes"),
    [
        (None, SUNDAY, ["accepted"]),
        (SUNDAY, SUNDAY, ["accepted"]),
        (SUNDAY + timedelta(days=1), None, ["overridden"]),
        (SUNDAY + timedelta(days=2), None, []),
        (None, SUNDAY - timedelta(days=1), []),
    ],
)
def test_a_period_knows_nothing_of_later_days(
    store: Store, since: date | None, until: date | None, outcomes: list[str]
) -> None:
    """What a report said of last week it says again next year."""
    store.keep([ACCEPTED, OVERRIDDEN])

    assert [count.outcome for count in store.outcomes(since, until)] == outcomes


def test_alike_outcomes_are_counted_together(store: Store) -> None:
    """Thousands of rows become a few numbers inside the database."""
    store.keep(replace(OVERRIDDEN, card=f"card-{number}") for number in range(2_500))

    assert store.outcomes(None, None) == (
        OutcomeCount(
            SUNDAY + timedelta(days=1),
            "https://ehr.example.org",
            "imaging-not-routine",
            "overridden",
            "urn:backpath:override-reason",
            "red-flag",
            2_500,
        ),
    )


def test_cards_shown_add_up_by_day_and_client(store: Store) -> None:
    """Each process adds its own number to what the others have counted."""
    known = replace(SHOWN, client="https://ehr.example.org")
    store.add_shown({SHOWN: 3, known: 1})
    store.add_shown({SHOWN: 4, replace(SHOWN, indicator="warning"): 1})

    assert store.shown(SUNDAY, SUNDAY) == (
        ShownCount(SUNDAY, None, "yoga", 8),
        ShownCount(SUNDAY, "https://ehr.example.org", "yoga", 1),
    )
    assert store.shown(SUNDAY + timedelta(days=1), None) == ()


def test_many_threads_lose_nothing(store: Store) -> None:
    """Batches that meet, with the same cards in another order, all arrive."""
    batch = [replace(ACCEPTED, card=f"card-{number}") for number in range(300)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(store.keep, [batch, batch[::-1], batch[100:], batch[::-1]]))
        list(threads.map(store.add_shown, [{SHOWN: 1}] * 20))

    assert len(store.kept()) == 300
    assert [count.count for count in store.shown(None, None)] == [20]


def test_all_processes_take_the_first_key(database_url: str) -> None:
    """A card that one process gave out is known to every other, and after a restart."""
    one, other = open_store(database_url), open_store(database_url)

    assert one.card_keys() == ()
    assert one.card_keys(b"1" * 32) == (b"1" * 32,)
    assert other.card_keys() == (b"1" * 32,)
    assert other.card_keys(b"2" * 32) == (b"1" * 32, b"2" * 32)
    assert one.card_keys(b"1" * 32) == (b"1" * 32, b"2" * 32)


def test_processes_that_start_at_once_make_the_tables_once(database_url: str) -> None:
    """Two processes find an empty store: both open it."""
    command = [sys.executable, "-c", OPEN, database_url]
    starting = [subprocess.Popen(command, cwd=HOUSE, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate()[1].decode() for process in starting]

    assert [(process.returncode, words) for process, words in zip(starting, said, strict=True)] == [
        (0, "")
    ] * 2


def test_the_tables_are_those_of_the_models(store: Store) -> None:
    """The steps, run one after another, lead to the tables the code is written for."""
    store.check()
    with store.database.reading() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), TABLES)

    assert differences == []


def test_the_last_step_is_known_without_alembic() -> None:
    """A start that finds the last step done does no more."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")

    folder = ScriptDirectory.from_config(config)
    assert folder.get_heads() == [HEAD]
    assert tuple(step.revision for step in folder.walk_revisions())[::-1] == STEPS


def test_feedback_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    """An upgrade keeps every outcome, though it cannot say what those cards recommended."""
    path = tmp_path / "backpath.sqlite3"
    with sqlite3.connect(path) as first:
        first.execute("PRAGMA journal_mode=WAL")
        first.execute(FIRST_TABLE)
        first.executemany(
            "INSERT INTO feedback (service, card, outcome, at, suggestions, reason_system,"
            " reason_code) VALUES (?, ?, ?, ?, ?, ?, ?)",
            FIRST_ROWS,
        )
    first.close()
    store = open_store(f"sqlite:///{path}")

    assert store.kept() == (
        Feedback("back-pain-order-sign", CARD, "accepted", A_MOMENT, ("s-1",)),
        Feedback(
            *("back-pain-order-sign", CARD, "overridden"),
            A_MOMENT.replace(microsecond=0) + timedelta(days=1),
            *((), "urn:x", "y"),
        ),
    )
    store.keep([replace(ACCEPTED, at=A_MOMENT)])
    assert len(store.kept()) == 2
    with store.database.reading() as connection:
        assert "feedback_0001" not in inspect(connection).get_table_names()


def test_the_tables_of_a_later_version_are_left_alone(database_url: str) -> None:
    """After a step back to an older version nothing is kept, rather than kept wrongly."""
    newer = open_store(database_url)
    newer.keep([ACCEPTED])
    with newer.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    older = open_store(database_url)

    with pytest.raises(StoreUnavailable, match="made-by-a-later-version"):
        older.keep([OVERRIDDEN])
    assert newer.kept() == (ACCEPTED,)


def test_tables_made_at_once_are_those_of_the_steps(store: Store) -> None:
    """A new store, which is spared the steps, is no other than one that went through them."""
    store.check()
    with store.database.reading() as connection:
        engine, at_once = connection.engine, _described(connection)
    with engine.begin() as connection:
        TABLES.drop_all(connection)
        VERSION.drop(connection)
    run_steps(engine)
    with engine.connect() as connection:
        by_steps = _described(connection.execution_options(only_reads=True))

    assert by_steps == at_once
    assert set(at_once) == {*TABLES.tables, "alembic_version"}


def _described(connection: Connection) -> dict[str, Any]:
    """Every table as the database knows it; names it gives by itself are left out."""
    tables = inspect(connection)
    return {
        name: (
            {
                column["name"]: (str(column["type"]), column["nullable"])
                for column in tables.get_columns(name)
            },
            tables.get_pk_constraint(name)["constrained_columns"],
            sorted(tuple(each["column_names"]) for each in tables.get_unique_constraints(name)),
            sorted(
                (str(index["name"]), tuple(index["column_names"]), index["unique"])
                for index in tables.get_indexes(name)
                if "duplicates_constraint" not in index
            ),
        )
        for name in tables.get_table_names()
    }


def test_judging_a_stored_request_needs_no_server() -> None:
    """A command that judges waits for no library that only a server, or a first start, needs."""
    request = HOUSE / "fhir_fixtures" / "acetaminophen-2600-mg-alcohol" / "request.json"
    judged = "cli.main(['evaluate', sys.argv[1]], standalone_mode=False)"
    program = f"import sys, service.cli as cli; {judged}; print(*sys.modules)"
    command = [sys.executable, "-c", program, str(request)]
    for _ in range(2):  # the first may find the content not compiled yet
        printed = subprocess.check_output(command, cwd=HOUSE, text=True)
    imported = set(printed.splitlines()[-1].split())

    assert "cards.advise" in imported
    assert imported.isdisjoint(SERVER_PACKAGES)


def test_a_server_that_anybody_may_call_verifies_nothing() -> None:
    """What verifies clients takes long to import, and waits until clients are to be verified."""
    program = "import sys, service.app, service.server; print(*sys.modules)"
    printed = subprocess.check_output([sys.executable, "-c", program], cwd=HOUSE, text=True)
    imported = set(printed.split())

    assert "service.trust" in imported
    assert imported.isdisjoint({"requests", "urllib3", "jwt", "cryptography", "yaml"})


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    """To name a store is not to make one."""
    database = Database(f"sqlite:///{tmp_path}/store/backpath.sqlite3")

    assert not database.exists()
    assert list(tmp_path.iterdir()) == []


def test_sqlite_keeps_its_promise_over_a_power_cut(tmp_path: Path) -> None:
    """Each commit waits for the disk, and readers do not wait for a writer."""
    store = open_store(f"sqlite:///{tmp_path}/backpath.sqlite3")
    with store.database.writing() as connection:
        modes = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        ]
        others = open_store(f"sqlite:///{tmp_path}/backpath.sqlite3").kept()

    assert modes == ["wal", 2]
    assert others == ()


def test_postgresql_keeps_it_too(postgres: Postgres) -> None:
    """Each commit waits for the disk, even where the site has told its server not to."""
    store = open_store(postgres.new_database())
    with store.database.writing() as connection:
        ours = connection.exec_driver_sql("SHOW synchronous_commit").scalar()
    with store.database.reading() as connection:
        sites = connection.exec_driver_sql("SHOW synchronous_commit").scalar()

    assert (ours, sites) == ("on", "off")


def test_a_server_that_takes_no_changes_is_no_store(postgres: Postgres) -> None:
    """A stand-by that was taken for the main server is noticed before feedback comes."""
    url = postgres.new_database()
    open_store(url).check()
    standby = open_store(f"{url}%20-cdefault_transaction_read_only%3Don")

    with pytest.raises(StoreUnavailable, match="read only"):
        standby.check()
    with pytest.raises(StoreUnavailable, match="ReadOnly"):
        standby.keep([ACCEPTED])
    assert standby.kept() == ()
