"""Everything Backpath knows, read and checked once before the first request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cards.codes import ICD10CM, LOINC, CodeIndex
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
from cards.facts.vocabulary import FactDefinition, Vocabulary, closure
from cards.pathway import Pathway, State
from cards.recommendation import Recommendation
from cards.recommendation_files import Shared, read_recommendations
from cards.record import HookName

HERE = Path(__file__).parent
HOOKS: tuple[HookName, ...] = ("patient-view", "order-select", "order-sign")
COLUMNS = ("system", "code", "display", "match", "note", "confidence", "source")
ENGINE_FACTS = frozenset({"first_line_card_shown", "row_in_option_set", "parent_card_shown"})
CODED_SCOPES = ("patient", "draft")
PARTS = ("all_of", "any_of", "none_of", "unless", "implies", "implies_on_patient_view")
FACT_MEMBERS = ("from", "value_sets", "window", "yes", "no", "unknown", *PARTS)
KEYS = (
    "patient",
    "conditions",
    "medications",
    "observations",
    "procedures",
    "serviceRequests",
    "encounters",
    "allergies",
    "diagnosticReports",
    "deviceRequests",
)
SOURCE_MEMBERS = ("year", "url", "checked", "facts", "section", "cite")
READ_FROM = frozenset({*KEYS, "draft", "engine"})


@dataclass(frozen=True, slots=True)
class OptionSet:
    """Rows of the first-line card for one pathway and phase; the fallback fits when none does."""

    id: str
    when: tuple[str, ...]
    rows: tuple[str, ...]
    fallback: bool


@dataclass(frozen=True, slots=True)
class StepOrder:
    """The next steps of one pathway, the leading one first."""

    pathway: str
    when: str
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Library:
    """All content, checked.

    Attributes:
        cards: hook → recommendations that may become a card there, in id order.
        about_drafts: ids of recommendations judged once for each draft.
        draft_facts: facts whose answer depends on the draft under evaluation.
        unanswerable: facts all of whose value sets have no codes yet.
        reads: recommendation → prefetch keys its facts rest on.
        loinc_codes: LOINC codes Observations are searched by.
    """

    content_version: str
    recommendations: Mapping[str, Recommendation]
    cards: Mapping[HookName, tuple[Recommendation, ...]]
    about_drafts: frozenset[str]
    vocabulary: Vocabulary
    draft_facts: frozenset[str]
    unanswerable: frozenset[str]
    reads: Mapping[str, frozenset[str]]
    index: CodeIndex
    loinc_codes: tuple[str, ...]
    pathways: tuple[Pathway, ...]
    option_sets: tuple[OptionSet, ...]
    next_step_order: tuple[StepOrder, ...]
    exclusive: tuple[frozenset[str], ...]
    override_reasons: Mapping[str, str]
    sources: Mapping[str, str]
    conflicts: Mapping[str, str]
    imaging_regions: Mapping[tuple[str, str], str]
    key_names: Mapping[str, str]
    disclaimer: str


def load_library(root: Path = HERE) -> Library:
    """Read every content file below ``root``. Raises ContentError with file and line."""
    definitions = root / "definitions"
    value_sets = _value_sets(root / "value_sets")
    vocabulary = _vocabulary(read_yaml(definitions / "facts.yaml"), value_sets)
    shared = Shared(
        vocabulary,
        _exclusion_sets(read_yaml(definitions / "exclusion_sets.yaml"), vocabulary),
        _set_rules(read_yaml(definitions / "set_rules.yaml"), vocabulary),
        read_yaml(definitions / "override_reasons.yaml").value,
        _sources(read_yaml(root / "sources.yaml")),
        read_yaml(root / "conflicts.yaml").value or {},
        value_sets,
    )
    recommendations = read_recommendations(root, shared)
    release = _release(read_yaml(definitions / "release.yaml"))
    draft_facts = _draft_facts(vocabulary)
    return Library(
        content_version=str(release["version"]),
        recommendations=recommendations,
        cards=_cards(recommendations.values()),
        about_drafts=_about_drafts(recommendations.values(), draft_facts),
        vocabulary=vocabulary,
        draft_facts=draft_facts,
        unanswerable=_unanswerable(vocabulary, value_sets),
        reads={r.id: _reads(r, vocabulary) for r in recommendations.values()},
        index=_index(value_sets),
        loinc_codes=_loinc_codes(vocabulary, value_sets),
        pathways=_pathways(root, vocabulary),
        option_sets=_option_sets(definitions / "option_sets.yaml", shared, recommendations),
        next_step_order=_step_order(definitions / "next_step_order.yaml", shared, recommendations),
        exclusive=tuple(
            frozenset(group) for group in read_yaml(definitions / "exclusive.yaml").value
        ),
        override_reasons=shared.override_reasons,
        sources=shared.sources,
        conflicts=shared.conflicts,
        imaging_regions=_regions(definitions),
        key_names=release["key_names"],
        disclaimer=recommendations["provenance-disclaimer"].detail,
    )


def _vocabulary(document: Document, value_sets: Iterable[str]) -> Vocabulary:
    vocabulary = {}
    for name, entry in document.value.items():
        check_members(document, entry, ("ask", "scope"), FACT_MEMBERS, (name,))
        _known(document, (name, "value_sets"), entry.get("value_sets", ()), value_sets)
        _known(document, (name, "from"), entry.get("from", ()), READ_FROM)
        for part in PARTS:
            _known(document, (name, part), entry.get(part, ()), document.value)
        vocabulary[name] = FactDefinition(
            name=name,
            ask=entry["ask"],
            scope=entry["scope"],
            read_from=tuple(entry.get("from", ())),
            **{part: tuple(entry.get(part, ())) for part in ("value_sets", *PARTS)},
        )
        if entry["scope"] != "derived" and name not in FACTS.keys() | ENGINE_FACTS:
            raise document.error(f"no function answers the fact {name!r}", (name,))
    return vocabulary


def _exclusion_sets(document: Document, vocabulary: Vocabulary) -> Mapping[str, list[str]]:
    for name, facts in document.value.items():
        _known(document, (name,), facts, vocabulary)
    sets: Mapping[str, list[str]] = document.value
    return sets


def _set_rules(document: Document, vocabulary: Vocabulary) -> Mapping[str, Mapping[str, list[str]]]:
    rules: Mapping[str, Mapping[str, list[str]]] = document.value or {}
    for name, rule in rules.items():
        check_members(document, rule, ("critical_only_when",), (), (name,))
        _known(document, (name,), rule["critical_only_when"], vocabulary)
    return rules


def _sources(document: Document) -> Mapping[str, str]:
    """Source → the name and year a card shows."""
    for name, entry in document.value.items():
        check_members(document, entry, ("name", "title"), SOURCE_MEMBERS, (name,))
    return {name: entry["name"] for name, entry in document.value.items()}


def _release(document: Document) -> Mapping[str, Any]:
    release: Mapping[str, Any] = document.value
    check_members(document, release, ("version", "status", "key_names"), (), ())
    return release


def _value_sets(folder: Path) -> Mapping[str, tuple[Mapping[str, str], ...]]:
    """Value set → rows. The CPT file may be removed; its sets are then just smaller."""
    sets: dict[str, list[Mapping[str, str]]] = {}
    for path in sorted(folder.glob("*.csv")):
        if path.stem == "cpt":
            continue
        sets[path.stem] = list(read_rows(path, COLUMNS))
    cpt = folder / "cpt.csv"
    if cpt.exists():
        for row in read_rows(cpt, ("value_set", *COLUMNS)):
            sets.setdefault(row["value_set"], []).append(row)
    return {name: tuple(rows) for name, rows in sets.items()}


def _index(value_sets: Mapping[str, tuple[Mapping[str, str], ...]]) -> CodeIndex:
    exact: dict[tuple[str, str], dict[str, str]] = {}
    prefixes: dict[str, dict[str, str]] = {}
    for name, rows in value_sets.items():
        for row in rows:
            code = row["code"]
            if row["system"] == ICD10CM:
                code = code.replace(".", "").upper()
            if row["match"] == "prefix":
                prefixes.setdefault(code, {})[name] = row["note"]
            else:
                exact.setdefault((row["system"], code), {})[name] = row["note"]
    empty = frozenset(name for name, rows in value_sets.items() if not rows)
    return CodeIndex(exact, prefixes, empty)


def _loinc_codes(
    vocabulary: Vocabulary, value_sets: Mapping[str, tuple[Mapping[str, str], ...]]
) -> tuple[str, ...]:
    names = {
        name
        for definition in vocabulary.values()
        if "observations" in definition.read_from
        for name in definition.value_sets
    }
    return tuple(
        sorted(
            {
                row["code"]
                for name in names
                for row in value_sets.get(name, ())
                if row["system"] == LOINC
            }
        )
    )


def _draft_facts(vocabulary: Vocabulary) -> frozenset[str]:
    direct = {
        name
        for name, definition in vocabulary.items()
        if definition.scope == "draft" or "draft" in definition.read_from
    }
    return frozenset(name for name in vocabulary if closure((name,), vocabulary) & direct)


def _unanswerable(
    vocabulary: Vocabulary, value_sets: Mapping[str, tuple[Mapping[str, str], ...]]
) -> frozenset[str]:
    return frozenset(
        name
        for name, definition in vocabulary.items()
        if definition.value_sets
        and definition.scope in CODED_SCOPES
        and not any(value_sets.get(value_set) for value_set in definition.value_sets)
    )


def _names(recommendation: Recommendation) -> tuple[str, ...]:
    return (
        recommendation.trigger.names
        + recommendation.exclusions
        + recommendation.critical_only_when
        + tuple(rule.fact for rule in recommendation.indicator_rules)
        + tuple(n for s in recommendation.suggestions for n in s.when_all + s.when_none)
    )


def _reads(recommendation: Recommendation, vocabulary: Vocabulary) -> frozenset[str]:
    facts = closure(_names(recommendation), vocabulary)
    keys = {key for name in facts for key in vocabulary[name].read_from}
    return frozenset(keys - {"patient", "draft", "engine"})


def _cards(
    recommendations: Iterable[Recommendation],
) -> Mapping[HookName, tuple[Recommendation, ...]]:
    own = sorted((r for r in recommendations if r.render == "card"), key=lambda r: r.id)
    return {hook: tuple(r for r in own if hook in r.hooks) for hook in HOOKS}


def _about_drafts(
    recommendations: Iterable[Recommendation],
    draft_facts: frozenset[str],
) -> frozenset[str]:
    """Red flags are judged once a call even though an order may bring the back-pain context."""
    return frozenset(
        r.id
        for r in recommendations
        if r.merge_group != "red-flag" and set(r.trigger.names) & draft_facts
    )


def _pathways(root: Path, vocabulary: Vocabulary) -> tuple[Pathway, ...]:
    validator = read_schema(root / "schemas" / "pathway.schema.json")
    pathways = []
    for path in sorted((root / "pathways").glob("*.yaml")):
        document = read_yaml(path)
        check_schema(document, validator)
        pathways.append(_pathway(document, vocabulary))
    return tuple(pathways)


def _pathway(document: Document, vocabulary: Vocabulary) -> Pathway:
    content = document.value
    states = []
    for position, state in enumerate(content["states"]):
        when = state["when"]
        for name in [n for names in when.values() for n in names]:
            if name not in vocabulary:
                raise document.error(f"{name!r} is not a fact", ("states", position, "when"))
        criteria = Criteria(*(tuple(when.get(part, ())) for part in ("all", "any", "none")))
        states.append(State(state["id"], state["title"], criteria))
    if content["member"] not in vocabulary:
        raise document.error(f"{content['member']!r} is not a fact", ("member",))
    return Pathway(content["id"], content["title"], content["member"], tuple(states))


def _option_sets(
    path: Path, shared: Shared, recommendations: Mapping[str, Recommendation]
) -> tuple[OptionSet, ...]:
    document = read_yaml(path)
    sets = []
    for position, entry in enumerate(document.value):
        check_members(document, entry, ("id", "when", "rows"), (), (position,))
        _known(document, (position, "when"), entry["when"], shared.vocabulary)
        _known(document, (position, "rows"), entry["rows"], recommendations)
        fallback = entry["id"] == "phase-unknown-fallback"
        sets.append(OptionSet(entry["id"], tuple(entry["when"]), tuple(entry["rows"]), fallback))
    return tuple(sets)


def _step_order(
    path: Path, shared: Shared, recommendations: Mapping[str, Recommendation]
) -> tuple[StepOrder, ...]:
    document = read_yaml(path)
    orders = []
    for position, entry in enumerate(document.value):
        check_members(document, entry, ("pathway", "when", "order"), (), (position,))
        _known(document, (position,), [entry["when"]], shared.vocabulary)
        _known(document, (position, "order"), entry["order"], recommendations)
        orders.append(StepOrder(entry["pathway"], entry["when"], tuple(entry["order"])))
    return tuple(orders)


def _known(
    document: Document, place: tuple[str | int, ...], names: Iterable[str], known: Iterable[str]
) -> None:
    for name in names:
        if name not in known:
            raise document.error(f"{name!r} is not known", place)


def _regions(definitions: Path) -> Mapping[tuple[str, str], str]:
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
