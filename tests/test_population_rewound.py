"""Resources as they stood on a day of the past, before what happened to them later."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from service.patient_record.dates import when
from service.population.rewound import rewound
from tests.replayed import dosed, ibuprofen, resource, span

JSON = dict[str, Any]
SPRING = date(2024, 4, 10)


def supply(days: int, refills: int = 0) -> JSON:
    duration = {"value": days, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}
    return {"expectedSupplyDuration": duration, "numberOfRepeatsAllowed": refills}


RESOLVED = {"coding": [{"code": "resolved"}]}


def test_pain_that_resolved_later_was_active_then() -> None:
    """Back pain that ended in summer was there in spring, and its end was not known."""
    pain = resource(
        "Condition",
        clinicalStatus=RESOLVED,
        onsetDateTime="2024-01-02",
        abatementDateTime="2024-07-01",
    )
    then = rewound(pain, SPRING)

    assert {"resourceType", "id", "clinicalStatus", "onsetDateTime"} == {*then}
    assert "active" == then["clinicalStatus"]["coding"][0]["code"]
    assert then["clinicalStatus"]["coding"][0]["system"].endswith("condition-clinical")
    assert pain is rewound(pain, date(2024, 7, 1))


@pytest.mark.parametrize(
    ("words", "abatement", "was_active"),
    [
        ("it ended before", {"abatementDateTime": "2024-04-01"}, False),
        ("it ended that day", {"abatementDateTime": "2024-04-10"}, False),
        ("it ended some day that month", {"abatementDateTime": "2024-04"}, True),
        ("its end went on until May", {"abatementPeriod": span("2024-03-01", "2024-05-01")}, True),
        ("it ended at 44", {"abatementAge": {"value": 44, "code": "a"}}, True),
        ("it ended at 42", {"abatementAge": {"value": 42, "code": "a"}}, False),
        ("nobody wrote when", {}, False),
        ("it has ended, some time", {"abatementBoolean": True}, False),
        ("it ended at a date nobody can read", {"abatementDateTime": "soon"}, False),
    ],
)
def test_end_of_a_condition(words: str, abatement: JSON, was_active: bool) -> None:
    """A resolved problem was active as long as its end was to come, for a patient born in 1980."""
    pain = resource("Condition", clinicalStatus=RESOLVED, onsetDateTime="2020", **abatement)
    then = rewound(pain, SPRING, when("1980-05-05"))

    assert was_active == (then["clinicalStatus"] != RESOLVED)


@pytest.mark.parametrize(
    ("words", "order", "expected"),
    [
        (
            "ibuprofen stopped last month was running at the visit in spring",
            ibuprofen(status="stopped", dispenseRequest=supply(30)),
            "active",
        ),
        (
            "two weeks of it had run out",
            ibuprofen(status="completed", dispenseRequest=supply(14)),
            "completed",
        ),
        (
            "two weeks with a refill had not",
            ibuprofen(status="completed", dispenseRequest=supply(14, refills=1)),
            "active",
        ),
        (
            "it lasted to that very day",
            ibuprofen(status="completed", dispenseRequest=supply(21)),
            "active",
        ),
        (
            "it was valid to the day before",
            ibuprofen(
                status="completed", dispenseRequest={"validityPeriod": span(end="2024-04-09")}
            ),
            "completed",
        ),
        (
            "it was to be taken to the end of the month",
            ibuprofen(
                status="cancelled",
                dosageInstruction=dosed(boundsPeriod=span("2024-03-20", "2024-04-30")),
            ),
            "active",
        ),
        (
            "it was to be taken for four weeks",
            ibuprofen(
                status="completed",
                dosageInstruction=dosed(boundsDuration={"value": 4, "code": "wk"}),
            ),
            "active",
        ),
        ("it does not say for how long", ibuprofen(status="stopped"), "stopped"),
        (
            "it was entered in error",
            ibuprofen(status="entered-in-error", dispenseRequest=supply(30)),
            "entered-in-error",
        ),
        ("it is on hold", ibuprofen(status="on-hold", dispenseRequest=supply(30)), "on-hold"),
        ("it is still running", ibuprofen(status="active", dispenseRequest=supply(1)), "active"),
        (
            "a supply of a million years does not break the calendar",
            ibuprofen(status="stopped", dispenseRequest=supply(365_000_000)),
            "active",
        ),
        (
            "a course of therapy went on until May",
            resource(
                "ServiceRequest",
                status="completed",
                authoredOn="2024-03-01",
                occurrencePeriod=span("2024-03-05", "2024-05-01"),
            ),
            "active",
        ),
        (
            "an MRI was waited for",
            resource(
                "ServiceRequest",
                status="revoked",
                authoredOn="2024-03-01",
                occurrenceDateTime="2024-04-20",
            ),
            "active",
        ),
    ],
)
def test_whether_an_order_was_running(words: str, order: JSON, expected: str) -> None:
    """An order ended since was running as long as it was for; what cannot be told stays."""
    assert expected == rewound(order, SPRING)["status"]


def test_why_a_drug_was_stopped_was_not_known_while_it_ran() -> None:
    """A drug that ran at the visit had not yet been found ineffective."""
    stopped = ibuprofen(
        status="stopped",
        statusReason={"text": "ineffective"},
        dispenseRequest=supply(30),
    )

    assert "statusReason" not in rewound(stopped, SPRING)


def test_an_order_without_an_end_ran_on_its_own_day() -> None:
    """On the day it was written an order was running, whatever became of it."""
    assert "active" == rewound(ibuprofen(status="cancelled"), date(2024, 3, 20))["status"]


@pytest.mark.parametrize(
    ("words", "told", "changed"),
    [
        (
            "a stay from which the patient went home later was going on",
            resource("Encounter", status="finished", period=span("2024-04-08", "2024-04-12")),
            {"status": "in-progress", "period": span("2024-04-08")},
        ),
        (
            "a visit of that day had its end",
            resource("Encounter", status="finished", period=span("2024-04-10", "2024-04-10")),
            {},
        ),
        (
            "a visit that was cancelled never went on",
            resource("Encounter", status="cancelled", period=span("2024-04-08", "2024-04-12")),
            {},
        ),
        (
            "a course of therapy completed later was going on, its outcome not known",
            resource(
                "Procedure",
                status="completed",
                outcome={"text": "better"},
                performedPeriod=span("2024-03-01", "2024-05-01"),
            ),
            {"status": "in-progress", "performedPeriod": span("2024-03-01"), "outcome": None},
        ),
        (
            "what was not done was not going on",
            resource(
                "Procedure", status="not-done", performedPeriod=span("2024-03-01", "2024-05-01")
            ),
            {},
        ),
        (
            "a patient who died later was alive",
            resource("Patient", deceasedDateTime="2024-06-01"),
            {"deceasedDateTime": None},
        ),
        (
            "one who died some day that year was too",
            resource("Patient", deceasedDateTime="2024"),
            {"deceasedDateTime": None},
        ),
        ("one who had died was dead", resource("Patient", deceasedDateTime="2024-04-01"), {}),
        ("a death without a date stays", resource("Patient", deceasedBoolean=True), {}),
        ("a result stays as it is", resource("Observation", status="amended"), {}),
    ],
)
def test_rewound(words: str, told: JSON, changed: JSON) -> None:
    """What ended after the day was going on, and nothing else about it is other."""
    before = deepcopy(told)
    expected = {name: value for name, value in (told | changed).items() if value is not None}

    assert expected == rewound(told, SPRING)
    assert before == told
