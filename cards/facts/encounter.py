"""The encounter: whether the patient is in hospital or in an emergency department."""

from __future__ import annotations

from cards.answer import Finding
from cards.case import Case, fact, once_a_call
from cards.facts.entries import presence
from cards.record import Encounter

IN_PROGRESS_CLASSES = frozenset({"IMP", "ACUTE", "NONAC", "EMER"})
CONTEXT_CLASSES = IN_PROGRESS_CLASSES | {"OBSENC", "SS"}


@fact
@once_a_call
def inpatient_encounter(case: Case) -> Finding:
    """The encounter of this call, or any in progress, is an inpatient or emergency one."""
    found = [
        visit
        for visit in case.record.encounters
        if visit.class_code in CONTEXT_CLASSES and _in_hospital(visit, case)
    ]
    return presence(case, found, "encounters")


def _in_hospital(visit: Encounter, case: Case) -> bool:
    if visit.reference == case.record.encounter:
        return True
    return visit.status == "in-progress" and visit.class_code in IN_PROGRESS_CLASSES
