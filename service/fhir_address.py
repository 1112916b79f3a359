"""The address of a FHIR server, in its one normal form."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from urllib.parse import SplitResult, urljoin, urlsplit

import idna

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

LONGEST = 8_000
DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# No percent sign and no semicolon: programs differ in what they make of ``..;`` (a parameter of a
# dot segment), ``%3b``, ``%c0%ae`` and ``%u002e``, and no FHIR path needs them (RFC 3986 §3.3).
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,=:@-]*)*")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\\]")
_QUERY = re.compile(r"[\x21-\x7e]*")


class AddressRefused(ValueError):
    """A URL that is not to be called. The message never quotes the URL."""


@dataclass(frozen=True, slots=True)
class FhirAddress:
    """A URL in its one normal form, so that equal servers compare equal.

    Attributes:
        scheme: ``http`` or ``https``.
        host: lower-case ASCII name without trailing dot, or an IP address in canonical form.
        port: always given.
        path: without trailing slash; empty for the root.
        query: without question mark; empty for none.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    query: str = ""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def netloc(self) -> str:
        """Host, and port unless it is the scheme's own; what the header Host says."""
        host = _bracketed(self.host)
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as a URL."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self.netloc}{self.path}{query}"

    def at(self, ip: str) -> str:
        """The URL with an IP address in place of the name, so that nothing looks it up again."""
        return replace(self, host=ip).url

    def query_of(self, relative: str) -> FhirAddress:
        """The address of a query relative to this base, such as ``Condition?patient=p1``."""
        path, _, query = relative.partition("?")
        return replace(self, path=f"{self.path}/{path}", query=query)

    def linked(self, link: str) -> FhirAddress:
        """The address a link on this page leads to; it may be relative.

        Raises:
            AddressRefused: it leads to another origin, or nowhere.
        """
        try:
            address = read_address(urljoin(self.url, link), queried=True)
        except ValueError:
            raise AddressRefused("the link cannot be read") from None
        if address.origin != self.origin:
            raise AddressRefused("the link leads to another server")
        return address


def read_address(url: str, *, queried: bool = False) -> FhirAddress:
    """The address a URL names; whatever two programs could read differently is refused.

    Args:
        url: absolute, with http or https.
        queried: whether it may bear a query, as links to next pages do.

    Raises:
        AddressRefused: it holds user information, a fragment, a number that only some programs
            take for an IP address, dot segments, or anything else out of place.
    """
    if len(url) > LONGEST:
        raise AddressRefused("is too long")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("must be an http or https URL") from None
    if _UNPRINTABLE.search(url) or parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise AddressRefused("must be an http or https URL")
    if "@" in parts.netloc or "#" in url:
        raise AddressRefused("must hold no user name and no fragment")
    if ("?" in url and not queried) or not _QUERY.fullmatch(parts.query):
        raise AddressRefused("must hold no query")
    if port == 0:
        raise AddressRefused("must have a port from 1 to 65535")
    return FhirAddress(
        parts.scheme,
        _host(parts),
        port or DEFAULT_PORTS[parts.scheme],
        _path(parts.path),
        parts.query,
    )


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        return str(unmapped(_ip(host)))
    try:
        name = idna.encode(host, uts46=True).decode() if not host.isascii() else host.lower()
    except (idna.IDNAError, UnicodeError):
        raise AddressRefused("has a host name that is none") from None
    name = name.removesuffix(".")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        # Decimal, octal, hexadecimal and short forms mean different machines to different
        # programs; only the four plain numbers are one address to all.
        return str(_ip(name))
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise AddressRefused("has a host name that is none")
    return name


def _ip(text: str) -> IpAddress:
    try:
        if "%" in text:
            raise ValueError
        return ip_address(text)
    except ValueError:
        raise AddressRefused("has an IP address that is none") from None


def _path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise AddressRefused("has a path with characters out of place")
    if any(segment == "." or segment.startswith("..") for segment in path.split("/")):
        raise AddressRefused("has a path with dot segments")
    return path.rstrip("/")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def unmapped(ip: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv4-mapped one is written for (RFC 4291 §2.5.5.2)."""
    return (ip.version == 6 and ip.ipv4_mapped) or ip
