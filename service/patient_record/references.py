"""FHIR references: what they point at, whatever form they are written in."""

from __future__ import annotations

from typing import Any

from service.patient_record.elements import Resource, elements, one_object, text

URNS = ("urn:uuid:", "urn:oid:")
UUID_LENGTH = 36
ABOUT = ("subject", "patient")  # the elements that say whom a resource is about


def target(reference: str) -> tuple[str, str]:
    """Type and id a reference points at, without base URL and version.

    The type is empty for a bare id, a contained resource (``#id``) and ``urn:uuid:`` forms.
    """
    for urn in URNS:
        if reference[: len(urn)].lower() == urn:
            return "", reference[len(urn) :]
    path = reference.split("/_history/", 1)[0].rstrip("/").removeprefix("#")
    rest, _, identifier = path.rpartition("/")
    return rest.rpartition("/")[2], identifier


def same_id(one: str, other: str) -> bool:
    """Whether two ids are the same; UUIDs are written in either case."""
    return one == other or (len(one) == UUID_LENGTH and one.lower() == other.lower())


def link(kind: str, identifier: str) -> str:
    """``kind/id`` under which a resource is looked up."""
    return f"{kind}/{identifier.lower() if len(identifier) == UUID_LENGTH else identifier}"


def reference_text(value: Any) -> str:
    """The text of a Reference, or of a plain string in its place; empty when there is none."""
    return text(value) or text(one_object(value).get("reference"))


def relative(value: Any, kind: str) -> str | None:
    """A Reference as ``kind/id``; None when absent or to something of another kind."""
    if value is None:
        return None
    reference_type, identifier = target(reference_text(value))
    if not identifier or reference_type not in ("", kind):
        return None
    return f"{kind}/{identifier}"


def is_about(resource: Resource, patient_id: str) -> bool:
    """Whether a resource is about this patient; one that names no patient is taken to be."""
    return all(names_patient(resource.get(name), patient_id) for name in ABOUT)


def names_patient(element: Any, patient_id: str) -> bool:
    """Whether an element names this patient, or nobody.

    Raises:
        TooManyElements: it is an array longer than any real one.
    """
    if element is None:
        return True
    if isinstance(element, dict) and element.get("reference") == f"Patient/{patient_id}":
        return True
    for one in elements(element):
        reference = reference_text(one)
        if reference and reference != patient_id and not _points_at(reference, patient_id):
            return False
    return True


def _points_at(reference: str, patient_id: str) -> bool:
    kind, identifier = target(reference)
    return kind in ("", "Patient") and same_id(identifier, patient_id)
