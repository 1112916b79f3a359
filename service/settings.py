"""Every environment variable ``BACKPATH_*``: its default, its purpose, and its check at start."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "BACKPATH_"


class SettingsError(Exception):
    """The environment asks for something Backpath cannot do; the message names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process is configured; every field is one variable ``BACKPATH_<FIELD>``.

    Attributes:
        host: address to listen on.
        port: TCP port to listen on; 0 lets the system choose.
        workers: number of processes that answer.
        database_url: where feedback is kept; a relative path is taken from the working directory.
        public_base_url: what clients call us by; None means the address listened on.
        auth: ``off``; ``required`` is refused until clients can be verified.
        trusted_clients: file that lists the clients to trust; None trusts nobody.
        fhir_servers: base URLs that may be called back; empty means none.
        allow_loopback: whether loopback addresses may be called back (development only).
        callback_budget_seconds: time one request may spend on call-backs.
        max_body_bytes: largest request body accepted.
        mme_factors: table of morphine equivalence factors.
        tpi_technique: whether trigger point injection orders get the card on technique.
        pages: which human-readable pages are served.
        admin_token: secret of the dashboard; None closes it.
        log_level: least severe level that is logged.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    database_url: str = "sqlite:///.backpath/backpath.sqlite3"
    public_base_url: str | None = None
    auth: str = "off"
    trusted_clients: Path | None = None
    fhir_servers: tuple[str, ...] = ()
    allow_loopback: bool = False
    callback_budget_seconds: float = 2.0
    max_body_bytes: int = 8_388_608
    mme_factors: str = "cdc-2022"
    tpi_technique: bool = False
    pages: str = "all"
    admin_token: str | None = None
    log_level: str = "info"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings an environment asks for; an empty value stands for the default.

    Raises:
        SettingsError: a ``BACKPATH_*`` variable is unknown or its value is of no use.
    """
    known = {PREFIX + field.name.upper(): field.name for field in fields(Settings)}
    chosen: dict[str, Any] = {}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX):
            continue
        if variable not in known:
            raise SettingsError(f"{variable} is not a setting; {_nearest(variable, known)}")
        value = environment[variable].strip()
        if value:
            name = known[variable]
            try:
                chosen[name] = _READERS[name](value)
            except ValueError as problem:
                raise SettingsError(f"{variable}: {problem}") from None
    return Settings(**chosen)


def switched_on(settings: Settings) -> frozenset[str]:
    """The facts of the rules that this site has switched on."""
    return frozenset({"tpi_technique_card_on"} if settings.tpi_technique else ())


def _nearest(variable: str, known: Mapping[str, str]) -> str:
    return f"did you mean {difflib.get_close_matches(variable, known, n=1, cutoff=0)[0]}?"


def _text(value: str) -> str:
    return value


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not least <= int(value[:12]) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return read


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 60:
        raise ValueError("must be a number of seconds above 0 and up to 60")
    return seconds


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError("must be one of " + ", ".join(choices))
        return value.lower()

    return read


def _yes_or_no(value: str) -> bool:
    return _one_of("true", "false", "1", "0", "yes", "no")(value) in {"true", "1", "yes"}


def _auth(value: str) -> str:
    if _one_of("off", "required")(value) == "required":
        # Serving open to all while the operator believes it closed would be worse than not serving.
        raise ValueError("'required' is not available in this version; put a proxy in front")
    return "off"


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an http or https URL without query")
    return value.rstrip("/")


def _urls(value: str) -> tuple[str, ...]:
    return tuple(_url(part.strip()) for part in value.split(",") if part.strip())


def _database_url(value: str) -> str:
    if value.startswith("sqlite:///") and len(value) > len("sqlite:///"):
        return value
    if value.startswith("postgresql+psycopg://"):
        raise ValueError("PostgreSQL is not available in this version; use sqlite:///<file>")
    raise ValueError("must be sqlite:///<file>")


def _file(value: str) -> Path:
    path = Path(value)
    if not path.is_file():
        raise ValueError("names no readable file")
    return path


_READERS: Mapping[str, Callable[[str], Any]] = {
    "host": _text,
    "port": _whole(0, 65_535),
    "workers": _whole(1, 256),
    "database_url": _database_url,
    "public_base_url": _url,
    "auth": _auth,
    "trusted_clients": _file,
    "fhir_servers": _urls,
    "allow_loopback": _yes_or_no,
    "callback_budget_seconds": _seconds,
    "max_body_bytes": _whole(1_024, 1_073_741_824),
    "mme_factors": _one_of("cdc-2022", "cdc-2016"),
    "tpi_technique": _yes_or_no,
    "pages": _one_of("all", "catalogue", "off"),
    "admin_token": _text,
    "log_level": _one_of("debug", "info", "warning", "error"),
}
