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


class Dose:
    """What a suggestion says of dose and supply; one of the kinds below."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class DrugDose(Dose):
    """A complete dose for a proposed drug: its text, and the numbers behind it.

    Attributes:
        value, unit: one dose, with its UCUM code; a whole number is told as one.
        frequency, period, period_unit: None of a drug taken on one occasion only, which
            ``as_needed_for`` names (a suspected overdose).
        days: how long this step lasts; None where the order does not say.
        period_max: the longest period where a range is given (every 6 to 8 hours).
        most_per_day: the largest amount in a day, in ``unit``; None when the frequency tells.
        hours_on: hours a patch stays on each time.
        event: HL7 code of the time of day (``HS``: bedtime).
        refills: 0 forbids a refill; None leaves it to the prescriber.
        then: the steps that follow this one.
        as_needed_for: the one occasion it is for; None when there is none, or nobody named it.
        supply_days: days dispensed where the instruction states no end; None where it states one.
        as_long_as_draft_up_to: beside a draft that says how long it lasts, it is dispensed for as
            many days as the draft, at most so many; None: always for ``supply_days``.
    """

    text: str
    value: int | float
    unit: str
    frequency: int | None = None
    period: int | float | None = None
    period_unit: str | None = None
    route: Coding | None = None
    as_needed: bool = False
    days: int | None = None
    period_max: int | float | None = None
    most_per_day: int | float | None = None
    hours_on: int | float | None = None
    event: str | None = None
    refills: int | None = None
    then: tuple[DrugDose, ...] = ()
    as_needed_for: str | None = None
    supply_days: int | None = None
    as_long_as_draft_up_to: int | None = None


@dataclass(frozen=True, slots=True)
class DraftedDose(Dose):
    """The drug and dose of the draft as they are, dispensed for ``days`` with ``refills``."""

    text: str
    days: int
    refills: int


@dataclass(frozen=True, slots=True)
class IngredientDose:
    """The dose of a drug by its ingredient.

    Attributes:
        ingredient: its RxNorm code.
        code: the product ordered where the drafted one does not allow the dose.
    """

    ingredient: str
    code: Coding
    dose: DrugDose


@dataclass(frozen=True, slots=True)
class DoseByIngredient(Dose):
    """The drug of the draft stays, in the dose listed for its ingredient; others have none."""

    doses: tuple[IngredientDose, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SuggestionTemplate:
    """A suggestion: one action on one resource.

    Attributes:
        codes: region (``any``, ``lumbar``, ``thoracic`` …) → pinned code. Empty: no code yet, and
            a create or update is not offered, unless it keeps the drug of the draft.
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
    dosage: Dose | None = None
    when_all: tuple[str, ...] = ()
    when_none: tuple[str, ...] = ()

    @property
    def rescues(self) -> bool:
        """Whether it offers the antidote, which nothing unread speaks against."""
        return self.value_set == "naloxone"

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
class InWords:
    """What a file says of its recommendation for readers; no rule runs on it."""

    population: str = ""
    phases: tuple[str, ...] = ()
    missing_data: str = ""
    indicator_reason: str = ""
    evidence_strength: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Recommendation:
    """One recommendation: wording, who gets it, why, and its example patients.

    Each is itself only, so that what is made of its content can be kept by it.

    Attributes:
        render: a card of its own, a row of the first-line card, or text of other cards.
        exclusions: facts, exclusion sets already spelled out; any yes silences.
        critical_only_when: facts that leave only a critical card standing (end of life).
        brief: the detail for signing, unless critical: less the sentences the file leaves out.
        priority: lower comes first among cards of one indicator.
        not_found: fact → what the card calls not found in the record while the fact is unknown.
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
    brief: str
    limits: str
    not_found: Mapping[str, str]
    suggestions: tuple[SuggestionTemplate, ...]
    override_reasons: tuple[str, ...]
    sources: tuple[str, ...]
    conflicts: tuple[str, ...]
    examples: tuple[Example, ...]
    in_words: InWords = InWords()

    @property
    def facts_asked(self) -> tuple[str, ...]:
        """Every fact that the rule or the suggestions ask."""
        return (
            *self.trigger.names,
            *self.exclusions,
            *self.critical_only_when,
            *(rule.fact for rule in self.indicator_rules),
            *(name for s in self.suggestions for name in s.when_all + s.when_none),
        )
