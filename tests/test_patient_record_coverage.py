"""How much of each prefetch key was delivered."""

from __future__ import annotations

from typing import Any

import pytest

from cards.record import Coverage
from service.patient_record import coverage_of

READ, MISSING = Coverage.READ, Coverage.MISSING
FAILED, UNFINISHED = Coverage.FAILED, Coverage.UNFINISHED
PROBLEM = {"resourceType": "Condition", "id": "c1"}


def bundle(*resources: Any, **members: Any) -> dict[str, Any]:
    """A searchset of these resources."""
    entry = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "entry": entry, **members}


def outcome(severity: str | None) -> dict[str, Any]:
    """An OperationOutcome with one issue, or with none."""
    issues = [{"severity": severity}] if severity else []
    return {"resourceType": "OperationOutcome", "issue": issues}


@pytest.mark.parametrize(
    ("words", "value", "expected"),
    [
        ("null is known empty", None, READ),
        ("an empty search", {"resourceType": "Bundle", "total": 0}, READ),
        ("a complete search", bundle(PROBLEM, total=1), READ),
        ("a lone resource of the right type", PROBLEM, READ),
        ("a total that is no number", bundle(PROBLEM, total="9"), READ),
        ("a link to itself", bundle(PROBLEM, link=[{"relation": "self"}]), READ),
        ("an entry without resource", bundle(None, PROBLEM), READ),
        ("a warning beside the data", bundle(PROBLEM, outcome("warning")), READ),
        ("one bad entry beside a good one", bundle(PROBLEM, "x"), READ),
        ("a next page", bundle(PROBLEM, link=[{"relation": "next"}]), UNFINISHED),
        ("a next page, link not in an array", bundle(link={"relation": "next"}), UNFINISHED),
        ("fewer entries than the total", bundle(PROBLEM, total=2), UNFINISHED),
        ("a count only", {"resourceType": "Bundle", "total": 5}, UNFINISHED),
        ("the client's query failed", outcome("error"), FAILED),
        ("the query failed, severity unsaid", outcome(None), FAILED),
        ("an error among the entries", bundle(PROBLEM, outcome("error")), FAILED),
        ("a fatal error among the entries", bundle(outcome("fatal")), FAILED),
        ("nothing readable at all", bundle("x", {"id": "y"}), FAILED),
        ("a Patient where a search belongs", {"resourceType": "Patient", "id": "p"}, FAILED),
        ("a string", "Condition/c1", FAILED),
        ("a number", 3, FAILED),
        ("an array", [PROBLEM], FAILED),
        ("an empty object", {}, FAILED),
        ("entries that are a string", {"resourceType": "Bundle", "entry": "x"}, FAILED),
    ],
)
def test_coverage_of_a_search(words: str, value: Any, expected: Coverage) -> None:
    """Only what came to the end counts as read; an unread page or an error never does."""
    assert coverage_of({"conditions": value}, ["conditions"]) == {"conditions": expected}, words


def test_key_left_out_is_missing() -> None:
    """What a client did not send was not checked."""
    assert coverage_of({}, ["conditions", "patient"]) == {"conditions": MISSING, "patient": MISSING}


def test_included_resources_are_not_matches() -> None:
    """A Medication sent along does not hide that an order is missing."""
    order = {"resourceType": "MedicationRequest", "id": "o1"}
    product = {"resourceType": "Medication", "id": "m1"}
    included = [
        {"resource": order, "search": {"mode": "match"}},
        {"resource": {"resourceType": "Encounter", "id": "e1"}, "search": {"mode": "include"}},
    ]
    by_mode = {"resourceType": "Bundle", "total": 2, "entry": included}

    assert coverage_of({"medications": bundle(order, product, total=2)}, ["medications"]) == {
        "medications": UNFINISHED
    }
    assert coverage_of({"medications": by_mode}, ["medications"]) == {"medications": UNFINISHED}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"resourceType": "Patient", "id": "p1"}, READ),
        (bundle({"resourceType": "Patient", "id": "p1"}), READ),
        (bundle(PROBLEM), FAILED),
        (bundle(), FAILED),
        (PROBLEM, FAILED),
        (outcome("error"), FAILED),
    ],
)
def test_coverage_of_the_patient(value: Any, expected: Coverage) -> None:
    """The patient was delivered when a Patient came."""
    assert coverage_of({"patient": value}, ["patient"]) == {"patient": expected}
