"""Facts about the person: age, pregnancy, care setting and other illness."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cards.answer import Answer
from cards.case import FACTS
from cards.record import Encounter, Observation, Patient, ServiceOrder, When
from tests.chart import ago, answer, case, coded, done, found, month, on, problem

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


def aged(birth: When | None, *, deceased: bool = False) -> Patient:
    """A patient born on this date."""
    return Patient("p1", birth, deceased, sex=None)


def year(number: int) -> When:
    """A birth date of which only the year was recorded."""
    return When(date(number, 1, 1), date(number, 12, 31), str(number))


# Today is 15 June 2026.
@pytest.mark.parametrize(
    ("words", "fact", "birth", "expected"),
    [
        ("17 years 364 days", "not_eligible", on(date(2008, 6, 16)), YES),
        ("18th birthday today", "not_eligible", on(date(2008, 6, 15)), NO),
        ("may be 17 or 18", "not_eligible", year(2008), NO),
        ("may be 17 or 18", "age_unknown", year(2008), YES),
        ("surely an adult", "age_unknown", year(2007), NO),
        ("no birth date", "age_unknown", None, YES),
        ("no birth date", "not_eligible", None, NO),
        ("50 years 364 days", "age_over_50", on(date(1975, 6, 16)), NO),
        ("51 today", "age_over_50", on(date(1975, 6, 15)), YES),
        ("may be 50 or 51", "age_over_50", year(1975), UNKNOWN),
        ("64 years 364 days", "age_65_or_over", on(date(1961, 6, 16)), NO),
        ("65 today", "age_65_or_over", on(date(1961, 6, 15)), YES),
        ("65 today", "age_under_65", on(date(1961, 6, 15)), NO),
        ("64 years 364 days", "age_under_65", on(date(1961, 6, 16)), YES),
        ("may be 64 or 65", "age_under_65", year(1961), UNKNOWN),
        ("no birth date", "age_under_65", None, UNKNOWN),
        ("born on a leap day, eve of 65", "age_65_or_over", on(date(1960, 2, 29)), YES),
    ],
)
def test_age(words: str, fact: str, birth: When | None, expected: Answer) -> None:
    """Ages count in completed years; a coarse birth date leaves a bound open."""
    assert answer(fact, patient=aged(birth)) is expected, words


def test_deceased() -> None:
    """No advice is given about a patient who has died."""
    assert answer("not_eligible", patient=aged(None, deceased=True)) is YES


def test_age_is_shown() -> None:
    """A card that rests on age names it."""
    finding = FACTS["age_over_50"](case(patient=aged(on(date(1960, 1, 1)))))

    assert [entry.display for entry in finding.because] == ["age 66"]


@pytest.mark.parametrize(
    ("words", "hook", "opened", "ordered"),
    [
        ("chart opened", "patient-view", YES, NO),
        ("order chosen", "order-select", NO, YES),
        ("order signed", "order-sign", NO, YES),
    ],
)
def test_hook(words: str, hook: str, opened: Answer, ordered: Answer) -> None:
    """Which hook called."""
    assert answer("hook_is_patient_view", hook=hook) is opened, words
    assert answer("hook_is_order", hook=hook) is ordered, words


@pytest.mark.parametrize(
    ("fact", "key", "expected"),
    [
        ("conditions_incomplete", "conditions", YES),
        ("conditions_incomplete", "procedures", NO),
        ("allergies_unread", "allergies", YES),
        ("red_flag_data_incomplete", "procedures", YES),
        ("red_flag_data_incomplete", "medications", YES),
        ("red_flag_data_incomplete", "encounters", NO),
    ],
)
def test_unread_keys(fact: str, key: str, expected: Answer) -> None:
    """What could not be read is known to be unread."""
    assert answer(fact, unread=(key,)) is expected, key


ACTIVE_OR_NOT = [
    ("spondyloarthritis_active", "spondyloarthritis"),
    ("radiculopathy_or_stenosis", "radiculopathy-sciatica"),
    ("radiculopathy_or_stenosis", "spinal-stenosis"),
    ("fracture_or_instability", "spinal-instability"),
    ("bleeding_disorder", "bleeding-disorder"),
    ("neuropathy_sensory_loss", "neuropathic-pain"),
    ("broken_skin", "skin-problem-back"),
    ("end_of_life", "palliative-care"),
]


@pytest.mark.parametrize(("fact", "value_set"), ACTIVE_OR_NOT)
def test_active_illness(fact: str, value_set: str) -> None:
    """An illness counts while active and confirmed; unread conditions leave it open."""
    assert answer(fact, problem(value_set, 900)) is YES
    assert answer(fact, problem(value_set, 900, clinical="resolved")) is NO
    assert answer(fact, problem(value_set, 900, verification="provisional")) is NO
    assert answer(fact, unread=("conditions",)) is UNKNOWN


@pytest.mark.parametrize(("days", "expected"), [(364, YES), (365, YES), (366, NO)])
def test_hospice_order(days: int, expected: Answer) -> None:
    """An order for hospice or palliative care counts for a year."""
    order = ServiceOrder(
        "ServiceRequest/h",
        "ServiceRequest",
        "active",
        "order",
        coded("hospice-palliative"),
        authored=ago(days),
    )

    assert answer("end_of_life", service_orders=(order,)) is expected


@pytest.mark.parametrize(
    ("words", "entries", "expected"),
    [
        ("on the problem list", [problem("malignant-neoplasm", 900)], YES),
        ("in remission", [problem("malignant-neoplasm", 900, clinical="remission")], NO),
        ("one visit", [("a", 10)], NO),
        ("two visits", [("a", 10), ("b", 365)], YES),
        ("one visit coded twice", [("a", 10), ("a", 11)], NO),
        ("second visit over a year ago", [("a", 10), ("b", 366)], NO),
        ("only suspected", [problem("malignant-neoplasm", 9, verification="unconfirmed")], NO),
    ],
)
def test_active_cancer(words: str, entries: list[Any], expected: Answer) -> None:
    """Cancer is active on the problem list, or as a diagnosis of two visits in a year."""
    diagnoses = [
        problem(
            "malignant-neoplasm",
            recorded=ago(entry[1]),
            encounter=f"Encounter/{entry[0]}",
            categories=frozenset({"encounter-diagnosis"}),
        )
        if isinstance(entry, tuple)
        else entry
        for entry in entries
    ]

    assert answer("active_cancer", *diagnoses) is expected, words


@pytest.mark.parametrize(
    ("words", "entry", "expected"),
    [
        ("history of", problem("personal-history-of-cancer", 5000), YES),
        ("in remission", problem("malignant-neoplasm", 5000, clinical="remission"), YES),
        ("suspected", problem("malignant-neoplasm", 5, verification="provisional"), YES),
        ("undated", problem("malignant-neoplasm"), YES),
        ("skin cancer other than melanoma is in no set", problem("basal-cell", 5), NO),
    ],
)
def test_cancer_history(words: str, entry: object, expected: Answer) -> None:
    """Any cancer at any time counts as history."""
    assert answer("cancer_history", entry) is expected, words


def test_sickle_cell_disease() -> None:
    """Sickle cell disease counts whatever its status says."""
    disease = problem("sickle-cell-disease", 9000, clinical="inactive")

    assert answer("sickle_cell_disease", disease) is YES


def status(days: int, code: str) -> Observation:
    """A pregnancy status with a coded LOINC answer."""
    answered = coded("pregnancy-status" if code == "pregnant" else "other", code=code)
    if code.startswith("LA"):
        answered = type(answered)((type(answered.codings[0])("http://loinc.org", code),), code, {})
    return found("pregnancy-status", days, value_concept=answered)


@pytest.mark.parametrize(
    ("words", "entries", "expected"),
    [
        ("nothing recorded", [], UNKNOWN),
        ("problem", [problem("pregnancy", 100)], YES),
        ("status", [status(10, "pregnant")], YES),
        ("not pregnant", [status(10, "LA26683-5")], NO),
        ("unknown status", [status(10, "LA4489-6")], UNKNOWN),
        ("newest status wins", [status(10, "LA26683-5"), status(60, "pregnant")], NO),
        ("delivered since", [problem("pregnancy", 250), problem("pregnancy-outcome", 5)], NO),
        ("pregnant again", [problem("pregnancy-outcome", 290), problem("pregnancy", 20)], YES),
        (
            "pregnant again, dated from the last period",
            [problem("pregnancy", 60, recorded=ago(2)), status(20, "LA26683-5")],
            YES,
        ),
        (
            "negative after the record",
            [problem("pregnancy", 60, recorded=ago(30)), status(20, "LA26683-5")],
            NO,
        ),
        ("300 days", [problem("pregnancy", 300)], YES),
        ("301 days", [problem("pregnancy", 301)], UNKNOWN),
        ("over", [problem("pregnancy", 100, clinical="resolved")], UNKNOWN),
    ],
)
def test_pregnant(words: str, entries: list[object], expected: Answer) -> None:
    """The newest word of the last 300 days decides; silence is no answer."""
    assert answer("pregnant", *entries) is expected, words


def test_not_pregnant_needs_a_full_read() -> None:
    """A negative status does not rule out a pregnancy among unread conditions."""
    assert answer("pregnant", status(10, "LA26683-5"), unread=("conditions",)) is UNKNOWN


@pytest.mark.parametrize(
    ("words", "class_code", "state", "here", "expected"),
    [
        ("this visit, inpatient", "IMP", "finished", True, YES),
        ("this visit, observation", "OBSENC", "in-progress", True, YES),
        ("this visit, clinic", "AMB", "in-progress", True, NO),
        ("another, in progress", "EMER", "in-progress", False, YES),
        ("another, observation in progress", "OBSENC", "in-progress", False, NO),
        ("another, over", "IMP", "finished", False, NO),
    ],
)
def test_inpatient(words: str, class_code: str, state: str, here: bool, expected: Answer) -> None:
    """The patient is in hospital by this visit or by one in progress."""
    visit = Encounter("Encounter/e", state, class_code)
    here_and_now = "Encounter/e" if here else None

    assert answer("inpatient_encounter", encounters=(visit,), encounter=here_and_now) is expected, (
        words
    )


def test_inpatient_unread() -> None:
    """Without encounters nobody knows."""
    assert answer("inpatient_encounter", unread=("encounters",)) is UNKNOWN


@pytest.mark.parametrize(("days", "expected"), [(83, YES), (84, YES), (85, NO)])
def test_recent_vertebral_fracture_forbids_manipulation(days: int, expected: Answer) -> None:
    """A vertebral fracture counts for 84 days, healed or not."""
    fracture = problem("vertebral-fracture", days, clinical="resolved")

    assert answer("fracture_or_instability", fracture) is expected


def test_spine_surgery_history() -> None:
    """Surgery counts at any time when done, and a failed-back syndrome stands for it."""
    assert answer("spine_surgery_history", done("spine-surgery", 9000)) is YES
    assert answer("spine_surgery_history", done("spine-surgery", 9, "not-done")) is NO
    assert answer("spine_surgery_history", problem("post-laminectomy", 900)) is YES
    assert answer("spine_surgery_history", unread=("procedures",)) is UNKNOWN


def test_partial_fracture_date() -> None:
    """A fracture known by month across the bound is not known to be recent."""
    fracture = problem("vertebral-fracture", onset=month(2026, 3))

    assert answer("fracture_or_instability", fracture) is UNKNOWN
