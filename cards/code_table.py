"""The code index as it is kept: codes that belong to the same value sets stand together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from sys import intern

from cards.codes import CodeIndex

Sets = Mapping[str, str]
"""Value set → note."""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """What a ``CodeIndex`` says, each combination of value sets said once.

    Thousands of codes share a few hundred combinations; in the index made of this table they share
    one mapping each.

    Attributes:
        exact: value sets, a system, and its codes that belong to just these sets.
        prefixes: value sets, and the prefixes that belong to just these sets.
    """

    exact: tuple[tuple[Sets, str, tuple[str, ...]], ...]
    prefixes: tuple[tuple[Sets, tuple[str, ...]], ...]
    empty: frozenset[str]
    complete: bool


def code_table(index: CodeIndex) -> CodeTable:
    """The table that says what an index says."""
    systems: dict[str, dict[str, Sets]] = {}
    for (system, code), sets in index.exact.items():
        systems.setdefault(system, {})[code] = sets
    return CodeTable(
        tuple(
            (sets, system, codes)
            for system, its_codes in systems.items()
            for sets, codes in _by_sets(its_codes)
        ),
        tuple(_by_sets(index.prefixes)),
        index.empty,
        index.complete,
    )


def _by_sets(codes: Mapping[str, Sets]) -> Iterable[tuple[Sets, tuple[str, ...]]]:
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for code, sets in codes.items():
        found.setdefault(tuple(sets.items()), []).append(code)
    return ((dict(sets), tuple(together)) for sets, together in found.items())


def code_index(table: CodeTable) -> CodeIndex:
    """The index a table was made of."""
    exact = {}
    for sets, name, codes in table.exact:
        system = intern(name)
        for code in codes:
            exact[system, code] = sets
    prefixes = {prefix: sets for sets, together in table.prefixes for prefix in together}
    return CodeIndex(exact, prefixes, table.empty, table.complete)
