"""What is worked out once serves several drafts, and tells no two of them the same by mistake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cards.answer import Finding
from cards.case import FACTS, Case
from cards.dose import daily_dose
from cards.facts.order_dose import TRAMADOL
from cards.library import load_library
from cards.supply import coverage_window
from tests.charts import ago, chart, drug, low_back_pain, referral
from tests.dosed_orders import ordered, take
from tests.generated_care import drafts, signed, views_under_care
from tests.generated_hazards import drugs_ordered
from tests.generated_records import TODAY, law
from tests.reading import reading

LIBRARY = load_library()
orders = st.lists(st.one_of(drugs_ordered(), drafts()), min_size=2, max_size=4)
calls_with_several_orders = st.builds(signed, views_under_care(), orders)
TRAMADOL_50_MG = "835603"


@law(100)
@given(calls_with_several_orders)
def test_each_order_of_a_call_is_answered_as_if_it_were_asked_about_alone(
    request: dict[str, Any],
) -> None:
    """No answer about one order of a call is taken over from another order."""
    record = reading(request, TODAY, LIBRARY).record
    call = Case(record, TODAY, factors=LIBRARY.mme_factors)
    together = [_answers(call.about(draft)) for draft in record.drafts]
    alone = [_answered_alone(request, place) for place in range(len(record.drafts))]

    assert alone == together


def _answered_alone(request: dict[str, Any], place: int) -> dict[str, Finding]:
    record = reading(request, TODAY, LIBRARY).record
    return _answers(Case(record, TODAY, record.drafts[place], LIBRARY.mme_factors))


def _answers(case: Case) -> dict[str, Finding]:
    return {name: question(case) for name, question in FACTS.items()}


def test_care_drafted_beside_an_order_counts_for_that_order_alone() -> None:
    """Massage ordered together with exercise is on record for the exercise, not for itself."""
    massage = referral("massage", "passive-modality", days=0)
    call = chart(draft=massage, drafts=(referral("exercise-therapy", days=0),))
    asked = [call.about(draft) for draft in call.record.drafts]
    answers = [FACTS["passive_on_record_84d"](case).answer.value for case in asked]

    assert answers == ["no", "yes"]


def test_another_record_is_answered_anew() -> None:
    """Back pain that is taken off the list is not remembered from the list as it was."""
    listed = chart(low_back_pain(recorded=ago(10)))
    before = FACTS["back_pain_problem"](listed).answer.value
    cleared = listed.of(replace(listed.record, conditions=()), None)

    assert (before, FACTS["back_pain_problem"](cleared).answer.value) == ("yes", "no")


def test_a_changed_dose_is_read_anew() -> None:
    """An order whose dose or supply is changed does not keep what was read of it before."""
    once = ordered(TRAMADOL_50_MG, take(1, times=2), of="tramadol", supply=10)
    before = daily_dose(once, TRAMADOL), coverage_window(once)
    twice = replace(once, dosages=(take(2, times=2),), supply_days=20)
    doses = [dose.mg_per_day for dose in (before[0], daily_dose(twice, TRAMADOL)) if dose]
    days = [(w[1] - w[0]).days for w in (before[1], coverage_window(twice)) if w]

    assert (doses, days) == ([100, 200], [10, 20])


def test_what_was_worked_out_makes_no_two_orders_different() -> None:
    """One order read twice is one order, however much has been asked about it."""
    asked, unasked = (drug("opioid", days=3, supply=7) for _ in range(2))
    coverage_window(asked)

    assert (asked, hash(asked)) == (unasked, hash(unasked))
    assert "worked" not in repr(asked)
