"""How much tramadol is ordered beside what is taken, how often, and in which form."""

from __future__ import annotations

from math import fsum

from cards.answer import NO, UNKNOWN, Answer, ChartEntry, Finding, any_of, yes
from cards.case import Case, fact
from cards.facts.drafted_dose import DosedDrug, is_over, orders_drafted, over, total_of
from cards.facts.order_dose import (
    TRAMADOL,
    dosages_in_turn,
    dosed_entries,
    dosed_entry,
    of_unknown_form,
)
from cards.facts.taken_dose import drug_drafted, over_in_all, total_in_all, unless_unread
from cards.record import MedicationOrder
from cards.timing import times_per_day
from cards.total_dose import Part, TotalDose
from cards.worked import once_an_order

MOST_MG, MOST_EXTENDED_MG = 400.0, 300.0
OVER_75_MG, RENAL_MG, LIVER_MG = 300.0, 200.0, 100.0
EVERY_12_HOURS = 2  # doses a day; more of them cannot all lie 12 hours apart
DRUG = DosedDrug("tramadol", TRAMADOL, MOST_MG)


@fact
def tramadol_over_max(case: Case) -> Finding:
    """More than 400 mg of tramadol a day, or more than 300 mg of it of extended release.

    What is taken beside the order adds up with it. A drug ordered without its form may be of
    extended release.
    """
    asked = drug_drafted(case, DRUG)
    if asked.answer is not Answer.YES:
        return asked
    total = total_in_all(case, DRUG)
    slow = fsum(part.dose.mg_per_day for part in total.parts if _slow(part.order))
    if slow > MOST_EXTENDED_MG:
        return yes(dosed_entries(total))
    open_form = (p for p in total.parts if of_unknown_form(p.order) and not _slow(p.order))
    maybe_slow = slow + fsum(part.dose.mg_per_day for part in open_form)
    found = unless_unread(case, over(total, MOST_MG))
    may_be = found.answer is Answer.NO and maybe_slow > MOST_EXTENDED_MG
    return UNKNOWN if may_be else found


@fact
def tramadol_over_300(case: Case) -> Finding:
    """More than 300 mg of tramadol a day is ordered, with what is taken beside it."""
    return over_in_all(case, DRUG, OVER_75_MG)


@fact
def tramadol_over_renal_limit(case: Case) -> Finding:
    """Over 200 mg of tramadol a day, less than 12 hours apart, or of extended release."""
    return _over_organ_limit(case, RENAL_MG)


@fact
def tramadol_over_liver_limit(case: Case) -> Finding:
    """Over 100 mg of tramadol a day, less than 12 hours apart, or of extended release."""
    return _over_organ_limit(case, LIVER_MG)


def _over_organ_limit(case: Case, limit_mg: float) -> Finding:
    """Whether dose, interval or form exceeds a limit; an order without readable dose is open.

    The dose is that of all that is taken, interval and form are those of the drafts.
    """
    asked = drug_drafted(case, DRUG)
    if asked.answer is not Answer.YES:
        return asked
    total = total_in_all(case, DRUG)
    drafted = total_of(DRUG, orders_drafted(case, DRUG)).parts
    exceeded = is_over(total, limit_mg)
    found = any_of([unless_unread(case, exceeded), *(_form_or_interval(part) for part in drafted)])
    return yes(_told(part, total) for part in total.parts) if found.answer is Answer.YES else found


def _form_or_interval(part: Part) -> Finding:
    times = _times_a_day(part.order)
    if _slow(part.order) or (times or 0) > EVERY_12_HOURS:
        return yes()
    return UNKNOWN if times is None or of_unknown_form(part.order) else NO


def _slow(order: MedicationOrder) -> bool:
    return order.product is not None and order.product.extended_release


@once_an_order
def _times_a_day(order: MedicationOrder) -> float | None:
    """Doses a day at most, over the dosages taken together; None when one does not say."""
    most = 0.0
    for together in dosages_in_turn(order):
        times = [times_per_day(d.timing) if d.timing else None for d in together]
        known = [number for number in times if number is not None]
        if len(known) < len(times):
            return None
        most = max(most, sum(known))
    return most or None


def _told(part: Part, total: TotalDose) -> ChartEntry:
    times = _times_a_day(part.order) or 0
    form = "extended release" if _slow(part.order) else ""
    often = "less than 12 hours apart" if times > EVERY_12_HOURS else ""
    return dosed_entry(part, total, form, often)
