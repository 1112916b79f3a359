"""The patient record as Backpath judges it: typed, frozen, free of FHIR's JSON shapes.

Everything here is already filtered: entries in error, refuted findings and other patients'
entries never reach a record (``service.patient_record`` reads FHIR R4 into it).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Literal

from cards.answer import ChartEntry
from cards.product import Product

HookName = Literal["patient-view", "order-select", "order-sign"]
PREFETCH_KEYS = (
    "patient",
    "conditions",
    "medications",
    "observations",
    "procedures",
    "serviceRequests",
    "encounters",
    "allergies",
    "diagnosticReports",
    "deviceRequests",
)


class Coverage(Enum):
    """How much of one prefetch key was delivered."""

    READ = "read"  # delivered to the end (a known-empty answer counts as read)
    MISSING = "missing"  # not sent
    FAILED = "failed"  # the client's query failed, or what came could not be read
    UNFINISHED = "unfinished"  # a next page was not read


@dataclass(frozen=True, slots=True)
class When:
    """A date as precise as it was recorded: the first and last day it can mean.

    A full date has ``earliest == latest``. ``text`` is the ISO text as recorded, cut at most to
    the second; it orders entries of one day.
    """

    earliest: date
    latest: date
    text: str


@dataclass(frozen=True, slots=True)
class Coding:
    """One code with its canonical system URI (ICD-10-CM codes keep their dots as recorded)."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Concept:
    """Something coded: its codings, and the value sets they belong to.

    Attributes:
        sets: value-set name → note of the matching row ("" when the row has none). Membership is
            ``"opioid" in concept.sets``.
        display: the best human text: a coding's display, else the text; may be empty.
    """

    codings: tuple[Coding, ...] = ()
    display: str = ""
    sets: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def readable(self) -> bool:
        """Whether it bears at least one code of a code system Backpath knows."""
        return bool(self.codings)

    @property
    def name(self) -> str:
        """The human text, else the first code; empty when there is neither."""
        return self.display or next((coding.code for coding in self.codings), "")


NOTHING = Concept()


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its UCUM code (``mg``, ``{tbl}`` …); ``unit`` is None when none was given."""

    value: float
    unit: str | None


@dataclass(frozen=True, slots=True)
class Patient:
    """The person. ``birth`` is None when not recorded; ``sex`` is the administrative gender."""

    id: str
    birth: When | None
    deceased: bool
    sex: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """A problem or diagnosis; never entered in error; refuted ones carry ``refuted``.

    Attributes:
        clinical: active, recurrence, relapse, inactive, remission, resolved; None when absent.
        verification: confirmed, unconfirmed, provisional, differential; None when absent.
        categories: category codes; empty counts as problem-list-item.
        onset: from onsetDateTime, onsetPeriod.start, or onsetAge with birthDate; None otherwise,
            also when it lies more than 24 h in the future.
        recorded: recordedDate.
        refuted: only to close a red flag (``*_workup_done``); such entries count for nothing else
            and live in ``PatientRecord.refuted``, never in ``conditions``.
    """

    reference: str
    concept: Concept
    clinical: str | None = None
    verification: str | None = None
    categories: frozenset[str] = frozenset()
    body_sites: tuple[Concept, ...] = ()
    stages: tuple[Concept, ...] = ()
    onset: When | None = None
    abatement: When | None = None
    recorded: When | None = None
    encounter: str | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """How often a dose is taken, as recorded; every member None or empty when not recorded.

    Attributes:
        times_of_day: number of different clock times.
        days_of_week: number of different weekdays.
        when: HL7 codes of the events it is tied to, such as ``MORN``, ``AC``, ``HS``.
    """

    code: str | None = None
    frequency: float | None = None
    frequency_max: float | None = None
    period: float | None = None
    period_max: float | None = None
    period_unit: str | None = None
    times_of_day: int = 0
    days_of_week: int = 0
    when: tuple[str, ...] = ()
    bounds_start: When | None = None
    bounds_end: When | None = None
    bounds_days: float | None = None


@dataclass(frozen=True, slots=True)
class Dosage:
    """One dosageInstruction: what is taken, how often, by which route."""

    sequence: int | None = None
    as_needed: bool = False
    route: Concept = NOTHING
    timing: Timing | None = None
    dose: Quantity | None = None  # of several doseAndRate: ordered, else calculated, else first
    max_per_period: tuple[Quantity, Quantity] | None = None  # amount, period
    max_per_dose: Quantity | None = None  # maxDosePerAdministration
    rate: Quantity | None = None  # per time, such as ``ug/h``; of the same entry as the dose


@dataclass(frozen=True, slots=True)
class MedicationOrder:
    """A MedicationRequest, or a draft of one; ``drug`` is unreadable when only text was given.

    Attributes:
        product: what the drug's code stands for; None when it was not recognised.
        unreadable: why not, in the words of ``cards.recognition.Unreadable``. A drug whose code
            is contradicted by its name keeps neither code nor value set.
        may_be: value sets of the drugs its name says, where its code is not known; a guess, on
            which nothing rests but that the order could not be read.
        worked: what was worked out of it, such as its dose; see ``cards.worked``.
    """

    reference: str
    status: str | None
    intent: str | None
    drug: Concept
    reasons: tuple[Concept, ...] = ()
    authored: When | None = None
    dosages: tuple[Dosage, ...] = ()
    quantity: Quantity | None = None
    supply_days: float | None = None  # expectedSupplyDuration
    repeats: int = 0
    validity_start: When | None = None
    validity_end: When | None = None
    replaces_prior: bool = False
    prior: str | None = None  # priorPrescription, as ``MedicationRequest/id``; None if unreadable
    status_reason: Concept = NOTHING
    identifiers: frozenset[str] = frozenset()
    encounter: str | None = None
    product: Product | None = None
    unreadable: str | None = None
    may_be: frozenset[str] = frozenset()
    worked: dict[Any, Any] = field(init=False, default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ServiceOrder:
    """A ServiceRequest or DeviceRequest (see ``kind``), or a draft of one."""

    reference: str
    kind: Literal["ServiceRequest", "DeviceRequest"]
    status: str | None
    intent: str | None
    concept: Concept
    reasons: tuple[Concept, ...] = ()
    body_sites: tuple[Concept, ...] = ()
    authored: When | None = None
    start: When | None = None
    end: When | None = None
    encounter: str | None = None


@dataclass(frozen=True, slots=True)
class OtherOrder:
    """A draft of a type no fact reads; it is evaluated, and no draft fact is ever yes for it."""

    reference: str
    kind: str
    reasons: tuple[Concept, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """A final, amended or corrected (or preliminary) result or finding.

    Attributes:
        value: numeric value with UCUM code; None when not numeric.
        bound: of a value only known to lie beyond it (``>60``): the comparator and the bound.
        value_concept: coded answer; ``NOTHING`` when none.
        value_flag: valueBoolean; None when none.
        value_date: valueDateTime (an estimated date of delivery), may lie ahead; None when none.
    """

    reference: str
    concept: Concept
    status: str
    effective: When | None = None
    value: Quantity | None = None
    bound: tuple[str, Quantity] | None = None
    value_concept: Concept = NOTHING
    value_flag: bool | None = None
    value_date: When | None = None
    body_sites: tuple[Concept, ...] = ()


@dataclass(frozen=True, slots=True)
class Procedure:
    """Something done, or meant to be: completed, in-progress, not-done, stopped."""

    reference: str
    concept: Concept
    status: str | None
    start: When | None = None
    end: When | None = None
    reasons: tuple[Concept, ...] = ()
    body_sites: tuple[Concept, ...] = ()
    outcome: Concept = NOTHING
    encounter: str | None = None


@dataclass(frozen=True, slots=True)
class Encounter:
    """A visit; ``class_code`` is an ActCode such as AMB, IMP, EMER."""

    reference: str
    status: str | None
    class_code: str | None = None
    types: tuple[Concept, ...] = ()
    reasons: tuple[Concept, ...] = ()  # reasonCode, resolved reasonReference and diagnoses
    start: When | None = None
    end: When | None = None


@dataclass(frozen=True, slots=True)
class Allergy:
    """An AllergyIntolerance that is active or without clinical status.

    ``concept`` bears the codes of the allergen and of each substance a reaction was to.
    """

    reference: str
    concept: Concept
    kind: str | None = None  # allergy | intolerance
    reactions: tuple[Concept, ...] = ()
    noted: When | None = None  # its onset, else recordedDate; shown, never judged


@dataclass(frozen=True, slots=True)
class DiagnosticReport:
    """A report, e.g. of imaging; only finished ones (final, amended, corrected, preliminary)."""

    reference: str
    concept: Concept
    status: str | None
    effective: When | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An order of the hook's draftOrders.

    Attributes:
        position: its place in the request; tells drafts without an id apart.
        resource: its JSON, only for update actions.
    """

    order: MedicationOrder | ServiceOrder | OtherOrder
    selected: bool
    position: int = 0
    resource: Mapping[str, Any] = field(default_factory=dict, hash=False)


# Value set → the entries in it by their position in the record.
CodedEntries = dict[str, dict[int, Any]]
# What a record can be asked for: entries of a kind, in a value set or (``ANY``) at all.
LookUp = tuple[str, str]
ANY = ""
BESIDE: LookUp = ("drafts beside", ANY)
ENTRIES = (
    "conditions",
    "refuted",
    "medications",
    "observations",
    "procedures",
    "service_orders",
    "encounters",
    "allergies",
    "reports",
    "drafts",
)
# Method of ``PatientRecord`` → the kind of look-up it is.
LOOK_UPS = {
    "conditions_in": "conditions",
    "medications_in": "medications",
    "observations_in": "observations",
    "observations_about": "answers",
    "procedures_in": "procedures",
    "service_orders_in": "service_orders",
    "reports_in": "reports",
    "visits_of": "visits",
    "visits_for": "reasons of visits",
}
# Kind of look-up → the entries looked at, and the concepts of one whose value sets count.
_CONCEPTS: Mapping[str, tuple[str, Callable[[Any], tuple[Concept, ...]]]] = {
    "conditions": ("conditions", lambda condition: (condition.concept,)),
    "medications": ("medications", lambda order: (order.drug,)),
    "observations": ("observations", lambda observation: (observation.concept,)),
    "answers": ("observations", lambda one: (one.concept, one.value_concept)),
    "procedures": ("procedures", lambda procedure: (procedure.concept,)),
    "service_orders": ("service_orders", lambda order: (order.concept,)),
    "reports": ("reports", lambda report: (report.concept,)),
    "visits": ("encounters", lambda visit: visit.types),
    "reasons of visits": ("encounters", lambda visit: visit.reasons),
}


def _coded(
    entries: tuple[Any, ...], concepts: Callable[[Any], tuple[Concept, ...]]
) -> CodedEntries:
    coded: CodedEntries = {}
    for position, entry in enumerate(entries):
        for concept in concepts(entry):
            for name in concept.sets:
                coded.setdefault(name, {})[position] = entry
    return coded


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """All that one hook call told us about one patient.

    Attributes:
        encounter: reference of ``context.encounterId``; None when not given.
        coverage: prefetch key → how much was delivered, for all ten keys.
        drafts: in the order of the request; on order-sign every one is selected.
        refuted: Conditions someone refuted; they only close red flags.
    """

    hook: HookName
    patient: Patient
    conditions: tuple[Condition, ...] = ()
    refuted: tuple[Condition, ...] = ()
    medications: tuple[MedicationOrder, ...] = ()
    observations: tuple[Observation, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    service_orders: tuple[ServiceOrder, ...] = ()
    encounters: tuple[Encounter, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    reports: tuple[DiagnosticReport, ...] = ()
    drafts: tuple[Draft, ...] = ()
    encounter: str | None = None
    coverage: Mapping[str, Coverage] = field(default_factory=dict, hash=False)
    _read: frozenset[str] = field(init=False, compare=False, repr=False)
    _coded: dict[str, CodedEntries] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        """Note which keys were read to the end; facts ask for them over and over."""
        keys = (key for key, coverage in self.coverage.items() if coverage is Coverage.READ)
        object.__setattr__(self, "_read", frozenset(keys))

    def read(self, *keys: str) -> bool:
        """Whether every one of these prefetch keys was delivered to the end."""
        return self._read.issuperset(keys)

    def conditions_in(self, *sets: str) -> tuple[Condition, ...]:
        """The conditions coded in one of the value sets, in the order of the record."""
        return self._in("conditions", sets)

    def medications_in(self, *sets: str) -> tuple[MedicationOrder, ...]:
        """The drug orders coded in one of the value sets, in the order of the record."""
        return self._in("medications", sets)

    def observations_in(self, *sets: str) -> tuple[Observation, ...]:
        """The observations coded in one of the value sets, in the order of the record."""
        return self._in("observations", sets)

    def observations_about(self, *sets: str) -> tuple[Observation, ...]:
        """The observations whose question or coded answer is in one of the value sets."""
        return self._in("answers", sets)

    def procedures_in(self, *sets: str) -> tuple[Procedure, ...]:
        """The procedures coded in one of the value sets, in the order of the record."""
        return self._in("procedures", sets)

    def service_orders_in(self, *sets: str) -> tuple[ServiceOrder, ...]:
        """The service orders coded in one of the value sets, in the order of the record."""
        return self._in("service_orders", sets)

    def reports_in(self, *sets: str) -> tuple[DiagnosticReport, ...]:
        """The reports coded in one of the value sets, in the order of the record."""
        return self._in("reports", sets)

    def visits_of(self, *sets: str) -> tuple[Encounter, ...]:
        """The visits of a type in one of the value sets, in the order of the record."""
        return self._in("visits", sets)

    def visits_for(self, *sets: str) -> tuple[Encounter, ...]:
        """The visits with a reason in one of the value sets, in the order of the record."""
        return self._in("reasons of visits", sets)

    def drafts_beside(self, draft: Draft | None) -> tuple[Draft, ...]:
        """The drafts but this one."""
        if len(self.drafts) == 1 and self.drafts[0] is draft:
            return ()
        return tuple(other for other in self.drafts if other is not draft)

    def held(self) -> set[LookUp]:
        """Every look-up that would find something."""
        found = {(name, ANY) for name in ENTRIES if getattr(self, name)}
        for kind in _CONCEPTS:
            found.update((kind, name) for name in self._coded_in(kind))
        if self.encounter is not None:
            found.add(("encounter", ANY))
        return found

    def _coded_in(self, kind: str) -> CodedEntries:
        coded = self._coded.get(kind)
        if coded is None:
            entries, concepts = _CONCEPTS[kind]
            coded = self._coded[kind] = _coded(getattr(self, entries), concepts)
        return coded

    def _in(self, kind: str, sets: tuple[str, ...]) -> tuple[Any, ...]:
        """The entries in one of the sets; most sets have none, which costs one look-up each."""
        coded = self._coded_in(kind)
        if not coded:
            return ()
        found = [coded[name] for name in sets if name in coded]
        if len(found) < 2:
            return tuple(found[0].values()) if found else ()
        positions = {position: entry for one in found for position, entry in one.items()}
        return tuple(positions[position] for position in sorted(positions))


LONGEST_NAME = 48
UNIT_NAMES = {"Cel": "°C", "{score}": "", "1": "", "mL/min/{1.73_m2}": "mL/min/1.73 m²"}
# Value set → what a result of it is called when its entry bears nothing but a code.
RESULT_NAMES = {"egfr": "eGFR"}

Entry = (
    Condition
    | MedicationOrder
    | ServiceOrder
    | Observation
    | Procedure
    | Encounter
    | Allergy
    | DiagnosticReport
)


def chart_entry(entry: Entry) -> ChartEntry:
    """The entry as a card shows it: reference, display, and the date it speaks for."""
    match entry:
        case Condition(concept=concept, onset=onset, recorded=recorded):
            when = onset or recorded
            sites = [site.display for site in entry.body_sites if site.display]
            return _entry(entry.reference, ", ".join([concept.name, *sites]), when)
        case Observation(concept=concept, effective=when):
            return _entry(entry.reference, _with_value(entry), when)
        case MedicationOrder(authored=when):
            return _entry(entry.reference, _with_outcome(entry), when)
        case ServiceOrder(concept=concept, authored=authored, start=start):
            when = start or authored
        case Procedure(concept=concept, start=start, end=end):
            when = start or end
        case Encounter(types=types, start=when):
            concept = types[0] if types else NOTHING
        case Allergy(noted=when):
            return _entry(entry.reference, _with_reactions(entry), when)
        case DiagnosticReport(concept=concept, effective=when):
            pass
    return _entry(entry.reference, concept.name, when)


def _entry(reference: str, display: str, when: When | None) -> ChartEntry:
    return ChartEntry(reference, display, when.text[:10] if when else None)


def _with_outcome(order: MedicationOrder) -> str:
    """The drug and, where it was stopped or held for a stated reason, that reason."""
    reason = order.status_reason.display
    told = order.status in ("stopped", "on-hold") and reason
    return f"{order.drug.name}, {order.status}: {reason}" if told else order.drug.name


def _with_reactions(allergy: Allergy) -> str:
    """The allergen and what it led to, where a reaction is recorded."""
    names = dict.fromkeys(filter(None, (reaction.name for reaction in allergy.reactions)))
    parts = (_short(allergy.concept.name), ", ".join(names))
    return ": ".join(filter(None, parts))


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1].rstrip()}…"


def _result_name(concept: Concept) -> str:
    """What a result without a display is called; its code where no set of it has a name."""
    return next((RESULT_NAMES[name] for name in concept.sets if name in RESULT_NAMES), concept.name)


def _with_value(observation: Observation) -> str:
    """The name of an Observation and what was found, so that wrong data can be spotted.

    A long name is cut rather than the value behind it.
    """
    found = observation.value_concept.display
    if observation.value:
        unit = UNIT_NAMES.get(observation.value.unit or "", observation.value.unit or "")
        found = f"{round(observation.value.value, 1):g} {unit}".strip()
    elif observation.bound:
        comparator, limit = observation.bound
        found = f"{comparator}{limit.value:g} {UNIT_NAMES.get(limit.unit or '', limit.unit or '')}"
    name = observation.concept.display or _result_name(observation.concept)
    if not found:
        return name
    return f"{_short(name)}: {found}"
