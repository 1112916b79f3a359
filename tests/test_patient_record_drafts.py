"""The draft orders of a hook call, and which of them are selected."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cards.codes import RXNORM, CodeIndex
from cards.record import Draft, HookName, MedicationOrder, OtherOrder, ServiceOrder
from service.patient_record import Reading, read_patient_record

NAPROXEN = {"coding": [{"system": RXNORM, "code": "849574", "display": "naproxen"}]}
INDEX = CodeIndex(exact={(RXNORM, "849574"): {"nsaid-oral": ""}})
ORDER = {
    "resourceType": "MedicationRequest",
    "id": "d1",
    "status": "draft",
    "subject": {"reference": "Patient/p1"},
    "medicationCodeableConcept": NAPROXEN,
}
URN = "urn:uuid:0fe762e3-9350-4387-98d4-a7e8a739d4e1"


def orders(*resources: Any) -> dict[str, Any]:
    """A Bundle of drafts without type, as the reference client sends it."""
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}


def read(draft_orders: Any, *, hook: HookName = "order-sign", **others: Any) -> Reading:
    """A call with these drafts."""
    prefetch = {"patient": {"resourceType": "Patient", "id": "p1"}, **others.pop("prefetch", {})}
    return read_patient_record(
        hook=hook,
        context={"patientId": "p1", "draftOrders": draft_orders, **others},
        prefetch=prefetch,
        coverage={},
        index=INDEX,
        today=date(2026, 4, 10),
    )


def drafts(draft_orders: Any, **others: Any) -> tuple[Draft, ...]:
    """The drafts read."""
    return read(draft_orders, **others).record.drafts


def test_every_draft_counts_as_selected_when_signing() -> None:
    """Signing concerns every order; each keeps its JSON for an update."""
    [draft] = drafts(orders(ORDER))

    assert isinstance(draft.order, MedicationOrder)
    assert (draft.order.reference, draft.selected) == ("MedicationRequest/d1", True)
    assert draft.order.drug.sets == {"nsaid-oral": ""}
    assert draft.resource is not None
    assert draft.resource["id"] == "d1"


@pytest.mark.parametrize(
    "selection",
    [
        "MedicationRequest/d1",
        "d1",
        "https://ehr.example.org/fhir/MedicationRequest/d1",
        "MedicationRequest/d1/_history/1",
        "urn:uuid:d1",
        URN,
        f"MedicationRequest/{URN[9:]}",
    ],
)
def test_selection_in_any_form_finds_its_draft(selection: str) -> None:
    """Relative, bare, absolute or urn: the order the clinician has selected is found."""
    other = {"resource": {**ORDER, "id": "d2"}}
    chosen = {"resource": ORDER, "fullUrl": URN}

    found = drafts(
        {"resourceType": "Bundle", "entry": [chosen, other]},
        hook="order-select",
        selections=[selection],
    )

    assert [draft.selected for draft in found] == [True, False]


@pytest.mark.parametrize("selections", [None, [], ["ServiceRequest/d1"], ["gone"], [3, None], {}])
def test_nothing_matched_nothing_selected(selections: Any) -> None:
    """Absent, empty or unmatched selections: no order is selected, the drafts stay partners."""
    [draft] = drafts(orders(ORDER), hook="order-select", selections=selections)

    assert not draft.selected


@pytest.mark.parametrize("value", [None, {}, {"resourceType": "Bundle"}, orders(), [], "x", 3])
def test_no_draft_at_all(value: Any) -> None:
    """A Bundle without entries, or none: no draft, no error."""
    assert drafts(value) == ()


def test_first_order_of_the_reference_client() -> None:
    """The prescribing view opens with an order without drug and intent; it is read."""
    empty = {"resourceType": "MedicationRequest", "id": "request-123", "category": {"text": "x"}}
    imaging = {"resourceType": "ServiceRequest", "id": "i", "code": {"coding": [{}]}}

    drug, image = drafts(orders(empty, {**imaging, "reasonCode": []}))

    assert isinstance(drug.order, MedicationOrder)
    assert isinstance(image.order, ServiceOrder)
    assert not drug.order.drug.readable
    assert not image.order.concept.readable


def test_entries_without_resource_and_broken_ones() -> None:
    """An entry without resource is passed over, a broken one counted."""
    bundle = orders(ORDER, "broken", {"id": "untyped"})
    bundle["entry"].append({"fullUrl": URN})

    reading = read(bundle)

    assert len(reading.record.drafts) == 1
    assert reading.dropped == {"unreadable:draftOrders": 2}


def test_other_patients_draft_is_dropped_and_counted() -> None:
    """An order for somebody else is never judged."""
    reading = read(orders({**ORDER, "subject": {"reference": "Patient/p2"}}))

    assert (reading.record.drafts, reading.dropped) == ((), {"other-patient": 1})


def test_proposals_are_judged_prohibitions_are_not() -> None:
    """A draft proposal is evaluated; an order not to give a drug gives none."""
    reading = read(orders({**ORDER, "intent": "proposal"}, {**ORDER, "doNotPerform": True}))

    assert len(reading.record.drafts) == 1
    assert reading.dropped == {"do-not-perform": 1}


def test_draft_of_an_unknown_type_is_evaluated() -> None:
    """A diet order is an order, though no fact reads it; its companions are no orders."""
    diet = {"resourceType": "NutritionOrder", "id": "n1"}
    companions = [{"resourceType": kind, "id": "x"} for kind in ("Medication", "Patient")]

    [draft] = drafts(orders(diet, *companions))

    assert draft.order == OtherOrder("NutritionOrder/n1", "NutritionOrder")


def test_draft_without_id_goes_by_its_urn_or_by_nothing() -> None:
    """Without id and urn an order is judged, but nothing can ever target it."""
    nameless = {key: value for key, value in ORDER.items() if key != "id"}
    with_urn = {"resource": nameless, "fullUrl": URN}

    named, anonymous = drafts(
        {"resourceType": "Bundle", "entry": [with_urn, {"resource": nameless}]}
    )

    assert named.order.reference == f"MedicationRequest/{URN[9:]}"
    assert anonymous.order.reference == ""


def test_drug_of_a_draft_may_stand_beside_it() -> None:
    """A Medication in the Bundle of drafts is the drug of the draft that points at it."""
    product = {"resourceType": "Medication", "id": "m1", "code": NAPROXEN}
    pointing = {**ORDER, "medicationReference": {"reference": "Medication/m1"}}
    del pointing["medicationCodeableConcept"]

    [draft] = drafts(orders(pointing, product))

    assert isinstance(draft.order, MedicationOrder)
    assert draft.order.drug.sets == {"nsaid-oral": ""}


def test_order_under_review_is_not_therapy_as_well() -> None:
    """An order sent as draft and on the medication list counts once, as the draft."""
    record = read(orders(ORDER), prefetch={"medications": orders({**ORDER, "status": "active"})})

    assert len(record.record.drafts) == 1
    assert record.record.medications == ()


def test_no_drafts_when_a_chart_is_opened() -> None:
    """Opening a chart concerns no order."""
    assert drafts(orders(ORDER), hook="patient-view") == ()
