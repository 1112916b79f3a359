"""The playground: a request is edited, run and explained; it is never stored and never logged."""

from __future__ import annotations

import gzip
import json
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, render_template, request

from service.body import as_json
from service.card_uuid import chance_uuids
from service.cds_services import in_turn
from service.errors import RequestRefused, busy, not_served, outcome
from service.gate import Busy
from service.house import house
from service.pages.card_view import card_views
from service.pages.frame import page
from service.pages.synthetic_patients import request_of, synthetic_patients
from service.pages.trial import STAGES, Trial, accepted, faults, try_out
from service.visit import this_visit

# Three to begin with: a red flag, a next step, an order with something to say about.
FIRST = {
    "low-back-c3-naproxen-failed": "a next step after naproxen",
    "cauda-equina-with-sciatica": "a red flag",
    "tramadol-on-sertraline": "a drug being ordered",
}
# The quickest; a tenth is left of it already.
PACKING = 1

playground = Blueprint("playground", __name__, url_prefix="/try")


@playground.before_request
def sit_down() -> None:
    """A trial takes a seat as a call does.

    Raises:
        RequestRefused: 503, too many are in already.
    """
    if request.method != "POST":
        return
    try:
        house().gate.seats.__enter__()
    except Busy:
        raise busy() from None
    this_visit().is_seated = True


@playground.get("")
def start() -> Response:
    """The editor, with the request of a synthetic patient in it if one is asked for."""
    people = synthetic_patients()
    name = request.args.get("patient", "")
    chosen = request_of(name, house().today()) if name else None
    return page(
        "try.html",
        people=people,
        first={name: FIRST[name] for name in (each.name for each in people) if name in FIRST},
        chosen=name if chosen else "",
        text=written(chosen) if chosen else "",
    )


@playground.get("/patients/<name>")
def show_patient(name: str) -> Response:
    """The request of one synthetic patient, its dates moved to today."""
    found = request_of(name, house().today())
    if found is None:
        raise not_served()
    return Response(written(found), content_type="application/json")


@playground.post("/run")
def run() -> Response:
    """What the service answers to a request, as a person reads it: parts of a page."""
    shared, visit = house(), this_visit()
    with in_turn(shared, visit) as (body, turn):
        try:
            trial = try_out(body, shared, turn.aside)
        except RequestRefused as refusal:
            visit.told = {"answered": refusal.status}
            return _part(
                "try_refused.html",
                status=HTTPStatus(refusal.status),
                faults=faults(body, refusal),
                response=written(outcome(refusal.problems)),
            )
        visit.told = {"service": trial.service_id}
        return _shown(trial)


@playground.post("/apply")
def apply() -> Response:
    """The request that follows when a suggestion of a card is accepted, as JSON text."""
    with in_turn(house(), this_visit()) as (body, _):
        (instance,) = chance_uuids(1)
        return as_json({"request": written(accepted(body, instance))})


def _shown(trial: Trial) -> Response:
    seconds = this_visit().seconds | trial.seconds
    return _part(
        "try_answer.html",
        service=trial.service_id,
        cards=card_views(trial.answered.response),
        placing=trial.placing,
        dropped=trial.answered.judgement.dropped,
        prefetch=trial.answered.judgement.prefetch,
        stages=[(words, seconds[stage] * 1000) for stage, words in STAGES.items()],
        response=written(trial.answered.response),
    )


def _part(template: str, **shown: Any) -> Response:
    """A part of a page, for the script of the playground to put in its place.

    The table of recommendations is long where many orders are signed, and says the same often.
    """
    body = render_template(template, **shown).encode()
    packed = request.accept_encodings.quality("gzip") > 0
    response = Response(
        gzip.compress(body, PACKING) if packed else body, content_type="text/html; charset=utf-8"
    )
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "no-store"
    return response


def written(value: Any) -> str:
    """JSON for people: indented, other alphabets readable."""
    return json.dumps(value, indent=2, ensure_ascii=False)
