"""Clopidogrel, which works less beside omeprazole.

Omeprazole hinders the enzyme that activates clopidogrel; other antiplatelet drugs, and aspirin,
do not need it. Source: FDA label of clopidogrel, section 7 (CYP2C19 inhibitors).
"""

from __future__ import annotations

from cards.answer import Finding
from cards.case import Case, fact
from cards.facts.entries import possible_medications, presence
from cards.facts.other_drugs import current_drugs
from cards.record import MedicationOrder

CLOPIDOGREL = "32968"  # RxNorm ingredient
SET = "antiplatelet"


@fact
def clopidogrel_taken(case: Case) -> Finding:
    """Clopidogrel covers today, may still be taken, or is another draft of the call.

    An antiplatelet drug whose ingredient is not known may be clopidogrel, and counts.
    """
    asked = (*current_drugs(case, SET), *possible_medications(case, SET))
    return presence(case, [o for o in asked if _may_be_clopidogrel(o)], "medications")


def _may_be_clopidogrel(order: MedicationOrder) -> bool:
    return order.product is None or CLOPIDOGREL in order.product.ingredients
