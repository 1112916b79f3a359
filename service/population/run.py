"""One run over a population: what was asked, and the folder that holds what came of it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from service.population.export_place import without_secrets
from service.population.problems import PopulationProblem
from service.population.pseudonym import Pseudonyms, new_salt
from service.population.tables import place, unfinished_of

DESCRIPTION, SALT, LOCK = "run.json", ".salt", ".lock"
# What a run needs until it is finished.
WORK = "work"
TOLD_WITH_VALUES = frozenset(
    {"input", "as_of", "replay", "engine", "mme_factors", "version", "content_version", "duckdb"}
)
OWN_NAMES = frozenset({LOCK, WORK, f".{DESCRIPTION}.unfinished"})


class RunProblem(PopulationProblem):
    """The folder of a run cannot be used, or a process of it was killed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a population.

    Attributes:
        input: where the export is, as asked.
        as_of: the day all charts are opened on; None in a replay, and where any day would do.
        replay: whether each visit and each order is gone through again.
        engine: ``local`` or ``spark``.
        switched_on: facts a setting of the site makes true.
        mme_factors: table of morphine equivalents.
        pseudonymised: whether patients' ids are replaced.
        salt: the key of that; None has one made by chance.
    """

    input: str
    as_of: date | None
    replay: bool = False
    engine: str = "local"
    switched_on: frozenset[str] = frozenset()
    mme_factors: str | None = None
    pseudonymised: bool = False
    salt: bytes | None = field(default=None, repr=False)

    @property
    def described(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "input": without_secrets(self.input),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "replay": "visits" if self.replay else None,
            "engine": self.engine,
            "switched_on": sorted(self.switched_on),
            "mme_factors": self.mme_factors,
            "pseudonymised": self.pseudonymised,
            "salt": Pseudonyms(self.salt).mark if self.salt else None,
        }

    def dated(self, begun: Mapping[str, Any] | None, folder: str) -> Wanted:
        """With a day: that of the run the folder holds, else today; a replay has none.

        Raises:
            RunProblem: its day cannot be read.
        """
        if self.replay or self.as_of:
            return self
        day = begun.get("as_of") if begun else None
        try:
            return replace(self, as_of=date.fromisoformat(day) if day else date.today())
        except (TypeError, ValueError):
            raise RunProblem(f"{folder} holds a run without a day; choose a new folder") from None


def described_by(content: bytes, file: str) -> dict[str, Any]:
    """The description of a run.

    Args:
        content: what its file holds.
        file: the file's name.

    Raises:
        RunProblem: it describes none.
    """
    try:
        described = json.loads(content)
    except ValueError:
        described = None
    if not isinstance(described, dict) or "input" not in described:
        raise RunProblem(f"{file} describes no run; choose a new folder")
    return described


def refuse_others(names: Iterable[str], folder: str) -> None:
    """See that a folder without a run has nothing else either.

    Raises:
        RunProblem: it has.
    """
    if not OWN_NAMES.issuperset(names):
        raise RunProblem(f"{folder} holds other files; choose a new folder")


def see_same(begun: Mapping[str, Any], described: Mapping[str, Any], folder: str) -> None:
    """See that the run a folder holds is one described like this.

    Raises:
        RunProblem: it is another.
    """
    different = [
        _difference(name, begun.get(name), value)
        for name, value in described.items()
        if value != begun.get(name)
    ]
    if different:
        kind = ", ".join(different)
        raise RunProblem(f"{folder} holds a run of another kind ({kind}); choose a new folder")


def _difference(name: str, begun: object, asked: object) -> str:
    """What differs, with what it was and is where that is short."""
    words = name.replace("_", " ")
    short = name in TOLD_WITH_VALUES
    return f"{words}: {begun or 'none'}, not {asked or 'none'}" if short else words


class RunFolder:
    """The folder of a run; only the one who runs it may look inside."""

    def __init__(self, path: Path) -> None:
        """The folder at this path, which need not be there yet."""
        self.path = path
        self.work = path / WORK

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Nobody else runs here meanwhile.

        Raises:
            RunProblem: somebody does, or the folder cannot be made.
        """
        mask = os.umask(0o077)  # for what libraries write here, and other processes
        try:
            with self._locked():
                yield
        finally:
            os.umask(mask)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            if self.path.exists():
                self.description()  # what holds something else is left as it is
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
            lock = (self.path / LOCK).open("w")
        except OSError as problem:
            raise RunProblem(f"{self.path} cannot be written: {problem.strerror}") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunProblem(f"another run is writing to {self.path}") from None
            yield

    def description(self) -> dict[str, Any] | None:
        """What run the folder holds; None when none was begun.

        Raises:
            RunProblem: it holds something else.
        """
        if not self.path.is_dir():
            raise RunProblem(f"{self.path} is a file; choose a folder")
        file = self.path / DESCRIPTION
        if file.exists():
            return described_by(file.read_bytes(), str(file))
        refuse_others((each.name for each in self.path.iterdir()), str(self.path))
        return None

    def begin(self, described: Mapping[str, Any]) -> dict[str, Any]:
        """Note what is run, or see that it is what was begun; what was noted.

        Raises:
            RunProblem: the folder holds another run.
        """
        begun = self.check(described)
        if begun is None:
            write_text(self.path / DESCRIPTION, json.dumps(described, indent=2))
        return dict(begun or described)

    def check(self, described: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """See that a run described like this may go on here; what was begun, if any.

        Raises:
            RunProblem: the folder holds another run.
        """
        begun = self.description()
        if begun is not None:
            see_same(begun, described, str(self.path))
        return begun

    def pseudonyms(self, salt: bytes | None) -> Pseudonyms:
        """What hides the patients of this run.

        Args:
            salt: the user's own; None makes one by chance, which lasts as long as the run is
                unfinished, so that it can go on.
        """
        kept = self.path / SALT
        if salt is None and kept.exists():
            salt = kept.read_bytes()
        if salt is None:
            salt = new_salt()
            write_bytes(kept, salt)
        return Pseudonyms(salt)

    def forget_salt(self) -> None:
        """Let nobody work out the names again."""
        (self.path / SALT).unlink(missing_ok=True)


def write_text(file: Path, text: str) -> None:
    """Write a file that is there as a whole, or not; nobody else may read it."""
    write_bytes(file, text.encode())


def write_bytes(file: Path, content: bytes) -> None:
    """As ``write_text``."""
    unfinished = unfinished_of(file)
    unfinished.write_bytes(content)
    place(unfinished, file)
