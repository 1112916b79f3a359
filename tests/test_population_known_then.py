"""The chart as it stood on a day of the past: what was known, and in which form."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from service.population.known_then import Moment, day_known, known_by, undated
from tests.replayed import dosed, ibuprofen, resource, span

JSON = dict[str, Any]
SPRING = date(2024, 4, 10)


@pytest.mark.parametrize(
    ("words", "told", "expected"),
    [
        (
            "a diagnosis is known from the day it was recorded, not from its onset",
            resource("Condition", recordedDate="2024-04-12", onsetDateTime="2024-01-02"),
            date(2024, 4, 12),
        ),
        (
            "also where it was recorded before its onset",
            resource("Condition", recordedDate="2024-01-02", onsetDateTime="2024-04-12"),
            date(2024, 1, 2),
        ),
        (
            "one not recorded with a date is known from its onset",
            resource("Condition", onsetDateTime="2024-01-02"),
            date(2024, 1, 2),
        ),
        (
            "an onset given as a period is its start",
            resource("Condition", onsetPeriod=span("2024-01-02", "2024-02-03")),
            date(2024, 1, 2),
        ),
        (
            "an onset given as an age is no date",
            resource("Condition", onsetAge={"value": 40}),
            None,
        ),
        (
            "a recorded date nobody can read leaves the onset",
            resource("Condition", recordedDate="spring", onsetDateTime="2024-01-02"),
            date(2024, 1, 2),
        ),
        (
            "a day that is in no calendar is no date",
            resource("Condition", recordedDate="2024-02-30"),
            None,
        ),
        (
            "a month is known from its last day",
            resource("Condition", recordedDate="2024-02"),
            date(2024, 2, 29),
        ),
        (
            "a year is known from its last day",
            resource("Condition", recordedDate="2024"),
            date(2024, 12, 31),
        ),
        (
            "the day of a date-time is the one it is written in, wherever the clock stood",
            resource("Condition", recordedDate="2024-04-12T23:30:00-05:00"),
            date(2024, 4, 12),
        ),
        (
            "an allergy is known from the day it was recorded",
            resource("AllergyIntolerance", recordedDate="2024-04-12", onsetDateTime="2001"),
            date(2024, 4, 12),
        ),
        (
            "a result is known from its issue, not from the day the blood was drawn",
            resource("Observation", issued="2024-04-12T08:00:00Z", effectiveDateTime="2024-04-01"),
            date(2024, 4, 12),
        ),
        (
            "a result without issue is known from the time it speaks for",
            resource("Observation", effectiveDateTime="2024-04-01"),
            date(2024, 4, 1),
        ),
        (
            "what was measured over days is known from the last of them",
            resource("Observation", effectivePeriod=span("2024-04-01", "2024-04-03")),
            date(2024, 4, 3),
        ),
        (
            "or from the first, where no last is told",
            resource("Observation", effectivePeriod=span("2024-04-01")),
            date(2024, 4, 1),
        ),
        (
            "a report is known from its issue",
            resource("DiagnosticReport", issued="2024-04-12T08:00:00Z"),
            date(2024, 4, 12),
        ),
        (
            "a course of therapy is known from its first day",
            resource("Procedure", performedPeriod=span("2024-04-01", "2024-06-01")),
            date(2024, 4, 1),
        ),
        (
            "of which only the last day is told, from that",
            resource("Procedure", performedPeriod=span(end="2024-06-01")),
            date(2024, 6, 1),
        ),
        ("an order is known from the day it was written", ibuprofen(), date(2024, 3, 20)),
        (
            "an undated order is known from the first day it is for",
            resource(
                "MedicationRequest",
                dosageInstruction=dosed(boundsPeriod=span("2024-03-22")),
                dispenseRequest={"validityPeriod": span("2024-03-21")},
            ),
            date(2024, 3, 21),
        ),
        (
            "an undated referral is known from the day it is for",
            resource("ServiceRequest", occurrenceDateTime="2024-05-01"),
            date(2024, 5, 1),
        ),
        (
            "an undated brace is known from the first day it is for",
            resource("DeviceRequest", occurrencePeriod=span("2024-05-01", "2024-06-01")),
            date(2024, 5, 1),
        ),
        (
            "a visit is known from its start",
            resource("Encounter", period=span("2024-04-10T09:00:00Z", "2024-04-12")),
            date(2024, 4, 10),
        ),
        ("a patient is timeless", resource("Patient", birthDate="1980-05-05"), None),
        ("a drug is timeless", resource("Medication"), None),
        ("dates in odd places are none", resource("Procedure", performedPeriod=[3]), None),
    ],
)
def test_day_known(words: str, told: JSON, expected: date | None) -> None:
    """A resource comes to be known on the best date it bears, and never too early."""
    assert expected == day_known(told)


def test_undated_resources_are_counted() -> None:
    """What bears no date is counted by type; patients, drugs and claims do not count."""
    chart = [
        resource("Patient"),
        resource("Medication"),
        resource("Claim"),
        resource("Condition"),
        resource("Condition", recordedDate="unknown"),
        resource("Condition", recordedDate="2024"),
        resource("MedicationRequest"),
    ]

    assert Counter(Condition=2, MedicationRequest=1) == undated(chart)


@pytest.mark.parametrize(
    ("words", "told", "at", "expected"),
    [
        (
            "a herniation diagnosed after the visit is not on the chart then",
            resource("Condition", recordedDate="2024-04-11"),
            Moment(SPRING),
            False,
        ),
        (
            "one diagnosed in the visit is: it may be its reason",
            resource("Condition", recordedDate="2024-04-10T10:00:00Z"),
            Moment(SPRING, "09:00:00"),
            True,
        ),
        (
            "one of some day this month is not known before the month is over",
            resource("Condition", recordedDate="2024-04"),
            Moment(SPRING),
            False,
        ),
        (
            "a pain score taken in the visit is known",
            resource("Observation", effectiveDateTime="2024-04-10T09:20:00Z"),
            Moment(SPRING, "09:00:00"),
            True,
        ),
        (
            "what bears no date was always known",
            resource("Condition"),
            Moment(date(1950, 1, 1)),
            True,
        ),
        (
            "an opioid ordered on the day of the visit is still to come",
            resource("MedicationRequest", authoredOn="2024-04-10"),
            Moment(SPRING, "09:00:00"),
            False,
        ),
        (
            "also where the visit tells no time",
            resource("MedicationRequest", authoredOn="2024-04-10T08:00:00Z"),
            Moment(SPRING),
            False,
        ),
        (
            "one ordered earlier that morning is on the chart",
            resource("MedicationRequest", authoredOn="2024-04-10T08:00:00Z"),
            Moment(SPRING, "09:00:00"),
            True,
        ),
        (
            "one ordered at that very minute is not",
            resource("MedicationRequest", authoredOn="2024-04-10T09:00Z"),
            Moment(SPRING, "09:00:00"),
            False,
        ),
        (
            "an injection given on the day of the visit is still to come",
            resource("Procedure", performedDateTime="2024-04-10"),
            Moment(SPRING, "09:00:00"),
            False,
        ),
        (
            "one given on the day before is known",
            resource("Procedure", performedDateTime="2024-04-09"),
            Moment(SPRING, "09:00:00"),
            True,
        ),
        (
            "an X-ray reported after the chart was opened is still to come",
            resource("DiagnosticReport", issued="2024-04-10T15:00:00Z"),
            Moment(SPRING, "09:00:00"),
            False,
        ),
        (
            "one reported that morning is known",
            resource("DiagnosticReport", issued="2024-04-10T08:00:00Z"),
            Moment(SPRING, "09:00:00"),
            True,
        ),
        (
            "the visit itself is known",
            resource("Encounter", period=span("2024-04-10T09:00:00Z")),
            Moment(SPRING, "09:00:00"),
            True,
        ),
        (
            "an emergency of that afternoon is not",
            resource("Encounter", period=span("2024-04-10T16:00:00Z")),
            Moment(SPRING, "09:00:00"),
            False,
        ),
        (
            "a visit of that day without a time is",
            resource("Encounter", period=span("2024-04-10")),
            Moment(SPRING, "09:00:00"),
            True,
        ),
    ],
)
def test_what_was_known(words: str, told: JSON, at: Moment, expected: bool) -> None:
    """The chart holds what was known when it was opened, and nothing of what followed."""
    assert ([told] if expected else []) == known_by([told], at)


def test_the_chart_tells_ends_by_age_with_the_birth_on_it() -> None:
    """The patient's own birth date says when a problem that ended at 44 was still there."""
    patient = resource("Patient", birthDate="1980-05-05")
    pain = resource(
        "Condition",
        clinicalStatus={"text": "resolved"},
        onsetDateTime="2020",
        abatementAge={"value": 44, "code": "a"},
    )
    _, then = known_by([patient, pain], Moment(SPRING))

    assert "abatementAge" not in then


@pytest.mark.parametrize("odd", [None, 7, "x", [1], {}, [{}] * 2_000])
@pytest.mark.parametrize("kind", ["Condition", "MedicationRequest", "Encounter", "Procedure"])
def test_odd_shapes_are_no_dates(kind: str, odd: Any) -> None:
    """Elements that are not what FHIR says never stop a replay."""
    names = ("status", "recordedDate", "onsetPeriod", "abatementPeriod", "period", "authoredOn")
    more = ("performedPeriod", "dosageInstruction", "dispenseRequest", "occurrencePeriod")
    told = resource(kind, **dict.fromkeys((*names, *more), odd))

    assert [told] == known_by([told], Moment(SPRING))
