"""Calling the services over HTTP: discovery, cards, and what is refused with which status."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.hooks import SERVICES, recommendation_ids, with_uuids
from service.prefetch import KEYS, templates
from tests.conftest import bundle, call, patient

HOOKS = ("patient-view", "order-select", "order-sign")
HURTS = {
    "resourceType": "Condition",
    "id": "c1",
    "subject": {"reference": "Patient/pat-1"},
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.50"}]},
    "onsetDateTime": "2026-02-20",
}
FAILED = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception"}],
}


def _post(client: FlaskClient, request: dict[str, Any]) -> TestResponse:
    return client.post(f"/cds-services/back-pain-{request['hook']}", json=request)


def _in_pain(hook: str = "patient-view") -> dict[str, Any]:
    request = call(hook)
    request["prefetch"]["conditions"] = bundle(HURTS)
    return request


def _paths(response: TestResponse) -> list[str]:
    body = response.json
    assert body is not None
    assert body["resourceType"] == "OperationOutcome"
    return [path for issue in body["issue"] for path in issue["expression"]]


def test_discovery_lists_one_service_for_each_hook(client: FlaskClient) -> None:
    """An EHR finds the three services, each with the ten queries it may run ahead."""
    response = client.get("/cds-services")

    assert response.status_code == 200
    assert response.json is not None
    services = response.json["services"]
    assert {service["id"]: service["hook"] for service in services} == {
        f"back-pain-{hook}": hook for hook in HOOKS
    }
    for service in services:
        assert tuple(service["prefetch"]) == KEYS


def test_queries_stay_in_the_subset_every_client_can_run() -> None:
    """No include, no modifier, no date limit; only the patient's id is filled in."""
    for query in templates(["72514-3", "38221-8"]).values():
        assert re.fullmatch(
            r"Patient/\{\{context\.patientId\}\}"
            r"|[A-Z][A-Za-z]+\?patient=\{\{context\.patientId\}\}(&code=[^&]+)?",
            query,
        )


def test_observations_are_limited_to_the_codes_in_use() -> None:
    """A chart holds thousands of laboratory values; we ask for those a fact looks at."""
    query = templates(["72514-3", "38221-8", "38221-8"])["observations"]

    assert query.endswith("&code=http://loinc.org|38221-8,http://loinc.org|72514-3")


@pytest.mark.parametrize("hook", HOOKS)
def test_a_well_formed_call_is_answered_with_cards(client: FlaskClient, hook: str) -> None:
    """A patient in pain gets an answer on every hook."""
    response = _post(client, _in_pain(hook))

    assert response.status_code == 200
    assert response.json is not None
    assert isinstance(response.json["cards"], list)
    assert set(response.json) <= {"cards"}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_healthy_back_gets_silence(client: FlaskClient, hook: str) -> None:
    """A chart without back pain gets no card on opening it."""
    response = _post(client, call(hook))

    assert response.status_code == 200
    if hook == "patient-view":
        assert response.json == {"cards": []}


def test_the_same_call_twice_gives_the_same_cards_but_for_uuids(client: FlaskClient) -> None:
    """Feedback can tell two showings of one card apart, and nothing else differs."""
    first, second = (_post(client, _in_pain()).json for _ in range(2))
    assert first is not None
    assert second is not None

    assert recommendation_ids(first) == recommendation_ids(second)
    assert first["cards"]
    assert {card["uuid"] for card in first["cards"]}.isdisjoint(
        card["uuid"] for card in second["cards"]
    )


def test_every_card_and_suggestion_bears_a_uuid() -> None:
    """Without its uuid a client could never report what became of a card."""
    card = with_uuids({"summary": "x", "suggestions": [{"label": "a"}, {"label": "b"}]})
    given = [card["uuid"], *(suggestion["uuid"] for suggestion in card["suggestions"])]

    assert len({UUID(text) for text in given}) == 3


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("value", [..., None, FAILED, {"resourceType": "Basic"}, "Patient/pat-1"])
def test_without_a_readable_patient_it_is_412(client: FlaskClient, hook: str, value: Any) -> None:
    """Nothing is judged about a patient who was not sent."""
    request = _in_pain(hook)
    if value is ...:
        del request["prefetch"]["patient"]
    else:
        request["prefetch"]["patient"] = value
    response = _post(client, request)

    assert (response.status_code, _paths(response)) == (412, ["prefetch.patient"])


@pytest.mark.parametrize("value", [..., FAILED, "x"])
def test_patient_view_without_conditions_is_412(client: FlaskClient, value: Any) -> None:
    """A pathway cannot be judged from a chart whose problems were not sent."""
    request = call()
    if value is ...:
        del request["prefetch"]["conditions"]
    else:
        request["prefetch"]["conditions"] = value
    response = _post(client, request)

    assert (response.status_code, _paths(response)) == (412, ["prefetch.conditions"])


@pytest.mark.parametrize(
    "value", [None, bundle(), {"resourceType": "Bundle", "type": "searchset", "total": 0}]
)
def test_known_empty_conditions_are_an_answer(client: FlaskClient, value: Any) -> None:
    """No problems on the list is known, and not the same as not knowing."""
    request = call()
    request["prefetch"]["conditions"] = value

    assert _post(client, request).status_code == 200


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_an_order_is_judged_without_conditions(client: FlaskClient, hook: str) -> None:
    """Safety advice on an order does not wait for the problem list."""
    request = call(hook)
    del request["prefetch"]["conditions"]

    assert _post(client, request).status_code == 200


def test_another_patients_resource_as_the_patient_is_400(client: FlaskClient) -> None:
    """Advice never mixes two people up."""
    request = _in_pain()
    request["prefetch"]["patient"] = patient(id="somebody-else")
    response = _post(client, request)

    assert (response.status_code, _paths(response)) == (400, ["prefetch.patient.id"])


def test_a_hook_sent_to_the_wrong_service_is_400(client: FlaskClient) -> None:
    """A call is never answered by guessing which hook was meant."""
    response = client.post("/cds-services/back-pain-order-sign", json=call("patient-view"))

    assert (response.status_code, _paths(response)) == (400, ["hook"])


@pytest.mark.parametrize("suffix", ["neck-pain", "%00", "%2e%2e", "a" * 3000])
def test_an_unknown_service_is_404(client: FlaskClient, suffix: str) -> None:
    """Only the listed services exist."""
    response = client.post(f"/cds-services/{suffix}", json=call())

    assert response.status_code == 404
    assert _paths(response)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_405(client: FlaskClient, method: str) -> None:
    """Services are called by POST."""
    response = client.open("/cds-services/back-pain-patient-view", method=method)

    assert response.status_code == 405
    assert _paths(response)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/fhir+json; charset=utf-8", 200),
        ("Application/JSON;charset=UTF-8", 200),
        ("application/xml", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        (None, 415),
    ],
)
def test_only_json_is_read(client: FlaskClient, content_type: str | None, status: int) -> None:
    """A body that does not claim to be JSON is not read as JSON."""
    response = client.post(
        "/cds-services/back-pain-patient-view",
        data=json.dumps(_in_pain()),
        content_type=content_type,
    )

    assert response.status_code == status


def test_a_compressed_body_is_refused(client: FlaskClient) -> None:
    """A small compressed body could unfold to any size."""
    response = client.post(
        "/cds-services/back-pain-patient-view",
        data=b"\x1f\x8b\x08\x00",
        content_type="application/json",
        headers={"Content-Encoding": "gzip"},
    )

    assert response.status_code == 415


def test_an_access_token_never_comes_back(client: FlaskClient) -> None:
    """The token of the EHR stays out of the answer."""
    request = {
        **_in_pain(),
        "fhirServer": "http://127.0.0.1:9/fhir",
        "fhirAuthorization": {"access_token": "open-sesame", "token_type": "Bearer"},
    }
    response = _post(client, request)

    assert response.status_code == 200
    assert b"open-sesame" not in response.data


def test_health_and_readiness(client: FlaskClient) -> None:
    """An operator sees that the service lives, is ready, and does not verify its clients."""
    ready = client.get("/ready")

    assert client.get("/health").json == {"status": "alive"}
    assert ready.status_code == 200
    assert ready.json is not None
    assert ready.json["auth"] == "off"


def test_each_hook_has_one_service() -> None:
    """A hook is answered in one place."""
    assert sorted(service.hook for service in SERVICES.values()) == sorted(HOOKS)
