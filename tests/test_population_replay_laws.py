"""Laws of the replay that hold for every history: chance looks for one that breaks them."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.patient_record.bundle import entries, kind_of, resource_of
from service.population.known_then import Moment, known_by
from service.population.rewound import ACTIVE_CONDITION
from service.population.visits import Call
from tests.generated_records import law
from tests.replayed import (
    DAYS,
    entries_of_a_chart,
    histories,
    on_day,
    replayed,
)

JSON = dict[str, Any]


def said(calls: list[Call], before: date) -> list[tuple[str, date, JSON, JSON]]:
    """What the calls made before a day bear, of each element that is there."""
    return [
        (call.hook, call.day, without_absent(call.context), without_absent(call.prefetch))
        for call in calls
        if call.day < before
    ]


def without_absent(value: Any) -> Any:
    """JSON without its null members, which say the same as absent ones."""
    if isinstance(value, list):
        return [without_absent(one) for one in value]
    if isinstance(value, dict):
        return {name: without_absent(one) for name, one in value.items() if one is not None}
    return value


def drafted(call: Call) -> list[JSON]:
    return [resource_of(entry) for entry in entries(call.context["draftOrders"])]


@law(150)
@given(told=histories(), data=st.data())
def test_what_is_learnt_later_never_changes_an_earlier_call(
    told: list[JSON], data: st.DataObject
) -> None:
    """Whatever came to be known from a day on leaves every call before it as it was."""
    first = data.draw(st.integers(1, DAYS + 1))
    later = data.draw(st.lists(entries_of_a_chart("later", first), min_size=1, max_size=5))
    day = date.fromisoformat(on_day(first))
    before = said(replayed(*told), day)

    assert before == said(replayed(*later, *told), day)


@law(100)
@given(told=histories(), day=st.integers(1, 2 * DAYS))
def test_what_ends_later_never_changes_an_earlier_call(told: list[JSON], day: int) -> None:
    """A patient's problems that end on a day were, before it, what they are without an end."""
    active = {"clinicalStatus": ACTIVE_CONDITION, "abatementDateTime": None}
    end = {"clinicalStatus": {"text": "resolved"}, "abatementDateTime": on_day(day)}
    without = [one | active if kind_of(one) == "Condition" else one for one in told]
    ended = [one | end if kind_of(one) == "Condition" else one for one in told]
    last = date.fromisoformat(on_day(day))

    assert said(replayed(*without), last) == said(replayed(*ended), last)


@law(100)
@given(told=histories(), data=st.data())
def test_the_order_of_the_export_does_not_matter(told: list[JSON], data: st.DataObject) -> None:
    """Shuffled, an export gives the same calls in the same order; and nothing of it is changed."""
    shuffled = data.draw(st.permutations(told))
    before = deepcopy(told)

    assert replayed(*told) == replayed(*shuffled)
    assert before == told


@law(150)
@given(told=histories())
def test_each_call_bears_the_chart_of_its_moment(told: list[JSON]) -> None:
    """The chart that grows from call to call is the one each call would be given alone."""
    for call in replayed(*told):
        opened = _moment_of(call, told)
        known = [one for one in known_by(told, opened) if kind_of(one) != "Patient"]
        alone = sorted(repr(one) for one in known if kind_of(one) != "Medication")
        bundles = [value for key, value in call.prefetch.items() if key != "patient"]
        found = [resource_of(entry) for value in bundles for entry in entries(value)]

        assert alone == sorted(repr(one) for one in found if kind_of(one) != "Medication")


def _moment_of(call: Call, told: list[JSON]) -> Moment:
    """When a call was made, looked up in the history itself."""
    if call.hook == "order-select":
        written: str = drafted(call)[0]["authoredOn"]
    else:
        starts = [
            one["period"]["start"]
            for one in told
            if one["resourceType"] == "Encounter"
            and one["status"] == "finished"
            and one["period"]["start"].startswith(call.day.isoformat())
        ]
        written = min(starts, key=lambda start: ("T" not in start, start))
    clock = written.removesuffix("Z").partition("T")[2]
    return Moment(call.day, f"{clock}:00" if len(clock) == 5 else clock)
