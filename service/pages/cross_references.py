"""What names what in the content: facts, sources, statements, and whom they serve."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from cards.library import HERE, Library
from cards.pathway import Pathway, State
from cards.recommendation import Recommendation
from cards.trace import Trace, trace
from service.pages.change_history import Version, read_changes

Named = TypeVar("Named")


@dataclass(frozen=True, slots=True)
class CrossReferences:
    """What names what.

    Attributes:
        asking: fact → recommendations whose rule or suggestions ask it.
        made_of: fact → facts made of it.
        states: fact → states of pathways that ask it.
        citing: source → recommendations that cite it.
        statements: recommendation → the statements it carries.
        coded: value set → facts that look for it.
        rows: every statement, and what became of it.
        versions: the changes of the content.
    """

    asking: Mapping[str, tuple[Recommendation, ...]]
    made_of: Mapping[str, tuple[str, ...]]
    states: Mapping[str, tuple[tuple[Pathway, State], ...]]
    citing: Mapping[str, tuple[Recommendation, ...]]
    statements: Mapping[str, tuple[Trace, ...]]
    coded: Mapping[str, tuple[str, ...]]
    rows: tuple[Trace, ...]
    versions: tuple[Version, ...]


def cross_references(library: Library) -> CrossReferences:
    """What names what in this content."""
    recommendations = sorted(library.recommendations.values(), key=lambda r: r.title.casefold())
    rows = trace(library)
    definitions = library.vocabulary.values()
    return CrossReferences(
        asking=_by((n, r) for r in recommendations for n in dict.fromkeys(r.facts_asked)),
        made_of=_by((part, d.name) for d in definitions for part in dict.fromkeys(d.parts)),
        states=_by(
            (name, (pathway, state))
            for pathway in library.pathways
            for state in pathway.states
            for name in dict.fromkeys(state.when.names)
        ),
        citing=_by((source, r) for r in recommendations for source in r.sources),
        statements=_by((name, row) for row in rows for name in row.recommendations),
        coded=_by((name, d.name) for d in definitions for name in d.value_sets),
        rows=rows,
        versions=read_changes((HERE / "CHANGELOG.md").read_text(encoding="utf-8")),
    )


def roles_of(
    fact: str, asking: Iterable[Recommendation]
) -> Mapping[str, tuple[Recommendation, ...]]:
    """What a fact does for the recommendations that ask it; each may have several roles."""
    found = {
        "Needs its answer to be shown": [r for r in asking if fact in r.trigger.names],
        "Gets its indicator by it": [
            r for r in asking if any(rule.fact == fact for rule in r.indicator_rules)
        ],
        "Is silenced by a yes": [r for r in asking if fact in r.exclusions + r.critical_only_when],
        "Offers or withholds an order by it": [
            r for r in asking if any(fact in s.when_all + s.when_none for s in r.suggestions)
        ],
    }
    return {role: tuple(those) for role, those in found.items() if those}


def _by(pairs: Iterable[tuple[str, Named]]) -> Mapping[str, tuple[Named, ...]]:
    gathered: defaultdict[str, list[Named]] = defaultdict(list)
    for name, named in pairs:
        gathered[name].append(named)
    return {name: tuple(all_named) for name, all_named in gathered.items()}
