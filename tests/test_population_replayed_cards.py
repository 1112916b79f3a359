"""The replay against the service: an exported synthetic patient gets the cards of the request."""

from __future__ import annotations

from typing import Any

import pytest

from cards.library import Library
from service.patient_record.bundle import entries, kind_of, resource_of
from service.population.rewound import rewound
from service.population.visits import visit_calls
from tests.fixture_cards import Fixture, fixtures
from tests.replayed import (
    a_visit,
    asked,
    delivered,
    has_unread_keys,
    history,
    judged,
)

JSON = dict[str, Any]


def was_stopped_early(fixture: Fixture) -> bool:
    """Whether a drug was stopped within its supply: the replay takes it as running."""
    return any(rewound(one, fixture.as_of) is not one for one in history(fixture))


def has_died(fixture: Fixture) -> bool:
    """Whether the patient had died before the chart was opened: no visit can have been."""
    return "deceasedDateTime" in fixture.request["prefetch"]["patient"]


def is_refused(fixture: Fixture) -> bool:
    """Whether the service refuses the call, for the conditions were not sent."""
    return "status" in fixture.expected


VIEWS = [one for one in fixtures() if one.request["hook"] == "patient-view"]
# An export has no failed searches and no unread pages; and see the other three.
UNLIKE = (has_unread_keys, was_stopped_early, has_died, is_refused)
COMPARABLE = [one for one in VIEWS if not any(differs(one) for differs in UNLIKE)]


@pytest.mark.parametrize("fixture", [pytest.param(one, id=one.name) for one in COMPARABLE])
def test_the_replayed_visit_gets_the_cards_of_the_request(
    fixture: Fixture, library: Library
) -> None:
    """Exported, and replayed at a visit on its own day, a synthetic patient gets the same cards."""
    patient_id = fixture.request["context"]["patientId"]
    calls = visit_calls(patient_id, [*history(fixture), a_visit(fixture)], delivered(fixture))
    (then,) = (c for c in calls if c.day == fixture.as_of and c.hook == "patient-view")

    assert asked(fixture.request, fixture.as_of, library) == judged(then, library)


def test_nearly_all_synthetic_patients_can_be_compared() -> None:
    """A dozen of the two hundred charts opened are unlike an export; of some nothing is known."""
    assert len(COMPARABLE) >= 200
    assert {"silent-deceased"} == {one.name for one in VIEWS if has_died(one)}


def test_a_drug_stopped_early_is_taken_as_running(library: Library) -> None:
    """What no export tells: duloxetine given up within its supply counts as taken to its end."""
    stopped_early = [one for one in VIEWS if was_stopped_early(one)]

    assert stopped_early
    for fixture in stopped_early:
        changed = [one for one in history(fixture) if rewound(one, fixture.as_of) is not one]

        assert {"MedicationRequest"} == {kind_of(one) for one in changed}
        assert {"stopped"} == {one["status"] for one in changed}


def drafts_of(fixture: Fixture) -> list[JSON]:
    return [resource_of(entry) for entry in entries(fixture.request["context"]["draftOrders"])]


SELECTED = [
    one
    for one in fixtures()
    if one.request["hook"] == "order-select"
    and len(drafts_of(one)) == 1
    and drafts_of(one)[0].get("intent") != "plan"
    and not any(differs(one) for differs in (has_unread_keys, was_stopped_early, is_refused))
]


@pytest.mark.parametrize("fixture", [pytest.param(one, id=one.name) for one in SELECTED])
def test_the_replayed_order_gets_the_cards_of_the_request(
    fixture: Fixture, library: Library
) -> None:
    """Signed, completed, exported and replayed, a drafted order gets the cards of the draft."""
    (draft,) = drafts_of(fixture)
    written = {**draft, "authoredOn": fixture.as_of.isoformat()}
    context = {**fixture.request["context"], "draftOrders": {"entry": [{"resource": written}]}}
    told = [*history(fixture), written | {"status": "completed"}]
    calls = visit_calls(context["patientId"], told, delivered(fixture))
    (then,) = (c for c in calls if c.context.get("selections") == context["selections"])

    assert "order-select" == then.hook
    assert asked(fixture.request | {"context": context}, then.day, library) == judged(then, library)
