"""The address that the server listens on: taken once, before anything else is begun."""

from __future__ import annotations

import socket
from typing import Any

# As many as gunicorn itself lets wait for a thread.
BACKLOG = 2_048


class AddressNotTaken(Exception):
    """Nothing can listen at this address; the message names the settings and says why."""


def take_address(host: str, port: int) -> socket.socket:
    """A socket that has this address, and does not listen yet: whoever comes early is refused.

    Args:
        host: a name or an IP address; a name that leads to IPv4 and IPv6 takes IPv4.
        port: 0 lets the system choose.

    Raises:
        AddressNotTaken: another program has it, or it is none of this machine's.
    """
    taken = None
    try:
        family, address = _resolved(host, port)
        taken = socket.socket(family, socket.SOCK_STREAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError as problem:
        if taken is not None:
            taken.close()
        raise _not_taken(host, port, problem) from None
    return taken


def listen(taken: socket.socket) -> None:
    """From now on let clients in, who wait for the workers.

    Raises:
        AddressNotTaken: another program was given the same address a moment ago.
    """
    host, port = taken.getsockname()[:2]
    try:
        taken.listen(BACKLOG)
    except OSError as problem:
        raise _not_taken(host, port, problem) from None


def url_of(taken: socket.socket) -> str:
    """What the address is called by from this machine."""
    host, port = taken.getsockname()[:2]
    return f"http://{_address(host, port)}"


def _resolved(host: str, port: int) -> tuple[int, Any]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address


def _not_taken(host: str, port: int, problem: OSError) -> AddressNotTaken:
    why = (problem.strerror or type(problem).__name__).lower()
    return AddressNotTaken(f"BACKPATH_HOST/PORT: {_address(host, port)}: {why}")


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
