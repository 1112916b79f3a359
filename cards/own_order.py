"""Orders this service has suggested itself, told by their content alone; nothing is remembered.

Whoever accepts a suggestion is not told to think twice about it. What warns of danger stays
(engine rule own-suggestion; safety.md, H-43).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cards.dosage import days_dispensed, read_back
from cards.recommendation import DrugDose, Recommendation, SuggestionTemplate
from cards.record import NOTHING, Dosage, Draft, MedicationOrder, ServiceOrder
from cards.select import is_safety
from cards.suggestion import ordered_content

# Cautions that count as safety whatever their kind (engine rule red-flag-routine-advice).
CAUTIONS = frozenset({"spinal-manipulation-contraindicated", "trigger-point-injection-caution"})


@dataclass(frozen=True, slots=True)
class ProposedDrug:
    """A drug as a suggestion orders it.

    Attributes:
        instructions: its dosages as a record would hold them, without their numbers.
        days: days of supply it states; None where it states none.
        keeps_supply: whether an order of any supply is as proposed: the draft's own stays.
        as_long_as_draft_up_to: the most days of supply it takes over from a draft; None: none.
    """

    instructions: tuple[Dosage, ...]
    refills: int
    days: int | None
    keeps_supply: bool
    as_long_as_draft_up_to: int | None


@dataclass(frozen=True, slots=True)
class OwnOrders:
    """What accepting the suggestions of some recommendations leads to.

    Attributes:
        drugs: (system, code) → the drugs proposed under this code.
        services: resource type → the elements of each service ordered, in FHIR's JSON.
    """

    drugs: Mapping[tuple[str, str], tuple[ProposedDrug, ...]]
    services: Mapping[str, tuple[Mapping[str, Any], ...]]


def is_benefit(recommendation: Recommendation) -> bool:
    """Whether its card is about the use of an order, and not about danger."""
    warns = is_safety(recommendation) or recommendation.merge_group == "red-flag"
    return not warns and recommendation.id not in CAUTIONS


def own_orders(recommendations: Iterable[Recommendation]) -> OwnOrders:
    """What accepting a suggestion of these recommendations leads to."""
    drugs: dict[tuple[str, str], list[ProposedDrug]] = {}
    services: dict[str, list[Mapping[str, Any]]] = {}
    for template in (template for r in recommendations for template in r.suggestions):
        codes = dict.fromkeys(template.codes.values())
        services.setdefault(template.resource, []).extend(
            ordered_content(template, code) for code in codes
        )
        if isinstance(template.dosage, DrugDose):
            proposed = _proposed(template, template.dosage)
            for key in {(code.system, code.code) for code in codes}:
                drugs.setdefault(key, []).append(proposed)
    return OwnOrders(
        {key: tuple(proposed) for key, proposed in drugs.items()},
        {kind: tuple(contents) for kind, contents in services.items()},
    )


def _proposed(template: SuggestionTemplate, dose: DrugDose) -> ProposedDrug:
    days = days_dispensed(dose)
    return ProposedDrug(
        tuple(replace(step, sequence=None) for step in read_back(dose)),
        dose.refills or 0,
        days,
        days is None and template.action == "update",
        dose.as_long_as_draft_up_to,
    )


def is_own(draft: Draft, own: OwnOrders) -> bool:
    """Whether the draft is what accepting a suggestion leads to.

    A drug is, by the same code, dose, duration and refills. A service has no dose to tell it by,
    so it has to be written just as the suggestion writes it, note and reason included.
    """
    match draft.order:
        case MedicationOrder(drug=drug) as order:
            coded = (own.drugs.get((c.system, c.code), ()) for c in drug.codings)
            return any(_is_taken_as(each, order) for proposed in coded for each in proposed)
        case ServiceOrder(kind=kind) if _is_for_a_problem(draft.resource):
            contents = own.services.get(kind, ())
            return any(_is_written_as(content, draft.resource) for content in contents)
    return False


def _is_for_a_problem(resource: Mapping[str, Any]) -> bool:
    """Whether a problem on record is the reason, as in our suggestions.

    Where the clinician orders a service, the reason is mostly a code.
    """
    return "reasonReference" in resource and "reasonCode" not in resource


def _is_written_as(content: Mapping[str, Any], resource: Mapping[str, Any]) -> bool:
    return all(resource.get(name) == value for name, value in content.items())


def _is_taken_as(proposed: ProposedDrug, order: MedicationOrder) -> bool:
    """Whether an order's instructions, refills and supply are those of the proposed drug."""
    ordered = sorted(order.dosages, key=lambda dosage: dosage.sequence or 0)
    return (
        len(ordered) == len(proposed.instructions)
        and all(map(_is_as, ordered, proposed.instructions))
        and order.repeats == proposed.refills
        and _is_supplied_as(proposed, order.supply_days)
    )


def _is_supplied_as(proposed: ProposedDrug, days: float | None) -> bool:
    """Whether an order lasts as proposed, or as a draft whose days the proposal takes over."""
    most = proposed.as_long_as_draft_up_to
    return (
        proposed.keeps_supply
        or days == proposed.days
        or (most is not None and days is not None and 0 < days <= most)
    )


def _is_as(dosage: Dosage, step: Dosage) -> bool:
    """Whether an instruction is the proposed one; its route and number may be told otherwise."""
    return replace(dosage, route=NOTHING, sequence=None) == step
