"""The chart that a launch was granted: read with the user's token, and judged as a hook call is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from cards.advise import Advice
from cards.library import Library
from cards.record import PatientRecord
from service.completion import complete
from service.errors import RequestRefused
from service.fhir_client import Aside, FhirClient
from service.hooks import Judgement, judge, respond, service_of_hook
from service.pages.smart_launch import Granted, LaunchRefused
from service.pages.words import one_line
from service.patient_record.elements import Resource, TooManyElements, objects, text
from service.prefetch import NOT_READ, SEARCHES
from service.profile import GENERIC

LONGEST_NAME = 80
# What people call what could not be read.
KEY_NAMES: Mapping[str, str] = {
    "patient": "the patient",
    "conditions": "problems and diagnoses",
    "medications": "medicines",
    "observations": "measurements and laboratory results",
    "procedures": "procedures and therapies",
    "serviceRequests": "orders and referrals",
    "encounters": "visits",
    "allergies": "allergies",
    "diagnosticReports": "reports",
    "deviceRequests": "devices",
}


@dataclass(frozen=True, slots=True)
class ReadChart:
    """A chart read and judged; it lives as long as the request.

    Attributes:
        name, born: whose chart it is, as recorded; empty when not.
        not_read: what could not be read, in words.
        callbacks: each kind of entry asked for, and what came of it.
    """

    record: PatientRecord = field(repr=False)
    advice: Advice = field(repr=False)
    cards: tuple[Mapping[str, Any], ...] = field(repr=False)
    name: str = field(repr=False)
    born: str = field(repr=False)
    not_read: tuple[str, ...]
    callbacks: Mapping[str, str]


def read_chart(
    granted: Granted,
    server: str,
    library: Library,
    today: date,
    fhir: FhirClient,
    aside: Aside,
) -> ReadChart:
    """The chart of the patient in context, and the advice on it.

    Raises:
        LaunchRefused: the EHR does not give enough of it.
    """
    request = {
        "hook": "patient-view",
        "hookInstance": str(uuid4()),
        "fhirServer": server,
        "fhirAuthorization": {"access_token": granted.token},
        "context": {"userId": "Practitioner/launched", "patientId": granted.patient},
    }
    completed = complete(request, library.loinc_codes, fhir, aside)
    chart = {"hook": "patient-view", "context": request["context"], "prefetch": completed.prefetch}
    try:
        found = judge(chart, service_of_hook("patient-view"), library, today, completed.callbacks)
    except RequestRefused:
        raise LaunchRefused("chart-not-read") from None
    name, born = _identity(completed.prefetch["patient"])
    return ReadChart(
        _record(found),
        found.advice,
        tuple(respond(found.advice, profile=GENERIC)["cards"]),
        name,
        born,
        tuple(KEY_NAMES[key] for key in SEARCHES if found.prefetch.get(key) in NOT_READ),
        found.callbacks,
    )


def _record(found: Judgement) -> PatientRecord:
    if found.record is None:
        raise LaunchRefused("chart-not-read")
    return found.record


def _identity(patient: Resource) -> tuple[str, str]:
    """Name and date of birth as recorded: whoever looks must see whose chart it is."""
    try:
        names = objects(patient.get("name"))
    except TooManyElements:
        names = ()
    official = [one for one in names if text(one.get("use")) in ("official", "usual")]
    chosen = (official or list(names) or [{}])[0]
    given = chosen.get("given")
    parts = [text(one) for one in given] if isinstance(given, list) else [text(given)]
    written = text(chosen.get("text")) or " ".join(
        filter(None, (*parts, text(chosen.get("family"))))
    )
    return one_line(written, LONGEST_NAME), one_line(text(patient.get("birthDate")), 10)
