"""The manifest of a finished Bulk Data export: which files it has, and where they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from service.population.export import ExportProblem

DEFAULT_PORTS = {"http": 80, "https": 443}
# Of a file whose resources are of several types, as when an export is organised by patient.
MIXED = "resources"
# What programs differ in reading, so that they disagree on the host.
_DOUBTFUL = re.compile(r"[\x00-\x20\x7f\\]")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file the manifest lists.

    Attributes:
        name: what it is called in the folder, such as ``Condition.2.ndjson``.
        count: how many resources the manifest says it has; None when it does not say.
    """

    name: str
    url: str
    count: int | None

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port of where it lies."""
        return origin_of(self.url)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the server says of an export, all pages of the manifest together.

    Attributes:
        transaction_time: as sent; empty when it does not say.
        needs_token: whether the files are to be asked for with the token.
        files: those with resources, in order.
        errors, deleted: how many files of errors and of deletions it lists beside them.
    """

    transaction_time: str
    needs_token: bool
    files: tuple[ListedFile, ...]
    errors: int
    deleted: int


def read_manifest(pages: list[tuple[str, Mapping[str, Any]]]) -> Manifest:
    """What the pages of a manifest say together.

    Args:
        pages: the URL each came from, and the page; at least one.

    Raises:
        ExportProblem: it is no manifest, or lists no file.

    Source: https://hl7.org/fhir/uv/bulkdata/export.html#response---complete-status
    """
    first = pages[0][1]
    listed = [(base, entry) for base, page in pages for entry in _entries(page)]
    if not listed:
        raise ExportProblem("the manifest lists no file under 'output'")
    return Manifest(
        transaction_time=str(first.get("transactionTime", "")),
        needs_token=first.get("requiresAccessToken") is True,
        files=_named(listed),
        errors=sum(_length(page, "error") for _, page in pages),
        deleted=sum(_length(page, "deleted") for _, page in pages),
    )


def next_page(base: str, page: Mapping[str, Any]) -> str | None:
    """The URL of the manifest's next page; None on the last, as on the only one."""
    links = page.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next":
            return _http_url(base, link, "the next page")
    return None


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a web address.

    Raises:
        ExportProblem: it is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise ExportProblem("an address is not one of http or https") from None
    if not parts.hostname or _DOUBTFUL.search(url):
        raise ExportProblem("an address does not name one host")
    return parts.scheme, parts.hostname, port


def _entries(page: Mapping[str, Any]) -> list[Any]:
    entries = page.get("output")
    if not isinstance(entries, list):
        raise ExportProblem("the answer is no manifest: it has no list 'output'")
    return entries


def _named(listed: list[tuple[str, Any]]) -> tuple[ListedFile, ...]:
    numbers: Counter[str] = Counter()
    files = []
    for place, (base, entry) in enumerate(listed, 1):
        what = f"file {place} of the manifest"
        if not isinstance(entry, dict):
            raise ExportProblem(f"{what} is not described")
        kind = entry.get("type", MIXED)
        if kind != MIXED and not (isinstance(kind, str) and _TYPE.fullmatch(kind)):
            raise ExportProblem(f"{what} has a 'type' that is no resource type")
        numbers[kind] += 1
        count = entry.get("count")
        known = count if isinstance(count, int) and not isinstance(count, bool) else None
        name = f"{kind}.{numbers[kind]}.ndjson"
        files.append(ListedFile(name, _http_url(base, entry, what), known))
    return tuple(files)


def _http_url(base: str, entry: Mapping[str, Any], what: str) -> str:
    url = entry.get("url")
    if not isinstance(url, str) or not url:
        raise ExportProblem(f"{what} has no 'url'")
    try:
        absolute = urljoin(base, url)
    except ValueError:
        raise ExportProblem(f"{what} has no web address") from None
    origin_of(absolute)
    return absolute


def _length(page: Mapping[str, Any], name: str) -> int:
    listed = page.get(name)
    return len(listed) if isinstance(listed, list) else 0
