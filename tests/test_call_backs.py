"""Hook calls with an incomplete prefetch: completed from the client's FHIR server, over HTTP."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cards.library import Library
from cards.record import Coverage
from service.app import create_app
from service.fhir_answer import Outcome
from service.patient_record import coverage_of
from service.prefetch import KEYS, SEARCHES, queries_for, templates
from service.settings import Settings
from service.shift import as_of
from tests import fhir_server
from tests.conftest import A_DAY, HOUSE, bundle, call, patient
from tests.fhir_server import Fault, FhirServer, fails, outcome, search_set, sends
from tests.test_http_calls import HURTS

AMPLE = 60.0
TOKEN = "opaque-token"
FIXTURES = sorted((HOUSE / "fhir_fixtures").glob("*/request.json"))
Clinic = Callable[..., FlaskClient]


@pytest.fixture
def fhir() -> Iterator[FhirServer]:
    """A server that holds the chart of a patient whose back hurts."""
    with fhir_server.running() as server:
        server.chart |= {"Patient": [patient()], "Condition": [HURTS]}
        yield server


@pytest.fixture
def clinic(library: Library, settings: Settings, fhir: FhirServer) -> Clinic:
    """Gives a client of an application that may call the FHIR server back."""

    def of(day: date = A_DAY, **more: Any) -> FlaskClient:
        chosen: dict[str, Any] = {
            "fhir_servers": (fhir.base,),
            "callback_budget_seconds": AMPLE,
            **more,
        }
        app = create_app(replace(settings, **chosen), today=lambda: day, library=library)
        return app.test_client()

    return of


def lacking(fhir: FhirServer, hook: str = "patient-view", *keys: str) -> dict[str, Any]:
    """A call that lacks these keys, or all, and says where the rest is to be had."""
    request = call(
        hook,
        fhirServer=fhir.base,
        fhirAuthorization={"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300},
    )
    if not keys:
        del request["prefetch"]
    for key in keys:
        del request["prefetch"][key]
    return request


def post(client: FlaskClient, request: dict[str, Any]) -> TestResponse:
    return client.post(f"/cds-services/back-pain-{request['hook']}", json=request)


def cards(response: TestResponse) -> list[dict[str, Any]]:
    """The cards without their uuids."""
    assert response.status_code == 200, response.text
    body: dict[str, Any] = json.loads(response.text)
    return [_without_uuids(card) for card in body["cards"]]


def _without_uuids(value: Any) -> Any:
    match value:
        case dict():
            return {name: _without_uuids(one) for name, one in value.items() if name != "uuid"}
        case list():
            return [_without_uuids(one) for one in value]
        case _:
            return value


def test_without_prefetch_everything_is_asked_for(fhir: FhirServer, clinic: Clinic) -> None:
    """A client that sends no data gets its cards all the same, with its token on each request."""
    fhir.page_size = 1
    sent = call()
    sent["prefetch"]["conditions"] = bundle(HURTS)
    client = clinic()

    assert cards(post(client, lacking(fhir))) == cards(post(client, sent)) != []
    assert set(fhir.asked()) == {"Patient", *SEARCHES.values()}
    assert {one.headers["Authorization"] for one in fhir.received} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("file", FIXTURES[::24], ids=lambda file: file.parent.name)
def test_fetched_is_judged_as_if_sent(file: Path, fhir: FhirServer, clinic: Clinic) -> None:
    """A synthetic patient gets the same cards from data fetched in pages as from data sent."""
    sent = json.loads(file.read_text())
    coverage = coverage_of(sent["prefetch"], KEYS)
    whole = {
        key: value
        for key, value in sent["prefetch"].items()
        if value and coverage.get(key) is Coverage.READ
    }
    left = {key: value for key, value in sent["prefetch"].items() if key not in whole}
    fhir.chart.clear()
    fhir.hold(whole)
    fhir.page_size = 2
    fhir.faults = {SEARCHES[key]: fails(404) for key in SEARCHES if key not in whole}
    client = clinic(as_of(sent) or A_DAY)
    fetched = {**sent, "prefetch": left, "fhirServer": fhir.base}

    assert cards(post(client, fetched)) == cards(post(client, sent))


def test_only_what_lacks_is_asked_for(fhir: FhirServer, clinic: Clinic) -> None:
    """A complete prefetch costs no call-back; null and an empty Bundle are complete."""
    request = call(fhirServer=fhir.base)
    request["prefetch"] |= {"procedures": None, "allergies": {"resourceType": "Bundle"}}
    client = clinic()
    assert post(client, request).status_code == 200
    assert not fhir.received

    assert (
        post(client, lacking(fhir, "patient-view", "procedures", "encounters")).status_code == 200
    )
    assert dict(fhir.asked()) == {"Procedure": 1, "Encounter": 1}


@pytest.mark.parametrize(
    ("words", "value", "again"),
    [
        ("timed out", outcome("timeout"), True),
        ("too many requests", outcome("throttled"), True),
        ("an error among the entries", search_set([outcome("transient")]), True),
        ("not permitted", outcome("forbidden"), False),
        ("not supported", outcome("not-supported"), False),
        (
            "for two reasons, one of which stays",
            search_set([outcome("timeout"), outcome("security")]),
            False,
        ),
        ("garbled", "Bundle", False),
        ("another resource", patient(), False),
        ("a warning beside the data", search_set([outcome("timeout", "warning"), HURTS]), False),
    ],
)
def test_only_passing_failures_are_asked_again(
    fhir: FhirServer, clinic: Clinic, words: str, value: Any, again: bool
) -> None:
    """A query that failed on the client's side for good is not tried on its server once more."""
    request = call("order-sign", fhirServer=fhir.base)
    request["prefetch"]["conditions"] = value
    response = post(clinic(), request)

    assert response.status_code == 200
    assert set(fhir.asked()) == ({"Condition"} if again else set())


def test_pages_that_were_not_sent_are_read(fhir: FhirServer, clinic: Clinic) -> None:
    """A prefetch of one page is gone on with where it ends; nothing is fetched twice."""
    fhir.page_size = 1
    fhir.chart["Condition"] = [{**HURTS, "id": f"c{number}"} for number in range(3)]
    complete = call()
    complete["prefetch"]["conditions"] = bundle(*fhir.chart["Condition"])
    request = call(fhirServer=fhir.base)
    first = {**bundle(fhir.chart["Condition"][0]), "total": 3}
    next_page = f"{fhir.base}/Condition?patient=pat-1&_offset=1"
    request["prefetch"]["conditions"] = {
        **first,
        "link": [{"relation": "next", "url": next_page}],
    }
    client = clinic()

    assert cards(post(client, request)) == cards(post(client, complete))
    assert [f"{fhir.origin}{one.path}" for one in fhir.received] == [
        next_page,
        next_page.replace("=1", "=2").replace("pat-2", "pat-1"),
    ]


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/Condition?page=2",
        "/admin/Condition?page=2",
        "javascript:1",
        "",
        None,
    ],
)
def test_pages_elsewhere_are_replaced_by_the_query(
    fhir: FhirServer, clinic: Clinic, link: str | None
) -> None:
    """A next page that is not listed is not called; the listed server is asked for the whole."""
    complete = call()
    complete["prefetch"]["conditions"] = bundle(HURTS)
    request = call(fhirServer=fhir.base)
    request["prefetch"]["conditions"] = {**bundle(), "link": [{"relation": "next", "url": link}]}
    client = clinic()

    assert cards(post(client, request)) == cards(post(client, complete))
    assert [one.path for one in fhir.received] == ["/fhir/Condition?patient=pat-1"]


def test_what_was_sent_stays_when_the_rest_cannot_be_had(fhir: FhirServer, clinic: Clinic) -> None:
    """Failing call-backs make no answer worse: the sent page counts, its lack is named."""
    fhir.faults["Condition"] = fails(500)
    part = {**bundle(HURTS), "link": [{"relation": "next", "url": f"{fhir.base}/Condition?p=2"}]}
    request = call(fhirServer=fhir.base)
    request["prefetch"]["conditions"] = part
    alone = copy.deepcopy(request)
    del alone["fhirServer"]
    client = clinic()

    assert cards(post(client, request)) == cards(post(client, alone)) != []


def test_fewer_matches_than_the_total_are_a_part(fhir: FhirServer, clinic: Clinic) -> None:
    """A server that says it has three and gives one is believed: two were not checked."""
    some = {**search_set([HURTS]), "total": 3}
    fhir.faults["Condition"] = sends(some)
    sent = call()
    sent["prefetch"]["conditions"] = some
    client = clinic()

    told = cards(post(client, lacking(fhir, "patient-view", "conditions")))
    assert told == cards(post(client, sent)) != []
    assert "conditions" in told[0]["extension"]["org.backpath.card"]["notChecked"]


def test_the_total_sent_with_the_first_page_holds(fhir: FhirServer, clinic: Clinic) -> None:
    """The first page said three; the pages end after two; one was not checked."""
    other = {**HURTS, "id": "c2"}
    fhir.faults["Condition"] = sends(search_set([other]))
    first = {**search_set([HURTS]), "total": 3}
    link = {"relation": "next", "url": f"{fhir.base}/Condition?page=2"}
    request, known = call(fhirServer=fhir.base), call()
    request["prefetch"]["conditions"] = {**first, "link": [link]}
    known["prefetch"]["conditions"] = {**search_set([HURTS, other]), "total": 3}
    client = clinic()

    told = cards(post(client, request))
    assert told == cards(post(client, known)) != []
    assert "conditions" in told[0]["extension"]["org.backpath.card"]["notChecked"]


def test_what_was_sent_beside_a_failure_is_kept(fhir: FhirServer, clinic: Clinic) -> None:
    """A failed query that brought a problem is repeated in part: the problem is not forgotten."""
    fhir.page_size = 1
    fhir.chart["Condition"] = [{**HURTS, "id": "c2", "code": {"text": "Cough"}}, HURTS]
    fhir.faults["Condition"] = lambda exchange: (
        exchange.send(outcome("exception"), status=500)
        if "_offset" in exchange.path
        else exchange.answer()
    )
    request = call("order-sign")
    request["prefetch"]["conditions"] = search_set([HURTS, outcome("timeout")])
    client = clinic()
    sent = post(client, {**request, "hook": "order-sign", **_orders()})
    completed = post(
        client, {**request, "hook": "order-sign", **_orders(), "fhirServer": fhir.base}
    )

    assert cards(completed) == cards(sent) != []


def _orders() -> dict[str, Any]:
    return {"context": call("order-sign")["context"]}


def test_a_part_of_the_pages_counts_for_presence(fhir: FhirServer, clinic: Clinic) -> None:
    """The second page fails: what the first says is used, and the rest is not taken for absent."""
    fhir.page_size = 1
    fhir.chart["Condition"] = [HURTS, {**HURTS, "id": "c2"}]
    fhir.faults["Condition"] = lambda exchange: (
        exchange.send(outcome("exception"), status=500)
        if "_offset" in exchange.path
        else exchange.answer()
    )
    sent = call()
    sent["prefetch"]["conditions"] = {**bundle(HURTS), "link": [{"relation": "next"}]}
    client = clinic()

    fetched = cards(post(client, lacking(fhir, "patient-view", "conditions")))
    assert fetched == cards(post(client, sent)) != []
    assert "conditions" in fetched[0]["extension"]["org.backpath.card"]["notChecked"]


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("token refused", fails(401)),
        ("no such patient", fails(404)),
        ("failure", fails(500)),
        ("HTML", sends(b"<html>", kind="text/html")),
        ("truncated", fhir_server.breaks_off),
        ("a page to log in", fhir_server.redirects("https://login.example.org/")),
        ("another patient", sends(patient(id="pat-2"))),
        ("nobody in particular", sends({"resourceType": "Patient"})),
    ],
)
@pytest.mark.parametrize("hook", ["patient-view", "order-sign"])
def test_412_when_the_patient_cannot_be_had(
    fhir: FhirServer, clinic: Clinic, words: str, fault: Fault, hook: str
) -> None:
    """Neither sent nor obtainable, or somebody else: no advice is given about anybody."""
    fhir.faults["Patient"] = fault
    response = post(clinic(), lacking(fhir, hook, "patient"))

    assert response.status_code == 412
    assert response.json is not None
    assert response.json["issue"][0]["expression"] == ["prefetch.patient"]
    assert TOKEN not in response.text


def test_without_conditions_the_view_is_412_and_an_order_is_judged(
    fhir: FhirServer, clinic: Clinic
) -> None:
    """The hook decides what it cannot do without; what is not there is named as not checked."""
    fhir.faults["Condition"] = fails(500)
    client = clinic()

    assert post(client, lacking(fhir, "patient-view", "conditions")).status_code == 412
    told = cards(post(client, lacking(fhir, "order-sign", "conditions")))
    unsent = call("order-sign")
    del unsent["prefetch"]["conditions"]
    assert told == cards(post(client, unsent))


@pytest.mark.parametrize("key", sorted(set(SEARCHES) - {"conditions"}))
def test_any_other_key_may_fail(fhir: FhirServer, clinic: Clinic, key: str) -> None:
    """What could not be fetched is not checked, exactly as if there were no server to ask."""
    fhir.faults[SEARCHES[key]] = fails(500)
    unsent = call()
    unsent["prefetch"]["conditions"] = bundle(HURTS)
    del unsent["prefetch"][key]
    client = clinic()

    assert cards(post(client, {**unsent, "fhirServer": fhir.base})) == cards(post(client, unsent))


def test_a_spent_budget_leaves_the_rest_unchecked(fhir: FhirServer, clinic: Clinic) -> None:
    """One server that stalls on one type, and drips on another, delays the cards by the budget."""
    fhir.faults |= {"Procedure": fhir_server.stalls, "Encounter": fhir_server.drips}
    unsent = call()
    unsent["prefetch"]["conditions"] = bundle(HURTS)
    del unsent["prefetch"]["procedures"], unsent["prefetch"]["encounters"]
    client = clinic(callback_budget_seconds=0.3)

    assert cards(post(client, {**unsent, "fhirServer": fhir.base})) == cards(post(client, unsent))


def test_all_is_asked_at_once(fhir: FhirServer, clinic: Clinic, library: Library) -> None:
    """The budget is spent by the slowest question, not by their sum: all stand side by side."""
    queries = queries_for(templates(library.loinc_codes), {"patientId": "pat-1"})
    together = threading.Barrier(sum(map(len, queries.values())))

    def waits_for_the_others(exchange: fhir_server.Exchange) -> None:
        together.wait(30)
        exchange.answer()

    fhir.faults = dict.fromkeys(("Patient", *SEARCHES.values()), waits_for_the_others)

    assert post(clinic(), lacking(fhir)).status_code == 200
    assert not together.broken


def test_many_calls_at_once_are_all_completed(fhir: FhirServer, clinic: Clinic) -> None:
    """More questions than threads wait for their turn, and none is lost or mixed up."""
    app = clinic().application
    statuses: list[int] = []

    def one_call() -> None:
        statuses.append(post(app.test_client(), lacking(fhir)).status_code)

    calls = [threading.Thread(target=one_call) for _ in range(8)]
    for thread in calls:
        thread.start()
    for thread in calls:
        thread.join()

    assert statuses == [200] * 8
    assert fhir.asked()["Patient"] == 8


class Halt:
    """A FHIR server's fault: it answers when it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.released = threading.Event()

    def __call__(self, exchange: fhir_server.Exchange) -> None:
        """Wait, then answer."""
        self.asked.release()
        self.released.wait(30)
        exchange.answer()


@contextmanager
def halted(fhir: FhirServer, app: Flask) -> Iterator[list[int]]:
    """While the block lasts one call waits for the FHIR server; then its status is in the list."""
    halt, statuses = Halt(), list[int]()
    fhir.faults["Procedure"] = halt
    request = lacking(fhir, "order-sign", "procedures")

    def waits() -> None:
        statuses.append(post(app.test_client(), request).status_code)

    thread = threading.Thread(target=waits)
    thread.start()
    try:
        assert halt.asked.acquire(timeout=30)
        yield statuses
    finally:
        halt.released.set()
        thread.join()
        del fhir.faults["Procedure"]


def test_a_stalled_server_keeps_no_other_client_waiting(fhir: FhirServer, clinic: Clinic) -> None:
    """One hospital's FHIR server hangs: another's call, which lacks nothing, is answered."""
    app = clinic(max_running_calls=1).application
    gate = app.extensions["backpath"].gate
    with halted(fhir, app) as statuses:
        assert gate.running == 0
        assert post(app.test_client(), call()).status_code == 200
        assert statuses == []
    assert statuses == [200]
    assert (gate.running, gate.waiting) == (0, 0)


def test_beyond_so_many_calls_are_answered_without_asking(fhir: FhirServer, clinic: Clinic) -> None:
    """Whoever would queue for a busy FHIR server is told what was not checked; others are asked."""
    with fhir_server.running() as other:
        other.chart |= {"Patient": [patient()], "Condition": [HURTS]}
        # Two of four seats may be taken by calls that wait, one of them for each server.
        client = clinic(
            max_running_calls=1, max_waiting_calls=3, fhir_servers=(fhir.base, other.base)
        )
        unsent = call("order-sign")
        del unsent["prefetch"]["procedures"]
        with halted(fhir, client.application):
            asked = fhir.asked()
            told = cards(post(client, lacking(fhir, "order-sign", "procedures")))
            assert fhir.asked() == asked
            post(client, lacking(other, "order-sign", "procedures"))
            assert other.asked() == {"Procedure": 1}
            with halted(other, client.application):
                assert post(client, lacking(fhir)).status_code == 412
        post(client, lacking(fhir, "order-sign", "procedures"))

    assert told == cards(post(client, unsent))
    assert fhir.asked()["Procedure"] == asked["Procedure"] + 1


def test_who_comes_back_to_a_full_house_is_told_to_come_again(
    fhir: FhirServer, clinic: Clinic
) -> None:
    """After its FHIR server answered, a call waits for a place like any other, and not for ever."""
    app = clinic(max_running_calls=1).application
    gate = app.extensions["backpath"].gate
    with halted(fhir, app) as statuses:
        gate.places.__enter__()
    gate.places.__exit__()

    assert statuses == [503]
    assert (gate.running, gate.waiting) == (0, 0)


def test_data_of_others_is_dropped(fhir: FhirServer, clinic: Clinic) -> None:
    """A server that finds another patient's pain gives this patient no card for it."""
    elses = {**HURTS, "subject": {"reference": "Patient/pat-2"}}
    fhir.chart["Condition"] = [elses]
    client = clinic()

    assert cards(post(client, lacking(fhir, "patient-view", "conditions"))) == cards(
        post(client, call())
    )


@pytest.mark.parametrize(
    "patient_id",
    ["..", ".", "a?b=c", "pat-1&_include=*", "pat-1%2f..", "pat-1#", "é", "x" * 65, "pat_1"],
)
def test_an_id_that_changes_the_query_is_not_asked_for(
    fhir: FhirServer, clinic: Clinic, patient_id: str
) -> None:
    """Only what FHIR allows as an id is put into an address."""
    request = lacking(fhir)
    request["context"]["patientId"] = patient_id

    assert post(clinic(), request).status_code == 412
    assert not fhir.received


def test_a_server_that_is_not_listed_is_never_called(fhir: FhirServer, clinic: Clinic) -> None:
    """Out of the box, or with other servers listed, a client's fhirServer changes nothing."""
    for listed in ((), ("https://fhir.example.org/r4",), (f"{fhir.base}/tenant",)):
        assert post(clinic(fhir_servers=listed), lacking(fhir)).status_code == 412
    assert not fhir.received


def test_loopback_may_be_called_in_development(fhir: FhirServer, clinic: Clinic) -> None:
    """With the development flag a server of this machine needs no listing."""
    client = clinic(fhir_servers=(), allow_loopback=True)

    assert post(client, lacking(fhir)).status_code == 200


@pytest.mark.parametrize(
    "members",
    [
        {"fhirAuthorization": None},
        {"fhirServer": None},
        {"fhirServer": "http://[::1", "fhirAuthorization": {"access_token": ""}},
        {"fhirServer": "http://127.0.0.1:99999/fhir"},
        {"fhirServer": "https://169.254.169.254/latest/meta-data"},
    ],
)
def test_odd_access_is_no_failure(
    fhir: FhirServer, clinic: Clinic, members: dict[str, Any]
) -> None:
    """A server that cannot be called is like none: what was sent is judged."""
    request = {**lacking(fhir, "patient-view", "procedures"), **members}

    assert post(clinic(allow_loopback=True), request).status_code == 200


def test_the_log_tells_outcomes_and_nothing_else(
    fhir: FhirServer, clinic: Clinic, capfd: pytest.CaptureFixture[str]
) -> None:
    """Who runs the service sees why data lacked, also behind a 412; never whose, where or what."""
    fhir.faults |= {"Procedure": fails(404), "Patient": sends(patient(id="pat-2"))}
    client = clinic()
    assert post(client, lacking(fhir, "patient-view", "procedures")).status_code == 200
    assert post(client, lacking(fhir, "patient-view", "patient")).status_code == 412
    written = capfd.readouterr().err
    lines = [json.loads(line) for line in written.splitlines()]

    assert [line["callbacks"] for line in lines if line["event"] == "call"] == [
        {"procedures": Outcome.NOT_FOUND},
        {"patient": Outcome.OTHER_PATIENT},
    ]
    for secret in (TOKEN, fhir.origin, "pat-1", "pat-2"):
        assert secret not in written


def test_outcomes_are_counted(fhir: FhirServer, clinic: Clinic) -> None:
    """The metrics show which data comes by call-back, and why it does not."""
    fhir.faults |= {"Procedure": fails(401), "Patient": fails(404)}
    client = clinic()
    post(client, lacking(fhir))
    counted = client.get("/metrics").text

    assert 'backpath_callbacks_total{key="conditions",outcome="fetched"} 1.0' in counted
    assert 'backpath_callbacks_total{key="patient",outcome="not-found"} 1.0' in counted
    assert 'backpath_callbacks_total{key="procedures",outcome="unauthorised"} 1.0' in counted


def test_long_lists_of_codes_are_asked_for_in_parts(library: Library) -> None:
    """Servers refuse long request lines; the parts together ask for every code, each once."""
    template = templates(library.loinc_codes)["observations"]
    queries = queries_for({"observations": template}, {"patientId": "pat-1"})["observations"]
    codes = [
        code for query in queries for code in parse_qs(urlsplit(query).query)["code"][0].split(",")
    ]

    assert all(len(query) < 2_000 for query in queries)
    assert codes == template.partition("&code=")[2].split(",")
    assert all(unquote(query).startswith("Observation?patient=pat-1&code=") for query in queries)


def test_parts_are_one_answer(fhir: FhirServer, clinic: Clinic) -> None:
    """One part of the observations fails: the others count, and the key is unfinished."""
    fhir.faults["Observation"] = fails(500, times=1)
    client = clinic()
    response = post(client, lacking(fhir, "patient-view", "observations"))
    sent = call()
    sent["prefetch"]["observations"] = {**bundle(), "link": [{"relation": "next"}]}

    assert fhir.asked()["Observation"] > 1
    assert cards(response) == cards(post(client, sent))
