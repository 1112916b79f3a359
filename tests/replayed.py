"""Histories to be replayed: made by chance, and those of the synthetic patients."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from cards.library import Library
from service.hooks import judge, service_of_hook
from service.patient_record import coverage_of
from service.patient_record.bundle import entries, kind_of, resource_of
from service.population.visits import Call, visit_calls
from service.prefetch import KEYS, SEARCHES
from tests.fixture_cards import Fixture

JSON = dict[str, Any]
EVERYTHING = frozenset({"Patient", "Medication", *SEARCHES.values()})
FIRST_DAY = date(2024, 1, 1)
# Few, so that much falls on the same day.
DAYS = 6


def replayed(*resources: JSON, delivered: frozenset[str] = EVERYTHING) -> list[Call]:
    """Every call of the past of the patient ``pat-1``."""
    return list(visit_calls("pat-1", resources, delivered))


def sent(call: Call, key: str) -> list[str]:
    """The ids under a prefetch key of a call."""
    return [resource_of(entry).get("id") for entry in entries(call.prefetch[key])]


def judged(call: Call, library: Library) -> list[JSON]:
    """The cards a call of the past would have got."""
    request = {"hook": call.hook, "context": call.context, "prefetch": call.prefetch}
    return asked(request, call.day, library)


def asked(request: JSON, day: date, library: Library) -> list[JSON]:
    """The cards of a request, by the code that answers the hook over HTTP."""
    advice = judge(request, service_of_hook(request["hook"]), library, day).advice
    assert not advice.errors
    return list(advice.cards)


def history(fixture: Fixture) -> list[JSON]:
    """What an export would hold of a synthetic patient: the resources of the request's prefetch."""
    sent_with = (each for value in fixture.request["prefetch"].values() for each in entries(value))
    resources = (resource_of(entry) for entry in sent_with)
    return [one for one in resources if kind_of(one) in EVERYTHING]


def delivered(fixture: Fixture) -> frozenset[str]:
    """The types whose prefetch keys came with the request."""
    prefetch = fixture.request["prefetch"]
    return frozenset(kind for key, kind in SEARCHES.items() if key in prefetch)


def has_unread_keys(fixture: Fixture) -> bool:
    """Whether a search of the request failed or was not read to the end."""
    coverage = coverage_of(fixture.request["prefetch"], KEYS)
    return any(state.value in ("failed", "unfinished") for state in coverage.values())


def a_visit(fixture: Fixture) -> JSON:
    """A visit on the day of the request, of which nothing is known but that it was."""
    return {
        "resourceType": "Encounter",
        "id": "visit-of-the-day",
        "status": "finished",
        "subject": {"reference": f"Patient/{fixture.request['context']['patientId']}"},
        "period": {"start": fixture.as_of.isoformat(), "end": fixture.as_of.isoformat()},
    }


# Histories written out


def resource(kind: str, **members: Any) -> JSON:
    return {"resourceType": kind, "id": f"{kind}-1", **members}


def span(start: str | None = None, end: str | None = None) -> JSON:
    return {name: day for name, day in (("start", start), ("end", end)) if day}


def ibuprofen(**members: Any) -> JSON:
    return resource("MedicationRequest", intent="order", authoredOn="2024-03-20", **members)


def dosed(**repeat: Any) -> list[JSON]:
    return [{"timing": {"repeat": repeat}}]


# Histories made by chance


def on_day(number: int) -> str:
    """A day of the history as FHIR writes it."""
    return (FIRST_DAY + timedelta(days=number)).isoformat()


@st.composite
def dates(draw: st.DrawFn, first: int = 0) -> str:
    """A day, with or without a clock time; now and then its month only."""
    day = on_day(draw(st.integers(first, first + DAYS)))
    clock = draw(st.sampled_from(("", "", "T08:00:00Z", "T09:30:00Z", "T16:00Z", "month")))
    return day[:7] if clock == "month" else day + clock


@st.composite
def entries_of_a_chart(draw: st.DrawFn, name: str, first: int = 0) -> JSON:
    """A resource that came to be known on the first day told or later."""
    at, later = draw(dates(first)), draw(dates(first))
    kind = draw(st.sampled_from(sorted(SEARCHES.values())))
    one: JSON = {"resourceType": kind, "id": f"{name}-{draw(st.integers(0, 2))}"}
    match kind:
        case "Condition":
            ended = {"abatementDateTime": later, "clinicalStatus": {"text": "resolved"}}
            return one | {"recordedDate": at} | draw(st.sampled_from(({}, ended)))
        case "AllergyIntolerance":
            return one | {"recordedDate": at}
        case "Observation" | "DiagnosticReport":
            return one | {"effectiveDateTime": at}
        case "Procedure":
            return one | {"status": "completed", "performedPeriod": {"start": at, "end": later}}
        case "Encounter":
            status = draw(st.sampled_from(("finished", "finished", "planned", "cancelled")))
            return one | {"status": status, "period": {"start": at, "end": later}}
        case _:
            status = draw(st.sampled_from(("active", "stopped", "completed", "draft", "on-hold")))
            to = {"boundsPeriod": {"end": later}}
            drug = {"medicationReference": {"reference": "Medication/drug"}}
            dosed = [{"timing": {"repeat": to}}]
            return one | drug | {"status": status, "authoredOn": at, "dosageInstruction": dosed}


PATIENT: JSON = {"resourceType": "Patient", "id": "pat-1", "birthDate": "1980-05-05"}
DRUG: JSON = {"resourceType": "Medication", "id": "drug", "code": {"text": "a tablet"}}


def histories() -> st.SearchStrategy[list[JSON]]:
    """The history of a patient, some of whose resources share an id."""
    return st.lists(entries_of_a_chart("r"), max_size=14).map(lambda told: [PATIENT, DRUG, *told])
