"""What is worked out of a drug order at most once, and kept with the order as long as it lives.

Many facts ask for the dose and the cover of the same few orders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cards.record import MedicationOrder

S = TypeVar("S")
T = TypeVar("T")


def once_an_order(step: Callable[[MedicationOrder], T]) -> Callable[[MedicationOrder], T]:
    """Compute a step that rests on the order alone at most once per order."""

    def remembered(order: MedicationOrder) -> T:
        if step not in order.worked:
            order.worked[step] = step(order)
        result: T = order.worked[step]
        return result

    remembered.__doc__ = step.__doc__
    remembered.__name__ = step.__name__
    return remembered


def once_an_order_for_each(
    step: Callable[[MedicationOrder, S], T],
) -> Callable[[MedicationOrder, S], T]:
    """As ``once_an_order``, for a step about something (hashable), such as an ingredient."""

    def remembered(order: MedicationOrder, of: S) -> T:
        key = step, of
        if key not in order.worked:
            order.worked[key] = step(order, of)
        result: T = order.worked[key]
        return result

    remembered.__doc__ = step.__doc__
    remembered.__name__ = step.__name__
    return remembered
