"""What is right and wrong with a deployment: each thing looked at once, and nothing changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cards.content import ContentError
from cards.library import Library, load_library
from service.clients import Clients, read_clients
from service.clock import clock_of_database, clock_of_server
from service.database import Database
from service.fetched_keys import KeysNotFetched, fetch_keys
from service.fhir_address import AddressRefused, FhirAddress, read_address
from service.fhir_allow_list import AllowList
from service.jwks import FixedKeys
from service.migrations.upgrade import HEAD, STEPS, revision
from service.settings import Settings, SettingsError, read_settings, switched_on
from service.store import Store
from service.store_errors import StoreUnavailable

# Tokens are refused when clocks differ by more.
MOST_SECONDS_APART = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        name: what was looked at.
        state: whether it is as it must be; ``not checked`` when that cannot be told.
        text: what was found, or what to do about it.
    """

    name: str
    state: Literal["ok", "failed", "not checked"]
    text: str


def examine(environment: Mapping[str, str], library: Library | None = None) -> tuple[Finding, ...]:
    """Everything found out about the deployment that an environment's variables describe.

    Args:
        library: the content; None reads it from the package.
    """
    try:
        settings = read_settings(environment)
    except SettingsError as problem:
        return (Finding("settings", "failed", str(problem)),)
    return tuple(_look_at(settings, library))


def _look_at(settings: Settings, library: Library | None) -> Iterator[Finding]:
    yield _settings(settings)
    yield _content(settings, library)
    database = Database(settings.database_url)
    try:
        yield _store(database)
        clients: Clients = {}
        try:
            clients = _clients(settings)
        except SettingsError as problem:
            yield Finding("clients", "failed", str(problem))
        yield from (_keys(iss, clients) for iss in clients)
        servers = tuple(map(read_address, settings.fhir_servers))
        allowed = AllowList(servers, settings.fhir_networks, settings.allow_loopback)
        found = {server: _fhir_server(server, allowed) for server in servers}
        yield from found.values()
        reached = [server for server in servers if found[server].state == "ok"]
        yield _clock(_other_clocks(database, clients, reached))
    finally:
        database.close()


def _settings(settings: Settings) -> Finding:
    if settings.auth == "off":
        return Finding("settings", "ok", "valid; BACKPATH_AUTH is off, so anybody may call")
    return Finding("settings", "ok", "valid; clients must prove who they are")


def _content(settings: Settings, library: Library | None) -> Finding:
    try:
        library = library or load_library(
            switched_on=switched_on(settings), mme_factors=settings.mme_factors
        )
    except ContentError as problem:
        return Finding("content", "failed", str(problem))
    count = len(library.recommendations)
    return Finding("content", "ok", f"version {library.content_version}, {count} recommendations")


def _store(database: Database) -> Finding:
    if not database.exists():
        return Finding("store", "failed", "there is none yet; backpath serve makes it")
    try:
        with database.as_it_is() as connection:
            step = revision(connection)
        if step != HEAD:
            return Finding("store", "failed", _other_step(step))
        Store(database).check()
    except StoreUnavailable as problem:
        return Finding("store", "failed", f"cannot be reached or written to ({problem})")
    return Finding("store", "ok", f"{database.dialect}, step {HEAD}, can be written to")


def _other_step(step: str | None) -> str:
    told = f"its tables are of step {step or 'none'}, this version's of {HEAD}"
    if step is None or step in STEPS:
        return f"{told}; backpath serve brings them up to date"
    return (
        f"{told}: this version is older than the store, and leaves it alone; run the version that "
        "made it, or restore the backup of before"
    )


def _clients(settings: Settings) -> Clients:
    """The clients listed; none when there is no list.

    Raises:
        SettingsError: the list is wrong.
    """
    if settings.trusted_clients is None:
        return {}
    return read_clients(settings.trusted_clients, allow_loopback=settings.allow_loopback)


def _keys(iss: str, clients: Clients) -> Finding:
    name = f"keys of {iss}"
    client = clients[iss]
    if client.jku is None:
        count = len(client.keys.keys) if isinstance(client.keys, FixedKeys) else 0
        return Finding(name, "ok", f"{count} given by file")
    try:
        keys = fetch_keys(client.jku)
    except KeysNotFetched as problem:
        return Finding(name, "failed", f"{client.jku} cannot be read ({problem.kind})")
    if not keys:
        return Finding(name, "failed", f"{client.jku} lists no key that can be used")
    return Finding(name, "ok", f"{len(keys)} read from {client.jku}")


def _fhir_server(server: FhirAddress, allowed: AllowList) -> Finding:
    name = f"FHIR server {server.url}"
    try:
        addresses = allowed.addresses_of(server)
    except AddressRefused as problem:
        return Finding(name, "failed", str(problem))
    except OSError:
        return Finding(name, "failed", "its name leads nowhere")
    return Finding(name, "ok", f"leads to {', '.join(addresses)}")


def _clock(others: Iterator[tuple[str, float | None]]) -> Finding:
    """Our clock beside the first other one that tells its time."""
    for name, seconds in others:
        if seconds is not None:
            told = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} {name}"
            far = abs(seconds) > MOST_SECONDS_APART
            return Finding("clock", "failed" if far else "ok", told)
    return Finding("clock", "not checked", "no key server, PostgreSQL or FHIR server tells a time")


def _other_clocks(
    database: Database, clients: Clients, servers: list[FhirAddress]
) -> Iterator[tuple[str, float | None]]:
    """Where a clock may be found, and how many seconds ours is ahead of it; asked one by one."""
    for client in clients.values():
        if client.jku:
            yield client.jku, clock_of_server(client.jku)
    yield "the store", clock_of_database(database)
    for server in servers:
        yield server.url, clock_of_server(server.url)
