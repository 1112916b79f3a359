"""Red flags: what raises them, how long, and what closes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from cards.answer import Answer
from cards.case import FACTS
from cards.codes import LOINC, RXNORM
from cards.record import (
    Coding,
    Concept,
    Condition,
    DiagnosticReport,
    Dosage,
    MedicationOrder,
    Observation,
    Quantity,
    Timing,
    When,
)
from cards.units import celsius, kilograms
from tests.chart import ago, answer, case, coded, done, found, measured, month, prescribed, problem
from tests.products import recognised

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


def diagnosis(name: str) -> Callable[[int], Condition]:
    """A Condition of this value set on a given day."""
    return lambda days: problem(name, days)


def birth(days: int) -> Condition:
    """A full-term delivery so many days ago."""
    return problem("birth", days, concept=coded("pregnancy-outcome", code="O80"))


def finding(name: str) -> Callable[[int], Observation]:
    """An examination finding of this value set on a given day."""
    return lambda days: found(name, days)


WINDOWS = [
    ("ces_diagnosis_recent", diagnosis("cauda-equina"), 30),
    ("ces_exam_finding_recent", finding("cauda-equina-finding"), 14),
    ("ces_exam_finding_recent", diagnosis("cauda-equina-finding"), 14),
    ("sphincter_symptom_recent", diagnosis("urinary-retention-new"), 14),
    ("sphincter_symptom_recent", finding("faecal-incontinence"), 14),
    ("deficit_new_30d", diagnosis("leg-weakness"), 30),
    ("deficit_new_30d", finding("myelopathy"), 30),
    ("deficit_new_31_90d", diagnosis("leg-weakness"), 90),
    ("spinal_infection_dx", diagnosis("spinal-infection"), 180),
    ("fever_recent", diagnosis("fever"), 7),
    ("fever_recent", lambda days: measured("body-temp", days, 38.0, "Cel"), 7),
    ("fever_coded_14d", diagnosis("fever"), 14),
    ("fever_coded_14d", finding("fever"), 14),
    ("fever_explained", diagnosis("other-infection"), 30),
    ("infection_risk_factor", diagnosis("bacteraemia-endocarditis"), 90),
    ("infection_risk_factor", lambda days: done("spine-surgery", days), 90),
    ("infection_risk_factor", lambda days: done("spinal-injection-epidural", days), 90),
    ("weight_loss_coded", diagnosis("weight-loss"), 180),
    ("weight_loss_explained", lambda days: done("intentional-weight-loss", days), 365),
    ("weight_loss_explained", birth, 365),
    ("trauma_recent", diagnosis("major-trauma"), 42),
    ("fall_recent", diagnosis("fall"), 42),
    ("vertebral_fracture_recent", diagnosis("vertebral-fracture"), 84),
    ("red_flag_exam_documented", finding("red-flag-exam"), 14),
]


@pytest.mark.parametrize(("fact", "entry", "days"), WINDOWS)
def test_windows(fact: str, entry: Callable[[int], object], days: int) -> None:
    """An entry counts up to and including the last day of its window."""
    got = [answer(fact, entry(day)) for day in (days - 1, days, days + 1)]

    assert got == [YES, YES, NO]


UNREAD = [
    ("ces_diagnosis_recent", "conditions"),
    ("ces_exam_finding_recent", "observations"),
    ("sphincter_symptom_recent", "procedures"),
    ("leg_deficit_or_radicular", "conditions"),
    ("deficit_new_30d", "observations"),
    ("strength_falling", "observations"),
    ("fever_recent", "observations"),
    ("infection_risk_factor", "medications"),
    ("cancer_history", "conditions"),
    ("steroid_90_days", "medications"),
    ("weight_loss_explained", "procedures"),
    ("red_flag_proxy_on_record", "conditions"),
]


@pytest.mark.parametrize(("fact", "key"), UNREAD)
def test_unread_source(fact: str, key: str) -> None:
    """Nothing found in a chart not read to the end is no absence."""
    assert (answer(fact), answer(fact, unread=(key,))) == (NO, UNKNOWN)


def test_partial_date_leaves_a_diagnosis_open() -> None:
    """Cauda equina syndrome that is over and known only by month is neither recent nor not."""
    past = problem("cauda-equina", onset=month(2026, 5), clinical="resolved")

    assert answer("ces_diagnosis_recent", past) is UNKNOWN


def test_suspected_cauda_equina_counts_and_is_named_so() -> None:
    """A provisional diagnosis raises the flag as suspected."""
    chart = case(problem("cauda-equina", 1, verification="provisional"))

    finding = FACTS["ces_diagnosis_recent"](chart)
    assert finding.because[0].display.startswith("suspected: ")


@pytest.mark.parametrize(
    ("words", "entry", "expected"),
    [
        ("recorded as false", found("cauda-equina-finding", 1, value_flag=False), NO),
        (
            "answered absent",
            found(
                "cauda-equina-finding",
                1,
                value_concept=Concept((Coding(LOINC, "LA9634-2"),)),
            ),
            NO,
        ),
        (
            "named in the answer",
            found("physical-finding", 1, value_concept=coded("cauda-equina-finding")),
            YES,
        ),
        (
            "sphincter tone examined, result not in the code",
            found(
                "x",
                1,
                concept=coded(
                    "cauda-equina-finding", note="the code alone does not say so", code="T"
                ),
            ),
            NO,
        ),
        ("undated", found("cauda-equina-finding", None), UNKNOWN),
    ],
)
def test_saddle_finding(words: str, entry: Observation, expected: Answer) -> None:
    """Only a finding that is present and abnormal counts."""
    assert answer("ces_exam_finding_recent", entry) is expected, words


@pytest.mark.parametrize(
    ("words", "entries", "expected"),
    [
        ("first time", [problem("urinary-retention-new", 3)], YES),
        ("known for a year", [problem("urinary-retention-new", d) for d in (3, 365)], NO),
        (
            "another symptom long ago",
            [problem("urinary-retention-new", 3), problem("faecal-incontinence", 365)],
            YES,
        ),
        (
            "after a birth",
            [problem("urinary-retention-new", 3), birth(90)],
            NO,
        ),
        (
            "birth long ago",
            [problem("urinary-retention-new", 3), birth(91)],
            YES,
        ),
        ("stress incontinence is in no set", [problem("stress-incontinence", 3)], NO),
    ],
)
def test_sphincter_symptom(words: str, entries: list[object], expected: Answer) -> None:
    """Retention or incontinence counts when new and not explained by a birth."""
    assert answer("sphincter_symptom_recent", *entries) is expected, words


@pytest.mark.parametrize(
    ("words", "entries", "new", "late"),
    [
        ("30 days", [problem("leg-weakness", 30)], YES, NO),
        ("31 days", [problem("leg-weakness", 31)], NO, YES),
        ("91 days", [problem("leg-weakness", 91)], NO, NO),
        ("already resolved", [problem("leg-weakness", 10, clinical="resolved")], NO, NO),
        ("first seen 50 days ago", [problem("leg-weakness", d) for d in (10, 50)], NO, YES),
        ("known for a year", [problem("leg-weakness", d) for d in (10, 365)], NO, NO),
        (
            "earlier episode that resolved",
            [problem("leg-weakness", 10), problem("leg-weakness", 365, clinical="resolved")],
            NO,
            NO,
        ),
        (
            "a second kind of deficit is new",
            [problem("leg-weakness", 50), problem("myelopathy", 5)],
            YES,
            NO,
        ),
    ],
)
def test_new_deficit(words: str, entries: list[object], new: Answer, late: Answer) -> None:
    """A deficit is new in 30 days, late to 90, and never both."""
    got = (answer("deficit_new_30d", *entries), answer("deficit_new_31_90d", *entries))

    assert got == (new, late), words


@pytest.mark.parametrize(
    ("words", "newer", "older", "expected"),
    [
        ("a grade lower", 3, 4, YES),
        ("half a grade lower", 3.5, 4, NO),
        ("better", 5, 4, NO),
    ],
)
def test_strength_falling(words: str, newer: float, older: float, expected: Answer) -> None:
    """Strength falls when the newer test is a grade lower."""
    tests = [
        measured("muscle-strength", 1, newer, "1"),
        measured("muscle-strength", 90, older, "1"),
    ]

    assert answer("strength_falling", *tests) is expected, words


@pytest.mark.parametrize(
    ("words", "value", "unit", "expected"),
    [
        ("38.0 °C", 38.0, "Cel", 38.0),
        ("101.3 °F", 101.3, "[degF]", 38.5),
        ("100.4 °F is exactly fever", 100.4, "[degF]", 38.0),
        ("a unit nobody knows", 101.3, "F", None),
        ("Fahrenheit called Celsius", 101.3, "Cel", None),
        ("colder than life", 29.9, "Cel", None),
        ("no unit", 38.5, None, None),
    ],
)
def test_celsius(words: str, value: float, unit: str | None, expected: float | None) -> None:
    """Temperatures are converted by unit, never guessed."""
    assert celsius(Quantity(value, unit)) == expected, words


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (80, "kg", 80),
        (80000, "g", 80),
        (180, "[lb_av]", 81.6466),
        (24, "kg", None),
        (351, "kg", None),
        (80, "stone", None),
    ],
)
def test_kilograms(value: float, unit: str, expected: float | None) -> None:
    """Weights are converted by unit and must be plausible."""
    assert kilograms(Quantity(value, unit)) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(37.9, "Cel", NO), (38.0, "Cel", YES), (101.3, "[degF]", YES), (101.3, "Cel", UNKNOWN)],
)
def test_fever_measured(value: float, unit: str, expected: Answer) -> None:
    """Fever begins at 38.0 °C; an implausible reading leaves it open."""
    assert answer("fever_recent", measured("body-temp", 1, value, unit)) is expected


@pytest.mark.parametrize(
    ("words", "entry", "expected"),
    [
        ("injection drug use", problem("iv-drug-use", 2000), YES),
        ("drug use without word of injection", problem("iv-drug-use-proxy", 20), NO),
        ("weak defences", problem("immunosuppression", 2000), YES),
        ("immunosuppressant", prescribed("immunosuppressant-drug", 90), YES),
        ("immunosuppressant run out", prescribed("immunosuppressant-drug", 91), NO),
        (
            "endocarditis, treated",
            problem("bacteraemia-endocarditis", 60, clinical="resolved"),
            YES,
        ),
    ],
)
def test_infection_risk(words: str, entry: object, expected: Answer) -> None:
    """What makes an infection of the spine likelier."""
    assert answer("infection_risk_factor", entry) is expected, words


@pytest.mark.parametrize(
    ("words", "weights", "five", "ten"),
    [
        ("one weight", [(5, 70, "kg")], UNKNOWN, UNKNOWN),
        ("180 lb, then 81 kg", [(5, 81, "kg"), (200, 180, "[lb_av]")], NO, NO),
        ("just under 5 %", [(5, 76.1, "kg"), (200, 80, "kg")], NO, NO),
        ("5 %", [(5, 76, "kg"), (200, 80, "kg")], YES, NO),
        ("10 %", [(5, 72, "kg"), (200, 80, "kg")], YES, YES),
        ("newest 60 days old", [(60, 72, "kg"), (200, 80, "kg")], YES, YES),
        ("newest 61 days old", [(61, 72, "kg"), (200, 80, "kg")], UNKNOWN, UNKNOWN),
        ("90 days apart", [(5, 72, "kg"), (95, 80, "kg")], YES, YES),
        ("89 days apart", [(5, 72, "kg"), (94, 80, "kg")], UNKNOWN, UNKNOWN),
        ("365 days apart", [(5, 72, "kg"), (370, 80, "kg")], YES, YES),
        ("366 days apart", [(5, 72, "kg"), (371, 80, "kg")], UNKNOWN, UNKNOWN),
        (
            "one mistyped earlier weight",
            [(5, 80, "kg"), (200, 80, "kg"), (210, 180, "kg"), (220, 81, "kg")],
            NO,
            NO,
        ),
        ("no unit", [(5, 72, None), (200, 80, "kg")], UNKNOWN, UNKNOWN),
    ],
)
def test_weight_fall(
    words: str, weights: list[tuple[int, float, str | None]], five: Answer, ten: Answer
) -> None:
    """The newest weight is compared with the median of those 90 to 365 days before it."""
    readings = [measured("body-weight", *weight) for weight in weights]

    assert answer("weight_fell_5_percent", *readings) is five, words
    assert answer("weight_fell_10_percent", *readings) is ten, words


FALL = (measured("body-weight", 5, 72, "kg"), measured("body-weight", 200, 80, "kg"))


@pytest.mark.parametrize(
    ("words", "entries", "expected"),
    [
        ("nothing", [*FALL], NO),
        ("weight-lowering drug", [*FALL, prescribed("intentional-weight-loss", 100)], YES),
        ("diuretic started between", [*FALL, prescribed("diuretic", 100)], YES),
        (
            "diuretic taken before and between",
            [*FALL, prescribed("diuretic", 300), prescribed("diuretic", 100)],
            NO,
        ),
        ("diuretic without a measured fall", [prescribed("diuretic", 100)], NO),
    ],
)
def test_weight_loss_explained(words: str, entries: list[object], expected: Answer) -> None:
    """A loss is explained by what can cause it between the weights."""
    assert answer("weight_loss_explained", *entries) is expected, words


@pytest.mark.parametrize(
    ("words", "entry", "expected"),
    [
        ("90 days", prescribed("systemic-corticosteroid", 90, supply_days=90), YES),
        ("89 days", prescribed("systemic-corticosteroid", 89, supply_days=90), NO),
        ("a short burst", prescribed("systemic-corticosteroid", 100, supply_days=5), NO),
        ("coded long-term", problem("long-term-steroid", 1000), YES),
        (
            "injections into a joint",
            prescribed(
                "x", 200, drug=coded("systemic-corticosteroid", note="injection; may be local")
            ),
            NO,
        ),
    ],
)
def test_steroid_90_days(words: str, entry: object, expected: Answer) -> None:
    """Steroids weaken bone after 90 days in a year."""
    assert answer("steroid_90_days", entry) is expected, words


def test_sequela_is_no_injury() -> None:
    """A late effect recorded yesterday is not yesterday's injury."""
    sequela = problem("x", 1, concept=coded("major-trauma", code="S22.010S"))

    assert answer("trauma_recent", sequela) is NO
    assert answer("trauma_fits_pain", sequela) is NO


PAIN = "back-pain-any"


@pytest.mark.parametrize(
    ("words", "entries", "expected"),
    [
        ("no injury", [problem(PAIN, 10)], NO),
        ("pain since the injury", [problem("major-trauma", 10), problem(PAIN, 10)], YES),
        ("pain 14 days before", [problem("major-trauma", 10), problem(PAIN, 24)], YES),
        ("pain 15 days before", [problem("major-trauma", 10), problem(PAIN, 25)], NO),
        ("pain onset unknown", [problem("major-trauma", 10), problem(PAIN)], YES),
        (
            "old pain that flared",
            [
                problem("major-trauma", 10),
                problem(PAIN, 400, clinical="recurrence", recorded=ago(5)),
            ],
            YES,
        ),
        ("injury too old", [problem("major-trauma", 43), problem(PAIN, 43)], NO),
    ],
)
def test_trauma_fits_pain(words: str, entries: list[object], expected: Answer) -> None:
    """An injury fits unless the pain began more than 14 days before it and has not flared."""
    assert answer("trauma_fits_pain", *entries) is expected, words


@pytest.mark.parametrize(
    ("words", "details", "expected"),
    [
        ("active for years", {"onset": ago(3000)}, YES),
        ("inactive 365 days", {"onset": ago(365), "clinical": "inactive"}, YES),
        ("inactive 366 days", {"onset": ago(366), "clinical": "inactive"}, NO),
    ],
)
def test_proxy(words: str, details: dict[str, Any], expected: Answer) -> None:
    """An unspecific hint counts while active, or for a year."""
    assert (
        answer("red_flag_proxy_on_record", problem("iv-drug-use-proxy", **details)) is expected
    ), words


WORKUPS = [
    ("ces_workup_done", "cauda-equina", "spine-mri"),
    ("ces_workup_done", "cauda-equina", "spine-ct"),
    ("deficit_workup_done", "leg-weakness", "spine-mri"),
    ("cancer_workup_done", "malignant-neoplasm", "spine-mri"),
    ("weight_workup_done", "weight-loss", "spine-mri"),
    ("trauma_workup_done", "major-trauma", "spine-imaging"),
    ("fracture_workup_done", "osteoporosis-fracture-risk", "spine-imaging"),
]


@pytest.mark.parametrize(("fact", "flag", "study"), WORKUPS)
def test_imaging_after_the_flag(fact: str, flag: str, study: str) -> None:
    """Imaging closes a flag only when done after it."""
    got = [answer(fact, problem(flag, 10), done(study, day)) for day in (11, 10, 9)]

    assert got == [NO, NO, YES]


@pytest.mark.parametrize(("fact", "flag", "study"), WORKUPS)
def test_imaging_before_the_pain(fact: str, flag: str, study: str) -> None:
    """Imaging before the pain began closes nothing."""
    entries = [problem(flag, 20), problem(PAIN, 5), done(study, 6)]

    assert answer(fact, *entries) is NO


def test_old_mri_of_a_cancer_survivor() -> None:
    """An MRI two years ago does not answer new pain; pain recorded without onset counts too."""
    cancer = problem("malignant-neoplasm", 4000, clinical="remission")

    assert answer("cancer_workup_done", cancer, problem(PAIN, 20), done("spine-mri", 730)) is NO
    undated = problem(PAIN, recorded=ago(20))
    assert answer("cancer_workup_done", cancer, undated, done("spine-mri", 30)) is NO
    assert answer("cancer_workup_done", cancer, undated, done("spine-mri", 10)) is YES


def test_radiograph_is_no_workup_of_cauda_equina() -> None:
    """A plain film does not show the cauda equina."""
    entries = [problem("cauda-equina", 10), done("spine-imaging", 5)]

    assert answer("ces_workup_done", *entries) is NO


def test_infection_needs_imaging_and_blood() -> None:
    """Infection is worked up by imaging and a blood test."""
    flag, image, blood = problem("spinal-infection", 10), done("spine-mri", 5), found("crp", 4)

    assert answer("infection_workup_done", flag, image) is NO
    assert answer("infection_workup_done", flag, blood) is NO
    assert answer("infection_workup_done", flag, image, blood) is YES


def test_report_closes_and_unread_reports_leave_open() -> None:
    """A finished report counts as imaging; unread reports are no proof of none."""
    flag = problem("cauda-equina", 10)
    report = DiagnosticReport("DiagnosticReport/1", coded("spine-mri"), "final", ago(5))

    assert answer("ces_workup_done", flag, reports=(report,)) is YES
    assert answer("ces_workup_done", flag, unread=("diagnosticReports",)) is UNKNOWN


def test_imaging_known_by_month_leaves_the_flag_open() -> None:
    """An MRI some time in the month of the flag may have come before it."""
    study = done("spine-mri", 0, start=month(2026, 6))

    assert answer("ces_workup_done", problem("cauda-equina", 10), study) is UNKNOWN


@pytest.mark.parametrize(
    ("fact", "flag", "expected"),
    [
        ("ces_workup_done", "cauda-equina", YES),
        ("deficit_workup_done", "myelopathy", YES),
        ("infection_workup_done", "spinal-infection", YES),
        ("weight_workup_done", "weight-loss", YES),
        ("cancer_workup_done", "malignant-neoplasm", NO),
        ("trauma_workup_done", "major-trauma", NO),
        ("fracture_workup_done", "vertebral-fracture", NO),
    ],
)
def test_resolved_since(fact: str, flag: str, expected: Answer) -> None:
    """A resolved sign closes its flag; cancer, injury and fracture are past events by nature."""
    resolved = problem(flag, 10, clinical="resolved", abatement=ago(2))

    assert answer(fact, resolved) is expected


def test_refuted() -> None:
    """Refutation closes the flag it speaks of, not one raised again since."""
    refuted = problem("cauda-equina", 5, verification="refuted")

    assert answer("ces_workup_done", problem("cauda-equina", 10), refuted=(refuted,)) is YES
    assert answer("ces_workup_done", problem("cauda-equina", 3), refuted=(refuted,)) is NO


def test_one_refuted_cancer_does_not_refute_another() -> None:
    """A lung cancer ruled out says nothing about an earlier breast cancer."""
    breast = problem("x", 4000, concept=coded("malignant-neoplasm", code="C50.9"))
    lung = problem("y", 5, concept=coded("malignant-neoplasm", code="C34.9"))

    assert answer("cancer_workup_done", breast, refuted=(lung,)) is NO


THIS_YEAR = When(date(2026, 1, 1), date(2026, 12, 31), "2026")
SIGNS = [
    ("ces_diagnosis_recent", "cauda-equina"),
    ("ces_exam_finding_recent", "cauda-equina-finding"),
    ("sphincter_symptom_recent", "urinary-retention-new"),
    ("deficit_new_30d", "leg-weakness"),
    ("spinal_infection_dx", "spinal-infection"),
    ("infection_risk_factor", "bacteraemia-endocarditis"),
    ("fever_recent", "fever"),
    ("fever_coded_14d", "fever"),
    ("weight_loss_coded", "weight-loss"),
    ("trauma_recent", "major-trauma"),
    ("fall_recent", "fall"),
    ("vertebral_fracture_recent", "vertebral-fracture"),
]


@pytest.mark.parametrize(("fact", "name"), SIGNS)
def test_sign_of_danger_with_an_open_onset(fact: str, name: str) -> None:
    """A sign whose onset is open is shown while active or just recorded, never when surely old."""
    recorded_today = problem(name, onset=THIS_YEAR, recorded=ago(0))
    years_old = problem(name, 1000, recorded=ago(1000))

    assert answer(fact, recorded_today) is YES
    assert answer(fact, problem(name, onset=THIS_YEAR)) is YES
    assert answer(fact, problem(name)) is YES
    assert answer(fact, years_old) is NO


def test_resolved_sign_with_an_open_onset() -> None:
    """A sign that is over counts by its record when its onset is open, else it stays open."""
    over: dict[str, Any] = {"onset": THIS_YEAR, "clinical": "resolved"}

    assert answer("ces_diagnosis_recent", problem("cauda-equina", recorded=ago(3), **over)) is YES
    assert answer("ces_diagnosis_recent", problem("cauda-equina", **over)) is UNKNOWN


def test_open_onset_explains_no_fever() -> None:
    """What would take a warning away must be dated for sure."""
    infection = problem("other-infection", onset=THIS_YEAR, recorded=ago(0))

    assert answer("fever_explained", infection) is UNKNOWN


def test_imaging_after_the_record_of_an_open_onset() -> None:
    """A syndrome cannot have begun after it was recorded, so imaging since then closes it."""
    syndrome = problem("cauda-equina", onset=THIS_YEAR, recorded=ago(5))

    assert answer("ces_workup_done", syndrome, done("spine-mri", 4)) is YES
    assert answer("ces_workup_done", syndrome, done("spine-mri", 6)) is NO


def test_foot_drop_on_the_other_side_is_new() -> None:
    """An old left foot drop that resolved does not make today's right one old."""
    left = problem("left", 700, clinical="resolved", concept=coded("leg-weakness", code="M21.372"))
    right = problem("right", 3, concept=coded("leg-weakness", code="M21.371"))
    right_before = problem(
        "before", 700, clinical="resolved", concept=coded("leg-weakness", code="M21.371")
    )

    assert answer("deficit_new_30d", right, left) is YES
    assert answer("deficit_new_30d", right, right_before) is NO


def test_one_question_with_two_answers() -> None:
    """An examination names the finding by its answer; only the same answer is an earlier record."""
    asked = Concept((Coding(LOINC, "32427-3"),))

    def exam(days: int, code: str) -> Observation:
        answered = coded("leg-weakness", code=code)
        return found(f"exam-{code}", days, concept=asked, value_concept=answered)

    assert answer("deficit_new_30d", exam(3, "M21.371"), exam(90, "M21.372")) is YES
    assert answer("deficit_new_30d", exam(3, "M21.371"), exam(90, "M21.371")) is NO


def test_retention_counts_from_its_first_record() -> None:
    """Retention that began 16 days ago and was first recorded today is new, until imaged."""
    retention = problem("urinary-retention-new", 16, recorded=ago(1))

    assert answer("sphincter_symptom_recent", retention) is YES
    assert answer("ces_workup_done", retention) is NO
    assert answer("ces_workup_done", retention, done("spine-mri", 10)) is NO
    assert answer("ces_workup_done", retention, done("spine-mri", 0)) is YES


@pytest.mark.parametrize(
    ("words", "code", "delivery"),
    [
        ("normal delivery", "O80", True),
        ("caesarean", "O82", True),
        ("outcome of delivery", "Z37.0", True),
        ("newborn", "Z38.00", True),
        ("ectopic pregnancy", "O00.10", False),
        ("miscarriage", "O03.9", False),
        ("puerperal sepsis", "O85", False),
        ("lactation", "O92.5", False),
        ("termination", "Z33.2", False),
        ("postpartum check", "Z39.2", False),
    ],
)
def test_only_a_birth_explains(words: str, code: str, delivery: bool) -> None:
    """Retention and weight loss are explained by a birth, not by another end of pregnancy."""
    outcome = problem("outcome", 30, concept=coded("pregnancy-outcome", code=code))
    retention = problem("urinary-retention-new", 3)

    symptom = answer("sphincter_symptom_recent", retention, outcome)
    assert symptom is (NO if delivery else YES), words
    assert answer("weight_loss_explained", outcome) is (YES if delivery else NO), words


def test_pregnancy_explains_no_weight_loss() -> None:
    """A pregnant patient who loses weight is not explained by being pregnant."""
    assert answer("weight_loss_explained", problem("pregnancy", 60)) is NO


def steroid(days: int, code: str, dose: Quantity | None, **details: Any) -> MedicationOrder:
    """A steroid once a day by RxNorm code."""
    note = details.pop("note", "")
    drug = Concept((Coding(RXNORM, code),), "steroid", {"systemic-corticosteroid": note})
    daily = Dosage(dose=dose, timing=Timing(frequency=1, period=1, period_unit="d"))
    order = prescribed(f"steroid-{code}", days, drug=drug, dosages=(daily,), **details)
    return recognised(order)


TWENTY, TEN, ONE = Quantity(20, "mg"), Quantity(10, "mg"), Quantity(1, "{tbl}")


@pytest.mark.parametrize(
    ("words", "orders", "expected"),
    [
        ("20 mg of prednisone for 14 days", [steroid(14, "8640", TWENTY)], YES),
        ("13 days so far", [steroid(13, "8640", TWENTY)], NO),
        ("one tablet of 20 mg", [steroid(14, "312615", ONE)], YES),
        ("20 mg of prednisolone", [steroid(30, "8638", TWENTY)], YES),
        ("10 mg", [steroid(30, "8640", TEN)], NO),
        ("one tablet of 10 mg", [steroid(30, "198145", ONE)], NO),
        ("dose not readable", [steroid(30, "8640", None)], UNKNOWN),
        ("one tablet of no known strength", [steroid(30, "8640", ONE)], UNKNOWN),
        ("5 mL of 15 mg in 5 mL", [steroid(30, "283077", Quantity(5, "mL"))], NO),
        ("10 mL of 15 mg in 5 mL", [steroid(30, "283077", Quantity(10, "mL"))], YES),
        ("dexamethasone", [steroid(30, "3264", TEN)], UNKNOWN),
        ("dexamethasone since yesterday", [steroid(1, "3264", TEN)], NO),
        ("stopped", [steroid(30, "8640", TWENTY, status="stopped")], NO),
        (
            "refilled without a gap",
            [
                steroid(5, "8640", TWENTY),
                steroid(15, "8640", TWENTY, supply_days=10, status="completed"),
            ],
            YES,
        ),
        (
            "two short courses",
            [
                steroid(5, "8640", TWENTY),
                steroid(60, "8640", TWENTY, supply_days=10, status="completed"),
            ],
            NO,
        ),
        (
            "injection into a joint",
            [steroid(30, "1085754", Quantity(40, "mg"), note="injection: may be local")],
            NO,
        ),
    ],
)
def test_steroid_dose_and_infection(
    words: str, orders: list[MedicationOrder], expected: Answer
) -> None:
    """20 mg of prednisone a day for 14 days weakens the defences; what cannot be told is open."""
    assert answer("infection_risk_factor", *orders) is expected, words


@pytest.mark.parametrize(
    ("words", "details", "expected"),
    [
        ("old onset, recorded this year", {"onset": ago(900), "recorded": ago(100)}, YES),
        ("old onset, old record", {"onset": ago(900), "recorded": ago(400)}, NO),
        ("not dated", {}, UNKNOWN),
    ],
)
def test_inactive_proxy(words: str, details: dict[str, Any], expected: Answer) -> None:
    """An inactive hint counts for a year after its onset or its record."""
    proxy = problem("weight-loss-proxy", clinical="inactive", **details)

    assert answer("red_flag_proxy_on_record", proxy) is expected, words
