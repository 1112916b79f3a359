"""The clinical codes patients are made of: ``clinical.csv``, each row a code known elsewhere here.

``each``, ``daily`` and ``days`` are a drug's: tablets at a time, times a day, days supplied.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random


@dataclass(frozen=True, slots=True)
class Code:
    """One row of ``clinical.csv``.

    Attributes:
        each: tablets at a time; None for what is no drug with a usual dose.
    """

    system: str
    code: str
    display: str
    each: int | None = None
    daily: int | None = None
    days: int | None = None

    @property
    def is_drug(self) -> bool:
        """Whether RxNorm names it."""
        return self.system.endswith("/rxnorm")


@cache
def catalogue() -> Mapping[str, Sequence[Code]]:
    """Group → its codes."""
    found: dict[str, list[Code]] = defaultdict(list)
    with (Path(__file__).parent / "clinical.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            dose = (int(row[name]) if row[name] else None for name in ("each", "daily", "days"))
            found[row["group"]].append(Code(row["system"], row["code"], row["display"], *dose))
    return found


@cache
def groups_of() -> Mapping[tuple[str, str], set[str]]:
    """System and code → the groups it is in."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for group, codes in catalogue().items():
        for code in codes:
            found[code.system, code.code].add(group)
    return found


def code_of(group: str, chance: Random) -> Code:
    """A code of a group."""
    return chance.choice(catalogue()[group])


def drugs() -> list[Code]:
    """Every drug, once."""
    return [code for codes in catalogue().values() for code in codes if code.is_drug]
