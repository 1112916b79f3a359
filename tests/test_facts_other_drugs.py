"""Other drugs of the patient: current, lately taken, doubled, or combined with the draft."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from cards.answer import Answer
from cards.case import FACTS
from cards.codes import RXNORM, SNOMED
from cards.facts.ingredient import named_ingredients, same_drug
from cards.facts.other_drugs import CURRENT
from cards.record import (
    NOTHING,
    Coding,
    Concept,
    Dosage,
    MedicationOrder,
    Quantity,
    Timing,
    When,
)
from tests.charts import ago, chart, drug, referral

FEBRUARY = When(date(2026, 2, 1), date(2026, 2, 28), "2026-02")


def answer(name: str, *entries: object, **members: Any) -> str:
    return FACTS[name](chart(*entries, **members)).answer.value


def product(display: str, *sets: str, note: str = "SCD") -> Concept:
    """A drug with an RxNorm code of its own for each display, in these value sets."""
    code = str(sum(ord(letter) * place for place, letter in enumerate(display, 1)))
    return Concept((Coding(RXNORM, code, display),), display, dict.fromkeys(sets, note))


def taken(display: str, *sets: str, days: int = 1, **members: Any) -> MedicationOrder:
    """An active order for a product, written so many days ago."""
    order = drug(*sets, days=days, **members)
    return replace(order, drug=product(display, *sets), reference=f"MedicationRequest/{display}")


def drafted(display: str, *sets: str, **members: Any) -> MedicationOrder:
    return taken(display, *sets, days=0, status="draft", **members)


def daily(mg: float) -> tuple[Dosage, ...]:
    return (Dosage(timing=Timing(code="QD"), dose=Quantity(mg, "mg")),)


NAPROXEN = taken("naproxen 500 MG Oral Tablet", "nsaid-oral")
NAPROXEN_SODIUM = taken("naproxen sodium 550 MG Oral Tablet [Anaprox]", "nsaid-oral")
IBUPROFEN = taken("Ibuprofen 400 MG Oral Tablet", "nsaid-oral")
KETOROLAC = taken("1 ML ketorolac tromethamine 30 MG/ML Injection", "nsaid-parenteral")
UNNAMED_NSAID = taken("", "nsaid-oral")
ASPIRIN = taken("aspirin 81 MG Oral Tablet", "aspirin-low")
CLOPIDOGREL = taken("clopidogrel 75 MG Oral Tablet", "antiplatelet")
AGGRENOX = taken("aspirin 25 MG / dipyridamole 200 MG Oral Capsule", "antiplatelet", "aspirin-low")
OXYCODONE = taken("oxycodone hydrochloride 5 MG Oral Tablet", "opioid")
COUGH_OPIOID = taken(
    "chlorpheniramine 0.8 MG/ML / hydrocodone 1 MG/ML Suspension", "opioid", "cns-depressant"
)
ZOLPIDEM = taken("zolpidem tartrate 10 MG Oral Tablet", "cns-depressant")
AMBIEN = taken("zolpidem tartrate 5 MG Oral Tablet [Ambien]", "cns-depressant")
GABAPENTIN = taken("gabapentin 300 MG Oral Capsule", "cns-depressant")
UNNAMED_SEDATIVE = taken("", "cns-depressant")
ALPRAZOLAM = taken("alprazolam 1 MG Oral Tablet", "cns-depressant", "benzodiazepine")
CYCLOBENZAPRINE = taken(
    "cyclobenzaprine hydrochloride 5 MG Oral Tablet", "cns-depressant", "cyclobenzaprine"
)
SERTRALINE = taken("sertraline 50 MG Oral Tablet", "serotonergic-strong", "ssri")
DULOXETINE = taken(
    "duloxetine 30 MG Delayed Release Oral Capsule", "serotonergic-strong", "snri", "duloxetine"
)
UNREAD_DRAFT = replace(drug("x", days=0, status="draft"), drug=NOTHING)


# Current drugs


@pytest.mark.parametrize("name", CURRENT)
def test_current(name: str) -> None:
    """A drug counts while its supply covers today, and when drafted beside the evaluated order."""
    for value_set in CURRENT[name]:
        draft = drug(value_set, days=0, status="draft")

        assert answer(name, drug(value_set, days=10, supply=9)) == "no"
        assert answer(name, drug(value_set, days=10, supply=10)) == "yes"
        assert answer(name, drug(value_set, days=10, supply=11)) == "yes"
        assert answer(name, drug(value_set, days=1, status="on-hold")) == "no"
        assert answer(name, draft=referral("x"), drafts=(draft,)) == "yes"
        assert answer(name, draft=draft) == "no"
    assert answer(name) == "no"
    assert answer(name, drug("statin", days=1)) == "no"
    assert answer(name, unread=("medications",)) == "unknown"
    assert answer(name, drug(CURRENT[name][0], days=1), unread=("medications",)) == "yes"


@pytest.mark.parametrize(("mg", "expected"), [(324, "yes"), (325, "yes"), (326, "no")])
def test_high_dose_aspirin_is_no_antiplatelet(mg: float, expected: str) -> None:
    """Aspirin above 325 mg a day is an NSAID, no longer low-dose aspirin."""
    assert answer("antiplatelet_or_aspirin", replace(ASPIRIN, dosages=daily(mg))) == expected


def test_current_names_the_drug() -> None:
    """The card can name the chart entry the answer rests on."""
    because = FACTS["lithium_current"](chart(drug("lithium", days=3))).because

    assert [entry.reference for entry in because] == ["MedicationRequest/3"]


# One of each


def test_dual_antiplatelet() -> None:
    """Aspirin and another antiplatelet drug together, active or drafted, or in one product."""
    name = "dual_antiplatelet"

    assert answer(name, ASPIRIN, CLOPIDOGREL) == "yes"
    assert answer(name, ASPIRIN) == "no"
    assert answer(name, CLOPIDOGREL) == "no"
    assert answer(name, ASPIRIN, unread=("medications",)) == "unknown"
    assert answer(name, ASPIRIN, draft=referral("x"), drafts=(CLOPIDOGREL,)) == "yes"
    assert answer(name, ASPIRIN, draft=CLOPIDOGREL) == "yes"
    assert answer(name, CLOPIDOGREL, draft=ASPIRIN) == "yes"
    assert answer(name, replace(ASPIRIN, dosages=daily(650)), CLOPIDOGREL) == "no"
    assert answer(name, AGGRENOX) == "yes"
    assert len(FACTS[name](chart(AGGRENOX)).because) == 1


def test_raas_and_diuretic() -> None:
    """An ACE inhibitor or ARB with a diuretic, both active; a drafted one does not count."""
    name = "raas_and_diuretic"
    diuretic = drug("diuretic", days=2)

    assert answer(name, drug("acei", days=1), diuretic) == "yes"
    assert answer(name, drug("arb", days=1), diuretic) == "yes"
    assert answer(name, drug("acei", days=1), drug("arb", days=2)) == "no"
    assert answer(name, diuretic) == "no"
    assert answer(name, drug("acei", "diuretic", days=1)) == "yes"
    assert answer(name, drug("acei", days=1), draft=referral("x"), drafts=(diuretic,)) == "no"
    assert answer(name, drug("acei", days=91), diuretic) == "no"
    assert answer(name, diuretic, unread=("medications",)) == "unknown"


# Lately taken


@pytest.mark.parametrize(
    ("days", "current", "past"),
    [
        (29, "yes", "no"),
        (30, "yes", "no"),
        (31, "no", "yes"),
        (43, "no", "yes"),
        (44, "no", "yes"),
        (45, "no", "no"),
    ],
)
def test_maoi(days: int, current: str, past: str) -> None:
    """Thirty days of an MAO inhibitor are current, and for 14 days more it is washed out."""
    order = drug("maoi", days=days, supply=30)

    assert answer("maoi_current", order) == current
    assert answer("maoi_past_14d", order) == past


def test_maoi_ended_early() -> None:
    """Stopped, completed or on hold within its supply, it may have been taken until today."""
    for status in ("stopped", "completed", "on-hold"):
        assert answer("maoi_past_14d", drug("maoi", days=20, supply=30, status=status)) == "yes"
    for status in ("cancelled", "draft"):
        assert answer("maoi_past_14d", drug("maoi", days=20, supply=30, status=status)) == "no"


def test_maoi_without_full_date() -> None:
    """Whatever a partial or missing date leaves open is unknown."""
    order = drug("maoi", days=1, supply=5, status="stopped")

    assert answer("maoi_past_14d", replace(order, authored=FEBRUARY)) == "unknown"
    assert answer("maoi_past_14d", replace(order, authored=FEBRUARY, supply_days=20.0)) == "yes"
    assert answer("maoi_past_14d", replace(order, authored=None)) == "unknown"
    assert answer("maoi_past_14d", replace(order, authored=ago(-5))) == "no"
    assert answer("maoi_past_14d", unread=("medications",)) == "unknown"


@pytest.mark.parametrize(
    ("days", "current", "possible"),
    [
        (29, "yes", "no"),
        (30, "yes", "no"),
        (31, "no", "yes"),
        (364, "no", "yes"),
        (365, "no", "yes"),
        (366, "no", "no"),
    ],
)
def test_benzodiazepine(days: int, current: str, possible: str) -> None:
    """Once its supply has run out a benzodiazepine may still be taken, for a year."""
    order = drug("benzodiazepine", days=days, supply=30)

    assert answer("benzodiazepine_current", order) == current
    assert answer("benzodiazepine_possible", order) == possible


def test_benzodiazepine_possible() -> None:
    """On hold it may still be taken; stopped it is not; unread medications leave it open."""
    assert answer("benzodiazepine_possible", drug("benzodiazepine", days=9, status="on-hold")) == (
        "yes"
    )
    assert answer("benzodiazepine_possible", drug("benzodiazepine", days=99, status="stopped")) == (
        "no"
    )
    assert answer("benzodiazepine_possible", unread=("medications",)) == "unknown"


@pytest.mark.parametrize(("days", "expected"), [(364, "yes"), (365, "yes"), (366, "no")])
def test_naloxone(days: int, expected: str) -> None:
    """Naloxone ordered within 365 days is at hand."""
    for status in ("active", "completed", "stopped", "on-hold"):
        assert answer("naloxone_365d", drug("naloxone", days=days, status=status)) == expected


def test_naloxone_at_hand() -> None:
    """An older order that still covers today and any draft count; a cancelled order does not."""
    draft = drug("naloxone", days=0, status="draft")

    assert answer("naloxone_365d", drug("naloxone", days=400, supply=500)) == "yes"
    assert answer("naloxone_365d", draft=referral("x"), drafts=(draft,)) == "yes"
    assert answer("naloxone_365d", draft=draft) == "yes"
    assert answer("naloxone_365d", drug("naloxone", days=1, status="cancelled")) == "no"
    undated = replace(drug("naloxone", days=1, status="completed"), authored=None)
    assert answer("naloxone_365d", undated) == "unknown"
    assert answer("naloxone_365d", unread=("medications",)) == "unknown"


# Same drug

DRUGS = [
    ("a salt", "naproxen 500 MG Oral Tablet", "Naproxen sodium 550 MG Oral Tablet", "yes"),
    ("release", "24 HR naproxen 375 MG Oral Tablet", "naproxen", "yes"),
    ("volume", "0.5 ML meperidine 50 MG/ML Injection", "meperidine", "yes"),
    ("once daily", "Once-Daily gabapentin 300 MG Oral Tablet", "gabapentin", "yes"),
    ("a part", "esomeprazole 20 MG / naproxen 500 MG Tablet", "naproxen", "yes"),
    ("hyphened", "ibuprofen-famotidine 800-26.6 MG tablet", "ibuprofen 400 MG", "yes"),
    ("an acid", "mefenamic acid 250 MG Oral Capsule", "mefenamate", "yes"),
    ("per spray", "ketorolac 15.8 MG/ACTUAT Spray", "sumatriptan 5 MG/ACTUAT Spray", "no"),
    ("a base first", "sodium oxybate 500 MG/ML Oral Solution", "oxybate", "yes"),
    ("others", "naproxen 500 MG Oral Tablet", "Ibuprofen 400 MG Oral Tablet", "no"),
    ("aspirins", "aspirin / carisoprodol", "aspirin / butalbital", "unknown"),
    ("a common part", "ibuprofen / oxycodone", "acetaminophen / oxycodone", "unknown"),
    ("no name", "", "ibuprofen", "unknown"),
    ("a strength only", "500 MG Tablet", "ibuprofen", "unknown"),
    ("a pack", "{5 (milnacipran 12.5 MG) / 8 (milnacipran 25 MG)} Pack", "milnacipran", "unknown"),
]


@pytest.mark.parametrize(("words", "one", "other", "expected"), DRUGS)
def test_same_drug(words: str, one: str, other: str, expected: str) -> None:
    """Two products are the same drug when their displays name the same ingredient."""
    pair = product(one, "x"), product(other, "x")

    assert same_drug(*pair).value == expected, words
    assert same_drug(pair[1], pair[0]).value == expected, words


def test_brand_without_ingredient() -> None:
    """A branded product written by its brand alone tells no ingredient."""
    advil = product("Advil 200 MG Oral Tablet", "nsaid-oral", note="SBD")
    named = product("ibuprofen 200 MG Oral Tablet [Advil]", "nsaid-oral", note="SBD")

    assert named_ingredients(advil) == frozenset()
    assert named_ingredients(named) == {"ibuprofen"}
    assert same_drug(advil, IBUPROFEN.drug) is Answer.UNKNOWN


def test_same_drug_by_codes() -> None:
    """Without displays: a common code, one-ingredient sets, families and ingredient codes tell."""

    def coded(code: str, *sets: str, note: str = "") -> Concept:
        return Concept((Coding(SNOMED, code),), "", dict.fromkeys(sets, note))

    ingredient = "ingredient (IN); route not stated"

    assert same_drug(coded("1", "x"), coded("1", "x")) is Answer.YES
    assert same_drug(coded("1", "x", "tramadol"), coded("2", "x", "tramadol")) is Answer.YES
    assert same_drug(coded("1", "aspirin-low"), coded("2", "nsaid-oral")) is Answer.NO
    assert same_drug(coded("1", "aspirin-low"), coded("2", "aspirin-analgesic")) is Answer.UNKNOWN
    assert same_drug(coded("1", "x", "ssri"), coded("2", "x")) is Answer.NO
    assert same_drug(coded("1", "x", "ssri"), coded("2", "x", "ssri")) is Answer.UNKNOWN
    assert same_drug(coded("1", "x"), coded("2", "x")) is Answer.UNKNOWN
    assert (
        same_drug(coded("1", "x", note=ingredient), coded("2", "x", note=ingredient)) is Answer.NO
    )


# Two NSAIDs


def test_two_nsaids() -> None:
    """A second, different systemic NSAID counts, active or drafted."""
    name = "two_oral_nsaids"

    assert answer(name, NAPROXEN, IBUPROFEN) == "yes"
    assert answer(name, NAPROXEN, KETOROLAC) == "yes"
    assert answer(name, NAPROXEN, draft=IBUPROFEN) == "yes"
    assert answer(name, NAPROXEN, draft=referral("x"), drafts=(IBUPROFEN,)) == "yes"
    assert answer(name, draft=NAPROXEN, drafts=(IBUPROFEN,)) == "yes"
    assert answer(name, NAPROXEN, replace(IBUPROFEN, authored=ago(91))) == "no"
    assert answer(name, NAPROXEN) == "no"
    assert answer(name, NAPROXEN, unread=("medications",)) == "unknown"
    assert answer(name, unread=("medications",)) == "unknown"


def test_replaced_nsaid() -> None:
    """A replacement of the same drug counts once; what cannot be told apart is unknown."""
    name = "two_oral_nsaids"

    assert answer(name, NAPROXEN, draft=NAPROXEN_SODIUM) == "no"
    assert answer(name, NAPROXEN, draft=replace(NAPROXEN, status="draft")) == "no"
    assert answer(name, NAPROXEN, UNNAMED_NSAID) == "unknown"
    assert answer(name, NAPROXEN, UNNAMED_NSAID, draft=IBUPROFEN) == "yes"


def test_nsaid_in_place_of_another() -> None:
    """A draft that replaces the active NSAID, or goes on where it ends, is no second one (H-06)."""
    name, prior = "two_oral_nsaids", NAPROXEN.reference
    instead = replace(IBUPROFEN, status="draft", replaces_prior=True, prior=prior)
    unread = replace(instead, prior=None)
    ends = replace(NAPROXEN, authored=ago(14), supply_days=14)
    begins = replace(IBUPROFEN, status="draft", authored=ago(0))

    assert answer(name, NAPROXEN, draft=instead) == "no"
    assert answer(name, NAPROXEN, draft=referral("x"), drafts=(instead,)) == "no"
    assert answer(name, NAPROXEN, replace(instead, status="active")) == "no"
    assert answer(name, NAPROXEN, draft=unread) == "no"
    assert answer(name, ends, draft=begins) == "no"

    assert answer(name, NAPROXEN, draft=replace(instead, prior="MedicationRequest/old")) == "yes"
    assert answer(name, NAPROXEN, KETOROLAC, draft=instead) == "yes"
    assert answer(name, NAPROXEN, KETOROLAC, draft=unread) == "yes"
    assert answer(name, replace(ends, supply_days=15), draft=begins) == "yes"


def test_aspirin_beside_nsaid() -> None:
    """Low-dose aspirin is never a second NSAID; above 325 mg a day it is."""
    for value_set in ("aspirin-low", "aspirin-analgesic"):
        aspirin = taken("aspirin 325 MG Oral Tablet", value_set)

        assert answer("two_oral_nsaids", NAPROXEN, aspirin) == "no"
        assert answer("two_oral_nsaids", NAPROXEN, replace(aspirin, dosages=daily(325))) == "no"
        high = replace(aspirin, dosages=daily(326))
        assert answer("two_oral_nsaids", NAPROXEN, high) == "yes"
        assert answer("two_oral_nsaids", ASPIRIN, high) == "no"


def test_nsaid_on_the_skin() -> None:
    """An NSAID coded without form but used on the skin is no systemic one."""
    skin = Dosage(route=Concept((Coding(SNOMED, "6064005"),)))
    plain = product("diclofenac", "nsaid-oral", note="ingredient (IN); route not stated: treat as")
    gel = replace(NAPROXEN, drug=plain, dosages=(skin,))

    assert answer("two_oral_nsaids", NAPROXEN, gel) == "no"
    assert answer("two_oral_nsaids", NAPROXEN, replace(gel, dosages=())) == "yes"


# Sedating drugs


def test_sedating_drug_beside_the_draft() -> None:
    """The evaluated draft and its own ingredient are never the other sedating drug."""
    name = "cns_depressant_other"

    assert answer(name, OXYCODONE, ZOLPIDEM, draft=GABAPENTIN) == "yes"
    assert answer(name, OXYCODONE, draft=GABAPENTIN) == "no"
    assert answer(name, GABAPENTIN, draft=replace(GABAPENTIN, status="draft")) == "no"
    assert answer(name, ZOLPIDEM, draft=AMBIEN) == "no"
    assert answer(name, draft=GABAPENTIN, drafts=(ZOLPIDEM,)) == "yes"
    assert answer(name, UNNAMED_SEDATIVE, draft=GABAPENTIN) == "unknown"
    assert answer(name, UNNAMED_SEDATIVE, draft=OXYCODONE) == "yes"
    assert answer(name, ZOLPIDEM, draft=referral("x")) == "yes"
    assert answer(name, ZOLPIDEM, draft=UNREAD_DRAFT) == "unknown"
    assert answer(name, draft=UNREAD_DRAFT) == "no"
    assert answer(name, draft=GABAPENTIN, unread=("medications",)) == "unknown"


def test_sedating_drug_on_opening_the_chart() -> None:
    """An opioid or cyclobenzaprine, the subject of the card, is no other sedating drug."""
    name = "cns_depressant_other"

    assert answer(name, OXYCODONE, COUGH_OPIOID) == "no"
    assert answer(name, CYCLOBENZAPRINE) == "no"
    assert answer(name, CYCLOBENZAPRINE, ZOLPIDEM) == "yes"
    assert answer(name, OXYCODONE, ALPRAZOLAM) == "yes"
    assert answer(name, unread=("medications",)) == "unknown"


def test_two_sedating_drugs() -> None:
    """Two different sedating drugs beside the one in question."""
    name = "cns_depressants_two"

    assert answer(name, ZOLPIDEM, ALPRAZOLAM, draft=OXYCODONE) == "yes"
    assert answer(name, ZOLPIDEM, draft=OXYCODONE, drafts=(ALPRAZOLAM,)) == "yes"
    assert answer(name, ZOLPIDEM, AMBIEN, draft=OXYCODONE) == "no"
    assert answer(name, ZOLPIDEM, draft=OXYCODONE) == "no"
    assert answer(name, ZOLPIDEM, draft=OXYCODONE, unread=("medications",)) == "unknown"
    assert answer(name, ZOLPIDEM, UNNAMED_SEDATIVE, draft=OXYCODONE) == "unknown"
    assert answer(name, ALPRAZOLAM, UNNAMED_SEDATIVE, draft=OXYCODONE) == "yes"
    assert answer(name, ZOLPIDEM, CYCLOBENZAPRINE, draft=CYCLOBENZAPRINE) == "no"
    assert answer(name, ZOLPIDEM, GABAPENTIN, draft=CYCLOBENZAPRINE) == "yes"
    assert answer(name, OXYCODONE, ZOLPIDEM, ALPRAZOLAM) == "yes"
    assert answer(name, CYCLOBENZAPRINE, ZOLPIDEM) == "no"
    assert answer(name, OXYCODONE, CYCLOBENZAPRINE, ZOLPIDEM) == "no"


# Serotonergic drugs


def test_serotonergic() -> None:
    """Another strongly serotonergic drug than the draft, active, drafted or possibly taken."""
    name = "serotonergic_strong"

    assert answer(name, SERTRALINE, draft=DULOXETINE) == "yes"
    assert answer(name, draft=DULOXETINE, drafts=(SERTRALINE,)) == "yes"
    assert answer(name, DULOXETINE, draft=replace(DULOXETINE, status="draft")) == "no"
    assert answer(name, draft=DULOXETINE) == "no"
    assert answer(name, SERTRALINE, draft=CYCLOBENZAPRINE) == "yes"
    assert answer(name, SERTRALINE) == "yes"
    assert answer(name, draft=DULOXETINE, unread=("medications",)) == "unknown"
    unnamed = taken("", "serotonergic-strong")
    assert answer(name, unnamed, draft=taken("methadone", "serotonergic-strong")) == "unknown"
    assert answer(name, SERTRALINE, draft=UNREAD_DRAFT) == "unknown"


@pytest.mark.parametrize(
    ("days", "expected"), [(90, "yes"), (91, "yes"), (365, "yes"), (366, "no")]
)
def test_lapsed_serotonergic(days: int, expected: str) -> None:
    """A lapsed one may still be taken for a year, whether or not the drafted drug is active."""
    lapsed = replace(SERTRALINE, authored=ago(days))

    assert answer("serotonergic_strong", lapsed, draft=DULOXETINE) == expected
    assert answer("serotonergic_strong", lapsed, DULOXETINE, draft=DULOXETINE) == expected


def test_lapsed_drafted_drug() -> None:
    """The drafted drug's own lapsed order is a renewal, no combination."""
    lapsed = replace(DULOXETINE, authored=ago(120))

    assert answer("serotonergic_strong", lapsed, draft=DULOXETINE) == "no"
