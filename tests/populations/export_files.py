"""The files of an export: lines of different patients mixed, in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from random import Random

from tests.populations.bad_lines import BadLine
from tests.populations.parts import SUFFIXES, Part, open_part
from tests.populations.written import Planted

ROOM = 8_192  # lines kept for mixing


class TypeFiles:
    """The files of one resource type; opened by its first line.

    Lines are kept until there is no more room, mixed by seeded chance, and half of them written:
    those of one patient come among others', the early ones mostly first. Whatever is written goes
    to the parts in turn.
    """

    def __init__(self, type_: str, folder: Path, form: str, parts: int, seed: int) -> None:
        self._chance = Random(f"{seed} {type_} order")
        suffix = SUFFIXES[form]
        numbers = [f"{type_}.{number:03}.{suffix}" for number in range(1, parts + 1)]
        self.names = numbers if parts > 1 else [f"{type_}.{suffix}"]
        self._kept: list[bytes] = []
        self._parts: list[Part] = [open_part(folder / name, form) for name in self.names]
        self.counts = [0] * parts
        self._turn = 0
        self._planted: list[tuple[Planted, str | None]] = []
        self._watch = False

    def add(self, lines: Iterable[bytes]) -> None:
        """Take lines of one patient."""
        self._kept.extend(lines)
        if len(self._kept) >= ROOM:
            self._chance.shuffle(self._kept)
            self._write(self._kept[: ROOM // 2])
            del self._kept[: ROOM // 2]

    def watch(self) -> None:
        """From now on there may be planted lines, whose places are to be kept."""
        self._watch = True

    def _write(self, lines: list[bytes]) -> None:
        parts = len(self._parts)
        for place in range(parts):
            own = (self._turn + place) % parts
            share = lines[place::parts]
            if self._watch:
                self._note(share, own)
            self._parts[own].write(share)
            self.counts[own] += len(share)
        self._turn = (self._turn + len(lines)) % parts

    def _note(self, lines: Iterable[bytes], part: int) -> None:
        for number, line in enumerate(lines, self.counts[part] + 1):
            if isinstance(line, BadLine):
                self._planted.append((Planted(self.names[part], number, line.kind), line.twin))

    def close(self) -> None:
        """Write what is kept."""
        self._chance.shuffle(self._kept)
        self._write(self._kept)
        self._kept = []
        for part in self._parts:
            part.close()

    def planted(self) -> list[Planted]:
        """The bad lines by file and line; of a line given twice, not the first."""
        seen: set[str] = set()
        found = []
        for line, twin in sorted(self._planted, key=lambda planted: _place(planted[0])):
            if twin is None or twin in seen:
                found.append(line)
            elif twin:
                seen.add(twin)
        return found


def _place(planted: Planted) -> tuple[str, int]:
    return planted.file, planted.line


class ExportFiles:
    """Every file of an export, by resource type; a context that closes them."""

    def __init__(self, folder: Path, form: str, parts: int, seed: int) -> None:
        self._make: Callable[[str], TypeFiles] = lambda type_: TypeFiles(
            type_, folder, form, parts, seed
        )
        self._types: dict[str, TypeFiles] = {}
        self._open = ExitStack()

    def __enter__(self) -> ExportFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def of(self, type_: str) -> TypeFiles:
        """The files of a resource type."""
        if type_ not in self._types:
            self._types[type_] = self._make(type_)
            self._open.callback(self._types[type_].close)
        return self._types[type_]

    def counts(self) -> dict[str, int]:
        """Lines written to each file."""
        return {
            name: count
            for _, files in sorted(self._types.items())
            for name, count in zip(files.names, files.counts, strict=True)
        }

    def planted(self) -> list[Planted]:
        """Every bad line, by file and line."""
        return [line for _, files in sorted(self._types.items()) for line in files.planted()]
