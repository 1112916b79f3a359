"""No recommendation is dead: a stored patient fires each, and one change keeps it silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import chain
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.library import Library, load_library
from cards.trace import cannot_fire
from service.app import create_app
from service.settings import Settings
from service.shift import newest_date, shift_days
from tests.fixture_cards import Fixture, fixtures

JSON = dict[str, Any]

LIBRARY = load_library()
# Their value sets have no codes yet, so no record can fire them (bed rest, two kinds of care, and
# the examination of trigger points); with codes they move to the living by themselves.
WITHOUT_CODES = {
    "bed-rest-avoid",
    "mbsr",
    "motor-control-exercise",
    "trigger-point-assessment",
}
# Shown only where the site has asked for it.
TECHNIQUE = "trigger-point-injection-technique"
LIVING = sorted(set(LIBRARY.recommendations) - WITHOUT_CODES - {TECHNIQUE})
# By how many days one entry is moved in search of a near miss, the nearest first.
OTHER_DAYS = (-1, 1, -7, 7, -30, 30, -90, 90, 200, 300, 400)
# Patients tried for a near miss; the first nearly always has one.
PATIENTS_TRIED = 5


@dataclass(frozen=True)
class Call:
    """One request, sent to its service on its day."""

    request: JSON
    service: str
    day: date


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        fired: ids on cards and of the paragraphs in them.
        met: these, and what only the number of cards or rows kept back.
        pathways: of the patient.
    """

    fired: frozenset[str]
    met: frozenset[str]
    pathways: tuple[str, ...]


Send = Callable[[Call], Answer | None]


@dataclass(frozen=True)
class NearMiss:
    """A call that differs from one that fires in one thing, and what that is."""

    change: str
    call: Call


# Sending


def sender(technique: bool = False) -> Send:
    """Posts calls to one application, on the day of each; a refused call is answered None."""
    day = [date.min]
    settings = Settings(
        database_url="sqlite:///:memory:", log_level="error", tpi_technique=technique
    )
    library = None if technique else LIBRARY  # None: as the settings have it
    client = create_app(settings, today=lambda: day[0], library=library).test_client()

    def send(call: Call) -> Answer | None:
        day[0] = call.day
        return post(client, call)

    return send


@pytest.fixture(scope="module")
def send() -> Send:
    """Posts calls to a service with its default settings."""
    return sender()


def post(client: FlaskClient, call: Call) -> Answer | None:
    extension = {**call.request["extension"], "org.backpath.request": {"explain": True}}
    response = client.post(
        f"/cds-services/{call.service}", json={**call.request, "extension": extension}
    )
    return read(response.get_json()) if response.status_code == 200 else None


def read(body: JSON) -> Answer:
    """What a response fired; the disclaimer stands on cards and in no explanation."""
    why = body["extension"]["org.backpath.response"]["explanation"]
    carried = chain.from_iterable(
        card["extension"]["org.backpath.card"]["recommendations"] for card in body["cards"]
    )
    texts = (each["recommendation"] for each in why["recommendations"] if each.get("as") == "text")
    capped = {e["recommendation"] for e in why["recommendations"] if e["outcome"] == "capped"}
    disclaimed = [card for card in body["cards"] if LIBRARY.disclaimer in card["detail"]]
    fired = frozenset({*carried, *texts, *(("provenance-disclaimer",) if disclaimed else ())})
    return Answer(fired, fired | capped, tuple(place["pathway"] for place in why["pathways"]))


# Patients who may fire a recommendation, by the cards written beside their request


@cache
def bearers() -> dict[str, tuple[Call, ...]]:
    """Recommendation → calls whose written cards bear it; HTTP has the last word."""
    found: dict[str, list[Call]] = {}
    for fixture in fixtures():
        for name in written(fixture):
            found.setdefault(name, []).append(
                Call(fixture.request, fixture.service, fixture.as_of)
            )
    return {name: tuple(calls) for name, calls in found.items()}


def written(fixture: Fixture) -> set[str]:
    """Ids on the cards of ``cards.json``, and those whose text is a paragraph of one."""
    cards = fixture.expected.get("cards", [])
    on_cards = {n for c in cards for n in c["extension"]["org.backpath.card"]["recommendations"]}
    texts = (r for r in LIBRARY.recommendations.values() if r.render == "text")
    return on_cards | {r.id for r in texts if any(r.detail in card["detail"] for card in cards)}


# One thing changed


def changes(call: Call) -> Iterator[NearMiss]:
    """The call less one chart entry; with one entry on another day; less one draft."""
    yield from less_an_entry(call)
    yield from an_entry_on_another_day(call)
    yield from less_a_draft(call)


def less_an_entry(call: Call) -> Iterator[NearMiss]:
    for key, bundle in bundles(call):
        for place, entry in enumerate(bundle["entry"]):
            fewer = without(bundle, place)
            yield NearMiss(f"no {told(entry)}", with_prefetch(call, key, fewer))


def an_entry_on_another_day(call: Call) -> Iterator[NearMiss]:
    """The birthday or one entry moved, never to a day that has not come."""
    for days in OTHER_DAYS:
        born = shift_days(call.request["prefetch"]["patient"], days)
        yield NearMiss(f"born {days} days later", with_prefetch(call, "patient", born))
        for key, bundle in bundles(call):
            for place, entry in enumerate(bundle["entry"]):
                moved = shift_days(entry, days)
                newest = newest_date(moved)
                if newest and newest <= call.day:
                    entries = [*bundle["entry"][:place], moved, *bundle["entry"][place + 1 :]]
                    changed = with_prefetch(call, key, {**bundle, "entry": entries})
                    yield NearMiss(f"{told(entry)} {days} days later", changed)


def less_a_draft(call: Call) -> Iterator[NearMiss]:
    context = call.request["context"]
    drafts = context.get("draftOrders", {"entry": []})
    for place, entry in enumerate(drafts["entry"]):
        fewer = {**context, "draftOrders": without(drafts, place)}
        if "selections" in context:
            fewer["selections"] = [each for each in context["selections"] if each != told(entry)]
        yield NearMiss(
            f"no {told(entry)}", replace(call, request={**call.request, "context": fewer})
        )


def bundles(call: Call) -> Iterator[tuple[str, JSON]]:
    for key, sent in call.request["prefetch"].items():
        if sent and sent.get("entry"):
            yield key, sent


def without(bundle: JSON, place: int) -> JSON:
    """The Bundle less one entry; its total, if stated, says so, or it would count as unfinished."""
    entries = bundle["entry"][:place] + bundle["entry"][place + 1 :]
    fewer = {**bundle, "entry": entries}
    return {**fewer, "total": bundle["total"] - 1} if "total" in bundle else fewer


def told(entry: JSON) -> str:
    resource = entry["resource"]
    return f"{resource['resourceType']}/{resource['id']}"


def with_prefetch(call: Call, key: str, value: JSON) -> Call:
    prefetch = {**call.request["prefetch"], key: value}
    return replace(call, request={**call.request, "prefetch": prefetch})


def near_miss(name: str, send: Send) -> NearMiss | None:
    """One change that silences a recommendation while the patient stays on the same pathways."""
    for call in bearers()[name][:PATIENTS_TRIED]:
        answer = send(call)
        assert answer is not None
        for changed in changes(call):
            other = send(changed.call)
            if other and name not in other.met and other.pathways == answer.pathways:
                return changed
    return None


# The tests


@pytest.mark.parametrize("name", LIVING)
def test_a_patient_fires_it_and_a_near_miss_does_not(name: str, send: Send) -> None:
    """A stored patient gets it; the same patient with one thing less or on another day does not.

    The back pain stays what it is, so what silences is a criterion of the recommendation.
    """
    calls = bearers().get(name, ())
    assert calls, "no stored patient fires it"
    for call in calls[:PATIENTS_TRIED]:
        answer = send(call)
        assert answer is not None
        assert name in answer.fired

    assert near_miss(name, send), "nothing silences it"


def test_only_those_without_codes_are_left_out(library: Library) -> None:
    """What cannot fire is what waits for codes; everything else fires somewhere."""
    assert set(cannot_fire(library)) == WITHOUT_CODES
    assert set(bearers()) == set(LIVING)


def test_the_technique_card_waits_for_the_setting(send: Send) -> None:
    """A right injection order brings the technique card where the site wants it, else silence."""
    story = next(each for each in fixtures() if each.name == "injection-all-in-order")
    call = Call(story.request, story.service, story.as_of)
    asked = sender(technique=True)
    silent, shown = send(call), asked(call)

    assert silent is not None
    assert shown is not None
    assert TECHNIQUE not in silent.fired
    assert TECHNIQUE in shown.fired
    assert any(
        (other := asked(miss.call)) and TECHNIQUE not in other.met for miss in changes(call)
    )
