"""Chart entries: which of them a fact may look at, and how they become a finding.

Every selection here is pure. A date that is only partly known is an interval, and whatever such
an interval leaves open is answered unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from cards.answer import NO, UNKNOWN, Answer, ChartEntry, Finding, yes
from cards.case import Case, once_a_call_for_each
from cards.codes import ICD10CM
from cards.record import (
    Allergy,
    Concept,
    Condition,
    DiagnosticReport,
    Encounter,
    Entry,
    MedicationOrder,
    Observation,
    OtherOrder,
    Procedure,
    ServiceOrder,
    When,
    chart_entry,
)
from cards.supply import coverage_window

# Looked up once: a member of an enumeration costs several times what a global does.
_YES, _NO, _UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN

E = TypeVar("E", bound=Entry)

ACTIVE = frozenset({"active", "recurrence", "relapse"})
SUSPECTED = frozenset({"unconfirmed", "provisional", "differential"})
ORDER_INTENTS = frozenset(
    {"plan", "order", "original-order", "reflex-order", "filler-order", "instance-order"}
)
TAKEN = frozenset({"active", "completed", "stopped", "on-hold"})
FINISHED = frozenset({"final", "amended", "corrected"})
BACK_PAIN_REASONS = ("back-pain-any", "myofascial-pain", "back-spasm", "trigger-point")
ENCOUNTER_DIAGNOSIS_DAYS = 90
LAPSED_DRUG_DAYS = 365
SHOWN = 3


# Dates


def days_ago(when: When | None, today: date) -> tuple[int, int] | None:
    """Fewest and most days the date can lie back; None when absent or more than a day ahead.

    A partial date cannot mean a day that is still to come, so its end is cut at today.
    """
    if when is None:
        return None
    most = (today - when.earliest).days
    if most < 0:
        return (0, 0) if most == -1 else None
    if when.latest is when.earliest:
        return most, most
    return max(0, (today - when.latest).days), most


def within(when: When | None, today: date, days: int, *, since: int = 0) -> Answer:
    """Whether the date lies from ``since`` to ``days`` days back, both included.

    Yes only when every day it can mean lies there; unknown when it straddles a bound or is None.
    """
    back = days_ago(when, today)
    if back is None:
        return _UNKNOWN
    least, most = back
    if since <= least and most <= days:
        return _YES
    return _NO if most < since or least > days else _UNKNOWN


def dated(entry: Entry) -> When | None:
    """The date an entry speaks for: onset, else record; end of care, else its start; None if none.

    A ServiceRequest speaks for its planned start, else for the day it was written.
    """
    match entry:
        case Condition(onset=onset, recorded=recorded):
            return onset or recorded
        case Observation(effective=when) | DiagnosticReport(effective=when):
            return when
        case Procedure(start=start, end=end):
            return end or start
        case ServiceOrder(start=start, authored=authored):
            return start or authored
        case MedicationOrder(authored=when) | Encounter(start=when):
            return when
        case Allergy():
            return None


def last_day(entry: Entry) -> date | None:
    """The last day an entry can speak for; None if undated.

    A problem cannot have begun after it was recorded, so a record cuts a partial onset short.
    """
    when = dated(entry)
    if when is None:
        return None
    if isinstance(entry, Condition) and entry.recorded and when.earliest <= entry.recorded.latest:
        return min(when.latest, entry.recorded.latest)
    return when.latest


def newest_first(entries: Iterable[E]) -> tuple[E, ...]:
    """The entries, newest date first; those without a date last, whatever order they came in."""
    found = tuple(entries)
    return tuple(sorted(found, key=_age, reverse=True)) if len(found) > 1 else found


def _age(entry: Entry) -> tuple[date, str, str]:
    when = dated(entry)
    return (when.latest, when.text, entry.reference) if when else (date.min, "", entry.reference)


# Findings


def shown(entry: Entry) -> ChartEntry:
    """The entry as a card shows it; a diagnosis nobody has confirmed is called suspected."""
    plain = chart_entry(entry)
    if isinstance(entry, Condition) and entry.verification in SUSPECTED:
        return ChartEntry(plain.reference, f"suspected: {plain.display}", plain.date)
    return plain


def reasons(entries: Iterable[Entry]) -> tuple[ChartEntry, ...]:
    """The three newest entries, and of drugs one order of each, as a card names them."""
    return tuple(shown(entry) for entry in to_be_named(entries))


def to_be_named(entries: Iterable[E]) -> tuple[E, ...]:
    """The three newest entries, then the newest order of every drug not among them.

    Nobody can weigh an interaction with a drug that is not named.
    """
    ordered = newest_first(entries)
    if len(ordered) <= SHOWN:
        return ordered
    drugs = newest_of_each_drug(o for o in ordered if isinstance(o, MedicationOrder))
    return tuple(e for place, e in enumerate(ordered) if place < SHOWN or e in drugs)


def newest_of_each_drug(orders: Iterable[MedicationOrder]) -> tuple[MedicationOrder, ...]:
    """The newest order of each coded drug, newest first."""
    ordered = newest_first(orders)
    if len(ordered) < 2:
        return ordered
    kept: dict[object, MedicationOrder] = {}
    for order in ordered:
        kept.setdefault(order.drug.codings, order)
    return tuple(kept.values())


def absence(case: Case, *keys: str) -> Finding:
    """The answer when nothing was found: no if these prefetch keys were read, else unknown."""
    return NO if case.record.read(*keys) else UNKNOWN


def presence(case: Case, entries: Iterable[Entry], *keys: str) -> Finding:
    """Yes with the newest entries; without any, no if the keys were read, else unknown."""
    found = tuple(entries)
    return yes(reasons(found)) if found else absence(case, *keys)


def recent(case: Case, entries: Iterable[E], days: int, *keys: str, since: int = 0) -> Finding:
    """Presence of entries dated ``since`` to ``days`` days back.

    Unknown when none surely lies there, but one without a full date might.
    """
    entries = tuple(entries)
    if not entries:
        return absence(case, *keys)

    def lies(entry: E) -> Answer:
        return within(dated(entry), case.today, days, since=since)

    return judged(case, entries, lies, *keys)


def recent_sign(case: Case, entries: Iterable[E], days: int, *keys: str, since: int = 0) -> Finding:
    """As ``recent``, for signs of danger: where the onset leaves it open, it is shown.

    An open or absent onset gives way to a record in the window. A problem still active counts
    when it may lie in the window or bears no date; an onset surely older never counts.
    """
    entries = tuple(entries)
    if not entries:
        return absence(case, *keys)

    def lies(entry: E) -> Answer:
        answer = within(dated(entry), case.today, days, since=since)
        if answer is not _UNKNOWN or not isinstance(entry, Condition):
            return answer
        recorded = within(entry.recorded, case.today, days, since=since)
        shows = is_active(entry, case.today) or recorded is _YES
        return _YES if shows else _UNKNOWN

    return judged(case, entries, lies, *keys)


def judged(case: Case, entries: Iterable[E], lies: Callable[[E], Answer], *keys: str) -> Finding:
    """Presence of the entries ``lies`` says yes to; unknown when it only leaves some open."""
    sure: list[E] = []
    unsure = False
    for entry in entries:
        answer = lies(entry)
        if answer is _YES:
            sure.append(entry)
        elif answer is _UNKNOWN:
            unsure = True
    return UNKNOWN if unsure and not sure else presence(case, sure, *keys)


# Codes


def belongs(concept: Concept, *sets: str) -> bool:
    """Whether the concept is in one of the value sets."""
    return not concept.sets.keys().isdisjoint(sets)


def is_sequela(concept: Concept) -> bool:
    """Whether an injury code says sequela (7th character S): a late effect, no acute event."""
    for coding in concept.codings:
        sequela = coding.system == ICD10CM and coding.code[-1] in "sS"
        if sequela and len(coding.code.replace(".", "")) == 7:
            return True
    return False


def for_back_pain(coded_reasons: Sequence[Concept]) -> bool:
    """Whether care is for back pain: a reason says so, or no coded reason is given at all."""
    readable = [reason for reason in coded_reasons if reason.readable]
    return not readable or any(belongs(reason, *BACK_PAIN_REASONS) for reason in readable)


# Conditions


def is_active(condition: Condition, today: date) -> bool:
    """Whether a problem is active today.

    Without a clinical status, a listed problem is active until abated, an encounter diagnosis
    for 90 days after it was recorded. No category counts as a listed problem.
    """
    if condition.clinical is not None:
        return condition.clinical in ACTIVE
    if condition.abatement is not None:
        return False
    if condition.categories == {"encounter-diagnosis"}:
        return within(condition.recorded, today, ENCOUNTER_DIAGNOSIS_DAYS) is _YES
    return True


def conditions_in(case: Case, *sets: str, suspected: bool = False) -> tuple[Condition, ...]:
    """Conditions of the sets in any state; those only suspected are for red flags alone."""
    found = case.record.conditions_in(*sets)
    if suspected or not found:
        return found
    return tuple(condition for condition in found if condition.verification not in SUSPECTED)


def active_conditions(case: Case, *sets: str, suspected: bool = False) -> tuple[Condition, ...]:
    """Conditions of the sets that are active today."""
    found = conditions_in(case, *sets, suspected=suspected)
    return tuple(c for c in found if is_active(c, case.today)) if found else ()


def history_conditions(
    case: Case, *sets: str, days: int | None = None, suspected: bool = False
) -> tuple[Condition, ...]:
    """Conditions of the sets whatever their clinical status.

    With ``days``, those whose onset (else record) surely lies at most that many days back; use
    ``recent`` for a finding that stays unknown on partial dates.
    """
    found = conditions_in(case, *sets, suspected=suspected)
    if days is None:
        return found
    return tuple(c for c in found if within(dated(c), case.today, days) is _YES)


# Observations, procedures, orders


def observations(case: Case, *sets: str) -> tuple[Observation, ...]:
    """Finished, dated results coded in the sets, newest first; none more than a day ahead."""
    return _observations(case, sets)


@once_a_call_for_each
def _observations(case: Case, sets: tuple[str, ...]) -> tuple[Observation, ...]:
    found = [
        observation
        for observation in case.record.observations_in(*sets)
        if observation.status in FINISHED
        and days_ago(observation.effective, case.today) is not None
    ]
    return tuple(sorted(found, key=_age_of_result, reverse=True)) if found else ()


def _age_of_result(result: Observation) -> tuple[date, str, str]:
    """As ``_age``, without asking what kind of entry it is; of many results that is costly."""
    when = result.effective
    return (when.latest, when.text, result.reference) if when else (date.min, "", result.reference)


def latest_observation(case: Case, *sets: str, days: int) -> Observation | None:
    """The newest finished result of the sets surely at most ``days`` days old; None if none."""
    for observation in observations(case, *sets):
        if within(observation.effective, case.today, days) is _YES:
            return observation
    return None


def procedures(case: Case, *sets: str, days: int | None = None) -> tuple[Procedure, ...]:
    """Procedures done or under way, coded in the sets; with ``days``, surely performed since."""
    found = case.record.procedures_in(*sets)
    if not found:
        return ()
    return tuple(
        procedure
        for procedure in found
        if procedure.status in ("in-progress", "completed")
        and (days is None or within(dated(procedure), case.today, days) is _YES)
    )


def orders(case: Case, *sets: str, days: int | None = None) -> tuple[ServiceOrder, ...]:
    """Active or completed orders coded in the sets; with ``days``, surely dated since."""
    found = case.record.service_orders_in(*sets)
    if not found:
        return ()
    return tuple(
        order
        for order in found
        if order.status in ("active", "completed")
        and (order.intent is None or order.intent in ORDER_INTENTS)
        and (days is None or within(dated(order), case.today, days) is _YES)
    )


def drafted_services(case: Case, *sets: str) -> tuple[ServiceOrder, ...]:
    """Service and device orders coded in the sets among the other drafts."""
    others = case.other_drafts
    if not others:
        return ()
    return tuple(
        draft.order
        for draft in others
        if isinstance(draft.order, ServiceOrder) and belongs(draft.order.concept, *sets)
    )


def therapy_entries(
    case: Case, *sets: str, days: int | None = None
) -> tuple[Procedure | ServiceOrder, ...]:
    """Non-drug care on record or drafted, with a back-pain reason or no coded reason."""
    entries: tuple[Procedure | ServiceOrder, ...] = (
        *procedures(case, *sets, days=days),
        *orders(case, *sets, days=days),
        *drafted_services(case, *sets),
    )
    return tuple(entry for entry in entries if for_back_pain(entry.reasons))


def draft_order(case: Case) -> MedicationOrder | ServiceOrder | OtherOrder | None:
    """The order under evaluation; None when none is."""
    return case.draft.order if case.draft else None


# Drugs


def medications_in(case: Case, *sets: str) -> tuple[MedicationOrder, ...]:
    """Orders for drugs of the sets with an order-like intent, whatever their status."""
    found = case.record.medications_in(*sets)
    if not found:
        return ()
    return tuple(o for o in found if o.intent is None or o.intent in ORDER_INTENTS)


def active_medications(case: Case, *sets: str) -> tuple[MedicationOrder, ...]:
    """Active orders for drugs of the sets that cover today."""
    found = medications_in(case, *sets)
    return tuple(o for o in found if _covers_today(o, case.today)) if found else ()


def _covers_today(order: MedicationOrder, today: date) -> bool:
    if order.status != "active":
        return False
    window = coverage_window(order)
    return window is not None and window[0] <= today <= window[1]


def possible_medications(case: Case, *sets: str) -> tuple[MedicationOrder, ...]:
    """Drugs of the sets the patient may still take; only for warnings, worded with care.

    Orders written in the last 365 days that are on hold, or active with their supply run out,
    and active ones without any date. None while a drug of the sets is surely active.
    """
    found = medications_in(case, *sets)
    if not found or any(_covers_today(order, case.today) for order in found):
        return ()
    return tuple(order for order in found if _may_still_be_taken(order, case.today))


def may_be_taken(order: MedicationOrder, today: date) -> bool:
    """Whether an order covers today, or may still be taken; see ``possible_medications``."""
    ordered = order.intent is None or order.intent in ORDER_INTENTS
    return ordered and (_covers_today(order, today) or _may_still_be_taken(order, today))


def _may_still_be_taken(order: MedicationOrder, today: date) -> bool:
    if order.status not in ("active", "on-hold"):
        return False
    window = coverage_window(order)
    if window is None:
        return order.status == "active"
    if order.status == "active" and window[1] >= today:
        return False
    written = order.authored.latest if order.authored else window[1]
    since = (today - written).days
    refilled = written + timedelta(days=min((order.supply_days or 0) * order.repeats, since))
    return since >= 0 and (today - refilled).days <= LAPSED_DRUG_DAYS


def past_medications(case: Case, *sets: str, days: int) -> tuple[MedicationOrder, ...]:
    """Orders that count as taken, written at most ``days`` days ago."""
    return tuple(
        order
        for order in medications_in(case, *sets)
        if order.status in TAKEN and within(order.authored, case.today, days) is _YES
    )


def days_covered(entries: Iterable[MedicationOrder], first: date, last: date) -> int:
    """Days from ``first`` up to ``last`` that at least one order covers; overlaps count once."""
    windows = sorted(w for w in (coverage_window(order) for order in entries) if w)
    total, covered_to = 0, first
    for start, end in windows:
        begin, until = max(start, covered_to), min(end, last)
        if until > begin:
            total += (until - begin).days
            covered_to = until
    return total
