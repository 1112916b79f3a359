"""The FHIR servers that may be called back, and the addresses their names may lead to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network

from service.fhir_address import AddressRefused, FhirAddress, IpAddress, IpNetwork, unmapped

LOCALHOST = "localhost"
# A public address that answers with a machine's own secrets; the others of its kind are private.
# https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
METADATA = frozenset({ip_address("168.63.129.16")})
# IPv6 addresses that stand for the IPv4 one at their end: RFC 6052 §2.1.
TRANSLATED = ip_network("64:ff9b::/96")
# Not for everybody's use, whatever the library of this Python version knows of them.
# https://www.iana.org/assignments/iana-ipv4-special-registry
# https://www.iana.org/assignments/iana-ipv6-special-registry
NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # protocol assignments, some clouds' metadata among them
            "192.88.99.0/24",  # relays of 6to4, given up
            "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765
            "64:ff9b:1::/48",  # translators of one's own, which may read any bits of it: RFC 8215
            "3fff::/20",  # documentation
            "5f00::/16",  # segment routing within one network
            "fec0::/10",  # site-local
        ),
    )
)
COMPATIBLE = ip_network("::/96")


@dataclass(frozen=True, slots=True)
class AllowList:
    """The servers that may be called back.

    Attributes:
        servers: base addresses; one allows all that lies below its path.
        networks: where a listed name may lead although its address is not public.
        loopback: whether every server of this machine is allowed (development only).
    """

    servers: tuple[FhirAddress, ...] = ()
    networks: tuple[IpNetwork, ...] = ()
    loopback: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing may be called at all."""
        return not self.servers and not self.loopback

    def check(self, address: FhirAddress) -> None:
        """Refuse an address that is not listed.

        Raises:
            AddressRefused: it is not.
        """
        listed = any(_lies_below(address, server) for server in self.servers)
        if not listed and not (self.loopback and is_this_machine(address.host)):
            raise AddressRefused("is not on the list of FHIR servers")

    def addresses_of(self, address: FhirAddress) -> tuple[str, ...]:
        """The IP addresses to connect to, each of them checked; a literal one stands for itself.

        The connection must be made to one of these: the name may lead elsewhere a moment later.

        Raises:
            AddressRefused: the address is not listed, or its name leads only to addresses that
                are private, or otherwise not public, and not opened.
            OSError: the name leads nowhere.
        """
        self.check(address)
        if _is_ip(address.host):
            return (address.host,)
        found = dict.fromkeys(_looked_up(address))
        allowed = tuple(str(ip) for ip in found if self._opens(ip, address.host))
        if not allowed:
            raise AddressRefused("leads to an address that is not public")
        return allowed

    def _opens(self, ip: IpAddress, name: str) -> bool:
        meant = _meant(ip)
        if any(meant in network for network in self.networks):
            return True
        if meant.is_loopback:
            return self.loopback or name == LOCALHOST
        return _is_public(meant)


def _lies_below(address: FhirAddress, server: FhirAddress) -> bool:
    return address.origin == server.origin and f"{address.path}/".startswith(f"{server.path}/")


def _is_public(ip: IpAddress) -> bool:
    if not ip.is_global or ip.is_multicast or ip in METADATA:
        return False
    return not any(ip in network for network in NOT_PUBLIC)


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_this_machine(host: str) -> bool:
    """Whether a name or an address stands for the machine we run on."""
    return host == LOCALHOST or (_is_ip(host) and _meant(ip_address(host)).is_loopback)


def _looked_up(address: FhirAddress) -> Iterator[IpAddress]:
    for *_, place in socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM):
        yield unmapped(ip_address(str(place[0]).partition("%")[0]))


def _meant(ip: IpAddress) -> IpAddress:
    """The address that packets reach in the end, where an IPv6 one wraps an IPv4 one."""
    if ip.version == 4:
        return ip
    last = IPv4Address(int(ip) & 0xFFFF_FFFF)
    if ip in TRANSLATED:
        return last
    if ip in COMPATIBLE and int(last) > 1:
        return last
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)
