"""Where call-backs may go: what is listed, in one reading only, and never behind a public name."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from service.fhir_address import AddressRefused, FhirAddress, read_address
from service.fhir_allow_list import AllowList
from service.settings import SettingsError, read_settings

PUBLIC = "93.184.215.14"
SERVER = "https://fhir.example.org/r4"
Names = Callable[..., None]


def listed(*urls: str, **more: Any) -> AllowList:
    return AllowList(tuple(map(read_address, urls)), **more)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Lets names lead to chosen addresses, one list after the other on each look-up."""

    def lead(**addresses: list[str] | list[list[str]]) -> None:
        turns = {
            name.replace("_", "."): [one if isinstance(one, list) else [one] for one in given]
            for name, given in addresses.items()
        }

        def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            if host not in turns:
                raise socket.gaierror
            found = turns[host].pop(0) if len(turns[host]) > 1 else turns[host][0]
            return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return lead


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://FHIR.Example.ORG/r4", SERVER),
        ("HTTPS://fhir.example.org/r4/", SERVER),
        ("https://fhir.example.org:443/r4", SERVER),
        ("https://fhir.example.org./r4", SERVER),
        ("https://fhir.example.org:/r4", SERVER),
        ("http://fhir.example.org:80", "http://fhir.example.org"),
        ("https://klinik-zürich.example/r4", "https://xn--klinik-zrich-klb.example/r4"),
        ("https://ｆｈｉｒ.example.org/r4", SERVER),
        ("http://[0:0::1]:8080", "http://[::1]:8080"),
        ("http://[::ffff:10.0.0.1]/r4", "http://10.0.0.1/r4"),
    ],
)
def test_a_server_has_one_normal_form(written: str, normal: str) -> None:
    """However an EHR writes its server's address, it is the one that was listed."""
    assert normal == read_address(written).url


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ("no web address", "file:///etc/passwd"),
        ("no web address", "gopher://fhir.example.org/r4"),
        ("no web address", "//fhir.example.org/r4"),
        ("no host", "https:///r4"),
        ("user name", "https://fhir.example.org@evil.example/r4"),
        ("user name and password", "https://a:b@fhir.example.org/r4"),
        ("empty user name", "https://@fhir.example.org/r4"),
        ("fragment", "https://evil.example#@fhir.example.org/r4"),
        ("empty fragment", "https://fhir.example.org/r4#"),
        ("query", "https://fhir.example.org/r4?x=1"),
        ("empty query", "https://fhir.example.org/r4?"),
        ("backslash", "https://evil.example\\@fhir.example.org/r4"),
        ("blank", "https://fhir.example.org /r4"),
        ("tab, which URL readers drop", "https://fhir.exam\tple.org/r4"),
        ("line break", "https://fhir.example.org/r4\r\nHost: evil"),
        ("decimal IPv4", "http://2130706433/"),
        ("hexadecimal IPv4", "http://0x7f000001/"),
        ("hexadecimal part", "http://127.0.0.0x1/"),
        ("octal IPv4", "http://0177.0.0.1/"),
        ("short IPv4", "http://127.1/"),
        ("full-width digits, short", "http://１２７.１/"),
        ("IPv4 out of range", "http://256.1.1.1/"),
        ("IPv6 zone", "http://[fe80::1%25eth0]/"),
        ("IPv6 of the future", "http://[v1.x]/"),
        ("half a bracket", "http://[::1/"),
        ("encoded host", "http://%31%32%37.0.0.1/"),
        ("port 0", "https://fhir.example.org:0/r4"),
        ("port too high", "https://fhir.example.org:65536/r4"),
        ("port in words", "https://fhir.example.org:https/r4"),
        ("negative port", "https://fhir.example.org:-443/r4"),
        ("dot segments", "https://fhir.example.org/r4/../admin"),
        ("encoded dot segments", "https://fhir.example.org/r4/%2e%2e/admin"),
        ("encoded slash", "https://fhir.example.org/r4%2fadmin"),
        ("dot segment with a parameter", "https://fhir.example.org/r4/..;/admin"),
        ("one dot with a parameter", "https://fhir.example.org/r4/.;a=b/admin"),
        ("encoded parameter", "https://fhir.example.org/r4/..%3b/admin"),
        ("dots of too many bytes", "https://fhir.example.org/r4/%c0%ae%c0%ae/admin"),
        ("dots in another encoding", "https://fhir.example.org/r4/%u002e%u002e/admin"),
        ("full-width dots", "https://fhir.example.org/r4/%ef%bc%8e%ef%bc%8e/admin"),
        ("three dots", "https://fhir.example.org/r4/.../admin"),
        ("dots with more behind", "https://fhir.example.org/r4/..,/admin"),
        ("backslash in the path", "https://fhir.example.org/r4/..\\admin"),
        ("double dot in the name", "https://fhir..example.org/r4"),
        ("two dots at the end", "https://fhir.example.org../r4"),
        ("endless", "https://fhir.example.org/" + "a" * 8_000),
        ("endless name", "https://" + "ü." * 200 + "example.org/"),
        ("invisible letter", "https://fhir\u200d.example.org/r4"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(words: str, url: str) -> None:
    """No trick of writing leads a call elsewhere than the check looked."""
    with pytest.raises(AddressRefused):
        read_address(url)


@pytest.mark.parametrize(
    ("words", "allowed", "url"),
    [
        ("the same", True, SERVER),
        ("below it", True, f"{SERVER}/tenant-1"),
        ("another scheme", False, "http://fhir.example.org/r4"),
        ("another host", False, "https://fhir.example.com/r4"),
        ("a host that begins alike", False, "https://fhir.example.org.evil.example/r4"),
        ("a host that ends alike", False, "https://evil-fhir.example.org/r4"),
        ("a subdomain", False, "https://a.fhir.example.org/r4"),
        ("another port", False, "https://fhir.example.org:8443/r4"),
        ("a path that begins alike", False, "https://fhir.example.org/r4b"),
        ("above it", False, "https://fhir.example.org"),
    ],
)
def test_scheme_host_port_and_path_must_be_listed(words: str, allowed: bool, url: str) -> None:
    """The token goes to the servers the operator named, and to no neighbour of theirs."""
    address = read_address(url)
    if allowed:
        listed(SERVER).check(address)
    else:
        with pytest.raises(AddressRefused):
            listed(SERVER).check(address)


def test_an_empty_list_allows_nothing() -> None:
    """Out of the box no server is called."""
    assert AllowList().is_empty
    with pytest.raises(AddressRefused):
        AllowList().check(read_address(SERVER))


def test_loopback_is_for_development() -> None:
    """With the flag, every server of this machine may be called; and nothing else is opened."""
    development = AllowList(loopback=True)
    for url in ("http://127.0.0.1:8080/fhir", "http://localhost/fhir", "http://[::1]:1/r4"):
        development.check(read_address(url))
        with pytest.raises(AddressRefused):
            listed(SERVER).check(read_address(url))
    for url in ("http://10.0.0.1/fhir", "http://0.0.0.0/fhir", "http://localhost.evil.example"):
        with pytest.raises(AddressRefused):
            development.check(read_address(url))


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - refused here, not bound to
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::",
        "::1",
        "fe80::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:169.254.169.254",
        "::ffff:a00:1",
        "::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2002:a00:1::",
        "2002:7f00:1::1",
        "2001:0:a00:1:0:0:f5ff:fffe",
        "192.0.0.192",
        "192.88.99.1",
        "fec0::1",
        "3fff::1",
        "5f00::1",
        "::ffff:0:10.0.0.1",
        "64:ff9b:1:a00:1:0:808:808",
    ],
)
def test_a_public_name_never_leads_inside(address: str, names: Names) -> None:
    """Who owns a listed name's DNS record gains no access to the inside of the hospital."""
    names(fhir_example_org=[address])
    with pytest.raises(AddressRefused):
        listed(SERVER).addresses_of(read_address(SERVER))


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07::1", f"64:ff9b::{PUBLIC}"])
def test_a_public_name_leads_to_public_addresses(address: str, names: Names) -> None:
    """An ordinary server in the cloud is called, over IPv4, IPv6, and a translating gateway."""
    names(fhir_example_org=[address])

    assert len(listed(SERVER).addresses_of(read_address(SERVER))) == 1


def test_of_several_addresses_only_public_ones_are_called(names: Names) -> None:
    """An inside address among public ones is left out, not tried second."""
    names(fhir_example_org=[["10.0.0.1", PUBLIC]])

    assert (PUBLIC,) == listed(SERVER).addresses_of(read_address(SERVER))


def test_a_network_can_be_opened_for_listed_names(names: Names) -> None:
    """A hospital's own server has a name and a private address; the operator says which network."""
    names(fhir_example_org=["10.20.3.4"], evil_example=["10.20.3.4"])
    inside = listed(SERVER, networks=(ip_network("10.20.0.0/16"),))

    assert ("10.20.3.4",) == inside.addresses_of(read_address(SERVER))
    with pytest.raises(AddressRefused):
        inside.addresses_of(read_address("https://evil.example/r4"))


def test_a_listed_address_stands_for_itself() -> None:
    """Listing a private address by its numbers is saying so."""
    server = "http://10.1.2.3:8080/fhir"

    assert ("10.1.2.3",) == listed(server).addresses_of(read_address(server))


def test_listing_localhost_is_saying_so(names: Names) -> None:
    """The name localhost means this machine and no other; listed, it needs no flag."""
    names(localhost=["127.0.0.1"])
    server = "http://localhost:8080/fhir"

    assert ("127.0.0.1",) == listed(server).addresses_of(read_address(server))


def test_a_network_opens_translated_addresses(names: Names) -> None:
    """Behind a gateway from IPv6 to IPv4, the network opened is the one reached in the end."""
    names(fhir_example_org=["64:ff9b::10.20.3.4"])
    inside = listed(SERVER, networks=(ip_network("10.20.0.0/16"),))

    assert len(inside.addresses_of(read_address(SERVER))) == 1


def test_a_name_without_address_is_an_error_of_the_network(names: Names) -> None:
    """A name that leads nowhere is told apart from one that must not be called."""
    names()
    with pytest.raises(socket.gaierror):
        listed(SERVER).addresses_of(read_address(SERVER))


@pytest.mark.parametrize(
    ("words", "link", "leads_to"),
    [
        ("absolute", f"{SERVER}?_getpages=a%3D1&b=x|y", f"{SERVER}?_getpages=a%3D1&b=x|y"),
        ("relative to the page", "Condition?page=2", f"{SERVER}/Condition?page=2"),
        ("query only", "?page=2", f"{SERVER}/Condition?page=2"),
        ("the port written out", "https://fhir.example.org:443/r4?p=2", f"{SERVER}?p=2"),
        ("another host", "https://evil.example/r4?p=2", None),
        ("another host without scheme", "//evil.example/r4?p=2", None),
        ("another scheme", "http://fhir.example.org/r4?p=2", None),
        ("another port", "https://fhir.example.org:444/r4?p=2", None),
        ("user name", "https://x@fhir.example.org/r4?p=2", None),
        ("no web address", "javascript:alert(1)", None),
        ("line break", "https://fhir.example.org/r4?p=2\r\nX: y", None),
        ("malformed", "https://[fhir.example.org/r4", None),
        ("dot segment with a parameter", "/r4/..;/admin?p=2", None),
        ("encoded dots", "/r4/%c0%ae%c0%ae/admin", None),
        ("dots in the query", "?page=..;/x%2e", f"{SERVER}/Condition?page=..;/x%2e"),
    ],
)
def test_links_stay_on_their_server(words: str, link: str, leads_to: str | None) -> None:
    """A next page is followed on the same scheme, host and port, and nowhere else."""
    page = read_address(f"{SERVER}/Condition?patient=p1", queried=True)
    if leads_to is None:
        with pytest.raises(AddressRefused):
            page.linked(link)
    else:
        assert leads_to == page.linked(link).url


def test_the_url_called_holds_the_checked_address() -> None:
    """What is connected to is what was checked; the name is left for the certificate."""
    address = read_address("https://fhir.example.org:8443/r4").query_of("Condition?patient=p1")

    assert address.at("::1") == "https://[::1]:8443/r4/Condition?patient=p1"
    assert address.netloc == "fhir.example.org:8443"
    assert FhirAddress("http", "::1", 80).netloc == "[::1]"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FHIR_SERVERS", "https://ok.example.org,https://me:secret@fhir.example.org"),
        ("FHIR_SERVERS", "http://0x7f.1/fhir"),
        ("FHIR_NETWORKS", "10.0.0.1/8"),
        ("FHIR_NETWORKS", "inside"),
    ],
)
def test_a_useless_list_stops_the_start(name: str, value: str) -> None:
    """A wrong entry is found at start, and its secrets are not repeated."""
    with pytest.raises(SettingsError, match=f"BACKPATH_{name}") as refused:
        read_settings({f"BACKPATH_{name}": value})

    assert "secret" not in str(refused.value)


def test_networks_are_read() -> None:
    """Networks are written in CIDR form, separated by commas."""
    settings = read_settings({"BACKPATH_FHIR_NETWORKS": "10.20.0.0/16, fd00:1::/32"})

    assert (ip_network("10.20.0.0/16"), ip_network("fd00:1::/32")) == settings.fhir_networks
