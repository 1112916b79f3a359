"""Criteria: facts under ``all``, ``any`` and ``none``; the whole rule language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cards.answer import NO, UNKNOWN, Answer, ChartEntry, Finding, any_of, yes

Ask = Callable[[str], Finding]


@dataclass(frozen=True, slots=True)
class Criteria:
    """Names of facts: every one of ``all``, at least one of ``any``, not one of ``none``."""

    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every fact named, in the order written."""
        return self.all + self.any + self.none


def meets(criteria: Criteria, ask: Ask) -> Finding:
    """Whether the criteria are met: yes needs ``all`` and one ``any`` yes and ``none`` known no.

    A yes bears the chart entries of every yes among ``any`` and ``all``, the more telling first,
    then what a no under ``none`` still has to tell (care that ended long ago).
    Criteria that cannot be met whatever the unknown facts turn out to be are no; else, when not
    met, unknown.
    """
    met = settled(criteria.all, criteria.any, criteria.none, ask)
    if met.answer is not Answer.YES:
        return met
    told = criteria.any + criteria.all + criteria.none
    return yes(entry for name in told for entry in ask(name).because)


def settled(
    required: Iterable[str], options: Sequence[str], barred: Iterable[str], ask: Ask
) -> Finding:
    """Kleene conjunction of ``required``, of any of ``options``, and of no ``barred``.

    Facts are asked only until one settles that the answer is no; a yes bears the reasons of the
    required and of the options that are yes.
    """
    because: list[ChartEntry] = []
    unknown = False
    for name in required:
        finding = ask(name)
        if finding.answer is Answer.NO:
            return NO
        unknown = unknown or finding.answer is Answer.UNKNOWN
        because += finding.because
    if options:
        met = any_of([ask(name) for name in options])
        if met.answer is Answer.NO:
            return NO
        unknown = unknown or met.answer is Answer.UNKNOWN
        because += met.because
    for name in barred:
        answer = ask(name).answer
        if answer is Answer.YES:
            return NO
        unknown = unknown or answer is Answer.UNKNOWN
    return UNKNOWN if unknown else yes(because)
