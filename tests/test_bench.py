"""The benchmark measures what it says: real patients in long charts, and every server alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient

from service.prefetch import KEYS
from tests.bench import report, stages, targets
from tests.bench.calls import make_call, make_calls, resources, write_calls
from tests.bench.cores import BACK_PAIN, CORES, Core, read_core
from tests.bench.load import converse, request_bytes
from tests.bench.measures import SETUPS, Measure, Round
from tests.bench.report import rows

DAY = date(2026, 6, 15)
ONE, TWO = SETUPS
EACH_CORE = [pytest.param(core, id=core.fixture) for core in CORES]
NOBODY = Core("silent-no-back-pain", back_pain=False, drugs=False)


def said(client: FlaskClient, request: dict[str, Any]) -> list[tuple[str, str]]:
    """The recommendation and the summary of each card a call is answered with."""
    response = client.post(f"/cds-services/back-pain-{request['hook']}", json=request)
    answer: dict[str, Any] = response.get_json()
    assert response.status_code == 200, answer
    assert "extension" not in answer
    return [(card["source"]["topic"]["code"], card["summary"]) for card in answer["cards"]]


@pytest.mark.parametrize("size", [10, 50, 200])
@pytest.mark.parametrize("core", EACH_CORE)
def test_a_long_chart_changes_no_advice(
    core: Core, size: int, client_on: Callable[[date], FlaskClient]
) -> None:
    """What fills a chart up is of no account: the cards are those of the patient's core."""
    client = client_on(DAY)
    call = make_call(core, size, DAY)

    assert said(client, read_core(core, DAY)) == said(client, call.request)
    assert resources(call.request) == size


@pytest.mark.parametrize("core", [pytest.param(core, id=core.fixture) for core in BACK_PAIN])
def test_patients_with_back_pain_are_shown_cards(
    core: Core, client_on: Callable[[date], FlaskClient]
) -> None:
    """The promised speed is that of an answer with advice in it, never of a silent one."""
    assert said(client_on(DAY), read_core(core, DAY))


def test_the_mix_has_every_kind_of_patient() -> None:
    """Each hook is asked about patients with and without back pain; some of them take drugs."""
    kinds = {(call.request["hook"], call.core.back_pain) for call in make_calls(10, DAY)}

    hooks = ("patient-view", "order-select", "order-sign")
    assert kinds == {(hook, pain) for hook in hooks for pain in (True, False)}
    assert {core.drugs for core in CORES} == {True, False}


def test_calls_come_out_the_same_each_time() -> None:
    """Two runs of the benchmark send the same bytes, so that they can be compared."""
    first, second = ([call.body for call in make_calls(50, DAY)] for _ in range(2))

    assert first == second


def test_calls_move_with_the_day(client_on: Callable[[date], FlaskClient]) -> None:
    """A call made for another day gets the same cards on that day."""
    core, later = CORES[0], date(2027, 2, 28)

    then = said(client_on(DAY), make_call(core, 50, DAY).request)
    assert then == said(client_on(later), make_call(core, 50, later).request)


def test_charts_are_real_ones() -> None:
    """Every key of the prefetch is filled, and a resource is about 1.2 kB long."""
    call = make_call(CORES[0], 200, DAY)
    prefetch = call.request["prefetch"]

    assert set(KEYS) == set(prefetch)
    assert all(prefetch[key].get("entry") for key in KEYS if key != "patient")
    assert 1_150 < len(call.body) / 200 < 1_300


def test_without_drugs_means_none_at_all() -> None:
    """A patient without drugs gets none from the filling either."""
    assert "entry" not in make_call(NOBODY, 200, DAY).request["prefetch"]["medications"]


@pytest.mark.parametrize("core", EACH_CORE)
def test_charts_are_valid_r4(core: Core) -> None:
    """Full validation measures reading, not the refusal of a broken chart."""
    for answer in make_call(core, 50, DAY).request["prefetch"].values():
        get_fhir_model_class(answer["resourceType"]).model_validate(answer)


def test_a_core_that_is_too_long_is_refused() -> None:
    """A call of fewer resources than the patient's own is not made."""
    with pytest.raises(ValueError, match="holds more than 1 resources"):
        make_call(CORES[0], 1, DAY)


def test_the_client_reads_whole_answers(live_server: str, tmp_path: Path) -> None:
    """The client posts stored calls to a real server, one after the other on one connection."""
    files = write_calls(make_calls(10, DAY), tmp_path)
    port = int(live_server.rpartition(":")[2])

    took = converse(port, [request_bytes(file, "") for file in files], until=0.0)

    assert len(took) == 1
    assert took[0] > 0


def test_stages_add_up() -> None:
    """The stages of an answer are told with times, and those of advising share it out."""
    found = stages.profile([make_call(CORES[0], 10, DAY)], DAY, passes=1)

    assert set(stages.STAGES) == set(found)
    assert all(found[stage] > 0 for stage in ("decode", "record", "facts", "recommend", "encode"))


def measured(cpu: float, per_second: float = 100.0) -> Measure:
    """A round of which only some figures matter."""
    return Measure(2.0, 6.0, per_second, cpu, 60.0)


def test_ratios_compare_neighbours_in_time() -> None:
    """A machine that slows down between two rounds changes the medians, but no ratio."""
    quick, slow = (1.0, 2.0), (3.0, 6.0)
    rounds = [
        Round(ONE, 200, name, number, measured(cpu))
        for number, pair in enumerate((quick, slow, slow))
        for name, cpu in zip(("service", "limit"), pair, strict=True)
    ]

    service = next(row for row in rows(rounds) if row.contender == "service")

    assert service.medians.cpu_ms == 3.0
    assert service.ratios
    assert service.ratios.cpu_ms == 0.5


def test_promises_are_held_against_the_figures() -> None:
    """A service dearer than the limit breaks its promise, and is said to."""
    rounds = [
        Round(setup, 200, name, 0, measured(cpu, per_second))
        for setup, per_second in ((ONE, 100.0), (TWO, 160.0))
        for name, cpu in (("service", 1.2), ("limit", 1.0), ("healthchain", 4.0))
    ]

    found = targets.targets(rows(rounds), {"ready": 0.5})
    kept = {target.words: target.met for target in found}

    assert kept == {
        "CPU to the limit's, 200 resources": False,
        "CPU to HealthChain's, 200 resources": True,
        "p99 ms, 200 resources, one connection": True,
        "throughput of two workers to one": False,
        "p99 to p50, two workers, eight connections": True,
        "ready, seconds from a cold start": True,
    }
    assert "**not kept**" in targets.told(found)


def test_growth_is_told_for_each_doubling() -> None:
    """Four times the cost for four times the chart is twice the cost for each doubling."""
    rounds = [
        Round(ONE, size, "service", 0, measured(cpu)) for size, cpu in ((200, 3.0), (800, 12.0))
    ]

    growth = targets.targets(rows(rounds), {})[-1]

    assert growth.words == "CPU for each doubling, 200 to 800 resources"
    assert growth.value == pytest.approx(2.0)
    assert growth.met


def test_what_is_not_installed_is_said() -> None:
    """A server that cannot be measured here is named, not left out in silence."""
    text = report.tables(rows([Round(ONE, 10, "service", 0, measured(1.0))]), ["healthchain"])

    assert "| 10 | service | 2.00 | 6.00 |" in text
    assert "healthchain: not installed, not measured" in text
