"""What a chart holds nothing of is answered as an empty chart answers it, and never otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given

from cards.answer import YES, Finding
from cards.case import FACTS, Case
from cards.facts.vocabulary import closure
from cards.library import Library
from cards.record import Coverage, PatientRecord
from cards.silence import MOST_KINDS, EmptyCharts, Kind
from service.prefetch import KEYS
from tests.charts import TODAY, chart, low_back_pain, pain
from tests.generated_care import calls
from tests.generated_records import STORED, Stored, back_pain_views, law
from tests.reading import reading
from tests.test_laws import LIBRARY

# What only the course of a call can tell is asked of no chart.
ASKED = [
    name
    for name in LIBRARY.vocabulary
    if all(LIBRARY.vocabulary[n].scope != "engine" for n in closure((name,), LIBRARY.vocabulary))
]
ALL_READ = frozenset((key, Coverage.READ) for key in KEYS)


def _cases(record: PatientRecord, day: date) -> list[Case]:
    case = Case(record, day, factors=LIBRARY.mme_factors)
    return [case, *(case.about(draft) for draft in record.drafts)]


def _same_answers(record: PatientRecord, day: date) -> bool:
    """Whether every fact is answered as if worked out, chart entries included."""
    for case in _cases(record, day):
        told, worked_out = LIBRARY.answers(case), LIBRARY.worked_out(case)
        if any(told(name) != worked_out(name) for name in ASKED):
            return False
    return True


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored.name)
def test_every_patient_is_answered_as_if_all_were_worked_out(stored: Stored) -> None:
    """No synthetic patient is told anything else because the chart is silent about most."""
    if "conditions" in stored.request["prefetch"]:
        assert _same_answers(reading(stored.request, stored.day, LIBRARY).record, stored.day)


@law(100)
@given(request=back_pain_views())
def test_so_is_any_chart(request: dict[str, Any]) -> None:
    """Nor are patients nobody wrote down."""
    assert _same_answers(reading(request, TODAY, LIBRARY).record, TODAY)


@law(100)
@given(request=calls())
def test_so_is_any_order(request: dict[str, Any]) -> None:
    """Nor is anybody something is ordered for."""
    assert _same_answers(reading(request, TODAY, LIBRARY).record, TODAY)


def test_an_unread_key_is_not_taken_for_a_read_one(library: Library) -> None:
    """Of cancer nobody delivered nothing is known; of a list without cancer, that it is not."""
    read, unread = chart(), chart(unread=("conditions",))

    assert library.answers(read)("cancer_history").answer.value == "no"
    assert library.answers(unread)("cancer_history").answer.value == "unknown"


def test_what_a_chart_holds_is_worked_out(library: Library) -> None:
    """Cancer on record is found although charts before it held none."""
    with_cancer = chart(low_back_pain(), pain("malignant-neoplasm"))

    assert library.answers(chart(low_back_pain()))("cancer_history").answer.value == "no"
    assert library.answers(with_cancer)("cancer_history").answer.value == "yes"


def test_silence_is_not_worked_out_again(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once an empty chart was asked, no chart without cancer asks the fact."""
    library = replace(library)
    library.answers(chart(low_back_pain()))("cancer_history")
    asked: list[Case] = []

    def ask(case: Case) -> Finding:
        asked.append(case)
        return YES

    monkeypatch.setitem(FACTS, "cancer_history", ask)

    library.answers(chart(low_back_pain()))("cancer_history")
    assert not asked
    library.answers(chart(low_back_pain(), pain("malignant-neoplasm")))("cancer_history")
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["age_65_or_over", "not_eligible", "age_unknown"])
def test_a_fact_that_looks_at_the_person_has_no_silence(library: Library, name: str) -> None:
    """An empty chart tells nothing about somebody's age."""
    empty = library.empty_charts.like(chart(low_back_pain()))

    assert empty["cancer_history"] is not None
    assert empty[name] is None


def test_a_silent_trigger_is_ruled_out(library: Library) -> None:
    """Opioid cards are out of question where nothing holds an opioid."""
    answers = library.answers(chart(low_back_pain()))

    assert answers.rules_out("opioid-benzodiazepine-cns")
    assert not answers.rules_out("nonpharm-first-line-not-started")
    assert not library.worked_out(chart(low_back_pain())).rules_out("opioid-benzodiazepine-cns")


def test_what_is_remembered_holds_nothing_of_a_patient(library: Library) -> None:
    """Only how much was delivered tells one empty chart from another."""
    remembered = library.empty_charts.like(chart(low_back_pain()))

    assert remembered is library.empty_charts.like(chart(pain("malignant-neoplasm")))
    assert remembered is not library.empty_charts.like(chart(unread=("observations",)))


def test_few_kinds_of_chart_are_remembered() -> None:
    """A client that delivers in ever new ways does not fill the memory."""
    charts = EmptyCharts(None, {}, LIBRARY.worked_out)
    for number in range(MOST_KINDS + 5):
        case = chart()
        some = {key: Coverage.READ for place, key in enumerate(KEYS) if number >> place & 1}
        charts.like(replace(case, record=replace(case.record, coverage=some), memo={}))

    assert len(charts) <= MOST_KINDS


def test_a_day_nobody_looks_at_may_be_handed_on() -> None:
    """Facts hand the day on to what they find; where they find nothing it tells nothing."""
    kind = Kind("patient-view", None, ALL_READ)
    charts = EmptyCharts(LIBRARY.mme_factors, {}, LIBRARY.worked_out)
    silent = [name for name in FACTS if charts.of(kind)[name] is not None]

    assert len(silent) > len(FACTS) / 2
