"""Quantities with UCUM units, as they are in use; a unit is never guessed from a value."""

from __future__ import annotations

import re
from typing import Any

from cards.record import Quantity
from service.patient_record.elements import Resource, number, one_object, text

UCUM = "unitsofmeasure.org"
FORMS = "orderabledrugform"  # dose forms such as TAB; their codes are used like units

# How clients spell a unit (lower-cased) → its UCUM code.
SPELLINGS = {
    "cel": "Cel",
    "c": "Cel",
    "°c": "Cel",
    "degc": "Cel",
    "deg c": "Cel",
    "celsius": "Cel",
    "degrees celsius": "Cel",
    "[degf]": "[degF]",
    "degf": "[degF]",
    "deg f": "[degF]",
    "°f": "[degF]",
    "f": "[degF]",
    "fahrenheit": "[degF]",
    "degrees fahrenheit": "[degF]",
    "kg": "kg",
    "kgs": "kg",
    "kilogram": "kg",
    "kilograms": "kg",
    "[lb_av]": "[lb_av]",
    "[lb_us]": "[lb_av]",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "pound": "[lb_av]",
    "pounds": "[lb_av]",
    "[oz_av]": "[oz_av]",
    "g": "g",
    "gram": "g",
    "grams": "g",
    "mg": "mg",
    "milligram": "mg",
    "milligrams": "mg",
    "ug": "ug",
    "mcg": "ug",
    "µg": "ug",
    "μg": "ug",
    "microgram": "ug",
    "micrograms": "ug",
    "ug/h": "ug/h",
    "ug/hr": "ug/h",
    "mcg/h": "ug/h",
    "mcg/hr": "ug/h",
    "mcg/hour": "ug/h",
    "µg/h": "ug/h",
    "µg/hr": "ug/h",
    "μg/h": "ug/h",
    "μg/hr": "ug/h",
    "mg/h": "mg/h",
    "mg/hr": "mg/h",
    "mg/hour": "mg/h",
    "ml": "mL",
    "milliliter": "mL",
    "milliliters": "mL",
    "ml/min": "mL/min",
    "{score}": "{score}",
    "score": "{score}",
    "second": "s",
    "seconds": "s",
    "minute": "min",
    "minutes": "min",
    "hour": "h",
    "hours": "h",
    "hr": "h",
    "day": "d",
    "days": "d",
    "week": "wk",
    "weeks": "wk",
    "month": "mo",
    "months": "mo",
    "year": "a",
    "years": "a",
    "yr": "a",
}

# How laboratories spell mL/min per 1.73 m² (lower-cased, without blanks); always 1.73 m².
PER_SURFACE = re.compile(
    r"ml/min(?:/|\.|per|/per)[\[({]?1[.,]73[_.*]?(?:m(?:[2²]|[\^*]2|\*\*2|_2|sq)|sq\.?m)[\])}]?\.?"
)
EGFR_UNIT = "mL/min/{1.73_m2}"

# A number in words: a comparator or none, the number, a unit or none.
WRITTEN = re.compile(r"([<>]=?|[≤≥])?\s*(\d{1,9}(?:\.\d{1,9})?)\s*(\D.*)?")
SIGNS = {"≤": "<=", "≥": ">="}

# A unit → the unit Backpath compares in, with factor and offset (value * factor + offset).
CONVERSIONS = {
    "[degF]": ("Cel", 5 / 9, -160 / 9),
    "[lb_av]": ("kg", 0.45359237, 0.0),  # the international avoirdupois pound, exact
    "[oz_av]": ("kg", 0.028349523125, 0.0),
    "g": ("kg", 0.001, 0.0),
}


COMPARATORS = frozenset({"<", "<=", ">=", ">"})


def unit_of(quantity: Resource) -> str | None:
    """The UCUM code of a FHIR Quantity, put right when spelled out; None when none is given."""
    return _unit(
        text(quantity.get("system")), text(quantity.get("code")), text(quantity.get("unit"))
    )


def _unit(system: str, code: str, spelled: str) -> str | None:
    foreign = system and UCUM not in system and FORMS not in system.lower()
    unit = (spelled or code) if foreign else (code or spelled)
    return (_known(unit) or unit) if unit else None


def _known(unit: str) -> str | None:
    """The UCUM code of a unit as clients spell it; None for a spelling nobody listed."""
    lowered = unit.lower()
    if lowered in SPELLINGS:
        return SPELLINGS[lowered]
    per_surface = lowered.startswith("ml/min") and PER_SURFACE.fullmatch("".join(lowered.split()))
    return EGFR_UNIT if per_surface else None


def read_quantity(value: Any) -> Quantity | None:
    """A FHIR Quantity; None when absent or without a number.

    A value with a comparator (``<15``) is a bound, no value, and gives None too.
    """
    quantity = one_object(value)
    amount = number(quantity.get("value")) if quantity else None
    if amount is None or quantity.get("comparator") is not None:
        return None
    return Quantity(amount, unit_of(quantity))


def read_bound(value: Any) -> tuple[str, Quantity] | None:
    """Comparator and number of a FHIR Quantity known only to lie beyond it; None for any other."""
    quantity = one_object(value)
    comparator = text(quantity.get("comparator"))
    if comparator not in COMPARATORS:
        return None
    amount = number(quantity.get("value"))
    if amount is None:
        return None
    return comparator, Quantity(amount, unit_of(quantity))


def read_written(value: Any) -> tuple[str, Quantity] | None:
    """Comparator (empty when none) and number of a text that is nothing but a result.

    None for any other text, also for a number behind which stands no unit known here. A number
    without any unit stays without: it is not guessed, neither from the value nor the test.
    """
    found = WRITTEN.fullmatch(text(value)) if value else None
    if found is None:
        return None
    sign, amount, unit = found[1] or "", float(found[2]), found[3]
    known = _known(unit.strip()) if unit else None
    if unit and known is None:
        return None
    return SIGNS.get(sign, sign), Quantity(amount, known)


def measured(quantity: Quantity | None) -> Quantity | None:
    """A measurement in the unit Backpath compares in: temperature in Cel, weight in kg."""
    if quantity is None or quantity.unit not in CONVERSIONS:
        return quantity
    unit, factor, offset = CONVERSIONS[quantity.unit]
    return Quantity(round(quantity.value * factor + offset, 6), unit)
