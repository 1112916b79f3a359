"""How a drafted drug is to be taken: regularly or as needed, and at what time of day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.case import FACTS
from cards.record import NOTHING, Dosage, MedicationOrder, Quantity, Timing
from cards.timing import times_per_day
from tests.charts import chart, drug, referral
from tests.test_patient_record import medication

REGULAR, OUTSIDE = "acetaminophen_regular", "amitriptyline_not_bedtime"
DAILY = Timing(frequency=1, period=1, period_unit="d")
EVERY_6_HOURS = Timing(frequency=1, period=6, period_unit="h")


def answer(name: str, *entries: object, **members: object) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


def regular(*dosages: Dosage, **members: Any) -> str:
    return answer(REGULAR, draft=drug("acetaminophen", days=0, dosages=dosages, **members))


def outside(*timings: Timing | None) -> str:
    dosages = tuple(Dosage(timing=timing) for timing in timings)
    return answer(OUTSIDE, draft=drug("tca", "amitriptyline", days=0, dosages=dosages))


# Acetaminophen

SCHEDULED = Dosage(timing=EVERY_6_HOURS, dose=Quantity(650, "mg"))
AS_NEEDED = replace(SCHEDULED, as_needed=True)


@pytest.mark.parametrize(("days", "expected"), [(13, "no"), (14, "no"), (15, "yes")])
def test_as_needed_for_days(days: int, expected: str) -> None:
    """Taken as needed it is regular only when one fill lasts more than 14 days."""
    assert regular(AS_NEEDED, supply=days) == expected
    assert regular(AS_NEEDED, supply=days, repeats=3) == expected


def test_scheduled() -> None:
    """A schedule is regular use, however short, also beside doses as needed."""
    assert regular(SCHEDULED, supply=3) == "yes"
    assert regular(AS_NEEDED, SCHEDULED) == "yes"


def test_unreadable_dosing() -> None:
    """Without a dosing that can be read, or without days for doses as needed, it stays open."""
    in_words = Dosage(dose=Quantity(650, "mg"))

    assert regular(supply=5) == "unknown"
    assert regular(in_words, supply=5) == "unknown"
    assert regular(AS_NEEDED, in_words, supply=5) == "unknown"
    assert regular(AS_NEEDED) == "unknown"
    assert regular(in_words, supply=15) == "yes"


def test_supply_derived_from_quantity() -> None:
    """Sixty tablets at four a day last 15 days, fifty-six 14."""
    tablets = replace(AS_NEEDED, dose=Quantity(1, "{tbl}"))

    assert regular(tablets, quantity=Quantity(60, "{tbl}")) == "yes"
    assert regular(tablets, quantity=Quantity(56, "{tbl}")) == "no"


@pytest.mark.parametrize(("name", "value_set"), [(REGULAR, "acetaminophen"), (OUTSIDE, "tca")])
def test_another_draft(name: str, value_set: str) -> None:
    """Another drug or no draft is a no; a draft that cannot be read is open."""
    dosages = (Dosage(timing=Timing(code="BID"), dose=Quantity(1, "mg")),)
    other = drug("nsaid-oral", days=0, dosages=dosages, supply=90)

    assert answer(name, draft=other) == answer(name) == "no"
    assert answer(name, replace(other, status="active")) == "no"
    assert answer(name, draft=replace(other, drug=NOTHING)) == "unknown"
    assert answer(name, draft=referral("x")) == "no"


# Amitriptyline

TIMINGS = [
    ("at bedtime", Timing(when=("HS",)), "no"),
    ("in the evening", Timing(when=("EVE",)), "no"),
    ("late in the evening", Timing(when=("EVE.late",)), "no"),
    ("at night", Timing(when=("NIGHT",)), "no"),
    ("with the evening meal", Timing(when=("CV",)), "no"),
    (
        "evening and bedtime",
        Timing(
            when=(
                "EVE",
                "HS",
            )
        ),
        "no",
    ),
    ("daily at bedtime", replace(DAILY, when=("HS",)), "no"),
    ("in the morning", Timing(when=("MORN",)), "yes"),
    ("daily in the morning", replace(DAILY, when=("MORN",)), "yes"),
    (
        "morning and bedtime",
        Timing(
            when=(
                "MORN",
                "HS",
            )
        ),
        "yes",
    ),
    ("with meals", Timing(when=("C",)), "yes"),
    ("once a day", DAILY, "no"),
    ("code QD", Timing(code="QD"), "no"),
    ("code BED", Timing(code="BED"), "no"),
    ("code QHS", Timing(code="QHS"), "no"),
    ("code AM", Timing(code="AM"), "yes"),
    ("code BID", Timing(code="BID"), "yes"),
    ("every other day", Timing(code="QOD"), "no"),
    ("twice a day", replace(DAILY, frequency=2), "yes"),
    ("once or twice a day", replace(DAILY, frequency_max=2), "yes"),
    ("three times a day", Timing(frequency=1, period=8, period_unit="h"), "yes"),
    ("one clock time", Timing(times_of_day=1), "no"),
    ("two clock times", Timing(times_of_day=2), "yes"),
    ("code nobody reads", Timing(code="NIGHTLY-LOCAL"), "unknown"),
    ("only a period of dosing", Timing(bounds_days=28), "unknown"),
    ("not structured", None, "unknown"),
]


@pytest.mark.parametrize(("words", "timing", "expected"), TIMINGS, ids=[t[0] for t in TIMINGS])
def test_time_of_day(words: str, timing: Timing | None, expected: str) -> None:
    """At bedtime, in the evening or once a day is right; another time or twice a day is not."""
    assert outside(timing) == expected, words


def test_several_dosages() -> None:
    """One dosage at another time is enough; one that cannot be read leaves the others open."""
    bedtime, noon = Timing(code="BED"), Timing(when=("NOON",))

    assert outside(bedtime, noon) == outside(None, noon) == "yes"
    assert outside(bedtime, None) == "unknown"
    assert outside() == "unknown"


def test_events_as_read() -> None:
    """The events of a FHIR timing reach the facts by their codes, and count as times a day."""
    found: MedicationOrder = medication(
        dosageInstruction=[{"timing": {"repeat": {"when": ["MORN", "HS", "HS"]}}}]
    )
    timing = found.dosages[0].timing

    assert timing is not None
    assert set(timing.when) == {"MORN", "HS"}
    assert times_per_day(timing) == 2
    assert outside(timing) == "yes"
