"""The hook services: what they are, and how one call is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date
from time import perf_counter
from types import MappingProxyType
from typing import Any

from cards.advise import Advice, advise
from cards.explanation import explain
from cards.library import Library
from cards.record import HookName, PatientRecord
from service.call import elements_of, read_call
from service.call_size import check_size
from service.card_uuid import chance_uuids
from service.completion import Completed, complete
from service.envelope import check_envelope
from service.errors import RequestRefused, data_missing, mismatched, unknown_service
from service.fhir_client import NO_CLIENT, Aside, FhirClient
from service.patient_record import (
    PatientUnavailable,
    WrongPatient,
    coverage_of,
    read_patient_record,
    states_of,
)
from service.prefetch import KEYS, require_data, templates
from service.profile import GENERIC, Profile, fitted

CDS_HOOKS_VERSION = "2.0.1"
REQUEST_EXTENSION = "org.backpath.request"
RESPONSE_EXTENSION = "org.backpath.response"
NOTHING_ASKED: Mapping[str, str] = MappingProxyType({})

# Gives a card its uuid.
NameCard = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class HookService:
    """One entry of discovery."""

    id: str
    hook: HookName
    title: str
    description: str


SERVICES: Mapping[str, HookService] = {
    service.id: service
    for service in (
        HookService(
            "back-pain-patient-view",
            "patient-view",
            "Back pain pathway",
            "Where the patient stands on the back pain pathway, the next steps worth considering, "
            "red flags, and the safety of active medicines.",
        ),
        HookService(
            "back-pain-order-select",
            "order-select",
            "Back pain: the order being chosen",
            "Advice on the selected draft orders for back pain: imaging, medicines and treatments.",
        ),
        HookService(
            "back-pain-order-sign",
            "order-sign",
            "Back pain: the orders being signed",
            "Advice on every draft order for back pain: imaging, medicines and treatments.",
        ),
    )
}


def discover(library: Library) -> dict[str, Any]:
    """The answer to ``GET /cds-services``."""
    prefetch = templates(library.loinc_codes)
    return {
        "services": [
            {
                "hook": service.hook,
                "title": service.title,
                "description": service.description,
                "id": service.id,
                "prefetch": prefetch,
                "usageRequirements": (
                    "Needs FHIR R4 data. Without the patient, or on patient-view without the "
                    "conditions, the answer is 412."
                ),
                "version": CDS_HOOKS_VERSION,
            }
            for service in SERVICES.values()
        ]
    }


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of one request: the advice, and what reading it had to leave out.

    Attributes:
        dropped: what was left out and how often.
        prefetch: each key as it stood: read, empty, missing, failed or unfinished.
        callbacks: each key the client's FHIR server was asked for, and what came of it.
        record: what was judged.
    """

    advice: Advice
    dropped: Mapping[str, int] = field(default_factory=dict)
    prefetch: Mapping[str, str] = field(default_factory=dict)
    callbacks: Mapping[str, str] = field(default_factory=dict)
    record: PatientRecord | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """One call answered.

    Attributes:
        request: the call as read, for its id in the log only.
        seconds: how long each stage took.
    """

    response: dict[str, Any]
    judgement: Judgement
    request: Mapping[str, Any]
    seconds: Mapping[str, float]


def unlike_any(_: Mapping[str, Any]) -> str:
    """A uuid for a card that nobody will be told about."""
    (uuid,) = chance_uuids(1)
    return uuid


def answer(
    body: bytes,
    service_id: str,
    library: Library,
    today: date,
    profile: Profile = GENERIC,
    name_card: NameCard = unlike_any,
    fhir: FhirClient = NO_CLIENT,
    aside: Aside = nullcontext,
    pages: str | None = None,
    launch: str | None = None,
) -> Answered:
    """Answer one call, from the bytes received to the response.

    Args:
        today: the day of the call, local calendar date.
        profile: what the client can show.
        name_card: gives each card its uuid.
        fhir: asks the client's FHIR server for what the prefetch lacks.
        aside: entered while the FHIR server is waited for, to make room for other calls.
        pages: the address below which each recommendation has its page; None where it has none.
        launch: where the pathway view is launched; None where there is none.

    Raises:
        RequestRefused: the call cannot be answered with cards.
    """
    begun = perf_counter()
    service = find_service(service_id)
    request = read_call(body)
    check_hook(request, service)
    check_envelope(request, service.hook)
    check_size(request)
    read = perf_counter()
    with elements_of(body):
        completed = complete(request, library.loinc_codes, fhir, aside)
        complete_at = perf_counter()
        judgement = _judge_completed(request, completed, service, library, today)
    judged = perf_counter()
    why = explain(judgement.advice, library) if wants_explanation(request) else None
    response = respond(judgement.advice, why, profile, name_card, pages, launch)
    seconds = {
        "read": read - begun,
        "complete": complete_at - read,
        "judge": judged - complete_at,
        "respond": perf_counter() - judged,
    }
    return Answered(response, judgement, request, seconds)


def _judge_completed(
    request: Mapping[str, Any],
    completed: Completed,
    service: HookService,
    library: Library,
    today: date,
) -> Judgement:
    """Judge a call whose prefetch was completed, as if the client had sent all of it."""
    asked = {**request, "prefetch": completed.prefetch}
    try:
        return judge(asked, service, library, today, completed.callbacks)
    except RequestRefused as refusal:
        refusal.callbacks = completed.callbacks
        raise


def find_service(service_id: str) -> HookService:
    """The service of this id.

    Raises:
        RequestRefused: 404.
    """
    if service_id not in SERVICES:
        raise unknown_service()
    return SERVICES[service_id]


def service_of_hook(hook: object) -> HookService:
    """The service that answers a hook.

    Raises:
        RequestRefused: 400, when none does.
    """
    for service in SERVICES.values():
        if service.hook == hook:
            return service
    raise mismatched("No service answers this hook.", "hook")


def check_hook(request: Mapping[str, Any], service: HookService) -> None:
    """Refuse a call of another hook than the service's own; a guess could judge wrong orders.

    Raises:
        RequestRefused: 400.
    """
    hook = request.get("hook")
    if isinstance(hook, str) and hook != service.hook:
        raise mismatched(f"This service answers the hook {service.hook} only.", "hook")


def judge(
    request: Mapping[str, Any],
    service: HookService,
    library: Library,
    today: date,
    callbacks: Mapping[str, str] = NOTHING_ASKED,
) -> Judgement:
    """Read the patient record out of a checked request and advise on it.

    Args:
        callbacks: what came of asking the client's FHIR server, as ``Judgement`` bears it.

    Raises:
        RequestRefused: 412 when required data is missing, 400 when it is about someone else.
    """
    context = request["context"]
    prefetch = request.get("prefetch") or {}
    coverage = coverage_of(prefetch, KEYS)
    require_data(service.hook, coverage)
    try:
        reading = read_patient_record(
            hook=service.hook,
            context=context,
            prefetch=prefetch,
            coverage=coverage,
            index=library.index,
            drugs=library.drugs,
            today=today,
        )
    except PatientUnavailable:
        raise data_missing("patient") from None
    except WrongPatient:
        raise mismatched(
            "The prefetched Patient is not the patient of the context.", "prefetch.patient.id"
        ) from None
    return Judgement(
        advise(reading.record, today, library),
        dict(reading.dropped),
        prefetch=states_of(coverage, prefetch),
        callbacks=callbacks,
        record=reading.record,
    )


def wants_explanation(request: Mapping[str, Any]) -> bool:
    """Whether the request asks why: ``extension["org.backpath.request"].explain`` is true."""
    extension = request.get("extension")
    ours = extension.get(REQUEST_EXTENSION) if isinstance(extension, Mapping) else None
    return isinstance(ours, Mapping) and ours.get("explain") is True


def respond(
    advice: Advice,
    why: Mapping[str, Any] | None = None,
    profile: Profile = GENERIC,
    name_card: NameCard = unlike_any,
    pages: str | None = None,
    launch: str | None = None,
) -> dict[str, Any]:
    """The response that bears this advice, with new uuids for feedback to name.

    Args:
        why: the explanation, when the request asks for it.
        profile: what the client can show.
        name_card: gives each card its uuid.
        pages: the address below which each recommendation has its page; None where it has none.
        launch: where the pathway view is launched; None where there is none.
    """
    told_cards = [with_page(card, pages) for card in advice.cards] if pages else advice.cards
    if launch:
        told_cards = [with_launch(card, launch) for card in told_cards]
    cards = [with_uuids(fitted(card, profile), name_card) for card in told_cards]
    response: dict[str, Any] = {"cards": cards}
    ours = {"errors": list(advice.errors), "explanation": why}
    told = {name: value for name, value in ours.items() if value}
    if told:
        response["extension"] = {RESPONSE_EXTENSION: told}
    return response


def with_page(card: Mapping[str, Any], pages: str) -> dict[str, Any]:
    """The card with the address of its recommendation's page as that of its source."""
    source = card["source"]
    address = f"{pages}/{source['topic']['code']}"
    return {**card, "source": {"label": source["label"], "url": address, **source}}


def with_launch(card: Mapping[str, Any], launch: str) -> dict[str, Any]:
    """The card with a link that opens the chart it is about in the pathway view."""
    link = {"label": "Back pain pathway", "url": launch, "type": "smart"}
    return {**card, "links": [*card.get("links", ()), link]}


def with_uuids(card: Mapping[str, Any], name_card: NameCard = unlike_any) -> dict[str, Any]:
    """The card with a new uuid of its own, and one for each of its suggestions."""
    named = {"uuid": name_card(card), **card}
    if suggestions := named.get("suggestions"):
        uuids = chance_uuids(len(suggestions))
        named["suggestions"] = [
            {"uuid": uuid, **suggestion}
            for uuid, suggestion in zip(uuids, suggestions, strict=True)
        ]
    return named


def recommendation_ids(response: Mapping[str, Any]) -> list[str]:
    """The recommendation each card of a response stands for, in order."""
    return [card["source"]["topic"]["code"] for card in response["cards"]]
