"""The hook calls of the benchmark, made by seeded chance: a patient's core in a long chart.

Every call is one core (``cores.py``: three hooks, with and without back pain, with and without
drugs) whose prefetch is filled up with entries that change no advice (``noise.py``) until it holds
so many resources, the Patient included. The cards are those of the core alone; a test holds it to
that. The same size, day and seed give the same calls, byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from service.prefetch import SEARCHES
from tests.bench.cores import BACK_PAIN, CORES, Core, read_core
from tests.bench.noise import Resource, noise

SIZES = (10, 50, 200, 1_000, 2_000)
SEED = 20_260_615
PATIENTS = {"back-pain": BACK_PAIN, "mixed": CORES}
KEYS = {kind: key for key, kind in SEARCHES.items()}


@dataclass(frozen=True, slots=True)
class BenchCall:
    """One call, and the core its cards come from."""

    core: Core
    request: dict[str, Any]

    @property
    def service(self) -> str:
        """Id of the service it is for."""
        return f"back-pain-{self.request['hook']}"

    @property
    def body(self) -> bytes:
        """As sent: compact JSON."""
        return json.dumps(self.request, ensure_ascii=False, separators=(",", ":")).encode()


def make_calls(
    size: int, day: date, cores: Iterable[Core] = CORES, seed: int = SEED
) -> tuple[BenchCall, ...]:
    """One call for each core, of so many prefetched resources, current on a day.

    Raises:
        ValueError: a core alone holds more than that.
    """
    return tuple(make_call(core, size, day, seed) for core in cores)


def make_call(core: Core, size: int, day: date, seed: int = SEED) -> BenchCall:
    """The call of one core; see ``make_calls``."""
    request = read_core(core, day)
    missing = size - resources(request)
    if missing < 0:
        raise ValueError(f"{core.fixture} holds more than {size} resources")
    chance = Random(f"{seed} {core.fixture} {size}")
    patient = request["context"]["patientId"]
    _fill(request["prefetch"], noise(missing, patient, day, chance, drugs=core.drugs), chance)
    return BenchCall(core, request)


def resources(request: dict[str, Any]) -> int:
    """How many resources the prefetch holds, the Patient included."""
    return 1 + sum(len(bundle.get("entry", ())) for bundle in _bundles(request["prefetch"]))


def _bundles(prefetch: dict[str, Any]) -> list[Resource]:
    return [value for value in prefetch.values() if value["resourceType"] == "Bundle"]


def _fill(prefetch: dict[str, Any], entries: Iterable[Resource], chance: Random) -> None:
    """Put entries among those of the search answer each belongs to."""
    for resource in entries:
        bundle = prefetch[KEYS[resource["resourceType"]]]
        address = f"https://fhir.example.org/r4/{resource['resourceType']}/{resource['id']}"
        found = {"fullUrl": address, "resource": resource, "search": {"mode": "match"}}
        bundle.setdefault("entry", []).append(found)
    for bundle in _bundles(prefetch):
        chance.shuffle(bundle.get("entry", []))
        bundle["total"] = len(bundle.get("entry", ()))


def write_calls(calls: Iterable[BenchCall], folder: Path) -> list[Path]:
    """Write each call to ``<folder>/<service>/<core>.json``."""
    files = []
    for call in calls:
        file = folder / call.service / f"{call.core.fixture}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(call.body)
        files.append(file)
    return files
