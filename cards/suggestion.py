"""Suggestions: one action each, on a draft the clinician may still change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cards.dosage import (
    as_drafted_in_days,
    beside,
    coding,
    days_dispensed,
    drafted_supply,
    drug_order,
    shortened,
    words,
)
from cards.label_dose import label_dose
from cards.recommendation import DoseByIngredient, DraftedDose, DrugDose, SuggestionTemplate
from cards.record import Coding, Draft, MedicationOrder
from cards.supply import supply_days_with_refills
from cards.whole_order import (
    changes,
    completed,
    kept_of,
    objects,
    reasons_of,
    valued,
    without_old_medication,
)

JSON = dict[str, Any]
# What says which drug is ordered and how it is taken; the new drug replaces it.
DRUG_ELEMENTS = {"medicationCodeableConcept", "medicationReference", "dosageInstruction"}
# A new drug does not replace what the old one was to replace: nothing active is ended unasked.
PRIOR = {"priorPrescription"}
REPLACED = {"MedicationRequest": DRUG_ELEMENTS, "ServiceRequest": {"orderDetail"}}


@dataclass(frozen=True, slots=True)
class Setting:
    """What a suggestion is built for.

    Attributes:
        patient: id of the patient.
        problem: reference of the Condition that led to it; None when only an order names it.
        region: spine region (lumbar, thoracic …) that picks the code of an imaging study.
        draft: the draft under evaluation; None on patient-view.
    """

    patient: str
    problem: str | None
    region: str
    draft: Draft | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A template as far as no patient changes it; made once, and shared by all calls.

    Attributes:
        contents: region → what is ordered there, in the elements of its resource type.
    """

    template: SuggestionTemplate
    description: str
    contents: Mapping[str, JSON]


def build(template: SuggestionTemplate, setting: Setting) -> JSON | None:
    """The suggestion as CDS Hooks JSON without uuid; None when it cannot be offered.

    Not offered: a create or update without a pinned code for the region, an update or delete
    without a draft that bears an id, and an update that gives the patient what the draft gives
    already. An update that keeps the drug needs it coded in the draft.
    """
    action = _action(template, setting)
    if action is None or (
        action["type"] == "update" and not changes(action["resource"], setting.draft)
    ):
        return None
    return {"label": template.label, "actions": [action]}


def _action(template: SuggestionTemplate, setting: Setting) -> JSON | None:
    if isinstance(template.dosage, DoseByIngredient):
        return _in_label_dose(template, template.dosage, setting)
    proposal = _beside_draft(template, setting.draft)
    described = {"type": template.action, "description": proposal.description}
    content = proposal.contents.get(setting.region) or proposal.contents.get("any")
    reference = setting.draft.order.reference if setting.draft else ""
    match template.action:
        case "delete" if reference:
            return {**described, "resourceId": reference}
        case "create" if content:
            return {**described, "resource": _created(template, content, setting)}
        case "update" if reference and setting.draft and setting.draft.resource.get("id"):
            resource = _updated(proposal.template, content, setting.draft, setting)
            return {**described, "resource": resource} if resource else None
    return None


def _beside_draft(template: SuggestionTemplate, draft: Draft | None) -> Proposal:
    """The proposal with the days of supply that the draft it stands beside calls for."""
    order = draft.order if draft else None
    if isinstance(template.dosage, DrugDose) and isinstance(order, MedicationOrder):
        dose = beside(template.dosage, order)
        if dose is not template.dosage:
            return _worded(replace(template, dosage=dose))
    return _proposal(template)


@cache
def _proposal(template: SuggestionTemplate) -> Proposal:
    """The proposal of a template of the content, never of one made for a patient."""
    return _worded(template)


def _worded(template: SuggestionTemplate) -> Proposal:
    contents = {region: ordered_content(template, code) for region, code in template.codes.items()}
    return Proposal(template, _description(template), contents)


def _description(template: SuggestionTemplate) -> str:
    if isinstance(template.dosage, DrugDose | DraftedDose):
        return f"{template.label}: {words(template.dosage)}"
    return f"{template.label}: {template.note}" if template.note else template.label


def _created(template: SuggestionTemplate, content: JSON, setting: Setting) -> JSON:
    resource: JSON = {
        "resourceType": template.resource,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{setting.patient}"},
    }
    if setting.problem:
        resource["reasonReference"] = [{"reference": setting.problem}]
    elif template.proposes_drug and setting.draft:
        resource |= reasons_of(setting.draft)
    if template.priority:
        resource["priority"] = template.priority
    return {**resource, **content}


def _updated(
    template: SuggestionTemplate, content: JSON | None, draft: Draft, setting: Setting
) -> JSON | None:
    """The draft as sent, with what the template orders in its place; None without a code for it."""
    if isinstance(template.dosage, DraftedDose):
        shorter = _drafted_for_days(template.dosage, draft)
        if shorter is None:
            return None
        return completed(
            kept_of(draft, ()), shorter | _note(template), setting.patient, setting.problem
        )
    if content is None:
        return None
    replaced = set(REPLACED.get(template.resource, ()))
    if template.resource == "MedicationRequest":
        if _same_drug(template, draft):
            content = content | _supply_kept(template, draft, content)
        else:
            replaced |= PRIOR
    kept = without_old_medication(kept_of(draft, replaced), draft.resource)
    return completed(kept, content, setting.patient, setting.problem)


def _supply_kept(template: SuggestionTemplate, draft: Draft, content: JSON) -> JSON:
    """The days of supply of the draft, where its drug stays and the new dose states none."""
    order, dose = draft.order, template.dosage
    if not isinstance(order, MedicationOrder) or not isinstance(dose, DrugDose):
        return {}
    if days_dispensed(dose) is not None:
        return {}
    days = as_drafted_in_days(order, draft.resource.get("dispenseRequest"))
    supply = content.get("dispenseRequest", {}) | days
    return {"dispenseRequest": supply} if supply else {}


def _in_label_dose(
    template: SuggestionTemplate, doses: DoseByIngredient, setting: Setting
) -> JSON | None:
    """The draft as sent, in the label dose of its own drug; None where none is listed for it."""
    draft = setting.draft
    if draft is None or not draft.resource.get("id"):
        return None
    order = draft.order
    found = label_dose(doses, order) if isinstance(order, MedicationOrder) else None
    if found is None:
        return None
    chosen = replace(template, dosage=found.dose)
    if found.code is None:
        kept = kept_of(draft, {"dosageInstruction"})
        content = drug_order(found.dose) | _note(template)
    else:
        kept = without_old_medication(kept_of(draft, DRUG_ELEMENTS), draft.resource)
        content = ordered_content(chosen, found.code)
    resource = completed(kept, content, setting.patient, setting.problem)
    return {"type": "update", "description": _description(chosen), "resource": resource}


def _drafted_for_days(dose: DraftedDose, draft: Draft) -> JSON | None:
    """Supply and instructions of the same drug for fewer days; None where that cannot be said."""
    order = draft.order
    if not isinstance(order, MedicationOrder) or not order.drug.readable:
        return None
    days = supply_days_with_refills(order)
    if days is not None and days <= dose.days:
        return None  # no longer already, and nothing to shorten
    drafted = objects(draft.resource.get("dosageInstruction"))
    instructions = shortened(drafted, order.dosages, dose.days)
    if instructions is None:
        return None
    taken: JSON = valued({"dosageInstruction": instructions})
    return {"dispenseRequest": drafted_supply(dose), **taken}


def _same_drug(template: SuggestionTemplate, draft: Draft) -> bool:
    """Whether the template keeps the drug of the draft and changes only how it is taken."""
    order = draft.order
    return isinstance(order, MedicationOrder) and template.value_set in order.drug.sets


def ordered_content(template: SuggestionTemplate, code: Coding) -> JSON:
    """What is ordered, in the elements of its resource type."""
    concept = {"coding": [coding(code)], "text": template.text or code.display}
    note = _note(template)
    match template.resource:
        case "MedicationRequest":
            content: JSON = {"medicationCodeableConcept": concept}
            if isinstance(template.dosage, DrugDose):
                content |= drug_order(template.dosage)
            return content | note
        case "DeviceRequest":
            return {"codeCodeableConcept": concept, **note}
        case _:
            return {"code": concept, **note}


def _note(template: SuggestionTemplate) -> JSON:
    return {"note": [{"text": template.note}]} if template.note else {}


def without_repeats(suggestions: Sequence[JSON]) -> list[JSON]:
    """Suggestions whose one action repeats an earlier one (type, resource type, code) left out."""
    seen: set[tuple[str, str, str]] = set()
    kept = []
    for suggestion in suggestions:
        action = suggestion["actions"][0]
        key = (action["type"], *_target(action))
        if key not in seen:
            seen.add(key)
            kept.append(suggestion)
    return kept


def _target(action: Mapping[str, Any]) -> tuple[str, str]:
    resource = action.get("resource")
    if resource is None:
        return action["resourceId"], ""
    codings = objects(ordered(resource).get("coding"))
    return resource["resourceType"], str(codings[0].get("code")) if codings else ""


def ordered(resource: Mapping[str, Any]) -> JSON:
    """The concept that an order of ours orders; empty where a kept draft has only a reference."""
    for name in ("code", "medicationCodeableConcept", "codeCodeableConcept"):
        concept = resource.get(name)
        if isinstance(concept, dict):
            return concept
    return {}


def selection_behaviour(suggestions: Sequence[JSON]) -> str:
    """``at-most-one`` when two suggestions exclude each other (two drugs, one draft), else any."""
    actions = [suggestion["actions"][0] for suggestion in suggestions]
    drugs = [a for a in actions if a.get("resource", {}).get("resourceType") == "MedicationRequest"]
    on_draft = [a for a in actions if a["type"] in ("update", "delete")]
    return "at-most-one" if len(drugs) > 1 or len(on_draft) > 1 else "any"
