"""Suggestions: one action, on a draft, and nothing offered that cannot be ordered."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cards.card import with_each_order_once
from cards.codes import CodeIndex
from cards.dose import daily_dose_mg
from cards.library import Library
from cards.recommendation import DraftedDose, DrugDose, SuggestionTemplate
from cards.record import Coding, Concept, Dosage, Draft, MedicationOrder, Quantity, Timing
from cards.suggestion import Setting, build, selection_behaviour, without_repeats
from service.patient_record.chart import Chart
from service.patient_record.medication_request import read_medication

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
TWO_STEPS = replace(
    DOSE,
    text="one daily for 7 days",
    as_needed=False,
    refills=0,
    then=(replace(DOSE, text="then two daily for 21 days", value=4, days=21),),
)
RANGE = replace(DOSE, value=400, unit="mg", frequency=1, period=6, period_unit="h", period_max=8)
SHORTER = SuggestionTemplate(
    "Shorten",
    "update",
    "MedicationRequest",
    {},
    dosage=DraftedDose("same drug and dose, for 14 days", days=14, refills=0),
)
TAKEN = MedicationOrder(
    "MedicationRequest/m1", "draft", "order", Concept((GEL,)), dosages=(Dosage(),)
)
CODED = Draft(TAKEN, True, 0, ORDER)
CHART = Chart("p", CodeIndex({}, {}), date(2026, 4, 10), None, {})
DAYS = {"unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}


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


def test_a_drug_beside_the_draft_takes_its_reason_where_no_problem_is_on_record() -> None:
    """Where only the draft says what it is for, the drug ordered with it is for the same."""
    template = replace(CREATE, resource="MedicationRequest", codes={"any": GEL}, dosage=DOSE)
    order = ORDER | {"reasonCode": {"text": "back pain"}}
    setting = replace(SETTING, problem=None, draft=replace(DRAFT, resource=order))

    assert action(template, setting)["resource"]["reasonCode"] == [{"text": "back pain"}]
    assert "reasonCode" not in action(template, replace(setting, problem="Condition/p"))["resource"]
    assert "reasonCode" not in action(CREATE, setting)["resource"]


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


WHOLE: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "meta": {"tag": [{"system": "urn:clinic", "code": "back"}]},
    "contained": [
        {"resourceType": "Medication", "id": "med", "code": {"text": "the drug"}},
        {"resourceType": "Practitioner", "id": "prac"},
    ],
    "extension": [{"url": "urn:clinic:queue", "valueString": "north"}],
    "modifierExtension": [{"url": "urn:clinic:flag", "valueBoolean": False}],
    "identifier": [{"system": "urn:clinic:order", "value": "77"}],
    "status": "draft",
    "_status": {"extension": [{"url": "urn:clinic:why", "valueString": "typed"}]},
    "intent": "order",
    "category": [{"text": "outpatient"}],
    "medicationReference": {"reference": "#med"},
    "subject": {"reference": "Patient/p"},
    "encounter": {"reference": "Encounter/e"},
    "supportingInformation": [{"reference": "Observation/o"}],
    "requester": {"reference": "#prac"},
    "reasonCode": [{"text": "back pain"}],
    "insurance": [{"reference": "Coverage/c"}],
    "note": [{"text": "call the patient"}],
    "dosageInstruction": [{"text": "one daily", "patientInstruction": "with water"}],
    "dispenseRequest": {
        "validityPeriod": {"end": "2026-12-31"},
        "quantity": {"value": 90},
        "numberOfRepeatsAllowed": 3,
        "expectedSupplyDuration": {"value": 90, "unit": "days"},
        "performer": {"reference": "Organization/pharmacy"},
    },
    "substitution": {"allowedBoolean": False},
    "priorPrescription": {"reference": "MedicationRequest/old"},
}
DISPENSED = {"validityPeriod", "performer", "numberOfRepeatsAllowed", "expectedSupplyDuration"}


def test_an_update_is_the_whole_order_with_a_shorter_supply() -> None:
    """All the client sent comes back, members we never read included, but for supply and note."""
    order = deepcopy(WHOLE)
    resource = action(SHORTER, replace(SETTING, draft=replace(CODED, resource=order)))["resource"]

    changed = {name for name in WHOLE if resource.get(name) != WHOLE[name]}
    assert changed == {"dispenseRequest"}
    assert set(resource) == set(WHOLE)
    assert set(resource["dispenseRequest"]) == DISPENSED
    assert order == WHOLE  # the request itself is untouched
    get_fhir_model_class("MedicationRequest").model_validate(resource)


def test_an_update_to_another_drug_changes_the_drug_and_its_supply_only() -> None:
    """Pharmacy, validity and substitution stay; the drug, and what it was to replace, are gone."""
    draft = replace(DRAFT, resource=deepcopy(WHOLE))
    resource = action(UPDATE, replace(SETTING, draft=draft))["resource"]

    changed = {name for name in WHOLE if resource.get(name) != WHOLE[name]}
    assert changed == {
        "contained",
        "medicationReference",
        "dosageInstruction",
        "dispenseRequest",
        "priorPrescription",
    }
    assert resource["contained"] == [WHOLE["contained"][1]]
    assert resource["dispenseRequest"] == {
        "validityPeriod": {"end": "2026-12-31"},
        "performer": {"reference": "Organization/pharmacy"},
        "expectedSupplyDuration": {"value": 7, **DAYS},
    }
    get_fhir_model_class("MedicationRequest").model_validate(resource)


def test_a_new_dose_of_the_same_drug_still_renews_the_old_order() -> None:
    """A renewal whose dose is put right stays a renewal, not counted beside the old order."""
    same = Concept((GEL,), sets={"nsaid-topical": ""})
    order = MedicationOrder("MedicationRequest/m1", "draft", "order", same)
    draft = replace(DRAFT, order=order, resource=WHOLE)
    template = replace(UPDATE, value_set="nsaid-topical")
    resource = action(template, replace(SETTING, draft=draft))["resource"]

    assert resource["priorPrescription"] == WHOLE["priorPrescription"]


def test_a_note_is_not_written_twice() -> None:
    """An order already changed once bears our note once."""
    template = replace(SHORTER, note="Stop after 14 days.")
    order = WHOLE | {"note": [{"text": "Stop after 14 days."}]}
    setting = replace(SETTING, draft=replace(CODED, resource=order))

    assert action(template, setting)["resource"]["note"] == [{"text": "Stop after 14 days."}]


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


def test_a_dose_in_steps_is_ordered_step_by_step() -> None:
    """One daily for a week, then two: two numbered instructions, one supply, no refill."""
    template = replace(UPDATE, dosage=TWO_STEPS)
    resource = action(template)["resource"]
    first, second = resource["dosageInstruction"]

    assert [(1, 7), (2, 21)] == [
        (step["sequence"], step["timing"]["repeat"]["boundsDuration"]["value"])
        for step in (first, second)
    ]
    assert resource["dispenseRequest"] == {
        "numberOfRepeatsAllowed": 0,
        "expectedSupplyDuration": {"value": 28, **DAYS},
    }
    assert action(template)["description"] == (
        "Gel: one daily for 7 days, then two daily for 21 days, no refill"
    )


def test_supply_is_left_open_when_a_step_has_no_end() -> None:
    """The days of a supply are stated only when every step states its own."""
    endless = replace(TWO_STEPS, then=(replace(DOSE, days=None),))
    resource = action(replace(UPDATE, dosage=endless))["resource"]

    assert resource["dispenseRequest"] == {"numberOfRepeatsAllowed": 0}


def test_a_single_dose_has_no_step_number_and_leaves_refills_open() -> None:
    """Without steps there is no sequence; without a word on refills nothing is said of them."""
    resource = action(UPDATE)["resource"]

    assert "sequence" not in resource["dosageInstruction"][0]
    assert resource["dispenseRequest"] == {"expectedSupplyDuration": {"value": 7, **DAYS}}


def test_a_range_and_a_daily_maximum_are_stated() -> None:
    """Every 6 to 8 hours, at most 1200 mg a day."""
    dose = replace(RANGE, most_per_day=1200)
    (instruction,) = action(replace(UPDATE, dosage=dose))["resource"]["dosageInstruction"]
    repeat = instruction["timing"]["repeat"]

    assert (6, 8, "h") == (repeat["period"], repeat["periodMax"], repeat["periodUnit"])
    assert instruction["maxDosePerPeriod"]["numerator"]["value"] == 1200
    assert instruction["maxDosePerPeriod"]["denominator"]["code"] == "d"


def test_hours_on_the_skin_and_bedtime_are_stated() -> None:
    """A patch stays on for 12 hours; a drug is taken at bedtime."""
    dose = replace(DOSE, value=1, unit="{patch}", hours_on=12, event="HS")
    (instruction,) = action(replace(UPDATE, dosage=dose))["resource"]["dosageInstruction"]
    repeat = instruction["timing"]["repeat"]

    assert (12, "h") == (repeat["duration"], repeat["durationUnit"])
    assert repeat["when"] == ["HS"]
    assert instruction["doseAndRate"][0]["doseQuantity"]["unit"] == "patch"


def test_a_shorter_supply_keeps_the_drug_and_the_dose() -> None:
    """Drug, dose and pharmacy of the draft stay; the old amounts, which contradict, are gone."""
    order = ORDER | {
        "dosageInstruction": {"text": "5 mg three times daily"},
        "dispenseRequest": {
            "quantity": {"value": 90},
            "initialFill": {"quantity": {"value": 30}},
            "numberOfRepeatsAllowed": 2,
            "performer": {"reference": "Organization/pharmacy"},
        },
    }
    resource = action(SHORTER, replace(SETTING, draft=replace(CODED, resource=order)))["resource"]

    assert resource["medicationReference"] == ORDER["medicationReference"]
    assert resource["contained"] == ORDER["contained"]
    assert resource["dosageInstruction"] == [{"text": "5 mg three times daily"}]
    assert resource["dispenseRequest"] == {
        "performer": {"reference": "Organization/pharmacy"},
        "numberOfRepeatsAllowed": 0,
        "expectedSupplyDuration": {"value": 14, **DAYS},
    }


def drafted(*instructions: dict[str, Any]) -> Setting:
    """A draft for 30 days with these instructions, read as the service reads it."""
    month = {"dispenseRequest": {"expectedSupplyDuration": {"value": 30, **DAYS}}}
    resource = ORDER | month | {"dosageInstruction": list(instructions)}
    order = read_medication(resource, "MedicationRequest/m1", CHART, draft=True)
    assert isinstance(order, MedicationOrder)
    coded = replace(order, drug=Concept((GEL,)))
    return replace(SETTING, draft=Draft(coded, True, 0, resource))


def instruction(bounds: dict[str, Any], sequence: int | None = None) -> dict[str, Any]:
    """One tablet three times daily, bounded as given."""
    thrice = {"frequency": 3, "period": 1, "periodUnit": "d", **bounds}
    numbered = {} if sequence is None else {"sequence": sequence}
    return {**numbered, "text": "one tablet", "timing": {"repeat": thrice}}


def for_days(days: float, unit: str = "d") -> dict[str, Any]:
    return {"value": days, "system": "http://unitsofmeasure.org", "code": unit}


FORTNIGHT = {"boundsDuration": {"value": 14, **DAYS}}


@pytest.mark.parametrize(
    ("words", "bounds", "expected"),
    [
        ("30 days", {"boundsDuration": for_days(30)}, FORTNIGHT),
        ("3 weeks", {"boundsDuration": for_days(3, "wk")}, FORTNIGHT),
        ("exactly 14", {"boundsDuration": for_days(14)}, {"boundsDuration": for_days(14)}),
        ("10 days", {"boundsDuration": for_days(10)}, {"boundsDuration": for_days(10)}),
        ("unit unknown", {"boundsDuration": {"value": 2, "unit": "moons"}}, FORTNIGHT),
        ("10 to 30 days", {"boundsRange": {"low": for_days(10), "high": for_days(30)}}, FORTNIGHT),
        (
            "a month from the 10th",
            {"boundsPeriod": {"start": "2026-04-10T08:00:00Z", "end": "2026-05-09"}},
            {"boundsPeriod": {"start": "2026-04-10T08:00:00Z", "end": "2026-04-23"}},
        ),
        (
            "from the 10th, no end",
            {"boundsPeriod": {"start": "2026-04-10"}},
            {"boundsPeriod": {"start": "2026-04-10", "end": "2026-04-23"}},
        ),
        ("until May", {"boundsPeriod": {"end": "2026-05"}}, FORTNIGHT),
        ("open", {}, {}),
        ("ninety doses", {"count": 90}, {}),
    ],
)
def test_an_instruction_ends_with_the_shorter_supply(
    words: str, bounds: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Fourteen days of supply are not to be taken for thirty; a shorter course stays as it is."""
    (taken,) = action(SHORTER, drafted(instruction(bounds)))["resource"]["dosageInstruction"]

    assert taken == instruction(expected), words


def test_each_instruction_taken_together_ends_with_the_supply() -> None:
    """One in the morning and two at night, both for a month: both for 14 days."""
    month = {"boundsDuration": for_days(30)}
    resource = action(SHORTER, drafted(instruction(month), instruction(month)))["resource"]

    assert resource["dosageInstruction"] == [instruction(FORTNIGHT)] * 2


def test_steps_that_outlast_the_supply_are_not_shortened() -> None:
    """Which step of a taper to cut is the prescriber's choice; steps that fit stay as they are."""
    week, month = ({"boundsDuration": for_days(days)} for days in (7, 30))
    fitting = drafted(instruction(week, 1), instruction(week, 2))

    assert build(SHORTER, drafted(instruction(week, 1), instruction(month, 2))) is None
    assert action(SHORTER, fitting)["resource"]["dosageInstruction"] == [
        instruction(week, 1),
        instruction(week, 2),
    ]


@pytest.mark.parametrize(
    ("days", "refills", "offered"),
    [(14, 0, False), (7, 0, False), (7, 1, False), (14, 1, True), (15, 0, True), (None, 0, True)],
)
def test_only_a_longer_supply_is_shortened(days: float | None, refills: int, offered: bool) -> None:
    """An order of 14 days or less, refills included, is neither rewritten nor lengthened."""
    order = replace(TAKEN, supply_days=days, repeats=refills)
    setting = replace(SETTING, draft=replace(CODED, order=order))

    assert (build(SHORTER, setting) is not None) is offered


def test_an_update_that_changes_nothing_is_not_offered() -> None:
    """An order accepted once and sent back, whatever its note and reason, is not offered again."""
    accepted = action(UPDATE)["resource"]
    again = replace(SETTING, draft=replace(DRAFT, resource=accepted))
    noted = replace(UPDATE, note="intact skin only")
    other = replace(UPDATE, dosage=replace(DOSE, value=4))

    assert build(UPDATE, again) is None
    assert build(noted, replace(again, problem="Condition/other")) is None
    assert build(other, again) is not None


AT_BEDTIME = replace(DOSE, days=None, refills=0)
SAME_GEL = Concept((GEL,), sets={"nsaid-topical": ""})
DAILY = Dosage(dose=Quantity(1, "{tbl}"), timing=Timing(frequency=1, period=1, period_unit="d"))


@pytest.mark.parametrize(
    ("dispense", "read", "kept"),
    [
        (
            {"expectedSupplyDuration": for_days(4, "wk"), "quantity": {"value": 28}},
            {"supply_days": 28},
            {"expectedSupplyDuration": for_days(4, "wk")},
        ),
        (
            {"quantity": {"value": 30}, "numberOfRepeatsAllowed": 3},
            {"quantity": Quantity(30, "{tbl}"), "repeats": 3},
            {"expectedSupplyDuration": {"value": 30, **DAYS}},
        ),
        ({}, {}, {}),
    ],
    ids=["stated", "by quantity", "not known"],
)
def test_a_new_dose_without_an_end_keeps_the_drafted_days_of_supply(
    dispense: dict[str, Any], read: dict[str, Any], kept: dict[str, Any]
) -> None:
    """How long the clinician meant to supply stays; a number of tablets no longer fits the dose."""
    order = MedicationOrder("MedicationRequest/m1", "draft", "order", SAME_GEL, dosages=(DAILY,))
    draft = Draft(replace(order, **read), True, 0, ORDER | {"dispenseRequest": dispense})
    template = replace(UPDATE, value_set="nsaid-topical", dosage=AT_BEDTIME)
    resource = action(template, replace(SETTING, draft=draft))["resource"]

    assert resource["dispenseRequest"] == {"numberOfRepeatsAllowed": 0, **kept}


def test_the_days_of_another_drug_are_not_kept() -> None:
    """Where the drug is replaced, how long the old one was supplied says nothing of the new one."""
    order = ORDER | {"dispenseRequest": {"expectedSupplyDuration": for_days(30)}}
    draft = replace(DRAFT, order=replace(TAKEN, supply_days=30), resource=order)
    template = replace(UPDATE, value_set="nsaid-topical", dosage=AT_BEDTIME)
    resource = action(template, replace(SETTING, draft=draft))["resource"]

    assert resource["dispenseRequest"] == {"numberOfRepeatsAllowed": 0}


PROTECTION = replace(
    DOSE, days=None, as_needed=False, refills=0, supply_days=14, as_long_as_draft_up_to=90
)


@pytest.mark.parametrize(
    ("supply", "days"),
    [({"supply_days": 30}, 30), ({"supply_days": 30, "repeats": 5}, 90), ({}, 14)],
    ids=["as long as the draft", "at most 90 days", "draft of unknown length"],
)
def test_a_drug_beside_the_draft_is_dispensed_as_long(supply: dict[str, Any], days: int) -> None:
    """What protects while another drug is taken lasts as long as that one, and ends."""
    template = replace(CREATE, resource="MedicationRequest", codes={"any": GEL}, dosage=PROTECTION)
    draft = replace(DRAFT, order=replace(TAKEN, **supply))
    offered = action(template, replace(SETTING, draft=draft))

    assert offered["resource"]["dispenseRequest"] == {
        "numberOfRepeatsAllowed": 0,
        "expectedSupplyDuration": {"value": days, **DAYS},
    }
    assert offered["description"].endswith(f", supply for {days} days, no refill")


@pytest.mark.parametrize(
    "template",
    [
        replace(UPDATE, value_set="nsaid-topical", dosage=AT_BEDTIME),
        replace(CREATE, resource="MedicationRequest", codes={"any": GEL}, dosage=PROTECTION),
    ],
    ids=["a new dose of the drafted drug", "a drug beside the draft"],
)
def test_the_supply_of_one_patient_is_never_offered_to_the_next(
    template: SuggestionTemplate,
) -> None:
    """All calls share the wording of a suggestion; what a draft adds stays with its own call."""
    order = MedicationOrder("MedicationRequest/m1", "draft", "order", SAME_GEL, dosages=(DAILY,))
    plain = replace(SETTING, draft=Draft(order, True, 0, ORDER))
    longer = replace(plain, draft=Draft(replace(order, supply_days=30), True, 0, ORDER))
    before = action(replace(template), plain)
    of_another = action(template, longer)

    assert action(template, plain) == before
    assert of_another != before


def test_a_supply_is_not_shortened_for_a_drug_without_code() -> None:
    """A draft whose drug is only named in words is not changed."""
    assert build(SHORTER, SETTING) is None
    assert build(SHORTER, replace(SETTING, draft=CODED)) is not None


def test_a_misshapen_supply_is_replaced() -> None:
    """A dispenseRequest that is no object does not spoil the shorter supply."""
    order = ORDER | {"dispenseRequest": "30 tablets"}
    resource = action(SHORTER, replace(SETTING, draft=replace(CODED, resource=order)))["resource"]

    assert resource["dispenseRequest"]["expectedSupplyDuration"]["value"] == 14


def test_a_shorter_supply_is_offered_once() -> None:
    """Two cards about one draft offer the same shorter supply once."""
    twice = [build(SHORTER, replace(SETTING, draft=CODED)) for _ in range(2)]

    assert len(without_repeats([suggestion for suggestion in twice if suggestion])) == 1


def proposed_drugs(library: Library) -> dict[str, dict[str, Any]]:
    """Every drug order a recommendation creates or changes to, by its words."""
    offered = [
        suggestion
        for recommendation in library.recommendations.values()
        for template in recommendation.suggestions
        if template.proposes_drug
        if (suggestion := build(template, replace(SETTING, draft=CODED)))
    ]
    actions = [suggestion["actions"][0] for suggestion in offered]
    return {each["description"]: each["resource"] for each in actions}


def test_proposed_drugs_are_valid_r4(library: Library) -> None:
    """Each drug order of the content is a valid FHIR R4 draft that says how it is taken."""
    r4 = get_fhir_model_class("MedicationRequest")
    drugs = proposed_drugs(library)

    assert drugs
    for resource in drugs.values():
        r4.model_validate(resource)
        assert resource["status"] == "draft"
        assert all(instruction["text"] for instruction in resource["dosageInstruction"])


def created_drugs(library: Library) -> dict[str, tuple[SuggestionTemplate, dict[str, Any]]]:
    """Every drug order a recommendation creates, for a draft of unknown length."""
    return {
        f"{recommendation.id}: {template.label}": (template, action(template)["resource"])
        for recommendation in library.recommendations.values()
        for template in recommendation.suggestions
        if template.proposes_drug and template.action == "create"
    }


def test_every_created_drug_order_is_complete_and_ends(library: Library) -> None:
    """A draft for a reason, with route, dose and note, that runs out; the rescue is for one use."""
    created = created_drugs(library)

    assert len(created) >= 15
    for label, (template, order) in created.items():
        assert (order["status"], order["intent"]) == ("draft", "order"), label
        assert order["reasonReference"] == [{"reference": "Condition/pain"}], label
        assert order["note"][0]["text"], label
        for instruction in order["dosageInstruction"]:
            assert instruction["text"], label
            assert instruction["route"]["coding"], label
            assert instruction["doseAndRate"][0]["doseQuantity"]["value"] > 0, label
        dispensed = order.get("dispenseRequest", {})
        if template.rescues:
            assert order["dosageInstruction"][0]["asNeededCodeableConcept"], label
            assert "numberOfRepeatsAllowed" not in dispensed, label
        else:
            assert 0 < dispensed["expectedSupplyDuration"]["value"] <= 28, label
            assert dispensed["numberOfRepeatsAllowed"] == 0, label


def test_naloxone_is_for_an_overdose_and_not_for_every_day(library: Library) -> None:
    """The rescue spray names its occasion and its dose; nothing says to take it daily."""
    sprays = [order for words, order in proposed_drugs(library).items() if "naloxone" in words]

    assert sprays
    for resource in sprays:
        (instruction,) = resource["dosageInstruction"]
        assert "timing" not in instruction
        assert "asNeededBoolean" not in instruction
        assert instruction["asNeededCodeableConcept"] == {"text": "suspected opioid overdose"}
        assert instruction["doseAndRate"][0]["doseQuantity"]["value"] == 4


@pytest.mark.parametrize(
    ("label", "milligrams"),
    [
        ("Order naproxen: 500 mg", 1000),
        ("Order naproxen: 250 mg", 500),
        ("Order ibuprofen: 400 mg by mouth every", 1200),
        ("Order ibuprofen: 400 mg by mouth three", 1200),
        ("Order acetaminophen", 2600),
        ("Order cyclobenzaprine 5 mg", 15),
        ("Order duloxetine", 60),
        ("Order amitriptyline", 10),
    ],
)
def test_a_proposed_drug_is_read_back_with_its_dose(
    label: str, milligrams: float, library: Library
) -> None:
    """Read as a chart entry, each drug we draft has the daily dose the guideline names."""
    drugs = proposed_drugs(library)
    (resource,) = (order for words, order in drugs.items() if words.startswith(label))
    order = read_medication(resource, "", CHART, draft=True)

    assert isinstance(order, MedicationOrder)
    assert daily_dose_mg(order, None) == milligrams
    assert order.repeats == 0


def test_a_new_order_stands_on_one_card_only() -> None:
    """Two cards that offer the same order: the first keeps it, and what else the second offers."""
    add, other = (
        {
            "label": code,
            "actions": [
                {
                    "type": "create",
                    "resource": {
                        "resourceType": "ServiceRequest",
                        "code": {"coding": [{"code": code}]},
                    },
                }
            ],
        }
        for code in ("exercise", "massage")
    )
    cards = [
        {"summary": "a", "suggestions": [add], "selectionBehavior": "any"},
        {"summary": "b", "suggestions": [add, other], "selectionBehavior": "any"},
        {"summary": "c", "suggestions": [add], "selectionBehavior": "any"},
    ]
    first, second, third = with_each_order_once(cards)

    assert first["suggestions"] == [add]
    assert second["suggestions"] == [other]
    assert third == {"summary": "c"}
