"""The machine a benchmark ran on, and what was installed."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version


def machine(packages: Iterable[str]) -> dict[str, object]:
    """What it is, and the versions of these packages; None for those that are not installed."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version_of(name) for name in packages},
    }


def version_of(package: str) -> str | None:
    """The version installed; None when it is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
