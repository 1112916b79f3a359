"""The three answers a fact can give, and the chart entries behind them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Answer(Enum):
    """Yes, no, or not known; "not recorded" is never silently "no"."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ChartEntry:
    """One entry of the chart that led to an answer, fit to be shown on a card.

    Attributes:
        reference: relative reference such as ``Condition/c1``; empty for what was looked for and
            not found, which ``display`` then names.
        display: the entry's own coded display or text, unescaped; may be empty.
        date: ISO date (full or partial) the entry speaks for; None when it bears none.
        calculated: whether ``display`` says what was reckoned from the entry, such as a daily dose.
            Record text in it is cut already; a card shows all such entries, each in full.
    """

    reference: str
    display: str
    date: str | None = None
    calculated: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer with the chart entries that led to it."""

    answer: Answer
    because: tuple[ChartEntry, ...] = ()


# Looked up once: a member of an enumeration costs several times what a global does.
_YES, _NO, _UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
YES = Finding(Answer.YES)
NO = Finding(Answer.NO)
UNKNOWN = Finding(Answer.UNKNOWN)


def yes(because: Iterable[ChartEntry] = ()) -> Finding:
    """A yes resting on the given chart entries."""
    return Finding(Answer.YES, tuple(because))


def all_of(findings: Iterable[Finding]) -> Finding:
    """Kleene conjunction: no beats unknown beats yes; a yes gathers every reason."""
    unknown = False
    because: list[ChartEntry] = []
    for finding in findings:
        if finding.answer is _NO:
            return NO
        if finding.answer is _UNKNOWN:
            unknown = True
        because += finding.because
    return UNKNOWN if unknown else yes(because)


def any_of(findings: Iterable[Finding]) -> Finding:
    """Kleene disjunction: yes beats unknown beats no; a yes gathers the reasons of every yes."""
    met = unknown = False
    because: list[ChartEntry] = []
    for finding in findings:
        if finding.answer is _YES:
            met = True
            because += finding.because
        elif finding.answer is _UNKNOWN:
            unknown = True
    if met:
        return yes(because)
    return UNKNOWN if unknown else NO


def negate(finding: Finding) -> Finding:
    """Kleene negation; unknown stays unknown, and a no bears no reasons to carry over."""
    match finding.answer:
        case Answer.YES:
            return NO
        case Answer.NO:
            return YES
        case Answer.UNKNOWN:
            return UNKNOWN
