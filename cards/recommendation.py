"""A recommendation as its YAML file says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cards.criteria import Criteria
from cards.record import Coding, HookName

Indicator = Literal["info", "warning", "critical"]
RANK: Mapping[Indicator, int] = {"info": 0, "warning": 1, "critical": 2}
Render = Literal["card", "row", "text"]


@dataclass(frozen=True, slots=True)
class IndicatorRule:
    """When ``fact`` is yes, the card has this indicator (and red flags this grade)."""

    fact: str
    indicator: Indicator
    grade: Literal["high", "moderate"] | None = None


@dataclass(frozen=True, slots=True)
class DrugDose:
    """A complete dose for a proposed drug: its text, and the numbers behind it."""

    text: str
    value: float
    unit: str
    frequency: int
    period: float
    period_unit: str
    route: Coding | None = None
    as_needed: bool = False
    days: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SuggestionTemplate:
    """A suggestion: one action on one resource.

    Attributes:
        codes: region (``any``, ``lumbar``, ``thoracic`` …) → pinned code. Empty: no code yet, and
            a create or update is not offered.
        text: what is ordered, where the code alone says less; None takes the code's display.
    """

    label: str
    action: Literal["create", "update", "delete"]
    resource: str
    codes: Mapping[str, Coding]
    value_set: str | None = None
    priority: str | None = None
    note: str | None = None
    text: str | None = None
    dosage: DrugDose | None = None
    when_all: tuple[str, ...] = ()
    when_none: tuple[str, ...] = ()

    @property
    def proposes_drug(self) -> bool:
        """Whether accepting it would have the patient take a drug."""
        return self.resource == "MedicationRequest" and self.action != "delete"


@dataclass(frozen=True, slots=True)
class Example:
    """An example patient in facts: what must come out, and with which indicator."""

    case: str
    hook: HookName
    present: frozenset[str]
    absent: frozenset[str]
    unknown: frozenset[str]
    expect: Literal["shown", "withheld", "softened"]
    indicator: Indicator | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One recommendation: wording, who gets it, why, and its example patients.

    Attributes:
        render: a card of its own, a row of the first-line card, or text of other cards.
        exclusions: facts, exclusion sets already spelled out; any yes silences.
        critical_only_when: facts that leave only a critical card standing (end of life).
        priority: lower comes first among cards of one indicator.
        merge_group: cards of one group become one card; None when it stands alone.
    """

    id: str
    title: str
    kind: str
    render: Render
    hooks: tuple[HookName, ...]
    pathways: tuple[str, ...]
    indicator: Indicator
    indicator_rules: tuple[IndicatorRule, ...]
    patient_view_max: Indicator | None
    priority: int
    merge_group: str | None
    trigger: Criteria
    exclusions: tuple[str, ...]
    critical_only_when: tuple[str, ...]
    summary: str
    detail: str
    limits: str
    suggestions: tuple[SuggestionTemplate, ...]
    override_reasons: tuple[str, ...]
    sources: tuple[str, ...]
    conflicts: tuple[str, ...]
    examples: tuple[Example, ...]
