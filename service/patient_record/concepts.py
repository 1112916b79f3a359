"""CodeableConcepts as ``Concept``: codes of the code systems Backpath knows, and their sets."""

from __future__ import annotations

import re
from typing import Any

from cards.codes import CPT, ICD10CM, LOINC, RXNORM, SNOMED, CodeIndex
from cards.record import NOTHING, Coding, Concept
from service.patient_record.elements import Resource, objects, one_object, text

HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
GOAL_ACHIEVEMENT = "http://terminology.hl7.org/CodeSystem/goal-achievement"
STATUS_REASON = "http://terminology.hl7.org/CodeSystem/medicationrequest-status-reason"

CANONICAL = frozenset({ICD10CM, SNOMED, LOINC, RXNORM, CPT, HCPCS, GOAL_ACHIEVEMENT, STATUS_REASON})

# Object identifiers of the HL7 registry for the same code systems.
OIDS = {
    "2.16.840.1.113883.6.90": ICD10CM,
    "2.16.840.1.113883.6.3": ICD10CM,
    "2.16.840.1.113883.6.96": SNOMED,
    "2.16.840.1.113883.6.1": LOINC,
    "2.16.840.1.113883.6.88": RXNORM,
    "2.16.840.1.113883.6.12": CPT,
    "2.16.840.1.113883.6.285": HCPCS,
}

# A local URI that names ICD, but neither another edition nor the procedure codes (PCS).
LOCAL_ICD = re.compile(r"icd(?![-_.]?(?:9|11|o\b))")
PROCEDURES = re.compile(r"pcs|procedure|cms\.gov")
ICD10_CODE = re.compile(r"[A-Za-z]\d[0-9A-Za-z](?:\.?[0-9A-Za-z]{1,4})?")


def _bare(uri: str) -> str:
    """A URI as it is compared: without scheme, www, version, trailing slash, and case."""
    uri = uri.split("|", 1)[0].lower().rstrip("/")
    return uri.removeprefix("https://").removeprefix("http://").removeprefix("www.")


BARE = {_bare(uri): uri for uri in CANONICAL}


def canonical_system(uri: str) -> str | None:
    """The canonical URI of a code system Backpath knows; None for any other."""
    if uri in CANONICAL:
        return uri
    if uri.startswith("urn:oid:"):
        return OIDS.get(uri[len("urn:oid:") :])
    bare = _bare(uri)
    if bare in BARE:
        return BARE[bare]
    if bare in OIDS:
        return OIDS[bare]
    if bare.startswith("snomed.info/sct/"):  # an edition or version of SNOMED CT
        return SNOMED
    if LOCAL_ICD.search(bare) and not PROCEDURES.search(bare):
        return ICD10CM
    return None


def known_code(system: str, code: str) -> tuple[str, str] | None:
    """Canonical system and code; None without code, of an unknown system, or no code of it."""
    code = code.strip()
    known = canonical_system(system.strip()) if code else None
    if known is None or (known == ICD10CM and not ICD10_CODE.fullmatch(code)):
        return None
    return known, code


def read_coding(value: Resource) -> Coding | None:
    """A coding; None where its code is not known, see ``known_code``."""
    system, code = value.get("system"), value.get("code")
    if not isinstance(system, str) or not isinstance(code, str):
        return None
    known = known_code(system, code)
    return Coding(*known, text(value.get("display"))) if known else None


def read_concept(value: Any, index: CodeIndex) -> Concept:
    """A CodeableConcept, a Coding or a plain text in its place; ``NOTHING`` when absent."""
    if isinstance(value, str):
        return Concept((), value.strip())
    concept = one_object(value)
    if not concept:
        return NOTHING
    written = objects(concept.get("coding")) or (concept,)
    codings = tuple(coding for coding in map(read_coding, written) if coding)
    return index.concept(codings, text(concept.get("text")) or _any_display(written))


def read_concepts(value: Any, index: CodeIndex) -> tuple[Concept, ...]:
    """An array of CodeableConcepts; those that say nothing at all are left out."""
    if value is None:
        return ()
    found = (read_concept(concept, index) for concept in objects(value))
    return tuple(concept for concept in found if concept.codings or concept.display)


def merged(concepts: tuple[Concept, ...], index: CodeIndex, display: str = "") -> Concept:
    """One concept of the codes of several."""
    return index.concept((coding for one in concepts for coding in one.codings), display)


def _any_display(written: tuple[Resource, ...]) -> str:
    return next(filter(None, (text(coding.get("display")) for coding in written)), "")
