"""Suggestions: one action each, on a draft the clinician may still change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cards.recommendation import DrugDose, SuggestionTemplate
from cards.record import Coding, Draft

JSON = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
DRUG_ELEMENTS = {
    "medicationCodeableConcept",
    "medicationReference",
    "priorPrescription",
    "dosageInstruction",
    "dispenseRequest",
    "substitution",
}
# What belonged to the order as it was, and goes with it.
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
    without a draft that bears an id.
    """
    action = _action(template, setting)
    return {"label": template.label, "actions": [action]} if action else None


def _action(template: SuggestionTemplate, setting: Setting) -> JSON | None:
    described = {"type": template.action, "description": _description(template)}
    code = template.codes.get(setting.region) or template.codes.get("any")
    reference = setting.draft.order.reference if setting.draft else ""
    match template.action:
        case "delete" if reference:
            return {**described, "resourceId": reference}
        case "create" if code:
            return {**described, "resource": _created(template, code, setting)}
        case "update" if code and reference and setting.draft and setting.draft.resource.get("id"):
            return {**described, "resource": _updated(template, code, setting.draft, setting)}
    return None


def _description(template: SuggestionTemplate) -> str:
    if template.dosage:
        return f"{template.label}: {template.dosage.text}"
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
    return {**resource, **_content(template, code)}


def _updated(template: SuggestionTemplate, code: Coding, draft: Draft, setting: Setting) -> JSON:
    """The whole draft, its order replaced; what belonged to the old drug goes with it."""
    kept = {
        name: _objects(value) if name in LISTS else value
        for name, value in _valued(draft.resource).items()
        if name not in REPLACED.get(template.resource, ())
    }
    kept = {name: value for name, value in kept.items() if value not in EMPTY}
    if "contained" in kept and template.resource == "MedicationRequest":
        others = [r for r in kept.pop("contained") if r.get("resourceType") != "Medication"]
        kept |= {"contained": others} if others else {}
    kept.setdefault("status", "draft")
    kept.setdefault("intent", "order")
    kept.setdefault("subject", {"reference": f"Patient/{setting.patient}"})
    if setting.problem and "reasonCode" not in kept:
        kept.setdefault("reasonReference", [{"reference": setting.problem}])
    content = _content(template, code)
    notes = [*kept.get("note", ()), *content.get("note", ())]
    return {**kept, **content, **({"note": notes} if notes else {})}


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


def _content(template: SuggestionTemplate, code: Coding) -> JSON:
    """What is ordered, in the elements of its resource type."""
    concept = {"coding": [_coding(code)], "text": template.text or code.display}
    note = {"note": [{"text": template.note}]} if template.note else {}
    match template.resource:
        case "MedicationRequest":
            content: JSON = {"medicationCodeableConcept": concept}
            if template.dosage:
                content |= _dosage(template.dosage)
            return content | note
        case "DeviceRequest":
            return {"codeCodeableConcept": concept, **note}
        case _:
            return {"code": concept, **note}


def _dosage(dose: DrugDose) -> JSON:
    instruction: JSON = {
        "text": dose.text,
        "timing": {
            "repeat": {
                "frequency": dose.frequency,
                "period": dose.period,
                "periodUnit": dose.period_unit,
            }
        },
        "doseAndRate": [
            {
                "doseQuantity": {
                    "value": dose.value,
                    "unit": dose.unit,
                    "system": UCUM,
                    "code": dose.unit,
                }
            }
        ],
    }
    if dose.as_needed:
        instruction["asNeededBoolean"] = True
    if dose.route:
        instruction["route"] = {"coding": [_coding(dose.route)]}
    content: JSON = {"dosageInstruction": [instruction]}
    if dose.days:
        days = {"value": dose.days, "unit": "days", "system": UCUM, "code": "d"}
        instruction["timing"]["repeat"]["boundsDuration"] = days
        content["dispenseRequest"] = {"expectedSupplyDuration": days}
    return content


def _coding(code: Coding) -> JSON:
    return {"system": code.system, "code": code.code, "display": code.display}


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
    return resource["resourceType"], ordered(resource)["coding"][0]["code"]


def ordered(resource: Mapping[str, Any]) -> JSON:
    """The concept that an order of ours orders."""
    names = ("code", "medicationCodeableConcept", "codeCodeableConcept")
    concept: JSON = next(resource[name] for name in names if name in resource)
    return concept


def selection_behaviour(suggestions: Sequence[JSON]) -> str:
    """``at-most-one`` when two suggestions exclude each other (two drugs, one draft), else any."""
    actions = [suggestion["actions"][0] for suggestion in suggestions]
    drugs = [a for a in actions if a.get("resource", {}).get("resourceType") == "MedicationRequest"]
    on_draft = [a for a in actions if a["type"] in ("update", "delete")]
    return "at-most-one" if len(drugs) > 1 or len(on_draft) > 1 else "any"
