"""Downloading a finished Bulk Data export, going on where an earlier run was stopped."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from service.authorities import own_session
from service.population.bulk_manifest import (
    ListedFile,
    Manifest,
    next_page,
    origin_of,
    read_manifest,
)
from service.population.export import ExportProblem, pieces, read_export
from service.population.lines import lines

TIMEOUT = (10.0, 120.0)
CHUNK = 1 << 18
# How often a file is begun again that broke off while it came.
ATTEMPTS = 4
MOST_PAGES = 1_000
RETRIES = Retry(
    total=5,
    backoff_factor=0.5,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET",),
    raise_on_status=False,
    retry_after_max=120,
)
# Says whose files a folder has, without their URLs: some of them are passwords.
CLAIM = "export-manifest.json"
COUNTED_AT_A_TIME = 1 << 30
# RFC 6750 §2.1 allows less, and some servers issue more; a line break would start a new header.
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """An export that was downloaded.

    Attributes:
        warnings: what may be missing from it, in sentences for people.
    """

    folder: Path
    warnings: tuple[str, ...]


def fetch_export(url: str, into: Path, token: str | None) -> Fetched:
    """Download the files of a finished export; those in the folder already are not asked for.

    Args:
        url: where the server tells the status of the export.
        into: the folder for the files; it is made when there is none.
        token: an access token for the server of the manifest, which no other is ever sent. None
            when the server asks for none.

    Raises:
        ExportProblem: the export is not finished, cannot be had, or is not the one whose files
            the folder holds.
    """
    # urllib3 names addresses in its warnings, and some of them are passwords.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)
    if token and not _TOKEN.fullmatch(token):
        raise ExportProblem("the access token holds characters that no token has")
    with _session() as session:
        source = _Source(session, origin_of(url), token or None)
        manifest = read_manifest(_pages(source, url))
        try:
            into.mkdir(parents=True, exist_ok=True)
            _claim(into, manifest)
            for file in manifest.files:
                if not (into / file.name).exists():
                    _download(source, file, into, needs_token=manifest.needs_token)
        except OSError as problem:
            raise ExportProblem(f"{into} cannot be written: {problem.strerror}") from None
    return Fetched(into, (*_left(manifest), *_miscounted(manifest, into)))


@dataclass(frozen=True, slots=True)
class _Source:
    """The server of the manifest.

    Attributes:
        token: None when there is none.
    """

    session: requests.Session
    origin: tuple[str, str, int]
    token: str | None

    def get(self, url: str, what: str, accept: str, *, with_token: bool) -> requests.Response:
        """The answer of status 200, its body still to be read."""
        at_home = origin_of(url) == self.origin
        headers = {"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": "backpath"}
        if self.token and with_token and at_home:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            response = self.session.get(url, headers=headers, timeout=TIMEOUT, stream=True)
        except requests.RequestException as problem:
            # Its message holds the URL.
            raise ExportProblem(f"{what} cannot be had ({type(problem).__name__})") from None
        if response.status_code != requests.codes.ok:
            response.close()
            raise ExportProblem(f"{what}: {_refusal(response.status_code, at_home=at_home)}")
        return response


def _session() -> requests.Session:
    session = own_session()
    for adapter in session.adapters.values():
        if isinstance(adapter, HTTPAdapter):
            adapter.max_retries = RETRIES
    return session


def _refusal(status: int, *, at_home: bool) -> str:
    match status:
        case 202:
            return "the export is not finished; try again later"
        case 401 | 403 if at_home:
            return f"the server answers {status}; BULK_DATA_TOKEN is not set or not accepted"
        case 401 | 403:
            return f"its server answers {status}; it is not that of the manifest, and gets no token"
        case _:
            return f"the server answers {status}"


def _pages(source: _Source, url: str) -> list[tuple[str, Mapping[str, Any]]]:
    pages: list[tuple[str, Mapping[str, Any]]] = []
    following: str | None = url
    while following is not None:
        if len(pages) == MOST_PAGES:
            raise ExportProblem(f"the manifest has more than {MOST_PAGES} pages")
        page = _page(source, following)
        pages.append((following, page))
        following = next_page(following, page)
    return pages


def _page(source: _Source, url: str) -> Mapping[str, Any]:
    with source.get(url, "the manifest", "application/json", with_token=True) as response:
        try:
            page = json.loads(response.content)
        except requests.RequestException:
            raise ExportProblem("the manifest broke off while it came") from None
        except (ValueError, RecursionError):
            raise ExportProblem("the answer is no manifest: it is not JSON") from None
    if not isinstance(page, dict):
        raise ExportProblem("the answer is no manifest: it is not a JSON object")
    return page


def _claim(into: Path, manifest: Manifest) -> None:
    """Write down whose files the folder is for.

    Raises:
        ExportProblem: it is for another export's, with which these would be mixed.
    """
    files = {file.name: _fingerprint(file.url) for file in manifest.files}
    claim = json.dumps({"transactionTime": manifest.transaction_time, "files": files}).encode()
    path = into / CLAIM
    if not path.exists():
        _place(path, claim)
    elif path.read_bytes() != claim:
        raise ExportProblem(f"{into} holds the files of another export; choose another folder")


def _fingerprint(url: str) -> str:
    """Tells a file from others, whatever signature its URL bears today."""
    return sha256(url.partition("?")[0].encode()).hexdigest()[:16]


def _place(path: Path, content: bytes) -> None:
    partial = _partial(path)
    partial.write_bytes(content)
    partial.replace(path)


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _download(source: _Source, file: ListedFile, into: Path, *, needs_token: bool) -> None:
    path = into / file.name
    accept = "application/fhir+ndjson, application/ndjson;q=0.9, */*;q=0.1"
    for _ in range(ATTEMPTS):
        with source.get(file.url, file.name, accept, with_token=needs_token) as response:
            if _came_whole(response, _partial(path)):
                _partial(path).replace(path)
                return
    raise ExportProblem(f"{file.name} broke off {ATTEMPTS} times while it came")


def _came_whole(response: requests.Response, path: Path) -> bool:
    with path.open("wb") as file:
        try:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
        except requests.RequestException:
            return False
    return True


def _left(manifest: Manifest) -> list[str]:
    listed = {"errors": manifest.errors, "deleted resources": manifest.deleted}
    return [
        f"the manifest lists {count} file(s) of {what}, which are not read"
        for what, count in listed.items()
        if count
    ]


def _miscounted(manifest: Manifest, folder: Path) -> list[str]:
    """Where another number of resources came than the manifest counts."""
    counts = {file.name: file.count for file in manifest.files if file.count is not None}
    if not counts:
        return []
    came: Counter[str] = Counter()
    for piece in pieces(read_export(folder), COUNTED_AT_A_TIME):
        if piece.name in counts:
            came[piece.name] += sum(1 for line in lines(piece) if line)
    return [
        f"{name}: the manifest counts {count} resources, and {came[name]} came"
        for name, count in counts.items()
        if came[name] != count
    ]
