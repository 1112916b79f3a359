"""The silent replay: the calls an EHR would have made, with only what was known then."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from cards.library import Library
from service.patient_record.bundle import entries, resource_of
from service.population.visits import Call, not_replayed
from tests.replayed import (
    DRUG,
    PATIENT,
    judged,
    replayed,
    sent,
)

JSON = dict[str, Any]
SNOMED, RXNORM = "http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm"


def visit(start: str, name: str = "visit-1", **members: Any) -> JSON:
    period = {"period": {"start": start}}
    return {"resourceType": "Encounter", "id": name, "status": "finished", **period, **members}


def order(written: str, name: str = "order-1", **members: Any) -> JSON:
    kind = {"resourceType": "MedicationRequest", "id": name, "status": "completed"}
    return {**kind, "intent": "order", "authoredOn": written, **members}


def coded(system: str, code: str) -> JSON:
    return {"coding": [{"system": system, "code": code}]}


def pain(recorded: str, **members: Any) -> JSON:
    """Low back pain."""
    code = coded(SNOMED, "278860009")
    return {
        "resourceType": "Condition",
        "id": "pain",
        "recordedDate": recorded,
        "code": code,
    } | members


def drafted(call: Call) -> list[JSON]:
    return [resource_of(entry) for entry in entries(call.context["draftOrders"])]


def ids(calls: list[Call]) -> list[str]:
    """What each call was made for: the visit, or the order selected."""
    return [(c.context.get("selections") or [c.context.get("encounterId")])[0] for c in calls]


# Openings of the chart


def test_the_chart_is_opened_once_a_day() -> None:
    """Two visits on one day are one opening, at the first of them."""
    calls = replayed(
        PATIENT,
        visit("2024-04-10T15:00:00Z", "afternoon"),
        visit("2024-04-10T09:00:00Z", "morning"),
        visit("2024-04-10", "some-time"),
        visit("2024-06-01", "summer"),
    )

    assert [date(2024, 4, 10), date(2024, 6, 1)] == [call.day for call in calls]
    assert ["morning", "summer"] == ids(calls)
    assert {"patient-view"} == {call.hook for call in calls}
    assert {"userId": "Practitioner/unknown", "patientId": "pat-1", "encounterId": "morning"} == (
        calls[0].context
    )


@pytest.mark.parametrize(
    ("words", "encounter", "opened"),
    [
        ("a visit by video", visit("2024-04-10") | {"class": {"code": "VR"}}, True),
        ("one that is going on", visit("2024-04-10", status="in-progress"), True),
        ("one without status", visit("2024-04-10", status=None), True),
        ("one planned", visit("2024-04-10", status="planned"), False),
        ("one the patient did not come to", visit("2024-04-10", status="cancelled"), False),
        ("one entered in error", visit("2024-04-10", status="entered-in-error"), False),
        ("one of some day in April", visit("2024-04"), False),
        ("one before the patient was born", visit("1979-04-10"), False),
        ("one after the patient had died", visit("2025-02-01"), False),
        ("one on the day of birth", visit("1980-05-05"), True),
    ],
)
def test_visits_that_took_place(words: str, encounter: JSON, opened: bool) -> None:
    """The chart was opened at visits that took place on a day of the patient's life."""
    patient = {**PATIENT, "deceasedDateTime": "2025-01-31"}

    assert opened == bool(replayed(patient, encounter))


def test_what_cannot_be_replayed_is_counted() -> None:
    """Visits without a day, and orders without a day or an id, are told by their number."""
    told = [
        PATIENT,
        visit("2024-04"),
        visit("1979-04-10"),
        visit("2024-04", status="planned"),
        order("2024-04"),
        order("2024-04-10", ""),
        order("2024-04-10", "fine"),
        order("2024", status="draft"),
        {"resourceType": "ServiceRequest", "id": "mri", "status": "active"},
    ]

    assert Counter(Encounter=2, MedicationRequest=2, ServiceRequest=1) == not_replayed(told)
    assert ["MedicationRequest/fine"] == ids(replayed(*told))


def test_a_herniation_diagnosed_after_the_visit_is_not_on_the_chart_then() -> None:
    """In April only the pain is on the chart, in June the herniation too."""
    herniation = pain("2024-05-02", id="herniation")
    april, june = replayed(
        PATIENT, pain("2024-04-10"), herniation, visit("2024-04-10"), visit("2024-06-01", "later")
    )

    assert ["pain"] == sent(april, "conditions")
    assert ["pain", "herniation"] == sent(june, "conditions")


def test_ibuprofen_stopped_since_was_running_at_the_visit() -> None:
    """A month of ibuprofen was running two weeks after it was written, and was over in summer."""
    month = {"value": 30, "code": "d", "system": "http://unitsofmeasure.org"}
    ibuprofen = order(
        "2024-04-01", status="stopped", dispenseRequest={"expectedSupplyDuration": month}
    )
    _, spring, summer = replayed(
        PATIENT, ibuprofen, visit("2024-04-15"), visit("2024-07-15", "later")
    )
    running, over = (call.prefetch["medications"]["entry"][0] for call in (spring, summer))

    assert "active" == running["resource"]["status"]
    assert ibuprofen == over["resource"]


def test_the_patient_was_alive_at_the_visits() -> None:
    """A death on record does not silence the visits before it."""
    (call,) = replayed({**PATIENT, "deceasedDateTime": "2025-01-31"}, visit("2024-04-10"))

    assert PATIENT == call.prefetch["patient"]


def test_keys_of_types_the_export_lacks_are_left_out() -> None:
    """What was not exported was not sent; what was exported and empty is known to be empty."""
    (call,) = replayed(
        PATIENT, visit("2024-04-10"), pain("2024-06-01"), delivered=frozenset({"Condition"})
    )

    assert ["patient", "conditions"] == list(call.prefetch)
    assert {"resourceType": "Bundle", "type": "searchset", "total": 0} == (
        call.prefetch["conditions"]
    )


def test_drugs_come_with_the_orders_that_name_them() -> None:
    """A Medication is included with its orders, once, and is no match of the search."""
    reference = {"medicationReference": {"reference": "Medication/drug"}}
    *_, call = replayed(
        PATIENT,
        DRUG,
        {**DRUG, "id": "not-ordered"},
        order("2024-04-01", "first", **reference),
        order("2024-04-02", "second", **reference),
        visit("2024-04-10"),
    )
    bundle = call.prefetch["medications"]

    assert 2 == bundle["total"]
    assert ["first", "second", "drug"] == sent(call, "medications")
    assert ["match", "match", "include"] == [one["search"]["mode"] for one in bundle["entry"]]


# Orders


def test_an_order_is_judged_as_it_was_picked() -> None:
    """It is a draft again, without what became of it, with its drug and its visit."""
    tablet = {"medicationReference": {"reference": "Medication/drug"}}
    picked = {**tablet, "reasonCode": [{"text": "pain"}], "encounter": {"reference": "Encounter/v"}}
    later = {"statusReason": {"text": "ineffective"}, "eventHistory": [{"reference": "x"}]}
    (call,) = replayed(PATIENT, DRUG, order("2024-04-10") | picked | later)

    assert "order-select" == call.hook
    assert "v" == call.context["encounterId"]
    assert ["MedicationRequest/order-1"] == call.context["selections"]
    assert [order("2024-04-10") | picked | {"status": "draft"}, DRUG] == drafted(call)
    assert [] == sent(call, "medications")


@pytest.mark.parametrize(
    ("words", "members", "replays"),
    [
        ("an order", {}, True),
        ("one of an order set", {"intent": "instance-order"}, True),
        ("one without intent", {"intent": None}, True),
        ("a plan", {"intent": "plan"}, False),
        ("a proposal", {"intent": "proposal"}, False),
        ("a draft nobody signed", {"status": "draft"}, False),
        ("one entered in error", {"status": "entered-in-error"}, False),
        ("a prohibition", {"doNotPerform": True}, False),
        ("one stopped since", {"status": "stopped"}, True),
    ],
)
def test_orders_that_were_written(words: str, members: JSON, replays: bool) -> None:
    """What somebody ordered is replayed; what was never ordered is not."""
    assert replays == bool(replayed(PATIENT, order("2024-04-10") | members))


def test_an_opioid_ordered_at_the_visit_is_a_draft_and_no_running_drug() -> None:
    """At the visit it is not on the chart, in its own call it is the draft; next day it runs."""
    oxycodone = order("2024-04-10", status="active")
    at_visit, picked, next_day = replayed(
        PATIENT, oxycodone, visit("2024-04-10"), visit("2024-04-11", "next")
    )

    assert ["patient-view", "order-select", "patient-view"] == [
        call.hook for call in (at_visit, picked, next_day)
    ]
    assert [] == sent(at_visit, "medications") == sent(picked, "medications")
    assert "draft" == drafted(picked)[0]["status"]
    assert ["order-1"] == sent(next_day, "medications")


def test_orders_of_one_day_stand_in_the_order_of_the_clock() -> None:
    """The second order of a morning knows the first as running; the first knows no second."""
    visited, unclocked, first, second = replayed(
        PATIENT,
        visit("2024-04-10T09:00:00Z"),
        order("2024-04-10T09:20:00Z", "second"),
        order("2024-04-10T09:10:00Z", "first", status="stopped"),
        order("2024-04-10", "no-clock"),
    )

    assert "patient-view" == visited.hook
    assert ["MedicationRequest/no-clock"] == unclocked.context["selections"]
    assert ["MedicationRequest/first"] == first.context["selections"]
    assert [] == sent(unclocked, "medications") == sent(first, "medications")
    assert ["first"] == sent(second, "medications")
    assert "active" == second.prefetch["medications"]["entry"][0]["resource"]["status"]


def test_a_visit_in_the_afternoon_knows_the_order_of_the_morning() -> None:
    """It finds the drug running; in the drug's own call it is a draft and nothing else."""
    visited, picked = replayed(
        PATIENT, order("2024-04-10T08:00:00Z"), visit("2024-04-10T15:00:00Z")
    )

    assert ["order-1"] == sent(visited, "medications")
    assert [] == sent(picked, "medications")


def test_an_injection_done_before_the_order_is_known_to_it() -> None:
    """A procedure of that morning is known to an order of the afternoon only."""
    done = {"resourceType": "Procedure", "id": "done", "performedDateTime": "2024-04-10T10:00Z"}
    visited, ordered = replayed(
        PATIENT, done, visit("2024-04-10T09:00Z"), order("2024-04-10T14:00Z")
    )

    assert [] == sent(visited, "procedures")
    assert ["done"] == sent(ordered, "procedures")


def test_an_order_exported_twice_is_one_call() -> None:
    """Of two versions of an order the one written first is replayed."""
    calls = replayed(PATIENT, order("2024-05-01"), order("2024-04-10"))

    assert [date(2024, 4, 10)] == [call.day for call in calls]


def test_versions_of_a_diagnosis_come_in_the_same_order_however_exported() -> None:
    """Two versions that share an id are both on the chart; which came first decides nothing."""
    versions = [pain("2024-04-01", clinicalStatus={"text": word}) for word in ("active", "relapse")]
    told = (PATIENT, visit("2024-04-10"))

    assert replayed(*told, *versions) == replayed(*told, *reversed(versions))


def test_a_running_opioid_warns_at_the_visit_after_it_was_ordered(library: Library) -> None:
    """The service itself: diazepam picked while oxycodone runs is warned of, before it is not."""
    oxycodone = order(
        "2024-04-10",
        "oxycodone",
        medicationCodeableConcept=coded(RXNORM, "1049621"),
        status="stopped",
        dispenseRequest={"validityPeriod": {"end": "2024-05-10"}},
    )
    diazepam = coded(RXNORM, "197591")
    told = (PATIENT, oxycodone, pain("2024-03-01"))
    before = order("2024-04-01", "before", medicationCodeableConcept=diazepam)
    while_running = order("2024-04-20", "while", medicationCodeableConcept=diazepam)
    warned = {
        name: {card["source"]["topic"]["code"] for card in judged(call, library)}
        for call in replayed(*told, before, while_running)
        for name in call.context["selections"]
    }

    assert "opioid-benzodiazepine-cns" not in warned["MedicationRequest/before"]
    assert "opioid-benzodiazepine-cns" in warned["MedicationRequest/while"]
