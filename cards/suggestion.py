"""Suggestions: one action each, on a draft the clinician may still change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cards.dosage import coding, dispensed, drafted_supply, drug_order, shortened, words
from cards.label_dose import label_dose
from cards.recommendation import DoseByIngredient, DraftedDose, DrugDose, SuggestionTemplate
from cards.record import Coding, Draft, MedicationOrder

JSON = dict[str, Any]
# What says which drug is ordered and how it is taken; the new drug replaces it.
DRUG_ELEMENTS = {"medicationCodeableConcept", "medicationReference", "dosageInstruction"}
# A new drug does not replace what the old one was to replace: nothing active is ended unasked.
PRIOR = {"priorPrescription"}
REPLACED = {"MedicationRequest": DRUG_ELEMENTS, "ServiceRequest": {"orderDetail"}}
LISTS = {
    "category",
    "reasonCode",
    "reasonReference",
    "note",
    "performer",
    "bodySite",
    "identifier",
    "contained",
    "dosageInstruction",
}
EMPTY: tuple[Any, ...] = (None, "", [], {})


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


def build(template: SuggestionTemplate, setting: Setting) -> JSON | None:
    """The suggestion as CDS Hooks JSON without uuid; None when it cannot be offered.

    Not offered: a create or update without a pinned code for the region, and an update or delete
    without a draft that bears an id. An update that keeps the drug needs it coded in the draft.
    """
    action = _action(template, setting)
    return {"label": template.label, "actions": [action]} if action else None


def _action(template: SuggestionTemplate, setting: Setting) -> JSON | None:
    if isinstance(template.dosage, DoseByIngredient):
        return _in_label_dose(template, template.dosage, setting)
    described = {"type": template.action, "description": _description(template)}
    code = template.codes.get(setting.region) or template.codes.get("any")
    reference = setting.draft.order.reference if setting.draft else ""
    match template.action:
        case "delete" if reference:
            return {**described, "resourceId": reference}
        case "create" if code:
            return {**described, "resource": _created(template, code, setting)}
        case "update" if reference and setting.draft and setting.draft.resource.get("id"):
            resource = _updated(template, code, setting.draft, setting)
            return {**described, "resource": resource} if resource else None
    return None


def _description(template: SuggestionTemplate) -> str:
    if isinstance(template.dosage, DrugDose | DraftedDose):
        return f"{template.label}: {words(template.dosage)}"
    return f"{template.label}: {template.note}" if template.note else template.label


def _created(template: SuggestionTemplate, code: Coding, setting: Setting) -> JSON:
    resource: JSON = {
        "resourceType": template.resource,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{setting.patient}"},
    }
    if setting.problem:
        resource["reasonReference"] = [{"reference": setting.problem}]
    if template.priority:
        resource["priority"] = template.priority
    return {**resource, **ordered_content(template, code)}


def _updated(
    template: SuggestionTemplate, code: Coding | None, draft: Draft, setting: Setting
) -> JSON | None:
    """The draft as sent, with what the template orders in its place; None without a code for it."""
    if isinstance(template.dosage, DraftedDose):
        content = _drafted_for_days(template.dosage, draft)
        if content is None:
            return None
        return _completed(_kept(draft, ()), content | _note(template), setting)
    if code is None:
        return None
    replaced = set(REPLACED.get(template.resource, ()))
    if template.resource == "MedicationRequest" and not _same_drug(template, draft):
        replaced |= PRIOR
    kept = _without_old_medication(_kept(draft, replaced), draft.resource)
    return _completed(kept, ordered_content(template, code), setting)


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
        kept = _kept(draft, {"dosageInstruction"})
        content = drug_order(found.dose) | _note(template)
    else:
        kept = _without_old_medication(_kept(draft, DRUG_ELEMENTS), draft.resource)
        content = ordered_content(chosen, found.code)
    resource = _completed(kept, content, setting)
    return {"type": "update", "description": _description(chosen), "resource": resource}


def _drafted_for_days(dose: DraftedDose, draft: Draft) -> JSON | None:
    """Supply and instructions of the same drug for fewer days; None where that cannot be said."""
    order = draft.order
    if not isinstance(order, MedicationOrder) or not order.drug.readable:
        return None
    drafted = _objects(draft.resource.get("dosageInstruction"))
    instructions = shortened(drafted, order.dosages, dose.days)
    if instructions is None:
        return None
    taken: JSON = _valued({"dosageInstruction": instructions})
    return {"dispenseRequest": drafted_supply(dose), **taken}


def _same_drug(template: SuggestionTemplate, draft: Draft) -> bool:
    """Whether the template keeps the drug of the draft and changes only how it is taken."""
    order = draft.order
    return isinstance(order, MedicationOrder) and template.value_set in order.drug.sets


def _without_old_medication(kept: JSON, resource: Mapping[str, Any]) -> JSON:
    """The draft without the contained Medication it no longer points at."""
    reference = resource.get("medicationReference")
    pointed = reference.get("reference") if isinstance(reference, Mapping) else None
    if "contained" not in kept or "medicationReference" in kept:
        return kept
    others = [r for r in kept["contained"] if f"#{r.get('id')}" != pointed]
    rest = {name: value for name, value in kept.items() if name != "contained"}
    return rest | ({"contained": others} if others else {})


def _kept(draft: Draft, replaced: Collection[str]) -> JSON:
    """The draft without what is replaced: what belonged to the old drug goes with it."""
    kept = {
        name: _objects(value) if name in LISTS else value
        for name, value in _valued(draft.resource).items()
        if name not in replaced
    }
    return {name: value for name, value in kept.items() if value not in EMPTY}


def _completed(draft: JSON, content: JSON, setting: Setting) -> JSON:
    """The draft with the new content; notes of both stand, as does who dispenses the drug."""
    kept = dict(draft)
    kept.setdefault("status", "draft")
    kept.setdefault("intent", "order")
    kept.setdefault("subject", {"reference": f"Patient/{setting.patient}"})
    if setting.problem and "reasonCode" not in kept:
        kept.setdefault("reasonReference", [{"reference": setting.problem}])
    notes = list(kept.get("note", ()))
    notes += [note for note in content.get("note", ()) if note not in notes]
    supply = dispensed(kept.pop("dispenseRequest", None), content.get("dispenseRequest", {}))
    joined = {"note": notes, "dispenseRequest": supply}
    return {**kept, **content, **{name: value for name, value in joined.items() if value}}


def _objects(value: Any) -> list[JSON]:
    """What FHIR wants as a list of objects; one object is a list of one, anything else is none."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, dict)]


def _valued(value: Any) -> Any:
    """A draft's JSON without null or empty members; a null that holds a place in a list stays."""
    match value:
        case Mapping():
            members = {name: _valued(inner) for name, inner in value.items()}
            return {name: inner for name, inner in members.items() if inner not in EMPTY}
        case list():
            return [i for i in map(_valued, value) if i is None or i not in EMPTY]
    return value


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
    codings = _objects(ordered(resource).get("coding"))
    return resource["resourceType"], str(codings[0].get("code")) if codings else ""


def ordered(resource: Mapping[str, Any]) -> JSON:
    """The concept that an order of ours orders; empty where a kept draft has only a reference."""
    names = ("code", "medicationCodeableConcept", "codeCodeableConcept")
    concept: JSON = next((c for n in names if isinstance(c := resource.get(n), dict)), {})
    return concept


def selection_behaviour(suggestions: Sequence[JSON]) -> str:
    """``at-most-one`` when two suggestions exclude each other (two drugs, one draft), else any."""
    actions = [suggestion["actions"][0] for suggestion in suggestions]
    drugs = [a for a in actions if a.get("resource", {}).get("resourceType") == "MedicationRequest"]
    on_draft = [a for a in actions if a["type"] in ("update", "delete")]
    return "at-most-one" if len(drugs) > 1 or len(on_draft) > 1 else "any"
