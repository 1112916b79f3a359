"""Short ways to write an order with a dose in a test, for a real product by its RxNorm code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cards.answer import ChartEntry
from cards.case import FACTS
from cards.codes import RXNORM
from cards.record import Coding, Concept, Dosage, MedicationOrder, Quantity, Timing
from tests.charts import chart, drug
from tests.products import product, recognised

UNREADABLE = MedicationOrder("MedicationRequest/t", "draft", "order", Concept(display="pills"))


def answer(name: str, *entries: object, **members: object) -> str:
    """What a fact says about these entries."""
    return FACTS[name](chart(*entries, **members)).answer.value  # type: ignore[arg-type]


def because(name: str, *entries: object, **members: object) -> tuple[ChartEntry, ...]:
    """The entries a fact rests on."""
    return FACTS[name](chart(*entries, **members)).because  # type: ignore[arg-type]


def displays(name: str, *entries: object, **members: object) -> list[str]:
    """The entries a fact rests on, as a card names them."""
    return [entry.display for entry in because(name, *entries, **members)]


def ordered(
    code: str, *dosages: Dosage, of: str, days: int = 0, supply: float | None = None, **members: Any
) -> MedicationOrder:
    """An active order for a product in this value set, written so many days ago."""
    written = drug(of, days=days, supply=supply, dosages=dosages, **members)
    named = Concept((Coding(RXNORM, code),), product(code).name, {of: ""})
    return recognised(replace(written, drug=named, reference=f"MedicationRequest/{code}-{days}"))


def take(
    value: float, unit: str = "{tbl}", times: float | None = 1, *, step: int | None = None, **m: Any
) -> Dosage:
    """So much, so many times a day; None for how often: it is not stated."""
    timing = None if times is None else Timing(frequency=times, period=1, period_unit="d")
    days = m.pop("days", None)
    if timing and days:
        timing = replace(timing, bounds_days=days)
    return Dosage(sequence=step, timing=timing, dose=Quantity(value, unit), **m)


def at_most(value: float, unit: str = "mg") -> tuple[Quantity, Quantity]:
    """A maximum for one day."""
    return Quantity(value, unit), Quantity(1, "d")
