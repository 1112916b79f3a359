"""Partner drugs: what a drug must not be doubled or combined with, told apart by ingredient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from cards.answer import UNKNOWN, Answer, ChartEntry, Finding, yes
from cards.case import Case, fact
from cards.facts.drugs import above_low_dose, drafted_drugs, on_the_skin, route_open
from cards.facts.entries import (
    absence,
    active_medications,
    belongs,
    draft_order,
    newest_of_each_drug,
    possible_medications,
    presence,
    reasons,
)
from cards.facts.ingredient import ASPIRIN, same_ordered_drug
from cards.facts.lapsed import lapsed
from cards.facts.other_drugs import Orders, current_drugs, evaluated_drug
from cards.markdown import LONGEST, with_strengths
from cards.record import MedicationOrder
from cards.supply import coverage_window, first_day

SYSTEMIC_NSAIDS = ("nsaid-oral", "nsaid-parenteral")
SEDATING_SUBJECTS = ("opioid", "cyclobenzaprine")


@fact
def two_oral_nsaids(case: Case) -> Finding:
    """Two different systemic NSAIDs are active or drafted, the draft under evaluation included.

    Aspirin counts only above 325 mg a day. An order that another takes the place of is not taken
    beside it (H-06). Two products that may or may not be one drug: unknown.
    """
    sets = (*SYSTEMIC_NSAIDS, *ASPIRIN)
    drafts = (*drafted_drugs(case, *sets), *evaluated_drug(case, *sets))
    found = _not_replaced(active_medications(case, *sets), drafts)
    nsaids = [order for order in (*found, *drafts) if _systemic_nsaid(order)]
    unsure = [order for order in nsaids if route_open(order)]
    together = _two_different(case, [o for o in nsaids if o not in unsure], unsure)
    words = f", one of {len(together.because)} NSAIDs"
    return replace(together, because=tuple(_with_words(e, words) for e in together.because))


def _with_words(entry: ChartEntry, words: str) -> ChartEntry:
    """The drug with what it counts for; a long name is cut, not its strengths nor the words."""
    return replace(entry, display=f"{with_strengths(entry.display, LONGEST - len(words))}{words}")


def _not_replaced(active: Orders, drafts: Orders) -> Orders:
    """The active orders that none names as its prior and no draft follows on.

    A draft follows on an order when it begins on or after its last day. A prior that cannot be
    read stands for the only active order.

    Source: facts.yaml, terms of two_oral_nsaids and mme; safety.md, H-06.
    """
    named = {order.prior for order in (*active, *drafts) if order.prior != order.reference}
    if len(active) == 1 and any(d.replaces_prior and d.prior is None for d in drafts):
        return ()
    return tuple(
        order
        for order in active
        if order.reference not in named and not any(_follows_on(d, order) for d in drafts)
    )


def _follows_on(draft: MedicationOrder, old: MedicationOrder) -> bool:
    start, window = first_day(draft), coverage_window(old)
    return start is not None and window is not None and start >= window[1]


def _systemic_nsaid(order: MedicationOrder) -> bool:
    if belongs(order.drug, *SYSTEMIC_NSAIDS):
        return not on_the_skin(order)
    return above_low_dose(order)


def _two_different(
    case: Case, sure: Sequence[MedicationOrder], unsure: Sequence[MedicationOrder] = ()
) -> Finding:
    """Whether two of the orders are for different drugs; unknown when they only may be."""
    each = newest_of_each_drug(sure)
    if any(same_ordered_drug(*pair) is Answer.NO for pair in combinations(each, 2)):
        return yes(reasons(each))
    pairs = combinations(newest_of_each_drug((*sure, *unsure)), 2)
    if any(same_ordered_drug(one, other) is not Answer.YES for one, other in pairs):
        return UNKNOWN
    return absence(case, "medications")


# Drugs other than the one in question


def _apart(case: Case, orders: Iterable[MedicationOrder], name: str) -> tuple[Orders, Orders]:
    """Orders of the value set for another drug than the draft, and those that only may be.

    A draft outside the value set, or of no drug, has none of its ingredients. The drug of a draft
    that cannot be read may be any.
    """
    order = draft_order(case)
    if not isinstance(order, MedicationOrder):
        return tuple(orders), ()
    if not order.drug.readable:
        return (), tuple(orders)
    if name not in order.drug.sets:
        return tuple(orders), ()
    compared = [(other, same_ordered_drug(order, other)) for other in orders]
    return (
        tuple(other for other, answer in compared if answer is Answer.NO),
        tuple(other for other, answer in compared if answer is Answer.UNKNOWN),
    )


def _other_depressants(case: Case) -> tuple[Orders, Orders]:
    """Sedating drugs other than the one in question, and those that only may be other.

    When the chart is opened, an active opioid or cyclobenzaprine is the one in question.
    """
    found = current_drugs(case, "cns-depressant")
    if draft_order(case) is None:
        return tuple(o for o in found if not belongs(o.drug, *SEDATING_SUBJECTS)), ()
    return _apart(case, found, "cns-depressant")


@fact
def cns_depressants_two(case: Case) -> Finding:
    """Two different sedating drugs are active or drafted beside the drug in question.

    Opioids are in the value set only as combinations with another sedating drug. Two products
    that may or may not be one drug, or the drug in question: unknown.
    """
    return _two_different(case, *_other_depressants(case))


@fact
def cns_depressant_other(case: Case) -> Finding:
    """A sedating drug other than the one in question is active or drafted.

    A product that may or may not be the drug in question: unknown.
    """
    sure, unsure = _other_depressants(case)
    return UNKNOWN if unsure and not sure else presence(case, sure, "medications")


@fact
def serotonergic_strong(case: Case) -> Finding:
    """A strongly serotonergic drug other than the draft is active, drafted or may still be taken.

    A product that may or may not be the drafted drug: unknown.
    """
    name = "serotonergic-strong"
    sure, unsure = _apart(case, current_drugs(case, name), name)
    if sure:
        return yes(reasons(sure))
    possible = possible_medications(_without_active(case, name), name)
    ended, unsure_ended = _apart(case, possible, name)
    if ended:
        return lapsed(case, ended)
    return UNKNOWN if unsure or unsure_ended else absence(case, "medications")


@fact
def serotonergic_weak(case: Case) -> Finding:
    """A weakly serotonergic drug other than the one in question is active or drafted.

    When the chart is opened, an active cyclobenzaprine is the one in question. A product that may
    or may not be the drafted drug: unknown.
    """
    name = "serotonergic-weak"
    found = current_drugs(case, name)
    if draft_order(case) is None:
        found = tuple(order for order in found if not belongs(order.drug, "cyclobenzaprine"))
    sure, unsure = _apart(case, found, name)
    return UNKNOWN if unsure and not sure else presence(case, sure, "medications")


def _without_active(case: Case, name: str) -> Case:
    """The case without active drugs of the set: they hide lapsed ones only of the same drug."""
    active = active_medications(case, name)
    left = tuple(order for order in case.record.medications if order not in active)
    return case.of(replace(case.record, medications=left), case.draft)
