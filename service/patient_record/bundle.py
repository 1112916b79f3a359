"""The entries of a Bundle, told apart by their resourceType, never by the key they came under."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from service.patient_record.elements import ABSENT, Resource, is_object, objects, text
from service.patient_record.flat import FlatTyped
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


# What is no one resource that says what it is; a Bundle within a Bundle is not read.
NO_RESOURCE = ("", "Bundle")
PLAIN = frozenset({"Patient", "Medication", *SEARCHED.values()})


class Listed(NamedTuple):
    """The entries of a Bundle that have a resource, and in the same order that and its type.

    The type is empty where the resource is none. Most Bundles hold but one type.
    """

    entries: Sequence[Resource]
    resources: Sequence[Any]
    kinds: Sequence[str]
    present: frozenset[str]

    def each(self) -> Iterator[tuple[Resource, Any, str]]:
        """Entry, resource and type of each."""
        return zip(self.entries, self.resources, self.kinds, strict=True)

    def of(self, *kinds: str) -> Iterator[tuple[Resource, Any, str]]:
        """Those of some types only."""
        if self.present.isdisjoint(kinds):
            return iter(())
        return (told for told in self.each() if told[2] in kinds)


def listed(value: Any) -> Listed:
    """The entries of a Bundle that have a resource, each told apart by its type."""
    told = value.get("entry") if isinstance(value, FlatTyped) else None
    if isinstance(told, list) and (plain := _plain(told)):
        return plain
    found = [entry for entry in entries(value) if resource_of(entry) is not None]
    resources = [resource_of(entry) for entry in found]
    kinds = [kind_of(resource) for resource in resources]
    return Listed(found, resources, kinds, frozenset(kinds))


_RESOURCE, _TYPE = attrgetter("resource"), attrgetter("resourceType")


def _plain(told: list[Any]) -> Listed | None:
    """Entries that are all decoded flat and of the types read; None where one is not."""
    try:
        resources = list(map(_RESOURCE, told))
        kinds = list(map(_TYPE, resources))
        present = frozenset(kinds)
        return Listed(told, resources, kinds, present) if present <= PLAIN else None
    except (AttributeError, TypeError):  # an entry or a resource that is no object; an odd type
        return None


def length(value: Any) -> int:
    """How many entries ``entries`` looks at, told without looking."""
    listed = value.get("entry") if hasattr(value, "get") else None
    return len(listed) if isinstance(listed, list) else 1


def resource_of(entry: Resource) -> Any:
    """The entry's resource, whatever it is; None when the entry has none."""
    return entry.get("resource") if isinstance(entry, dict) else entry.resource  # type: ignore[attr-defined]


def kind_of(resource: Any) -> str:
    """The resourceType; empty when this is no resource at all."""
    if isinstance(resource, dict):
        kind = resource.get("resourceType")
    else:
        kind = getattr(resource, "resourceType", None)
    return kind.strip() if isinstance(kind, str) else ""


def ids_of(entry: Resource) -> tuple[str, ...]:
    """Every id the entry goes by: the resource's own, and the one its fullUrl ends in."""
    own = text(_id_of(resource_of(entry)))
    return tuple(filter(None, (own, target(text(entry.get("fullUrl")))[1])))


def reference_of(entry: Resource, resource: Any, kind: str) -> str:
    """The relative reference of an entry's resource; empty when it has no id of its own.

    A ``urn:uuid:`` fullUrl stands in for a missing id.
    """
    identifier = text(_id_of(resource))
    if not identifier:
        url = text(entry.get("fullUrl"))
        identifier = target(url)[1] if url.lower().startswith(URNS) else ""
    return f"{kind}/{identifier}" if identifier else ""


def _id_of(resource: Any) -> Any:
    """The id as sent; None when there is none, or this is no resource."""
    return resource.get("id") if isinstance(resource, dict) else getattr(resource, "id", None)


def linked(values: Iterable[Listed], *kinds: str) -> dict[str, Resource]:
    """The resources of these kinds, by ``Type/id``, also under the id of their fullUrl."""
    found: dict[str, Resource] = {}
    for value in values:
        for entry, resource, kind in value.of(*kinds):
            for identifier in ids_of(entry):
                found.setdefault(link(kind, identifier), resource)
    return found


def outcome_severities(outcome: Resource) -> frozenset[str]:
    """The severities of an OperationOutcome's issues."""
    issues = objects(outcome.get("issue")) or (ABSENT,)
    return frozenset(text(issue.get("severity")) for issue in issues)
