"""Facts about active illness that bars a drug or an order."""

from __future__ import annotations

import pytest

import cards.facts  # noqa: F401  # registers the facts
from cards.answer import Answer
from cards.case import FACTS
from cards.codes import ICD10CM, SNOMED
from cards.library import HERE
from cards.record import Coding
from cards.value_set_files import index_codes, read_value_sets
from tests.chart import ago, answer, case, problem

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
INDEX = index_codes(read_value_sets(HERE / "value_sets"))

ILLNESSES = [
    ("structural_pathology", "structural-spine"),
    ("fracture_instability_deformity", "vertebral-fracture"),
    ("fracture_instability_deformity", "spinal-deformity-instability"),
    ("osteoarthritis", "osteoarthritis"),
    ("gi_inflammation", "gi-risk"),
    ("heart_failure", "heart-failure"),
    ("ischaemic_cvd", "ischaemic-cvd"),
    ("liver_moderate_severe", "liver-moderate-severe"),
    ("liver_disease_any", "liver-disease"),
    ("liver_steatosis", "liver-steatosis"),
    ("alcohol_use_disorder", "alcohol-use-disorder"),
    ("arrhythmia_or_block", "arrhythmia-conduction"),
    ("hyperthyroidism", "hyperthyroidism"),
    ("angle_closure_glaucoma", "angle-closure-glaucoma"),
    ("urinary_retention_or_bph", "urinary-retention-bph"),
    ("epilepsy", "seizure"),
    ("bipolar", "bipolar"),
    ("sud_active", "sud"),
    ("sud_active", "alcohol-use-disorder"),
    ("respiratory_risk", "sleep-disordered-breathing"),
    ("respiratory_risk", "copd-resp"),
]
every_illness = pytest.mark.parametrize(("fact", "value_set"), ILLNESSES)


@every_illness
def test_an_active_illness_counts_however_old(fact: str, value_set: str) -> None:
    """An active problem counts at any age, without a date, and when it came back."""
    assert answer(fact, problem(value_set, 4000)) is YES
    assert answer(fact, problem(value_set)) is YES
    assert answer(fact, problem(value_set, 4000, clinical="relapse")) is YES


@every_illness
def test_an_illness_that_is_over_or_only_suspected_does_not_count(
    fact: str, value_set: str
) -> None:
    """What was, or what nobody has confirmed, bars no drug."""
    assert answer(fact, problem(value_set, 10, clinical="resolved")) is NO
    assert answer(fact, problem(value_set, 10, clinical="remission")) is NO
    assert answer(fact, problem(value_set, 10, verification="provisional")) is NO
    assert answer(fact, problem("something-else", 10)) is NO


@every_illness
def test_unread_conditions_leave_an_illness_open(fact: str, value_set: str) -> None:
    """A problem list that was not read rules nothing out, but what arrived still counts."""
    assert answer(fact, unread=("conditions",)) is UNKNOWN
    assert answer(fact, problem(value_set, 10), unread=("conditions",)) is YES
    assert answer(fact, unread=("observations", "medications")) is NO


@every_illness
def test_an_illness_is_shown_with_its_entry(fact: str, value_set: str) -> None:
    """The card can name the entry that led to it."""
    finding = FACTS[fact](case(problem(value_set, 10)))

    assert [entry.reference for entry in finding.because] == [f"Condition/{value_set}-10"]


@pytest.mark.parametrize(("days", "expected"), [(89, YES), (90, YES), (91, NO)])
def test_a_diagnosis_of_one_visit_is_active_for_90_days(days: int, expected: Answer) -> None:
    """A visit's diagnosis without a status is active for 90 days after it was recorded."""
    diagnosis = problem(
        "heart-failure",
        clinical=None,
        recorded=ago(days),
        categories=frozenset({"encounter-diagnosis"}),
    )

    assert answer("heart_failure", diagnosis) is expected


@pytest.mark.parametrize(
    ("words", "fact", "system", "code", "expected"),
    [
        ("heart failure", "heart_failure", ICD10CM, "I50.22", YES),
        ("fatty liver is no liver disease", "liver_disease_any", ICD10CM, "K76.0", NO),
        ("fatty liver", "liver_steatosis", ICD10CM, "K76.0", YES),
        ("reflux is no inflammation", "gi_inflammation", ICD10CM, "K21.9", NO),
        ("gastritis", "gi_inflammation", ICD10CM, "K29.70", YES),
        ("a seizure is no epilepsy", "epilepsy", ICD10CM, "R56.9", NO),
        ("epilepsy", "epilepsy", ICD10CM, "G40.909", YES),
        ("tobacco is no substance use disorder here", "sud_active", ICD10CM, "F17.210", NO),
        ("alcohol dependence", "sud_active", ICD10CM, "F10.20", YES),
        ("sleep apnoea", "respiratory_risk", SNOMED, "78275009", YES),
        ("asthma", "respiratory_risk", ICD10CM, "J45.909", NO),
    ],
)
def test_codes(words: str, fact: str, system: str, code: str, expected: Answer) -> None:
    """The illness is known by its code, and near misses are told apart."""
    coded = INDEX.concept([Coding(system, code)])

    assert answer(fact, problem("coded", 100, concept=coded)) is expected, words
