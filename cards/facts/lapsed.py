"""Drugs that may still be taken though their supply has run out, in the words a card uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cards.answer import ChartEntry, Finding, yes
from cards.case import Case
from cards.facts.entries import absence, shown, to_be_named
from cards.markdown import LONGEST, with_strengths
from cards.record import MedicationOrder

MAY_BE_TAKEN = "may still be taking "


def lapsed(case: Case, orders: Iterable[MedicationOrder]) -> Finding:
    """Presence of drugs the patient may still take, each hedged and with its last supply."""
    found = to_be_named(orders)
    if not found:
        return absence(case, "medications")
    return yes(_hedged(order) for order in found)


def _hedged(order: MedicationOrder) -> ChartEntry:
    """The drug as the card names it: "may still be taking apixaban …, last supply on 2026-01-05".

    The supply bears the date of the order; whether refills were fetched is not on record.

    Source: safety.md, H-04.
    """
    plain = shown(order)
    held = ", on hold" if order.status == "on-hold" else ""
    words = f"{held}, {_last_supply(order)}"
    room = LONGEST - len(MAY_BE_TAKEN) - len(words)
    name = with_strengths(plain.display or (order.product.name if order.product else "drug"), room)
    return replace(plain, display=f"{MAY_BE_TAKEN}{name}{words}")


def _last_supply(order: MedicationOrder) -> str:
    if order.authored is None:
        return "date of last supply not recorded"
    refills = f" and {order.repeats} refill{'' if order.repeats == 1 else 's'}"
    return f"last supply on {order.authored.text[:10]}{refills if order.repeats else ''}"
