"""Units of measurement: UCUM quantities as one unit, or None when they cannot be trusted.

Only units known by their UCUM code are converted; a unit is never guessed from the size of a
value. A value outside its plausible range is as good as unreadable.
"""

from __future__ import annotations

from cards.record import Quantity

KILOGRAMS_PER = {"kg": 1.0, "g": 0.001, "[lb_av]": 0.45359237}
PLAUSIBLE_CELSIUS = (30.0, 45.0)
PLAUSIBLE_KILOGRAMS = (25.0, 350.0)
DIGITS = 4  # hides binary rounding: 100.4 °F is 38.0 °C


def celsius(temperature: Quantity | None) -> float | None:
    """Body temperature in °C; None when absent, in an unknown unit, or outside 30-45 °C."""
    if temperature is None:
        return None
    match temperature.unit:
        case "Cel":
            degrees = temperature.value
        case "[degF]":
            degrees = (temperature.value - 32) * 5 / 9
        case _:
            return None
    return _plausible(degrees, PLAUSIBLE_CELSIUS)


def kilograms(weight: Quantity | None) -> float | None:
    """Body weight in kg; None when absent, in an unknown unit, or outside 25-350 kg."""
    if weight is None or weight.unit not in KILOGRAMS_PER:
        return None
    return _plausible(weight.value * KILOGRAMS_PER[weight.unit], PLAUSIBLE_KILOGRAMS)


def _plausible(value: float, bounds: tuple[float, float]) -> float | None:
    least, most = bounds
    rounded = round(value, DIGITS)
    return rounded if least <= rounded <= most else None
