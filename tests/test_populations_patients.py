"""Synthetic patients: realistic, valid, and told the same with or without noise in the chart."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from statistics import mean, median
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

from cards.library import Library
from service.hooks import SERVICES, judge
from service.prefetch import SEARCHES
from service.shift import shift_to
from tests.conftest import HOUSE
from tests.generated_care import UNRELATED_CODES
from tests.populations.catalogue import catalogue, groups_of
from tests.populations.chart import Chart, draw_chart
from tests.populations.everyday import ADULT
from tests.populations.surroundings import surroundings

DAY = date(2026, 3, 1)
SEED = 1
Resource = dict[str, Any]
PAINS = (
    "low-back",
    "chronic-low-back",
    "sciatica",
    "mid-back",
    "myofascial",
    "spasm",
    "strain",
    "stenosis",
)
VIEW = SERVICES["back-pain-patient-view"]


@cache
def charts(count: int) -> Sequence[Chart]:
    """The first so many patients."""
    return [draw_chart(number, SEED, DAY) for number in range(count)]


def resources_of(chart: Chart) -> list[Resource]:
    return [json.loads(line) for lines in chart.lines().values() for line in lines]


def view(patient: Resource, entries: Iterable[Resource]) -> Resource:
    """The patient-view call of a chart, the drugs its orders refer to delivered with them."""
    around = {f"{other['resourceType']}/{other['id']}": other for other in surroundings()}
    found: dict[str, list[Resource]] = defaultdict(list)
    for entry in entries:
        found[entry["resourceType"]].append(entry)
        if named := entry.get("medicationReference"):
            found["MedicationRequest"].append(around[named["reference"]])
    answers = {
        key: {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": entry} for entry in found[type_]],
        }
        for key, type_ in SEARCHES.items()
    }
    context = {"userId": "Practitioner/p", "patientId": patient["id"]}
    prefetch = {"patient": patient, **answers}
    return {"hook": "patient-view", "context": context, "prefetch": prefetch}


def cards(request: Resource, library: Library) -> list[Resource]:
    """The cards of a patient-view call on the population's day."""
    return [dict(card) for card in judge(request, VIEW, library, DAY).advice.cards]


def groups(chart: Chart) -> set[str]:
    """The groups of clinical codes a composed chart has entries of."""
    return {
        group
        for entry in chart.matters
        for member in ("code", "medicationCodeableConcept", "codeCodeableConcept")
        for coding in entry.get(member, {}).get("coding", ())
        for group in groups_of().get((coding["system"], coding.get("code")), ())
    }


# Realistic


def test_charts_are_as_long_as_real_ones() -> None:
    """Half hold fewer than some 80 resources, a few two thousand; most are Observations."""
    found = [
        [len(line) for line in lines] for chart in charts(800) for lines in chart.lines().values()
    ]
    lengths = [sum(map(len, chart.lines().values())) for chart in charts(800)]
    observations = sum(len(chart.lines()["Observation"]) for chart in charts(800))
    sizes = [size for line_sizes in found for size in line_sizes]

    assert 70 <= median(lengths) <= 95
    assert 130 <= mean(lengths) <= 170
    assert 1_500 <= max(lengths) <= 2_100
    assert 0.55 <= observations / sum(lengths) <= 0.7
    assert 1_000 <= mean(sizes) <= 1_200


def test_people_are_of_all_ages() -> None:
    """A fifth are children, a sixth to a fifth are over 65, half are women."""
    people = [chart.person for chart in charts(4_000)]

    assert 0.18 <= mean(person.age < ADULT for person in people) <= 0.25
    assert 0.14 <= mean(person.age >= 65 for person in people) <= 0.22
    assert 0.47 <= mean(person.female for person in people) <= 0.55
    assert max(person.age for person in people) <= 95


def test_about_a_seventh_of_adults_have_had_back_pain() -> None:
    """Some 15 % of adults have it on record; children and most adults do not."""
    adults = [chart for chart in charts(4_000) if chart.person.age >= ADULT]
    hurting = [chart for chart in adults if chart.fixture or groups(chart) & set(PAINS)]

    assert 0.12 <= len(hurting) / len(adults) <= 0.18
    assert 0.15 <= mean(chart.fixture is not None for chart in hurting) <= 0.45


def test_every_hazard_and_step_occurs() -> None:
    """Each group of clinical codes is met in a few thousand patients, the rare ones rarely."""
    found = Counter(group for chart in charts(12_000) for group in groups(chart))

    # Written down as a delivery date, so the status itself is left to the stored patients.
    assert set(catalogue()) - {"pregnancy-status"} <= set(found)
    assert found["cauda-equina"] < found["opioid"] < found["nsaid"] < found["hypertension"]


def test_all_codes_are_known(library: Library) -> None:
    """No code is invented: each stands in a value set, a drug table or another test's list."""
    plain = {(code[0], code[1]) for codes in UNRELATED_CODES.values() for code in codes}
    unknown = [
        code
        for codes in catalogue().values()
        for code in codes
        if not library.index.sets_of(code.system, code.code)
        and not (code.is_drug and library.drugs.product(code.code))
        and (code.system, code.code) not in plain
    ]

    assert unknown == []


def test_nothing_is_dated_after_the_day() -> None:
    """An export of a day knows nothing of later days; nobody is seen before they were born."""
    members = ("recordedDate", "authoredOn", "performedDateTime", "effectiveDateTime", "issued")
    for chart in charts(300):
        for entry in resources_of(chart):
            dates = [entry[member] for member in members if member in entry]
            dates += entry.get("period", {}).values()
            assert all(said[:10] <= str(DAY) for said in dates)
        assert chart.person.born <= chart.visits[0] <= chart.visits[-1] <= DAY


def test_problems_and_orders_come_from_visits() -> None:
    """What a clinician wrote names the visit of its day, so that visits can be replayed."""
    for chart in charts(300):
        starts = {
            f"Encounter/{entry['id']}": entry["period"]["start"][:10]
            for entry in resources_of(chart)
            if entry["resourceType"] == "Encounter"
        }
        for entry in chart.core():
            written = entry.get("recordedDate") or entry.get("authoredOn")
            if written and entry["resourceType"] != "Encounter":
                assert starts[entry["encounter"]["reference"]] == written[:10]


def test_visits_are_one_to_fifteen_a_year() -> None:
    """Over a whole chart, with some more where a stored patient was seen often."""
    rates = [
        len(chart.visits) / max((DAY - chart.visits[0]).days / 365, 1) for chart in charts(800)
    ]

    assert 1 <= median(rates) <= 6
    assert mean(rate > 15.5 for rate in rates) < 0.02


def test_ids_are_given_once() -> None:
    """No two resources of a type share an id."""
    ids = [
        (entry["resourceType"], entry["id"])
        for chart in charts(300)
        for entry in resources_of(chart)
    ]

    assert len(set(ids)) == len(ids)


def test_lines_are_valid_r4() -> None:
    """A strict reader takes every kind of entry that patients and their surroundings have."""
    for chart in charts(45):
        for entry in chart.core():
            _validate(entry)
    entries = [entry for chart in charts(12) for entry in resources_of(chart)]
    for entry in (*entries, *surroundings()):
        _validate(entry)
    assert {entry["resourceType"] for entry in entries} > set(SEARCHES.values())


def _validate(entry: Resource) -> None:
    get_fhir_model_class(entry["resourceType"]).model_validate(entry)


# Advice


def _hurting(count: int) -> list[Chart]:
    """The first so many patients with back pain."""
    found = [chart for chart in charts(4_000) if chart.fixture or groups(chart) & set(PAINS)]
    return found[:count]


def test_noise_changes_no_card(library: Library) -> None:
    """The cards of a whole chart are, word for word, those of the entries that matter in it."""
    for chart in (*_hurting(60), *charts(30)):
        whole = [e for e in resources_of(chart) if e["resourceType"] in SEARCHES.values()]

        alone = cards(view(chart.patient(), chart.core()), library)
        assert cards(view(chart.patient(), whole), library) == alone


def test_stored_patients_are_told_what_they_were(library: Library) -> None:
    """A stored patient's cards survive the move to another day and a new name.

    Not those of the one whose request bears another patient's entry.
    """
    for chart in _hurting(120):
        if chart.fixture and chart.fixture != "other-patients-cancer":
            request = HOUSE / "fhir_fixtures" / chart.fixture / "request.json"
            stored = cards(shift_to(json.loads(request.read_text("utf-8")), DAY), library)

            moved = cards(view(chart.patient(), chart.core()), library)
            assert _named(moved) == _named(stored), chart.fixture


def test_populations_bring_many_kinds_of_cards(library: Library) -> None:
    """Patients with back pain are told many different things, and some of them nothing."""
    told = [_named(cards(view(chart.patient(), chart.core()), library)) for chart in _hurting(150)]

    assert len({name for names in told for name in names}) >= 25
    assert any(not names for names in told)


def _named(found: Iterable[Resource]) -> list[str]:
    return [card["source"]["topic"]["code"] for card in found]
