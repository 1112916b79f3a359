"""What a run leaves out to save time changes nothing.

Charts without a Condition that may make a pathway concern the patient are not judged, and lines
that no fact can see are not carried along.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cards.advise import Advice
from cards.library import Library, load_library
from service.errors import RequestRefused
from service.hooks import judge, service_of_hook
from service.patient_record.bundle import entries, kind_of, resource_of
from service.population.gathered import Gathered
from service.population.gatherer import Gatherer
from service.prefetch import SEARCHES
from tests.fixture_cards import fixtures
from tests.generated_care import views_under_care
from tests.generated_records import TODAY, back_pain_views, law, painless_views
from tests.population_charts import JSON, held
from tests.population_runs import DAY, judged_here
from tests.populations import write_population

VIEWS = [one for one in fixtures() if one.request["hook"] == "patient-view"]
LIBRARY = load_library()


def advice_on(request: JSON, day: date) -> Advice:
    """What the service finds when it looks at everything."""
    return judge(request, service_of_hook(request["hook"]), LIBRARY, day).advice


def resources(request: JSON) -> Iterator[JSON]:
    for key in SEARCHES:
        found = request["prefetch"].get(key) or {}
        yield from (resource_of(entry) for entry in entries(found))


def rows_of(request: JSON, *, whole_orders: bool = False) -> list[tuple[JSON, bool]]:
    """What of a chart is carried along, and whether each may make a pathway concern the patient."""
    subject = {"reference": f"Patient/{request['context']['patientId']}"}
    filed = [{"subject": subject, **one} for one in resources(request)]
    gathered = Gathered("chart.ndjson", 0)
    gatherer = Gatherer(LIBRARY.index, whole_orders=whole_orders)
    gatherer.gather([json.dumps(one).encode() for one in filed], gathered)
    kept = [*gathered.kept.take().to_pylist(), *gathered.medications.take().to_pylist()]
    return [(json.loads(row["body"]), row["telling"]) for row in kept]


def is_told_of(request: JSON) -> bool:
    """Whether a run would judge the chart at all."""
    return any(telling for _, telling in rows_of(request))


def without_noise(request: JSON) -> JSON:
    """The call with what is carried along only."""
    kept: dict[str, list[JSON]] = {key: [] for key in SEARCHES}
    keys = {kind: key for key, kind in SEARCHES.items()} | {"Medication": "medications"}
    for one, _ in rows_of(request):
        kept[keys[kind_of(one)]].append({"resource": one})
    sent = request["prefetch"]
    return request | {
        "prefetch": {
            key: {**value, "entry": kept[key]} if entries(value or {}) and key in kept else value
            for key, value in sent.items()
        }
    }


def says_nothing(advice: Advice) -> bool:
    return not advice.cards and not advice.places and advice.phase == Advice().phase


# Charts that are not judged


def test_charts_not_judged_would_be_shown_nothing(tmp_path: Path) -> None:
    """Of hundreds of patients, those without a telling Condition are on no pathway, nor told."""
    write_population(tmp_path, patients=250, day=DAY)
    everybody = held(tmp_path)
    passed_over = [call for call in map(everybody.call, everybody.patients) if not is_told_of(call)]

    assert 150 < len(passed_over) < 250
    assert all(says_nothing(advice_on(call, DAY)) for call in passed_over)


def test_no_stored_patient_is_passed_over_who_is_shown_something() -> None:
    """Of all the fixtures, odd charts and all, those passed over get no card and no state."""
    passed_over = [one for one in VIEWS if not is_told_of(one.request)]
    told = 0
    for fixture in passed_over:
        try:
            advice = advice_on(fixture.request, fixture.as_of)
        except RequestRefused:
            continue  # as a run rejects the patient
        told += 1

        assert says_nothing(advice), fixture.name
    assert told >= 2


@law(150)
@given(request=painless_views(LIBRARY.index))
def test_however_ill_without_a_bad_back_nothing_is_shown(request: JSON) -> None:
    """Whatever else chance puts on a chart that would be passed over, it bears no card."""
    if not is_told_of(request):
        assert says_nothing(advice_on(request, TODAY))


@law(100)
@given(request=views_under_care())
def test_treatment_alone_shows_nothing(request: JSON) -> None:
    """A chart under care, its telling Conditions taken away, bears no card and no state."""
    kept = [one for one, telling in rows_of(request) if not telling and kind_of(one) == "Condition"]
    conditions = {**request["prefetch"]["conditions"], "entry": [{"resource": c} for c in kept]}
    bare = request | {"prefetch": {**request["prefetch"], "conditions": conditions}}

    assert not is_told_of(bare)
    assert says_nothing(advice_on(bare, TODAY))


# Noise


@law(150)
@given(request=st.one_of(back_pain_views(), views_under_care()))
def test_noise_not_carried_along_changes_nothing(request: JSON) -> None:
    """The cards are the same, word for word, without what no fact can see."""
    full, carried = advice_on(request, TODAY), advice_on(without_noise(request), TODAY)

    assert (full.cards, full.places, full.phase) == (carried.cards, carried.places, carried.phase)


def test_noise_of_the_fixtures_changes_nothing() -> None:
    """The same for every stored chart that is opened."""
    left_out = 0
    for fixture in VIEWS:
        if "status" in fixture.expected:
            continue
        bare = without_noise(fixture.request)
        left_out += len(list(resources(fixture.request))) - len(list(resources(bare)))

        assert (
            advice_on(fixture.request, fixture.as_of).cards == advice_on(bare, fixture.as_of).cards
        ), fixture.name
    assert left_out >= 4


def test_a_replay_judges_charts_without_a_telling_condition_at_orders(
    library: Library, tmp_path: Path
) -> None:
    """An order for the back is judged where no Condition tells of one."""
    write_population(tmp_path / "export", patients=30, day=DAY)
    (tmp_path / "export" / "Condition.ndjson").write_bytes(b"")
    tables = judged_here(tmp_path / "run", tmp_path / "export", library, replay=True)

    assert tables.count("calls", "order-select") > 0
    assert {"order-select"} >= {row["hook"] for row in tables.rows("cards")}
    assert not tables.count("standing", "chronic-low-back-pain")
