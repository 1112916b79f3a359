"""Every environment variable ``BACKPATH_*``: its default, its purpose, and its check at start."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.fhir_address import AddressRefused, IpNetwork, read_address
from service.profile import PROFILES

PREFIX = "BACKPATH_"
SHORTEST_SECRET = 16
LONGEST_CLIENT_ID = 200
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


class SettingsError(Exception):
    """The environment asks for something Backpath cannot do; the message names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process is configured; every field is one variable ``BACKPATH_<FIELD>``.

    Attributes:
        host: address to listen on.
        port: TCP port to listen on; 0 lets the system choose.
        workers: number of processes that answer.
        database_url: where feedback is kept, in SQLite or PostgreSQL; a relative path is taken
            from the working directory.
        public_base_url: what clients call us by; None means the address listened on.
        auth: whether each call must bear a token of a trusted client: ``off`` or ``required``.
        trusted_clients: file that lists the clients to trust; None trusts nobody.
        fhir_servers: base URLs that may be called back; empty means none. Each allows what lies
            below its path, on the same scheme, host and port. A name that leads to an address
            which is not public is refused, so that whoever changes its DNS record gains nothing;
            list the server by its IP address, or open its network.
        fhir_networks: networks (CIDR) in which a listed name may lie although they are private.
        allow_loopback: whether loopback addresses may be called back (development only).
        callback_budget_seconds: time one request may spend on call-backs.
        max_body_bytes: largest request body accepted.
        max_running_calls: calls one process answers at the same time.
        max_waiting_calls: further calls one process receives or lets wait; beyond, 503.
        mme_factors: table of morphine equivalence factors.
        tpi_technique: whether trigger point injection orders get the card on technique.
        pages: which pages for people are served: ``all``, ``catalogue`` (those about the content)
            or ``off``; None serves all where anybody may call, else the catalogue.
        smart_client_id: what health records know the pathway view by, a public SMART app; None
            leaves it switched off.
        profile: what clients can show, unless the list of trusted clients says otherwise.
        link_hosts: hosts that links on cards may lead to; empty leaves it to the profile.
        admin_token: secret of administrators, for the feedback report; None closes it.
        log_level: least severe level that is logged.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    database_url: str = field(default="sqlite:///.backpath/backpath.sqlite3", repr=False)
    public_base_url: str | None = None
    auth: str = "off"
    trusted_clients: Path | None = None
    fhir_servers: tuple[str, ...] = ()
    fhir_networks: tuple[IpNetwork, ...] = ()
    allow_loopback: bool = False
    callback_budget_seconds: float = 2.0
    max_body_bytes: int = 8_388_608
    max_running_calls: int = 8
    max_waiting_calls: int = 32
    mme_factors: str = "cdc-2022"
    tpi_technique: bool = False
    pages: str | None = None
    smart_client_id: str | None = None
    profile: str = "generic"
    link_hosts: frozenset[str] = frozenset()
    admin_token: str | None = field(default=None, repr=False)
    log_level: str = "info"

    @property
    def pages_served(self) -> str:
        """Which pages for people are served; trying out what is pasted is for sandboxes."""
        return self.pages or ("all" if self.auth == "off" else "catalogue")

    @property
    def smart_served(self) -> bool:
        """Whether charts can be opened in the pathway view: it needs to know whose."""
        return bool(self.pages_served != "off" and self.smart_client_id and self.fhir_servers)

    def __post_init__(self) -> None:
        """Refuse settings that do not go together.

        Raises:
            SettingsError: authentication is asked for, and what it needs is not given.
        """
        if self.auth == "off":
            return
        needed = {"trusted_clients": "who may call", "public_base_url": "what clients call us by"}
        missing = [
            f"{PREFIX}{name.upper()} ({words})"
            for name, words in needed.items()
            if getattr(self, name) is None
        ]
        if missing:
            # Serving open to all while the operator believes it closed would be worse than not
            # serving.
            raise SettingsError(f"{PREFIX}AUTH: 'required' needs {' and '.join(missing)} as well")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings an environment asks for; an empty value stands for the default.

    Raises:
        SettingsError: a ``BACKPATH_*`` variable is unknown or its value is of no use.
    """
    known = {PREFIX + one.name.upper(): one.name for one in fields(Settings)}
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


def _host(value: str) -> str:
    """A name or an IP address to listen on; the brackets of an IPv6 address may be given."""
    bracketed = f"[{value}]" if ":" in value and not value.startswith("[") else value
    try:
        if "/" in value or (bracketed.startswith("[") and not bracketed.endswith("]")):
            raise ValueError
        return read_address(f"http://{bracketed}").host
    except ValueError:
        raise ValueError("must be a name or an IP address to listen on, without port") from None


def _secret(value: str) -> str:
    if len(value) < SHORTEST_SECRET or not value.isascii() or not value.isprintable():
        raise ValueError(f"must have {SHORTEST_SECRET} characters or more, all of them ASCII")
    return value


def _client_id(value: str) -> str:
    if len(value) > LONGEST_CLIENT_ID or not value.isascii() or not value.isprintable():
        raise ValueError(f"must have {LONGEST_CLIENT_ID} characters or fewer, all of them ASCII")
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


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an http or https URL without query")
    return value.rstrip("/")


def _base_url(value: str) -> str:
    url = _url(value)
    if url.endswith("/cds-services"):
        raise ValueError("must be what stands before /cds-services")
    return url


def _urls(value: str) -> tuple[str, ...]:
    return tuple(_url(part.strip()) for part in value.split(",") if part.strip())


def _servers(value: str) -> tuple[str, ...]:
    servers = _urls(value)
    for number, server in enumerate(servers, 1):
        try:
            read_address(server)
        except AddressRefused as problem:
            raise ValueError(f"entry {number} {problem}") from None
    return servers


def _networks(value: str) -> tuple[IpNetwork, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("must be networks separated by commas, such as 10.20.0.0/16") from None


def _hosts(value: str) -> frozenset[str]:
    hosts = frozenset(part.strip().lower() for part in value.split(",") if part.strip())
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError("must be names of hosts separated by commas, such as backpath.example.org")
    return hosts


def _database_url(value: str) -> str:
    if value.startswith("sqlite:///") and value.removeprefix("sqlite:///") not in {"", ":memory:"}:
        return value
    if value.startswith("postgresql+psycopg://") and _has_address(value):
        return value
    raise ValueError(
        "must be sqlite:///<file> or postgresql+psycopg://<user>:<password>@<host>/<database>"
    )


def _has_address(value: str) -> bool:
    """Whether an address can be read; a mistake in it may stand beside a password."""
    try:
        parts = urlsplit(value)
        return parts.port is None or bool(parts.hostname)
    except ValueError:
        return False


def _file(value: str) -> Path:
    path = Path(value)
    if not path.is_file():
        raise ValueError("names no readable file")
    return path


_READERS: Mapping[str, Callable[[str], Any]] = {
    "host": _host,
    "port": _whole(0, 65_535),
    "workers": _whole(1, 256),
    "database_url": _database_url,
    "public_base_url": _base_url,
    "auth": _one_of("off", "required"),
    "trusted_clients": _file,
    "fhir_servers": _servers,
    "fhir_networks": _networks,
    "allow_loopback": _yes_or_no,
    "callback_budget_seconds": _seconds,
    "max_body_bytes": _whole(1_024, 1_073_741_824),
    "max_running_calls": _whole(1, 256),
    "max_waiting_calls": _whole(0, 512),
    "mme_factors": _one_of("cdc-2022", "cdc-2016"),
    "tpi_technique": _yes_or_no,
    "pages": _one_of("all", "catalogue", "off"),
    "smart_client_id": _client_id,
    "profile": _one_of(*PROFILES),
    "link_hosts": _hosts,
    "admin_token": _secret,
    "log_level": _one_of("debug", "info", "warning", "error"),
}
