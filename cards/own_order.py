"""Orders this service has suggested itself, told by their content alone; nothing is remembered.

Whoever accepts a suggestion is not told to think twice about it. What warns of danger stays
(engine rule own-suggestion; safety.md, H-43).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cards.recommendation import DrugDose, Recommendation, SuggestionTemplate
from cards.record import (
    Dosage,
    Draft,
    MedicationOrder,
    Quantity,
    ServiceOrder,
    Timing,
)
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
    """Whether an order's instructions and supply are those of the proposed dose."""
    steps = (dose, *dose.then)
    days = [step.days for step in steps if step.days is not None]
    supply = sum(days) if len(days) == len(steps) else None
    ordered = sorted(order.dosages, key=lambda dosage: dosage.sequence or 0)
    return (
        len(ordered) == len(steps)
        and all(_is_step(dosage, step) for dosage, step in zip(ordered, steps, strict=True))
        and order.supply_days == supply
        and order.repeats == (dose.refills or 0)
    )


def _is_step(dosage: Dosage, step: DrugDose) -> bool:
    most = step.most_per_day
    return (
        dosage.dose == Quantity(step.value, step.unit)
        and dosage.as_needed == step.as_needed
        and dosage.timing == _timing(step)
        and dosage.max_per_dose is None
        and dosage.rate is None
        and dosage.max_per_period
        == (None if most is None else (Quantity(most, step.unit), Quantity(1, "d")))
    )


def _timing(step: DrugDose) -> Timing | None:
    timing = Timing(
        frequency=step.frequency,
        period=step.period,
        period_max=step.period_max,
        period_unit=step.period_unit,
        when=() if step.event is None else (step.event,),
        bounds_days=step.days,
    )
    return None if timing == Timing() else timing
