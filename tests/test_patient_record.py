"""The patient record as read from FHIR R4, with the liberties real clients take."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cards.answer import ChartEntry
from cards.codes import CPT, ICD10CM, LOINC, RXNORM, SNOMED, CodeIndex
from cards.drug_index import index_drugs
from cards.product import Product, Strength
from cards.record import PREFETCH_KEYS, Coverage, MedicationOrder, Quantity, When, chart_entry
from cards.supply import supply_days
from service.patient_record import (
    PatientUnavailable,
    Reading,
    WrongPatient,
    coverage_of,
    read_patient_record,
)
from service.patient_record.concepts import canonical_system
from service.patient_record.dates import in_days, when
from service.patient_record.references import is_about, relative, target
from service.patient_record.ucum import read_quantity

TODAY = date(2026, 4, 10)
UUID = "0fe762e3-9350-4387-98d4-a7e8a739d4e1"
INDEX = CodeIndex(
    exact={
        (SNOMED, "279039007"): {"low-back-pain": ""},
        (SNOMED, "363346000"): {"malignant-neoplasm": ""},
        (RXNORM, "849574"): {"nsaid-oral": ""},
        (RXNORM, "7258"): {"nsaid-oral": ""},
        (CPT, "72148"): {"spine-mri": ""},
        (LOINC, "72514-3"): {"pain-score": ""},
    },
    prefixes={"M545": {"low-back-pain": ""}, "C50": {"malignant-neoplasm": ""}},
)
_NAPROXEN, _MENTHOL = Strength("7258", "naproxen"), Strength("6750", "menthol")
DRUGS = index_drugs(
    [
        Product("7258", "naproxen", "ingredient", (_NAPROXEN,)),
        Product("6750", "menthol", "ingredient", (_MENTHOL,)),
        Product("849574", "naproxen 220 MG [Aleve]", "product", (_NAPROXEN,), route="oral"),
        Product("1", "captopril", "ingredient", (Strength("1", "captopril"),)),
    ],
    {(SNOMED, "6064005"): "topical"},
)
PERSON = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-05-02", "gender": "female"}
BACK_PAIN = {"coding": [{"system": SNOMED, "code": "279039007", "display": "Low back pain"}]}
CANCER = {"coding": [{"system": SNOMED, "code": "363346000", "display": "Cancer"}]}
NAPROXEN = {"coding": [{"system": RXNORM, "code": "849574"}], "text": "naproxen 500 MG"}


def bundle(*resources: Any, **members: Any) -> dict[str, Any]:
    """A searchset of these resources."""
    found = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": found, **members}


def resource(kind: str, **elements: Any) -> dict[str, Any]:
    """A resource of the patient p1."""
    about = "patient" if kind == "AllergyIntolerance" else "subject"
    return {"resourceType": kind, "id": "r1", about: {"reference": "Patient/p1"}, **elements}


def read(*, context: dict[str, Any] | None = None, today: date = TODAY, **prefetch: Any) -> Reading:
    """A patient-view call with this prefetch and, unless given, the patient p1."""
    prefetch = {"patient": PERSON, **prefetch}
    return read_patient_record(
        hook="patient-view",
        context={"patientId": "p1", **(context or {})},
        prefetch=prefetch,
        coverage=coverage_of(prefetch, PREFETCH_KEYS),
        index=INDEX,
        today=today,
        drugs=DRUGS,
    )


def condition(**elements: Any) -> Any:
    """The one Condition read from these elements."""
    [found] = read(
        conditions=bundle(resource("Condition", **{"code": BACK_PAIN, **elements}))
    ).record.conditions
    return found


def observation(**elements: Any) -> Any:
    """The one Observation read from these elements."""
    [found] = read(observations=bundle(resource("Observation", **elements))).record.observations
    return found


def medication(*others: Any, **elements: Any) -> Any:
    """The one MedicationRequest read from these elements, with other resources beside it."""
    order = resource("MedicationRequest", status="active", intent="order", **elements)
    [found] = read(medications=bundle(order, *others)).record.medications
    return found


# The patient


@pytest.mark.parametrize(
    "value",
    [
        None,
        "Patient/p1",
        [],
        {},
        {"resourceType": "OperationOutcome"},
        {"resourceType": "Patient"},
        bundle(),
    ],
)
def test_without_a_readable_patient_there_is_no_record(value: Any) -> None:
    """No Patient, or one that does not say who it is: nothing is judged."""
    with pytest.raises(PatientUnavailable):
        read(patient=value)


def test_another_persons_patient_resource_is_refused() -> None:
    """A Patient who is not the one on the screen is never advised on."""
    with pytest.raises(WrongPatient):
        read(patient={**PERSON, "id": "p2"})


def test_patient_may_come_in_a_bundle() -> None:
    """A search result holding the patient serves as well as the patient."""
    assert read(patient=bundle(PERSON)).record.patient.id == "p1"


def test_missing_birth_date_and_sex_are_not_recorded() -> None:
    """Age and sex nobody recorded stay unknown."""
    person = read(patient={"resourceType": "Patient", "id": "p1"}).record.patient

    assert (person.birth, person.sex, person.deceased) == (None, None, False)


@pytest.mark.parametrize("told", [{"deceasedBoolean": True}, {"deceasedDateTime": "2020"}])
def test_death_is_read_in_both_forms(told: dict[str, Any]) -> None:
    """A flag or a date of death: the patient has died."""
    assert read(patient={**PERSON, **told}).record.patient.deceased


# Whose resource it is


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p1",
        "https://ehr.example.org/fhir/Patient/p1",
        "Patient/p1/_history/3",
        "https://ehr.example.org/fhir/Patient/p1/_history/3",
        "urn:uuid:p1",
        "p1",
    ],
)
def test_references_are_compared_by_id(reference: str) -> None:
    """However a client writes the reference, it is the same patient."""
    assert is_about({"subject": {"reference": reference}}, "p1")


def test_uuids_are_compared_in_either_case() -> None:
    """A patient's UUID in capitals is the same UUID."""
    assert is_about({"patient": {"reference": f"urn:uuid:{UUID.upper()}"}}, UUID)


def test_other_patients_cancer_is_dropped_and_counted() -> None:
    """In a mixed bundle the other patient's cancer does not count; the count says so."""
    mine = resource("Condition", code=BACK_PAIN)
    other = resource("Condition", id="c2", code=CANCER, subject={"reference": "Patient/p2"})
    group = resource("Condition", id="c3", code=CANCER, subject={"reference": "Group/p1"})

    reading = read(conditions=bundle(mine, other, group))

    assert [c.reference for c in reading.record.conditions] == ["Condition/r1"]
    assert reading.dropped == {"other-patient": 2}


def test_resource_that_names_no_patient_is_kept() -> None:
    """An entry without subject is taken to be the patient's."""
    assert condition(subject=None).concept.sets == {"low-back-pain": ""}


def test_encounter_references_lose_base_and_version() -> None:
    """Encounters are named Encounter/id, whatever the client wrote."""
    assert target("https://x.org/fhir/Encounter/e1/_history/2") == ("Encounter", "e1")
    assert relative({"reference": "urn:uuid:e1"}, "Encounter") == "Encounter/e1"
    assert relative({"reference": "Location/e1"}, "Encounter") is None
    assert read(context={"encounterId": "e1"}).record.encounter == "Encounter/e1"
    assert read().record.encounter is None


# Bundles


def test_bundle_is_read_by_the_type_of_its_entries() -> None:
    """A Condition that came under observations is a Condition."""
    found = read(observations=bundle(resource("Condition", code=BACK_PAIN))).record

    assert len(found.conditions) == 1
    assert found.observations == ()


def test_same_resource_in_two_keys_counts_once() -> None:
    """A problem sent twice is one problem."""
    problem = bundle(resource("Condition", code=BACK_PAIN))

    assert len(read(conditions=problem, encounters=problem).record.conditions) == 1


def test_lone_resource_and_lone_entry_are_read() -> None:
    """A search answered by one resource, or by one entry outside an array, still counts."""
    problem = resource("Condition", code=BACK_PAIN)

    assert len(read(conditions=problem).record.conditions) == 1
    assert len(read(conditions={**bundle(), "entry": {"resource": problem}}).record.conditions) == 1


def test_one_bad_resource_never_spoils_the_request() -> None:
    """What is no resource is set aside and counted; its key is not fully read, the rest is."""
    problem = resource("Condition", code=BACK_PAIN)

    reading = read(conditions=bundle(problem, "x", 3, {"id": "y"}, None))

    assert len(reading.record.conditions) == 1
    assert reading.dropped == {"unreadable:resource": 3}
    assert reading.record.coverage["conditions"] is Coverage.FAILED


def test_family_members_and_unasked_keys_are_ignored() -> None:
    """Family history is nobody's history, and what nobody asked for is not read."""
    family = {"resourceType": "FamilyMemberHistory", "id": "f"}

    reading = read(conditions=bundle(family), surprise=bundle(resource("Condition", code=CANCER)))

    assert (reading.record.conditions, reading.dropped) == ((), {})


def test_entry_without_id_goes_by_its_full_url() -> None:
    """A resource known only by a urn is named by that uuid."""
    entry = {"fullUrl": f"urn:uuid:{UUID}", "resource": {"resourceType": "Condition"}}

    [found] = read(conditions={"resourceType": "Bundle", "entry": [entry]}).record.conditions

    assert found.reference == f"Condition/{UUID}"


# Conditions


def test_statuses_are_read_as_concepts_and_as_plain_strings() -> None:
    """Older servers write statuses as plain words."""
    coded = condition(
        clinicalStatus={"coding": [{"code": "recurrence"}]},
        verificationStatus={"coding": [{"code": "provisional"}]},
        category=[{"coding": [{"code": "encounter-diagnosis"}]}],
    )
    plain = condition(
        clinicalStatus="recurrence",
        verificationStatus="provisional",
        category={"coding": {"code": "encounter-diagnosis"}},
    )

    assert coded == plain
    assert (plain.clinical, plain.verification) == ("recurrence", "provisional")
    assert plain.categories == {"encounter-diagnosis"}


def test_missing_statuses_are_not_recorded() -> None:
    """No status is no status, and the problem stays."""
    found = condition()

    assert (found.clinical, found.verification, found.categories) == (None, None, frozenset())


@pytest.mark.parametrize("status", ["entered-in-error", {"coding": [{"code": "entered-in-error"}]}])
def test_condition_entered_in_error_is_dropped(status: Any) -> None:
    """What was entered in error was never there."""
    reading = read(conditions=bundle(resource("Condition", code=CANCER, verificationStatus=status)))

    assert (reading.record.conditions, reading.dropped) == ((), {"entered-in-error": 1})


def test_refuted_condition_only_closes_flags() -> None:
    """A refuted cauda equina is no problem, but is known to be refuted."""
    record = read(
        conditions=bundle(resource("Condition", code=CANCER, verificationStatus="refuted"))
    ).record

    assert record.conditions == ()
    assert [c.reference for c in record.refuted] == ["Condition/r1"]


@pytest.mark.parametrize(
    "words",
    ["Family history of cancer", "Cancer ruled out", "Patient denies cancer", "No evidence of it"],
)
def test_words_that_deny_a_condition_drop_it(words: str) -> None:
    """Family history, ruled out, denied, no evidence of: not the patient's problem."""
    coded = {"coding": [{"system": SNOMED, "code": "363346000", "display": words}]}
    texted = {**CANCER, "text": words}

    reading = read(
        conditions=bundle(
            resource("Condition", code=coded), resource("Condition", id="c2", code=texted)
        )
    )

    assert (reading.record.conditions, reading.dropped) == ((), {"negated": 2})


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"onsetDateTime": "2026-03"}, (date(2026, 3, 1), date(2026, 3, 31), "2026-03")),
        ({"onsetPeriod": {"start": "2026-03-04"}}, (date(2026, 3, 4),) * 2 + ("2026-03-04",)),
        (
            {"onsetAge": {"value": 50, "code": "a"}},
            (date(2020, 5, 2), date(2021, 5, 1), "2020"),
        ),
        (
            {"onsetRange": {"low": {"value": 40, "code": "a"}, "high": {"value": 45, "code": "a"}}},
            (date(2010, 5, 2), date(2016, 5, 1), "2010"),
        ),
        (
            {"onsetRange": {"low": {"value": 50, "code": "a"}, "high": {"value": 60, "code": "a"}}},
            (date(2020, 5, 2), date(2031, 5, 1), "2020"),
        ),
        ({"onsetRange": {"low": {"value": 40, "code": "a"}}}, None),
        ({"onsetRange": {"low": {"value": 2, "code": "wk"}, "high": {"value": 4}}}, None),
        (
            {"onsetRange": {"low": {"value": 45, "code": "a"}, "high": {"value": 40, "code": "a"}}},
            None,
        ),
        (
            {"onsetRange": {"low": {"value": 57, "code": "a"}, "high": {"value": 60, "code": "a"}}},
            None,
        ),
        ({"onsetDateTime": "2026-04-11"}, (date(2026, 4, 11),) * 2 + ("2026-04-11",)),
        ({"onsetDateTime": "2026-04-12"}, None),
        ({"onsetString": "as a child"}, None),
        ({"onsetDateTime": 2026}, None),
    ],
)
def test_onset_of_a_condition(
    elements: dict[str, Any], expected: tuple[date, date, str] | None
) -> None:
    """The onset in each form R4 knows; more than a day ahead it is no date, the problem stays."""
    assert condition(**elements).onset == (When(*expected) if expected else None)


def test_abated_at_an_unknown_time_is_resolved() -> None:
    """A problem said to have abated is not active, though nobody wrote when."""
    assert condition(abatementString="years ago").clinical == "resolved"
    assert condition(abatementBoolean=True).clinical == "resolved"
    assert condition(abatementDateTime="2027-01-01").clinical is None
    assert condition(abatementDateTime="2025-01-01").abatement == when("2025-01-01")


# Dates


@pytest.mark.parametrize(
    ("written", "first", "last", "kept"),
    [
        ("2019", date(2019, 1, 1), date(2019, 12, 31), "2019"),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29), "2024-02"),
        ("2026-03-04", date(2026, 3, 4), date(2026, 3, 4), "2026-03-04"),
        ("2026-03-04T23:30:00", date(2026, 3, 4), date(2026, 3, 4), "2026-03-04T23:30:00"),
        ("2026-03-04T23:30:00-05:00", date(2026, 3, 4), date(2026, 3, 4), "2026-03-04T23:30:00"),
        ("2026-03-04T23:30:00.123Z", date(2026, 3, 4), date(2026, 3, 4), "2026-03-04T23:30:00"),
    ],
)
def test_dates_are_intervals_of_local_days(
    written: str, first: date, last: date, kept: str
) -> None:
    """Partial, zone-less and fractional dates mean every day they can mean, on the local day."""
    assert when(written) == When(first, last, kept)


@pytest.mark.parametrize("written", [None, "", "yesterday", "2026-13", "2026-02-30", 20260304, {}])
def test_what_is_no_date_is_not_recorded(written: Any) -> None:
    """An impossible date is as good as none."""
    assert when(written) is None


# Codes


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://snomed.info/sct/", SNOMED),
        ("http://snomed.info/sct/731000124108/version/20240301", SNOMED),
        ("urn:oid:2.16.840.1.113883.6.96", SNOMED),
        ("urn:oid:2.16.840.1.113883.6.90", ICD10CM),
        ("HTTP://HL7.org/fhir/sid/icd-10-cm|2025", ICD10CM),
        ("http://hospital.example/codes/diagnosis-icd10", ICD10CM),
        ("http://hl7.org/fhir/sid/icd-9-cm", None),
        ("http://hospital.example/codes/diagnosis-icd9", None),
        ("http://hospital.example/codes/procedure-icd10", None),
        ("http://www.cms.gov/Medicare/Coding/ICD10", None),
        ("http://hl7.org/fhir/sid/ndc", None),
        ("", None),
    ],
)
def test_code_systems_by_any_name(uri: str, expected: str | None) -> None:
    """One code system has many names; another edition of ICD is another code system."""
    assert canonical_system(uri) == expected


@pytest.mark.parametrize("code", ["M54.50", "M5450", "m54.5", "M54.5"])
def test_icd_codes_match_with_and_without_dots(code: str) -> None:
    """M5450 under a local ICD system is low back pain, and so is the retired M54.5."""
    found = condition(code={"coding": [{"system": "urn:local:icd10", "code": code}]})

    assert "low-back-pain" in found.concept.sets


def test_snomed_code_under_the_icd_system_is_not_matched() -> None:
    """A code of another system is no ICD code; its words are still shown."""
    code = {"coding": [{"system": ICD10CM, "code": "279039007", "display": "Low back pain"}]}
    found = condition(code=code)

    assert not found.concept.readable
    assert found.concept.display == "Low back pain"


@pytest.mark.parametrize(
    "code", [None, 5, "sore back", {"text": "Pressure ulcer, lower back"}, {"coding": [{}]}, [{}]]
)
def test_words_alone_never_match(code: Any) -> None:
    """No code, no match: nothing is read out of free text."""
    assert condition(code=code).concept.sets == {}


def test_card_shows_display_and_date_of_the_entry() -> None:
    """A reason on a card carries reference, words and day."""
    found = condition(onsetDateTime="2026-03-04T10:00:00.5Z")

    assert chart_entry(found) == ChartEntry("Condition/r1", "Low back pain", "2026-03-04")


# Observations


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "preliminary", None])
def test_finished_results_count(status: str | None) -> None:
    """A result without status is taken as final."""
    assert observation(status=status).status == (status or "final")


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"status": "registered"}, "not-final"),
        ({"status": "cancelled"}, "not-final"),
        ({"status": "entered-in-error"}, "entered-in-error"),
        ({"dataAbsentReason": {"text": "asleep"}}, "data-absent"),
    ],
)
def test_unfinished_and_absent_results_do_not_count(elements: dict[str, Any], reason: str) -> None:
    """Cancelled, mistaken and missing results are left out."""
    reading = read(observations=bundle(resource("Observation", **elements)))

    assert (reading.record.observations, reading.dropped) == ((), {reason: 1})


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"valueQuantity": {"value": 101.3, "code": "[degF]"}}, Quantity(38.5, "Cel")),
        ({"valueQuantity": {"value": 38.5, "unit": "C"}}, Quantity(38.5, "Cel")),
        ({"valueQuantity": {"value": 180, "unit": "lbs"}}, Quantity(81.646627, "kg")),
        ({"valueQuantity": {"value": 81000, "code": "g"}}, Quantity(81.0, "kg")),
        ({"valueQuantity": {"value": 7.25, "code": "{score}"}}, Quantity(7.25, "{score}")),
        (
            {"valueQuantity": {"value": 52, "unit": "mL/min/1.73m2"}},
            Quantity(52.0, "mL/min/{1.73_m2}"),
        ),
        ({"valueQuantity": {"value": 7}}, Quantity(7.0, None)),
        ({"valueQuantity": {"value": 60, "comparator": "<"}}, None),
        ({"valueQuantity": {"value": "7"}}, None),
        ({"valueInteger": 7}, Quantity(7.0, None)),
        ({"valueInteger": True}, None),
        ({"valueString": "8.5"}, Quantity(8.5, None)),
        ({"valueString": "13"}, Quantity(13.0, None)),
        ({"valueString": "38 mL/min/1.73 m2"}, Quantity(38.0, "mL/min/{1.73_m2}")),
        ({"valueString": "101.3 F"}, Quantity(38.5, "Cel")),
        ({"valueString": "<15 mL/min/1.73m2"}, None),
        ({"valueString": "3 stones"}, None),
        ({"valueString": "38-45 mL/min/1.73m2"}, None),
        ({"valueString": "unable"}, None),
        ({"valueString": "denies"}, None),
    ],
)
def test_values_of_results(elements: dict[str, Any], expected: Quantity | None) -> None:
    """Temperature in degrees Celsius, weight in kg; a unit is never guessed from a value."""
    assert observation(**elements).value == expected


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        (
            {"value": 60, "comparator": ">", "unit": "mL/min/1.73m2"},
            (">", Quantity(60.0, "mL/min/{1.73_m2}")),
        ),
        ({"value": 15, "comparator": "<="}, ("<=", Quantity(15.0, None))),
        ({"value": 60, "comparator": "about"}, None),
        ({"comparator": ">"}, None),
        ({"value": 60}, None),
    ],
)
def test_a_bound_is_no_value(quantity: dict[str, Any], expected: object) -> None:
    """A result known only to lie beyond a bound keeps the bound, and bears no value."""
    found = observation(valueQuantity=quantity)

    assert found.bound == expected
    assert (found.value is None) == ("comparator" in quantity)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("<15 mL/min/1.73m2", ("<", Quantity(15.0, "mL/min/{1.73_m2}"))),
        (" > 60 mL/min/1.73 sq m", (">", Quantity(60.0, "mL/min/{1.73_m2}"))),
        ("≥90 mL/min/{1.73_m2}", (">=", Quantity(90.0, "mL/min/{1.73_m2}"))),
        ("<15", ("<", Quantity(15.0, None))),
        ("<15 drops", None),
        ("<15, repeated", None),
        ("38", None),
        ("> sixty", None),
    ],
)
def test_a_bound_written_as_text(words: str, expected: object) -> None:
    """A laboratory's "<15 mL/min/1.73m2" is the bound it says; a bare one has no unit."""
    found = observation(valueString=words)

    assert found.bound == expected


@pytest.mark.parametrize(
    "unit",
    [
        "mL/min/{1.73_m2}",
        "mL/min/1.73m2",
        "ml/min/1.73 m2",
        "mL/min/1.73m²",
        "mL/min/1.73m^2",
        "mL/min/1.73sqm",
        "mL/min/1.73 sq. m",
        "mL/min/1.73.m2",
        "mL/min/[1.73_m2]",
        "mL/min per 1.73 m2",
    ],
)
def test_spellings_of_the_egfr_unit(unit: str) -> None:
    """Laboratories write millilitres per minute and 1.73 square metres in many ways."""
    expected = Quantity(38.0, "mL/min/{1.73_m2}")

    assert observation(valueQuantity={"value": 38, "unit": unit}).value == expected
    assert observation(valueString=f"38 {unit}").value == expected


@pytest.mark.parametrize(
    "unit", ["mL/min/1.73", "mL/min/2m2", "L/min/1.73m2", "mL/min/1.73m3", "mL/min", "mL/s/1.73m2"]
)
def test_units_that_only_look_like_it(unit: str) -> None:
    """Another area, volume or time is another unit."""
    found = observation(valueQuantity={"value": 38, "unit": unit})

    assert found.value.unit == unit


def test_parts_of_a_panel_are_results_of_their_own() -> None:
    """A pain score inside a panel counts as one, with the panel's date, status and place."""
    pain = {"code": {"coding": [{"system": LOINC, "code": "72514-3"}]}, "valueInteger": 7}
    blank = {"code": BACK_PAIN}
    refused = {**pain, "dataAbsentReason": {"text": "asked but unknown"}}
    denied = {"code": CANCER, "valueBoolean": False}
    panel = resource(
        "Observation",
        status="amended",
        code={"text": "pain panel"},
        effectiveDateTime="2026-04-01",
        bodySite=BACK_PAIN,
        component=[pain, blank, refused, denied, "7"],
    )

    whole, score, answer = read(observations=bundle(panel)).record.observations

    assert (whole.concept.display, whole.value) == ("pain panel", None)
    assert (score.concept.sets, score.value) == ({"pain-score": ""}, Quantity(7.0, None))
    assert (score.reference, score.effective, score.status, score.body_sites) == (
        whole.reference,
        when("2026-04-01"),
        "amended",
        whole.body_sites,
    )
    assert answer.value_flag is False


def test_parts_of_a_panel_that_does_not_count() -> None:
    """A panel in error, or one whose data are absent, has no parts either."""
    score = {"code": {"coding": [{"system": LOINC, "code": "72514-3"}]}, "valueInteger": 7}
    mistaken = resource("Observation", status="entered-in-error", component=[score])
    absent = resource("Observation", id="r2", dataAbsentReason={"text": "x"}, component=[score])

    assert read(observations=bundle(mistaken, absent)).record.observations == ()


def test_other_kinds_of_answers() -> None:
    """Coded, yes/no and date answers are read as such."""
    found = observation(valueCodeableConcept=CANCER, valueBoolean=False, valueDateTime="2026-09-01")

    assert found.value_concept.sets == {"malignant-neoplasm": ""}
    assert found.value_flag is False
    assert found.value_date == when("2026-09-01")


def test_result_of_the_future_has_no_date() -> None:
    """A result dated more than a day ahead speaks for no day; when it was issued never counts."""
    assert observation(effectiveDateTime="2026-04-13").effective is None
    assert observation(issued="2026-04-01").effective is None
    assert observation(effectivePeriod={"start": "2026-04-01"}).effective == when("2026-04-01")


# Medications


def test_drug_may_stand_in_another_resource() -> None:
    """Contained, beside the order, or by urn: it is the same drug."""
    product = {"resourceType": "Medication", "id": "m1", "code": NAPROXEN}
    by_urn = {"resource": {**product, "id": None}, "fullUrl": f"urn:uuid:{UUID}"}
    contained = medication(contained=[product], medicationReference={"reference": "#m1"})
    alone = medication(contained=product, medicationReference={"reference": "#m1"})
    beside = medication(product, medicationReference={"reference": "https://x.org/Medication/m1"})
    order = resource("MedicationRequest", medicationReference={"reference": f"urn:uuid:{UUID}"})
    listed = {"resourceType": "Bundle", "entry": [{"resource": order}, by_urn]}
    [linked] = read(medications=listed).record.medications

    drugs = [contained.drug, alone.drug, beside.drug, linked.drug]

    assert [drug.sets for drug in drugs] == [{"nsaid-oral": ""}] * 4


def test_drug_that_did_not_come_is_unreadable_not_absent() -> None:
    """A reference that leads nowhere leaves the words, and the order counts as unreadable."""
    found = medication(medicationReference={"reference": "Medication/gone", "display": "naproxen"})

    assert (found.drug.readable, found.drug.display) == (False, "naproxen")


def test_drug_named_by_identifier_or_ingredient() -> None:
    """A product known by its ingredient counts; one known by name only is unreadable."""
    reference = {"reference": "#m1"}
    named = {"resourceType": "Medication", "id": "m1", "identifier": [{"value": "Naproxen"}]}
    mixed = {
        "resourceType": "Medication",
        "id": "m1",
        "ingredient": [{"itemCodeableConcept": {"coding": [{"system": RXNORM, "code": "7258"}]}}],
    }

    by_name = medication(contained=[named], medicationReference=reference).drug
    by_ingredient = medication(contained=[mixed], medicationReference=reference).drug

    assert (by_name.readable, by_name.display) == (False, "Naproxen")
    assert by_ingredient.sets == {"nsaid-oral": ""}


def _rxnorm(code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"system": RXNORM, "code": code, "display": display}]}


def _made_of(*concepts: dict[str, Any]) -> dict[str, Any]:
    """A Medication told by its ingredients, and the order of it."""
    parts = [{"itemCodeableConcept": concept} for concept in concepts]
    product = {"resourceType": "Medication", "id": "m1", "ingredient": parts}
    return {"contained": [product], "medicationReference": {"reference": "#m1"}}


def test_a_recognised_drug_brings_its_product() -> None:
    """An order coded in RxNorm says what it is made of, wherever the code stands."""
    product = {"resourceType": "Medication", "id": "m1", "code": NAPROXEN}
    own = medication(medicationCodeableConcept=NAPROXEN)
    pointed = medication(contained=[product], medicationReference={"reference": "#m1"})

    for order in (own, pointed):
        assert (order.product.code, order.product.route) == ("849574", "oral")
        assert order.unreadable is None


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({}, "no code"),
        ({"medicationCodeableConcept": {"text": "naproxen 500 mg"}}, "no code"),
        ({"medicationReference": {"reference": "Medication/x", "display": "Aleve"}}, "no code"),
        (
            {"medicationCodeableConcept": {"coding": [{"system": "urn:ndc", "code": "7-1"}]}},
            "code system not read",
        ),
        (
            {"medicationCodeableConcept": {"coding": [{"system": SNOMED, "code": "387207008"}]}},
            "code system not read",
        ),
        ({"medicationCodeableConcept": _rxnorm("2")}, "unknown code"),
        (_made_of(_rxnorm("7258"), _rxnorm("2")), "unknown code"),
        (_made_of(_rxnorm("7258"), {"text": "menthol"}), "no code"),
    ],
)
def test_an_unrecognised_drug_says_why(elements: dict[str, Any], reason: str) -> None:
    """Text, other code systems and unknown codes give no product; the order stays."""
    order = medication(**elements)

    assert (order.product, order.unreadable) == (None, reason)


@pytest.mark.parametrize(
    ("elements", "reason", "words"),
    [
        (
            {"medicationCodeableConcept": _rxnorm("849574", "captopril 25 MG")},
            "the name says another drug",
            "captopril 25 MG",
        ),
        (
            {"medicationCodeableConcept": {**_rxnorm("849574"), "text": "captopril"}},
            "the name says another drug",
            "captopril",
        ),
        (
            {
                "medicationCodeableConcept": {
                    "coding": _rxnorm("849574")["coding"] + _rxnorm("1", "captopril")["coding"]
                }
            },
            "codes disagree",
            "captopril",
        ),
        (_made_of(_rxnorm("6750"), _rxnorm("7258", "captopril")), "the name says another drug", ""),
    ],
)
def test_a_contradicted_code_is_not_believed(
    elements: dict[str, Any], reason: str, words: str
) -> None:
    """A code whose name says another drug is in no value set, counts as unreadable, is counted."""
    order = resource("MedicationRequest", status="active", intent="order", **elements)
    reading = read(medications=bundle(order))
    [found] = reading.record.medications

    assert (found.product, found.unreadable) == (None, reason)
    assert (found.drug.sets, found.drug.readable, found.drug.display) == ({}, False, words)
    assert reading.dropped == {f"untrusted:{reason}": 1}


def test_a_draft_is_recognised_and_doubted_as_an_order_is() -> None:
    """Of two drafts the sound one brings its product, the contradicted one is counted."""
    drugs = (NAPROXEN, _rxnorm("849574", "captopril"))
    drafts = [
        resource(
            "MedicationRequest", id=f"d{place}", status="draft", medicationCodeableConcept=drug
        )
        for place, drug in enumerate(drugs)
    ]
    reading = read_patient_record(
        hook="order-sign",
        context={"patientId": "p1", "draftOrders": bundle(*drafts)},
        prefetch={"patient": PERSON},
        coverage={},
        index=INDEX,
        drugs=DRUGS,
        today=TODAY,
    )
    sound, doubted = (draft.order for draft in reading.record.drafts)

    assert isinstance(sound, MedicationOrder)
    assert sound.product == DRUGS.product("849574")
    assert isinstance(doubted, MedicationOrder)
    assert (doubted.product, doubted.drug.sets) == (None, {})
    assert reading.dropped == {"untrusted:the name says another drug": 1}


def test_a_pointed_drug_is_checked_against_its_name() -> None:
    """The order's own words for a Medication can contradict the Medication's code."""
    product = {"resourceType": "Medication", "id": "m1", "code": NAPROXEN}
    reference = {"reference": "#m1", "display": "captopril 25 MG"}

    order = medication(contained=[product], medicationReference=reference)

    assert order.unreadable == "the name says another drug"


def test_a_drug_of_several_ingredients_is_one_product() -> None:
    """A Medication told by its ingredients is known by all of them; inactive ones do not count."""
    elements = _made_of(_rxnorm("7258"), _rxnorm("6750"), _rxnorm("2"))
    elements["contained"][0]["ingredient"][2]["isActive"] = False
    order = medication(**elements)

    assert (order.product.level, order.product.name) == ("ingredient", "naproxen / menthol")
    assert order.product.ingredients == {"7258", "6750"}
    assert order.unreadable is None


def test_the_route_of_an_ingredient_comes_from_its_dosage() -> None:
    """Naproxen without a form, put on the skin, is topical; without a route it is neither."""
    on_skin = {"coding": [{"system": SNOMED, "code": "6064005"}]}
    ingredient = _rxnorm("7258")

    topical = medication(
        medicationCodeableConcept=ingredient, dosageInstruction=[{"route": on_skin}]
    )
    unsaid = medication(medicationCodeableConcept=ingredient)

    assert (topical.product.route, unsaid.product.route) == ("topical", "")


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"status": "entered-in-error"}, "entered-in-error"),
        ({"doNotPerform": True}, "do-not-perform"),
        ({"intent": "proposal"}, "proposal"),
        ({"intent": "option"}, "proposal"),
        ({"status": "draft"}, "draft-outside-draft-orders"),
    ],
)
@pytest.mark.parametrize("kind", ["MedicationRequest", "ServiceRequest", "DeviceRequest"])
def test_orders_that_do_not_count(kind: str, elements: dict[str, Any], reason: str) -> None:
    """Errors, prohibitions, proposals and drafts elsewhere are no therapy."""
    reading = read(medications=bundle(resource(kind, **elements)))

    assert reading.record.medications + reading.record.service_orders == ()
    assert reading.dropped == {reason: 1}


def test_patient_reported_plans_count() -> None:
    """A drug the patient reports to take is taken."""
    order = resource("MedicationRequest", status="active", intent="plan", reportedBoolean=True)

    assert len(read(medications=bundle(order)).record.medications) == 1


def test_reasons_are_followed_to_their_conditions() -> None:
    """A reason given as a reference counts with the code of the problem it points at."""
    problem = resource("Condition", id="c1", code=BACK_PAIN)
    mistaken = resource("Condition", id="c2", code=CANCER, verificationStatus="entered-in-error")
    own = {"resourceType": "Condition", "id": "own", "code": CANCER}
    found = medication(
        problem,
        mistaken,
        contained=[own],
        reasonCode=BACK_PAIN,
        reasonReference=[
            {"reference": "urn:uuid:c1"},
            {"reference": "Condition/c2"},
            {"reference": "#own"},
            {"reference": "Condition/gone", "display": "Sciatica"},
        ],
    )

    assert [(r.display, r.readable) for r in found.reasons] == [
        ("Low back pain", True),
        ("Low back pain", True),
        ("Cancer", True),
        ("Sciatica", False),
    ]


def test_dose_ordered_wins_and_ranges_count_high() -> None:
    """Several doseAndRate say one dose: the ordered, else the calculated, else the first."""

    def entry(value: float, kind: str | None = None) -> dict[str, Any]:
        dose = {"doseQuantity": {"value": value, "code": "mg"}}
        return {"type": {"coding": [{"code": kind}]}, **dose} if kind else dose

    ladder: list[list[dict[str, Any]]] = [
        [entry(1), entry(2, "calculated"), entry(3, "ordered")],
        [entry(1), entry(2, "calculated")],
        [entry(1), entry(2)],
        [{"doseRange": {"low": {"value": 1}, "high": {"value": 2, "unit": "mg"}}}],
    ]
    dosages = [{"doseAndRate": step} for step in ladder]

    doses = [dosage.dose for dosage in medication(dosageInstruction=dosages).dosages]

    assert [dose.value for dose in doses if dose] == [3.0, 2.0, 1.0, 2.0]


def test_order_as_the_sandbox_writes_it() -> None:
    """Objects where arrays belong, pills as unit, a supply in days: the order is read whole."""
    found = medication(
        category={"text": "Inpatient"},
        medicationCodeableConcept=NAPROXEN,
        reasonCode=BACK_PAIN,
        dosageInstruction={
            "timing": {
                "repeat": {
                    "frequency": 2,
                    "period": 1,
                    "periodUnit": "d",
                    "boundsPeriod": {"start": "2026-04-01", "end": "2026-04-30"},
                    "timeOfDay": ["08:00", "20:00"],
                },
                "code": {"coding": [{"code": "BID"}]},
            },
            "asNeededBoolean": True,
            "doseAndRate": {"doseQuantity": {"value": 1, "code": "{pill}"}},
            "maxDosePerPeriod": {
                "numerator": {"value": 1000, "code": "mg"},
                "denominator": {"value": 1, "code": "d"},
            },
        },
        dispenseRequest={
            "quantity": {"value": 60},
            "numberOfRepeatsAllowed": 2,
            "expectedSupplyDuration": {"value": 2, "unit": "weeks"},
            "validityPeriod": {"end": "2026-12-31"},
        },
    )
    [dosage] = found.dosages

    assert found.reasons[0].sets == {"low-back-pain": ""}
    assert (found.quantity, found.supply_days, found.repeats) == (Quantity(60.0, None), 14.0, 2)
    assert found.validity_end == when("2026-12-31")
    assert dosage.dose == Quantity(1.0, "{pill}")
    assert dosage.as_needed
    assert dosage.max_per_period == (Quantity(1000.0, "mg"), Quantity(1.0, "d"))
    assert dosage.timing is not None
    assert (dosage.timing.code, dosage.timing.frequency, dosage.timing.times_of_day) == (
        "BID",
        2.0,
        2,
    )
    assert dosage.timing.bounds_end == when("2026-04-30")


@pytest.mark.parametrize(
    ("repeat", "days"),
    [
        ({"boundsDuration": {"value": 2, "unit": "weeks"}}, 14),
        ({"boundsDuration": {"value": 21, "code": "d"}}, 21),
        ({"boundsDuration": {"value": 21}}, None),
        ({"boundsRange": {"low": {"value": 7}, "high": {"value": 3, "code": "wk"}}}, 21),
        ({"boundsRange": {"low": {"value": 7, "code": "d"}}}, None),
        ({"boundsPeriod": {"start": "2026-04-01", "end": "2026-04-30"}}, 30),
        ({"boundsPeriod": {"end": "2026-04-30"}}, None),
    ],
)
def test_supply_as_long_as_it_is_to_be_taken(repeat: dict[str, Any], days: float | None) -> None:
    """An order without a stated supply lasts as long as its dosage is to be taken."""
    found = medication(dosageInstruction=[{"timing": {"repeat": repeat}}])

    assert supply_days(found) == days


def test_unit_comes_from_code_or_spelling_never_from_a_foreign_code() -> None:
    """A SNOMED code for tablet is not a unit; the word beside it is."""
    foreign = {"value": 1, "unit": "tablet", "code": "428673006", "system": SNOMED}

    assert read_quantity(foreign) == Quantity(1.0, "tablet")
    assert read_quantity({"value": 5, "unit": "mcg"}) == Quantity(5.0, "ug")
    assert read_quantity({"value": float("inf")}) is None
    assert in_days({"value": 3}) is None
    assert in_days({"value": 1, "code": "mo"}) == 30.0
    assert in_days({"value": 0, "code": "d"}) is None
    assert in_days({"value": -739662, "code": "d"}) is None


# The other types


def test_procedure_not_done_keeps_its_status() -> None:
    """What was not done is known as not done, never as tried."""
    procedures = bundle(
        resource("Procedure", status="not-done", performedPeriod={"end": "2026-04-01"}),
        resource("Procedure", id="r2", status="entered-in-error"),
        resource("Procedure", id="r3", status="completed", performedDateTime="2031-01-01"),
    )

    [skipped, ahead] = read(procedures=procedures).record.procedures

    assert (skipped.status, skipped.end) == ("not-done", when("2026-04-01"))
    assert ahead.start is None


def test_visit_reasons_and_class() -> None:
    """A visit's reasons are its codes, the problems it points at, and its diagnoses."""
    visit = resource(
        "Encounter",
        status="finished",
        **{"class": {"code": "amb"}},
        reasonCode=BACK_PAIN,
        reasonReference={"reference": "Condition/c1"},
        diagnosis={"condition": {"reference": "Condition/c1"}},
        period={"start": "2026-04-01"},
    )
    problem = resource("Condition", id="c1", code=CANCER)

    [found] = read(encounters=bundle(visit), conditions=bundle(problem)).record.encounters

    assert [reason.display for reason in found.reasons] == ["Low back pain", "Cancer", "Cancer"]
    assert (found.class_code, found.start) == ("AMB", when("2026-04-01"))


def test_allergies_that_count() -> None:
    """Active or unsaid counts; inactive, resolved, refuted and mistaken do not."""

    def allergy(number: int, **elements: Any) -> dict[str, Any]:
        return resource("AllergyIntolerance", id=f"a{number}", code=NAPROXEN, **elements)

    reading = read(
        allergies=bundle(
            allergy(1, type="allergy", reaction=[{"manifestation": [{"text": "Hives"}]}]),
            allergy(2, clinicalStatus="active"),
            allergy(3, clinicalStatus={"coding": [{"code": "inactive"}]}),
            allergy(4, clinicalStatus="resolved"),
            allergy(5, verificationStatus={"coding": [{"code": "refuted"}]}),
            allergy(6, verificationStatus={"coding": [{"code": "entered-in-error"}]}),
            allergy(7, patient={"reference": "Patient/p2"}),
        )
    )
    first, second = reading.record.allergies

    assert (first.kind, first.reactions[0].display) == ("allergy", "Hives")
    assert second.reference == "AllergyIntolerance/a2"
    assert reading.dropped == {
        "not-active": 2,
        "refuted": 1,
        "entered-in-error": 1,
        "other-patient": 1,
    }


def test_an_allergen_named_by_its_reaction() -> None:
    """Where only the reaction says to what, that substance is the allergen; else both are."""
    reaction = [{"substance": NAPROXEN, "manifestation": [{"text": "Hives"}]}]
    named = {"text": "painkiller", "coding": [{"system": SNOMED, "code": "373265006"}]}

    def only(**elements: Any) -> Any:
        reading = read(allergies=bundle(resource("AllergyIntolerance", **elements)))
        assert reading.record.coverage["allergies"] is Coverage.READ
        [found] = reading.record.allergies
        return found.concept

    assert only(reaction=reaction).sets == {"nsaid-oral": ""}
    assert only(reaction=reaction).display == "naproxen 500 MG"
    assert only(code={"text": "Aleve?"}, reaction=reaction).sets == {"nsaid-oral": ""}
    both = only(code=named, reaction=reaction)
    assert (both.display, both.sets) == ("painkiller", {"nsaid-oral": ""})
    assert {coding.code for coding in both.codings} == {"373265006", "849574"}


def test_an_allergen_in_words_only_leaves_allergies_unread() -> None:
    """A substance without a code may be any drug, wherever it is written."""
    reading = read(
        allergies=bundle(resource("AllergyIntolerance", reaction=[{"substance": {"text": "pill"}}]))
    )

    assert reading.record.coverage["allergies"] is Coverage.FAILED
    assert reading.record.allergies[0].concept.display == "pill"


@pytest.mark.parametrize(
    ("elements", "display", "day"),
    [
        ({"code": NAPROXEN}, "naproxen 500 MG", None),
        (
            {
                "code": NAPROXEN,
                "reaction": [{"manifestation": [{"text": "Hives"}, {"text": "Wheeze"}]}],
                "recordedDate": "2024-02-03T10:00:00Z",
            },
            "naproxen 500 MG: Hives, Wheeze",
            "2024-02-03",
        ),
        (
            {
                "code": NAPROXEN,
                "reaction": [{"manifestation": [{"text": "Hives"}]}] * 2,
                "onsetDateTime": "2019-05",
                "recordedDate": "2024-02-03",
            },
            "naproxen 500 MG: Hives",
            "2019-05",
        ),
        ({"code": NAPROXEN, "recordedDate": "2030-01-01"}, "naproxen 500 MG", None),
        ({"reaction": [{"manifestation": [{"text": "Hives"}]}]}, "Hives", None),
        (
            {
                "code": {**NAPROXEN, "text": "n" * 60},
                "reaction": [{"manifestation": [{"text": "Hives"}]}],
            },
            f"{'n' * 47}…: Hives",
            None,
        ),
    ],
)
def test_an_allergy_is_shown_with_its_reaction_and_date(
    elements: dict[str, Any], display: str, day: str | None
) -> None:
    """The card names what the drug did, and since when that is known."""
    [found] = read(allergies=bundle(resource("AllergyIntolerance", **elements))).record.allergies
    entry = chart_entry(found)

    assert (entry.display, entry.date) == (display, day)


def test_imaging_orders_and_reports() -> None:
    """An MRI ordered and an MRI reported are read with their dates."""
    order = resource(
        "ServiceRequest",
        status="active",
        intent="order",
        code={"coding": [{"system": CPT, "code": "72148"}]},
        occurrenceDateTime="2026-06-01",
    )
    brace = resource(
        "DeviceRequest", status="active", intent="order", codeReference={"display": "Lumbar brace"}
    )
    report = resource("DiagnosticReport", status="final", effectiveDateTime="2026-03-01")
    draft_report = resource("DiagnosticReport", id="r2", status="registered")

    record = read(
        serviceRequests=bundle(order),
        deviceRequests=bundle(brace),
        diagnosticReports=bundle(report, draft_report),
    ).record
    mri, support = record.service_orders

    assert (mri.concept.sets, mri.start) == ({"spine-mri": ""}, when("2026-06-01"))
    assert (support.kind, support.concept.display) == ("DeviceRequest", "Lumbar brace")
    assert [r.effective for r in record.reports] == [when("2026-03-01")]
