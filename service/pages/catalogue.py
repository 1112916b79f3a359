"""The catalogue: everything the content says, as pages generated from it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, Response, request

from cards.library import HERE, HOOKS, Library
from cards.pathway import Pathway
from cards.recommendation import RANK, Recommendation
from cards.trace import cannot_fire
from cards.value_set_files import read_value_set
from service.house import house
from service.pages import rule_words
from service.pages.card_text import as_html
from service.pages.change_history import changes_about
from service.pages.cross_references import CrossReferences, roles_of
from service.pages.diagram import pathway_diagram
from service.pages.frame import keep, missing, page
from service.pages.kept_pages import kept_pages, once
from service.pages.offers import offers_of, system_name
from service.pages.recommendation_filter import Filter, found, indicators_of, read_filter

KINDS = ("warning", "suggestion", "information")
CODES_SHOWN = 30
CODES_A_PAGE = 500
LONGEST_QUERY = 100

catalogue = Blueprint("catalogue", __name__)


@catalogue.get("/recommendations")
def recommendations() -> Response:
    """All recommendations, or those a reader looks for."""
    library, wanted = house().library, read_filter(request.args)
    return keep(
        page(
            "recommendations.html",
            wanted=wanted,
            found=found(wanted, library),
            indicators_of=indicators_of,
            hooks=rule_words.HOOKS,
            indicators=tuple(RANK),
            kinds=KINDS,
        )
    )


@catalogue.get("/recommendations/<name>")
def recommendation(name: str) -> Response:
    """One recommendation: its rule in English, its wording, whom it serves and what it rests on."""
    library = house().library
    one = library.recommendations.get(name)
    if one is None:
        return missing("recommendation")
    return once("recommendation.html", lambda: _about(one, library, kept_pages().references))


def _about(one: Recommendation, library: Library, references: CrossReferences) -> dict[str, Any]:
    vocabulary = library.vocabulary
    return {
        "one": one,
        "detail": as_html(one.detail),
        "brief": as_html(one.brief) if one.brief != one.detail else None,
        "indicators": indicators_of(one),
        "rule": rule_words.rule_of(one, vocabulary),
        "offers": offers_of(one, vocabulary),
        "patients": rule_words.patients_of(one, vocabulary),
        "pathways": [p for p in library.pathways if p.id in one.pathways],
        "hooks": [rule_words.HOOKS[hook] for hook in HOOKS if hook in one.hooks],
        "render": rule_words.RENDERS[one.render],
        "expected": rule_words.EXPECTED,
        "citations": {name: library.citations[name] for name in one.sources},
        "conflicts": [library.conflicts[name] for name in one.conflicts],
        "reasons": {code: library.override_reasons[code] for code in one.override_reasons},
        "not_found": {vocabulary[fact].ask: words for fact, words in one.not_found.items()},
        "reads": sorted(library.key_names.get(key, key) for key in library.reads[one.id]),
        "together": _together(one, library),
        "uncoded": sorted(cannot_fire(library).get(one.id, ())),
        "statements": references.statements.get(one.id, ()),
        "history": changes_about(one.id, references.versions),
    }


def _together(one: Recommendation, library: Library) -> list[Recommendation]:
    """What becomes one card with it, should both be due."""
    group = one.merge_group
    others = (r for r in library.recommendations.values() if group and r.merge_group == group)
    return [other for other in others if other is not one]


@catalogue.get("/pathways")
def pathways() -> Response:
    """All pathways."""
    library = house().library
    asks = {p.id: library.vocabulary[p.member].ask for p in library.pathways}
    return once("pathways.html", lambda: {"pathways": library.pathways, "asks": asks})


@catalogue.get("/pathways/<name>")
def pathway(name: str) -> Response:
    """One pathway: its states drawn, and what brings a patient into each."""
    library = house().library
    one = next((p for p in library.pathways if p.id == name), None)
    if one is None:
        return missing("pathway")
    return once("pathway.html", lambda: _states(one, library))


def _states(one: Pathway, library: Library) -> dict[str, Any]:
    vocabulary = library.vocabulary
    earliest_first = tuple(reversed(one.states))
    return {
        "one": one,
        "member": vocabulary[one.member],
        "diagram": pathway_diagram(one, library),
        "states": [(s, rule_words.conditions(s.when, vocabulary)) for s in earliest_first],
        "steps": library.recommendations,
        "orders": [each for each in library.next_step_order if each.pathway == one.id],
    }


@catalogue.get("/facts")
def facts() -> Response:
    """All facts, or those a reader looks for."""
    vocabulary, references = house().library.vocabulary, kept_pages().references
    text = request.args.get("text", "")[:LONGEST_QUERY].strip()
    scope = request.args.get("scope", "")
    words = text.casefold().split()
    matching = [
        one
        for one in vocabulary.values()
        if (not scope or one.scope == scope)
        and all(word in f"{one.name} {one.ask}".casefold() for word in words)
    ]
    return keep(
        page(
            "facts.html",
            facts=sorted(matching, key=lambda one: one.ask.casefold()),
            asking=references.asking,
            text=text,
            scope=scope,
            scopes=rule_words.SCOPES,
        )
    )


@catalogue.get("/facts/<name>")
def fact(name: str) -> Response:
    """One fact: what it asks, where it looks, and who asks it."""
    library = house().library
    one = library.vocabulary.get(name)
    if one is None:
        return missing("fact")
    references = kept_pages().references
    return once(
        "fact.html",
        lambda: {
            "one": one,
            "scope": rule_words.SCOPES[one.scope],
            "reads": [library.key_names.get(key, key) for key in one.read_from],
            "made": rule_words.made_of(one, library.vocabulary),
            "implied": [library.vocabulary[each] for each in one.implies],
            "made_of": [library.vocabulary[each] for each in references.made_of.get(name, ())],
            "roles": roles_of(name, references.asking.get(name, ())),
            "states": references.states.get(name, ()),
            "sets": {each: read_value_set(HERE / "value_sets", each) for each in one.value_sets},
            "most": CODES_SHOWN,
            "system_name": system_name,
        },
    )


@catalogue.get("/value-sets/<name>")
def value_set(name: str) -> Response:
    """The codes of one value set, so many a page."""
    references = kept_pages().references
    if name not in references.coded:
        return missing("value set")
    rows = read_value_set(HERE / "value_sets", name)
    pages = max(1, -(-len(rows) // CODES_A_PAGE))
    number = min(max(request.args.get("page", 1, type=int), 1), pages)
    return keep(
        page(
            "value_set.html",
            name=name,
            count=len(rows),
            rows=rows[(number - 1) * CODES_A_PAGE : number * CODES_A_PAGE],
            number=number,
            pages=pages,
            facts=[house().library.vocabulary[each] for each in references.coded[name]],
            system_name=system_name,
        )
    )


@catalogue.get("/sources")
def sources() -> Response:
    """All sources."""
    citations, citing = house().library.citations, kept_pages().references.citing
    return once("sources.html", lambda: {"citations": citations, "citing": citing})


@catalogue.get("/sources/<name>")
def source(name: str) -> Response:
    """One source: its citation, and what cites it."""
    library = house().library
    one = library.citations.get(name)
    if one is None:
        return missing("source")
    citing = kept_pages().references.citing.get(name, ())
    return once("source.html", lambda: {"name": name, "one": one, "citing": citing})


@catalogue.get("/trace")
def statements() -> Response:
    """What became of each statement of the digests: the counts, and the rows of one digest."""
    rows = kept_pages().references.rows
    digests = sorted({row.source for row in rows})
    wanted = request.args.get("source", "")
    if wanted and wanted not in digests:
        return missing("digest")
    return keep(
        page(
            "trace.html",
            digests=digests,
            statuses=sorted({row.status for row in rows}),
            counts=Counter((row.source, row.status) for row in rows),
            total=len(rows),
            wanted=wanted,
            rows=[row for row in rows if row.source == wanted],
            uncoded=cannot_fire(house().library),
        )
    )


@catalogue.get("/changes")
def changes() -> Response:
    """What a clinician would notice, by version."""
    versions = kept_pages().references.versions
    by_title = found(Filter(), house().library)
    return once("changes.html", lambda: {"versions": versions, "all": by_title, "as_html": as_html})
