"""A token is good once, whichever process sees it, and as long as it would be good at all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.database import Database
from service.seen_tokens import (
    CLEARANCE_SECONDS,
    RETRY_SECONDS,
    TokensInMemory,
    TokensInStore,
    token_hash,
)
from service.store_errors import StoreUnavailable
from service.token_tables import SharedTokens, TokenFile, TokenTable, token_table
from tests.conftest import HOUSE
from tests.postgres import Postgres, postgres  # noqa: F401 a fixture
from tests.tokens import EHR, NOW

EXPIRES = NOW + 300


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        """Seconds since 1970 by this clock."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until it is set."""
    return Clock()


def test_memory_forgets_what_has_expired(clock: Clock) -> None:
    """What would be refused for its age need not be remembered: memory stays small."""
    seen = TokensInMemory(now=clock)
    for number in range(1_000):
        assert seen.first_use(EHR, str(number), NOW + number)
        assert not seen.first_use(EHR, str(number), NOW + number) or number == 0
    clock.now = NOW + 990

    assert not seen.first_use(EHR, "995", NOW + 995)
    assert len(seen) == 9


def test_a_digest_names_issuer_and_number() -> None:
    """No two tokens share one, however names and numbers are cut; texts of any kind have one."""
    tokens = [("a", "bc"), ("ab", "c"), ('a","b', "c"), ("a", 'b","c'), ("", ""), ("\ud800", "é")]

    assert len({token_hash(*token) for token in tokens}) == len(tokens)


Tables = Callable[[], TokenTable]


@pytest.fixture(params=["sqlite", "postgresql"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Tables:
    """Gives the token table of one store, each time as another process would open it."""
    url = f"sqlite:///{tmp_path}/feedback.sqlite3"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    return lambda: token_table(Database(url))


def _seen(table: TokenTable, clock: Clock, unshared: list[str] | None = None) -> TokensInStore:
    told = [] if unshared is None else unshared
    return TokensInStore(table, lambda: told.append("unshared"), now=clock)


def test_all_processes_of_a_store_know_a_used_token(tables: Tables, clock: Clock) -> None:
    """A token used at one process is refused by the others, also by one started later."""
    first, second = _seen(tables(), clock), _seen(tables(), clock)

    assert first.first_use(EHR, "1", EXPIRES)
    assert not first.first_use(EHR, "1", EXPIRES)
    assert not second.first_use(EHR, "1", EXPIRES)
    assert second.first_use(EHR, "2", EXPIRES)
    assert not _seen(tables(), clock).first_use(EHR, "2", EXPIRES)


def test_of_many_at_once_one_is_the_first(tables: Tables, clock: Clock) -> None:
    """A token sent to all processes in the same moment is taken once."""
    everybody = [_seen(tables(), clock) for _ in range(4)]
    begin = threading.Barrier(8)

    def use(number: int) -> int:
        begin.wait(10)
        return sum(everybody[number % 4].first_use(EHR, str(token), EXPIRES) for token in range(10))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 10


def test_the_store_forgets_what_has_expired(tables: Tables, clock: Clock) -> None:
    """Expired tokens are taken out, with a margin for the clocks of other machines."""
    table = tables()
    seen = _seen(table, clock)
    for number in range(10):
        seen.first_use(EHR, str(number), NOW + number)
    clock.now = NOW + CLEARANCE_SECONDS + 5
    seen.clear()

    assert [table.add(token_hash(EHR, str(number)), EXPIRES) for number in range(10)] == (
        [True] * 5 + [False] * 5
    )


def test_it_is_cleared_now_and_then(tables: Tables, clock: Clock) -> None:
    """Nobody has to clear up: it happens beside a call, once in a while."""
    cleared = threading.Event()
    table = tables()

    class Watched:
        """The table, that tells when it is cleared."""

        def add(self, token: str, expires: int) -> bool:
            return table.add(token, expires)

        def clear(self, before: int) -> None:
            table.clear(before)
            cleared.set()

    seen = _seen(Watched(), clock)
    seen.first_use(EHR, "1", NOW + 1)
    assert not cleared.is_set()
    clock.now += 2 * CLEARANCE_SECONDS
    seen.first_use(EHR, "2", EXPIRES)

    assert cleared.wait(10)
    assert table.add(token_hash(EHR, "1"), EXPIRES)


class Broken:
    """A store that is down until it is told otherwise."""

    def __init__(self, table: TokenTable) -> None:
        self.table = table
        self.down = True
        self.asked = 0

    def add(self, token: str, expires: int) -> bool:
        """As the table, or an error."""
        self.asked += 1
        if self.down:
            raise StoreUnavailable("OperationalError")
        return self.table.add(token, expires)

    def clear(self, before: int) -> None:
        """As the table, or an error."""
        if self.down:
            raise StoreUnavailable("OperationalError")
        self.table.clear(before)


def test_cards_are_answered_while_the_store_is_down(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Each process remembers its own; that is told once, counted, and over with the outage."""
    table = TokenFile(tmp_path / "tokens")
    store = Broken(table)
    unshared: list[str] = []
    seen = _seen(store, clock, unshared)
    with caplog.at_level("INFO", "backpath"):
        assert [seen.first_use(EHR, str(number), EXPIRES) for number in range(5)] == [True] * 5
        assert [seen.first_use(EHR, str(number), EXPIRES) for number in range(5)] == [False] * 5
        clock.now += RETRY_SECONDS
        assert seen.first_use(EHR, "5", EXPIRES)
        seen.clear()
        store.down = False
        clock.now += RETRY_SECONDS
        assert seen.first_use(EHR, "6", EXPIRES)

    assert not _seen(table, clock).first_use(EHR, "6", EXPIRES)
    assert store.asked == 3  # not with every call
    assert len(unshared) == 6
    assert [record.msg for record in caplog.records] == [
        "tokens are remembered by each process alone",
        "expired tokens were not taken out",
    ]


def test_a_postgresql_that_is_down_is_gone_without(clock: Clock) -> None:
    """A wrong address is an outage like any other."""
    nowhere = SharedTokens(Database("postgresql+psycopg://backpath@127.0.0.1:9/backpath"))
    unshared: list[str] = []
    seen = _seen(nowhere, clock, unshared)

    assert seen.first_use(EHR, "1", EXPIRES)
    assert not seen.first_use(EHR, "1", EXPIRES)
    assert unshared == ["unshared"]


def test_a_file_that_was_taken_away_is_made_anew(tmp_path: Path) -> None:
    """Nobody writes on into a file that is gone."""
    path = tmp_path / "tokens"
    first, second = TokenFile(path), TokenFile(path)
    assert first.add("a", EXPIRES)
    assert not second.add("a", EXPIRES)
    for part in tmp_path.iterdir():
        part.unlink()

    assert first.add("b", EXPIRES)
    assert not second.add("b", EXPIRES)
    assert not TokenFile(path).add("b", EXPIRES)


def test_a_spoilt_file_is_made_anew(tmp_path: Path) -> None:
    """After a power failure the file may be nonsense; it holds nothing worth a repair."""
    path = tmp_path / "tokens"
    path.write_bytes(b"nonsense" * 1_000)
    table = TokenFile(path)
    with pytest.raises(StoreUnavailable, match="NOTADB"):
        table.add("a", EXPIRES)

    assert table.add("a", EXPIRES)
    assert not TokenFile(path).add("a", EXPIRES)


def test_a_folder_that_is_missing_is_an_outage(tmp_path: Path) -> None:
    """The file is made where the store is, and nowhere else."""
    with pytest.raises(StoreUnavailable, match="CANTOPEN"):
        TokenFile(tmp_path / "missing" / "tokens").add("a", EXPIRES)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_locked_is_gone_without_soon(tmp_path: Path) -> None:
    """A card does not wait for somebody who holds the file."""
    table = TokenFile(tmp_path / "tokens")
    table.add("a", EXPIRES)
    holder = sqlite3.connect(tmp_path / "tokens", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="BUSY"):
            table.add("b", EXPIRES)
    finally:
        holder.close()

    assert table.add("b", EXPIRES)


FORKED = """
import os, sys
from pathlib import Path
from service.token_tables import TokenFile

table = TokenFile(Path(sys.argv[1]))
heard = [table.add("parent", 2_000_000_000)]
read, write = os.pipe()
if os.fork() == 0:
    answers = [table.add("parent", 2_000_000_000), table.add("child", 2_000_000_000)]
    os.write(write, repr(answers).encode())
    os._exit(0)
os.wait()
heard += [os.read(read, 99).decode(), table.add("child", 2_000_000_000)]
heard += [table.add("later", 2_000_000_000), table.add("later", 2_000_000_000)]
print(*heard)
"""


def test_a_forked_process_opens_the_file_itself(tmp_path: Path) -> None:
    """A connection is of no use after a fork, and must not be closed for the parent."""
    ran = subprocess.run(
        [sys.executable, "-c", FORKED, tmp_path / "tokens"],
        capture_output=True,
        text=True,
        cwd=HOUSE,
        check=True,
    )

    assert ran.stdout.split("\n")[0] == "True [False, True] False True False"
