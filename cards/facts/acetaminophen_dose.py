"""How much acetaminophen is taken in a day, from all products together."""

from __future__ import annotations

from cards.answer import Answer, Finding
from cards.case import Case, fact
from cards.facts.drafted_dose import DosedDrug, orders_drafted, over
from cards.facts.entries import active_medications
from cards.facts.order_dose import ACETAMINOPHEN
from cards.facts.orders import draft_in
from cards.facts.taken_dose import unless_unread
from cards.renewal import each_preparation_once
from cards.total_dose import totalled

LABEL_MAXIMUM_MG, AT_RISK_MG = 4000.0, 2000.0
DRUG = DosedDrug("acetaminophen", ACETAMINOPHEN, LABEL_MAXIMUM_MG)


@fact
def acetaminophen_over_4000(case: Case) -> Finding:
    """Acetaminophen is ordered, and with all that is taken and drafted exceeds 4000 mg a day."""
    return _over(case, LABEL_MAXIMUM_MG)


@fact
def acetaminophen_over_2000(case: Case) -> Finding:
    """Acetaminophen is ordered, and with all that is taken and drafted exceeds 2000 mg a day."""
    return _over(case, AT_RISK_MG)


def _over(case: Case, limit_mg: float) -> Finding:
    """Whether the sum is above the limit; unread drugs may add to a sum below it.

    A refill or a change of dose of one product counts once, different products add up.
    """
    asked = draft_in(case, DRUG.value_set)
    if asked.answer is not Answer.YES:
        return asked
    active = active_medications(case, DRUG.value_set)
    once = each_preparation_once(active, orders_drafted(case, DRUG), DRUG.ingredient)
    total = totalled(once, DRUG.ingredient, DRUG.label_maximum_mg)
    return unless_unread(case, over(total, limit_mg))
