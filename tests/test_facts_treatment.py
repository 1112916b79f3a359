"""Non-drug care on record, its weeks, the response to it, and the steps before an opioid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cards.case import FACTS
from cards.codes import LOINC
from cards.facts.treatment import ON_RECORD
from cards.record import (
    Allergy,
    Coding,
    Concept,
    Dosage,
    Encounter,
    Observation,
    Quantity,
    Timing,
)
from tests.charts import ago, chart, concept, drug, low_back_pain, referral, score, session

BACK, KNEE = concept("back-pain-any"), concept(code="knee pain")


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(ON_RECORD))
def test_on_record_window(name: str) -> None:
    """Care counts up to the last day of its window, as a session and as an order."""
    sets, days = ON_RECORD[name]
    given = [answer(name, session(sets[0], days=days + d)) for d in (-1, 0, 1)]
    written = [answer(name, referral(sets[0], days=days + d)) for d in (-1, 0, 1)]

    assert given == written == ["yes", "yes", "no"]


NAME = "exercise_on_record_84d"
CARE = [
    ("for the back", session("exercise-therapy", days=5, reasons=(BACK,)), "yes"),
    ("for the knee", session("exercise-therapy", days=5, reasons=(KNEE,)), "no"),
    ("reason in words", session("exercise-therapy", days=5, reasons=(Concept(),)), "yes"),
    ("not done", session("exercise-therapy", days=5, status="not-done"), "no"),
    ("revoked", referral("exercise-therapy", days=5, status="revoked"), "no"),
    (
        "old order, still running",
        referral("exercise-therapy", days=200, start=ago(200), end=ago(-30)),
        "yes",
    ),
    (
        "old order, ended lately",
        referral("exercise-therapy", days=200, start=ago(200), end=ago(20)),
        "yes",
    ),
    ("planned for next week", referral("exercise-therapy", days=5, start=ago(-7)), "yes"),
    (
        "begun long ago, still under way",
        session("exercise-therapy", days=200, status="in-progress"),
        "yes",
    ),
    (
        "under way by its status, but ended long ago",
        session("exercise-therapy", days=200, status="in-progress", end=ago(100)),
        "no",
    ),
    ("without a date", session("exercise-therapy", days=5, start=None), "unknown"),
    ("something else", session("massage", days=5), "no"),
]


@pytest.mark.parametrize(("words", "entry", "expected"), CARE, ids=[c[0] for c in CARE])
def test_what_counts_as_care(words: str, entry: object, expected: str) -> None:
    """Only care that took place or is ordered, for the back or without coded reason, counts."""
    assert answer(NAME, entry) == expected, words


def test_unread_and_drafted() -> None:
    """Nothing found is a no only when both sources were read; another draft counts."""
    assert answer(NAME, unread=("procedures",)) == "unknown"
    assert answer(NAME, unread=("serviceRequests",)) == "unknown"
    assert answer(NAME) == "no"
    assert answer(NAME, draft=referral("x"), drafts=(referral("exercise-therapy"),)) == "yes"


def test_code_that_needs_a_reason() -> None:
    """Traction of an unsaid region counts only when it is for the back."""
    needs = concept("passive-modality", note="body region not in the code: needs back-pain reason")
    plain = replace(session("x", days=5), concept=needs)

    assert answer("passive_on_record_84d", plain) == "no"
    assert answer("passive_on_record_84d", replace(plain, reasons=(BACK,))) == "yes"


@pytest.mark.parametrize(("days", "expected"), [(179, "yes"), (180, "yes"), (181, "no")])
def test_candidate(days: int, expected: str) -> None:
    """A referral for surgery or injection makes a candidate for 180 days."""
    order = referral("spinal-injection-epidural", days=days)

    assert answer("surgical_or_injection_candidate", order) == expected


STENOSIS, DISC = concept("spinal-stenosis"), concept("disc-disorder")
RADICULAR = concept("radiculopathy-lbp")
CANDIDATES = [
    ("spine surgery for stenosis", "", STENOSIS, "yes"),
    ("spine surgery, another reason", "", KNEE, "yes"),
    ("neurosurgeon for stenosis", "general: counts only with a back-pain reason", STENOSIS, "yes"),
    ("neurosurgeon for a disc", "general: counts only with a back-pain reason", DISC, "yes"),
    ("neurosurgeon, leg pain", "general: counts only with a back-pain reason", RADICULAR, "yes"),
    ("orthopaedist for the knee", "general: counts only with a back-pain reason", KNEE, "no"),
    ("orthopaedist, no reason", "general: counts only with a back-pain reason", None, "no"),
]


@pytest.mark.parametrize(
    ("words", "note", "reason", "expected"), CANDIDATES, ids=[c[0] for c in CANDIDATES]
)
def test_candidate_reason(words: str, note: str, reason: Concept | None, expected: str) -> None:
    """The code of spine care tells enough; a general referral needs a reason of the spine."""
    order = replace(
        referral("x", days=5, reasons=(reason,) if reason else ()),
        concept=concept("spine-surgery-referral", note=note),
    )

    assert answer("surgical_or_injection_candidate", order) == expected, words


PAIN = low_back_pain(onset=ago(500))
WEEKS = [
    ("41 days", (session("nonpharm-any", days=41),), "no"),
    ("42 days", (session("nonpharm-any", days=42),), "yes"),
    ("43 days", (session("nonpharm-any", days=43),), "yes"),
    ("ended 84 days ago", (session("nonpharm-any", days=84),), "yes"),
    ("ended 85 days ago", (session("nonpharm-any", days=85),), "unknown"),
    (
        "ended 85 days ago, drug since",
        (session("nonpharm-any", days=85), drug("nsaid-oral", days=20)),
        "yes",
    ),
    (
        "ended long ago, begun anew",
        (session("nonpharm-any", days=300), session("nonpharm-any", days=10)),
        "no",
    ),
    ("drug alone", (drug("nsaid-oral", days=80),), "unknown"),
    ("knee", (session("nonpharm-any", days=60, reasons=(KNEE,)),), "unknown"),
    (
        "visit to physical therapy",
        (Encounter("Encounter/t", "finished", types=(concept("nonpharm-any"),), start=ago(50)),),
        "yes",
    ),
    (
        "cancelled visit",
        (Encounter("Encounter/t", "cancelled", types=(concept("nonpharm-any"),), start=ago(50)),),
        "unknown",
    ),
    ("nothing", (), "unknown"),
]


@pytest.mark.parametrize(("words", "entries", "expected"), WEEKS, ids=[w[0] for w in WEEKS])
def test_six_weeks_of_care(words: str, entries: tuple[object, ...], expected: str) -> None:
    """Care counts from the start of the present course; a course unused for 84 days is closed."""
    assert answer("care_6_weeks", PAIN, *entries) == expected, words


def test_care_before_the_pain() -> None:
    """Care given before this pain began is not care for it."""
    entries = (low_back_pain(onset=ago(20)), session("nonpharm-any", days=60))

    assert answer("care_6_weeks", *entries) == "unknown"


CARED = session("nonpharm-any", days=50)
SCORES = [
    ("fell by 30 percent", (score(10, 50), score(7, 5)), "yes"),
    ("fell by 29 percent", (score(10, 50), score(7.1, 5)), "no"),
    ("no baseline", (score(7, 5),), "unknown"),
    ("baseline 28 days before care", (score(10, 78), score(5, 5)), "yes"),
    ("baseline 29 days before care", (score(10, 79), score(5, 5)), "unknown"),
    ("baseline 7 days into care", (score(10, 43), score(5, 5)), "yes"),
    ("baseline 8 days into care", (score(10, 42), score(5, 5)), "unknown"),
    ("one score only", (score(10, 50),), "unknown"),
    ("one flare after relief", (score(10, 50), score(3, 15), score(9, 5)), "yes"),
    ("other scale", (score(10, 50), score(3, 5, "pain-score", "other")), "unknown"),
    (
        "pain fell, function worsened",
        (score(10, 50), score(3, 5), score(4, 50, "function-score"), score(8, 5, "function-score")),
        "unknown",
    ),
]


@pytest.mark.parametrize(("words", "scores", "expected"), SCORES, ids=[s[0] for s in SCORES])
def test_response(words: str, scores: tuple[Observation, ...], expected: str) -> None:
    """Improved means a fall of at least 30 percent on the same scale since care began."""
    assert answer("response_improved", PAIN, CARED, *scores) == expected, words


RATINGS = [
    ("fell on its scale", (10, 50), (7, 5), "yes"),
    ("newest beyond its scale", (10, 50), (11, 5), "unknown"),
    ("first beyond its scale", (70, 50), (7, 5), "unknown"),
    ("newest beyond its scale after relief", (10, 50, 3, 15), (70, 5), "unknown"),
]


@pytest.mark.parametrize("code", ["72514-3", "75893-8"])
@pytest.mark.parametrize(("words", "early", "late", "expected"), RATINGS)
def test_rating_beyond_its_scale(words, early, late, expected, code) -> None:  # type: ignore[no-untyped-def]
    """A rating from 0 to 10 that bears a higher number tells nothing about the response."""
    rated = Concept((Coding(LOINC, code),), "rating", {"pain-score": ""})
    pairs = [*early, *late]
    scores = [
        replace(score(value, days), concept=rated)
        for value, days in zip(pairs[::2], pairs[1::2], strict=True)
    ]

    assert answer("response_improved", PAIN, CARED, *scores) == expected, words


def screen(code: str, value: float, days: int = 1) -> Observation:
    coded = Concept((Coding(LOINC, code),), "screen", {"psychosocial-screen": ""})
    return Observation("Observation/s", coded, "final", ago(days), Quantity(value, "{score}"))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (screen("44261-6", 9), "no"),
        (screen("44261-6", 10), "yes"),
        (screen("44261-6", 10, 180), "yes"),
        (screen("44261-6", 10, 181), "no"),
        (screen("55758-7", 10), "no"),
    ],
)
def test_risk(found: Observation, expected: str) -> None:
    """A PHQ-9 of ten or more within 180 days is a risk."""
    assert answer("severe_disability_or_risk", found) == expected


EXERCISE = tuple(session("exercise-therapy", days=d) for d in (42, 30, 20, 10))
REHAB = tuple(session("cbt", days=d) for d in (28, 20, 12, 4))
DAILY = Timing(frequency=1, period=1, period_unit="d")


def daily(value: float, unit: str = "mg") -> tuple[Dosage, ...]:
    return (Dosage(timing=DAILY, dose=Quantity(value, unit)),)


DRUGS = (
    drug("nsaid-oral", days=20, supply=14, status="completed"),
    drug("duloxetine", days=40, dosages=daily(60)),
)


@pytest.mark.parametrize(
    ("days", "dosages", "expected"),
    [
        (28, daily(60), "no"),
        (27, daily(60), "yes"),
        (40, daily(59), "yes"),
        (40, daily(1, "{capsule}"), "yes"),
        (40, (), "yes"),
    ],
)
def test_duloxetine_dose(days: int, dosages: tuple[Dosage, ...], expected: str) -> None:
    """Duloxetine was tried only after 28 days at 60 mg a day or more; an unread dose is none."""
    tried = drug("duloxetine", days=days, dosages=dosages)

    assert answer("opioid_prerequisite_missing", *EXERCISE, *REHAB, DRUGS[0], tried) == expected


def test_opioid_prerequisites() -> None:
    """Only with all four earlier steps documented is none of them missing."""
    name = "opioid_prerequisite_missing"
    failed = drug("tca", days=20, status="stopped", status_reason=concept("treatment-ineffective"))
    allergic = Allergy("AllergyIntolerance/a", concept("nsaid-oral"), "allergy")

    assert answer(name) == "yes"
    assert answer(name, *EXERCISE, *REHAB, *DRUGS) == "no"
    assert answer(name, *EXERCISE[1:], *REHAB, *DRUGS) == "yes"
    assert answer(name, *EXERCISE, *REHAB, allergic, failed) == "no"
    assert answer(name, *EXERCISE, *REHAB, *DRUGS[:1]) == "yes"


@pytest.mark.parametrize(("days", "expected"), [(83, "yes"), (84, "yes"), (85, "no")])
def test_a_visit_for_therapy_is_care(days: int, expected: str) -> None:
    """A visit to a therapist shows that care is given, even where no procedure is coded."""
    therapy = concept("exercise-therapy", "nonpharm-any")
    seen = Encounter("Encounter/pt", "finished", "AMB", types=(therapy,), start=ago(days))

    assert FACTS["nonpharm_on_record_84d"](chart(low_back_pain(), seen)).answer.value == expected


@pytest.mark.parametrize("status", ["planned", "cancelled"])
def test_a_visit_that_never_was_is_no_care(status: str) -> None:
    """A visit planned or cancelled shows nothing."""
    therapy = concept("exercise-therapy", "nonpharm-any")
    seen = Encounter("Encounter/pt", status, "AMB", types=(therapy,), start=ago(3))

    assert FACTS["nonpharm_on_record_84d"](chart(low_back_pain(), seen)).answer.value == "no"
