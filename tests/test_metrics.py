"""What is counted for whoever runs the service: right, and in words of ours only."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from cards.library import Library
from service.app import create_app
from service.gate import PATIENCE_SECONDS, Gate
from service.metrics import COUNTERS, OTHER, STAGES, Metrics
from service.prefetch import KEYS
from service.settings import Settings
from tests.conftest import A_DAY, bundle, call, patient
from tests.fhir_server import fails, running
from tests.test_http_calls import HURTS
from tests.tokens import BASE, Signer

VIEW = "/cds-services/back-pain-patient-view"
ROUTE = "/cds-services/<service_id>"
OUTCOMES = {"shown", "merged", "row", "text"} | {
    "withheld",
    "unknown",
    "suppressed",
    "capped",
    "failed",
}
STATES = {"read", "empty", "missing", "failed", "unfinished"}
Sample = tuple[str, frozenset[tuple[str, str]]]


def counted(text: str) -> dict[Sample, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _read(client: FlaskClient) -> Callable[..., float]:
    """The value of one sample; 0 when there is none."""
    samples = counted(client.get("/metrics").text)
    return lambda name, **labels: samples.get((f"backpath_{name}", frozenset(labels.items())), 0)


def _in_pain() -> dict[str, Any]:
    request = call()
    request["prefetch"]["conditions"] = bundle(HURTS)
    return request


def test_a_call_is_counted_by_address_and_status(client: FlaskClient) -> None:
    """Whoever watches the service sees how many calls it answers and how many it refuses."""
    for request in (_in_pain(), _in_pain(), {"hook": "patient-view"}):
        client.post(VIEW, json=request)
    client.get("/wp-login.php")
    read = _read(client)

    assert read("requests_total", route=ROUTE, status="200") == 2
    assert read("requests_total", route=ROUTE, status="400") == 1
    assert read("requests_total", route=OTHER, status="404") == 1
    assert read("hook_seconds_count", hook="patient-view", result="answered") == 2
    assert read("hook_seconds_count", hook="patient-view", result="refused") == 1
    assert read("hook_seconds_count", hook="order-sign", result="answered") == 0


def test_every_stage_of_an_answered_call_is_timed(client: FlaskClient) -> None:
    """Where a call's time goes can be told by hook, and the whole is no less than its parts.

    Up to the moment the line of the log is written, and as that line tells it.
    """
    client.post(VIEW, json=_in_pain())
    read = _read(client)
    counts = {
        stage: read("stage_seconds_count", hook="patient-view", stage=stage) for stage in STAGES
    }
    whole = read("hook_seconds_sum", hook="patient-view", result="answered")
    parts = sum(read("stage_seconds_sum", hook="patient-view", stage=stage) for stage in STAGES)

    assert counts == dict.fromkeys(STAGES, 1)
    assert 0 < parts <= whole
    assert read("stage_seconds_count", hook="order-sign", stage="judge") == 0


def test_waiting_for_a_place_is_timed(library: Library, settings: Settings) -> None:
    """A call that waits its second and is refused shows as such, and not as no time at all."""
    app = create_app(replace(settings, max_running_calls=1), today=lambda: A_DAY, library=library)
    client = app.test_client()
    with app.extensions["backpath"].gate.places:
        refused = client.post(VIEW, json=_in_pain())
    read = _read(client)

    assert refused.status_code == 503
    assert read("stage_seconds_sum", hook="patient-view", stage="wait") >= PATIENCE_SECONDS
    assert read("stage_seconds_count", hook="patient-view", stage="judge") == 0
    waited = read("hook_seconds_sum", hook="patient-view", result="refused")
    assert waited >= PATIENCE_SECONDS


def test_cards_and_silence_are_counted_by_recommendation(
    client: FlaskClient, library: Library
) -> None:
    """Each recommendation judged is counted once, as shown or by why it was withheld."""
    response = client.post(VIEW, json=_in_pain()).json
    assert response is not None
    cards = [(card["source"]["topic"]["code"], card["indicator"]) for card in response["cards"]]
    assert cards
    samples = counted(client.get("/metrics").text)
    shown = {labels: n for (name, labels), n in samples.items() if name == "backpath_cards_total"}
    verdicts = [
        dict(labels)
        for (name, labels), count in samples.items()
        if name == "backpath_verdicts_total"
        for _ in range(int(count))
    ]

    assert shown == {
        frozenset({"recommendation": card, "indicator": indicator}.items()): 1
        for card, indicator in cards
    }
    assert {verdict["outcome"] for verdict in verdicts} <= OUTCOMES
    assert {verdict["recommendation"] for verdict in verdicts} <= set(library.recommendations)
    assert {v["recommendation"] for v in verdicts if v["outcome"] == "shown"} == dict(cards).keys()
    assert len(verdicts) >= len(library.cards["patient-view"])


def test_the_state_of_each_prefetch_key_iscounted(client: FlaskClient) -> None:
    """An EHR that does not deliver what was asked for is found out by its counts."""
    request = _in_pain()
    prefetch = request["prefetch"]
    del prefetch["encounters"]
    prefetch["allergies"] = None
    prefetch["observations"] = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "exception"}],
    }
    prefetch["procedures"]["link"] = [{"relation": "next", "url": "https://ehr.example.org/2"}]
    prefetch["Ada Lovelace"] = {"resourceType": "Bundle", "type": "searchset"}
    client.post(VIEW, json=request)
    samples = counted(client.get("/metrics").text)
    states = {
        dict(labels)["key"]: dict(labels)["state"]
        for name, labels in samples
        if name == "backpath_prefetch_total"
    }

    assert set(states) == set(KEYS)
    assert set(states.values()) == STATES
    assert states["patient"] == states["conditions"] == "read"
    assert states["encounters"] == "missing"
    assert states["allergies"] == states["medications"] == "empty"
    assert states["observations"] == "failed"
    assert states["procedures"] == "unfinished"


def test_a_rule_that_fails_iscounted(library: Library) -> None:
    """A recommendation that fails inside is seen from outside, as a step up from nought."""
    name = next(iter(library.recommendations))
    metrics = Metrics(library, Gate(1, 1))
    key = ("backpath_rule_failures_total", frozenset({("recommendation", name)}))
    before = counted(metrics.exposition().decode())[key]
    metrics.count(rule_failures=[(name,)])

    assert (before, counted(metrics.exposition().decode())[key]) == (0, 1)


def test_call_backs_are_counted(library: Library, settings: Settings) -> None:
    """What came of asking the FHIR server shows, key by key; also for a call that is refused."""
    asking = replace(settings, allow_loopback=True, callback_budget_seconds=20.0)
    client = create_app(asking, today=lambda: A_DAY, library=library).test_client()
    with running() as fhir:
        fhir.hold({"patient": patient(), "encounters": bundle()})
        request = {**_in_pain(), "fhirServer": fhir.base}
        del request["prefetch"]["encounters"]
        assert client.post(VIEW, json=request).status_code == 200
        fhir.faults["Condition"] = fails(401)
        del request["prefetch"]["conditions"]
        assert client.post(VIEW, json=request).status_code == 412
    read = _read(client)

    assert read("callbacks_total", key="encounters", outcome="fetched") == 2
    assert read("callbacks_total", key="conditions", outcome="unauthorised") == 1
    assert read("prefetch_total", key="encounters", state="empty") == 1


def test_refused_clients_are_counted_by_reason(
    library: Library, settings: Settings, tmp_path: Path
) -> None:
    """A client whose tokens fail is noticed, and why; what its token said is not told."""
    signer, stranger = Signer(), Signer(iss="https://Lovelace.example.org")
    listed = tmp_path / "clients.json"
    listed.write_text(json.dumps([{"iss": signer.iss, "jwks": {"keys": [signer.jwk()]}}]))
    closed = replace(settings, auth="required", trusted_clients=listed, public_base_url=BASE)
    client = create_app(closed, library=library).test_client()
    for headers in (
        {},
        {"Authorization": f"Bearer {stranger.token()}"},
        {"Authorization": f"Bearer {signer.token(exp=1)}"},
    ):
        assert client.post(VIEW, json=call(), headers=headers).status_code == 401
    text = client.get("/metrics").text
    refused = {
        dict(labels)["code"]: count
        for (name, labels), count in counted(text).items()
        if name == "backpath_auth_failures_total"
    }

    assert len(refused) == 3
    assert refused["no-token"] == 1
    assert "ovelace" not in text


def test_feedback_is_counted(client: FlaskClient) -> None:
    """Feedback that was kept is counted by its outcome, and once however often it is sent."""
    entry = {
        "card": "4e0a3a1e-3283-4575-ab82-028d55fe2719",
        "outcome": "overridden",
        "outcomeTimestamp": "2026-01-11T10:05:31Z",
    }
    for feedback in ([entry], [entry, entry], [{**entry, "outcome": "ignored"}]):
        client.post(f"{VIEW}/feedback", json={"feedback": feedback})

    assert _read(client)("feedback_total", outcome="overridden") == 1


def test_metrics_bear_nothing_of_a_client(
    client_on: Callable[[date], FlaskClient], library: Library
) -> None:
    """No text of a chart, a header, an address or a body becomes a label."""
    client = client_on(date(2026, 3, 2))
    request = copy.deepcopy(_in_pain())
    request["prefetch"]["patient"] = patient(name=[{"family": "Lovelace", "given": ["Ada"]}])
    request["hookInstance"] = request["prefetch"]["Lovelace"] = "Lovelace"
    headers = {"X-Request-ID": "Ada-Lovelace", "User-Agent": "Lovelace"}
    client.post(VIEW, json=request, headers=headers)
    client.post("/cds-services/Lovelace", json=request, headers=headers)
    client.open("/Lovelace?Lovelace", method="LOVELACE", headers=headers)
    text = client.get("/metrics").text

    assert "lovelace" not in text.lower()
    assert "pat-1" not in text
    assert "1980-05-05" not in text
    known = set(library.recommendations) | OUTCOMES | STATES | set(KEYS)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert set(sample.labels) <= {
                label for _, labels in COUNTERS.values() for label in labels
            } | {
                "hook",
                "result",
                "stage",
                "le",
                "version",
            }
            if "recommendation" in sample.labels:
                assert sample.labels["recommendation"] in known


def test_metrics_say_which_content_is_served(client: FlaskClient, library: Library) -> None:
    """After an upgrade every instance can be seen to serve the new content."""
    assert _read(client)("content_info", version=library.content_version) == 1


def test_no_web_page_reads_the_metrics(client: FlaskClient) -> None:
    """A page open in a clinician's browser learns nothing of the service's inside."""
    for path in ("/metrics", "/ready", "/health"):
        response = client.get(path, headers={"Origin": "https://evil.example.org"})

        assert response.status_code == 200
        assert "Access-Control-Allow-Origin" not in response.headers
