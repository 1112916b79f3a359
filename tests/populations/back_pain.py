"""Stories of back pain: what hurts and since when, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from tests.populations.catalogue import Code, code_of
from tests.populations.entries import (
    Resource,
    amount,
    before,
    device_order,
    imaging_report,
    prescription,
    problem,
    result,
    service_order,
    session,
)
from tests.populations.everyday import taken

SITES = {
    "low-back": 50,
    "chronic-low-back": 4,
    "sciatica": 15,
    "mid-back": 11,
    "myofascial": 7,
    "spasm": 7,
    "strain": 4,
    "stenosis": 2,
}
# How long ago it began; what is over was over some time ago.
PHASES = {"acute": 14, "subacute": 12, "chronic": 42, "over": 32}
ONSETS = {"acute": (1, 26), "subacute": (29, 83), "chronic": (95, 2_500), "over": (150, 3_000)}
LONG_LASTING = ("chronic-low-back", "stenosis")
# Share of painful backs in each phase for which a drug of the group is taken now.
DRUGS = {
    "nsaid": {"acute": 0.55, "subacute": 0.5, "chronic": 0.4},
    "acetaminophen": {"acute": 0.3, "subacute": 0.25, "chronic": 0.25},
    "relaxant": {"acute": 0.3, "subacute": 0.2, "chronic": 0.15},
    "opioid": {"acute": 0.1, "subacute": 0.12, "chronic": 0.2},
    "gabapentinoid": {"acute": 0.02, "subacute": 0.08, "chronic": 0.18},
    "duloxetine": {"acute": 0.0, "subacute": 0.02, "chronic": 0.1},
    "benzodiazepine": {"acute": 0.03, "subacute": 0.03, "chronic": 0.04},
    "tricyclic": {"acute": 0.0, "subacute": 0.01, "chronic": 0.05},
    "steroid": {"acute": 0.04, "subacute": 0.03, "chronic": 0.01},
}


@dataclass(frozen=True, slots=True)
class Pain:
    """One painful back: the problem, its phase and its days so far."""

    code: Code
    site: str
    phase: str
    days: int


def back_pain(age: int, day: date, chance: Random) -> Iterator[Resource]:
    """The entries of one episode of back pain of an adult, up to a day."""
    (site,) = chance.choices(list(SITES), list(SITES.values()))
    (phase,) = chance.choices(list(PHASES), list(PHASES.values()))
    phase = "chronic" if site in LONG_LASTING else phase
    most = max(ONSETS[phase][0], min(ONSETS[phase][1], (age - 17) * 365))
    pain = Pain(code_of(site, chance), site, phase, chance.randint(ONSETS[phase][0], most))
    yield _recorded(pain, day, chance)
    yield from _scores(pain, day, chance)
    yield from _steps(pain, day, chance)
    if phase == "over":
        yield from _used_up(pain, day, chance)
    else:
        yield from _drugs(pain, day, chance)
        yield from _alarms(pain, day, chance)
    if phase != "acute" or chance.random() < 0.15:
        yield from _imaging(pain, day, chance)


def _recorded(pain: Pain, day: date, chance: Random) -> Resource:
    """The problem, brought to the practice some days after it began."""
    seen = max(0, pain.days - chance.choice((0, 1, 3, 10, 20)))
    ended = before(day, chance.randint(40, pain.days - 60)) if pain.phase == "over" else None
    return problem(pain.code, before(day, seen), before(day, pain.days), ended)


def _scores(pain: Pain, day: date, chance: Random) -> Iterator[Resource]:
    if chance.random() < 0.6:
        latest = pain.days // 2 + 5 if pain.phase == "over" else min(pain.days, 5)
        for days in sorted({pain.days - 1, latest}, reverse=True):
            score = amount(chance.randint(2, 9), "{score}")
            yield result(code_of("pain-score", chance), before(day, days), valueQuantity=score)
    if chance.random() < 0.15:
        taken_on = before(day, min(pain.days, chance.randint(0, 80)))
        score = amount(chance.randint(0, 20), "{score}")
        yield result(code_of("phq-9", chance), taken_on, valueQuantity=score)


def _steps(pain: Pain, day: date, chance: Random) -> Iterator[Resource]:
    """Teaching, exercise, and what else was tried without drugs."""
    begun = max(0, min(pain.days - 1, chance.choice((10, 30, 60, 90, 200))))
    if pain.phase == "over":
        begun = pain.days - 10
    if chance.random() < 0.35:
        yield session(code_of("education", chance), before(day, begun), pain.code)
    if chance.random() < 0.5:
        yield from _exercise(pain, begun, day, chance)
    for group, share in (("massage", 0.08), ("acupuncture", 0.04), ("tens-session", 0.03)):
        if chance.random() < share:
            code = code_of(group, chance)
            for days in range(begun, max(begun - 28, -1), -7):
                yield session(code, before(day, days), pain.code)
    if pain.phase == "chronic" and chance.random() < 0.06:
        yield device_order(code_of("tens-device", chance), before(day, begun), pain.code)
    if pain.phase in ("chronic", "over") and chance.random() < 0.08:
        group = "trigger-point-injection" if pain.site == "myofascial" else "epidural"
        yield session(code_of(group, chance), before(day, begun), pain.code)
    if pain.phase == "chronic" and chance.random() < 0.08:
        referral = code_of("pain-clinic-referral", chance)
        yield service_order(referral, before(day, begun), "active", pain.code)


def _exercise(pain: Pain, begun: int, day: date, chance: Random) -> Iterator[Resource]:
    """A referral to physiotherapy; most attend, once a week for some weeks."""
    attended = begun >= 7 and chance.random() < 0.75
    referral = code_of("physiotherapy-referral", chance)
    status = "completed" if attended else "active"
    yield service_order(referral, before(day, begun), status, pain.code)
    if attended:
        exercise, weeks = code_of("exercise", chance), chance.choice((2, 4, 6, 8))
        for days in range(begun - 4, max(begun - 4 - 7 * weeks, -1), -7):
            yield session(exercise, before(day, days), pain.code)


def _drugs(pain: Pain, day: date, chance: Random) -> Iterator[Resource]:
    """The drugs taken now, no order older than the pain."""
    for group, shares in DRUGS.items():
        if chance.random() >= shares[pain.phase]:
            continue
        long_acting = group == "opioid" and pain.phase == "chronic" and chance.random() < 0.15
        drug = code_of("long-acting-opioid" if long_acting else group, chance)
        if pain.days > 60:
            yield from taken(drug, day, chance, pain.code)
        else:
            written = before(day, chance.randint(0, min(pain.days, 13)))
            yield prescription(drug, written, why=pain.code)
        if group == "opioid" and chance.random() < 0.3:
            yield session(code_of("opioid-counselling", chance), before(day, min(pain.days, 20)))
        if group == "opioid" and chance.random() < 0.15:
            yield prescription(code_of("naloxone", chance), before(day, min(pain.days, 20)))


def _used_up(pain: Pain, day: date, chance: Random) -> Iterator[Resource]:
    for group in ("nsaid", "relaxant", "opioid"):
        if chance.random() < DRUGS[group]["acute"]:
            drug = code_of(group, chance)
            yield prescription(drug, before(day, pain.days - 1), "completed", pain.code)


def _imaging(pain: Pain, day: date, chance: Random) -> Iterator[Resource]:
    """An image ordered; most are reported a few days later."""
    group = chance.choice(("x-ray", "magnetic-resonance", "", ""))
    if not group:
        return
    code, ordered = code_of(group, chance), chance.randint(0, min(pain.days - 1, 400))
    if pain.phase == "over":
        ordered = pain.days - 6
    reported = ordered > 5 and chance.random() < 0.9
    status = "completed" if reported else "active"
    yield service_order(code, before(day, ordered), status, pain.code)
    if reported:
        yield imaging_report(code, before(day, ordered - 3))


def _alarms(pain: Pain, day: date, chance: Random) -> Iterator[Resource]:
    """Red flags that came with the pain, rare each; a fever is measured too."""
    recorded = before(day, min(pain.days, chance.randint(0, 9)))
    for group, share in (
        ("cauda-equina", 0.003),
        ("foot-drop", 0.005),
        ("fever", 0.01),
        ("weight-loss", 0.01),
        ("trauma", 0.015),
    ):
        if chance.random() < share:
            yield problem(code_of(group, chance), recorded)
            if group == "fever":
                value = amount(round(chance.uniform(38.1, 39.6), 1), "Cel")
                yield result(code_of("temperature", chance), recorded, valueQuantity=value)
