"""Orders this service has suggested itself, told by their content alone; nothing is remembered.

Whoever accepts a suggestion is not told to think twice about it. What warns of danger stays
(engine rule own-suggestion; safety.md, H-43).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cards.dosage import days_dispensed, read_back
from cards.recommendation import DrugDose, Recommendation, SuggestionTemplate
from cards.record import NOTHING, Dosage, Draft, MedicationOrder, ServiceOrder
from cards.select import is_safety
from cards.suggestion import ordered_content

# Cautions that count as safety whatever their kind (engine rule red-flag-routine-advice).
CAUTIONS = frozenset({"spinal-manipulation-contraindicated", "trigger-point-injection-caution"})


def is_benefit(recommendation: Recommendation) -> bool:
    """Whether its card is about the use of an order, and not about danger."""
    warns = is_safety(recommendation) or recommendation.merge_group == "red-flag"
    return not warns and recommendation.id not in CAUTIONS


def is_own(draft: Draft, recommendations: Iterable[Recommendation]) -> bool:
    """Whether the draft is what accepting a suggestion of these recommendations leads to.

    A drug is, by the same code, dose, duration and refills. A service has no dose to tell it by,
    so it has to be written just as the suggestion writes it, note and reason included.
    """
    templates = (template for r in recommendations for template in r.suggestions)
    return any(_is_built_from(template, draft) for template in templates)


def _is_built_from(template: SuggestionTemplate, draft: Draft) -> bool:
    match draft.order:
        case MedicationOrder(drug=drug):
            codes = {(code.system, code.code) for code in template.codes.values()}
            same = not codes.isdisjoint((coding.system, coding.code) for coding in drug.codings)
            return (
                same
                and isinstance(template.dosage, DrugDose)
                and _taken_as(template.dosage, draft.order)
                and _is_supplied_as(template, template.dosage, draft.order.supply_days)
            )
        case ServiceOrder(kind=kind):
            return template.resource == kind and any(
                _is_written_as(ordered_content(template, code), draft.resource)
                for code in template.codes.values()
            )
    return False


def _is_written_as(content: Mapping[str, Any], resource: Mapping[str, Any]) -> bool:
    """Whether a draft has the content of a suggestion, for a problem on record.

    Where the clinician orders a service, the reason is mostly a code.
    """
    same = all(resource.get(name) == value for name, value in content.items())
    return same and "reasonReference" in resource and "reasonCode" not in resource


def _taken_as(dose: DrugDose, order: MedicationOrder) -> bool:
    """Whether an order's instructions and refills are those of the proposed dose."""
    proposed = read_back(dose)
    ordered = sorted(order.dosages, key=lambda dosage: dosage.sequence or 0)
    return (
        len(ordered) == len(proposed)
        and all(_is_as(each, step) for each, step in zip(ordered, proposed, strict=True))
        and order.repeats == (dose.refills or 0)
    )


def _is_supplied_as(template: SuggestionTemplate, dose: DrugDose, days: float | None) -> bool:
    """Whether an order lasts as proposed, or as a draft whose days the proposal takes over."""
    proposed, most = days_dispensed(dose), dose.as_long_as_draft_up_to
    if proposed is None and template.action == "update":
        return True
    return days == proposed or (most is not None and days is not None and 0 < days <= most)


def _is_as(dosage: Dosage, step: Dosage) -> bool:
    """Whether an instruction is the proposed one; its route and number may be told otherwise."""
    return replace(dosage, route=NOTHING, sequence=None) == replace(step, sequence=None)
