"""What a card draws from the chart: the painful region, values and sides, and careful proposals."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from cards.advise import advise
from cards.library import Library
from cards.record import Concept, Condition, Observation, Quantity, When, chart_entry
from tests.fixture_cards import fixtures
from tests.reading import reading

ICD = "http://hl7.org/fhir/sid/icd-10-cm"


def story(name: str) -> dict[str, Any]:
    found = next(fixture for fixture in fixtures() if fixture.name == name)
    return deepcopy(found.request)


def cards(request: dict[str, Any], library: Library) -> list[dict[str, Any]]:
    day = date.fromisoformat(request["extension"]["org.backpath.fixture"]["asOf"])
    record = reading(request, day, library).record
    return list(advise(record, day, library).cards)


def add_condition(request: dict[str, Any], code: str, onset: str, **more: Any) -> None:
    bundle = request["prefetch"]["conditions"]
    bundle["entry"].append(
        {
            "resource": {
                "resourceType": "Condition",
                "id": f"added-{code}",
                "clinicalStatus": {"coding": [{"code": "active"}]},
                "code": {"coding": [{"system": ICD, "code": code}]},
                "subject": {"reference": f"Patient/{request['context']['patientId']}"},
                "onsetDateTime": onset,
                "recordedDate": onset,
                **more,
            }
        }
    )
    bundle.pop("total", None)


def ordered(card: dict[str, Any]) -> set[str]:
    return {
        suggestion["actions"][0]["resource"]["code"]["coding"][0]["code"]
        for suggestion in card["suggestions"]
    }


LUMBAR, WHOLE = "24968-0", "36067-7"


def test_one_painful_region_is_imaged(library: Library) -> None:
    """Low back pain and an earlier cancer: the MRI proposed is of the lumbar spine."""
    assert LUMBAR in ordered(cards(story("cancer-history-new-pain"), library)[0])


@pytest.mark.parametrize(
    ("code", "why"), [("M54.6", "thoracic pain as well"), ("G95.20", "signs of cord compression")]
)
def test_more_than_the_lumbar_spine_is_imaged(library: Library, code: str, why: str) -> None:
    """Pain in two regions, or signs of cord compression: the MRI is of the whole spine."""
    request = story("cancer-history-new-pain")
    add_condition(request, code, "2026-06-05")
    imaged = {order for card in cards(request, library) for order in ordered(card)}

    assert WHOLE in imaged, why
    assert LUMBAR not in imaged


def test_no_drug_is_proposed_while_the_age_is_unknown(library: Library) -> None:
    """Without a birth date the opioid card stands, and proposes no other drug."""
    request = story("tramadol-acute-mid-back")
    types = [s["actions"][0]["type"] for s in cards(request, library)[0]["suggestions"]]
    del request["prefetch"]["patient"]["birthDate"]
    ageless = [s["actions"][0]["type"] for s in cards(request, library)[0]["suggestions"]]

    assert types == ["delete", "update", "create", "create", "update"]
    assert ageless == ["delete", "create", "create"]


def test_proposed_drug_is_complete(library: Library) -> None:
    """The gel has a dose, a route, an end and a reason."""
    (card,) = cards(story("tramadol-acute-mid-back"), library)
    resource = card["suggestions"][1]["actions"][0]["resource"]
    (dosage,) = resource["dosageInstruction"]

    assert dosage["route"]["coding"][0]["code"] == "6064005"
    assert dosage["timing"]["repeat"]["boundsDuration"]["value"] == 7
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 2
    assert "reasonCode" in resource or "reasonReference" in resource


def test_what_cannot_be_ruled_out_is_a_suspicion(library: Library) -> None:
    """A suspicion that cannot be ruled out raises the flag; one ruled out does not."""
    flags = {}
    for words in ("cannot be ruled out", "not yet ruled out", "ruled out"):
        request = story("chronic-low-back-no-therapy")
        text = f"Cauda equina syndrome {words}"
        add_condition(request, "G83.4", "2026-06-14")
        request["prefetch"]["conditions"]["entry"][-1]["resource"]["code"]["text"] = text
        flags[words] = cards(request, library)[0]["source"]["topic"]["code"]

    assert flags["cannot be ruled out"] == flags["not yet ruled out"] == "rf-cauda-equina"
    assert flags["ruled out"] == "nonpharm-first-line-not-started"


def test_suspected_cancer_of_visits_silences_nothing(library: Library) -> None:
    """A cancer only suspected at two visits is no active cancer."""
    request = story("chronic-low-back-no-therapy")
    add_condition(
        request,
        "C50.911",
        "2026-06-01",
        verificationStatus={"coding": [{"code": "provisional"}]},
        category=[{"coding": [{"code": "encounter-diagnosis"}]}],
    )
    request["prefetch"]["encounters"] = {
        "resourceType": "Bundle",
        "entry": [
            {
                "resource": {
                    "resourceType": "Encounter",
                    "id": f"visit-{day}",
                    "status": "finished",
                    "period": {"start": f"2026-06-0{day}"},
                    "diagnosis": [{"condition": {"reference": "Condition/added-C50.911"}}],
                }
            }
            for day in (1, 2)
        ],
    }

    assert cards(request, library)


def when(day: str) -> When:
    return When(date.fromisoformat(day), date.fromisoformat(day), day)


def test_a_value_stands_beside_its_finding() -> None:
    """A card names what was measured, so that a wrong value can be spotted."""
    weight = Observation(
        "Observation/w",
        Concept(display="Body weight"),
        "final",
        when("2026-06-01"),
        Quantity(70.987, "kg"),
    )

    assert chart_entry(weight).display == "Body weight: 71 kg"
    assert chart_entry(weight).date == "2026-06-01"


def test_a_side_stands_beside_its_finding() -> None:
    """A card names the side recorded with a deficit."""
    drop = Condition(
        "Condition/d", Concept(display="Foot drop"), body_sites=(Concept(display="Left foot"),)
    )

    assert chart_entry(drop).display == "Foot drop, Left foot"


def order_select(library: Library, **allergy: Any) -> list[str]:
    """Suggestion types on the opioid card of a patient with one allergy."""
    request = story("tramadol-acute-mid-back")
    patient = {"reference": f"Patient/{request['context']['patientId']}"}
    resource = {"resourceType": "AllergyIntolerance", "id": "a1", "patient": patient, **allergy}
    request["prefetch"]["allergies"] = {"resourceType": "Bundle", "entry": [{"resource": resource}]}
    (card,) = cards(request, library)
    return [suggestion["actions"][0]["type"] for suggestion in card["suggestions"]]


def test_an_allergy_in_words_only_stops_drug_proposals(library: Library) -> None:
    """An allergy whose substance is not coded may be to the drug: nothing is proposed."""
    penicillin = {"coding": [{"system": "http://snomed.info/sct", "code": "91936005"}]}

    known = ["delete", "update", "create", "create", "update"]
    assert order_select(library, code=penicillin) == known
    assert order_select(library, code={"text": "Ibuprofen"}) == ["delete", "create", "create"]


def test_words_about_something_else_lose_no_diagnosis(library: Library) -> None:
    """A negation about another thing in the text leaves the coded diagnosis standing."""
    for words, kept in (
        ("Cauda equina syndrome, denies trauma", True),
        ("Cauda equina syndrome; no evidence of fracture", True),
        ("Cauda equina syndrome, ruled out", False),
        ("No evidence of cauda equina syndrome", False),
        ("Family history of cauda equina syndrome", False),
    ):
        request = story("chronic-low-back-no-therapy")
        add_condition(request, "G83.4", "2026-06-14")
        request["prefetch"]["conditions"]["entry"][-1]["resource"]["code"]["text"] = words
        shown = cards(request, library)[0]["source"]["topic"]["code"]

        assert (shown == "rf-cauda-equina") is kept, words


def test_a_shared_id_hides_no_red_flag(library: Library) -> None:
    """A Condition of someone else with the same id does not hide the patient's own."""
    shown = []
    for place in (0, 99):
        request = story("chronic-low-back-no-therapy")
        add_condition(request, "G83.4", "2026-06-14")
        entries = request["prefetch"]["conditions"]["entry"]
        stranger = deepcopy(entries[-1])
        stranger["resource"]["subject"]["reference"] = "Patient/someone-else"
        entries.insert(place, stranger)
        shown.append(cards(request, library)[0]["source"]["topic"]["code"])

    assert shown == ["rf-cauda-equina", "rf-cauda-equina"]


def test_what_is_already_drafted_is_not_offered_again(library: Library) -> None:
    """The red-flag card about the proposed MRI, once drafted, no longer proposes it."""
    request = story("xray-with-cauda-equina")
    (entry,) = request["context"]["draftOrders"]["entry"]
    entry["resource"]["code"] = {
        "coding": [{"system": "http://loinc.org", "code": LUMBAR, "display": "MR Lumbar spine"}]
    }
    (card,) = cards(request, library)

    assert card["source"]["topic"]["code"] == "rf-cauda-equina"
    assert "suggestions" not in card


def test_the_missing_steps_are_listed(library: Library) -> None:
    """The card about a last-resort opioid names the steps not found, as absent, not as grounds."""
    (card,) = cards(story("oxycodone-chronic-no-steps"), library)
    because = card["extension"]["org.backpath.card"]["because"]

    missing = "Not found in the record: a long enough trial of exercise; psychological or"
    assert missing in card["detail"]
    assert all(entry["reference"] for entry in because)


def test_earlier_care_is_named_with_its_last_date(library: Library) -> None:
    """Where therapy ended long ago, the first-line card names it and when it was last given."""
    shown = cards(story("therapy-ended-restart"), library)
    card = next(c for c in shown if c["source"]["topic"]["code"].startswith("nonpharm-first-line"))
    named = card["extension"]["org.backpath.card"]["because"]

    assert any(entry["reference"].startswith("Procedure/") for entry in named)
    assert "Found in the record" in card["detail"]
