"""What an empty chart answers, and what it was asked for: most facts look for what is not there.

A fact is a pure function of what it looks up. Asked of an empty chart it shows what it looks up
there, and its answer. Of a chart that holds nothing of that the answer must be the same, and is not
worked out again. A fact that looks at more than what a chart holds (the person, the day, the
draft) shows that too: it has no silence, and is always worked out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, cast

from cards.answer import NO, Answer, Finding
from cards.case import Case
from cards.criteria import Ask, Criteria
from cards.mme_factors import MmeFactors
from cards.record import (
    ANY,
    BESIDE,
    ENTRIES,
    LOOK_UPS,
    Concept,
    Coverage,
    Draft,
    HookName,
    LookUp,
    MedicationOrder,
    ServiceOrder,
)

# Kinds of chart remembered; the charts of one client are of a few.
MOST_KINDS = 64


# The kind of look-up that asks what the draft under evaluation orders.
DRAFTED = "draft"
# Type of the order under evaluation, and whether what it orders is coded.
DraftKind = tuple[type, bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells one empty chart from another: the call it is of, and how much was delivered."""

    hook: HookName
    draft: DraftKind | None
    coverage: frozenset[tuple[str, Coverage]]


@dataclass(frozen=True, slots=True)
class Silence:
    """What a fact answers of a chart that holds nothing of what it looks up."""

    finding: Finding
    looked_up: frozenset[LookUp]


class LooksElsewhereError(Exception):
    """A fact looks at what no empty chart can stand for."""


def draft_kind(draft: Draft) -> DraftKind:
    """The kind of a draft."""
    concept = _concept(draft)
    return type(draft.order), concept is not None and concept.readable


def drafted(draft: Draft) -> set[LookUp]:
    """Every look-up that what a draft orders would be found by."""
    concept = _concept(draft)
    return {(DRAFTED, name) for name in concept.sets} if concept else set()


def _concept(draft: Draft) -> Concept | None:
    match draft.order:
        case MedicationOrder(drug=concept) | ServiceOrder(concept=concept):
            return concept
    return None


class EmptyChart(dict[str, Silence | None]):
    """Fact → its silence in one kind of chart, found when first asked for.

    None stands for a fact that must always be worked out.
    """

    def __init__(self, kind: Kind, charts: EmptyCharts):
        super().__init__()
        self._kind = kind
        self._charts = charts
        self._ways_out: Mapping[frozenset[LookUp], frozenset[str]] | None = None

    def __missing__(self, name: str) -> Silence | None:
        """Ask an empty chart; whatever it has no answer to has no silence."""
        record = _Empty(self._kind)
        case = _EmptyCase(record, self._kind, self._charts.factors)
        try:
            finding = self._charts.ask_of(cast("Case", case))(name)
        except Exception:  # noqa: BLE001 only the chart itself can tell
            found = None
        else:
            found = Silence(finding, frozenset(record.looked_up))
        self[name] = found
        return found

    def ruled_out(self, held: Set[LookUp]) -> Set[str]:
        """The recommendations whose trigger is not met, whatever else a chart holds than these.

        Args:
            held: look-ups that find something.
        """
        if self._ways_out is None:
            self._ways_out = _ways_out(self, self._charts.triggers.get(self._kind.hook, {}))
        found: set[str] = set()
        for looked_up, names in self._ways_out.items():
            if looked_up.isdisjoint(held):
                found |= names
        return found


def _ways_out(
    chart: EmptyChart, triggers: Mapping[str, Criteria]
) -> Mapping[frozenset[LookUp], frozenset[str]]:
    """Look-ups → the recommendations of which a chart that holds nothing of them meets none.

    There are few: what most recommendations need first is back pain.
    """
    found: dict[frozenset[LookUp], set[str]] = {}
    for name, trigger in triggers.items():
        for silence in _noes(chart, trigger):
            found.setdefault(silence.looked_up, set()).add(name)
    return {looked_up: frozenset(names) for looked_up, names in found.items()}


def _noes(chart: EmptyChart, trigger: Criteria) -> list[Silence]:
    """The silences that each settle that a trigger is not met."""
    found = [
        *(_answering(chart, Answer.NO, name) for name in trigger.all),
        *(_answering(chart, Answer.YES, name) for name in trigger.none),
    ]
    options = [_answering(chart, Answer.NO, name) for name in trigger.any]
    if options and all(options):
        every: frozenset[LookUp] = frozenset()
        found.append(Silence(NO, every.union(*(o.looked_up for o in options if o))))
    return [silence for silence in found if silence]


def _answering(chart: EmptyChart, answer: Answer, name: str) -> Silence | None:
    silence = chart[name]
    return silence if silence and silence.finding.answer is answer else None


class EmptyCharts:
    """The empty charts of each kind that has come.

    Args:
        factors: as of ``Case``.
        triggers: hook → its recommendations, each with its trigger.
        ask_of: the answers of a case, each worked out.
    """

    def __init__(
        self,
        factors: MmeFactors | None,
        triggers: Mapping[HookName, Mapping[str, Criteria]],
        ask_of: Callable[[Case], Ask],
    ):
        self.factors = factors
        self.triggers = triggers
        self.ask_of = ask_of
        self._of_kind: dict[Kind, EmptyChart] = {}

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._of_kind)

    def like(self, case: Case) -> EmptyChart:
        """The empty chart of the kind a case is about."""
        record = case.record
        draft = draft_kind(case.draft) if case.draft else None
        return self.of(Kind(record.hook, draft, frozenset(record.coverage.items())))

    def of(self, kind: Kind) -> EmptyChart:
        """The empty chart of a kind."""
        found = self._of_kind.get(kind)
        if found is None:
            if len(self._of_kind) >= MOST_KINDS:
                self._of_kind.clear()
            found = self._of_kind[kind] = EmptyChart(kind, self)
        return found


class _Empty:
    """A patient record that holds nothing, and notes what it is asked for."""

    def __init__(self, kind: Kind) -> None:
        self.hook = kind.hook
        self.coverage = dict(kind.coverage)
        self.looked_up: set[LookUp] = set()

    def read(self, *keys: str) -> bool:
        """As ``PatientRecord.read``: of one kind of chart always the same."""
        return all(self.coverage.get(key) is Coverage.READ for key in keys)

    @property
    def encounter(self) -> None:
        """No encounter is named."""
        self.looked_up.add(("encounter", ANY))

    def drafts_beside(self, _: object) -> tuple[()]:
        """No other drafts."""
        self.looked_up.add(BESIDE)
        return ()

    def __getattr__(self, name: str) -> Any:
        """No entries; of what is not entries nothing can be said."""
        if name in ENTRIES:
            self.looked_up.add((name, ANY))
            return ()
        if name not in LOOK_UPS:
            raise LooksElsewhereError(name)
        return partial(self._find, LOOK_UPS[name])

    def _find(self, kind: str, *sets: str) -> tuple[()]:
        self.looked_up.update((kind, name) for name in sets)
        return ()


class _Day:
    """A day that may be handed on, and not be looked at."""

    def _refuse(self, *_: object) -> NoReturn:
        raise LooksElsewhereError

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __str__ = __format__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __hash__ = __getattr__ = _refuse


class _EmptyCase:
    """A case about an empty chart."""

    def __init__(self, record: _Empty, kind: Kind, factors: MmeFactors | None) -> None:
        self.record = record
        self.today = _Day()
        self.factors = factors
        self.memo: dict[Any, Any] = {}
        self.shared: dict[Any, Any] = {}
        self._kind = kind

    @property
    def other_drafts(self) -> tuple[()]:
        """No other drafts."""
        return self.record.drafts_beside(None)

    @property
    def draft(self) -> _EmptyDraft | None:
        """The draft under evaluation; of none where the call has none."""
        return _EmptyDraft(self._kind.draft, self.record) if self._kind.draft else None


class _EmptyDraft:
    """A draft of something in no value set."""

    def __init__(self, kind: DraftKind, record: _Empty) -> None:
        self.order = _EmptyOrder(kind, record)


class _NoSets:
    """The value sets of a draft in none, noting those asked for."""

    def __init__(self, record: _Empty) -> None:
        self._record = record

    def __contains__(self, name: str) -> bool:
        return not self.isdisjoint((name,))

    def get(self, name: str, default: str | None = None) -> str | None:
        """No note."""
        self.isdisjoint((name,))
        return default

    def keys(self) -> _NoSets:
        """The names."""
        return self

    def isdisjoint(self, names: Iterable[str]) -> bool:
        """None of them."""
        self._record.looked_up.update((DRAFTED, name) for name in names)
        return True


class _Ordered:
    """What such a draft orders."""

    def __init__(self, readable: bool, record: _Empty) -> None:
        self.readable = readable
        self.sets = _NoSets(record)


class _EmptyOrder:
    """An order of which is known only its type, and that it orders nothing of any value set."""

    def __init__(self, kind: DraftKind, record: _Empty) -> None:
        order, readable = kind
        known = object.__getattribute__(self, "__dict__")
        known.update(type=order, ordered=_Ordered(readable, record))

    def __getattribute__(self, name: str) -> Any:
        """Its type, as ``isinstance`` asks for it, and what it orders."""
        known = object.__getattribute__(self, "__dict__")
        if name == "__class__":
            return known["type"]
        if name in ("drug", "concept"):
            return known["ordered"]
        raise LooksElsewhereError(name)
