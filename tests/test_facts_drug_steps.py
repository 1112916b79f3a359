"""The drug steps: what was taken, for how long, with what result, and what rules a drug out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.case import FACTS
from cards.codes import RXNORM, SNOMED
from cards.facts.care_steps import StepStatus
from cards.facts.drug_steps import (
    DULOXETINE,
    DULOXETINE_BLOCKED_BY,
    NSAID_BLOCKED_BY,
    ORAL_NSAID,
    TCA_BLOCKED_BY,
    TRICYCLIC,
    step_status,
)
from cards.facts.drug_trial import DrugStep
from cards.facts.vocabulary import closure
from cards.library import load_library
from cards.record import Allergy, Coding, Concept, Dosage, MedicationOrder, Quantity, Timing, When
from tests.charts import ago, chart, concept, drug, low_back_pain, pain, score, session

VOCABULARY = load_library().vocabulary
ALL_STEPS = ("nsaid_step_done", "duloxetine_or_tramadol_step_done", "drug_step_inadequate")
PAIN = low_back_pain(onset=ago(500))
UNCHANGED = (PAIN, session("nonpharm-any", days=50), score(8, 50), score(7, 1))
INEFFECTIVE: dict[str, Any] = {
    "status": "stopped",
    "status_reason": concept("treatment-ineffective"),
}
NOT_TOLERATED: dict[str, Any] = {
    "status": "stopped",
    "status_reason": concept("treatment-not-tolerated"),
}
DONE: dict[str, Any] = {"status": "completed"}


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


def daily(mg: float, step: int | None = None, days: float | None = None) -> Dosage:
    """So many milligrams once a day, as one step of so many days."""
    timing = Timing(frequency=1, period=1, period_unit="d", bounds_days=days)
    return Dosage(sequence=step, timing=timing, dose=Quantity(mg, "mg"))


def capsules(count: float) -> Dosage:
    timing = Timing(frequency=1, period=1, period_unit="d")
    return Dosage(timing=timing, dose=Quantity(count, "{capsule}"))


def allergy(*sets: str) -> Allergy:
    return Allergy("AllergyIntolerance/a", concept(*sets), "intolerance")


def on_skin(order: MedicationOrder) -> MedicationOrder:
    """The drug coded without its form, for use on the skin."""
    plain = concept("nsaid-oral", note="ingredient (IN); route not stated: treat as oral")
    route = Dosage(route=Concept((Coding(SNOMED, "6064005"),)))
    return replace(order, drug=plain, dosages=(route,))


# What rules a step out


@pytest.mark.parametrize(
    ("blocked", "parts"),
    [
        ("oral_nsaid_blocked", NSAID_BLOCKED_BY),
        ("duloxetine_blocked", DULOXETINE_BLOCKED_BY),
        ("tca_blocked", TCA_BLOCKED_BY),
    ],
)
def test_the_same_reasons_block_a_proposal(blocked: str, parts: tuple[str, ...]) -> None:
    """A step is ruled out by exactly what keeps the service from proposing the drug."""
    leaves = {n for n in closure((blocked,), VOCABULARY) if VOCABULARY[n].scope != "derived"}

    assert leaves == set(parts)
    assert len(parts) == len(set(parts))
    assert not leaves & {*ALL_STEPS, "duloxetine_failed", "response_inadequate"}


def test_ruled_out() -> None:
    """A contraindication does the step as a failure would; what is not known does not."""
    heart, glaucoma = pain("heart-failure"), pain("angle-closure-glaucoma")

    assert [answer(name, heart) for name in ALL_STEPS] == ["yes", "no", "yes"]
    assert [answer(name, glaucoma) for name in ALL_STEPS] == ["no", "yes", "yes"]
    assert [answer(name) for name in ALL_STEPS] == ["no", "no", "no"]
    assert answer("duloxetine_failed", glaucoma) == "no"


def test_a_drug_does_not_rule_itself_out() -> None:
    """A tricyclic is no other serotonergic drug beside itself, but is beside duloxetine."""
    taking = drug("tca", "serotonergic-strong", days=5)

    assert step_status(chart(taking), TRICYCLIC) is StepStatus.IN_PROGRESS
    assert step_status(chart(taking), DULOXETINE) is StepStatus.CONTRAINDICATED


def test_a_draft_is_no_history() -> None:
    """A drafted lithium does not count the NSAID step as done, a lithium taken does."""
    lithium = drug("lithium", days=5)

    assert answer("nsaid_step_done", lithium) == "yes"
    assert answer("nsaid_step_done", draft=drug("opioid", days=0), drafts=(lithium,)) == "no"


# Long enough


TRIALS = [
    ("13 days", "nsaid-oral", {"days": 13}, "no"),
    ("14 days", "nsaid-oral", {"days": 14}, "yes"),
    ("15 days", "nsaid-oral", {"days": 15}, "yes"),
    ("supply of 13 days", "nsaid-oral", {"days": 60, "supply": 13, **DONE}, "no"),
    ("supply of 14 days", "nsaid-oral", {"days": 60, "supply": 14, **DONE}, "yes"),
    ("supply of 15 days", "nsaid-oral", {"days": 60, "supply": 15, **DONE}, "yes"),
    ("completed, no supply told", "nsaid-oral", {"days": 60, **DONE}, "unknown"),
    ("stopped, may have lasted", "nsaid-oral", {"days": 60, "status": "stopped"}, "unknown"),
    (
        "stopped, short anyway",
        "nsaid-oral",
        {"days": 60, "supply": 10, "status": "stopped"},
        "no",
    ),
    ("on hold", "nsaid-oral", {"days": 60, "status": "on-hold"}, "unknown"),
    ("cancelled", "nsaid-oral", {"days": 60, "status": "cancelled"}, "no"),
    ("729 days ago", "nsaid-oral", {"days": 729, "supply": 14, **DONE}, "yes"),
    ("730 days ago", "nsaid-oral", {"days": 730, "supply": 14, **DONE}, "yes"),
    ("731 days ago", "nsaid-oral", {"days": 731, "supply": 14, **DONE}, "no"),
    ("low dose read", "nsaid-oral", {"days": 14, "dosages": (daily(200),)}, "yes"),
    ("aspirin 325 mg", "aspirin-low", {"days": 14, "dosages": (daily(325),)}, "no"),
    ("aspirin 326 mg", "aspirin-low", {"days": 14, "dosages": (daily(326),)}, "yes"),
    ("analgesic aspirin, no dose", "aspirin-analgesic", {"days": 14}, "no"),
    ("on the skin", "nsaid-topical", {"days": 14}, "no"),
]


@pytest.mark.parametrize(("words", "name", "order", "expected"), TRIALS, ids=[t[0] for t in TRIALS])
def test_nsaid_trial(words: str, name: str, order: dict[str, Any], expected: str) -> None:
    """An oral NSAID was tried after 14 days within two years, whatever the dose."""
    assert answer("nsaid_step_done", drug(name, **order)) == expected, words


def test_ingredient_on_the_skin_is_no_nsaid_trial() -> None:
    """An NSAID coded without its form and rubbed in is no oral one."""
    assert answer("nsaid_step_done", on_skin(drug("nsaid-oral", days=20))) == "no"


def test_orders_of_one_course_add_up() -> None:
    """Two weeks may be two orders; a week now and a week long ago are two courses."""
    now = drug("nsaid-oral", days=7)
    before: dict[str, Any] = {"supply": 7, **DONE}

    assert answer("nsaid_step_done", now, drug("nsaid-oral", days=14, **before)) == "yes"
    assert answer("nsaid_step_done", now, drug("nsaid-oral", days=42, **before)) == "yes"
    assert answer("nsaid_step_done", now, drug("nsaid-oral", days=43, **before)) == "no"


def test_trial_begun_long_ago_and_still_running() -> None:
    """A drug taken today counts however long ago it was first ordered."""
    years = drug("nsaid-oral", days=800, validity_end=ago(-10))

    assert answer("nsaid_step_done", years) == "yes"
    assert answer("nsaid_step_done", replace(years, validity_end=ago(400))) == "no"


def test_partial_dates_of_a_trial() -> None:
    """An order of an unknown day of the year may or may not have lasted."""
    year = When(ago(60).earliest, ago(1).latest, "2026")

    assert answer("nsaid_step_done", replace(drug("nsaid-oral", days=1), authored=year)) == (
        "unknown"
    )
    assert answer("nsaid_step_done", replace(drug("nsaid-oral", days=1), authored=None)) == (
        "unknown"
    )


TITRATED = (daily(30, 1, 7), daily(60, 2))
DULOXETINES = [
    ("27 days", 27, (daily(60),), "no"),
    ("28 days", 28, (daily(60),), "yes"),
    ("29 days", 29, (daily(60),), "yes"),
    ("59 mg", 60, (daily(59),), "no"),
    ("61 mg", 60, (daily(61),), "yes"),
    ("capsules of unknown strength", 60, (capsules(1),), "unknown"),
    ("capsules, too short anyway", 27, (capsules(1),), "no"),
    ("no dose", 60, (), "unknown"),
    ("34 days, a week of them at 30 mg", 34, TITRATED, "unknown"),
    ("35 days, a week of them at 30 mg", 35, TITRATED, "yes"),
    ("30 mg at first, for how long is not told", 60, (daily(30, 1), daily(60, 2)), "unknown"),
]


@pytest.mark.parametrize(
    ("words", "days", "dosages", "expected"), DULOXETINES, ids=[d[0] for d in DULOXETINES]
)
def test_duloxetine_trial(
    words: str, days: int, dosages: tuple[Dosage, ...], expected: str
) -> None:
    """Duloxetine was tried after 28 days at 60 mg that can be read."""
    taking = drug("duloxetine", days=days, dosages=dosages)

    assert answer("duloxetine_or_tramadol_step_done", taking) == expected, words


@pytest.mark.parametrize(("days", "expected"), [(27, "in-progress"), (28, "failed")])
def test_tricyclic_trial(days: int, expected: str) -> None:
    """A tricyclic was tried after 28 days."""
    assert step_status(chart(*UNCHANGED, drug("tca", days=days)), TRICYCLIC).value == expected


# Failed and not tolerated


@pytest.mark.parametrize("reason", [INEFFECTIVE, NOT_TOLERATED])
@pytest.mark.parametrize(("days", "expected"), [(729, "yes"), (730, "yes"), (731, "no")])
def test_stopped_for_a_reason(reason: dict[str, Any], days: int, expected: str) -> None:
    """A drug stopped as ineffective or not tolerated counts for two years, however short."""
    nsaid = drug("nsaid-oral", days=days, supply=3, **reason)
    duloxetine = drug("duloxetine", days=days, supply=3, **reason)
    tramadol = drug("tramadol", days=days, supply=3, **reason)
    tricyclic = drug("tca", days=days, supply=3, **reason)

    assert answer("nsaid_step_done", nsaid) == expected
    assert answer("duloxetine_failed", duloxetine) == expected
    assert answer("duloxetine_or_tramadol_step_done", duloxetine) == expected
    assert answer("duloxetine_or_tramadol_step_done", tramadol) == expected
    assert [answer("drug_step_inadequate", d) for d in (nsaid, duloxetine, tricyclic)] == (
        [expected] * 3
    )
    assert answer("drug_step_inadequate", tramadol) == "no"


def test_allergy() -> None:
    """An intolerance to the drug does the step, and needs no order on record."""
    assert answer("nsaid_step_done", allergy("nsaid-allergy")) == "yes"
    assert answer("duloxetine_failed", allergy("duloxetine")) == "yes"
    assert answer("duloxetine_or_tramadol_step_done", allergy("tramadol")) == "yes"
    assert answer("drug_step_inadequate", allergy("tca")) == "yes"
    assert answer("duloxetine_failed", allergy("nsaid-oral")) == "no"


def test_intolerance_to_one_nsaid_leaves_the_others() -> None:
    """Naproxen may be proposed after diclofenac; the next drug step then waits its turn."""
    diclofenac, naproxen = (
        Allergy("AllergyIntolerance/a", Concept((Coding(RXNORM, code, name),), name, sets))
        for code, name in (("3355", "diclofenac"), ("7258", "naproxen"))
        for sets in ({"nsaid-oral": "ingredient (IN)"},)
    )
    for intolerance, expected in ((diclofenac, "no"), (naproxen, "yes")):
        entry = replace(intolerance, kind="intolerance")
        assert answer("nsaid_step_done", entry) == expected
        assert answer("drug_step_inadequate", entry) == expected
        assert answer("nsaid_intolerance_same", entry) == expected


@pytest.mark.parametrize(("days", "expected"), [(729, "yes"), (730, "yes"), (731, "no")])
def test_a_step_done_is_not_offered_again(days: int, expected: str) -> None:
    """A trial long enough is on record for as long as it does the step."""
    trial = drug("nsaid-oral", days=days, supply=14, status="completed")

    assert answer("nsaid_step_done", trial) == expected
    assert answer("oral_nsaid_on_record", trial) == expected


def test_tramadol_taken_is_no_trial() -> None:
    """No source says how long tramadol must be tried."""
    opioids = drug("tramadol", days=80)

    assert answer("duloxetine_or_tramadol_step_done", opioids) == "no"


def test_tried_without_response() -> None:
    """Long enough and the pain unchanged is a failure; without a score it is not known."""
    long, short = drug("duloxetine", days=28, dosages=(daily(60),)), drug("duloxetine", days=27)

    assert answer("duloxetine_failed", *UNCHANGED, long) == "yes"
    assert answer("duloxetine_failed", *UNCHANGED, short) == "no"
    assert answer("duloxetine_failed", long) == "unknown"
    assert answer("drug_step_inadequate", *UNCHANGED, long) == "yes"


# Status

TABLE: list[tuple[str, DrugStep, tuple[object, ...], str]] = [
    ("nothing", ORAL_NSAID, (), "not-tried"),
    (
        "taken more than a year ago",
        ORAL_NSAID,
        (drug("nsaid-oral", days=366, supply=5),),
        "not-tried",
    ),
    ("taken a year ago, short", ORAL_NSAID, (drug("nsaid-oral", days=365, supply=5),), "unknown"),
    ("active", ORAL_NSAID, (drug("nsaid-oral", days=5),), "in-progress"),
    ("long", ORAL_NSAID, (drug("nsaid-oral", days=20),), "adequate-trial"),
    ("long without response", ORAL_NSAID, (*UNCHANGED, drug("nsaid-oral", days=20)), "failed"),
    (
        "failed before, not tolerated since",
        ORAL_NSAID,
        (
            drug("nsaid-oral", days=300, **INEFFECTIVE),
            drug("nsaid-oral", days=200, **NOT_TOLERATED),
        ),
        "not-tolerated",
    ),
    (
        "not tolerated and contraindicated",
        ORAL_NSAID,
        (drug("nsaid-oral", days=200, **NOT_TOLERATED), pain("heart-failure")),
        "contraindicated",
    ),
    (
        "a drug named in words only",
        ORAL_NSAID,
        (replace(drug("x", days=5), drug=Concept(display="naproxen")),),
        "unknown",
    ),
    ("dose not read", DULOXETINE, (drug("duloxetine", days=50),), "in-progress"),
]


@pytest.mark.parametrize(("words", "step", "entries", "expected"), TABLE, ids=[t[0] for t in TABLE])
def test_status(words: str, step: DrugStep, entries: tuple[object, ...], expected: str) -> None:
    """The first status that applies counts; an order is never merely ordered."""
    assert step_status(chart(*entries), step).value == expected, words


def test_status_unread() -> None:
    """Without the medications nobody can say that a drug was not tried."""
    assert step_status(chart(unread=("medications",)), ORAL_NSAID) is StepStatus.UNKNOWN


# On record

ENDED = [
    ("taken now", {"days": 5}, "yes"),
    ("short, ended 27 days ago", {"days": 34, "supply": 7, **DONE}, "yes"),
    ("short, ended 28 days ago", {"days": 35, "supply": 7, **DONE}, "yes"),
    ("short, ended 29 days ago", {"days": 36, "supply": 7, **DONE}, "no"),
    ("long, two years ago less a day", {"days": 729, "supply": 60, **DONE}, "yes"),
    ("long, two years ago", {"days": 730, "supply": 60, **DONE}, "yes"),
    ("long, two years and a day ago", {"days": 731, "supply": 60, **DONE}, "no"),
    ("length not told", {"days": 365, **DONE}, "yes"),
    ("length not told, a year and a day ago", {"days": 366, **DONE}, "no"),
    ("short, ineffective", {"days": 730, "supply": 7, **INEFFECTIVE}, "yes"),
    ("short, not tolerated", {"days": 730, "supply": 7, **NOT_TOLERATED}, "yes"),
    ("short, ineffective, too long ago", {"days": 731, "supply": 7, **INEFFECTIVE}, "no"),
    ("cancelled", {"days": 5, "status": "cancelled"}, "no"),
    ("undated", {"days": 5, "authored": None}, "unknown"),
]


@pytest.mark.parametrize(
    ("name", "value_set"),
    [
        ("oral_nsaid_on_record", "nsaid-oral"),
        ("duloxetine_on_record", "duloxetine"),
        ("tca_on_record", "tca"),
    ],
)
@pytest.mark.parametrize(("words", "order", "expected"), ENDED, ids=[e[0] for e in ENDED])
def test_on_record(
    name: str, value_set: str, words: str, order: dict[str, Any], expected: str
) -> None:
    """A short course that ended over 28 days ago may be offered again; a real one may not."""
    authored = {"authored": None} if "authored" in order else {}
    days = {k: v for k, v in order.items() if k != "authored"}
    given = replace(drug(value_set, dosages=(daily(60),), **days), **authored)  # type: ignore[arg-type]

    assert answer(name, given) == expected, words


def test_on_record_unread() -> None:
    """Nothing found is a no only when the medications were read."""
    names = (
        *("oral_nsaid_on_record", "duloxetine_on_record", "tca_on_record"),
        *("muscle_relaxant_28d_on_record", "muscle_relaxant_active", "topical_nsaid_3_days"),
    )

    assert {answer(name) for name in names} == {"no"}
    assert {answer(name, unread=("medications",)) for name in names} == {"unknown"}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("nsaid_step_done", ("medications", "allergies", "conditions", "observations")),
        ("duloxetine_failed", ("medications", "allergies")),
        ("drug_step_inadequate", ("medications", "allergies", "conditions")),
        (
            "duloxetine_or_tramadol_step_done",
            ("medications", "allergies", "conditions", "observations"),
        ),
    ],
)
def test_steps_unread(name: str, keys: tuple[str, ...]) -> None:
    """A step is not done only when all it rests on was read."""
    assert set(keys) == set(VOCABULARY[name].read_from)
    assert [answer(name, unread=(key,)) for key in keys] == ["unknown"] * len(keys)


def test_low_dose_aspirin_is_not_on_record() -> None:
    """Aspirin is an NSAID on record only above 325 mg a day that can be read."""
    doses = [drug("aspirin-low", days=5, dosages=(daily(mg),)) for mg in (324, 325, 326)]

    assert [answer("oral_nsaid_on_record", order) for order in doses] == ["no", "no", "yes"]
    assert answer("oral_nsaid_on_record", drug("aspirin-analgesic", days=5)) == "no"


# Other drugs


@pytest.mark.parametrize(("days", "expected"), [(20, "yes"), (41, "yes"), (42, "yes"), (43, "no")])
def test_muscle_relaxant_on_record(days: int, expected: str) -> None:
    """A relaxant of 14 days is on record until 28 days after its end."""
    order = drug("skeletal-muscle-relaxant", days=days, supply=14, status="completed")

    assert answer("muscle_relaxant_28d_on_record", order) == expected


@pytest.mark.parametrize(("days", "expected"), [(13, "yes"), (14, "yes"), (15, "no")])
def test_muscle_relaxant_active(days: int, expected: str) -> None:
    """A relaxant is active while its supply lasts; a stopped or drafted one is not."""
    order = drug("skeletal-muscle-relaxant", days=days, supply=14)

    assert answer("muscle_relaxant_active", order) == expected
    assert answer("muscle_relaxant_active", replace(order, status="stopped")) == "no"
    assert answer("muscle_relaxant_active", draft=drug("x", days=0), drafts=(order,)) == "no"


@pytest.mark.parametrize(
    ("days", "expected"),
    [(2, "no"), (3, "yes"), (4, "yes"), (27, "yes"), (28, "yes"), (29, "no")],
)
def test_topical_nsaid(days: int, expected: str) -> None:
    """A topical NSAID counts as tried from the third day, for four weeks from its start."""
    assert answer("topical_nsaid_3_days", drug("nsaid-topical", days=days)) == expected
    assert answer("topical_nsaid_3_days", on_skin(drug("nsaid-oral", days=days))) == expected
    assert answer("topical_nsaid_3_days", drug("nsaid-oral", days=days)) == "no"


def test_topical_nsaid_of_an_unknown_day() -> None:
    """A start between two and five days ago is open."""
    open_start = When(ago(5).earliest, ago(2).latest, "2026-02")
    order = replace(drug("nsaid-topical", days=1), authored=open_start)

    assert answer("topical_nsaid_3_days", order) == "unknown"


ACTIVE = [
    ("topical_analgesic_active", "nsaid-topical"),
    ("topical_analgesic_active", "lidocaine-topical"),
    ("acetaminophen_active", "acetaminophen"),
]


@pytest.mark.parametrize(("name", "value_set"), ACTIVE)
def test_active_or_drafted(name: str, value_set: str) -> None:
    """A drug counts while its supply lasts, or as another draft of the call."""
    days = [drug(value_set, days=d, supply=10) for d in (9, 10, 11)]

    assert [answer(name, order) for order in days] == ["yes", "yes", "no"]
    assert answer(name, draft=drug("x", days=0), drafts=(days[0],)) == "yes"
    assert answer(name, draft=days[0]) == "no"
    assert answer(name, unread=("medications",)) == "unknown"
