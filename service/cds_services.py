"""The routes of CDS Hooks: discovery, calls, feedback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter

from flask import Blueprint, Response

from service.body import as_json, read_body
from service.call_counts import count_call
from service.envelope import read_json
from service.errors import busy
from service.feedback import keep_feedback, read_feedback
from service.gate import Busy, Turn
from service.hooks import answer, find_service, recommendation_ids
from service.house import House, house, profile_of
from service.log import loggable_uuid
from service.page_addresses import launch_page, recommendation_pages
from service.prefetch import NOT_READ
from service.visit import Visit, this_visit

cds_services = Blueprint("cds_services", __name__, url_prefix="/cds-services")


@cds_services.get("")
def list_services() -> Response:
    """Discovery."""
    return as_json(house().discovery)


@cds_services.post("/<service_id>")
def call_service(service_id: str) -> Response:
    """One hook call."""
    find_service(service_id)
    shared, visit = house(), this_visit()
    with in_turn(shared, visit) as (body, turn):
        today = shared.today()
        answered = answer(
            body,
            service_id,
            shared.library,
            today,
            profile_of(visit.client, shared.settings),
            partial(shared.names.uuid, client=visit.client_name),
            shared.fhir,
            turn.aside,
            recommendation_pages(shared.settings),
            launch_page(shared.settings),
        )
        begun = perf_counter()
        response = as_json(answered.response)
        serialising = perf_counter() - begun
    visit.seconds.update(answered.seconds)
    visit.seconds["respond"] += serialising
    shared.shown.count(today, visit.client_name, service_id, answered.response["cards"])
    count_call(answered, shared.metrics)
    judgement = answered.judgement
    visit.told = {
        "service": service_id,
        "hookInstance": loggable_uuid(answered.request["hookInstance"]),
        "cards": recommendation_ids(answered.response),
        "errors": list(judgement.advice.errors),
        "dropped": dict(judgement.dropped),
        "callbacks": dict(judgement.callbacks),
        "notRead": {key: state for key, state in judgement.prefetch.items() if state in NOT_READ},
    }
    return response


@cds_services.post("/<service_id>/feedback")
def take_feedback(service_id: str) -> Response:
    """What clinicians did with cards of this service."""
    find_service(service_id)
    shared, visit = house(), this_visit()
    with in_turn(shared, visit) as (body, _):
        reasons = shared.library.override_reasons
        feedback = read_feedback(
            read_json(body), service_id, shared.today(), reasons, visit.client_name
        )
        kept = keep_feedback(feedback, shared.store, shared.names)
    shared.metrics.count(feedback=[(outcome,) for outcome in kept])
    visit.told = {"service": service_id, "feedback": len(feedback)}
    return as_json({})


@contextmanager
def in_turn(shared: House, visit: Visit) -> Iterator[tuple[bytes, Turn]]:
    """The body of a call whose turn has come, and the turn.

    While the body was received the call kept nobody from running.

    Raises:
        RequestRefused: 503 when its turn does not come soon, and as ``read_body``.
    """
    body = read_body()
    received = perf_counter()
    visit.seconds["receive"] = received - visit.begun
    try:
        with shared.gate.turn() as turn:
            visit.seconds["wait"] = perf_counter() - received
            yield body, turn
    except Busy:
        visit.seconds.setdefault("wait", perf_counter() - received)
        raise busy() from None
