"""No recommendation is dead: a stored patient fires each, and one change keeps it silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, product
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
# the examination of trigger points).
WITHOUT_CODES = {
    "bed-rest-avoid",
    "mbsr",
    "motor-control-exercise",
    "trigger-point-assessment",
}
# Shown only where the site has asked for it.
TECHNIQUE = "trigger-point-injection-technique"
LIVING = sorted(set(LIBRARY.recommendations) - WITHOUT_CODES - {TECHNIQUE})
# How one entry is moved in search of a near miss: by so many days, then to so many days ago.
MOVED_BY = (-1, 1, -30, 30)
MOVED_TO = (10, 40, 100)
# Patients tried for a near miss.
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
    """A call that differs in one thing from one that fires, and what that is."""

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


# Patients who fire a recommendation


@dataclass(frozen=True)
class Story:
    """A stored call and what it is answered with."""

    call: Call
    answer: Answer


@pytest.fixture(scope="module")
def stories(send: Send) -> dict[str, list[Story]]:
    """Recommendation → the stored patients who fire it; every one of them is asked once."""
    found: dict[str, list[Story]] = {}
    for fixture in fixtures():
        call = stored(fixture)
        answer = send(call)
        if answer is None:
            continue
        for name in answer.fired:
            found.setdefault(name, []).append(Story(call, answer))
    return found


def stored(fixture: Fixture) -> Call:
    return Call(fixture.request, fixture.service, fixture.as_of)


# One thing changed


def less_an_entry(call: Call) -> Iterator[NearMiss]:
    for key, bundle in bundles(call):
        for place, entry in enumerate(bundle["entry"]):
            fewer = without(bundle, place)
            yield NearMiss(f"no {told(entry)}", with_prefetch(call, key, fewer))


def an_entry_on_another_day(call: Call) -> Iterator[NearMiss]:
    """The birthday or one entry moved, never to a day that has not come."""
    for days in MOVED_BY:
        born = shift_days(call.request["prefetch"]["patient"], days)
        yield NearMiss(f"born {days} days later", with_prefetch(call, "patient", born))
    for key, bundle in bundles(call):
        for place, entry in enumerate(bundle["entry"]):
            for days in other_days(entry, call.day):
                entries = [*bundle["entry"]]
                entries[place] = shift_days(entry, days)
                moved = with_prefetch(call, key, {**bundle, "entry": entries})
                yield NearMiss(f"{told(entry)} {days} days later", moved)


def other_days(entry: JSON, today: date) -> list[int]:
    """By how many days an entry may be moved; none for an entry without a date."""
    newest = newest_date(entry)
    if newest is None:
        return []
    age = (today - newest).days
    return [days for days in (*MOVED_BY, *(age - ago for ago in MOVED_TO)) if days <= age]


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


CHANGES = (less_an_entry, an_entry_on_another_day, less_a_draft)


def near_miss(name: str, stories: Sequence[Story], send: Send) -> NearMiss | None:
    """One change that silences a recommendation while the patient stays on the same pathways."""
    for change, story in product(CHANGES, stories):
        for changed in change(story.call):
            other = send(changed.call)
            if other and name not in other.met and other.pathways == story.answer.pathways:
                return changed
    return None


# The tests


@pytest.mark.parametrize("name", LIVING)
def test_a_patient_fires_it_and_a_near_miss_does_not(
    name: str, stories: dict[str, list[Story]], send: Send
) -> None:
    """A stored patient gets it; the same patient with one thing less or on another day does not.

    The back pain stays what it is, so what silences is a criterion of the recommendation.
    """
    fired_by = stories.get(name, [])

    assert fired_by, "no stored patient fires it"
    assert near_miss(name, fired_by[:PATIENTS_TRIED], send), "no small change silences it"


def test_only_those_without_codes_are_left_out(
    library: Library, stories: dict[str, list[Story]]
) -> None:
    """What cannot fire is what waits for codes; everything else fires somewhere."""
    assert set(cannot_fire(library)) == WITHOUT_CODES
    assert set(stories) == set(LIVING)


def test_the_technique_card_waits_for_the_setting(send: Send) -> None:
    """A right injection order brings the technique card where the site wants it, else silence."""
    call = stored(next(each for each in fixtures() if each.name == "injection-all-in-order"))
    asked = sender(technique=True)
    silent, shown = send(call), asked(call)

    assert silent is not None
    assert shown is not None
    assert TECHNIQUE not in silent.met
    assert TECHNIQUE in shown.fired
    assert near_miss(TECHNIQUE, [Story(call, shown)], asked)
