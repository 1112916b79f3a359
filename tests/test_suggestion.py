"""Suggestions: one action, on a draft, and nothing offered that cannot be ordered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cards.recommendation import DrugDose, SuggestionTemplate
from cards.record import Coding, Concept, Draft, MedicationOrder
from cards.suggestion import Setting, build, selection_behaviour, without_repeats

MRI = Coding("http://loinc.org", "24968-0", "MR Lumbar spine")
THORACIC = Coding("http://loinc.org", "24980-5", "MR Thoracic spine")
GEL = Coding("http://www.nlm.nih.gov/research/umls/rxnorm", "855633", "diclofenac gel")
ORDER: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/p"},
    "category": {"text": "outpatient"},
    "medicationReference": {"reference": "#med"},
    "contained": [{"resourceType": "Medication", "id": "med"}],
    "dosageInstruction": [{"text": "one daily"}],
    "requester": {"reference": "Practitioner/x"},
}
DRAFT = Draft(MedicationOrder("MedicationRequest/m1", "draft", "order", Concept()), True, 0, ORDER)
SETTING = Setting("p", "Condition/pain", "lumbar", DRAFT)
CREATE = SuggestionTemplate(
    "MRI", "create", "ServiceRequest", {"lumbar": MRI, "thoracic": THORACIC}
)
DOSE = DrugDose("2 g up to 4 times daily for 7 days", 2, "g", 4, 1, "d", as_needed=True, days=7)
UPDATE = SuggestionTemplate("Gel", "update", "MedicationRequest", {"any": GEL}, dosage=DOSE)
REMOVE = SuggestionTemplate("Remove", "delete", "MedicationRequest", {})


def action(template: SuggestionTemplate, setting: Setting = SETTING) -> dict[str, Any]:
    suggestion = build(template, setting)
    assert suggestion is not None
    (only,) = suggestion["actions"]
    assert isinstance(only, dict)
    return only


def test_created_order_is_a_draft_for_the_painful_region() -> None:
    """An MRI is drafted for the region that hurts, with the problem as its reason."""
    resource = action(CREATE, replace(SETTING, region="thoracic"))["resource"]

    assert resource["code"]["coding"][0]["code"] == "24980-5"
    assert (resource["status"], resource["intent"]) == ("draft", "order")
    assert resource["reasonReference"] == [{"reference": "Condition/pain"}]


def test_nothing_without_a_code_is_offered() -> None:
    """A suggestion that has no code yet, or none for the region, is not offered."""
    assert build(replace(CREATE, codes={}), SETTING) is None
    assert build(CREATE, replace(SETTING, region="sacral")) is None


def test_changed_drug_keeps_the_order_and_leaves_the_old_drug() -> None:
    """Changing the drug keeps who ordered it for whom; the old dose and product are gone."""
    resource = action(UPDATE)["resource"]

    assert resource["id"] == "m1"
    assert resource["requester"] == ORDER["requester"]
    assert resource["category"] == [ORDER["category"]]
    assert resource["medicationCodeableConcept"]["coding"][0]["code"] == "855633"
    assert resource["dosageInstruction"][0]["text"] == DOSE.text
    assert not {"medicationReference", "contained"} & set(resource)
    assert ORDER["category"] == {"text": "outpatient"}  # the request itself is untouched


def test_changed_drug_loses_nothing_else() -> None:
    """The clinician's note and other contained resources stay; the old prescription does not."""
    prescriber = {"resourceType": "Practitioner", "id": "prac"}
    order = ORDER | {
        "note": [{"text": "call the patient"}],
        "contained": [*ORDER["contained"], prescriber],
        "priorPrescription": {"reference": "MedicationRequest/old"},
    }
    setting = replace(SETTING, draft=replace(DRAFT, resource=order))
    resource = action(replace(UPDATE, note="intact skin only"), setting)["resource"]

    assert [note["text"] for note in resource["note"]] == ["call the patient", "intact skin only"]
    assert resource["contained"] == [prescriber]
    assert "priorPrescription" not in resource


def test_misshapen_lists_of_a_draft_are_left_out() -> None:
    """A note or contained resource that is no object neither spoils the change nor comes back."""
    order = ORDER | {"note": "call the patient", "contained": ["#med"]}
    resource = action(UPDATE, replace(SETTING, draft=replace(DRAFT, resource=order)))["resource"]

    assert not {"note", "contained"} & set(resource)


def test_an_order_without_id_is_not_changed() -> None:
    """A draft known only by its full URL cannot be returned under the same id."""
    nameless = {name: value for name, value in ORDER.items() if name != "id"}

    assert build(UPDATE, replace(SETTING, draft=replace(DRAFT, resource=nameless))) is None


def test_only_the_draft_under_evaluation_is_removed() -> None:
    """Remove names the draft by type and id; without a draft or its id it is not offered."""
    nameless = replace(DRAFT, order=replace(DRAFT.order, reference=""))

    assert action(REMOVE)["resourceId"] == "MedicationRequest/m1"
    assert build(REMOVE, replace(SETTING, draft=None)) is None
    assert build(REMOVE, replace(SETTING, draft=nameless)) is None


def test_equal_suggestions_are_shown_once() -> None:
    """Two red flags that ask for the same MRI offer it once, as the first one words it."""
    twice = [build(CREATE, SETTING), build(replace(CREATE, label="Again"), SETTING)]

    assert ["MRI"] == [s["label"] for s in without_repeats([s for s in twice if s])]


def test_choices_that_exclude_each_other_are_at_most_one() -> None:
    """Removing and changing one draft, or two drugs, cannot both be accepted."""
    built = [build(template, SETTING) for template in (REMOVE, UPDATE, CREATE)]
    remove, update, create = (suggestion or {} for suggestion in built)

    assert selection_behaviour([remove, update]) == "at-most-one"
    assert selection_behaviour([update, update]) == "at-most-one"
    assert selection_behaviour([remove, create]) == "any"
