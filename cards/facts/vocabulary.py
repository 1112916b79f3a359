"""The vocabulary of facts: what each asks, and how derived facts are made of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class FactDefinition:
    """One entry of ``definitions/facts.yaml``.

    Attributes:
        scope: patient (one answer a call), draft (one a draft), engine (answered while
            recommending), derived (made of other facts in Kleene logic).
        read_from: prefetch keys (and ``draft``) the answer rests on.
        unless: a derived yes becomes no when one of these is yes.
        implies: facts that are yes whenever this one is (for example patients).
        window: how far back it looks; with ``yes``, ``no`` and ``unknown`` (what makes each answer)
            in words for readers.
    """

    name: str
    ask: str
    scope: Literal["patient", "draft", "engine", "derived"]
    read_from: tuple[str, ...] = ()
    value_sets: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()
    implies_on_patient_view: tuple[str, ...] = ()
    window: str = ""
    yes: str = ""
    no: str = ""
    unknown: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The facts a derived fact is made of."""
        return self.all_of + self.any_of + self.none_of + self.unless


Vocabulary = Mapping[str, FactDefinition]


def closure(names: tuple[str, ...], vocabulary: Vocabulary) -> frozenset[str]:
    """These facts and every fact they are made of."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += vocabulary[name].parts
    return frozenset(seen)


def keys_read(names: tuple[str, ...], vocabulary: Vocabulary) -> frozenset[str]:
    """The prefetch keys these facts rest on; the patient is always there."""
    facts = closure(names, vocabulary)
    keys = {key for name in facts for key in vocabulary[name].read_from}
    return frozenset(keys - {"patient", "draft", "engine"})
