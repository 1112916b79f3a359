"""What a run finds of each patient is what the service answers over HTTP, card by card."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest
import requests
from werkzeug.serving import make_server

from cards.library import Library
from service.app import create_app
from service.hooks import SERVICES, answer
from service.population.reasons import Reason
from service.population.resource_line import NEEDED
from service.population.visits import Call, visit_calls
from service.settings import Settings
from tests.fixture_export import lines_of, whole_requests
from tests.population_charts import JSON, Held, held, shown, told, write_lines
from tests.population_runs import DAY, LONG, Row, Tables, in_order, judged_here
from tests.populations import write_population

VIEW = "back-pain-patient-view"
SERVICE_OF = {service.hook: service.id for service in SERVICES.values()}
Post = Callable[[JSON], list[JSON]]


@pytest.fixture(scope="module")
def base(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real HTTP server on which it is the day of the runs."""
    store = tmp_path_factory.mktemp("store") / "feedback.sqlite3"
    settings = Settings(database_url=f"sqlite:///{store}")
    app = create_app(settings, today=lambda: DAY, library=library)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def post(base: str) -> Post:
    """Posts a call to the server; its cards."""
    return lambda request: posted(base, request)


def posted(base: str, request: JSON) -> list[JSON]:
    """The cards of a call."""
    response = requests.post(f"{base}/cds-services/{VIEW}", json=request, timeout=LONG)
    assert response.status_code == 200, response.text
    cards: list[JSON] = response.json()["cards"]
    return cards


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ninety patients, a few of them with back pain."""
    folder = tmp_path_factory.mktemp("export")
    write_population(folder, patients=90, day=DAY)
    return folder


@pytest.fixture(scope="module")
def of_patients(export: Path) -> Held:
    return held(export)


def rows_shown(tables: Tables, patients: Iterable[str]) -> dict[str, list[Row]]:
    """Patient → what the rows of the table say they were shown; of whom there are none, nothing."""
    rows = tables.of_patients("cards")
    return {patient: in_order(map(told, rows.get(patient, ()))) for patient in patients}


def test_every_patient_gets_the_cards_of_the_service(
    export: Path, of_patients: Held, library: Library, post: Post, tmp_path: Path
) -> None:
    """Sent with everything an export holds of them, a patient is shown what the table says."""
    tables = judged_here(tmp_path, export, library)
    over_http = {
        patient: in_order(map(shown, post(of_patients.call(patient))))
        for patient in of_patients.patients
    }

    assert over_http == rows_shown(tables, of_patients.patients)
    assert set(tables.of_patients("cards")) < set(of_patients.patients)
    assert sum(map(bool, over_http.values())) >= 5
    assert {DAY} == {row["date"] for row in tables.rows("cards")}


def test_an_unreadable_medication_costs_those_who_ordered_it(
    library: Library, base: str, tmp_path: Path
) -> None:
    """The service refuses a call that brings one in which a number is out of all range, too."""
    drug = {"resourceType": "Medication", "id": "d", "code": {"coding": [{"code": "855288"}]}}
    lines: list[JSON] = [drug]
    for patient in ("orders", "orders-not"):
        lines += [{"resourceType": "Patient", "id": patient, "birthDate": "1980-01-01"}]
        lines += [back_pain(patient)]
    lines += [order("orders", "d")]
    export = write_lines(tmp_path / "export", lines)
    call = held(export).call
    whole = {patient: json.dumps(call(patient)) for patient in ("orders", "orders-not")}
    for file in export.glob("Medication.*"):
        file.write_text(out_of_range(file.read_text()))
    statuses = {
        patient: requests.post(
            f"{base}/cds-services/{VIEW}",
            data=out_of_range(body),
            headers={"Content-Type": "application/json"},
            timeout=LONG,
        ).status_code
        for patient, body in whole.items()
    }
    tables = judged_here(tmp_path / "run", export, library)

    assert statuses == {"orders": 400, "orders-not": 200}
    assert set(tables.of_patients("states")) == {"orders-not"}
    assert [Reason.UNDECODABLE.value] == [row["reason"] for row in tables.rows("rejects")]


def back_pain(patient: str) -> JSON:
    return {
        "resourceType": "Condition",
        "id": f"c-{patient}",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "279039007"}]},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "onsetDateTime": "2026-02-01",
    }


def order(patient: str, drug: str) -> JSON:
    return {
        "resourceType": "MedicationRequest",
        "id": f"m-{patient}",
        "subject": {"reference": f"Patient/{patient}"},
        "status": "active",
        "intent": "order",
        "authoredOn": "2026-02-10",
        "medicationReference": {"reference": f"Medication/{drug}"},
    }


def out_of_range(text: str) -> str:
    """The same, where the code of the Medication is a number that nobody can hold."""
    return text.replace('"855288"', "1e999")


def test_the_synthetic_patients_get_the_cards_of_the_service(
    library: Library, post: Post, tmp_path: Path
) -> None:
    """As one export the fixtures, with all that is odd about them, get the cards they get."""
    calls = whole_requests(DAY)
    lines = [line for call in calls for line in lines_of(call)]
    tables = judged_here(tmp_path / "run", write_lines(tmp_path / "export", lines), library)
    over_http = {call["context"]["patientId"]: in_order(map(shown, post(call))) for call in calls}

    assert len(over_http) == len(calls) >= 150
    assert over_http == rows_shown(tables, over_http)
    assert sum(map(bool, over_http.values())) >= 100


def test_the_states_are_those_the_service_finds(
    export: Path, of_patients: Held, library: Library, tmp_path: Path
) -> None:
    """Each patient stands where the service sees them, also those who are shown nothing."""
    states = judged_here(tmp_path, export, library).of_patients("states")

    assert set(states) == set(of_patients.patients)
    for patient in of_patients.patients:
        body = json.dumps(of_patients.call(patient)).encode()
        advice = answer(body, VIEW, library, DAY).judgement.advice
        places: list[tuple[str | None, str | None]]
        places = [(place.pathway, place.state) for place in advice.places] or [(None, None)]
        rows = [
            {"date": DAY, "pathway": pathway, "state": state, "phase": advice.phase}
            for pathway, state in places
        ]

        assert in_order(rows) == states[patient]


def test_on_its_own_day_the_running_service_shows_the_same(
    library: Library, live_server: str, tmp_path: Path
) -> None:
    """A run as of today tells what ``backpath serve`` shows today, whatever day that is."""
    while True:  # once more if midnight came between
        today = date.today()  # noqa: DTZ011 the server's own day is meant
        folder = tmp_path / today.isoformat()
        write_population(folder / "export", patients=40, day=today)
        of_today = held(folder / "export")
        tables = judged_here(folder / "run", folder / "export", library, as_of=today)
        over_http = {
            patient: in_order(map(shown, posted(live_server, of_today.call(patient))))
            for patient in of_today.patients
        }
        if today == date.today():  # noqa: DTZ011
            break

    assert over_http == rows_shown(tables, of_today.patients)


def replied(call: Call, library: Library) -> list[Row]:
    """The rows the service's answer to a call of the past makes, the call sent as JSON."""
    request = {
        "hook": call.hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": call.context,
        "prefetch": call.prefetch,
    }
    body = json.dumps(request).encode()
    cards = answer(body, SERVICE_OF[call.hook], library, call.day).response["cards"]
    return [{"hook": call.hook, "date": call.day, **shown(card)} for card in cards]


def test_every_call_of_a_replay_is_answered_as_the_service_would(
    library: Library, tmp_path: Path
) -> None:
    """Visit by visit and order by order, the table holds the cards of the calls made then."""
    write_population(tmp_path / "export", patients=60, day=DAY)
    of_patients = held(tmp_path / "export")
    tables = judged_here(tmp_path / "run", tmp_path / "export", library, replay=True)
    rows = tables.of_patients("cards")
    looked_at = {*rows, *list(of_patients.patients)[:10]}
    calls = 0
    for patient in of_patients.patients:
        made = list(visit_calls(patient, of_patients.history(patient), NEEDED))
        calls += len(made)
        if patient not in looked_at:
            continue
        expected = [row for call in made for row in replied(call, library)]

        assert in_order(expected) == in_order(
            {"hook": row["hook"], "date": row["date"], **told(row)} for row in rows.get(patient, ())
        )
    assert calls == tables.count("calls") >= 200
    assert {"patient-view", "order-select"} == {row["hook"] for row in tables.rows("cards")}
