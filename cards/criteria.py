"""Criteria: facts under ``all``, ``any`` and ``none``; the whole rule language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cards.answer import NO, UNKNOWN, Answer, Finding, any_of, yes

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
    required, options, barred = [], [], []
    unknown = False
    for name in criteria.all:
        finding = ask(name)
        if finding.answer is Answer.NO:
            return NO
        unknown = unknown or finding.answer is Answer.UNKNOWN
        required.append(finding)
    for name in criteria.none:
        finding = ask(name)
        if finding.answer is Answer.YES:
            return NO
        unknown = unknown or finding.answer is Answer.UNKNOWN
        barred.append(finding)
    if criteria.any:
        options = [ask(name) for name in criteria.any]
        met = any_of(options)
        if met.answer is Answer.NO:
            return NO
        unknown = unknown or met.answer is Answer.UNKNOWN
    if unknown:
        return UNKNOWN
    return yes(entry for finding in options + required + barred for entry in finding.because)
