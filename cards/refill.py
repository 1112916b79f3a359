"""Refills: entries of a list that go on with one course of a drug, which the newest stands for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cards.dose import daily_dose
from cards.record import MedicationOrder
from cards.supply import supply_days
from cards.worked import once_an_order, once_an_order_for_each

# Preparation, daily dose, and when it is taken.
Course = tuple[object, ...]
Preparation = tuple[object, ...]


@once_an_order
def preparation(order: MedicationOrder) -> Preparation | None:
    """Ingredients, release and route of a product, whatever its strength; None when not known."""
    product = order.product
    if product is None:
        return None
    return product.ingredients, product.extended_release, product.route


@once_an_order_for_each
def course_of(order: MedicationOrder, ingredient: str) -> Course | None:
    """What entries of one course have in common; None when product or dose is not known."""
    dose = daily_dose(order, ingredient)
    return None if dose is None else (preparation(order), dose, how_often(order))


@once_an_order
def how_often(order: MedicationOrder) -> tuple[str, ...]:
    """When its doses are taken; 10 mg in the morning and 10 mg at night are two orders."""
    taken = sorted(
        repr((t.code, t.frequency, t.period, t.period_unit, t.times_of_day, t.days_of_week, t.when))
        for dosage in order.dosages
        if (t := dosage.timing)
    )
    return tuple(taken)


def without_refilled(ranked: Sequence[MedicationOrder], ingredient: str) -> list[MedicationOrder]:
    """The orders, less those that a newer one of the same course goes on with.

    A course is one preparation in one daily dose, taken as often. Refills are written a little
    early and orders are seldom ended, so that both cover today; nobody takes both. Written within
    half a supply of each other they are no refills and add up. Without supply data an order covers
    today by assumption only, and so it is at most what the newer one says.

    Args:
        ranked: active orders, the newest first.
        ingredient: RxNorm code of the ingredient whose dose is compared.
    """
    if len(ranked) < 2:
        return list(ranked)
    newest: dict[Course, date] = {}
    kept = []
    for order in ranked:
        found = _dated_course(order, ingredient)
        if found is None or not _goes_on(order, found[1], newest.setdefault(*found)):
            kept.append(order)
    return kept


def _dated_course(order: MedicationOrder, ingredient: str) -> tuple[Course, date] | None:
    """The course of an order and the day it was written; None unless both are known in full."""
    course, when = course_of(order, ingredient), order.authored
    if course is None or when is None or when.earliest != when.latest:
        return None
    return course, when.latest


def _goes_on(old: MedicationOrder, written: date, later: date) -> bool:
    """Whether an order written later is nearer to the end of this one's supply than to its start.

    Source: safety.md, H-06.
    """
    supply = supply_days(old)
    apart = (later - written).days
    return apart > 0 and (supply is None or 2 * apart >= supply)
