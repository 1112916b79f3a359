"""Calls about a person with chronic low back pain who takes, or is to take, certain drugs."""

from __future__ import annotations

from copy import deepcopy
from datetime import date
from functools import cache
from typing import Any

from flask.testing import FlaskClient

from cards.library import Library, load_library
from service.app import create_app
from service.settings import Settings
from tests.fixture_cards import fixtures

DAY = date(2026, 6, 15)
JSON = dict[str, Any]
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
STORY = "oxycodone-chronic-no-steps"


def medicine(drug: tuple[str, str], name: str, status: str = "active", **elements: Any) -> JSON:
    """A MedicationRequest written two weeks ago."""
    code, display = drug
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": status,
        "intent": "order",
        "subject": {"reference": "Patient/pt-ballantyne"},
        "authoredOn": "2026-06-01",
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": code, "display": display}]
        },
        **elements,
    }


def taken(value: float, unit: str = "mg", times: int = 1, **more: Any) -> JSON:
    """The dosage of so much, so many times a day."""
    dosage = {
        "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [
            {"doseQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": unit}}
        ],
        **more,
    }
    return {"dosageInstruction": [dosage]}


def supplied(tablets: float, days: float) -> JSON:
    """What is dispensed, without any instruction."""
    return {
        "dispenseRequest": {
            "quantity": {"value": tablets, "code": "{tbl}"},
            "expectedSupplyDuration": {
                "value": days,
                "system": "http://unitsofmeasure.org",
                "code": "d",
            },
        }
    }


def call(*drafts: JSON, active: tuple[JSON, ...] = (), hook: str = "order-sign") -> JSON:
    """A call about a person with chronic low back pain, who takes and is to take these."""
    story = next(f for f in fixtures() if f.name == STORY)
    request = deepcopy(story.request)
    request["hook"] = hook
    entries = [{"resource": {**draft, "status": "draft"}} for draft in drafts]
    request["context"]["draftOrders"]["entry"] = entries
    if hook == "patient-view":
        del request["context"]["draftOrders"]
    medicines = [{"resource": resource} for resource in active]
    request["prefetch"]["medications"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(medicines),
        "entry": medicines,
    }
    return request


def client(settings: Settings | None = None, day: date = DAY) -> FlaskClient:
    """A client of the service on this day, that of the story unless said."""
    content = None if settings else library()
    settings = settings or Settings(database_url="sqlite:///:memory:")
    return create_app(settings, today=lambda: day, library=content).test_client()


@cache
def library() -> Library:
    """The content as it is without settings."""
    return load_library()


def cards(service: FlaskClient, request: JSON) -> dict[str, JSON]:
    """Recommendation → the card that bears it, over HTTP."""
    answer = service.post(f"/cds-services/back-pain-{request['hook']}", json=request)
    assert answer.status_code == 200
    body: JSON = answer.get_json()
    assert not body.get("extension", {}).get("org.backpath.response", {}).get("errors")
    return {
        name: card
        for card in body["cards"]
        for name in card["extension"]["org.backpath.card"]["recommendations"]
    }
