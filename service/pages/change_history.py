"""What a clinician would notice, by version of the content, and whom each change is about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

_VERSION = re.compile(r"## (\d{4}\.\d+)(?: \((.+)\))?")
_AFFECTS = re.compile(r"\s*\*Affects: (.+)\*$")
_NAME = re.compile(r"`([a-z0-9*-]+)`")


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        affects: ids of recommendations, ``*`` standing for any letters.
    """

    text: str
    affects: tuple[str, ...]

    def concerns(self, recommendation: str) -> bool:
        """Whether the change is about this recommendation."""
        return any(fnmatchcase(recommendation, pattern) for pattern in self.affects)


@dataclass(frozen=True, slots=True)
class Version:
    """The changes of one version of the content.

    Attributes:
        status: such as "draft"; empty when nothing is said.
    """

    version: str
    status: str
    changes: tuple[Change, ...]


def read_changes(text: str) -> tuple[Version, ...]:
    """The versions of ``cards/CHANGELOG.md``, newest first.

    Each change is one item of a list; ``*Affects: `id`, `id`*`` at its end names whom it is about.
    """
    versions = []
    for part in re.split(r"(?m)^(?=## )", text)[1:]:
        heading, _, body = part.partition("\n")
        found = _VERSION.match(heading)
        if found:
            items = re.split(r"(?m)^- ", body)[1:]
            versions.append(Version(found[1], found[2] or "", tuple(map(_change, items))))
    return tuple(versions)


def changes_about(recommendation: str, versions: Iterable[Version]) -> tuple[Version, ...]:
    """The versions that changed a recommendation, with what they changed of it."""
    about = (
        Version(v.version, v.status, tuple(c for c in v.changes if c.concerns(recommendation)))
        for v in versions
    )
    return tuple(version for version in about if version.changes)


def _change(item: str) -> Change:
    line = " ".join(item.split())
    affects = _AFFECTS.search(line)
    names = tuple(_NAME.findall(affects[1])) if affects else ()
    return Change(_AFFECTS.sub("", line), names)
