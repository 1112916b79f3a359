"""What else a patient has: long-term illnesses, their drugs, and what endangers a bad back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from tests.populations.catalogue import Code, code_of
from tests.populations.entries import (
    Resource,
    allergy,
    amount,
    before,
    prescription,
    problem,
    result,
)
from tests.populations.person import Person

ADULT = 18


@dataclass(frozen=True, slots=True)
class Illness:
    """One illness of adults and how common it is.

    Attributes:
        problem: group of its codes; empty for a drug taken for no recorded problem.
        drugs: groups of drugs it may be treated with; one is taken by ``treated`` of those ill.
        young: its share of adults below 50; middle: from 50 to 64; old: from 65 on.
        recent: whether it was recorded within the last two weeks, not years ago.
    """

    problem: str
    drugs: tuple[str, ...]
    young: float
    middle: float
    old: float
    treated: float = 0.8
    recent: bool = False

    def share(self, age: int) -> float:
        """How many of this age have it."""
        return self.young if age < 50 else self.middle if age < 65 else self.old


ILLNESSES = (
    Illness("hypertension", (), 0.08, 0.35, 0.6),
    Illness("diabetes", ("metformin",), 0.03, 0.12, 0.2),
    Illness("atrial-fibrillation", ("anticoagulant",), 0.003, 0.03, 0.12, treated=0.85),
    Illness("coronary", ("aspirin",), 0.005, 0.05, 0.14),
    Illness("heart-failure", (), 0.002, 0.015, 0.06),
    Illness("ulcer-bleed", ("ppi",), 0.004, 0.015, 0.03),
    Illness("cancer-history", (), 0.006, 0.04, 0.09),
    Illness("cancer", (), 0.002, 0.01, 0.03),
    Illness("osteoarthritis", ("nsaid", "acetaminophen"), 0.02, 0.12, 0.28, treated=0.5),
    Illness("depression", ("ssri", "duloxetine", "tricyclic"), 0.08, 0.1, 0.08, treated=0.6),
    Illness("anxiety", ("benzodiazepine", "ssri"), 0.06, 0.06, 0.05, treated=0.5),
    Illness("sleep-apnoea", (), 0.01, 0.05, 0.06),
    Illness("lung", ("steroid",), 0.005, 0.05, 0.1, treated=0.15),
    Illness("liver", (), 0.003, 0.008, 0.008),
    Illness("opioid-dependence", (), 0.008, 0.006, 0.002),
    Illness("", ("ppi",), 0.03, 0.1, 0.2, treated=1),
    Illness("", ("benzodiazepine",), 0.01, 0.02, 0.03, treated=1),
    Illness("", ("nsaid",), 0.02, 0.03, 0.02, treated=1),
    Illness("fever", (), 0.003, 0.003, 0.004, recent=True),
    Illness("weight-loss", (), 0.001, 0.003, 0.008, recent=True),
    Illness("trauma", (), 0.004, 0.004, 0.006, recent=True),
)


def everyday(person: Person, day: date, chance: Random) -> Iterator[Resource]:
    """The long-term illnesses, drugs, hazards and allergies of one person; children have none."""
    if person.age < ADULT:
        return
    for illness in ILLNESSES:
        if chance.random() < illness.share(person.age):
            yield from _ill(illness, day, chance)
    yield from _kidneys(person, day, chance)
    if person.female and person.age >= 55 and chance.random() < 0.15:
        yield problem(code_of("osteoporosis", chance), before(day, chance.randint(100, 3_000)))
    if person.female and person.age <= 42 and chance.random() < 0.04:
        yield from _pregnancy(day, chance)
    if chance.random() < 0.01:
        yield allergy(code_of("nsaid-allergy", chance), before(day, chance.randint(30, 3_000)))


def _ill(illness: Illness, day: date, chance: Random) -> Iterator[Resource]:
    recorded = before(day, chance.randint(0, 13) if illness.recent else chance.randint(30, 3_600))
    code = code_of(illness.problem, chance) if illness.problem else None
    if code:
        yield problem(code, recorded)
    if illness.drugs and chance.random() < illness.treated:
        yield from taken(code_of(chance.choice(illness.drugs), chance), day, chance, code)


def taken(drug: Code, day: date, chance: Random, why: Code | None = None) -> Iterator[Resource]:
    """A drug taken now, and often an earlier order for it that was used up.

    Args:
        why: the problem it is for; None when the orders do not say.
    """
    supplied = drug.days or 30
    latest = chance.randint(0, supplied)
    yield prescription(drug, before(day, latest), why=why)
    if chance.random() < 0.6:
        yield prescription(drug, before(day, latest + supplied), "completed", why)


def _kidneys(person: Person, day: date, chance: Random) -> Iterator[Resource]:
    """Kidney disease with its eGFR; of the others some have a usual eGFR on record."""
    share = 0.01 if person.age < 60 else 0.14
    if chance.random() < share:
        severe = chance.random() < 0.2
        group, low, high = ("kidney-4", 16, 29) if severe else ("kidney-3", 45, 58)
        yield problem(code_of(group, chance), before(day, chance.randint(100, 2_000)))
        filtered = chance.randint(low, high)
    elif chance.random() < 0.35:
        filtered = chance.randint(62, 110)
    else:
        return
    value = amount(filtered, "mL/min/{1.73_m2}")
    taken_on = before(day, chance.randint(5, 400))
    yield result(code_of("egfr", chance), taken_on, valueQuantity=value)


def _pregnancy(day: date, chance: Random) -> Iterator[Resource]:
    weeks = chance.randint(6, 39)
    found = before(day, max(0, weeks - 5) * 7)
    yield problem(code_of("pregnancy", chance), found)
    due = before(day, -(40 - weeks) * 7)
    yield result(code_of("delivery-date", chance), found, valueDateTime=str(due))
