"""Everything the content files say, read and checked; the library is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cards.code_table import CodeTable, code_table
from cards.content import read_yaml
from cards.definition_files import (
    Citation,
    OptionSet,
    Statement,
    StepOrder,
    read_exclusion_sets,
    read_imaging_regions,
    read_option_sets,
    read_pathways,
    read_release,
    read_set_rules,
    read_sources,
    read_statements,
    read_step_order,
    read_vocabulary,
)
from cards.drug_index import with_products
from cards.drug_table import DrugTable, drug_table
from cards.facts.vocabulary import FactDefinition, Vocabulary
from cards.mme_factors import MmeFactors, read_mme_factors
from cards.pathway import Pathway
from cards.recommendation import Recommendation
from cards.recommendation_files import Shared, read_recommendations
from cards.terminology_files import read_drugs
from cards.value_set_files import ValueSets, index_codes, loinc_codes, read_value_sets

CODED_SCOPES = ("patient", "draft")
MME_FACTORS = "mme_factors.yaml"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the content files say, whatever the settings of a site are.

    Attributes:
        version: of the content, as a card tells it.
        unanswerable: facts all of whose value sets have no codes yet.
        mme_default: version of the factors of morphine equivalents used unless another is chosen.
        mme_factors: every set of them, by version.
        loinc_codes: LOINC codes Observations are searched by.
    """

    version: str
    key_names: Mapping[str, str]
    vocabulary: Mapping[str, FactDefinition]
    unanswerable: frozenset[str]
    recommendations: Mapping[str, Recommendation]
    codes: CodeTable
    drugs: DrugTable
    mme_default: str
    mme_factors: Mapping[str, MmeFactors]
    loinc_codes: tuple[str, ...]
    pathways: tuple[Pathway, ...]
    option_sets: tuple[OptionSet, ...]
    next_step_order: tuple[StepOrder, ...]
    exclusive: tuple[frozenset[str], ...]
    override_reasons: Mapping[str, str]
    sources: Mapping[str, Citation]
    conflicts: Mapping[str, str]
    imaging_regions: Mapping[tuple[str, str], str]
    statements: tuple[Statement, ...]


def read_knowledge(root: Path) -> Knowledge:
    """Read and check every content file below ``root``.

    Raises:
        ContentError: with file and line.
    """
    definitions = root / "definitions"
    value_sets = read_value_sets(root / "value_sets")
    asked = read_vocabulary(read_yaml(definitions / "facts.yaml"), value_sets)
    vocabulary = read_vocabulary(read_yaml(definitions / "state_facts.yaml"), value_sets, asked)
    sources = read_sources(read_yaml(root / "sources.yaml"))
    shared = Shared(
        vocabulary,
        read_exclusion_sets(read_yaml(definitions / "exclusion_sets.yaml"), vocabulary),
        read_set_rules(read_yaml(definitions / "set_rules.yaml"), vocabulary),
        read_yaml(definitions / "override_reasons.yaml").value,
        sources,
        read_yaml(root / "conflicts.yaml").value or {},
        value_sets,
    )
    recommendations = read_recommendations(root, shared)
    release = read_release(read_yaml(definitions / "release.yaml"))
    drugs = read_drugs(root / "terminology")
    mme_default, mme_factors = read_mme_factors(read_yaml(definitions / MME_FACTORS))
    return Knowledge(
        version=str(release["version"]),
        key_names=release["key_names"],
        vocabulary=vocabulary,
        unanswerable=_unanswerable(vocabulary, value_sets),
        recommendations=recommendations,
        codes=code_table(with_products(index_codes(value_sets), drugs)),
        drugs=drug_table(drugs),
        mme_default=mme_default,
        mme_factors=mme_factors,
        loinc_codes=loinc_codes(vocabulary, value_sets),
        pathways=read_pathways(root, vocabulary, recommendations),
        option_sets=read_option_sets(definitions / "option_sets.yaml", vocabulary, recommendations),
        next_step_order=read_step_order(
            definitions / "next_step_order.yaml", vocabulary, recommendations
        ),
        exclusive=tuple(
            frozenset(group) for group in read_yaml(definitions / "exclusive.yaml").value
        ),
        override_reasons=shared.override_reasons,
        sources=sources,
        conflicts=shared.conflicts,
        imaging_regions=read_imaging_regions(definitions),
        statements=read_statements(root / "statements.csv"),
    )


def _unanswerable(vocabulary: Vocabulary, value_sets: ValueSets) -> frozenset[str]:
    return frozenset(
        name
        for name, definition in vocabulary.items()
        if definition.value_sets
        and definition.scope in CODED_SCOPES
        and not any(value_sets.get(value_set) for value_set in definition.value_sets)
    )
