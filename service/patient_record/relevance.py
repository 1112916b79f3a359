"""Which resources can matter: those that bear, or point at, a code of some value set.

Most of a long chart is of no concern to a bad back. What no fact can see is left out before it is
read; drugs, allergies and visits are always read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cards.codes import CodeIndex
from cards.facts.entries import BACK_PAIN_REASONS
from service.patient_record.concepts import known_code
from service.patient_record.elements import Resource, TooManyElements, elements, objects, one_object
from service.patient_record.references import link, reference_text, target

# Type → the elements whose codes facts look at, beside ``code``.
CODED: Mapping[str, tuple[str, ...]] = {
    "Condition": ("bodySite", "stage"),
    "Observation": ("valueCodeableConcept", "component", "bodySite"),
    "Procedure": ("reasonCode", "reasonReference", "outcome"),
    "ServiceRequest": ("reasonCode", "reasonReference"),
    "DiagnosticReport": (),
}
# Elements that bear concepts further inside; whether those matter is left to their reader.
DEEPER = frozenset({"stage", "component"})


@dataclass(frozen=True, slots=True)
class Relevance:
    """What can matter in one chart.

    Attributes:
        pains: ``Condition/id`` of every Condition of the back that came with the call.
    """

    index: CodeIndex
    pains: frozenset[str]

    def concerns(self, resource: Resource, kind: str) -> bool:
        """Whether some fact could look at this resource."""
        names = CODED.get(kind)
        if names is None or self._in_a_set(resource.get("code")):
            return True
        for name in names:
            value = resource.get(name)
            if value and self._matters(name, value):
                return True
        return False

    def _matters(self, name: str, value: Any) -> bool:
        """Care of no value set is seen only where it was for the back."""
        if name in DEEPER:
            return True
        if name == "reasonReference":
            return any(map(self._may_be_pain, objects(value)))
        if name == "reasonCode":
            return any(of_the_back(reason, self.index) for reason in objects(value))
        return any(map(self._in_a_set, objects(value)))

    def _in_a_set(self, concept: Any) -> bool:
        """Whether a concept bears a code of some value set; asked of nearly every resource."""
        codings = concept.get("coding") if isinstance(concept, dict) else None
        if not isinstance(codings, list):
            return bool(concept) and bool(_sets(concept, self.index))
        return any(
            isinstance(coding, dict) and _sets_of(coding, self.index)
            for coding in elements(codings)
        )

    def _may_be_pain(self, reference: Resource) -> bool:
        """Whether a reason is a Condition of the back, or one contained that its reader follows."""
        text = reference_text(reference)
        return text.startswith("#") or link("Condition", target(text)[1]) in self.pains


def relevance(index: CodeIndex, linked: Mapping[str, Resource]) -> Relevance:
    """What can matter beside these linked resources (by ``Type/id``)."""
    pains = (
        name
        for name, resource in linked.items()
        if name.startswith("Condition/") and of_the_back(resource.get("code"), index)
    )
    return Relevance(index, frozenset(pains))


def of_the_back(concept: Any, index: CodeIndex) -> bool:
    """Whether a concept bears a code of back pain; one with too many codes is no pain to us."""
    try:
        found = _sets(concept, index)
    except TooManyElements:
        return False
    return any(not sets.keys().isdisjoint(BACK_PAIN_REASONS) for sets in found)


def _sets(concept: Any, index: CodeIndex) -> list[Mapping[str, str]]:
    """The value sets of each of its codes that is in any."""
    told = one_object(concept)
    found = (_sets_of(coding, index) for coding in objects(told.get("coding")) or (told,))
    return [sets for sets in found if sets]


def _sets_of(coding: Resource, index: CodeIndex) -> Mapping[str, str] | None:
    """The value sets of a coding; None when its code is not known."""
    system, code = coding.get("system"), coding.get("code")
    if not isinstance(system, str) or not isinstance(code, str):
        return None
    known = known_code(system, code)
    return index.sets_of(*known) if known else None
