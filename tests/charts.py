"""Short ways to write a chart in a test: entries dated by days before one fixed day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from cards.case import Case
from cards.codes import SNOMED
from cards.record import (
    PREFETCH_KEYS,
    Allergy,
    Coding,
    Concept,
    Condition,
    Coverage,
    Draft,
    Encounter,
    MedicationOrder,
    Observation,
    Patient,
    PatientRecord,
    Procedure,
    Quantity,
    ServiceOrder,
    When,
)

TODAY = date(2026, 3, 2)


def ago(days: int) -> When:
    """A full date so many days before the day of the tests."""
    day = TODAY - timedelta(days=days)
    return When(day, day, day.isoformat())


def concept(*sets: str, note: str = "", code: str | None = None) -> Concept:
    """A concept in these value sets, with a code of its own for each combination of sets."""
    return Concept(
        (Coding(SNOMED, code or "-".join(sets)),), " ".join(sets), dict.fromkeys(sets, note)
    )


def pain(*sets: str, **members: Any) -> Condition:
    """An active Condition in these value sets."""
    kept = {"reference": f"Condition/{'-'.join(sets)}", "clinical": "active", **members}
    return Condition(concept=concept(*sets), **kept)


def low_back_pain(**members: Any) -> Condition:
    """Active low back pain."""
    return pain("low-back-pain", "back-pain-any", **members)


def drug(*sets: str, days: int, supply: float | None = None, **members: Any) -> MedicationOrder:
    """An active order for a drug of these sets, written so many days ago."""
    kept = {"status": "active", "intent": "order", "supply_days": supply, **members}
    return MedicationOrder(
        f"MedicationRequest/{days}", drug=concept(*sets), authored=ago(days), **kept
    )


def session(*sets: str, days: int, **members: Any) -> Procedure:
    """A completed session of care so many days ago."""
    kept = {"status": "completed", "start": ago(days), **members}
    return Procedure(f"Procedure/{days}", concept(*sets), **kept)


def referral(*sets: str, days: int = 1, **members: Any) -> ServiceOrder:
    """An active order for care so many days ago."""
    kept = {"status": "active", "intent": "order", "authored": ago(days), **members}
    return ServiceOrder(f"ServiceRequest/{days}", "ServiceRequest", concept=concept(*sets), **kept)


def score(value: float, days: int, *sets: str) -> Observation:
    """A pain score so many days ago."""
    sets = sets or ("pain-score",)
    return Observation(
        f"Observation/{days}", concept(*sets), "final", ago(days), Quantity(value, "{score}")
    )


def visit(*reasons: Concept) -> Encounter:
    """The visit of this call."""
    return Encounter("Encounter/e", "in-progress", "AMB", reasons=reasons, start=ago(0))


def chart(
    *entries: Any,
    unread: tuple[str, ...] = (),
    draft: Any = None,
    drafts: tuple[Any, ...] = (),
    at: Encounter | None = None,
) -> Case:
    """A case of these entries; every key read but those named; a draft makes it an order hook."""

    def of(kind: type) -> tuple[Any, ...]:
        return tuple(e for e in entries if isinstance(e, kind))

    evaluated = Draft(draft, True) if draft is not None else None
    others = tuple(Draft(order, False) for order in drafts)
    record = PatientRecord(
        hook="order-sign" if draft is not None else "patient-view",
        patient=Patient("p", ago(15000), False, None),
        conditions=of(Condition),
        medications=of(MedicationOrder),
        observations=of(Observation),
        procedures=of(Procedure),
        service_orders=of(ServiceOrder),
        encounters=(*of(Encounter), *((at,) if at else ())),
        allergies=of(Allergy),
        drafts=(*((evaluated,) if evaluated else ()), *others),
        encounter=at.reference if at else None,
        coverage={k: Coverage.MISSING if k in unread else Coverage.READ for k in PREFETCH_KEYS},
    )
    return Case(record, TODAY, evaluated)
