"""Criteria: facts under ``all``, ``any`` and ``none``; the whole rule language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cards.answer import NO, UNKNOWN, Answer, Finding, yes

# Looked up once: a member of an enumeration costs several times what a global does.
_YES, _NO, _UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN

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
    if met is not _YES:
        return NO if met is _NO else UNKNOWN
    told = criteria.any + criteria.all + criteria.none
    return yes(entry for name in told for entry in ask(name).because)


def settled(
    required: Iterable[str], options: Iterable[str], barred: Iterable[str], ask: Ask
) -> Answer:
    """Kleene conjunction of ``required``, of any of ``options`` (if any), and of no ``barred``.

    Facts are asked only until one settles that the answer is no.
    """
    known = True
    for name in required:
        answer = ask(name).answer
        if answer is _NO:
            return answer
        known = known and answer is _YES
    if options:
        met = first_yes(options, ask)
        if met is _NO:
            return met
        known = known and met is _YES
    for name in barred:
        answer = ask(name).answer
        if answer is _YES:
            return _NO
        known = known and answer is _NO
    return _YES if known else _UNKNOWN


def first_yes(names: Iterable[str], ask: Ask) -> Answer:
    """Kleene disjunction, asked until one is yes."""
    met = _NO
    for name in names:
        answer = ask(name).answer
        if answer is _YES:
            return answer
        if answer is _UNKNOWN:
            met = answer
    return met
