"""What the reader of one resource needs besides the resource, and how it follows references."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, TypeVar

import msgspec

from cards.codes import CodeIndex
from cards.drug_index import NO_DRUGS, DrugIndex
from cards.record import Concept, When
from service.patient_record.concepts import read_concept, read_concepts
from service.patient_record.elements import ABSENT, Resource, codes, objects, one_object, text
from service.patient_record.flat import decoded
from service.patient_record.references import (
    ABOUT,
    is_about,
    link,
    names_patient,
    reference_text,
    target,
)

Told = TypeVar("Told")

ENTERED_IN_ERROR = "entered-in-error"
PROPOSALS = frozenset({"proposal", "option"})
# Statuses and intents of which ``order_drop`` takes an order out.
UNCOUNTED = PROPOSALS | {ENTERED_IN_ERROR, "draft"}


class Dropped(Enum):
    """Why a resource does not reach the record; the value is what logs count."""

    OTHER_PATIENT = "other-patient"
    ENTERED_IN_ERROR = "entered-in-error"
    NEGATED = "negated"
    REFUTED = "refuted"
    NOT_ACTIVE = "not-active"
    NOT_FINAL = "not-final"
    NO_VALUE = "data-absent"
    DO_NOT_PERFORM = "do-not-perform"
    PROPOSAL = "proposal"
    DRAFT = "draft-outside-draft-orders"


@dataclass(frozen=True, slots=True)
class Chart:
    """The surroundings of a resource.

    Attributes:
        birth: the patient's birth date; None when not recorded.
        linked: Conditions and Medications by ``Type/id``.
        drugs: what RxNorm codes stand for.
    """

    patient_id: str
    index: CodeIndex
    today: date
    birth: When | None
    linked: Mapping[str, Resource]
    drugs: DrugIndex = NO_DRUGS
    _known: dict[tuple[Any, bytes], Any] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def told(self, resource: Resource, name: str, read: Callable[[Any, Chart], Told]) -> Told:
        """What is read of an inner element, once for all that are sent alike letter by letter."""
        written = getattr(resource, name, None)
        if type(written) is not msgspec.Raw:
            return read(resource.get(name) if isinstance(resource, dict) else written, self)
        sent = read, bytes(written)
        found: Told | None = self._known.get(sent)
        if found is None:
            found = self._known[sent] = read(decoded(written), self)
        return found

    def concept_at(self, resource: Resource, name: str) -> Concept:
        """The CodeableConcept of this name; ``NOTHING`` when absent."""
        return self.told(resource, name, _concept)

    def concepts_at(self, resource: Resource, name: str) -> tuple[Concept, ...]:
        """The array of CodeableConcepts of this name."""
        return self.told(resource, name, _concepts)

    def codes_at(self, resource: Resource, name: str) -> tuple[str, ...]:
        """The codes of the element of this name, see ``codes``."""
        return self.told(resource, name, _codes)

    def is_about(self, resource: Resource) -> bool:
        """Whether a resource is about the patient; one that names nobody is taken to be."""
        subject, patient = ABOUT
        return self.told(resource, subject, _names_patient) and self.told(
            resource, patient, _names_patient
        )

    def concept(self, value: Any) -> Concept:
        """A CodeableConcept."""
        return read_concept(value, self.index)

    def concepts(self, value: Any) -> tuple[Concept, ...]:
        """An array of CodeableConcepts."""
        return read_concepts(value, self.index)

    def follow(self, value: Any, resource: Resource, kind: str) -> Resource:
        """The resource of this kind a Reference points at; an empty one when it did not come."""
        reference = reference_text(value)
        found = (
            _contained(reference[1:], resource)
            if reference.startswith("#")
            else self.linked.get(link(kind, target(reference)[1]), ABSENT)
        )
        return found if found.get("resourceType") == kind else ABSENT

    def reasons(self, resource: Resource) -> tuple[Concept, ...]:
        """Coded reasons, and the Conditions given as reasons; a suspicion is a reason too."""
        given = self.concepts_at(resource, "reasonCode")
        return given + self.conditions_at(
            resource.get("reasonReference"), resource, counts_as_reason
        )

    def conditions_at(
        self, value: Any, resource: Resource, counts: Callable[[Resource, str], bool]
    ) -> tuple[Concept, ...]:
        """The concepts of the Conditions an array of References points at, where they count.

        A reference that leads nowhere gives its display, as a concept that cannot be read.
        """
        if not value:
            return ()
        found = (self._condition_at(reference, resource, counts) for reference in objects(value))
        return tuple(concept for concept in found if concept.codings or concept.display)

    def _condition_at(
        self, reference: Resource, resource: Resource, counts: Callable[[Resource, str], bool]
    ) -> Concept:
        condition = self.follow(reference, resource, "Condition")
        if condition and counts(condition, self.patient_id):
            return self.concept(condition.get("code"))
        return Concept((), "" if condition else text(reference.get("display")))


def _concept(value: Any, chart: Chart) -> Concept:
    return read_concept(value, chart.index)


def _codes(value: Any, _: Chart) -> tuple[str, ...]:
    return codes(value)


def _names_patient(value: Any, chart: Chart) -> bool:
    return names_patient(value, chart.patient_id)


def _concepts(value: Any, chart: Chart) -> tuple[Concept, ...]:
    return read_concepts(value, chart.index)


def counts_as_reason(condition: Resource, patient_id: str) -> bool:
    """Whether a Condition may stand as a reason: this patient's, neither in error nor refuted."""
    verification = codes(condition.get("verificationStatus"))
    return is_about(condition, patient_id) and not {ENTERED_IN_ERROR, "refuted"} & {*verification}


def counts_as_diagnosis(condition: Resource, patient_id: str) -> bool:
    """Whether a Condition may stand as the diagnosis of a visit: as a reason, and not suspected."""
    suspected = {"unconfirmed", "provisional", "differential"}
    verification = {*codes(condition.get("verificationStatus"))}
    return counts_as_reason(condition, patient_id) and not suspected & verification


def order_drop(resource: Resource, draft: bool) -> Dropped | None:
    """Why an order does not count; None when it does. Of ``draft`` orders proposals count too."""
    status = codes(resource.get("status"))
    if ENTERED_IN_ERROR in status:
        return Dropped.ENTERED_IN_ERROR
    if resource.get("doNotPerform") in (True, "true"):
        return Dropped.DO_NOT_PERFORM
    if draft:
        return None
    if "draft" in status:
        return Dropped.DRAFT
    return Dropped.PROPOSAL if PROPOSALS & {*codes(resource.get("intent"))} else None


def _contained(identifier: str, resource: Resource) -> Resource:
    matches = (r for r in objects(resource.get("contained")) if text(r.get("id")) == identifier)
    return one_object(next(matches, ABSENT))
