"""The call: which hook it is, and how much of the chart it delivered."""

from __future__ import annotations

from cards.answer import NO, YES, Finding
from cards.case import Case, fact

RED_FLAG_SOURCES = ("conditions", "observations", "medications", "procedures")


@fact
def hook_is_patient_view(case: Case) -> Finding:
    """The chart was opened."""
    return YES if case.record.hook == "patient-view" else NO


@fact
def hook_is_order(case: Case) -> Finding:
    """An order is being selected or signed."""
    return YES if case.record.hook in ("order-select", "order-sign") else NO


@fact
def conditions_incomplete(case: Case) -> Finding:
    """Conditions were not read to the end."""
    return NO if case.record.read("conditions") else YES


@fact
def allergies_unread(case: Case) -> Finding:
    """Allergies were not read to the end."""
    return NO if case.record.read("allergies") else YES


@fact
def red_flag_data_incomplete(case: Case) -> Finding:
    """One of the four sources of red flags was not read to the end."""
    return NO if case.record.read(*RED_FLAG_SOURCES) else YES
