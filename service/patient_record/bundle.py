"""The entries of a Bundle, told apart by their resourceType, never by the key they came under."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from service.patient_record.elements import ABSENT, Resource, is_object, objects, text
from service.patient_record.flat import FlatEntry, FlatTyped
from service.patient_record.references import URNS, link, target

# Prefetch key → the resource type its search finds.
SEARCHED = {
    "conditions": "Condition",
    "medications": "MedicationRequest",
    "observations": "Observation",
    "procedures": "Procedure",
    "serviceRequests": "ServiceRequest",
    "encounters": "Encounter",
    "allergies": "AllergyIntolerance",
    "diagnosticReports": "DiagnosticReport",
    "deviceRequests": "DeviceRequest",
}


def entries(value: Any) -> Iterator[Resource]:
    """The entries of a Bundle; a lone resource is its own single entry, all else has none.

    An entry that is not an object is given as one with an unreadable resource, so that it is
    counted; a null entry is skipped.
    """
    if not is_object(value):
        return
    listed = value.get("entry")
    if listed is None and value.get("resourceType") != "Bundle":
        yield {"resource": value}
        return
    for entry in listed if isinstance(listed, list) else [listed]:
        if entry is not None:
            yield entry if is_object(entry) else {"resource": entry}


PLAIN = frozenset({"Patient", "Medication", *SEARCHED.values()})

# An entry, its resource (whatever it is), and the resource's type: empty when it is none.
Listed = tuple[Resource, Any, str]


def listed(value: Any) -> list[Listed]:
    """The entries of a Bundle that have a resource, each with it and its type."""
    told = value.get("entry") if isinstance(value, FlatTyped) else None
    if isinstance(told, list):
        plain: list[Listed] = [
            (entry, resource, kind)
            for entry in told
            if isinstance(entry, FlatEntry)
            for resource in (entry.resource,)
            if isinstance(resource, FlatTyped)
            for kind in (resource.resourceType,)  # type: ignore[union-attr]  # msgspec's union
            if isinstance(kind, str) and kind in PLAIN
        ]
        if len(plain) == len(told):
            return plain
    return [
        (entry, resource, kind_of(resource))
        for entry in entries(value)
        if (resource := resource_of(entry)) is not None
    ]


def length(value: Any) -> int:
    """How many entries ``entries`` looks at, told without looking."""
    listed = value.get("entry") if hasattr(value, "get") else None
    return len(listed) if isinstance(listed, list) else 1


def resource_of(entry: Resource) -> Any:
    """The entry's resource, whatever it is; None when the entry has none."""
    return entry.resource if isinstance(entry, FlatEntry) else entry.get("resource")


def kind_of(resource: Any) -> str:
    """The resourceType; empty when this is no resource at all."""
    if isinstance(resource, FlatTyped):
        kind = resource.resourceType
    else:
        kind = resource.get("resourceType") if isinstance(resource, dict) else ""
    return kind.strip() if isinstance(kind, str) else ""


def is_resource(resource: Any) -> bool:
    """Whether this is one resource that says what it is; a Bundle within a Bundle is not read."""
    return kind_of(resource) not in ("", "Bundle")


def ids_of(entry: Resource) -> tuple[str, ...]:
    """Every id the entry goes by: the resource's own, and the one its fullUrl ends in."""
    resource = resource_of(entry)
    own = text(resource.get("id")) if is_object(resource) else ""
    return tuple(filter(None, (own, target(text(entry.get("fullUrl")))[1])))


def reference_of(entry: Resource) -> str:
    """The relative reference of an entry's resource; empty when it has no id of its own.

    A ``urn:uuid:`` fullUrl stands in for a missing id.
    """
    resource = resource_of(entry)
    identifier = text(resource.get("id")) if is_object(resource) else ""
    url = text(entry.get("fullUrl"))
    if not identifier and url.lower().startswith(URNS):
        identifier = target(url)[1]
    return f"{kind_of(resource)}/{identifier}" if identifier else ""


def linked(
    values: Sequence[Mapping[str, Any] | None], kinds: frozenset[str]
) -> dict[str, Resource]:
    """The resources of these kinds, by ``Type/id``, also under the id of their fullUrl."""
    found: dict[str, Resource] = {}
    for value in values:
        for entry, resource, kind in listed(value):
            if kind in kinds:
                for identifier in ids_of(entry):
                    found.setdefault(link(kind, identifier), resource)
    return found


def outcome_severities(outcome: Resource) -> frozenset[str]:
    """The severities of an OperationOutcome's issues."""
    issues = objects(outcome.get("issue")) or (ABSENT,)
    return frozenset(text(issue.get("severity")) for issue in issues)
