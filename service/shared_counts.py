"""The folder in which the processes of one server count as one."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time

# Read by prometheus_client when it is imported, so it is not to be imported before.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "backpath-metrics-"
# Held by the master and its workers while any of them lives, whatever ends the others.
LOCK = "lock"
# In memory where the machine offers it: a full disk would end a process that counts.
IN_MEMORY = Path("/dev/shm")  # noqa: S108 a folder of our own is made in there
YOUNG_SECONDS = 60.0


@contextmanager
def shared_counts() -> Iterator[None]:
    """A new folder to count in, for as long as the server runs.

    Folders of servers that were killed are cleared away first.

    Raises:
        OSError: nothing can be written, neither in memory nor where temporary files go.
    """
    place = passing_place()
    for left in filter(_is_left, place.glob(PREFIX + "*")):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    master = os.getpid()
    with (folder / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.environ[VARIABLE] = str(folder)
        try:
            yield
        finally:
            if os.getpid() == master:  # workers come by here as well when they end
                os.environ.pop(VARIABLE, None)
                shutil.rmtree(folder, ignore_errors=True)


def passing_place() -> Path:
    """Where files that pass with the server are kept."""
    return IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def _is_left(folder: Path) -> bool:
    """Whether nobody counts in there any more; a folder may have been made this moment."""
    with suppress(OSError):
        status = folder.lstat()
        if not _is_ours(status) or time() - status.st_mtime <= YOUNG_SECONDS:
            return False
        lock = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if _is_ours(os.fstat(lock)):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        finally:
            os.close(lock)
    return False


def _is_ours(status: os.stat_result) -> bool:
    """Whether a server of this user may have made it: anybody can put something of that name there.

    A pipe in place of the lock would keep the start waiting for ever.
    """
    kinds = stat.S_ISDIR, stat.S_ISREG
    return status.st_uid == os.getuid() and any(kind(status.st_mode) for kind in kinds)
