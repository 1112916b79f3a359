"""How a proposed drug is taken and dispensed, as elements of a FHIR R4 MedicationRequest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cards.recommendation import DraftedDose, DrugDose
from cards.record import Coding

JSON = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
DISPLAYS = {"d": "days", "h": "hours", "{patch}": "patch"}
# What says how much is handed out; it would contradict a new supply.
AMOUNTS = {"quantity", "initialFill", "dispenseInterval"}


def words(dose: DrugDose | DraftedDose) -> str:
    """The whole instruction in words; of a new dose with a word on refills."""
    if isinstance(dose, DraftedDose):
        return dose.text
    told = ", ".join(step.text for step in (dose, *dose.then))
    return f"{told}, no refill" if dose.refills == 0 else told


def drug_order(dose: DrugDose) -> JSON:
    """The dosageInstruction, one entry for each step, and the dispenseRequest it leads to."""
    steps = (dose, *dose.then)
    instructions = [_instruction(step) for step in steps]
    if dose.then:
        instructions = [{"sequence": n, **step} for n, step in enumerate(instructions, start=1)]
    days = [step.days for step in steps if step.days is not None]
    dispensed = _supply(sum(days) if len(days) == len(steps) else None, dose.refills)
    return {
        "dosageInstruction": instructions,
        **({"dispenseRequest": dispensed} if dispensed else {}),
    }


def drafted_supply(dispensed: Any, dose: DraftedDose) -> JSON:
    """The draft's dispenseRequest for the new supply; who dispenses it stays."""
    stated = dispensed if isinstance(dispensed, Mapping) else {}
    kept = {name: value for name, value in stated.items() if name not in AMOUNTS}
    return {**kept, **_supply(dose.days, dose.refills)}


def _supply(days: int | None, refills: int | None) -> JSON:
    supply: JSON = {} if refills is None else {"numberOfRepeatsAllowed": refills}
    return supply if days is None else {**supply, "expectedSupplyDuration": _quantity(days, "d")}


def _instruction(step: DrugDose) -> JSON:
    instruction: JSON = {"text": step.text, "timing": {"repeat": _repeat(step)}}
    if step.as_needed:
        instruction["asNeededBoolean"] = True
    if step.route:
        instruction["route"] = {"coding": [coding(step.route)]}
    instruction["doseAndRate"] = [{"doseQuantity": _quantity(step.value, step.unit)}]
    if step.most_per_day is not None:
        instruction["maxDosePerPeriod"] = {
            "numerator": _quantity(step.most_per_day, step.unit),
            "denominator": _quantity(1, "d"),
        }
    return instruction


def _repeat(step: DrugDose) -> JSON:
    repeat = {
        "boundsDuration": None if step.days is None else _quantity(step.days, "d"),
        "duration": step.hours_on,
        "durationUnit": None if step.hours_on is None else "h",
        "frequency": step.frequency,
        "period": step.period,
        "periodMax": step.period_max,
        "periodUnit": step.period_unit,
        "when": None if step.event is None else [step.event],
    }
    return {name: value for name, value in repeat.items() if value is not None}


def _quantity(value: float, unit: str) -> JSON:
    return {"value": value, "unit": DISPLAYS.get(unit, unit), "system": UCUM, "code": unit}


def coding(code: Coding) -> JSON:
    """A code as FHIR writes it."""
    return {"system": code.system, "code": code.code, "display": code.display}
