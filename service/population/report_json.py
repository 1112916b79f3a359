"""The report for programs; ``report.schema.json`` says what each name means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from service.population.report import Report
from service.population.report_cards import INDICATORS, MOST_NOISY, CardFigures, Fired, Pair
from service.population.report_cautions import cautions
from service.population.report_completeness import Completeness, KeyRead, Named, Undecided
from service.population.report_counts import Share
from service.population.report_pathways import OnPathway, PathwayFigures

JSON = dict[str, Any]
# Told from other forms of the report by whoever reads it; a new one where a name goes or changes.
FORM = 1


def as_json(report: Report) -> JSON:
    """The report for programs: raw counts, and rates rounded to one decimal."""
    run, people, lines = report.run, report.patients, report.lines
    return {
        "form": FORM,
        "run": {
            "input": run.input,
            "asOf": run.as_of,
            "replay": run.replay,
            "engine": run.engine,
            "version": run.version,
            "contentVersion": run.content_version,
            "pseudonymised": run.pseudonymised,
            "files": [{"name": file.name, "bytes": file.bytes} for file in run.files],
        },
        "cautions": [{"text": one.text, "loud": one.loud} for one in cautions(report)],
        "patients": {
            "in": people.came_in,
            "judged": people.judged,
            "withoutVisit": people.without_visit,
            "rejected": people.rejected,
            "addUp": people.add_up,
        },
        "lines": {
            "read": dict(lines.read),
            "notNeeded": dict(lines.not_needed),
            "rejected": dict(lines.rejected),
            "brokenFiles": list(lines.broken),
        },
        "cards": _cards(report.cards),
        "pathways": _pathways(report.pathways),
        "completeness": _completeness(report.completeness),
    }


def _share(share: Share) -> JSON:
    rate = share.in_hundred
    return {
        "number": share.number,
        "of": share.of,
        "inHundred": None if rate is None else round(rate, 1),
    }


def _cards(cards: CardFigures) -> JSON:
    return {
        "visits": cards.visits,
        "orders": cards.orders,
        "byVisits": _share(cards.by_visits),
        "onOpeningsByVisits": _share(cards.on_openings),
        "onOrdersByOrders": _share(cards.on_orders),
        "visitsWithCards": _share(cards.visits_told),
        "ordersWithCards": _share(cards.orders_told),
        "answersWithCards": _share(cards.answers_told),
        "byIndicator": {
            one.indicator: {**_hooks(one.hooks), "byVisits": _share(one.by_visits)}
            for one in cards.urgencies
        },
        "recommendations": [_fired(one) for one in cards.recommendations],
        "noisiest": [one.id for one in cards.recommendations[:MOST_NOISY]],
        "patientsByMostAtOnce": _by_number(cards.most_at_once),
        "patientsWithThreeOrMoreAtOnce": _share(cards.many_at_once),
        "together": _pairs(cards.together),
    }


def _hooks(hooks: Mapping[str, int]) -> JSON:
    onto = {"patient-view": "onOpenings", "order-select": "onOrders"}
    return {onto[hook]: cards for hook, cards in hooks.items()}


def _fired(fired: Fired) -> JSON:
    return {
        "id": fired.id,
        "title": fired.title,
        **_hooks(fired.hooks),
        "byIndicator": {name: fired.indicators[name] for name in INDICATORS},
        "byVisits": _share(fired.by_visits),
        "patientsTold": _share(fired.told),
    }


def _by_number(patients: Mapping[int, int]) -> JSON:
    return {str(number): count for number, count in patients.items()}


def _pairs(pairs: Iterable[Pair]) -> list[JSON]:
    return [{"ids": list(one.ids), "together": _share(one.together)} for one in pairs]


def _pathways(figures: PathwayFigures) -> JSON:
    return {
        "pathways": [_on_pathway(one) for one in figures.pathways],
        "onNone": _share(figures.on_none),
        "patientsByPathwaysAtOnce": _by_number(figures.at_once),
        "both": _pairs(figures.both),
    }


def _on_pathway(one: OnPathway) -> JSON:
    return {
        "id": one.id,
        "title": one.title,
        "patients": _share(one.patients),
        "states": [
            {
                "state": stand.state or None,
                "title": stand.title,
                "patients": _share(stand.patients),
                "phases": dict(stand.phases),
            }
            for stand in one.states
        ],
    }


def _completeness(found: Completeness) -> JSON:
    return {
        "keys": [_key(one) for one in found.keys],
        "openingsOnAPathway": _share(found.on_pathway),
        "checksUndecided": _share(found.checks),
        "undecided": [_undecided(one) for one in found.undecided],
        "membershipUnknown": _named(found.membership),
        "leftOut": dict(found.left_out),
        "undated": dict(found.undated),
        "neverLedACard": _named(found.silent),
        "notAsked": [{"id": one.id, "title": one.title} for one in found.not_asked],
        "failed": _named(found.failed),
    }


def _key(one: KeyRead) -> JSON:
    return {
        "key": one.key,
        "name": one.name,
        "openings": one.openings,
        **one.states,
        "recommendations": one.recommendations,
    }


def _undecided(one: Undecided) -> JSON:
    return {
        "id": one.id,
        "title": one.title,
        "openings": _share(one.openings),
        "because": [
            {"fact": fact.fact, "question": fact.question, "openings": fact.openings}
            for fact in one.because
        ],
    }


def _named(found: Iterable[Named]) -> list[JSON]:
    return [{"id": one.id, "title": one.title, "share": _share(one.share)} for one in found]
