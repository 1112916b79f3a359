"""What lets a fact see a resource of one type, asked of nearly every resource of a chart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Raw

from service.patient_record.chart import Chart
from service.patient_record.drug import own_drug
from service.patient_record.elements import Resource, TooManyElements
from service.patient_record.remembered import Remembered

Element = tuple[str, Remembered[bool]]


class Sieve:
    """The elements by which a resource of one type matters.

    Attributes:
        usual: the elements all bear, each with what tells whether it matters.
        rare: those that few bear.
    """

    __slots__ = ("_rare_of", "_usual_of", "_without", "rare", "usual")

    def __init__(self, usual: Iterable[Element], rare: Iterable[Element]) -> None:
        """A sieve of these elements."""
        self.usual = tuple(usual)
        self.rare = tuple(rare)
        self._usual_of = _values_of([name for name, _ in self.usual])
        self._rare_of = _values_of([name for name, _ in self.rare])
        self._without = (None,) * len(self.rare)

    def is_noise(self, resource: Resource) -> bool:
        """Whether it is this patient's, and of no concern to any fact.

        Of an Encounter it is for the caller to see whether anything names it.
        """
        try:
            if isinstance(resource, dict):
                elements = (*self.usual, *self.rare)
                return not any(matters.read(resource.get(name)) for name, matters in elements)
            for name, matters in self.usual:
                written = getattr(resource, name)
                if type(written) is Raw:
                    if matters[bytes(written)]:
                        return False
                elif written is not None and matters.read(written):
                    return False
            return self._rare_of(resource) == self._without or not self._rarely_matters(resource)
        except TooManyElements:  # which reading it will meet as well, and count
            return False

    def mattering(self, resources: Sequence[Any]) -> list[bool]:
        """Of each whether it is more than noise; most bear the same usual elements as another."""
        usual_of, rare_of, without = self._usual_of, self._rare_of, self._without
        known: dict[bytes, bool] = {}
        found = []
        try:
            for one in resources:
                written = usual_of(one)
                sent = b",".join(written)
                matters = known.get(sent)
                if matters is None:
                    matters = known[sent] = self._usually_matters(written)
                found.append(matters or (rare_of(one) != without and self._rarely_matters(one)))
        except (TypeError, AttributeError, TooManyElements):
            # One lacks an element, was looked into or is odd: each is asked by itself.
            return [not self.is_noise(one) for one in resources]
        return found

    def _usually_matters(self, written: tuple[Raw, ...]) -> bool:
        return any(
            matters[bytes(one)] for (_, matters), one in zip(self.usual, written, strict=True)
        )

    def _rarely_matters(self, resource: Any) -> bool:
        return any(matters.of(resource, name) for name, matters in self.rare)


def _values_of(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What tells the elements of these names, as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda resource: tuple(getattr(resource, name) for name in names)


class DrugSieve(Sieve):
    """What lets a fact see an order for a drug: these elements, or the drug."""

    __slots__ = ("_chart",)

    def __init__(self, usual: Iterable[Element], rare: Iterable[Element], chart: Chart) -> None:
        """As of ``Sieve``; the chart keeps the drugs it tells for those who read the orders."""
        super().__init__(usual, rare)
        self._chart = chart

    def is_noise(self, resource: Resource) -> bool:
        """As of ``Sieve``; a drug nobody can tell is of concern, for it may be any drug."""
        try:
            return super().is_noise(resource) and own_drug(resource, self._chart).is_no_concern
        except TooManyElements:
            return False

    def mattering(self, resources: Sequence[Any]) -> list[bool]:
        """As of ``Sieve``."""
        return [not self.is_noise(one) for one in resources]
