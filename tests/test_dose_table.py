"""How much of a drug a day: orders as they are written, and the number worked out by hand.

Every row says in clinic words what is ordered, then how the chart says it, then the milligrams a
day that a pharmacist would count; None where nobody could tell.
"""

# ruff: noqa: E501 - one case is one line

from __future__ import annotations

from typing import Any

import pytest

from cards.dose import daily_dose, largest_single_dose_mg, least_daily_dose
from cards.product import Product
from tests.drug_orders import (
    CODES,
    amount,
    at,
    at_most,
    coded,
    every,
    ingredient,
    order,
    patch,
    product,
    solution,
    tablet,
    take,
)

IBUPROFEN = tablet("ibuprofen", 400)
ACETAMINOPHEN = tablet("acetaminophen", 500)
NAPROXEN_SODIUM = product("naproxen sodium 550 MG Oral Tablet", ("naproxen", 550, "MG"))
TRAMADOL = tablet("tramadol", 50)
OXYCODONE = tablet("oxycodone", 5)
MORPHINE = solution("morphine", 2)
NORCO = product(
    "acetaminophen 325 MG / hydrocodone bitartrate 5 MG Oral Tablet",
    ("acetaminophen", 325, "MG"),
    ("hydrocodone", 5, "MG"),
)
LORTAB_ELIXIR = product(
    "acetaminophen 21.7 MG/ML / hydrocodone bitartrate 0.5 MG/ML Oral Solution",
    ("acetaminophen", 21.7, "MG/ML"),
    ("hydrocodone", 0.5, "MG/ML"),
)
FENTANYL_25 = patch("fentanyl", 25)
FENTANYL_50 = patch("fentanyl", 50)
LAZANDA = product(
    "fentanyl 0.1 MG/ACTUAT Metered Dose Nasal Spray",
    ("fentanyl", 0.1, "MG/ACTUAT"),
    route="nasal",
)
GEL = product(
    "diclofenac sodium 0.01 MG/MG Topical Gel", ("diclofenac", 0.01, "MG/MG"), route="topical"
)
GEL_BY_VOLUME = product("x 10 MG/ML Topical Gel", ("x", 10, "MG/ML"), route="topical")
INJECTION = product("morphine 10 MG/ML Injection", ("morphine", 10, "MG/ML"), route="parenteral")
VIAL = product("hydromorphone 250 MG Injection", ("hydromorphone", 250, "MG"), route="parenteral")
SUPPOSITORY = product("oxycodone 30 MG Rectal Suppository", ("oxycodone", 30, "MG"), route="rectal")
PACK = product("{21 (x 4 MG Oral Tablet) } Pack", ("x", 4, "MG"), level="pack")
UNITS = product("x 100 UNT/ML Injection", ("x", 100, "UNT/ML"))


def timed(*codes: str, words: str = "") -> dict[str, Any]:
    """A timing by several codes, in words, or both."""
    return {"code": {"coding": [{"code": code} for code in codes], "text": words}}


TABLET = "{tablet}"
BID = every(2)
PRN: dict[str, Any] = {"asNeededBoolean": True}
A_RANGE = {"doseRange": {"low": amount(1, TABLET), "high": amount(2, TABLET)}}
ORDERED = {"type": {"coding": [{"code": "ordered"}]}, "doseQuantity": amount(600, "mg")}
CALCULATED = {"type": {"coding": [{"code": "calculated"}]}, "doseQuantity": amount(400, "mg")}
UNTYPED = {"doseQuantity": amount(200, "mg")}

# Words, product, instructions, milligrams a day.
Row = tuple[str, Product, list[dict[str, Any]], float | None]

HOW_OFTEN: list[Row] = [
    ("once a day", IBUPROFEN, [take(400, "mg", every(1))], 400),
    ("twice a day", IBUPROFEN, [take(400, "mg", BID)], 800),
    ("every 8 hours", IBUPROFEN, [take(400, "mg", every(1, 8, periodUnit="h"))], 1200),
    ("every 6 to 8 hours", IBUPROFEN, [take(400, "mg", every(1, 6, periodMax=8, periodUnit="h"))], 1600),
    ("period bounds swapped", IBUPROFEN, [take(400, "mg", every(1, 8, periodMax=6, periodUnit="h"))], 1600),
    ("two to four times a day", IBUPROFEN, [take(400, "mg", every(2, frequencyMax=4))], 1600),
    ("up to 3 times a day, no least", IBUPROFEN, [take(400, "mg", every(None, frequencyMax=3))], 1200),
    ("frequency bounds swapped", IBUPROFEN, [take(400, "mg", every(4, frequencyMax=2))], 1600),
    ("every other day", IBUPROFEN, [take(400, "mg", every(1, 2))], 200),
    ("every 90 minutes", OXYCODONE, [take(5, "mg", every(1, 90, periodUnit="min"))], 80),
    ("once a week", OXYCODONE, [take(70, "mg", every(1, periodUnit="wk"))], 10),
    ("twice every two weeks", OXYCODONE, [take(70, "mg", every(2, 2, periodUnit="wk"))], 10),
    ("once a month of 30 days", OXYCODONE, [take(60, "mg", every(1, periodUnit="mo"))], 2),
    ("once a year", OXYCODONE, [take(365, "mg", every(1, periodUnit="a"))], 1),
    ("every 12 hours, no number", OXYCODONE, [take(5, "mg", every(None, 12, periodUnit="h"))], 10),
    ("3 times, no period", OXYCODONE, [take(5, "mg", every(3, None))], 15),
    ("3 times, no period or unit", OXYCODONE, [take(5, "mg", at(frequency=3))], 15),
    ("3 per hour? no period", OXYCODONE, [take(5, "mg", every(3, None, periodUnit="h"))], None),
    ("a period of no unit", OXYCODONE, [take(5, "mg", at(frequency=1, period=8))], None),
    ("a period of an unknown unit", OXYCODONE, [take(5, "mg", every(1, periodUnit="shift"))], None),
    ("a period of nothing", OXYCODONE, [take(5, "mg", every(1, 0))], None),
    ("no times a day", OXYCODONE, [take(5, "mg", every(0))], None),
    ("minus two times a day", OXYCODONE, [take(5, "mg", every(-2))], None),
    ("no timing", OXYCODONE, [take(5, "mg")], None),
    ("at 8, 14 and 20 h", OXYCODONE, [take(5, "mg", at(timeOfDay=["08:00", "14:00", "20:00"]))], 15),
    ("the same clock time twice", OXYCODONE, [take(5, "mg", at(timeOfDay=["08:00", "08:00"]))], 5),
    ("once a day at two times: twice", OXYCODONE, [take(5, "mg", every(1, timeOfDay=["08:00", "20:00"]))], 10),
    ("every 8 hours at three times", OXYCODONE, [take(5, "mg", every(1, 8, periodUnit="h", timeOfDay=["06:00", "14:00", "22:00"]))], 15),
    ("7 weekdays", OXYCODONE, [take(7, "mg", at(dayOfWeek=["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))], 7),
    ("Monday and Thursday", OXYCODONE, [take(7, "mg", at(dayOfWeek=["mon", "thu"]))], 2),
    ("daily on three weekdays", OXYCODONE, [take(7, "mg", every(1, dayOfWeek=["mon", "wed", "fri"]))], 3),
    ("weekly on one weekday", OXYCODONE, [take(7, "mg", every(1, periodUnit="wk", dayOfWeek=["mon"]))], 1),
    ("weekly, but three weekdays named", OXYCODONE, [take(7, "mg", every(1, periodUnit="wk", dayOfWeek=["mon", "wed", "fri"]))], 3),
    ("twice a day on two weekdays", OXYCODONE, [take(7, "mg", at(dayOfWeek=["sat", "sun"], timeOfDay=["08:00", "20:00"]))], 4),
    ("BID on two weekdays", OXYCODONE, [take(7, "mg", coded("BID", dayOfWeek=["sat", "sun"]))], 4),
    ("every two weeks on Monday", OXYCODONE, [take(14, "mg", every(1, 2, periodUnit="wk", dayOfWeek=["mon"]))], 1),
    ("at bedtime", OXYCODONE, [take(5, "mg", at(when=["HS"]))], 5),
    ("morning, noon and night", OXYCODONE, [take(5, "mg", at(when=["MORN", "NOON", "NIGHT"]))], 15),
    ("with meals", OXYCODONE, [take(5, "mg", at(when=["C"]))], 15),
    ("before meals and at bedtime", OXYCODONE, [take(5, "mg", at(when=["AC", "HS"]))], 20),
    ("with breakfast and with meals", OXYCODONE, [take(5, "mg", at(when=["C", "CM"]))], 15),
    ("after dinner", OXYCODONE, [take(5, "mg", at(when=["PCV"]))], 5),
    ("twice a day with meals: twice", OXYCODONE, [take(5, "mg", every(2, when=["C"]))], 10),
    ("once a day, morning and evening", OXYCODONE, [take(5, "mg", every(1, when=["MORN", "EVE"]))], 10),
    ("QD", OXYCODONE, [take(5, "mg", coded("QD"))], 5),
    ("bid, small letters", OXYCODONE, [take(5, "mg", coded("bid"))], 10),
    ("TID", OXYCODONE, [take(5, "mg", coded("TID"))], 15),
    ("a local code, then BID", OXYCODONE, [take(5, "mg", timed("F-12", "BID"))], 10),
    ("a local code, called BID", OXYCODONE, [take(5, "mg", timed("F-12", words=" bid "))], 10),
    ("the word BID", OXYCODONE, [take(5, "mg", timed(words="BID"))], 10),
    ("a local code in other words", OXYCODONE, [take(5, "mg", timed("F-12", words="twice a day, BID"))], None),
    ("QID", OXYCODONE, [take(5, "mg", coded("QID"))], 20),
    ("QOD", OXYCODONE, [take(5, "mg", coded("QOD"))], 2.5),
    ("Q4H", OXYCODONE, [take(5, "mg", coded("Q4H"))], 30),
    ("Q6H", OXYCODONE, [take(5, "mg", coded("Q6H"))], 20),
    ("Q8H", OXYCODONE, [take(5, "mg", coded("Q8H"))], 15),
    ("Q12H", OXYCODONE, [take(5, "mg", coded("Q12H"))], 10),
    ("AM", OXYCODONE, [take(5, "mg", coded("AM"))], 5),
    ("BED", OXYCODONE, [take(5, "mg", coded("BED"))], 5),
    ("WK", OXYCODONE, [take(70, "mg", coded("WK"))], 10),
    ("MO", OXYCODONE, [take(60, "mg", coded("MO"))], 2),
    ("a code nobody knows", OXYCODONE, [take(5, "mg", coded("PRN"))], None),
    ("frequency beside its code", OXYCODONE, [take(5, "mg", {**coded("TID"), **every(2)})], 10),
]  # fmt: skip

HOW_MUCH: list[Row] = [
    ("half a gram", ACETAMINOPHEN, [take(0.5, "g", BID)], 1000),
    ("500 mcg", TRAMADOL, [take(500, "ug", BID)], 1),
    ("500 mcg, spelled so", TRAMADOL, [take(500, "mcg", BID)], 1),
    ("one tablet of 50 mg", TRAMADOL, [take(1, TABLET, BID)], 100),
    ("half a tablet", TRAMADOL, [take(0.5, TABLET, BID)], 50),
    ("two TAB, as a dose form", TRAMADOL, [take(2, "TAB", BID)], 200),
    ("one pill", TRAMADOL, [take(1, "{pill}", BID)], 100),
    ("one {tbl}", TRAMADOL, [take(1, "{tbl}", BID)], 100),
    ("one capsule", TRAMADOL, [take(1, "{capsule}", BID)], 100),
    ("one, unit 1", TRAMADOL, [take(1, "1", BID)], 100),
    ("one, no unit", TRAMADOL, [take(1, None, BID)], 100),
    ("one tablet of unknown strength", ingredient("tramadol"), [take(1, TABLET, BID)], None),
    ("50 mg ordered by ingredient", ingredient("tramadol"), [take(50, "mg", BID)], 100),
    ("5 mL of 2 mg/mL", MORPHINE, [take(5, "mL", every(4))], 40),
    ("10 mg of a liquid", MORPHINE, [take(10, "mg", every(4))], 40),
    ("one tablet of a liquid", MORPHINE, [take(1, TABLET, BID)], None),
    ("5 of a liquid, no unit", MORPHINE, [take(5, None, BID)], None),
    ("5 mL of a tablet", TRAMADOL, [take(5, "mL", BID)], None),
    ("two sprays of 100 mcg", LAZANDA, [take(2, "{spray}", every(4))], 0.8),
    ("one actuation", LAZANDA, [take(1, "{actuat}", every(4))], 0.4),
    ("one spray of a tablet", TRAMADOL, [take(1, "{spray}", BID)], None),
    ("1 mL of a spray", LAZANDA, [take(1, "mL", BID)], None),
    ("one suppository", SUPPOSITORY, [take(1, "{suppository}", BID)], 60),
    ("1 mL of an injection", INJECTION, [take(1, "mL", BID)], 20),
    ("1 of an injection", INJECTION, [take(1, None, BID)], None),
    ("1 of a vial of 250 mg", VIAL, [take(1, None, BID)], None),
    ("milliequivalents", TRAMADOL, [take(50, "meq", BID)], None),
    ("drops", MORPHINE, [take(10, "[drp]", BID)], None),
    ("milligrams a kilo", TRAMADOL, [take(1, "mg/kg", BID)], None),
    ("a negative dose", TRAMADOL, [take(-50, "mg", BID)], None),
    ("less than 50 mg", TRAMADOL, [{"timing": BID, "doseAndRate": [{"doseQuantity": {"value": 50, "code": "mg", "comparator": "<"}}]}], None),
    ("4 g of gel", GEL, [take(4, "g", every(4))], None),
    ("4 g of a gel by volume", GEL_BY_VOLUME, [take(4, "g", every(4))], None),
    ("a pack", PACK, [take(1, TABLET, BID)], None),
    ("a pack in milligrams", PACK, [take(4, "mg", BID)], None),
    ("insulin units", UNITS, [take(1, "mL", BID)], None),
    ("one to two tablets: two", TRAMADOL, [{"timing": BID, "doseAndRate": [A_RANGE]}], 200),
    ("several ways to say it: ordered", IBUPROFEN, [{"timing": BID, "doseAndRate": [UNTYPED, CALCULATED, ORDERED]}], 1200),
    ("no ordered: calculated", IBUPROFEN, [{"timing": BID, "doseAndRate": [UNTYPED, CALCULATED]}], 800),
    ("neither: the first", IBUPROFEN, [{"timing": BID, "doseAndRate": [UNTYPED, {"doseQuantity": amount(800, "mg")}]}], 400),
    ("salt by its own weight", NAPROXEN_SODIUM, [take(1, TABLET, BID)], 1100),
    ("salt in milligrams", NAPROXEN_SODIUM, [take(550, "mg", BID)], 1100),
]  # fmt: skip

COMBINED: list[Row] = [
    ("two Norco, four times: hydrocodone", NORCO, [take(2, TABLET, every(4))], 40),
    ("10 mg of a combination: of what?", NORCO, [take(10, "mg", every(4))], None),
    ("15 mL of an elixir", LORTAB_ELIXIR, [take(15, "mL", every(4))], 30),
    ("7.5 mg of an elixir: of what?", LORTAB_ELIXIR, [take(7.5, "mg", every(4))], None),
    ("by ingredients, in milligrams", ingredient("acetaminophen", "hydrocodone"), [take(5, "mg", BID)], None),
    ("Norco, as needed, at most 8 tablets", NORCO, [take(2, TABLET, coded("Q4H"), maxDosePerPeriod=at_most(8, TABLET), **PRN)], 40),
    ("at most 4 g: of what?", NORCO, [take(2, TABLET, coded("Q4H"), maxDosePerPeriod=at_most(4, "g"), **PRN)], 60),
]  # fmt: skip

AT_MOST: list[Row] = [
    ("as needed every 4 hours", OXYCODONE, [take(1, TABLET, coded("Q4H"), **PRN)], 30),
    ("as needed for pain, coded", OXYCODONE, [take(1, TABLET, BID, asNeededCodeableConcept={"text": "pain"})], 10),
    ("at most 4 tablets a day: lower", OXYCODONE, [take(1, TABLET, coded("Q4H"), maxDosePerPeriod=at_most(4, TABLET), **PRN)], 20),
    ("at most 60 mg a day: not lower", OXYCODONE, [take(1, TABLET, coded("Q4H"), maxDosePerPeriod=at_most(60, "mg"), **PRN)], 30),
    ("at most 10 mg in 12 hours", OXYCODONE, [take(1, TABLET, coded("Q4H"), maxDosePerPeriod=at_most(10, "mg", 12, "h"), **PRN)], 20),
    ("as needed, only the maximum said", OXYCODONE, [take(1, TABLET, maxDosePerPeriod=at_most(4, TABLET), **PRN)], 20),
    ("as needed, no more said", OXYCODONE, [take(1, TABLET, **PRN)], None),
    ("a maximum in unknown units", OXYCODONE, [take(1, TABLET, BID, maxDosePerPeriod=at_most(1, "mL"))], 10),
    ("a maximum per nothing known", OXYCODONE, [take(1, TABLET, **PRN, maxDosePerPeriod=at_most(4, TABLET, 1, "visit"))], None),
    ("a wrong unit, regular, with a maximum", OXYCODONE, [take(1, "mL", BID, maxDosePerPeriod=at_most(40, "mg"))], None),
    ("at most 5 mg at once", OXYCODONE, [take(2, TABLET, BID, maxDosePerAdministration=amount(5, "mg"))], 10),
    ("at most 20 mg at once: not lower", OXYCODONE, [take(2, TABLET, BID, maxDosePerAdministration=amount(20, "mg"))], 20),
    ("only the most at once said", OXYCODONE, [take(None, None, BID, maxDosePerAdministration=amount(10, "mg"))], 20),
]  # fmt: skip

STEPS: list[Row] = [
    ("morning 10, evening 20", OXYCODONE, [take(10, "mg", coded("AM")), take(20, "mg", coded("PM"))], 30),
    ("the same with one number", OXYCODONE, [take(10, "mg", coded("AM"), sequence=1), take(20, "mg", coded("PM"), sequence=1)], 30),
    ("taper: highest step", OXYCODONE, [take(20, "mg", BID, sequence=1), take(10, "mg", BID, sequence=2), take(5, "mg", BID, sequence=3)], 40),
    ("titration: highest step", OXYCODONE, [take(5, "mg", BID, sequence=1), take(10, "mg", BID, sequence=2)], 20),
    ("a taper of two a step", OXYCODONE, [take(10, "mg", coded("AM"), sequence=1), take(5, "mg", coded("PM"), sequence=1), take(12, "mg", coded("QD"), sequence=2)], 15),
    ("one step unreadable", OXYCODONE, [take(20, "mg", BID, sequence=1), take(1, "mL", BID, sequence=2)], None),
    ("regular and as needed together", OXYCODONE, [take(10, "mg", BID), take(5, "mg", coded("Q6H"), **PRN)], 40),
]  # fmt: skip

TABLE = [*HOW_OFTEN, *HOW_MUCH, *COMBINED, *AT_MOST, *STEPS]


def counted(drug: Product) -> str:
    """The ingredient a row is about: the opioid of a combination."""
    return drug.strengths[-1].ingredient


@pytest.mark.parametrize(("words", "drug", "said", "expected"), TABLE, ids=[r[0] for r in TABLE])
def test_daily_dose(
    words: str, drug: Product, said: list[dict[str, Any]], expected: float | None
) -> None:
    """The daily dose is what the instructions allow in a day; what they leave open is unknown."""
    found = daily_dose(order(drug, *said), counted(drug))

    assert expected == (found.mg_per_day if found else None), words
    assert found is None or not found.derived


def test_both_parts_of_a_combination() -> None:
    """Two tablets four times a day: 8 times each part."""
    norco = order(NORCO, take(2, TABLET, every(4)))
    found = {name: daily_dose(norco, CODES[name]) for name in ("acetaminophen", "hydrocodone")}

    assert {n: d.mg_per_day for n, d in found.items() if d} == {
        "acetaminophen": 2600,
        "hydrocodone": 40,
    }
    assert daily_dose(norco, CODES["oxycodone"]) is None


# Patches: product, instructions, micrograms an hour worn.
WORN: list[Row] = [
    ("one patch of 25, every 72 h", FENTANYL_25, [take(1, "{patch}", every(1, 72, periodUnit="h"))], 25),
    ("every 48 hours: still one worn", FENTANYL_25, [take(1, "{patch}", every(1, 48, periodUnit="h"))], 25),
    ("changed daily, by mistake", FENTANYL_25, [take(1, "{patch}", every(1))], 25),
    ("how often not said", FENTANYL_25, [take(1, "{patch}")], 25),
    ("two patches at a time", FENTANYL_25, [take(2, "{patch}", every(1, 3))], 50),
    ("one, no unit", FENTANYL_25, [take(1, None, every(1, 3))], 25),
    ("25 mcg/h as the dose", FENTANYL_25, [take(25, "ug/h", every(1, 3))], 25),
    ("25 mcg/hr, spelled so", FENTANYL_25, [take(25, "mcg/hr", every(1, 3))], 25),
    ("0.025 mg/h as the dose", FENTANYL_25, [take(0.025, "mg/h", every(1, 3))], 25),
    ("25 mcg/h as the rate", FENTANYL_25, [{"doseAndRate": [{"rateQuantity": amount(25, "ug/h")}]}], 25),
    ("25 mcg in 1 hour as a ratio", FENTANYL_25, [{"doseAndRate": [{"rateRatio": {"numerator": amount(25, "ug"), "denominator": amount(1, "h")}}]}], 25),
    ("12 to 25 mcg/h", FENTANYL_25, [{"doseAndRate": [{"rateRange": {"low": amount(12, "ug/h"), "high": amount(25, "ug/h")}}]}], 25),
    ("25 mcg: of what time?", FENTANYL_25, [take(25, "ug", every(1, 3))], None),
    ("25 mg", FENTANYL_25, [take(25, "mg", every(1, 3))], None),
    ("a tablet of a patch", FENTANYL_25, [take(1, TABLET, every(1, 3))], None),
    ("25, then 50: highest step", FENTANYL_25, [take(1, "{patch}", sequence=1), take(2, "{patch}", sequence=2)], 50),
    ("fentanyl by ingredient, 25 mcg/h", ingredient("fentanyl"), [take(25, "ug/h")], 25),
    ("fentanyl by ingredient, one patch", ingredient("fentanyl"), [take(1, "{patch}")], None),
    ("a patch on an oxycodone tablet", OXYCODONE, [take(1, "{patch}", BID)], None),
    ("a rate on an oxycodone tablet", OXYCODONE, [take(5, "mg/h", BID)], None),
]  # fmt: skip


@pytest.mark.parametrize(("words", "drug", "said", "expected"), WORN, ids=[r[0] for r in WORN])
def test_patches(
    words: str, drug: Product, said: list[dict[str, Any]], expected: float | None
) -> None:
    """Of a patch counts what is worn at one time, however often it is changed."""
    found = daily_dose(order(drug, *said), counted(drug))

    assert expected == (found.mcg_per_hour if found else None), words
    assert found is None or found.mg_per_day == pytest.approx(expected and expected * 0.024)


# Words, product, instructions, quantity, its unit, days of supply, milligrams a day.
Supplied = tuple[str, Product, list[dict[str, Any]], float, str | None, float | None, float | None]
SUPPLIED: list[Supplied] = [
    ("60 tablets of 5 mg for 30 days", OXYCODONE, [], 60, TABLET, 30, 10),
    ("60, no unit, for 30 days", OXYCODONE, [], 60, None, 30, 10),
    ("240 mL of 2 mg/mL for 12 days", MORPHINE, [], 240, "mL", 12, 40),
    ("300 mg for 30 days", ingredient("oxycodone"), [], 300, "mg", 30, 10),
    ("120 Norco for 15 days", NORCO, [], 120, TABLET, 15, 40),
    ("milligrams of a combination", NORCO, [take(10, "mg", BID)], 120, TABLET, 15, 40),
    ("timing only", OXYCODONE, [{"timing": BID}], 60, TABLET, 30, 10),
    ("as needed, nothing else said", OXYCODONE, [take(1, TABLET, **PRN)], 60, TABLET, 20, 15),
    ("as long as it is to be taken", OXYCODONE, [{"timing": at(boundsDuration=amount(10, "d"))}], 30, TABLET, None, 15),
    ("no days", OXYCODONE, [], 60, TABLET, None, None),
    ("no days at all", OXYCODONE, [], 60, TABLET, 0, None),
    ("tablets of unknown strength", ingredient("oxycodone"), [], 60, TABLET, 30, None),
    ("60 mL of a tablet", OXYCODONE, [], 60, "mL", 30, None),
    ("one bottle of a liquid", MORPHINE, [], 1, "{bottle}", 12, None),
    ("a pack", PACK, [], 1, TABLET, 6, None),
    ("10 patches of 72 h for 30 days", FENTANYL_25, [], 10, "{patch}", 30, 0.6),
    ("20 patches of 72 h for 30 days", FENTANYL_50, [], 20, "{patch}", 30, 2.4),
    ("patches in milligrams", FENTANYL_25, [], 10, "mg", 30, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "drug", "said", "quantity", "unit", "days", "expected"),
    SUPPLIED,
    ids=[row[0] for row in SUPPLIED],
)
def test_dose_by_supply(
    words: str,
    drug: Product,
    said: list[dict[str, Any]],
    quantity: float,
    unit: str | None,
    days: float | None,
    expected: float | None,
) -> None:
    """Without a readable dosage the quantity over the days of supply counts, and says so."""
    found = daily_dose(order(drug, *said, quantity=quantity, unit=unit, days=days), counted(drug))

    assert expected == (found.mg_per_day if found else None), words
    assert found is None or found.derived


def test_a_readable_dosage_beats_the_supply() -> None:
    """10 mg twice a day stays 20 mg, however many tablets were handed out."""
    found = daily_dose(
        order(OXYCODONE, take(2, TABLET, BID), quantity=90, unit=TABLET, days=30),
        CODES["oxycodone"],
    )

    assert found is not None
    assert (found.mg_per_day, found.derived) == (20, False)


# Words, instructions, supply in days of 60 tablets, milligrams a day without the as-needed part.
NEEDED: list[tuple[str, list[dict[str, Any]], float | None, float]] = [
    ("regular", [take(1, TABLET, BID)], None, 10),
    ("as needed", [take(1, TABLET, BID, **PRN)], None, 0),
    ("both together", [take(1, TABLET, BID), take(1, TABLET, coded("Q6H"), **PRN)], None, 10),
    ("handed out", [], 30, 10),
    ("handed out, to be taken as needed", [take(1, TABLET, **PRN)], 30, 0),
]


@pytest.mark.parametrize(("words", "said", "days", "scheduled"), NEEDED)
def test_as_needed(
    words: str, said: list[dict[str, Any]], days: float | None, scheduled: float
) -> None:
    """What is taken as needed counts at its maximum, and is told apart from what is regular."""
    found = daily_dose(
        order(OXYCODONE, *said, quantity=60, unit=TABLET, days=days), CODES["oxycodone"]
    )

    assert found is not None
    assert found.scheduled_mg_per_day == scheduled, words
    assert found.as_needed == (scheduled < found.mg_per_day)


@pytest.mark.parametrize(
    ("words", "said", "expected"),
    [
        ("two at night beat one by day", [take(1, TABLET, coded("AM")), take(2, TABLET, coded("PM"))], 10),
        ("at most 5 mg at once", [take(2, TABLET, BID, maxDosePerAdministration=amount(5, "mg"))], 5),
        ("how often not said", [take(2, TABLET)], 10),
        ("one unread", [take(2, TABLET), take(1, "mL")], None),
        ("nothing said", [], None),
    ],
)  # fmt: skip
def test_single_dose(words: str, said: list[dict[str, Any]], expected: float | None) -> None:
    """The largest single dose is known when every dosage is."""
    assert largest_single_dose_mg(order(OXYCODONE, *said), CODES["oxycodone"]) == expected, words


def test_unknown_product() -> None:
    """A drug whose code could not be read has no dose, whatever its dosage says."""
    assert daily_dose(order(None, take(5, "mg", BID)), CODES["oxycodone"]) is None


def test_the_table_is_long_enough() -> None:
    """The dose table alone holds more than 120 cases."""
    assert len(TABLE) + len(WORN) + len(SUPPLIED) >= 120


IN_WORDS = {"text": "and as needed"}
QID_10 = take(10, "mg", every(4))
PARTLY = [
    ("beside words only", [QID_10, IN_WORDS], (40, 40)),
    ("beside an unknown unit", [QID_10, take(1, "mL", BID)], (40, 40)),
    ("as needed, beside words only", [take(10, "mg", every(4), **PRN), IN_WORDS], (40, 0)),
    (
        "one step unreadable",
        [take(20, "mg", BID, sequence=1), take(1, "mL", BID, sequence=2)],
        (40, 40),
    ),
    ("all readable", [QID_10], None),
    ("none readable", [take(1, "mL", BID), IN_WORDS], None),
]


@pytest.mark.parametrize(("words", "said", "expected"), PARTLY, ids=[row[0] for row in PARTLY])
def test_least_daily_dose(
    words: str, said: list[dict[str, Any]], expected: tuple[float, float] | None
) -> None:
    """What can be read of a dose is a lower bound, and no dose."""
    written = order(OXYCODONE, *said)
    found = least_daily_dose(written, CODES["oxycodone"])

    assert (found and (found.mg_per_day, found.scheduled_mg_per_day)) == expected, words
    assert expected is None or daily_dose(written, CODES["oxycodone"]) is None
