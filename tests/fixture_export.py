"""The synthetic patients of the fixtures as one export, all of them moved to one day."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from functools import cache

from service.patient_record.bundle import entries, resource_of
from service.prefetch import SEARCHES
from service.shift import shift_to
from tests.fixture_cards import Fixture, fixtures
from tests.population_charts import JSON
from tests.replayed import has_unread_keys


def is_whole(fixture: Fixture) -> bool:
    """Whether a chart is opened of which all is known: an export has no failed searches."""
    return (
        fixture.request["hook"] == "patient-view"
        and "status" not in fixture.expected
        and set(SEARCHES) <= set(fixture.request["prefetch"])
        and not has_unread_keys(fixture)
        and set(fixture.request["context"]) == {"userId", "patientId"}
    )


@cache
def whole_requests(day: date) -> tuple[JSON, ...]:
    """The requests of the fixtures, moved to a day, each about a patient of another name."""
    return tuple(_named(one, shift_to(one.request, day)) for one in fixtures() if is_whole(one))


def _named(fixture: Fixture, request: JSON) -> JSON:
    """A request whose patient bears the name of the fixture, and whose Medications do too."""
    own = request["context"]["patientId"]
    names = {("Patient", own): fixture.name[-64:]}
    for one in _resources(request):
        if one["resourceType"] == "Medication":
            names["Medication", one["id"]] = f"{fixture.name}-{one['id']}"[-64:]
    text = json.dumps(request)
    for (kind, old), new in names.items():
        text = re.sub(rf'{kind}/{re.escape(old)}(?=["/])', f"{kind}/{new}", text)
    renamed: JSON = json.loads(text)
    renamed["context"]["patientId"] = names["Patient", own]
    renamed["prefetch"]["patient"]["id"] = names["Patient", own]
    for one in _resources(renamed):
        if one["resourceType"] == "Medication":
            one["id"] = names["Medication", one["id"]]
    return renamed


def _resources(request: JSON) -> Iterator[JSON]:
    for key in SEARCHES:
        yield from (resource_of(entry) for entry in entries(request["prefetch"][key]))


def lines_of(request: JSON) -> list[JSON]:
    """What an export would hold of a patient: all resources of the prefetch."""
    return [request["prefetch"]["patient"], *filter(_is_of_a_type, _resources(request))]


def _is_of_a_type(resource: JSON) -> bool:
    return bool(resource.get("resourceType"))
