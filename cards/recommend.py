"""Which recommendations apply, with which indicator, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from cards.answer import Answer, ChartEntry, Finding
from cards.answers import SureAnswers
from cards.criteria import Ask, meets
from cards.recommendation import RANK, Indicator, Recommendation, SuggestionTemplate
from cards.record import Draft, HookName

# Looked up once: a member of an enumeration costs several times what a global does.
_YES, _NO, _UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


@dataclass(frozen=True, slots=True)
class Applied:
    """A recommendation that applies.

    Attributes:
        draft: the draft order it is about; None when about the patient.
        because: the chart entries that decided.
        suggestions: those offered here and now.
        grade: of a red flag: high, moderate or soft.
    """

    recommendation: Recommendation
    indicator: Indicator
    draft: Draft | None
    because: tuple[ChartEntry, ...]
    suggestions: tuple[SuggestionTemplate, ...]
    grade: Literal["high", "moderate", "soft"] | None = None


Deciding = tuple[tuple[str, Finding], ...]


# Not frozen: every call makes a hundred, and freezing would be most of what they cost.
@dataclass(slots=True)
class Verdict:
    """What became of one recommendation, and the facts that decided.

    Attributes:
        outcome: shown, withheld (a criterion is not met), unknown (a criterion is not known to be
            met), suppressed (an exclusion silences it, or the draft is a suggestion of this
            service), merged, row, text, capped, or failed.
        explain: finds the facts that decided; called only when somebody asks why.
    """

    id: str
    outcome: str
    explain: Callable[[], Deciding] = field(default=tuple, compare=False, repr=False)
    indicator: Indicator | None = None
    draft: str | None = None

    @property
    def deciding(self) -> Deciding:
        """The facts that decided, each with its finding, in the order asked."""
        return self.explain()


def judge(
    recommendation: Recommendation, ask: Ask, hook: HookName, draft: Draft | None = None
) -> tuple[Applied | None, Verdict]:
    """The advice this recommendation gives (None when it is silent), and the verdict on it."""
    trigger = meets(recommendation.trigger, ask)
    if trigger.answer is not _YES:
        outcome = "unknown" if trigger.answer is _UNKNOWN else "withheld"
        return None, _verdict(
            recommendation, outcome, lambda: _blocking(recommendation, ask), draft
        )
    excluded = _every_yes(recommendation.exclusions, ask)
    if excluded:
        return None, _verdict(recommendation, "suppressed", lambda: excluded, draft)
    indicator, grade, grounds = _indicator(recommendation, ask, hook)
    if indicator != "critical":
        barred = _every_yes(recommendation.critical_only_when, ask)
        if barred:
            return None, _verdict(recommendation, "suppressed", lambda: barred, draft)
    suggestions = offered(recommendation, ask)
    gates = {name for suggestion in suggestions for name in suggestion.when_all}
    opened = tuple(entry for name in sorted(gates) for entry in ask(name).because)
    advice = Applied(
        recommendation,
        indicator,
        draft,
        tuple(dict.fromkeys(grounds + trigger.because + opened)),
        suggestions,
        grade,
    )
    return advice, _verdict(
        recommendation, "shown", lambda: _asked(recommendation.trigger.names, ask), draft, indicator
    )


def withheld(recommendation: Recommendation, ask: Ask, draft: Draft | None = None) -> Verdict:
    """The verdict on a recommendation whose trigger is not met."""
    reference = draft.order.reference if draft else None
    why = partial(_blocking, recommendation, ask)
    return Verdict(recommendation.id, "withheld", why, None, reference)


def offered(recommendation: Recommendation, ask: Ask) -> tuple[SuggestionTemplate, ...]:
    """The suggestions whose conditions hold; no drug while the age is unknown (H-14)."""
    return tuple(
        suggestion
        for suggestion in recommendation.suggestions
        if all(_is_yes(ask, name) for name in suggestion.when_all)
        and not any(_is_yes(ask, name) for name in suggestion.when_none)
        and not (suggestion.proposes_drug and _is_yes(ask, "age_unknown"))
    )


def _indicator(
    recommendation: Recommendation, ask: Ask, hook: HookName
) -> tuple[Indicator, Literal["high", "moderate", "soft"] | None, tuple[ChartEntry, ...]]:
    hits = [rule for rule in recommendation.indicator_rules if _is_yes(ask, rule.fact)]
    soft = recommendation.merge_group == "red-flag"
    if hits:
        rule = max(hits, key=lambda hit: RANK[hit.indicator])
        indicator, grade = rule.indicator, rule.grade
    else:
        indicator, grade = recommendation.indicator, None
    ceiling = recommendation.patient_view_max
    if hook == "patient-view" and ceiling is not None:
        indicator = min(indicator, ceiling, key=RANK.__getitem__)
    grounds = tuple(entry for hit in hits for entry in ask(hit.fact).because)
    return indicator, grade or ("soft" if soft else None), grounds


def _blocking(recommendation: Recommendation, ask: Ask) -> Deciding:
    """The facts that keep the trigger from firing."""
    trigger = recommendation.trigger
    required = _asked(trigger.all, ask)
    blocking = [(name, found) for name, found in required if found.answer is not _YES]
    options = _asked(trigger.any, ask)
    if options and all(found.answer is not _YES for _, found in options):
        blocking += options
    barred = _asked(trigger.none, ask)
    blocking += [(name, found) for name, found in barred if found.answer is not _NO]
    return tuple(blocking)


def _asked(names: Iterable[str], ask: Ask) -> Deciding:
    sure = SureAnswers(ask)  # a fact nobody had to ask for may fail
    return tuple((name, sure(name)) for name in names)


def _every_yes(names: tuple[str, ...], ask: Ask) -> Deciding:
    found = []
    for name in names:
        finding = ask(name)
        if finding.answer is _YES:
            found.append((name, finding))
    return tuple(found)


def _is_yes(ask: Ask, name: str) -> bool:
    return ask(name).answer is _YES


def _verdict(
    recommendation: Recommendation,
    outcome: str,
    explain: Callable[[], Deciding],
    draft: Draft | None,
    indicator: Indicator | None = None,
) -> Verdict:
    reference = draft.order.reference if draft else None
    return Verdict(recommendation.id, outcome, explain, indicator, reference)
