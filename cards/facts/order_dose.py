"""The daily dose of one order: as a number, and as a card says it."""

from __future__ import annotations

from dataclasses import replace

from cards.answer import ChartEntry
from cards.dose import DIGITS, daily_dose, daily_dose_mg
from cards.facts.entries import shown
from cards.markdown import with_strengths
from cards.record import Dosage, MedicationOrder
from cards.timing import step
from cards.total_dose import Part, TotalDose

# RxNorm codes of the ingredients whose dose is judged.
ACETAMINOPHEN = "161"
AMITRIPTYLINE = "704"
ASPIRIN = "1191"
CELECOXIB = "140587"
CYCLOBENZAPRINE = "21949"
DICLOFENAC = "3355"
DULOXETINE = "72625"
IBUPROFEN = "5640"
NAPROXEN = "7258"
PREDNISOLONE = "8638"
PREDNISONE = "8640"
TRAMADOL = "10689"

DERIVED = "derived from quantity and days of supply"
DOSE_NOT_READ = "dose could not be read"
DAYS_SO_FAR, DAYS_ORDERED = "days covered so far", "days ordered"


def daily_mg(order: MedicationOrder, ingredient: str) -> float | None:
    """Milligrams of the ingredient a day; None when the dose cannot be read.

    A drug of a value set whose code stands for no known product is read by its milligrams only.

    Args:
        ingredient: RxNorm code of the ingredient.
    """
    if order.product is None:
        return daily_dose_mg(order, None)
    dose = daily_dose(order, ingredient)
    return dose.mg_per_day if dose else None


def of_unknown_form(order: MedicationOrder) -> bool:
    """Whether the order leaves open which form is given, so that it may release slowly."""
    return order.product is None or order.product.level == "ingredient"


def steps(order: MedicationOrder) -> tuple[MedicationOrder, ...]:
    """The order with the dosages of each of its steps alone, in turn; empty without dosages."""
    return tuple(replace(order, dosages=together) for together in dosages_in_turn(order))


def dosages_in_turn(order: MedicationOrder) -> list[tuple[Dosage, ...]]:
    """The dosages of each step of the order, those taken together as one, in turn."""
    if len(order.dosages) < 2:
        return [order.dosages] if order.dosages else []
    places = sorted({step(dosage) for dosage in order.dosages})
    return [tuple(d for d in order.dosages if step(d) == place) for place in places]


# In words


def dosed_entries(total: TotalDose) -> tuple[ChartEntry, ...]:
    """An entry for each order that adds to a total, the largest dose first; then those left out."""
    parts = sorted(total.parts, key=lambda part: (-part.dose.mg_per_day, part.order.reference))
    told = (dosed_entry(part, total) for part in parts if part.dose.mg_per_day > 0)
    if not total.left_out:
        return tuple(told)
    counted = {part.order for part in parts}
    unread = sorted(set(total.left_out) - counted, key=lambda order: order.reference)
    return (*told, *(named_entry(order, DOSE_NOT_READ) for order in unread))


def dosed_entry(part: Part, total: TotalDose, *more: str) -> ChartEntry:
    """The order with its dose: "naproxen 500 MG Oral Tablet: 1000 of at least 1500 mg a day".

    Beside others it says of how much in all; an unread order beside makes that a lower bound.

    Args:
        more: further words about the order.

    Source: safety.md, H-11.
    """
    told = (_amount(part, total), DERIVED if part.dose.derived else "", *more)
    return named_entry(part.order, ", ".join(words for words in told if words))


def named_entry(order: MedicationOrder, words: str) -> ChartEntry:
    """The order with words about its dose; a long name is cut, not its strengths nor the words."""
    plain = shown(order)
    name = plain.display or (order.product.name if order.product else "drug")
    display = f"{with_strengths(name)}: {words}"
    return ChartEntry(plain.reference, display, plain.date, calculated=True)


def days_entry(order: MedicationOrder, days: float, words: str) -> ChartEntry:
    """The order with days of supply: "cyclobenzaprine 10 MG Oral Tablet: 14 days ordered".

    Args:
        words: ``DAYS_SO_FAR`` or ``DAYS_ORDERED``.
    """
    return named_entry(order, f"{number(days)} {words}")


def says_dose(entry: ChartEntry) -> bool:
    """Whether a calculated entry is about a dose, rather than about days of supply."""
    return entry.calculated and not entry.display.endswith((DAYS_SO_FAR, DAYS_ORDERED))


def _amount(part: Part, total: TotalDose) -> str:
    most = "up to " if part.dose.as_needed else ""
    mine = number(part.dose.mg_per_day)
    if len(total.parts) == 1:
        return f"{'at least ' if total.at_least else most}{mine} mg a day"
    in_all = f"{'at least ' if total.at_least else ''}{number(total.dose.mg_per_day)}"
    return f"{most}{mine} of {in_all} mg a day"


def number(value: float) -> str:
    """A number as a card writes it, to one place behind the point."""
    return f"{round(round(value, DIGITS), 1):.1f}".removesuffix(".0")
