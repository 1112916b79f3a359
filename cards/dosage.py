"""How a proposed drug is taken and dispensed, as elements of a FHIR R4 MedicationRequest."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import Any

from cards.recommendation import DraftedDose, DrugDose
from cards.record import Coding, Dosage, MedicationOrder, Quantity, Timing
from cards.supply import supply_days, supply_days_with_refills
from cards.timing import bounded_days, dosing_days, step

JSON = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
DISPLAYS = {"d": "days", "h": "hours", "{patch}": "patch"}
# What says how much is handed out or taken; it would contradict a new supply.
AMOUNTS = {
    "quantity",
    "initialFill",
    "dispenseInterval",
    "expectedSupplyDuration",
    "numberOfRepeatsAllowed",
}
COUNTS = {"count", "countMax"}
BOUNDS = {"boundsDuration", "boundsRange", "boundsPeriod"}


def words(dose: DrugDose | DraftedDose) -> str:
    """The whole instruction in words; of a new dose with a word on refills."""
    if isinstance(dose, DraftedDose):
        return dose.text
    told = ", ".join(part.text for part in (dose, *dose.then))
    if dose.supply_days is not None:
        told += f", supply for {dose.supply_days} days"
    return f"{told}, no refill" if dose.refills == 0 else told


def drug_order(dose: DrugDose) -> JSON:
    """The dosageInstruction, one entry for each step, and the dispenseRequest it leads to."""
    steps = (dose, *dose.then)
    instructions = [_instruction(part) for part in steps]
    if dose.then:
        instructions = [{"sequence": n, **each} for n, each in enumerate(instructions, start=1)]
    dispensed = _supply(days_dispensed(dose), dose.refills)
    return {
        "dosageInstruction": instructions,
        **({"dispenseRequest": dispensed} if dispensed else {}),
    }


def days_dispensed(dose: DrugDose) -> int | None:
    """Days of supply a dose states: its own, else those of all its steps together."""
    if dose.supply_days is not None:
        return dose.supply_days
    days = [part.days for part in (dose, *dose.then) if part.days is not None]
    return sum(days) if len(days) == 1 + len(dose.then) else None


def beside(dose: DrugDose, draft: MedicationOrder) -> DrugDose:
    """The dose dispensed for as long as the draft it accompanies, where that is known."""
    most, days = dose.as_long_as_draft_up_to, supply_days_with_refills(draft)
    if most is None or days is None:
        return dose
    return replace(dose, supply_days=min(ceil(days), most))


def read_back(dose: DrugDose) -> tuple[Dosage, ...]:
    """The instructions of a dose as a record would hold them."""
    numbers: Sequence[int | None] = range(1, len(dose.then) + 2) if dose.then else (None,)
    return tuple(
        Dosage(
            sequence=number,
            as_needed=part.as_needed,
            timing=_timing(part),
            dose=Quantity(part.value, part.unit),
            max_per_period=None
            if part.most_per_day is None
            else (Quantity(part.most_per_day, part.unit), Quantity(1, "d")),
        )
        for number, part in zip(numbers, (dose, *dose.then), strict=True)
    )


def _timing(part: DrugDose) -> Timing | None:
    timing = Timing(
        frequency=part.frequency,
        period=part.period,
        period_max=part.period_max,
        period_unit=part.period_unit,
        when=() if part.event is None else (part.event,),
        bounds_days=part.days,
    )
    return None if timing == Timing() else timing


def as_drafted_in_days(order: MedicationOrder, stated: Any) -> JSON:
    """The days of supply of a draft, to stand beside a new dose of its drug; quantity does not fit.

    Args:
        stated: the draft's ``dispenseRequest``, as sent.

    Returns:
        ``expectedSupplyDuration`` as sent, else in the whole days the draft lasts without refills;
        empty where nothing tells.
    """
    name = "expectedSupplyDuration"
    if isinstance(stated, Mapping) and order.supply_days is not None and name in stated:
        return {name: stated[name]}
    days = supply_days(order)
    return {name: _quantity(int(days), "d")} if days is not None and days >= 1 else {}


def drafted_supply(dose: DraftedDose) -> JSON:
    """The dispenseRequest members of a new supply of the drafted drug."""
    return _supply(dose.days, dose.refills)


def dispensed(drafted: Any, supply: JSON) -> JSON:
    """The draft's dispenseRequest with the new supply; who dispenses it, and when, stays."""
    stated = drafted if isinstance(drafted, Mapping) else {}
    return _without(stated, AMOUNTS) | supply


def shortened(
    instructions: Sequence[JSON], dosages: Sequence[Dosage], days: int
) -> list[JSON] | None:
    """The drafted instructions, none of them for longer than the new supply of so many days.

    None for steps taken in turn that last longer: which of them to cut is not ours to say.

    Args:
        instructions: as drafted, in FHIR's JSON.
        dosages: the same instructions, as read.
    """
    if len({step(dosage) for dosage in dosages}) > 1:
        bounded = tuple(d for d in dosages if bounded_days(d.timing) is not None)
        return None if (dosing_days(bounded) or 0) > days else list(instructions)
    return [
        _cut(instruction, dosage.timing, days)
        for instruction, dosage in zip(instructions, dosages, strict=True)
    ]


def _cut(instruction: JSON, timing: Timing | None, days: int) -> JSON:
    """An instruction that ends with the supply; one that ends before, or states no end, stays."""
    timed = instruction.get("timing")
    repeat = timed.get("repeat") if isinstance(timed, Mapping) else None
    if timing is None or not isinstance(timed, Mapping) or not isinstance(repeat, Mapping):
        return instruction
    kept = _without(repeat, COUNTS)
    length = bounded_days(timing)
    if BOUNDS & set(kept) and (length is None or length > days):
        kept = _bounds(repeat, timing, days) | _without(kept, BOUNDS)
    return {**instruction, "timing": {**timed, "repeat": kept}}


def _bounds(repeat: Mapping[str, Any], timing: Timing, days: int) -> JSON:
    """The new bounds: a period that began on a known day still begins on it."""
    start = timing.bounds_start
    if start is None or start.earliest != start.latest:
        return {"boundsDuration": _quantity(days, "d")}
    last = start.earliest + timedelta(days=days - 1)
    return {"boundsPeriod": {**repeat["boundsPeriod"], "end": last.isoformat()}}


def _without(members: Mapping[str, Any], names: Collection[str]) -> JSON:
    return {name: value for name, value in members.items() if name not in names}


def _supply(days: int | None, refills: int | None) -> JSON:
    supply: JSON = {} if refills is None else {"numberOfRepeatsAllowed": refills}
    return supply if days is None else {**supply, "expectedSupplyDuration": _quantity(days, "d")}


def _instruction(part: DrugDose) -> JSON:
    instruction: JSON = {"text": part.text}
    if repeat := _repeat(part):
        instruction["timing"] = {"repeat": repeat}
    if part.as_needed_for:
        instruction["asNeededCodeableConcept"] = {"text": part.as_needed_for}
    elif part.as_needed:
        instruction["asNeededBoolean"] = True
    if part.route:
        instruction["route"] = {"coding": [coding(part.route)]}
    instruction["doseAndRate"] = [{"doseQuantity": _quantity(part.value, part.unit)}]
    if part.most_per_day is not None:
        instruction["maxDosePerPeriod"] = {
            "numerator": _quantity(part.most_per_day, part.unit),
            "denominator": _quantity(1, "d"),
        }
    return instruction


def _repeat(part: DrugDose) -> JSON:
    repeat = {
        "boundsDuration": None if part.days is None else _quantity(part.days, "d"),
        "duration": part.hours_on,
        "durationUnit": None if part.hours_on is None else "h",
        "frequency": part.frequency,
        "period": part.period,
        "periodMax": part.period_max,
        "periodUnit": part.period_unit,
        "when": None if part.event is None else [part.event],
    }
    return {name: value for name, value in repeat.items() if value is not None}


def _quantity(value: float, unit: str) -> JSON:
    return {"value": value, "unit": DISPLAYS.get(unit, unit), "system": UCUM, "code": unit}


def coding(code: Coding) -> JSON:
    """A code as FHIR writes it."""
    return {"system": code.system, "code": code.code, "display": code.display}
