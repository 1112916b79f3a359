"""One question asked of one record: the record, the day, and the draft under evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from cards.answer import Finding
from cards.kept import kept_for_each_in, kept_in
from cards.mme_factors import MmeFactors
from cards.record import Draft, PatientRecord


@dataclass(frozen=True, slots=True)
class Case:
    """What a fact looks at.

    Attributes:
        today: the day of the call, local calendar date.
        draft: the draft under evaluation; None on patient-view and for facts of scope patient.
        factors: what converts opioids into morphine equivalents; None leaves every sum unknown.
        memo: what was worked out of this case.
        shared: what was worked out of the record alone, whichever draft is under evaluation.
    """

    record: PatientRecord
    today: date
    draft: Draft | None = None
    factors: MmeFactors | None = None
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    shared: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def other_drafts(self) -> tuple[Draft, ...]:
        """The drafts of this call beside the one under evaluation."""
        return self.record.drafts_beside(self.draft)

    def about(self, draft: Draft) -> Case:
        """The same question of this draft; what rests on another draft does not carry over."""
        return replace(self, draft=draft, memo={})

    def of(self, record: PatientRecord, draft: Draft | None) -> Case:
        """The same question of another record; nothing worked out of this one carries over."""
        return replace(self, record=record, draft=draft, memo={}, shared={})


# What a decorated step gives is kept with what it rests on, and worked out once.
once = kept_in("memo")  # per case
once_for_each = kept_for_each_in("memo")  # per case and thing
once_a_call = kept_in("shared")  # for all drafts: it never looks at the one under evaluation
once_a_call_for_each = kept_for_each_in("shared")


Fact = Callable[[Case], Finding]
FACTS: dict[str, Fact] = {}


def answered(case: Case, name: str) -> Finding:
    """The answer to the fact of this name, worked out at most once per case."""
    finding: Finding | None = case.memo.get(name)
    if finding is None:
        finding = case.memo[name] = FACTS[name](case)
    return finding


def fact(question: Fact) -> Fact:
    """Register a fact under its function name; the vocabulary is ``definitions/facts.yaml``."""
    FACTS[question.__name__] = question
    return question


def fact_named(name: str, told: str) -> Callable[[Fact], Fact]:
    """Register one of a family of alike facts, made from a table, under a name of its own.

    Args:
        told: the docstring of this one of the family.
    """

    def entered(question: Fact) -> Fact:
        question.__name__ = question.__qualname__ = name
        question.__doc__ = told
        return fact(question)

    return entered
