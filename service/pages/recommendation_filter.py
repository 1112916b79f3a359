"""Which recommendations of the list a reader asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cards.library import Library
from cards.recommendation import RANK, Recommendation

LONGEST = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader looks for; empty asks for nothing."""

    text: str = ""
    pathway: str = ""
    hook: str = ""
    indicator: str = ""
    kind: str = ""

    def lets_through(self, recommendation: Recommendation) -> bool:
        """Whether it is what the reader looks for."""
        return (
            _among(self.pathway, recommendation.pathways)
            and _among(self.hook, recommendation.hooks)
            and _among(self.indicator, indicators_of(recommendation))
            and _among(self.kind, (recommendation.kind,))
            and all(word in _words(recommendation) for word in self.text.casefold().split())
        )


def read_filter(asked: Mapping[str, str]) -> Filter:
    """The filter of a query; what it does not know of is left out."""
    return Filter(
        text=asked.get("text", "")[:LONGEST].strip(),
        pathway=asked.get("pathway", ""),
        hook=asked.get("hook", ""),
        indicator=asked.get("indicator", ""),
        kind=asked.get("kind", ""),
    )


def found(wanted: Filter, library: Library) -> tuple[Recommendation, ...]:
    """The recommendations it lets through, by title."""
    through = (r for r in library.recommendations.values() if wanted.lets_through(r))
    return tuple(sorted(through, key=lambda recommendation: recommendation.title.casefold()))


def indicators_of(recommendation: Recommendation) -> tuple[str, ...]:
    """Every indicator its card may have, the loudest first."""
    rules = {rule.indicator for rule in recommendation.indicator_rules}
    return tuple(sorted({recommendation.indicator, *rules}, key=lambda one: -RANK[one]))


def _among(wanted: str, there: tuple[str, ...]) -> bool:
    return not wanted or wanted in there


def _words(recommendation: Recommendation) -> str:
    told = (recommendation.id, recommendation.title, recommendation.summary, recommendation.detail)
    return " ".join(told).casefold()
