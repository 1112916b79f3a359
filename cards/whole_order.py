"""A draft as the client sent it, returned whole with something else ordered in its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from cards.dosage import dispensed
from cards.record import Draft

JSON = dict[str, Any]
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
# What the patient gets by an order; a note or a reason beside it changes nothing of that.
GIVEN = (
    "medicationCodeableConcept",
    "medicationReference",
    "dosageInstruction",
    "dispenseRequest",
    "code",
    "orderDetail",
    "codeCodeableConcept",
)
# What tells the whole order in words: its narrative, and an extension of R5 sent with R4.
NARRATED = ("text",)
RENDERED_DOSAGE = "renderedDosageInstruction"
EMPTY: tuple[Any, ...] = (None, "", [], {})


def changes(resource: JSON, draft: Draft | None) -> bool:
    """Whether the order after an update gives the patient anything else than the draft does."""
    before = draft.resource if draft else {}
    return any(resource.get(name) != _kept(before, name) for name in GIVEN)


def without_old_medication(kept: JSON, resource: Mapping[str, Any]) -> JSON:
    """The draft without the contained Medication it no longer points at."""
    reference = resource.get("medicationReference")
    pointed = reference.get("reference") if isinstance(reference, Mapping) else None
    if "contained" not in kept or "medicationReference" in kept:
        return kept
    others = [r for r in kept["contained"] if f"#{r.get('id')}" != pointed]
    rest = {name: value for name, value in kept.items() if name != "contained"}
    return rest | ({"contained": others} if others else {})


def kept_of(draft: Draft, replaced: Collection[str]) -> JSON:
    """The draft without what is replaced: what belonged to the old drug goes with it.

    What tells the order in words goes whenever anything does: it would say what was ordered before.
    """
    replaced = {*replaced, *NARRATED} if replaced else replaced
    kept = {
        name: value
        for name in draft.resource
        if name not in replaced and (value := _kept(draft.resource, name)) is not None
    }
    if replaced and "extension" in kept:
        kept["extension"] = [e for e in objects(kept["extension"]) if not _tells_the_dose(e)]
        if not kept["extension"]:
            del kept["extension"]
    return kept


def _kept(resource: Mapping[str, Any], name: str) -> Any:
    """One element of a draft without what is null or empty in it; None when nothing is left."""
    value = valued(resource.get(name))
    if name in LISTS and value not in EMPTY:
        value = objects(value)
    return None if value in EMPTY else value


def _tells_the_dose(extension: Mapping[str, Any]) -> bool:
    return str(extension.get("url", "")).endswith(RENDERED_DOSAGE)


def reasons_of(draft: Draft) -> JSON:
    """Why a draft was ordered, for a drug ordered beside it where no problem on record says."""
    kept = {name: _kept(draft.resource, name) for name in ("reasonCode", "reasonReference")}
    return {name: value for name, value in kept.items() if value is not None}


def completed(draft: JSON, content: JSON, patient: str, problem: str | None) -> JSON:
    """The draft with the new content; notes of both stand, as does who dispenses the drug."""
    kept = dict(draft)
    kept.setdefault("status", "draft")
    kept.setdefault("intent", "order")
    kept.setdefault("subject", {"reference": f"Patient/{patient}"})
    if problem and "reasonCode" not in kept:
        kept.setdefault("reasonReference", [{"reference": problem}])
    notes = list(kept.get("note", ()))
    notes += [note for note in content.get("note", ()) if note not in notes]
    supply = dispensed(kept.pop("dispenseRequest", None), content.get("dispenseRequest", {}))
    joined = {"note": notes, "dispenseRequest": supply}
    return {**kept, **content, **{name: value for name, value in joined.items() if value}}


def objects(value: Any) -> list[JSON]:
    """What FHIR wants as a list of objects; one object is a list of one, anything else is none."""
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, dict)]


def valued(value: Any) -> Any:
    """A draft's JSON without null or empty members; a null that holds a place in a list stays."""
    match value:
        case str():  # most are
            return value
        case Mapping():
            members = {name: valued(inner) for name, inner in value.items()}
            return {name: inner for name, inner in members.items() if inner not in EMPTY}
        case list():
            return [i for i in map(valued, value) if i is None or i not in EMPTY]
    return value
