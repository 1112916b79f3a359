"""Small bodies made to keep us busy: refused before their parts are read, never in silence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from cards.record import Coverage
from service import envelope
from service.call_size import MOST_RESOURCES
from service.completion import complete
from service.envelope import MOST_OBJECTS, MOST_PROBLEMS, check_shape
from service.errors import RequestRefused
from service.feedback import MOST_SUGGESTIONS, OTHER_REASON
from service.fhir_answer import Outcome
from service.fhir_client import client_of
from service.patient_record import coverage_of
from service.patient_record.dosage import MOST_DOSAGES
from service.patient_record.elements import MOST_ELEMENTS
from service.patient_record.versions import MOST_VERSIONS
from service.prefetch import KEYS
from service.settings import Settings
from service.store import open_store
from tests import fhir_server
from tests.conftest import bundle, call, patient
from tests.test_feedback import ACCEPTED, OVERRIDDEN, URL
from tests.test_http_calls import HURTS

SIGN = "/cds-services/back-pain-order-sign"
SELECT = "/cds-services/back-pain-order-select"
VIEW = "/cds-services/back-pain-patient-view"


class Read(list[Any]):
    """An array that counts how many of its elements were read."""

    read = 0

    def __getitem__(self, place: Any) -> Any:
        self.read += 1
        return super().__getitem__(place)

    def __iter__(self) -> Any:
        for element in super().__iter__():
            self.read += 1
            yield element


def _issue(response: Any) -> tuple[int, str, str]:
    issue = response.json["issue"][0]
    return response.status_code, issue["expression"][0], issue["code"]


@pytest.mark.parametrize("bad", [{}, 0, None, {"outcome": 1}])
def test_no_more_errors_are_sought_than_told(bad: Any) -> None:
    """Ten thousand bad entries cost no more than the first few."""
    entries = Read([bad] * 10_000)
    with pytest.raises(RequestRefused) as refusal:
        check_shape({"feedback": entries}, "feedback")

    assert 1 <= len(refusal.value.problems) <= MOST_PROBLEMS
    # Each entry is looked at for arrays that are too long, and few for what is wrong with it.
    assert entries.read <= 10_000 + MOST_PROBLEMS


def test_too_many_entries_are_refused_unread() -> None:
    """What is too long is refused by its length alone."""
    entries = Read([{}] * 10_001)
    with pytest.raises(RequestRefused) as refusal:
        check_shape({"feedback": entries}, "feedback")

    assert [problem.path for problem in refusal.value.problems] == ["feedback"]
    assert entries.read == 0


def test_too_many_accepted_suggestions_are_named(client: FlaskClient) -> None:
    """Nobody accepts a hundred suggestions of one card."""
    many = {**ACCEPTED, "acceptedSuggestions": ACCEPTED["acceptedSuggestions"] * 101}
    response = client.post(URL, json={"feedback": [OVERRIDDEN, many]})

    assert _issue(response) == (400, "feedback[1].acceptedSuggestions", "too-long")


def test_suggestions_count_over_all_entries(client: FlaskClient, settings: Settings) -> None:
    """Many entries with many suggestions are as dear as one with all of them."""
    full = {**ACCEPTED, "acceptedSuggestions": ACCEPTED["acceptedSuggestions"] * 100}
    number = MOST_SUGGESTIONS // 100
    response = client.post(URL, json={"feedback": [full] * (number + 1)})

    assert _issue(response) == (413, "$this", "too-costly")
    assert client.post(URL, json={"feedback": [full] * number}).status_code == 200
    assert len(open_store(settings.database_url).kept()) == 1


@pytest.mark.parametrize(
    ("service", "member", "most"),
    [(SELECT, "selections", 200), (SELECT, "draftOrders", 50), (SIGN, "draftOrders", 50)],
)
def test_orders_and_selections_have_a_limit(
    client: FlaskClient, service: str, member: str, most: int
) -> None:
    """Each draft is judged beside the whole record; a screen of orders holds a few."""
    for number, status in ((most, 200), (most + 1, 400)):
        request = call(service.removeprefix("/cds-services/back-pain-"))
        context = request["context"]
        if member == "selections":
            context[member] = ["a/b"] * number
            path = "context.selections"
        else:
            context[member]["entry"] = [{"resource": {"resourceType": "Location"}}] * number
            path = "context.draftOrders.entry"
        response = client.post(service, json=request)

        assert response.status_code == status
    assert _issue(response) == (400, path, "too-long")


@pytest.mark.parametrize(
    "entry", ['{"resource":{"\\u0072esourceType":"Procedure"}}', "0", "{}", "null"]
)
def test_resources_are_counted_after_reading(client: FlaskClient, entry: str) -> None:
    """However entries are written they count, over all keys and the draft orders together."""
    request = call("order-sign")
    keys = ("procedures", "encounters")
    for key in keys:
        request["prefetch"][key]["entry"] = ["@"]
    listed = ",".join([entry] * (MOST_RESOURCES // 2))
    body = json.dumps(request).replace('"@"', listed)

    assert _issue(client.post(SIGN, data=body, content_type="application/json")) == (
        413,
        "$this",
        "too-costly",
    )


def test_empty_objects_are_counted_wherever_they_are(client: FlaskClient) -> None:
    """Half a million empty objects fit into two megabytes, and into any element."""
    request = call()
    request["extension"] = ["@"]
    body = json.dumps(request).replace('"@"', ",".join(["{}"] * MOST_OBJECTS))
    response = client.post(VIEW, data=body, content_type="application/json")

    assert _issue(response) == (413, "$this", "too-costly")


@pytest.mark.parametrize("most", [0, 1, 5, 40])
@pytest.mark.parametrize("objects", [1, 2, 5, 6, 39, 40, 41, 200])
@pytest.mark.parametrize("before", ["", '"",' * 7, '"",' * 200])
@pytest.mark.parametrize("after", ["", ',""' * 7, ',""' * 200])
def test_objects_are_counted_wherever_in_the_body_they_stand(
    monkeypatch: pytest.MonkeyPatch, most: int, objects: int, before: str, after: str
) -> None:
    """Crowded at the beginning, at the end or all over: the rest of the body does not hide them."""
    monkeypatch.setattr(envelope, "MOST_OBJECTS", most)
    body = f"[{before}{','.join(['{}'] * objects)}{after}]".encode()

    assert envelope.has_too_many_objects(body) == (objects > most)


@pytest.mark.parametrize(
    ("element", "one"),
    [
        ("code", None),
        ("category", {"coding": [{"code": "x"}]}),
        ("category", "x"),
        ("subject", {"reference": "Patient/pat-1"}),
        ("bodySite", {}),
    ],
)
def test_a_resource_with_an_endless_list_is_set_aside(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, element: str, one: Any
) -> None:
    """It is counted as unreadable and its key as failed; the others are read as ever."""
    told = []
    for number in (MOST_ELEMENTS, MOST_ELEMENTS + 1):
        value = {"coding": [{}] * number} if one is None else [one] * number
        request = call()
        odd = {**HURTS, "id": "c2", element: value}
        request["prefetch"]["conditions"] = bundle(HURTS, odd)
        caplog.clear()
        with caplog.at_level("INFO", "backpath"):
            assert client.post(VIEW, json=request).status_code == 200
        lines = [vars(record).get("fields", {}) for record in caplog.records]
        told.append(next(line["dropped"] for line in lines if "dropped" in line))

    assert told == [{}, {"unreadable:Condition": 1}]


def test_endless_dosages_are_counted(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """A prescription with hundreds of dosages is set aside, in the chart and as a draft."""
    order = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "dosageInstruction": [{}] * (MOST_DOSAGES + 1),
    }
    request = call("order-sign")
    request["prefetch"]["medications"] = bundle(order)
    request["context"]["draftOrders"] = bundle(order)
    with caplog.at_level("INFO", "backpath"):
        assert client.post(SIGN, json=request).status_code == 200
    (line,) = (fields for record in caplog.records if (fields := vars(record).get("fields")))

    assert line["dropped"] == {"unreadable:draftOrders": 1, "unreadable:MedicationRequest": 1}


def test_one_id_for_thousands_of_resources(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A few versions of a resource are read; a crowd under one id is not compared in pairs."""
    request = call()
    versions = [{**HURTS, "recordedDate": f"2026-02-{day:02}"} for day in range(1, 28)]
    request["prefetch"]["conditions"] = bundle(*versions, versions[0])
    with caplog.at_level("INFO", "backpath"):
        assert client.post(VIEW, json=request).status_code == 200
    (line,) = (fields for record in caplog.records if (fields := vars(record).get("fields")))

    assert line["dropped"] == {"unreadable:Condition": len(versions) - MOST_VERSIONS}


@pytest.mark.parametrize(
    "value",
    [
        {**bundle(HURTS), "link": [{"relation": "self"}] * (MOST_ELEMENTS + 1)},
        bundle(
            {
                "resourceType": "OperationOutcome",
                "issue": [{"severity": "warning"}] * (MOST_ELEMENTS + 1),
            }
        ),
    ],
)
def test_a_bundle_with_an_endless_list_has_failed(client: FlaskClient, value: Any) -> None:
    """What says so much about itself is no search answer; the call is told which key it was."""
    request = call(fhirServer="https://nowhere.example/fhir")
    request["prefetch"]["conditions"] = value

    assert coverage_of(request["prefetch"], KEYS)["conditions"] is Coverage.FAILED
    assert _issue(client.post(VIEW, json=request))[:2] == (412, "prefetch.conditions")


def test_a_crowd_of_patients_is_none(client: FlaskClient) -> None:
    """The patient is one; among thousands nobody is looked for."""
    request = call()
    request["prefetch"]["patient"] = bundle(*[patient()] * (MOST_ELEMENTS + 1))

    assert _issue(client.post(VIEW, json=request))[:2] == (412, "prefetch.patient")


def test_call_backs_count_too(settings: Settings) -> None:
    """A FHIR server cannot bring more than a client may; the key it overflows stays missing."""
    request = call("order-sign")
    del request["prefetch"]["procedures"], request["prefetch"]["encounters"]
    with fhir_server.running() as fhir:
        fhir.chart["Procedure"] = [{"resourceType": "Procedure"}] * MOST_RESOURCES
        fhir.chart["Encounter"] = [{"resourceType": "Encounter"}]
        request["fhirServer"] = fhir.base
        calling = replace(settings, fhir_servers=(fhir.base,), callback_budget_seconds=60.0)
        completed = complete(request, (), client_of(calling))

    assert completed.callbacks == {
        "procedures": Outcome.TOO_LARGE,
        "encounters": Outcome.FETCHED,
    }
    assert "procedures" not in completed.prefetch
    assert len(completed.prefetch["encounters"]["entry"]) == 1


def test_a_call_back_with_endless_objects_is_too_large(settings: Settings) -> None:
    """Half a million empty objects are not even read."""
    request = call("order-sign")
    del request["prefetch"]["procedures"]
    with fhir_server.running() as fhir:
        fhir.chart["Procedure"] = [{"resourceType": "Procedure", "note": [{}] * MOST_OBJECTS}]
        request["fhirServer"] = fhir.base
        calling = replace(settings, fhir_servers=(fhir.base,), callback_budget_seconds=60.0)
        completed = complete(request, (), client_of(calling))

    assert completed.callbacks == {"procedures": Outcome.TOO_LARGE}


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("urn:name:John-Smith", "JohnSmith.MRN-12345678"),
        ("urn:backpath:override-reason", "JohnSmith.MRN-12345678"),
        ("urn:name:John-Smith", "patient-preference"),
        (None, "JohnSmith"),
    ],
)
def test_a_reason_that_is_not_ours_is_just_another(
    client: FlaskClient, settings: Settings, system: str | None, code: str
) -> None:
    """A name can look like a code; only what our cards offer is written down."""
    reason = {"system": system, "code": code}
    entry = {**OVERRIDDEN, "overrideReason": {"reason": reason}}
    assert client.post(URL, json={"feedback": [entry]}).status_code == 200
    (kept,) = open_store(settings.database_url).kept()

    assert (kept.reason_system, kept.reason_code) == (None, OTHER_REASON)
