"""The sheet a patient takes home: plain, true to the content, and silent where it would not fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from cards.library import Library
from service.hooks import judge, service_of_hook
from service.pages.handout import (
    AT_ONCE,
    DOES_NOT_HELP,
    HELPS,
    OUTLOOK,
    SOON,
    Handout,
    Line,
    handout,
)
from tests.conftest import A_DAY, bundle, call, patient

LINES = (*OUTLOOK, *HELPS, *DOES_NOT_HELP, *AT_ONCE, *SOON)
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
LOW_BACK, MID_BACK = "M54.50", "M54.6"
READABLE_GRADE = 8.0

Given = Callable[..., Handout]


@pytest.fixture
def given(library: Library) -> Given:
    """What a patient with these problems is given."""

    def told(*problems: dict[str, Any], unread: str = "", **members: Any) -> Handout:
        request = call()
        request["prefetch"].pop(unread, None)
        request["prefetch"]["conditions"] = bundle(*problems)
        request["prefetch"]["patient"] = patient(**members)
        found = judge(request, service_of_hook("patient-view"), library, A_DAY)
        return handout(found.advice, library)

    return told


def problem(code: str, days: int, **members: Any) -> dict[str, Any]:
    """An active problem that began so many days ago."""
    day = (A_DAY - timedelta(days=days)).isoformat()
    return {
        "resourceType": "Condition",
        "id": f"c-{code}-{days}",
        "subject": {"reference": "Patient/pat-1"},
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": ICD, "code": code}]},
        "onsetDateTime": day,
        "recordedDate": day,
        **members,
    }


def _all(sheet: Handout) -> str:
    return " ".join((*sheet.outlook, *sheet.helps, *sheet.does_not_help))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.text[:40])
def test_every_line_is_carried_by_a_recommendation(line: Line, library: Library) -> None:
    """Nothing is told to patients that the content does not hold."""
    assert line.carried_by
    assert [name for name in line.carried_by if name not in library.recommendations] == []


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.text[:40])
def test_no_line_names_a_dose_or_promises_anything(line: Line) -> None:
    """A sheet is no prescription, and nobody knows how it will go for one person."""
    assert re.search(r"\d|\bmg\b|\btablets?\b", line.text) is None
    assert re.search(r"\b(will (heal|help|cure)|always|guarantee|safe)\b", line.text) is None


def test_it_can_be_read_after_eight_years_of_school() -> None:
    """The reading level by Flesch and Kincaid; what a sentence of it says need not be simple."""
    text = " ".join(line.text if line.text.endswith(".") else f"{line.text}." for line in LINES)

    assert _grade(text) < READABLE_GRADE
    assert max(len(re.findall(r"[\w'-]+", sentence)) for sentence in _sentences(text)) <= 27


def _sentences(text: str) -> list[str]:
    return [one for one in re.split(r"[.:;]\s*", text) if one]


def _grade(text: str) -> float:
    words = re.findall(r"[A-Za-z'-]+", text)
    syllables = sum(_syllables(word.lower()) for word in words)
    return 0.39 * len(words) / len(_sentences(text)) + 11.8 * syllables / len(words) - 15.59


def _syllables(word: str) -> int:
    bare = word.removesuffix("e") if not word.endswith("le") else word
    return max(1, len(re.findall(r"[aeiouy]+", bare)))


def test_new_pain_is_told_how_it_usually_goes(given: Given) -> None:
    """Most episodes settle; that is said of new pain, and not of pain that has lasted."""
    new, old = given(problem(LOW_BACK, 5)), given(problem(LOW_BACK, 400))

    assert "six weeks" in _all(new)
    assert "six weeks" not in _all(old)
    assert new.pathways == ("Low back pain",)
    assert old.pathways == ("Chronic low back pain",)
    assert new.duration.startswith("new")
    assert old.duration.startswith("long-lasting")


def test_what_is_for_long_lasting_pain_is_told_then(given: Given) -> None:
    """Electric pads are advised against in long-lasting pain only, and yoga is for it."""
    new, old = given(problem(MID_BACK, 5)), given(problem(MID_BACK, 400))

    assert "TENS" in _all(old)
    assert "Yoga" in _all(old)
    assert "TENS" not in _all(new)
    assert "Yoga" not in _all(new)


@pytest.mark.parametrize(
    ("problems", "why"),
    [
        ((problem(LOW_BACK, 5), problem("G83.4", 2)), "a red flag is open"),
        ((problem(LOW_BACK, 5), problem("Z51.5", 30)), "comfort comes first"),
        ((problem("E11.9", 400),), "no back pain is on record"),
    ],
    ids=["red flag", "palliative", "no back pain"],
)
def test_the_usual_advice_is_left_out_where_it_may_not_fit(
    given: Given, problems: tuple[dict[str, Any], ...], why: str
) -> None:
    """When to get help is told to everybody; nothing soothing, and no exercise, is told here."""
    sheet = given(*problems)

    assert not sheet.fits
    assert _all(sheet) == ""
    assert len(sheet.at_once) == len(AT_ONCE)
    assert len(sheet.soon) == len(SOON)


@pytest.mark.parametrize("unread", ["observations", "medications", "procedures"])
def test_nothing_soothing_is_told_of_a_chart_read_in_part(given: Given, unread: str) -> None:
    """A fever or a steroid may stand in what was not delivered."""
    assert given(problem(LOW_BACK, 5)).fits
    assert not given(problem(LOW_BACK, 5), unread=unread).fits


def test_every_red_flag_tells_when_to_get_help(library: Library) -> None:
    """What the service warns clinicians of, patients are told to watch for."""
    told = {name for line in (*AT_ONCE, *SOON) for name in line.carried_by}
    flags = {name for name in library.recommendations if name.startswith("rf-")}

    # Age alone is for the clinician to weigh.
    assert flags - told == {"rf-malignancy-age-over-50-new-onset"}


def test_a_new_first_pain_after_fifty_is_told_no_scan_story(given: Given) -> None:
    """Where age asks for a closer look, nobody is told that a scan is not needed."""
    assert "scan" not in _all(given(problem(LOW_BACK, 5), birthDate="1960-01-01"))
    assert "scan" in _all(given(problem(LOW_BACK, 5), birthDate="1990-01-01"))


def test_numb_skin_is_told_nothing_of_heat(given: Given) -> None:
    """With loss of feeling on record, warmth is not offered."""
    numb = problem(LOW_BACK, 400), problem("G62.9", 400)

    assert "warm wrap" in _all(given(problem(LOW_BACK, 400)))
    assert "warm wrap" not in _all(given(*numb))


def test_a_patient_who_has_died_is_given_nothing_to_do(given: Given) -> None:
    """The record says so; nobody is to print advice then."""
    assert not given(problem(LOW_BACK, 5), deceasedDateTime=date(2026, 2, 1).isoformat()).fits
