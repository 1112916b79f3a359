"""What can go wrong with the store, in names that quote nothing."""

from __future__ import annotations

import re

from sqlalchemy.exc import DBAPIError

MADE_BY_ANOTHER = "made-by-a-later-version"
# PostgreSQL gives no code for a connection it refuses: its words alone tell a wrong name from a
# server that is down. They hold names of ours, so a code stands for them.
_REFUSALS = (
    (r'database ".*" does not exist', "database-unknown"),
    (r'role ".*" does not exist|authentication failed|no password|pg_hba', "login-refused"),
    (r"resolve host|translate host", "host-unknown"),
    (r"Connection refused|No such file", "connection-refused"),
    (r"certificate|SSL", "tls"),
    (r"timeout|timed out", "timeout"),
)


class StoreUnavailable(Exception):
    """The store cannot be reached now, or takes nothing; nothing was written.

    Its text names the kind of error only: a database's own message may quote what was to be kept.
    """


def kind_of(problem: Exception) -> str:
    """What went wrong: a name or code of the database's, a code of ours, else the error's type."""
    database_s = problem.orig if isinstance(problem, DBAPIError) else problem
    name = getattr(database_s, "sqlite_errorname", None)
    if name:
        return str(name)
    if isinstance(problem, DBAPIError) and type(database_s).__name__ == "OperationalError":
        code = getattr(database_s, "sqlstate", None)
        return str(code) if code else _refusal(str(database_s))
    return type(database_s or problem).__name__


def _refusal(words: str) -> str:
    codes = (code for pattern, code in _REFUSALS if re.search(pattern, words))
    return next(codes, "OperationalError")
