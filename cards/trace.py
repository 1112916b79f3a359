"""From each statement of the source digests to what became of it: the traceability matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cards.definition_files import Statement
from cards.library import Library
from cards.recommendation import Recommendation

Status = Literal["encoded", "text only", "not computable", "not yet encoded"]
COLUMNS = (
    "statement",
    "source",
    "section",
    "text",
    "recommendations",
    "facts",
    "examples",
    "status",
    "why",
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One row of the matrix.

    Attributes:
        facts: what the triggers of its recommendations ask.
        examples: how many example patients hold its recommendations to it.
        why: why it is not, or only partly, computed; empty when it is computed whole.
    """

    statement: str
    source: str
    section: str
    text: str
    recommendations: tuple[str, ...]
    facts: tuple[str, ...]
    examples: int
    status: Status
    why: str


def trace(library: Library) -> tuple[Trace, ...]:
    """Every statement with its recommendations, their facts and examples, and its status."""
    return tuple(_trace(statement, library) for statement in library.statements)


def _trace(statement: Statement, library: Library) -> Trace:
    homes = [
        library.recommendations[name]
        for name in statement.recommendations
        if name in library.recommendations
    ]
    status, why = _status(statement, homes, library)
    return Trace(
        statement.id,
        statement.source,
        statement.section,
        statement.text,
        statement.recommendations,
        tuple(dict.fromkeys(name for home in homes for name in home.trigger.names)),
        sum(len(home.examples) for home in homes),
        status,
        why,
    )


def _status(
    statement: Statement, homes: Sequence[Recommendation], library: Library
) -> tuple[Status, str]:
    if not homes:
        return "not yet encoded", f"waits for {', '.join(statement.recommendations)}"
    if statement.computable == "no":
        return "text only", statement.why
    lacking = [uncoded(home, library) for home in homes]
    if all(lacking):
        return "not computable", f"no codes yet: {', '.join(sorted(set().union(*lacking)))}"
    return "encoded", f"in part: {statement.why}" if statement.computable == "partly" else ""


def uncoded(recommendation: Recommendation, library: Library) -> frozenset[str]:
    """Value sets without codes that keep a recommendation from ever firing; empty when it can."""
    needed = (*recommendation.trigger.all, *recommendation.trigger.none)
    silent = frozenset().union(*(_uncoded_sets(name, library) for name in needed))
    options = [_uncoded_sets(name, library) for name in recommendation.trigger.any]
    if options and all(options):
        silent = silent.union(*options)
    return silent


def _uncoded_sets(name: str, library: Library) -> frozenset[str]:
    """The empty value sets that leave a fact unknown for good; empty when it can be answered."""
    definition = library.vocabulary[name]
    if name in library.unanswerable:
        return frozenset(definition.value_sets)
    if definition.any_of:
        options = [_uncoded_sets(part, library) for part in definition.any_of]
        if not all(options):
            return frozenset()
        return frozenset().union(*options)
    parts = definition.all_of + definition.none_of
    return frozenset().union(*(_uncoded_sets(part, library) for part in parts))


def cannot_fire(library: Library) -> dict[str, frozenset[str]]:
    """Recommendations that cannot fire until the named value sets have codes."""
    found = {r.id: uncoded(r, library) for r in library.recommendations.values()}
    return {name: sets for name, sets in sorted(found.items()) if sets}


def as_markdown(rows: Sequence[Trace], library: Library) -> str:
    """The matrix as a page: the counts, what cannot fire yet, and one table row a statement."""
    counts = Counter(row.status for row in rows)
    lines = [
        "# Where each statement went",
        "",
        f"Written by `backpath trace`; content {library.content_version}. {len(rows)} statements: "
        + ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        + ".",
        "",
        "*Encoded*: a rule computes it. *Text only*: it stands in the wording of a card, and the",
        "last column says why no rule can compute it. *Not computable*: the rule is there and",
        "cannot fire until its value sets have codes.",
        "",
        "Cannot fire until coded: "
        + "; ".join(f"`{n}` ({', '.join(sorted(s))})" for n, s in cannot_fire(library).items())
        + ".",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    lines += ["| " + " | ".join(map(_cell, cells(row))) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def cells(row: Trace) -> tuple[str, ...]:
    """The row as text, in the order of ``COLUMNS``."""
    return (
        row.statement,
        row.source,
        row.section,
        row.text,
        ", ".join(row.recommendations),
        ", ".join(row.facts),
        str(row.examples),
        row.status,
        row.why,
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
