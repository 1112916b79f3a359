"""The summed tallies of a run, asked by kind, and shares of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

# The kind, and up to three names within it; "" where a kind has fewer.
TallyKey = tuple[str, str, str, str]
Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A number out of a whole, or by it: patients of all patients, cards by visits."""

    number: int
    of: int

    @property
    def in_hundred(self) -> float | None:
        """The number for each hundred of the whole; None when there is no whole."""
        return 100 * self.number / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Counts:
    """Summed tallies.

    Attributes:
        tallies: (kind, first, second, third) → count.
        kinds: kind → its names with their counts.
    """

    tallies: Mapping[TallyKey, int]
    kinds: Mapping[str, Mapping[Names, int]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Lay the tallies out by kind, so that no question has to look at all of them."""
        kinds: dict[str, dict[Names, int]] = {}
        for (kind, *names), count in self.tallies.items():
            kinds.setdefault(kind, {})[tuple(names)] = count
        object.__setattr__(self, "kinds", kinds)

    def total(self, kind: str, *names: str) -> int:
        """The sum over a kind, of what begins with these names."""
        return sum(
            count for each, count in self.kinds.get(kind, {}).items() if each[: len(names)] == names
        )

    def by(self, kind: str, *places: int) -> dict[Names, int]:
        """The sums over a kind by the names in these places, the largest first."""
        sums: Counter[Names] = Counter()
        for names, count in self.kinds.get(kind, {}).items():
            sums[tuple(names[place] for place in places)] += count
        return dict(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))

    def within(self, kind: str, first: str) -> dict[str, int]:
        """The sums by the second name of what has this first name, the largest first."""
        return {
            names[1]: count for names, count in self.by(kind, 0, 1).items() if names[0] == first
        }
