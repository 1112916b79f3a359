"""The card of the next step says why, what is missing, and what comes after."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import pytest

from cards.library import Library
from tests.fixture_cards import fixtures
from tests.test_standing import cards, story

ABSENT = re.compile(r"Not found in the record: ([^.]*)\.")
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
AFTER = "If this does not help enough: "


def next_step(request: dict[str, Any], library: Library) -> dict[str, Any]:
    steps = {r.id for r in library.recommendations.values() if r.merge_group == "next-step"}
    return next(c for c in cards(request, library) if c["source"]["topic"]["code"] in steps)


def absent_from(card: dict[str, Any]) -> str:
    """What a card calls not found; empty when nothing is."""
    found = ABSENT.search(card["detail"])
    return found[1] if found else ""


def without(request: dict[str, Any], key: str, kind: str, code: str) -> dict[str, Any]:
    """The request less the entries of one key that bear a code."""
    kept = deepcopy(request)
    bundle = kept["prefetch"][key]
    bundle["entry"] = [
        entry
        for entry in bundle.get("entry", ())
        if code not in str(entry["resource"].get("code"))
        or entry["resource"]["resourceType"] != kind
    ]
    bundle.pop("total", None)
    return kept


def test_the_step_bears_its_evidence(library: Library) -> None:
    """Why the NSAID: the therapy and the scores behind it, each with its date."""
    card = next_step(story("low-back-c2-seven-weeks-of-therapy"), library)
    because = card["extension"]["org.backpath.card"]["because"]
    kinds = {entry["reference"].partition("/")[0] for entry in because}

    assert {"Condition", "Procedure", "Observation"} <= kinds
    assert all(entry["date"] for entry in because)
    assert "Found in the record" in card["detail"]


def test_the_step_says_what_comes_after(library: Library) -> None:
    """After the NSAID the low-back pathway has duloxetine or rehabilitation."""
    card = next_step(story("low-back-c2-seven-weeks-of-therapy"), library)
    (after,) = [line for line in card["detail"].split("\n\n") if line.startswith(AFTER)]

    assert "duloxetine" in after


def test_without_scores_it_informs_and_says_what_is_missing(library: Library) -> None:
    """No pain score: the same step in words, no order, and the scores named as not found."""
    request = without(
        story("low-back-c2-seven-weeks-of-therapy"), "observations", "Observation", "72514-3"
    )
    card = next_step(request, library)

    assert card["source"]["topic"]["code"] == "oral-nsaid-first-line-chronic"
    assert "suggestions" not in card
    assert "pain scores" in absent_from(card)


def test_kidney_function_not_on_record_is_said(library: Library) -> None:
    """No eGFR: the NSAID card says so."""
    request = story("low-back-c2-seven-weeks-of-therapy")
    for (_, code), sets in library.index.exact.items():
        if "egfr" in sets:
            request = without(request, "observations", "Observation", code)

    assert "kidney function" in absent_from(next_step(request, library))


def test_nothing_unread_is_called_not_found(library: Library) -> None:
    """Observations that did not arrive could not be checked; that is not the same as not found."""
    request = story("low-back-c2-seven-weeks-of-therapy")
    del request["prefetch"]["observations"]
    card = next_step(request, library)

    assert "Could not be checked: " in card["detail"]
    assert absent_from(card) == ""


def test_the_state_is_that_of_the_leading_pathway(library: Library) -> None:
    """Two pathways: the card bears the state of the pathway whose step leads."""
    request = story("trigger-points-t2-and-low-back-c3")
    extension = next_step(request, library)["extension"]["org.backpath.card"]

    assert extension["recommendations"][0] == "trigger-point-injection-persistent"
    assert extension["state"] == "T2"


def test_the_leader_is_a_step_of_the_state(library: Library) -> None:
    """On every stored patient the leading step is one the patient's state shows."""
    shows = {s.id: set(s.shows) for pathway in library.pathways for s in pathway.states}
    steps = {r.id for r in library.recommendations.values() if r.merge_group == "next-step"}
    strange = [
        (fixture.name, leader, told["state"])
        for fixture in fixtures()
        if fixture.request["hook"] == "patient-view"
        for card in fixture.expected.get("cards", ())
        if (leader := card["source"]["topic"]["code"]) in steps
        and "state" in (told := card["extension"]["org.backpath.card"])
        and leader not in shows[told["state"]]
    ]

    assert strange == []


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("injection-no-trigger-point", "a trigger point"),
        ("needling-without-exercise", "exercise in the last 12 months"),
    ],
)
def test_a_caution_names_the_absence_behind_it(library: Library, name: str, absent: str) -> None:
    """The injection card says which of its criteria rests on something not found."""
    found = [f.name for f in fixtures() if name in f.name]

    assert any(absent in absent_from(card) for n in found for card in cards(story(n), library))


def test_texts_stand_on_the_cards_they_belong_to(library: Library) -> None:
    """What to expect stands with the next step; keeping other care, where a drug is proposed."""
    step = next_step(story("low-back-c2-seven-weeks-of-therapy"), library)["detail"]
    care = next_step(story("chronic-low-back-no-therapy"), library)["detail"]
    expect, keep = (
        library.recommendations[name].detail
        for name in ("realistic-expectations", "continue-nonpharm-with-drugs")
    )

    assert expect in care
    assert expect not in step
    assert keep in next_step(story("mid-back-acute"), library)["detail"]
    assert keep not in care


def test_nothing_is_said_twice(library: Library) -> None:
    """A card that says itself to keep other care does not say it again."""
    keep = library.recommendations["continue-nonpharm-with-drugs"].detail
    detail = next_step(story("low-back-c2-seven-weeks-of-therapy"), library)["detail"]

    assert "keep the non-drug care" in detail
    assert keep not in detail


def test_members_of_a_card_say_a_line_once(library: Library) -> None:
    """Where leader and rows share a line of caution, the card says it once."""
    for fixture in fixtures():
        for card in fixture.expected.get("cards", ()):
            lines = [line.strip() for line in card["detail"].splitlines() if line.strip()]
            assert len(lines) == len(set(lines)), fixture.name


def taken_before(request: dict[str, Any], code: str, name: str) -> dict[str, Any]:
    """The request with ten days of a drug that ended a month and more ago."""
    more = deepcopy(request)
    bundle = more["prefetch"]["medications"]
    bundle.setdefault("entry", []).append(
        {
            "resource": {
                "resourceType": "MedicationRequest",
                "id": "taken-before",
                "status": "completed",
                "intent": "order",
                "medicationCodeableConcept": {
                    "coding": [{"system": RXNORM, "code": code, "display": name}]
                },
                "subject": {"reference": f"Patient/{more['context']['patientId']}"},
                "authoredOn": "2026-04-20",
                "dispenseRequest": {"expectedSupplyDuration": {"value": 10, "code": "d"}},
            }
        }
    )
    bundle.pop("total", None)
    return more


@pytest.mark.parametrize(
    ("name", "code", "drug", "leader"),
    [
        (
            "low-back-c2-seven-weeks-of-therapy",
            "198013",
            "naproxen 250 MG Oral Tablet",
            "oral-nsaid-first-line-chronic",
        ),
        (
            "low-back-c3-naproxen-failed",
            "596930",
            "duloxetine 30 MG Delayed Release Oral Capsule",
            "duloxetine-second-line",
        ),
    ],
)
def test_an_earlier_short_course_is_named(
    library: Library, name: str, code: str, drug: str, leader: str
) -> None:
    """A drug proposed again after a short course: the card says when it was last taken."""
    card = next_step(taken_before(story(name), code, drug), library)

    assert card["source"]["topic"]["code"] == leader
    assert f"{drug}, taken until (2026-04-30)" in card["detail"]


def test_grounds_without_a_name_bear_their_code(library: Library) -> None:
    """A coding without display or text is shown by its code, never as an empty name."""
    request = story("worked-example-7-flare-of-spasm")
    for entry in request["prefetch"]["conditions"]["entry"]:
        code = entry["resource"]["code"]
        code.pop("text", None)
        for coding in code["coding"]:
            coding.pop("display", None)
    card = next_step(request, library)
    because = card["extension"]["org.backpath.card"]["because"]

    assert all(not entry["display"].startswith(",") for entry in because)
    assert "recurrence recorded" in card["detail"]
    assert "M62" in card["detail"]


def test_every_ground_of_a_step_is_said(library: Library) -> None:
    """What decided for a step stands in its text, not only in the extension."""
    steps = {r.id for r in library.recommendations.values() if r.merge_group == "next-step"}
    for fixture in fixtures():
        for card in fixture.expected.get("cards", ()):
            if card["source"]["topic"]["code"] in steps:
                assert (
                    "; and " not in card["detail"].split("Found in the record: ")[-1].split("\n")[0]
                )
