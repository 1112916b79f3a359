"""How far this machine's clock is from another's."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from time import time

import requests
from sqlalchemy import text

from service.authorities import own_session
from service.database import Database
from service.store_errors import StoreUnavailable

SECONDS = 3.0


def clock_of_server(url: str) -> float | None:
    """Seconds our clock is ahead of a server's, negative when behind; None when it tells no time.

    The header ``Date`` has whole seconds; it is taken for their middle.
    """
    with own_session() as session:
        before = time()
        try:
            with session.get(url, timeout=SECONDS, allow_redirects=False, stream=True) as answer:
                theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp() + 0.5
        except (requests.RequestException, KeyError, TypeError, ValueError):
            return None
        return (before + time()) / 2 - theirs


def clock_of_database(database: Database) -> float | None:
    """Seconds our clock is ahead of PostgreSQL's; None for SQLite, which has ours, or when away."""
    if database.dialect != "postgresql":
        return None
    before = time()
    try:
        with database.as_it_is() as connection:
            theirs = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())"))
            return (before + time()) / 2 - float(theirs.scalar_one())
    except StoreUnavailable:
        return None
