"""Trials of non-drug care: which care belongs to one, and whether it was long enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from cards.answer import NO, UNKNOWN, Answer, Finding, negate, yes
from cards.case import Case, once_a_call_for_each
from cards.facts.course import Care, care_date, given_or_ordered, undated
from cards.facts.entries import belongs, reasons, within
from cards.record import Procedure, ServiceOrder, When

WINDOW_DAYS = 365
SESSIONS = 4
COMPLETED_DAYS = 28
RUNNING_SESSION_DAYS, RUNNING_ORDER_DAYS = 28, 42


@dataclass(frozen=True, slots=True)
class StepCare:
    """The care of one step within a year: what surely lies there, and what may."""

    sure: tuple[Care, ...]
    unsure: tuple[Care, ...]

    def only(self, *sets: str) -> StepCare:
        """The care that is also in one of these sets."""
        return self._where(lambda entry: belongs(entry.concept, *sets))

    def without(self, *sets: str) -> StepCare:
        """The care that is in none of these sets."""
        return self._where(lambda entry: not belongs(entry.concept, *sets))

    def _where(self, kept: Callable[[Care], bool]) -> StepCare:
        return StepCare(tuple(filter(kept, self.sure)), tuple(filter(kept, self.unsure)))


def step_care(case: Case, *sets: str) -> StepCare:
    """Care of the sets for the back, given or ordered; what is still to come does not count."""
    return _step_care(case, sets)


@once_a_call_for_each
def _step_care(case: Case, sets: tuple[str, ...]) -> StepCare:
    care = given_or_ordered(case, *sets)
    dates = [(entry, care_date(entry, case.today)) for entry in care]
    answers = [(entry, within(when, case.today, WINDOW_DAYS)) for entry, when in dates if when] + [
        (entry, Answer.UNKNOWN) for entry, _ in dates if undated(entry)
    ]
    return StepCare(
        tuple(entry for entry, answer in answers if answer is Answer.YES),
        tuple(entry for entry, answer in answers if answer is Answer.UNKNOWN),
    )


def documented_failure(care: StepCare) -> Finding:
    """Whether the coded outcome of care was no change, or worse."""
    return either(
        [entry for entry in care.sure if _failed(entry)],
        any(_failed(entry) for entry in care.unsure),
    )


def _failed(entry: Care) -> bool:
    return isinstance(entry, Procedure) and belongs(entry.outcome, "outcome-bad")


def adequate_trial(care: StepCare, today: date, days: int) -> Finding:
    """Whether care was tried long enough: four sessions, the first ``days`` ago, or 28 days."""
    both = (*care.sure, *care.unsure)
    lasted = [entry for entry in care.sure if _lasted(entry, today) is Answer.YES]
    sure, possible = sessions(care.sure), sessions(both)
    begun = any(since(entry, today, days).answer is Answer.YES for entry in sure)
    if not lasted and begun and fewest_days(sure) >= SESSIONS:
        lasted = list(sure)
    may_have_begun = any(since(entry, today, days).answer is not Answer.NO for entry in possible)
    may_have_lasted = any(_lasted(entry, today) is not Answer.NO for entry in both)
    enough = may_have_begun and most_days(possible) >= SESSIONS
    return either(lasted, may_have_lasted or enough)


def either(found: Iterable[Care], possible: bool) -> Finding:
    """Yes with the care found; without any, unknown when something is possible, else no."""
    entries = tuple(found)
    if entries:
        return yes(reasons(entries))
    return UNKNOWN if possible else NO


def _lasted(entry: Care, today: date) -> Answer:
    """Whether a completed course lasted 28 days; days still to come do not count."""
    if entry.status != "completed" or entry.start is None or entry.end is None:
        return Answer.NO
    least = (min(entry.end.earliest, today) - entry.start.latest).days
    most = (min(entry.end.latest, today) - entry.start.earliest).days
    if least >= COMPLETED_DAYS:
        return Answer.YES
    return Answer.UNKNOWN if most >= COMPLETED_DAYS else Answer.NO


def sessions(care: Iterable[Care]) -> tuple[Procedure, ...]:
    """The care that was given, without mere orders."""
    return tuple(entry for entry in care if isinstance(entry, Procedure))


def began(entry: Care) -> When | None:
    """The day care was ordered or first given, as recorded; None when undated."""
    authored = entry.authored if isinstance(entry, ServiceOrder) else None
    return authored or entry.start or entry.end


def since(entry: Care, today: date, days: int) -> Finding:
    """Whether care began so many days ago or more."""
    return negate(Finding(within(began(entry), today, days - 1)))


def fewest_days(given: Iterable[Procedure]) -> int:
    """On how many different days care was given at the least; partial dates may coincide."""
    count, reached = 0, date.min
    for when in sorted(filter(None, map(began, given)), key=lambda when: when.latest):
        if when.earliest > reached:
            count, reached = count + 1, when.latest
    return count


def most_days(given: Iterable[Procedure]) -> int:
    """On how many different days care may have been given at the most."""
    whens = [began(entry) for entry in given]
    full = {when.earliest for when in whens if when and when.earliest == when.latest}
    return len(full) + sum(not when or when.earliest != when.latest for when in whens)


def in_progress(care: StepCare, today: date) -> Finding:
    """Whether care is under way: a session within 28 days, or an order within 42 days."""
    both = (*care.sure, *care.unsure)
    answers = [(entry, running(entry, today)) for entry in both]
    return either(
        [entry for entry, answer in answers if answer is Answer.YES],
        any(answer is Answer.UNKNOWN for _, answer in answers),
    )


def running(entry: Care, today: date) -> Answer:
    """Whether one session or order shows that care is under way."""
    if isinstance(entry, Procedure):
        return within(care_date(entry, today), today, RUNNING_SESSION_DAYS)
    return within(began(entry), today, RUNNING_ORDER_DAYS)
