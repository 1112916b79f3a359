"""How much acetaminophen is taken in a day, from all products together."""

from __future__ import annotations

from cards.answer import UNKNOWN, Answer, Finding
from cards.case import Case, fact
from cards.facts.drafted_dose import DosedDrug, orders_drafted, over, total_of
from cards.facts.entries import active_medications
from cards.facts.order_dose import ACETAMINOPHEN
from cards.facts.orders import draft_in

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
    """Whether the sum is above the limit; unread drugs may add to a sum below it."""
    asked = draft_in(case, DRUG.value_set)
    if asked.answer is not Answer.YES:
        return asked
    active = active_medications(case, DRUG.value_set)
    found = over(total_of(DRUG, orders_drafted(case, DRUG), active), limit_mg)
    unread = found.answer is Answer.NO and not case.record.read("medications")
    return UNKNOWN if unread else found
