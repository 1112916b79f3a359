"""The tallies of the fixture patients, as a run over a population would count them.

Each patient-view fixture is a patient with one visit, each order-select fixture an order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any

from cards.answer import Answer
from cards.case import Case
from cards.library import Library, load_library
from service.errors import RequestRefused
from service.hooks import Judgement, find_service, judge
from service.population.report_counts import TallyKey
from tests.fixture_cards import Fixture, fixtures

OPENING, ORDERING = "patient-view", "order-select"
RUN: dict[str, Any] = {
    "input": "synthetic-export",
    "as_of": None,
    "replay": "visits",
    "engine": "local",
    "content_version": "2026.3",
    "version": "0.1.0",
    "pseudonymised": True,
    "files": [
        {"name": "Patient.ndjson.gz", "bytes": 40_960},
        {"name": "Condition.000.ndjson.gz", "bytes": 1_204_224},
    ],
}
TYPES = ("Patient", "Condition", "MedicationRequest", "Observation", "Procedure", "Encounter")


@cache
def fixture_tallies() -> Counter[TallyKey]:
    """What a replay of all fixtures counts; also a few lines and patients that were rejected."""
    library = load_library()
    tallies: Counter[TallyKey] = Counter()
    for fixture in fixtures():
        hook = find_service(fixture.service).hook
        if hook not in (OPENING, ORDERING):
            continue
        for names in _tallied(fixture, hook, library):
            tallies[tuple((*names, "", "", "")[:4])] += 1  # type: ignore[index]
    return tallies + _surroundings(tallies)


def _surroundings(tallies: Counter[TallyKey]) -> Counter[TallyKey]:
    """What fixtures have none of: an export's lines, and patients nobody could judge."""
    without, rejected = 12, tallies["patients", "rejected", "", ""]
    judged = tallies["patients", "judged", "", ""]
    lines = {("lines", "read", kind, ""): 100 * (9 - at) for at, kind in enumerate(TYPES)}
    return Counter(
        {
            ("patients", "in", "", ""): judged + without + rejected,
            ("patients", "without a visit", "", ""): without,
            **lines,
            ("lines", "not needed", "Claim", ""): 420,
            ("lines", "not needed", "ExplanationOfBenefit", ""): 380,
            ("lines", "rejected", "not JSON", ""): 3,
            ("lines", "rejected", "orphan reference", ""): 2,
            ("undated", "Procedure", "", ""): 7,
        }
    )


def _tallied(fixture: Fixture, hook: str, library: Library) -> Iterator[tuple[str, ...]]:
    service = find_service(fixture.service)
    try:
        judgement = judge(fixture.request, service, library, fixture.as_of)
    except RequestRefused:
        if hook == OPENING:
            yield ("patients", "rejected")
        return
    yield ("calls", hook)
    told = [(card["source"]["topic"]["code"], card["indicator"]) for card in judgement.advice.cards]
    if told:
        yield ("calls with cards", hook)
    for name, indicator in told:
        yield ("cards", name, indicator, hook)
    names = sorted({name for name, _ in told})
    yield from (("cards together", *pair) for pair in combinations(names, 2))
    yield from (("failed", name) for name in judgement.advice.errors)
    for reason, count in judgement.dropped.items():
        yield from [("left out", reason)] * count
    if hook == OPENING:
        yield ("patients", "judged")
        yield ("most cards at once", str(len(told)))
        yield from (("patients told", name) for name in names)
        yield from _standing(judgement)
        yield from _checked(judgement, fixture, library)


def _standing(judgement: Judgement) -> Iterator[tuple[str, ...]]:
    advice = judgement.advice
    places = sorted(place.pathway for place in advice.places)
    yield ("pathways at once", str(len(places)))
    yield from (("both pathways", *pair) for pair in combinations(places, 2))
    for place in advice.places:
        yield ("standing", place.pathway, place.state or "", advice.phase)
    if not places:
        yield ("standing", "", "", advice.phase)


def _checked(judgement: Judgement, fixture: Fixture, library: Library) -> Iterator[tuple[str, ...]]:
    assert judgement.record
    yield from (("key", key, state) for key, state in judgement.prefetch.items())
    ask = library.answers(Case(judgement.record, fixture.as_of, factors=library.mme_factors))
    for pathway in library.pathways:
        if ask(pathway.member).answer is Answer.UNKNOWN:
            yield ("membership unknown", pathway.id)
    if not judgement.advice.places:
        return
    yield ("on a pathway",)
    for verdict in judgement.advice.verdicts:
        if verdict.outcome == "unknown":
            yield ("undecided", verdict.id)
            for fact, found in verdict.deciding:
                if found.answer is Answer.UNKNOWN:
                    yield ("undecided because", verdict.id, fact)
