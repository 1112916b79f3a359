"""The synthetic patients are valid FHIR R4, except those that are broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from cards.record import PREFETCH_KEYS

FIXTURES = Path(__file__).parents[1] / "fhir_fixtures"


def _requests() -> dict[str, dict[str, Any]]:
    return {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(FIXTURES.glob("*/request.json"))
    }


REQUESTS = _requests()


def _mark(request: dict[str, Any]) -> dict[str, Any]:
    mark: dict[str, Any] = request["extension"]["org.backpath.fixture"]
    return mark


VALID = [name for name, request in REQUESTS.items() if _mark(request)["validR4"]]
BROKEN = [name for name, request in REQUESTS.items() if not _mark(request)["validR4"]]


def _resources(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every prefetched resource and the draft bundle, each bundle followed by its entries."""
    tops = list(request["prefetch"].values())
    if "draftOrders" in request["context"]:
        tops.append(request["context"]["draftOrders"])
    for top in tops:
        yield top
        for entry in top.get("entry", []):
            yield entry["resource"]


def _check(request: dict[str, Any]) -> None:
    for resource in _resources(request):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def test_there_are_patients() -> None:
    """The clinic has its synthetic patients: an empty folder would pass every other test."""
    assert len(VALID) >= 30
    assert BROKEN


@pytest.mark.parametrize("name", VALID)
def test_every_resource_is_valid(name: str) -> None:
    """Each chart entry and each drafted order of the patient is valid R4."""
    _check(REQUESTS[name])


@pytest.mark.parametrize("name", BROKEN)
def test_broken_on_purpose_is_broken(name: str) -> None:
    """A request marked as broken really holds something a strict reader refuses."""
    with pytest.raises(ValidationError):
        _check(REQUESTS[name])


@pytest.mark.parametrize("name", REQUESTS)
def test_request_is_complete(name: str) -> None:
    """Each patient comes as a whole call: hook, service, day, patient and known keys only."""
    request = REQUESTS[name]
    mark = _mark(request)
    assert mark["service"] == f"back-pain-{request['hook']}"
    assert mark["asOf"] == "2026-06-15"
    assert request["context"]["patientId"] == request["prefetch"]["patient"]["id"]
    assert set(request["prefetch"]) <= set(PREFETCH_KEYS)
    if request["hook"] == "order-select":
        drafts = [e["resource"] for e in request["context"]["draftOrders"]["entry"]]
        known = {f"{draft['resourceType']}/{draft['id']}" for draft in drafts}
        assert set(request["context"]["selections"]) <= known


def test_every_patient_has_a_sentence() -> None:
    """The list of patients names each folder once, and no folder that is not there."""
    rows = (FIXTURES / "README.md").read_text(encoding="utf-8").splitlines()
    named = [row.split("|")[1].strip() for row in rows if row.startswith("| ")][1:]
    assert sorted(named) == sorted(REQUESTS)


def test_no_two_patients_share_a_name() -> None:
    """Each invented person appears once, so that a leak can be traced to its request."""
    patients = [request["prefetch"]["patient"] for request in REQUESTS.values()]
    names = [(p["name"][0]["given"][0], p["name"][0]["family"]) for p in patients]
    assert len(set(names)) == len(names)
    assert len({p["id"] for p in patients}) == len(patients)
