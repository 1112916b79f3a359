"""Where an export lies: in a folder of this machine, or behind a web address."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from service.population.export import ExportProblem

# What needs no Hadoop.
OF_THIS_MACHINE = frozenset({"file", "http", "https"})
# One letter before the colon is a drive of Windows.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")


def is_of_a_store(text: str) -> bool:
    """Whether an address is one of a store that only Hadoop reads, such as ``s3a`` or ``hdfs``."""
    scheme = _SCHEME.match(text)
    return scheme is not None and scheme[1].lower() not in OF_THIS_MACHINE


def input_folder(text: str) -> Path | str:
    """The folder an input names, or the web address as it is.

    Args:
        text: a path, or a URL of ``file``, ``http`` or ``https``.

    Raises:
        ExportProblem: it is the URL of a store that this machine does not read by itself.
    """
    scheme = _SCHEME.match(text)
    if scheme is None:
        return Path(text)
    match scheme[1].lower():
        case "http" | "https":
            return text
        case "file":
            return _local(text)
        case other:
            raise ExportProblem(f"{other}: addresses are read with --engine spark")


def without_secrets(text: str) -> str:
    """An input as it may be written down: of an address neither the user nor the query."""
    if _SCHEME.match(text) is None:
        return text
    parts = urlsplit(text)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _local(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise ExportProblem("a file: address of another machine cannot be read; mount its folder")
    return Path(unquote(parts.path))
