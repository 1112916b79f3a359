"""Gestation: whether a pregnancy is past its 20th week.

Every entry allows a range of days since the last period. It is carried forward to today, and is
void beyond 42 weeks, or once the pregnancy it speaks of has ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import inf

from cards.answer import UNKNOWN, Answer, Finding, all_of, yes
from cards.case import Case, fact, once
from cards.facts.entries import history_conditions, last_day, reasons, within
from cards.facts.pregnancy import STATUS_DAYS, pregnancy_ends, pregnant
from cards.facts.results import findings
from cards.record import Concept, Condition, Observation, Quantity, When

WEEK = 7
TWENTY_WEEKS = 20 * WEEK
TERM = 40 * WEEK  # from the last period to the estimated date of delivery
LONGEST = 42 * WEEK
# What the row notes of the value set say of the weeks.
EXACTLY = re.compile(r"weeks=(\d+)")
LESS = re.compile(r"less than (\d+) weeks|upper bound only: < (\d+) weeks")
MORE = re.compile(r"lower bound: > (\d+) weeks|weeks > (\d+)")

Entry = Condition | Observation
Days = tuple[float, float]  # fewest and most days since the last period


@fact
def pregnant_20_weeks_or_more(case: Case) -> Finding:
    """Pregnant, and 20 completed weeks or more have passed."""
    return _both(pregnant(case), past_20_weeks(case))


@fact
def pregnant_under_20_weeks(case: Case) -> Finding:
    """Pregnant, and fewer than 20 completed weeks have passed."""
    past = past_20_weeks(case)
    opposite = {Answer.YES: Answer.NO, Answer.NO: Answer.YES}.get(past.answer, past.answer)
    return _both(pregnant(case), Finding(opposite, past.because))


@fact
def pregnant_weeks_unknown(case: Case) -> Finding:
    """Pregnant, and nothing tells on which side of 20 weeks."""
    if past_20_weeks(case).answer is not Answer.UNKNOWN:
        return Finding(Answer.NO)
    return pregnant(case)


def _both(one: Finding, other: Finding) -> Finding:
    both = all_of((one, other))
    return yes(dict.fromkeys(both.because)) if both.answer is Answer.YES else both


@once
def past_20_weeks(case: Case) -> Finding:
    """Whether 20 weeks have passed by the newest entry that tells, with that entry.

    Unknown when none tells, or when entries of one day contradict each other.
    """
    read = [(entry, _past(days)) for entry in _usable(case) if (days := _days(case, entry))]
    telling = [(entry, answer) for entry, answer in read if answer is not Answer.UNKNOWN]
    newest = [(e, answer) for e, answer in telling if _day(e) == _day(telling[0][0])]
    if len({answer for _, answer in newest}) != 1:
        return UNKNOWN
    return Finding(newest[0][1], reasons(entry for entry, _ in newest))


def _past(days: Days) -> Answer:
    if days[0] >= TWENTY_WEEKS:
        return Answer.YES
    return Answer.NO if days[1] < TWENTY_WEEKS else Answer.UNKNOWN


# Entries


def _usable(case: Case) -> list[Entry]:
    """Dated entries of the last 300 days that no end of a pregnancy has overtaken, newest first."""
    ended = max((day for end in pregnancy_ends(case) if (day := last_day(end))), default=None)
    entries: Iterable[Entry] = (
        *history_conditions(case, "gestational-age"),
        *findings(case, "gestational-age", "edd"),
    )
    usable = [
        entry
        for entry in entries
        if (when := _recorded(entry))
        and within(when, case.today, STATUS_DAYS) is not Answer.NO
        and (ended is None or when.earliest > ended)
    ]
    return sorted(usable, key=lambda entry: (_day(entry), entry.reference), reverse=True)


def _recorded(entry: Entry) -> When | None:
    """The day the weeks were counted: codes of weeks speak for the day they were recorded."""
    if isinstance(entry, Condition):
        return entry.recorded or entry.onset
    return entry.effective


def _day(entry: Entry) -> str:
    when = _recorded(entry)
    return when.latest.isoformat() if when else ""


# Days since the last period


def _days(case: Case, entry: Entry) -> Days | None:
    """The range an entry allows today; None when it cannot be read, or is void by now."""
    days = _days_by_due_date(case, entry) or _days_by_count(case, entry)
    return days if days and 0 <= days[0] <= LONGEST else None


def _days_by_due_date(case: Case, entry: Entry) -> Days | None:
    if not isinstance(entry, Observation) or "edd" not in entry.concept.sets:
        return None
    due = entry.value_date
    if due is None:
        return None
    return TERM - (due.latest - case.today).days, TERM - (due.earliest - case.today).days


def _days_by_count(case: Case, entry: Entry) -> Days | None:
    when, counted = _recorded(entry), _counted(entry)
    if when is None or counted is None:
        return None
    least, most = (case.today - when.latest).days, (case.today - when.earliest).days
    return counted[0] + max(least, 0), counted[1] + max(most, 0)


def _counted(entry: Entry) -> Days | None:
    """The range on the day of the entry: a number, or what its code says."""
    if isinstance(entry, Condition):
        return _coded(entry.concept)
    return _measured(entry.value) or _coded(entry.value_concept) or _coded(entry.concept)


def _measured(age: Quantity | None) -> Days | None:
    """A number of weeks or days; a whole number of weeks are completed ones, up to 6 days more."""
    if age is None:
        return None
    if age.unit == "wk":
        days = age.value * WEEK
        return (days, days + WEEK - 1) if age.value == int(age.value) else (days, days)
    return (age.value, age.value) if age.unit == "d" else None


def _coded(concept: Concept) -> Days | None:
    note = concept.sets.get("gestational-age", "")
    if found := EXACTLY.search(note):
        weeks = int(found[1]) * WEEK
        return weeks, weeks + WEEK - 1
    if found := LESS.search(note):
        return 0, int(found[1] or found[2]) * WEEK - 1
    if found := MORE.search(note):
        return int(found[1] or found[2]) * WEEK + 1, inf
    return None
