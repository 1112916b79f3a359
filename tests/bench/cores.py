"""The patients the benchmark asks about: fixtures whose cards are known, by hook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from service.shift import shift_to

FIXTURES = Path(__file__).resolve().parents[2] / "fhir_fixtures"


@dataclass(frozen=True, slots=True)
class Core:
    """The entries of one patient that the advice rests on.

    Attributes:
        fixture: name of the fixture they are taken from.
        back_pain: whether the problem list holds back pain; if not, the fixture's is left out.
        drugs: whether any drug is taken; if not, none is added either.
    """

    fixture: str
    back_pain: bool
    drugs: bool


CORES: tuple[Core, ...] = (
    # patient-view
    Core("mid-back-a0-on-apixaban", back_pain=True, drugs=True),
    Core("worked-example-12-both-running", back_pain=True, drugs=True),
    Core("chronic-low-back-no-therapy", back_pain=True, drugs=False),
    Core("silent-no-back-pain", back_pain=False, drugs=False),
    Core("naproxen-and-meloxicam-running", back_pain=False, drugs=True),
    # order-select
    Core("tramadol-on-sertraline", back_pain=True, drugs=True),
    Core("manipulation-with-cauda-equina", back_pain=True, drugs=False),
    Core("ibuprofen-apixaban", back_pain=False, drugs=True),
    # order-sign
    Core("cyclobenzaprine-everything-at-once", back_pain=True, drugs=True),
    Core("oxycodone-on-alprazolam", back_pain=True, drugs=True),
    Core("six-orders-signed", back_pain=True, drugs=False),
    Core("naproxen-on-meloxicam", back_pain=False, drugs=True),
)
# Each of these patients is shown cards; the speed that is promised is the speed for them.
BACK_PAIN: tuple[Core, ...] = tuple(core for core in CORES if core.back_pain)


def read_core(core: Core, day: date) -> dict[str, Any]:
    """The request of a core as a client would send it on a day: dates moved, no fixture mark."""
    request = shift_to(json.loads(_text(core.fixture)), day)
    del request["extension"]
    if not core.back_pain:
        request["prefetch"]["conditions"] = {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": 0,
        }
    return request


@cache
def _text(fixture: str) -> str:
    return (FIXTURES / fixture / "request.json").read_text(encoding="utf-8")
