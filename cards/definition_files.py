"""Definitions that recommendations name: facts, exclusion sets, sources, pathways and the like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cards.content import (
    Document,
    check_members,
    check_schema,
    read_rows,
    read_schema,
    read_yaml,
)
from cards.criteria import Criteria
from cards.facts import FACTS
from cards.facts.vocabulary import FactDefinition, Vocabulary
from cards.pathway import Pathway, State
from cards.record import PREFETCH_KEYS

ENGINE_FACTS = frozenset(
    {
        "first_line_card_shown",
        "row_in_option_set",
        "parent_card_shown",
        "drug_suggestion_shown",
        "tpi_technique_card_on",
    }
)
PARTS = ("all_of", "any_of", "none_of", "unless", "implies", "implies_on_patient_view")
FACT_WORDS = ("window", "yes", "no", "unknown")
FACT_MEMBERS = ("from", "value_sets", *FACT_WORDS, *PARTS)
STATEMENT_COLUMNS = (
    "statement",
    "source",
    "section",
    "text",
    "computable",
    "why",
    "recommendations",
)
SOURCE_MEMBERS = ("year", "url", "checked", "facts", "section", "cite")
CITATION_WORDS = ("name", "title", "year", "url", "checked", "section", "cite")
READ_FROM = frozenset({*PREFETCH_KEYS, "draft", "engine"})


@dataclass(frozen=True, slots=True)
class OptionSet:
    """Rows of the first-line card for one pathway and phase; the fallback fits when none does."""

    id: str
    when: tuple[str, ...]
    rows: tuple[str, ...]
    fallback: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of the digests the content was made from.

    Attributes:
        computable: yes, partly or no: whether a chart can hold what it asks.
        why: what makes it partly or not computable, or what computes it.
        recommendations: ids of the recommendations that carry it.
    """

    id: str
    source: str
    section: str
    text: str
    computable: str
    why: str
    recommendations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Citation:
    """A source the content follows; empty where the file says nothing.

    Attributes:
        name: and year, as a card shows it.
        title: the full citation.
        checked: how much of it was read, and how.
        section: where in it the content stands.
        cite: how it wants to be cited.
        says: what the content takes from it, in brief.
    """

    name: str
    title: str
    year: str = ""
    url: str = ""
    checked: str = ""
    section: str = ""
    cite: str = ""
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepOrder:
    """The next steps of one pathway, the leading one first."""

    pathway: str
    when: str
    order: tuple[str, ...]


def read_vocabulary(
    document: Document, value_sets: Iterable[str], known: Vocabulary = MappingProxyType({})
) -> Vocabulary:
    """The facts of one file, after those already known.

    Raises:
        ContentError: nothing answers a fact, or it is made of a fact that is not there.
    """
    vocabulary = dict(known)
    names = known.keys() | document.value.keys()
    for name, entry in document.value.items():
        check_members(document, entry, ("ask", "scope"), FACT_MEMBERS, (name,))
        _known(document, (name, "value_sets"), entry.get("value_sets", ()), value_sets)
        _known(document, (name, "from"), entry.get("from", ()), READ_FROM)
        for part in PARTS:
            _known(document, (name, part), entry.get(part, ()), names)
        members: dict[str, Any] = {
            part: tuple(entry.get(part, ())) for part in ("value_sets", *PARTS)
        }
        members |= {words: str(entry.get(words, "")).strip() for words in FACT_WORDS}
        vocabulary[name] = FactDefinition(
            name=name,
            ask=entry["ask"],
            scope=entry["scope"],
            read_from=tuple(entry.get("from", ())),
            **members,
        )
        if entry["scope"] != "derived" and name not in FACTS.keys() | ENGINE_FACTS:
            raise document.error(f"no function answers the fact {name!r}", (name,))
    return vocabulary


def read_exclusion_sets(document: Document, vocabulary: Vocabulary) -> Mapping[str, list[str]]:
    """Exclusion set → its facts."""
    for name, facts in document.value.items():
        _known(document, (name,), facts, vocabulary)
    sets: Mapping[str, list[str]] = document.value
    return sets


def read_set_rules(
    document: Document, vocabulary: Vocabulary
) -> Mapping[str, Mapping[str, list[str]]]:
    """Exclusion set → the facts that leave only critical cards standing."""
    rules: Mapping[str, Mapping[str, list[str]]] = document.value or {}
    for name, rule in rules.items():
        check_members(document, rule, ("critical_only_when",), (), (name,))
        _known(document, (name,), rule["critical_only_when"], vocabulary)
    return rules


def read_sources(document: Document) -> Mapping[str, Citation]:
    """Source → its citation."""
    for name, entry in document.value.items():
        check_members(document, entry, ("name", "title"), SOURCE_MEMBERS, (name,))
    return {name: _citation(entry) for name, entry in document.value.items()}


def _citation(entry: Mapping[str, Any]) -> Citation:
    words = {part: str(entry.get(part, "")).strip() for part in CITATION_WORDS}
    return Citation(**words, says=tuple(entry.get("facts", ())))


def read_release(document: Document) -> Mapping[str, Any]:
    """The version of the content, and the plain names of what was read."""
    release: Mapping[str, Any] = document.value
    check_members(document, release, ("version", "status", "key_names"), (), ())
    return release


def read_pathways(
    root: Path, vocabulary: Vocabulary, recommendations: Iterable[str]
) -> tuple[Pathway, ...]:
    """The pathways, each with its states and what follows each of its next steps."""
    validator = read_schema(root / "schemas" / "pathway.schema.json")
    pathways = []
    for path in sorted((root / "pathways").glob("*.yaml")):
        document = read_yaml(path)
        check_schema(document, validator)
        pathways.append(_pathway(document, vocabulary, recommendations))
    return tuple(pathways)


def _pathway(document: Document, vocabulary: Vocabulary, recommendations: Iterable[str]) -> Pathway:
    content = document.value
    _known(document, ("if_not_enough",), content["if_not_enough"], recommendations)
    states = []
    for position, state in enumerate(content["states"]):
        when = state["when"]
        for name in [n for names in when.values() for n in names]:
            if name not in vocabulary:
                raise document.error(f"{name!r} is not a fact", ("states", position, "when"))
        criteria = Criteria(*(tuple(when.get(part, ())) for part in ("all", "any", "none")))
        shows = tuple(state.get("shows", ()))
        _known(document, ("states", position, "shows"), shows, recommendations)
        entry, leaving = state["entry"].strip(), state["exit"].strip()
        states.append(State(state["id"], state["title"], criteria, shows, entry, leaving))
    if content["member"] not in vocabulary:
        raise document.error(f"{content['member']!r} is not a fact", ("member",))
    return Pathway(
        content["id"],
        content["title"],
        content["member"],
        tuple(states),
        content["if_not_enough"],
    )


def read_option_sets(
    path: Path, vocabulary: Vocabulary, recommendations: Iterable[str]
) -> tuple[OptionSet, ...]:
    """Which rows the first-line card offers for which pathway and phase."""
    document = read_yaml(path)
    sets = []
    for position, entry in enumerate(document.value):
        check_members(document, entry, ("id", "when", "rows"), (), (position,))
        _known(document, (position, "when"), entry["when"], vocabulary)
        _known(document, (position, "rows"), entry["rows"], recommendations)
        fallback = entry["id"] == "phase-unknown-fallback"
        sets.append(OptionSet(entry["id"], tuple(entry["when"]), tuple(entry["rows"]), fallback))
    return tuple(sets)


def read_step_order(
    path: Path, vocabulary: Vocabulary, recommendations: Iterable[str]
) -> tuple[StepOrder, ...]:
    """The next steps of each pathway, the most specific pathway first."""
    document = read_yaml(path)
    orders = []
    for position, entry in enumerate(document.value):
        check_members(document, entry, ("pathway", "when", "order"), (), (position,))
        _known(document, (position,), [entry["when"]], vocabulary)
        _known(document, (position, "order"), entry["order"], recommendations)
        orders.append(StepOrder(entry["pathway"], entry["when"], tuple(entry["order"])))
    return tuple(orders)


def read_statements(path: Path) -> tuple[Statement, ...]:
    """The statements of the digests, each with the recommendations that carry it."""
    return tuple(
        Statement(
            row["statement"],
            row["source"],
            row["section"],
            row["text"],
            row["computable"],
            row["why"],
            tuple(row["recommendations"].split(" ")),
        )
        for row in read_rows(path, STATEMENT_COLUMNS)
    )


def read_imaging_regions(definitions: Path) -> Mapping[tuple[str, str], str]:
    """(system, imaging code) → spine region. The CPT file may be removed."""
    files = ("imaging_regions.yaml", "imaging_regions_cpt.yaml")
    return {
        (system, str(code)): region
        for name in files
        if (definitions / name).exists()
        for region, systems in (read_yaml(definitions / name).value or {}).items()
        for system, codes in systems.items()
        for code in codes
    }


def _known(
    document: Document, place: tuple[str | int, ...], names: Iterable[str], known: Iterable[str]
) -> None:
    for name in names:
        if name not in known:
            raise document.error(f"{name!r} is not known", place)
