"""Code systems, and the one inverted index from a code to the value sets that hold it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cards.record import Coding, Concept

ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CPT = "http://www.ama-assn.org/go/cpt"


@dataclass(frozen=True, slots=True)
class CodeIndex:
    """Which value sets hold a code.

    Attributes:
        exact: (system, code) → {value set: note}. ICD-10-CM codes are stored without dots.
        prefixes: ICD-10-CM prefix without dots → {value set: note}.
        empty: names of value sets that have no codes yet; their facts answer unknown.
        complete: whether it holds every value set, so that no fact can see a code in none of them.
    """

    exact: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    prefixes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    complete: bool = False

    def sets_of(self, system: str, code: str) -> Mapping[str, str]:
        """Value set → row note for one code of a canonical system; empty when in none."""
        if system != ICD10CM:
            return self.exact.get((system, code), {})
        bare = code.replace(".", "").upper()
        found: dict[str, str] = {}
        for end in range(3, len(bare) + 1):
            found.update(self.prefixes.get(bare[:end], {}))
        found.update(self.exact.get((system, bare), {}))
        return found

    def concept(self, codings: Iterable[Coding], text: str = "") -> Concept:
        """A concept of these codings, with every value set any of them belongs to."""
        codings = tuple(codings)
        sets: dict[str, str] = {}
        for coding in codings:
            sets.update(self.sets_of(coding.system, coding.code))
        display = next((c.display for c in codings if c.display), text)
        return Concept(codings, display, sets)
