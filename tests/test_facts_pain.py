"""Pathway membership, onset and flare: each row is one patient."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cards.case import FACTS, Case
from cards.codes import ICD10CM, SNOMED
from cards.facts.pain import MYOFASCIAL, episode, pathway_conditions
from cards.record import Coding, Concept, Condition, When
from tests.charts import ago, chart, concept, low_back_pain, pain, referral, visit

THORACIC = concept("thoracic-upper-site", "back-site")
NECK = concept(code="neck")


def strain(code: str, system: str = ICD10CM, **members: Any) -> Any:
    sets = {"back-strain": "", "back-pain-any": ""}
    strained = pain("back-strain", **members)
    return type(strained)(
        "Condition/strain", Concept((Coding(system, code),), "strain", sets), "active", **members
    )


MEMBERS = [
    ("low back pain", (low_back_pain(),), {"low_back"}),
    ("sciatica alone", (pain("radiculopathy-lbp", "back-pain-any"),), {"low_back"}),
    ("unspecified back pain", (pain("back-pain-unspecified", "back-pain-any"),), {"low_back"}),
    (
        "unspecified back pain of the thoracic spine",
        (pain("back-pain-unspecified", "back-pain-any", body_sites=(THORACIC,)),),
        {"mid_back"},
    ),
    ("lumbar strain", (strain("S39.012A"),), {"low_back"}),
    ("thoracic sprain", (strain("S23.3XXA"),), {"mid_back"}),
    ("late effect of a lumbar strain", (strain("S39.012S"),), set()),
    ("strain of the back, region unsaid", (strain("262965006", SNOMED),), set()),
    ("spasm", (pain("back-spasm", "back-pain-any"),), {"spasm"}),
    ("myalgia of unsaid site alone", (pain("myofascial-pain"),), set()),
    (
        "myalgia of the neck",
        (pain("myofascial-pain", body_sites=(NECK,)), low_back_pain()),
        {"low_back"},
    ),
    (
        "myalgia beside low back pain",
        (pain("myofascial-pain"), low_back_pain()),
        {"low_back", "myofascial"},
    ),
    (
        "myalgia of the upper back",
        (pain("myofascial-pain", body_sites=(THORACIC,)),),
        {"myofascial", "trigger_point"},
    ),
    (
        "trigger point as a body site",
        (pain("x", body_sites=(concept("trigger-point"),)),),
        {"trigger_point"},
    ),
    ("resolved low back pain", (low_back_pain(clinical="resolved"),), set()),
    ("suspected low back pain", (low_back_pain(verification="provisional"),), set()),
    ("stenosis alone", (pain("spinal-stenosis"),), set()),
]
PATHWAY_FACTS = ("low_back", "myofascial", "spasm", "mid_back", "trigger_point")


@pytest.mark.parametrize(("words", "conditions", "expected"), MEMBERS, ids=[m[0] for m in MEMBERS])
def test_pathways(words: str, conditions: tuple[object, ...], expected: set[str]) -> None:
    """A patient belongs to the pathways the active Conditions name."""
    case = chart(*conditions)

    found = {name for name in PATHWAY_FACTS if FACTS[f"pathway_{name}"](case).answer.value == "yes"}

    assert found == expected, words


def test_code_that_says_back_needs_no_site() -> None:
    """Myofascial pain whose code names the back is a member on its own."""
    sited = pain("myofascial-pain")
    sited = type(sited)("Condition/m", concept("myofascial-pain", note="site in code"), "active")

    members = pathway_conditions(chart(sited))

    assert [pathway for pathway, found in members.items() if found] == [MYOFASCIAL]


def test_stenosis_is_a_back_problem() -> None:
    """Stenosis makes no pathway, but it is a back-pain problem."""
    assert FACTS["back_pain_problem"](chart(pain("spinal-stenosis"))).answer.value == "yes"


def answer(name: str, case: Case) -> str:
    return FACTS[name](case).answer.value


@pytest.mark.parametrize("unread", [(), ("conditions",)])
def test_nothing_on_record(unread: tuple[str, ...]) -> None:
    """No Condition is a no only when the problem list was read."""
    case = chart(unread=unread)
    expected = "unknown" if unread else "no"

    assert answer("pathway_low_back", case) == answer("back_pain_problem", case) == expected
    assert answer("back_pain_new_or_worse", case) == answer("exacerbation", case) == expected


WINDOWS = [
    ("back_pain_new_or_worse", "onset", 84),
    ("back_pain_new_or_worse", "recorded", 84),
    ("back_pain_new_42d", "onset", 42),
    ("back_pain_onset_known_84d", "onset", 84),
    ("back_pain_recorded_14d", "recorded", 14),
    ("back_pain_recorded_30d_or_visit", "recorded", 30),
]


@pytest.mark.parametrize(("name", "member", "bound"), WINDOWS)
def test_window_bounds(name: str, member: str, bound: int) -> None:
    """The last day of a window still counts, the day after no more."""
    found = [answer(name, chart(low_back_pain(**{member: ago(bound + d)}))) for d in (-1, 0, 1)]

    assert found == ["yes", "yes", "no"]


def test_earlier_back_pain_bounds() -> None:
    """Only pain more than 365 days ago is earlier pain, also when resolved."""
    days = (364, 365, 366)
    found = [
        answer("earlier_back_pain", chart(low_back_pain(onset=ago(d), clinical="resolved")))
        for d in days
    ]

    assert found == ["no", "no", "yes"]


def test_onset_not_recorded() -> None:
    """Without an onset nobody knows whether the pain is within six or twelve weeks."""
    case = chart(low_back_pain(recorded=ago(3)))

    assert answer("back_pain_new_42d", case) == "unknown"
    assert answer("back_pain_onset_known_84d", case) == "unknown"


def test_partial_onset_across_the_bound() -> None:
    """An onset known only by year may be inside or outside the window."""
    year = When(date(2025, 1, 1), date(2025, 12, 31), "2025")

    assert answer("back_pain_new_or_worse", chart(low_back_pain(onset=year))) == "unknown"


@pytest.mark.parametrize(("days", "expected"), [(27, "yes"), (28, "yes"), (29, "no")])
def test_recurrence(days: int, expected: str) -> None:
    """A recurrence is a flare for 28 days after it was recorded."""
    case = chart(low_back_pain(onset=ago(400), recorded=ago(days), clinical="recurrence"))

    assert answer("exacerbation", case) == expected


def test_visit_diagnosis_is_no_flare() -> None:
    """The same pain coded again at a visit is no flare; a new spasm beside it is."""
    old = low_back_pain(onset=ago(400), recorded=ago(390))
    again = low_back_pain(recorded=ago(2), reference="Condition/again")
    spasm = pain("back-spasm", "back-pain-any", recorded=ago(2))

    assert answer("exacerbation", chart(old, again)) == "no"
    assert answer("exacerbation", chart(old, spasm)) == "yes"


STRAIN = pain("back-strain", "back-pain-any", recorded=ago(3))
BESIDE_OLDER = [
    ("another diagnosis, no onset", STRAIN, "yes", "yes"),
    ("another diagnosis 28 days ago", replace(STRAIN, recorded=ago(28)), "yes", "yes"),
    ("another diagnosis 29 days ago", replace(STRAIN, recorded=ago(29)), "yes", "no"),
    ("another diagnosis 84 days ago", replace(STRAIN, recorded=ago(84)), "yes", "no"),
    ("another diagnosis 85 days ago", replace(STRAIN, recorded=ago(85)), "no", "no"),
    ("another diagnosis, undated", replace(STRAIN, recorded=None), "no", "no"),
    (
        "the same diagnosis at a visit",
        low_back_pain(recorded=ago(3), reference="Condition/again"),
        "no",
        "no",
    ),
    (
        "the same diagnosis in other words",
        replace(
            STRAIN,
            concept=Concept(
                (Coding(SNOMED, "low-back-pain-back-pain-any", "Lumbago"),),
                "Lumbago",
                {"low-back-pain": "", "back-pain-any": ""},
            ),
        ),
        "no",
        "no",
    ),
    (
        "the same pain in another code system: new by its record, but no flare",
        replace(
            STRAIN,
            concept=Concept(
                (Coding(ICD10CM, "M54.50"),), "", {"low-back-pain": "", "back-pain-any": ""}
            ),
        ),
        "yes",
        "no",
    ),
    (
        "chronic by its code",
        pain("chronic-pain", "back-pain-any", recorded=ago(3)),
        "yes",
        "no",
    ),
]


@pytest.mark.parametrize(
    ("words", "condition", "new", "flare"), BESIDE_OLDER, ids=[b[0] for b in BESIDE_OLDER]
)
def test_new_pain_beside_older(words: str, condition: Condition, new: str, flare: str) -> None:
    """A further diagnosis without onset is new pain by its record, unless it repeats a code."""
    case = chart(low_back_pain(onset=ago(400), recorded=ago(390)), condition)

    assert answer("back_pain_new_or_worse", case) == new, words
    assert answer("exacerbation", case) == flare, words


def test_newest_onset() -> None:
    """With several back-pain Conditions the newest onset counts as new."""
    now = episode(
        chart(low_back_pain(onset=ago(400)), pain("back-spasm", "back-pain-any", onset=ago(50)))
    )

    assert now.onset == ago(50)


BACK, DIABETES = concept("back-pain-any"), concept(code="diabetes")
OLD = low_back_pain(onset=ago(400), recorded=ago(400))
VISITS = [
    ("diabetes visit, dormant back", (OLD,), visit(DIABETES), (), "yes"),
    ("back visit", (OLD,), visit(BACK), (), "no"),
    ("no visit named", (OLD,), None, (), "unknown"),
    ("visit without coded reason", (OLD,), visit(Concept(display="back")), (), "unknown"),
    ("diabetes visit, problem list unread", (OLD,), visit(DIABETES), ("conditions",), "unknown"),
    ("exercise 90 days ago", (OLD, referral("nonpharm-any", days=90)), visit(DIABETES), (), "no"),
    ("exercise 91 days ago", (OLD, referral("nonpharm-any", days=91)), visit(DIABETES), (), "yes"),
]


@pytest.mark.parametrize(
    ("words", "entries", "at", "unread", "expected"), VISITS, ids=[v[0] for v in VISITS]
)
def test_visit_unrelated(words: str, entries, at, unread, expected: str) -> None:  # type: ignore[no-untyped-def]
    """A visit for something else counts only while the back has been quiet for 90 days."""
    assert answer("visit_unrelated_to_back", chart(*entries, at=at, unread=unread)) == expected, (
        words
    )
