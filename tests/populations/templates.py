"""Lines that change no advice, prepared as bytes: a chart puts in whose, when and at which visit.

They are made of the benchmark's noise (``tests/bench/noise.py``), and of vaccinations and claims,
which the service never reads. Body height and weight are the patient's own, so they stand apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from random import Random
from typing import Any

from tests.bench.noise import REMARK, codes, entry
from tests.populations.surroundings import ORGANIZATION, by_practitioner, medication_reference
from tests.populations.unread import unread_entry

Resource = dict[str, Any]
Template = bytes
# What stands in the places of every template, in this order. A template that has fewer dates
# takes the others and writes nothing for them.
PLACES = ("own", "at", "day", "own", "subject", "visit", "at", "at", "at")
NOTHING = b"%.0s"
# Of a hundred entries of a visit; Encounters and measures are made apart.
SHARES: Mapping[str, int] = {
    "Observation": 66,
    "Procedure": 8,
    "MedicationRequest": 6,
    "Condition": 4,
    "DiagnosticReport": 4,
    "ServiceRequest": 3,
    "Immunization": 3,
    "Claim": 4,
    "AllergyIntolerance": 1,
    "DeviceRequest": 1,
}
MIX_BITS = 11
MEASURES = {"8302-2": b"cm", "29463-7": b"kg"}
BY_REFERENCE = 0.25
_DAY = date(2020, 1, 1)
_VISIT = re.compile(r'"reference":"Encounter/([^"]+)"')
_MARKS = re.compile(rb"\x00(\w+)\x00")


@cache
def mix() -> Sequence[tuple[str, Template]]:
    """2 ** MIX_BITS templates with their types, by their shares; drawn once, always the same."""
    chance = Random("templates of noise")
    kinds = chance.choices(list(SHARES), list(SHARES.values()), k=2**MIX_BITS)
    return [(kind, template_of(_drawn(kind, chance))) for kind in kinds]


def _drawn(kind: str, chance: Random) -> Resource:
    if kind in ("Immunization", "Claim"):
        return unread_entry(kind, _DAY, chance)
    while True:
        resource = entry(kind, "who", _DAY, chance)
        if kind != "Observation" or _code(resource) not in MEASURES:
            break
    if kind == "MedicationRequest" and chance.random() < BY_REFERENCE:
        resource = medication_reference(resource)
    return {**resource, **by_practitioner(kind, chance)}


def _code(resource: Resource) -> str:
    code: str = resource["code"]["coding"][0]["code"]
    return code


@cache
def measures() -> Mapping[str, Template]:
    """Unit → the template of body height and of weight; the value is the last place but one."""
    chance = Random("templates of measures")
    found: dict[str, Template] = {}
    while len(found) < len(MEASURES):
        resource = entry("Observation", "who", _DAY, chance)
        if unit := MEASURES.get(_code(resource)):
            value = resource["valueQuantity"]
            resource["valueQuantity"] = {**value, "value": -1}
            template = template_of({**resource, **by_practitioner("Observation", chance)})
            found[unit.decode()] = template.replace(b'"value":-1', b'"value":%s')
    return found


@cache
def visits() -> Sequence[Template]:
    """Templates of Encounters that give no reason; their ``visit`` is left out."""
    chance = Random("templates of visits")
    return [template_of(_visit(chance)) for _ in range(3 * len(codes()["Encounter"]))]


def _visit(chance: Random) -> Resource:
    resource = entry("Encounter", "who", _DAY, chance)
    provider = {"reference": ORGANIZATION, "display": "Lower Exampleton Practice"}
    return {**resource, **by_practitioner("Encounter", chance), "serviceProvider": provider}


def template_of(resource: Resource) -> Template:
    """A noise entry as bytes, with ``%s`` for what differs from chart to chart.

    Raises:
        ValueError: its places come in another order than ``PLACES``.
    """
    at: str = resource["meta"]["lastUpdated"]
    text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
    for said, what in (
        (f"<p>{REMARK}</p>", ""),
        (resource["id"], "own"),
        (at, "at"),
        (at[:10], "day"),
        ('"reference":"Patient/who"', "subject"),
        *((said, "visit") for said in _VISIT.findall(text)),
    ):
        text = text.replace(said, f"\0{what}\0" if what else "")
    *pieces, end = _MARKS.split(text.encode().replace(b"%", b"%%"))
    line, place = b"", 0
    for piece, mark in zip(pieces[::2], pieces[1::2], strict=True):
        found = PLACES.index(mark.decode(), place)
        line += piece + NOTHING * (found - place) + b"%s"
        place = found + 1
    return line + end + NOTHING * (len(PLACES) - place)
