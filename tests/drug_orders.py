"""Short ways to write a drug order in a test: FHIR elements, read as the service reads them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from cards.codes import CodeIndex
from cards.product import Product, Strength
from cards.record import MedicationOrder
from service.patient_record.chart import Chart
from service.patient_record.dates import when
from service.patient_record.medication_request import read_medication

JSON = dict[str, Any]
CHART = Chart("p", CodeIndex({}, {}), date(2026, 6, 15), None, {})
CODES = {
    "acetaminophen": "161",
    "buprenorphine": "1819",
    "butorphanol": "1841",
    "codeine": "2670",
    "dihydrocodeine": "23088",
    "fentanyl": "4337",
    "hydrocodone": "5489",
    "hydromorphone": "3423",
    "ibuprofen": "5640",
    "methadone": "6813",
    "morphine": "7052",
    "naloxone": "7242",
    "naproxen": "7258",
    "oxycodone": "7804",
    "oxymorphone": "7814",
    "tapentadol": "787390",
    "tramadol": "10689",
}


def product(
    name: str, *strengths: tuple[str, float, str], route: str = "oral", level: str = "product"
) -> Product:
    """A product under RxNorm's name for it, which, written in one, stands for its code."""
    parts = tuple(Strength(CODES.get(n, n), n, value, unit) for n, value, unit in strengths)
    return Product(name.replace(" ", "-"), name, level, parts, "", route)


def tablet(name: str, mg: float) -> Product:
    """A tablet of one ingredient."""
    return product(f"{name} {mg:g} MG Oral Tablet", (name, mg, "MG"))


def solution(name: str, mg_per_ml: float) -> Product:
    """A liquid to drink."""
    return product(f"{name} {mg_per_ml:g} MG/ML Oral Solution", (name, mg_per_ml, "MG/ML"))


def patch(name: str, mcg_per_hour: float, hours: int = 72) -> Product:
    """A patch, which RxNorm names by the hours it lasts."""
    strength = mcg_per_hour / 1000
    full = f"{hours} HR {name} {strength:g} MG/HR Transdermal System"
    return product(full, (name, strength, "MG/HR"), route="transdermal")


def ingredient(*names: str, route: str = "") -> Product:
    """A drug ordered by its ingredients only."""
    parts = tuple(Strength(CODES.get(name, name), name) for name in names)
    return Product("/".join(names), " / ".join(names), "ingredient", parts, "", route)


def amount(value: float, unit: str | None = None) -> JSON:
    """A Quantity with its UCUM code, or without a unit."""
    return {"value": value, **({"code": unit} if unit else {})}


def every(frequency: float | None = None, period: float | None = 1, **repeat: Any) -> JSON:
    """A timing by frequency and period, in days unless it says otherwise."""
    stated = {"frequency": frequency, "period": period, "periodUnit": "d", **repeat}
    return {"repeat": {name: value for name, value in stated.items() if value is not None}}


def coded(code: str, **repeat: Any) -> JSON:
    """A timing by its code, such as BID."""
    return {"code": {"coding": [{"code": code}]}, **({"repeat": repeat} if repeat else {})}


def at(**repeat: Any) -> JSON:
    """A timing by clock times, weekdays or events of the day."""
    return {"repeat": repeat}


def take(
    value: float | None = None, unit: str | None = None, timing: JSON | None = None, **more: Any
) -> JSON:
    """A dosageInstruction with one dose."""
    dose = {} if value is None else {"doseAndRate": [{"doseQuantity": amount(value, unit)}]}
    return {**({"timing": timing} if timing else {}), **dose, **more}


def at_most(value: float, unit: str | None, period: float = 1, period_unit: str = "d") -> JSON:
    """A maxDosePerPeriod."""
    return {"numerator": amount(value, unit), "denominator": amount(period, period_unit)}


def order(
    drug: Product | None,
    *instructions: JSON,
    quantity: float | None = None,
    unit: str | None = None,
    days: float | None = None,
    name: str = "m",
    authored: str | None = "2026-06-01",
    **elements: Any,
) -> MedicationOrder:
    """An active order for a product, read from its FHIR elements."""
    dispense: JSON = {}
    if quantity is not None:
        dispense["quantity"] = amount(quantity, unit)
    if days is not None:
        dispense["expectedSupplyDuration"] = amount(days, "d")
    resource = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "authoredOn": authored,
        "dosageInstruction": list(instructions),
        "dispenseRequest": {**dispense, **elements.pop("dispense", {})},
        "medicationCodeableConcept": {"text": drug.name if drug else "pain pills"},
        **elements,
    }
    found = read_medication(
        resource, f"MedicationRequest/{name}" if name else "", CHART, draft=True
    )
    assert isinstance(found, MedicationOrder)
    return replace(found, product=drug, authored=when(authored))
