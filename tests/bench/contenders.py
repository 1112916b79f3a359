"""Who is measured: the service and what it is compared with, each with its command."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

HOST = "127.0.0.1"
# The command ``backpath``, found whether or not it is on the PATH.
BACKPATH = (sys.executable, "-c", "from service.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Contender:
    """One server.

    Attributes:
        package: what must be installed for it; None when nothing is.
        command: what starts it, with places for ``port`` and ``workers``.
        variables: of its environment, with places for these and an empty ``folder``.
        prefix: what stands before ``/cds-services`` in its addresses.
        rare: whether every second round is enough.
    """

    name: str
    package: str | None
    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    rare: bool = False

    @property
    def installed(self) -> bool:
        """Whether it can be started here."""
        return self.package is None or find_spec(self.package) is not None


LISTENING = ("--host", HOST, "--port", "{port}", "--workers", "{workers}")
GRANIAN = (sys.executable, "-m", "granian", "--interface", "wsgi", *LISTENING)
UVICORN = (sys.executable, "-m", "uvicorn", *LISTENING, "--no-access-log", "--log-level", "warning")

SERVICE = Contender(
    "service",
    None,
    (*BACKPATH, "serve"),
    {
        "BACKPATH_PORT": "{port}",
        "BACKPATH_WORKERS": "{workers}",
        "BACKPATH_DATABASE_URL": "sqlite:///{folder}/feedback.sqlite3",
    },
)
LIMIT = Contender("limit", "granian", (*GRANIAN, "tests.bench.limit:app"))
HEALTHCHAIN = Contender(
    "healthchain",
    "healthchain",
    (*UVICORN, "tests.bench.healthchain_app:app"),
    prefix="/cds",
    rare=True,
)
VALIDATION = Contender("validation", "fhir", (*GRANIAN, "tests.bench.validation:app"), rare=True)
CONTENDERS = (SERVICE, LIMIT, HEALTHCHAIN, VALIDATION)
