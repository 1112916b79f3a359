"""A draft as it would be once a suggestion of ours is accepted, and whether that would help."""

from __future__ import annotations

from dataclasses import replace

from cards.case import Case
from cards.dosage import days_dispensed, read_back
from cards.label_dose import label_dose
from cards.recommendation import DoseByIngredient, DraftedDose, DrugDose, SuggestionTemplate
from cards.record import Draft, MedicationOrder
from cards.supply import supply_days


def once_accepted(case: Case, template: SuggestionTemplate) -> Case | None:
    """The case with the draft under evaluation as an update of its drug would leave it.

    None where the suggestion puts another drug or a service in its place, or is no update: then
    what was said of the draft does not ask what would be said of the order.
    """
    draft = case.draft
    if draft is None or template.action != "update" or not isinstance(draft.order, MedicationOrder):
        return None
    order = _updated(template, draft.order)
    return _with(case, draft, replace(draft, order=order)) if order else None


def _updated(template: SuggestionTemplate, order: MedicationOrder) -> MedicationOrder | None:
    """The order in the new dose or supply; its product as drafted, as doses are in milligrams."""
    match template.dosage:
        case DraftedDose(days=days, refills=refills):
            return replace(order, supply_days=days, repeats=refills, quantity=None)
        case DoseByIngredient():
            found = label_dose(template.dosage, order)
            return _in_dose(found.dose, order) if found else None
        case DrugDose() if template.value_set in order.drug.sets:
            return _in_dose(template.dosage, order)
    return None


def _in_dose(dose: DrugDose, order: MedicationOrder) -> MedicationOrder:
    stated = days_dispensed(dose)
    return replace(
        order,
        dosages=read_back(dose),
        supply_days=supply_days(order) if stated is None else stated,
        repeats=dose.refills or 0,
        quantity=None,
    )


def _with(case: Case, draft: Draft, changed: Draft) -> Case:
    drafts = tuple(changed if each is draft else each for each in case.record.drafts)
    return case.of(replace(case.record, drafts=drafts), changed)
