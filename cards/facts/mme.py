"""Opioids in morphine milligram equivalents (MME): how much of them is taken in a day, and why.

A sum to judge risk by; never a dose to aim at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cards.answer import NO, UNKNOWN, YES, ChartEntry, Finding, yes
from cards.case import Case, fact, once_a_call
from cards.dose import Dose, daily_dose, least_daily_dose
from cards.facts.drafted_drug import treats_oud
from cards.facts.entries import active_medications, belongs
from cards.markdown import with_strengths
from cards.mme import Equivalents, NotCounted, OpioidPart, Why, morphine_equivalents
from cards.record import MedicationOrder, chart_entry
from cards.total_dose import each_once, marks_of

HIGHER_MME, HIGHEST_MME = 50, 90
# Ingredient → the label's daily maximum; a dose over five times that is a slip of units.
LABEL_MAXIMA_MG = {"10689": 400.0}  # tramadol
NO_LIMIT = float("inf")
APART: dict[Why, str] = {
    "not convertible": "not converted",
    "injected": "injected, not converted",
    "treats OUD": "treats opioid use disorder, not converted",
    "no factor": "no factor in this table, left out",
    "dose not read": "dose could not be read, left out",
    "part not read": "part of its dose could not be read, left out",
    "drug not read": "product could not be read, left out",
}


@fact
def mme_50_to_89(case: Case) -> Finding:
    """All opioids together come to 50 MME a day or more, and to less than 90.

    A lower bound counts. Source: facts.yaml, term mme.
    """
    return _from_to(case, HIGHER_MME, HIGHEST_MME)


@fact
def mme_90_or_more(case: Case) -> Finding:
    """All opioids together come to 90 MME a day or more; a lower bound counts."""
    return _from_to(case, HIGHEST_MME, NO_LIMIT)


def _from_to(case: Case, least: float, below: float) -> Finding:
    """Whether the sum lies there; unknown when it is lower but only a lower bound, or unread."""
    found = opioid_equivalents(case)
    if found is None:
        return UNKNOWN
    if least <= found.total < below:
        return yes(breakdown(case, found))
    return UNKNOWN if found.total < least and _is_lower_bound(case, found) else NO


@once_a_call
def opioid_equivalents(case: Case) -> Equivalents | None:
    """The opioids that cover today and all opioid drafts of the call, each order once.

    Treatment of opioid use disorder is no pain opioid: it is named beside the sum (safety.md,
    H-32). None when no table of factors is at hand.
    """
    if case.factors is None:
        return None
    drafted = (draft.order for draft in case.record.drafts)
    drafts = [o for o in drafted if isinstance(o, MedicationOrder) and belongs(o.drug, "opioid")]
    active = active_medications(case, "opioid")
    found = morphine_equivalents(
        _for_pain(active), _for_pain(drafts), case.factors, LABEL_MAXIMA_MG
    )
    treating = [order for order in (*active, *drafts) if treats_oud(order) is YES]
    if not treating:
        return found
    apart = (NotCounted(_name(o), "treats OUD", o) for o in each_once(treating, marks_of))
    return replace(found, not_converted=(*found.not_converted, *apart))


def _for_pain(orders: Iterable[MedicationOrder]) -> tuple[MedicationOrder, ...]:
    return tuple(order for order in orders if treats_oud(order) is not YES)


def _name(order: MedicationOrder) -> str:
    return order.drug.display or (order.product.name if order.product else "")


def _is_lower_bound(case: Case, found: Equivalents) -> bool:
    return found.at_least or not case.record.read("medications")


# What the card shows of it


def breakdown(case: Case, found: Equivalents) -> tuple[ChartEntry, ...]:
    """The sum first, then what each order adds to it, then what is not in it and why."""
    counted = [_counted(order, part, found) for part in found.parts for order in part.orders]
    apart = [_apart(one) for one in (*found.not_converted, *found.left_out)]
    references = [entry.reference for entry in (*counted, *apart) if entry.reference]
    total = ChartEntry(next(iter(references), ""), _total(case, found), None, calculated=True)
    return tuple(dict.fromkeys((total, *counted, *apart)))


def _total(case: Case, found: Equivalents) -> str:
    at_least = "at least " if _is_lower_bound(case, found) else ""
    ranges = found.least < found.total
    scheduled = f" ({_number(found.least)} without as-needed doses)" if ranges else ""
    table = f", {case.factors.title} factors" if case.factors else ""
    return f"In all {at_least}{_number(found.total)} MME a day{scheduled}{table}"


def _counted(order: MedicationOrder, part: OpioidPart, found: Equivalents) -> ChartEntry:
    read = daily_dose(order, part.ingredient) or least_daily_dose(order, part.ingredient)
    dose = read or part.dose
    product = order.product
    name = _name(order) or part.name
    which = f" {part.name}" if product and len(product.ingredients) > 1 else ""
    worn = dose.mcg_per_hour
    taken = f"{_number(dose.mg_per_day)} mg{which} a day"
    amount = taken if worn is None else f"{_number(worn)} mcg/h"
    mme = (dose.mg_per_day if worn is None else worn) * part.factor
    words = f"{amount} × {_number(part.factor)} = {_range(dose, mme)}"
    derived = ", derived from quantity and days of supply" if dose.derived else ""
    return _calculated(order, name, words + derived + _in_place_of(order, found))


def _in_place_of(order: MedicationOrder, found: Equivalents) -> str:
    """What the order stands in for, by the newest day of writing; empty when for nothing."""
    replaced = [one.old for one in found.in_place if one.order == order]
    dates = [date for old in replaced if (date := chart_entry(old).date)]
    if not replaced:
        return ""
    return f", replaces the order of {max(dates)}" if dates else ", replaces an undated order"


def _range(dose: Dose, mme: float) -> str:
    if not dose.as_needed:
        return f"{_number(mme)} MME"
    least = mme * dose.scheduled_mg_per_day / dose.mg_per_day
    return f"{_number(least)}–{_number(mme)} MME as needed"


def _apart(one: NotCounted) -> ChartEntry:
    return _calculated(one.order, one.name or "an opioid", APART[one.why])


def _calculated(order: MedicationOrder, name: str, words: str) -> ChartEntry:
    """A long name is cut rather than the strengths in it or the numbers behind it."""
    plain = chart_entry(order)
    display = f"{with_strengths(name)}: {words}"
    return ChartEntry(plain.reference, display, plain.date, calculated=True)


def _number(value: float) -> str:
    return f"{round(value, 2):.10g}"
