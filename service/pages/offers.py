"""What a recommendation offers as a button: the order, its codes and its dose, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cards.codes import CPT, ICD10CM, LOINC, RXNORM, SNOMED
from cards.dosage import words
from cards.facts.vocabulary import Vocabulary
from cards.recommendation import (
    DoseByIngredient,
    DraftedDose,
    DrugDose,
    Recommendation,
    SuggestionTemplate,
)
from service.pages.rule_words import Condition, offered_when
from service.patient_record.concepts import HCPCS

ACTIONS = {"create": "New order", "update": "Changes the draft", "delete": "Removes the draft"}
SYSTEMS = {
    RXNORM: "RxNorm",
    SNOMED: "SNOMED CT",
    LOINC: "LOINC",
    ICD10CM: "ICD-10-CM",
    CPT: "CPT",
    HCPCS: "HCPCS",
}


@dataclass(frozen=True, slots=True)
class Ordered:
    """One code that is ordered.

    Attributes:
        where: the region it is for; empty where it is for any.
        dose: how it is taken; empty where the order states none of its own.
    """

    where: str
    system: str
    code: str
    display: str
    dose: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggestion in words."""

    label: str
    action: str
    resource: str
    ordered: tuple[Ordered, ...]
    dose: str
    note: str | None
    when: tuple[Condition, ...]


def offers_of(recommendation: Recommendation, vocabulary: Vocabulary) -> tuple[Offer, ...]:
    """The suggestions of a recommendation in words."""
    return tuple(_offer(template, vocabulary) for template in recommendation.suggestions)


def system_name(system: str) -> str:
    """What people call a code system; its address where we know no name."""
    return SYSTEMS.get(system, system)


def _offer(template: SuggestionTemplate, vocabulary: Vocabulary) -> Offer:
    dose = template.dosage
    return Offer(
        label=template.label,
        action=ACTIONS[template.action],
        resource=template.resource,
        ordered=tuple(_ordered(template)),
        dose=words(dose) if isinstance(dose, DrugDose | DraftedDose) else "",
        note=template.note,
        when=offered_when(template.when_all, template.when_none, vocabulary),
    )


def _ordered(template: SuggestionTemplate) -> Iterator[Ordered]:
    for region, code in template.codes.items():
        where = "" if region == "any" else region
        yield Ordered(where, system_name(code.system), code.code, code.display)
    if isinstance(template.dosage, DoseByIngredient):
        for one in template.dosage.doses:
            yield Ordered(
                "", system_name(one.code.system), one.code.code, one.code.display, words(one.dose)
            )
