"""Cyclobenzaprine: how long it is taken, and how much of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from cards.answer import NO, UNKNOWN, Answer, ChartEntry, Finding, any_of, yes
from cards.case import Case, fact
from cards.dose import Dose, amount_mg, believable, daily_dose, single_doses_mg
from cards.facts.drafted_dose import DosedDrug, orders_drafted
from cards.facts.entries import TAKEN, medications_in, reasons
from cards.facts.order_dose import (
    CYCLOBENZAPRINE,
    DAYS_ORDERED,
    DAYS_SO_FAR,
    daily_mg,
    days_entry,
    named_entry,
    number,
    of_unknown_form,
)
from cards.facts.subject_drug import cyclobenzaprine_subject, is_patient_view, subject_drugs
from cards.facts.taken_dose import drug_drafted, over_in_all
from cards.record import MedicationOrder
from cards.supply import coverage_window, supply_days_with_refills

NAME = "cyclobenzaprine"
MOST_DAYS = 21
MOST_GAP_DAYS = 7
MOST_MG_AT_ONCE = 5
MOST_MG_A_DAY = 15
LABEL_MG_AT_ONCE = 10
LABEL_MG_A_DAY = 30
DRUG = DosedDrug(NAME, CYCLOBENZAPRINE, LABEL_MG_A_DAY)

Cover = tuple[tuple[date, date], MedicationOrder]  # first and last day covered, and by what


# How long


@fact
def cyclobenzaprine_supply_over_21d(case: Case) -> Finding:
    """Cyclobenzaprine is taken, or will be with the order, for more than 21 days on end.

    A gap of up to 7 days does not end the cover. Of a drug taken only the days already elapsed
    count. Where it hangs on a supply nobody stated, a stopped order or a partial date: unknown.
    """
    subject = cyclobenzaprine_subject(case)
    if subject.answer is not Answer.YES:
        return subject
    supplied = [supply_days_with_refills(order) for order in subject_drugs(case, NAME)]
    # What is taken has its days in the cover already; an order not yet filled adds its own.
    added = 0.0 if is_patient_view(case) else sum(days for days in supplied if days is not None)
    cover = _sure_cover(case)
    elapsed = _days_elapsed(case.today, cover)
    if elapsed + added > MOST_DAYS:
        entries = reasons(order for _, order in cover)
        days = _days_told(case, cover, elapsed)
        return yes(dict.fromkeys((*days, *subject.because, *entries)))
    if None in supplied or not case.record.read("medications"):
        return UNKNOWN
    possible = _days_elapsed(case.today, _possible_cover(case)) + added
    return NO if possible <= MOST_DAYS and not _undated(case) else UNKNOWN


def _days_told(case: Case, cover: list[Cover], elapsed: int) -> list[ChartEntry]:
    """The days covered so far, since the first order of the cover, and those ordered."""
    so_far = [days_entry(cover[0][1], elapsed, DAYS_SO_FAR)] if elapsed else []
    drafted = () if is_patient_view(case) else subject_drugs(case, NAME)
    supplied = ((order, supply_days_with_refills(order)) for order in drafted)
    return so_far + [days_entry(o, days, DAYS_ORDERED) for o, days in supplied if days is not None]


def _taken(case: Case) -> list[MedicationOrder]:
    return [order for order in medications_in(case, NAME) if order.status in TAKEN]


def _undated(case: Case) -> bool:
    """Whether an order under way bears no date, so that it may have begun at any time."""
    return any(o.status == "active" and coverage_window(o) is None for o in _taken(case))


def _possible_cover(case: Case) -> list[Cover]:
    """The cover that may reach today: stopped orders, partial dates and assumed supplies count."""
    return _unbroken(case.today, _taken(case))


def _sure_cover(case: Case) -> list[Cover]:
    """The cover that reaches today for sure: full dates, known supplies, and nothing stopped."""
    sure = (order for order in _taken(case) if order.status != "stopped" and _fully_dated(order))
    return _unbroken(case.today, [o for o in sure if supply_days_with_refills(o) is not None])


def _fully_dated(order: MedicationOrder) -> bool:
    return order.authored is not None and order.authored.earliest == order.authored.latest


def _unbroken(today: date, orders: Iterable[MedicationOrder]) -> list[Cover]:
    """The orders of the unbroken cover that reaches today, the first to begin first."""
    windows = [(window, o) for o in orders if (window := coverage_window(_with_supply(o)))]
    found: list[Cover] = []
    for window, order in sorted(windows, key=lambda pair: (pair[0], pair[1].reference)):
        if window[0] > today:
            continue
        if found and (window[0] - _last_day(found)).days > MOST_GAP_DAYS:
            found = []
        found.append((window, order))
    return found if found and (today - _last_day(found)).days <= MOST_GAP_DAYS else []


def _last_day(cover: list[Cover]) -> date:
    return max(end for (_, end), _ in cover)


def _days_elapsed(today: date, cover: list[Cover]) -> int:
    return (today - cover[0][0][0]).days if cover else 0


def _with_supply(order: MedicationOrder) -> MedicationOrder:
    """The order with its derived supply stated, which then tells its cover."""
    supply = supply_days_with_refills(order)
    if supply is None or order.authored is None:
        return order
    return replace(order, supply_days=supply, repeats=0, validity_end=None)


# How much


@fact
def cyclobenzaprine_over_5mg_or_er(case: Case) -> Finding:
    """More than 5 mg at once or 15 mg a day, or a product of extended release."""
    subject = cyclobenzaprine_subject(case)
    if subject.answer is not Answer.YES:
        return subject
    drugs = subject_drugs(case, NAME)
    over = [order for order in drugs if _over_limit(order) is Answer.YES]
    if over:
        return yes(reasons(over))
    unread = any(_over_limit(order) is Answer.UNKNOWN for order in drugs)
    return UNKNOWN if unread or not drugs else NO


def _over_limit(order: MedicationOrder) -> Answer:
    if order.product and order.product.extended_release:
        return Answer.YES
    at_once, a_day = _single_doses_mg(order), daily_mg(order, CYCLOBENZAPRINE)
    highest = max((dose for dose in at_once if dose is not None), default=0.0)
    if highest > MOST_MG_AT_ONCE or (a_day or 0.0) > MOST_MG_A_DAY:
        return Answer.YES
    return Answer.UNKNOWN if a_day is None or None in at_once else Answer.NO


def _single_doses_mg(order: MedicationOrder) -> list[float | None]:
    """What each dosage takes at once, in milligrams; None for one not read, or for none at all."""
    if not order.dosages:
        return [None]
    if order.product is None:
        return [amount_mg(d.dose, None) if d.dose else None for d in order.dosages]
    return single_doses_mg(order, CYCLOBENZAPRINE)


@fact
def cyclobenzaprine_dose_unknown(case: Case) -> Finding:
    """Cyclobenzaprine is ordered or taken, and whether its dose is high cannot be read."""
    if cyclobenzaprine_subject(case).answer is not Answer.YES:
        return NO
    if cyclobenzaprine_over_5mg_or_er(case).answer is not Answer.UNKNOWN:
        return NO
    unread = [o for o in subject_drugs(case, NAME) if _over_limit(o) is Answer.UNKNOWN]
    return yes(reasons(unread))


@fact
def cyclobenzaprine_over_30mg(case: Case) -> Finding:
    """More than 30 mg a day is ordered, or more than 10 mg at once that is not released slowly.

    What is taken beside the order adds to its dose a day.
    """
    asked = drug_drafted(case, DRUG)
    if asked.answer is not Answer.YES:
        return asked
    a_day = over_in_all(case, DRUG, LABEL_MG_A_DAY)
    if a_day.answer is Answer.YES:
        return a_day
    return any_of((a_day, *(_much_at_once(order) for order in orders_drafted(case, DRUG))))


def _much_at_once(order: MedicationOrder) -> Finding:
    """Whether a dose at once is above the label's; open where the form or a dose is unread."""
    if order.product and order.product.extended_release:
        return NO
    at_once = _single_doses_mg(order)
    highest = max((dose for dose in at_once if dose is not None), default=0.0)
    if highest <= LABEL_MG_AT_ONCE:
        return UNKNOWN if None in at_once else NO
    a_day = daily_dose(order, CYCLOBENZAPRINE) or Dose(highest, 0.0)
    if of_unknown_form(order) or not believable(a_day, LABEL_MG_A_DAY):
        return UNKNOWN
    return yes([named_entry(order, f"{number(highest)} mg at once")])
