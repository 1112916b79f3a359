"""The drug of a MedicationRequest: its code, or that of the Medication it points at."""

from __future__ import annotations

from typing import Any, NamedTuple

from cards.product import Product
from cards.recognition import NOT_TRUSTED, Unreadable, bare, named_sets, recognise
from cards.record import Coding, Concept
from service.patient_record.chart import Chart
from service.patient_record.concepts import canonical_system, merged
from service.patient_record.elements import Resource, objects, one_object, text

# Vitamins with minerals have some thirty; each part is looked for in every other drug.
MOST_INGREDIENTS = 100


class Drug(NamedTuple):
    """What is known of a drug; ``unreadable`` says why ``product`` is None.

    ``may_be`` are the value sets its name speaks of, where only its code is not known.
    """

    concept: Concept
    product: Product | None = None
    unreadable: Unreadable | None = Unreadable.NO_CODE
    may_be: frozenset[str] = frozenset()

    @property
    def stated(self) -> bool:
        """Whether it is coded, be it by a code that is not to be trusted."""
        return self.concept.readable or self.unreadable in NOT_TRUSTED

    @property
    def is_no_concern(self) -> bool:
        """Whether it is surely a drug that no fact asks about."""
        told = self.concept.readable and self.unreadable in (None, Unreadable.UNKNOWN_CODE)
        return told and not self.concept.sets and not self.may_be


def own_drug(resource: Resource, chart: Chart) -> Drug:
    """The drug by its own code."""
    return chart.told(resource, "medicationCodeableConcept", _read_concept)


def read_drug(resource: Resource, chart: Chart) -> Drug:
    """The drug: its own code, else that of the Medication it points at.

    A reference that leads nowhere gives its display only, so that the drug counts as unreadable
    and never as absent.
    """
    own = own_drug(resource, chart)
    if own.stated:
        return own
    reference = one_object(resource.get("medicationReference"))
    named = _read_medication(chart.follow(reference, resource, "Medication"), reference, chart)
    if named.stated:
        return named
    display = own.concept.display or named.concept.display or text(reference.get("display"))
    coded = Unreadable.OTHER_SYSTEM in (own.unreadable, named.unreadable)
    reason = Unreadable.OTHER_SYSTEM if coded else Unreadable.NO_CODE
    return Drug(Concept((), display), unreadable=reason)


def _read_medication(medication: Resource, reference: Resource, chart: Chart) -> Drug:
    """The code of a Medication, else those of its ingredients; some name it by identifier only."""
    coded = _read_concept(medication.get("code"), chart, text(reference.get("display")))
    if coded.stated:
        return coded
    parts = [
        _read_concept(ingredient.get("itemCodeableConcept"), chart)
        for ingredient in objects(medication.get("ingredient"), MOST_INGREDIENTS)
        if ingredient.get("isActive") is not False
    ]
    names = (text(identifier.get("value")) for identifier in objects(medication.get("identifier")))
    display = coded.concept.display or next(filter(None, names), "")
    if not parts:
        return Drug(Concept((), display), unreadable=coded.unreadable)
    return _compound(parts, display, chart)


def _compound(parts: list[Drug], display: str, chart: Chart) -> Drug:
    """A drug told by its ingredients; one that is not known leaves the whole unknown."""
    reasons = [part.unreadable for part in parts if part.unreadable]
    distrust = next((reason for reason in reasons if reason in NOT_TRUSTED), None)
    if distrust:
        return Drug(Concept((), display), unreadable=distrust)
    concept = merged(tuple(part.concept for part in parts), chart.index, display)
    products = [part.product for part in parts if part.product]
    if reasons:
        may_be = frozenset(name for part in parts for name in part.may_be)
        return Drug(concept, unreadable=reasons[0], may_be=may_be)
    product = products[0] if len(products) == 1 else bare(products)
    return Drug(concept, product, None)


def _read_concept(value: Any, chart: Chart, *texts: str) -> Drug:
    """A CodeableConcept; of a code that is not to be trusted only the words are kept."""
    concept = chart.concept(value)
    wording = text(one_object(value).get("text"))
    found = recognise(_written(value), chart.drugs, (wording, *texts))
    if not isinstance(found, Unreadable):
        return Drug(concept, found, None)
    if found in NOT_TRUSTED:
        return Drug(Concept((), concept.display), unreadable=found)
    displays = (coding.display for coding in concept.codings)
    unknown = found is Unreadable.UNKNOWN_CODE
    said = (*displays, wording, *texts) if unknown else ()
    return Drug(concept, unreadable=found, may_be=named_sets(said, chart.drugs, chart.index))


def _written(value: Any) -> list[Coding]:
    """Every coding that bears a code, those of systems nobody reads included."""
    concept = one_object(value)
    written = objects(concept.get("coding")) or (concept,)
    codings = []
    for coding in written:
        system, code = text(coding.get("system")), text(coding.get("code"))
        if code:
            display = text(coding.get("display"))
            codings.append(Coding(canonical_system(system) or system, code, display))
    return codings
