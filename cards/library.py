"""Everything Backpath knows, read and checked once before the first request."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cards.answer import NO, YES, Finding
from cards.answers import Answers
from cards.case import Case
from cards.code_table import code_index
from cards.codes import CodeIndex
from cards.compiled import known
from cards.content import read_yaml
from cards.definition_files import Citation, OptionSet, Statement, StepOrder
from cards.drug_index import DrugIndex
from cards.drug_table import drug_index
from cards.facts.vocabulary import Vocabulary, closure, keys_read
from cards.knowledge import MME_FACTORS, Knowledge
from cards.mme_factors import MmeFactors
from cards.own_order import OwnOrders, own_orders
from cards.pathway import Pathway
from cards.recommendation import Recommendation
from cards.record import HookName
from cards.silence import EmptyCharts

HERE = Path(__file__).parent
HOOKS: tuple[HookName, ...] = ("patient-view", "order-select", "order-sign")
SITE_FACTS = ("tpi_technique_card_on",)
DISCLAIMER = "provenance-disclaimer"


@dataclass(frozen=True, slots=True)
class Library:
    """All content, checked.

    Attributes:
        cards: hook → recommendations that may become a card there, in id order.
        texts: recommendations that are a paragraph of other cards; the disclaimer is on every one.
        about_drafts: ids of recommendations judged once for each draft.
        draft_facts: facts whose answer depends on the draft under evaluation.
        switches: facts answered by a setting of the site.
        unanswerable: facts all of whose value sets have no codes yet.
        reads: recommendation → prefetch keys its facts rest on.
        bars: recommendation → prefetch keys of what would speak against its orders.
        drugs: what drug codes stand for.
        mme_factors: what converts opioids into morphine equivalents, as the site has chosen.
        loinc_codes: LOINC codes Observations are searched by.
        empty_charts: what charts that hold nothing are answered.
        sources: source → the name and year a card shows; ``citations`` says all of it.
        own_orders: what accepting a suggestion leads to.
    """

    content_version: str
    recommendations: Mapping[str, Recommendation]
    cards: Mapping[HookName, tuple[Recommendation, ...]]
    texts: tuple[Recommendation, ...]
    about_drafts: frozenset[str]
    vocabulary: Vocabulary
    draft_facts: frozenset[str]
    unanswerable: frozenset[str]
    switches: Mapping[str, Finding]
    reads: Mapping[str, frozenset[str]]
    bars: Mapping[str, frozenset[str]]
    index: CodeIndex
    drugs: DrugIndex
    mme_factors: MmeFactors
    loinc_codes: tuple[str, ...]
    pathways: tuple[Pathway, ...]
    option_sets: tuple[OptionSet, ...]
    next_step_order: tuple[StepOrder, ...]
    exclusive: tuple[frozenset[str], ...]
    override_reasons: Mapping[str, str]
    sources: Mapping[str, str]
    citations: Mapping[str, Citation]
    conflicts: Mapping[str, str]
    imaging_regions: Mapping[tuple[str, str], str]
    statements: tuple[Statement, ...]
    key_names: Mapping[str, str]
    disclaimer: str
    own_orders: OwnOrders
    empty_charts: EmptyCharts = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Charts that hold nothing are asked by this content."""
        triggers = {hook: {r.id: r.trigger for r in cards} for hook, cards in self.cards.items()}
        charts = EmptyCharts(self.mme_factors, triggers, self.worked_out)
        object.__setattr__(self, "empty_charts", charts)

    def worked_out(self, case: Case) -> Answers:
        """The answers of a case, each worked out."""
        return Answers(case, self.vocabulary, self.unanswerable, self.switches)

    def answers(self, case: Case) -> Answers:
        """The answers of a case; what nothing is held of is answered as an empty chart does."""
        empty = self.empty_charts.like(case)
        return Answers(case, self.vocabulary, self.unanswerable, self.switches, empty)


def load_library(
    root: Path = HERE,
    switched_on: frozenset[str] = frozenset(),
    mme_factors: str | None = None,
) -> Library:
    """The library of the content files below ``root``, as read now or kept compiled.

    Args:
        switched_on: facts that are yes because the site has switched them on.
        mme_factors: version of the table of morphine equivalents, such as ``cdc-2022``; None
            takes the default of the file.

    Raises:
        ContentError: with file and line.
    """
    with no_collection():
        return _library(root, switched_on, mme_factors)


@contextmanager
def no_collection() -> Iterator[None]:
    """Leave the garbage collector out: all that is made stays, it would look in vain."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _library(root: Path, switched_on: frozenset[str], mme_factors: str | None) -> Library:
    knowledge = known(root)
    vocabulary, recommendations = knowledge.vocabulary, knowledge.recommendations
    draft_facts = _draft_facts(vocabulary)
    return Library(
        content_version=knowledge.version,
        recommendations=recommendations,
        cards=_cards(recommendations.values()),
        texts=_texts(recommendations.values()),
        about_drafts=_about_drafts(recommendations.values(), draft_facts),
        vocabulary=vocabulary,
        draft_facts=draft_facts,
        unanswerable=knowledge.unanswerable,
        switches={name: YES if name in switched_on else NO for name in SITE_FACTS},
        reads={r.id: keys_read(r.facts_asked, vocabulary) for r in recommendations.values()},
        bars={r.id: keys_read(_bars(r), vocabulary) for r in recommendations.values()},
        index=code_index(knowledge.codes),
        drugs=drug_index(knowledge.drugs),
        mme_factors=_mme_factors(root, knowledge, mme_factors),
        loinc_codes=knowledge.loinc_codes,
        pathways=knowledge.pathways,
        option_sets=knowledge.option_sets,
        next_step_order=knowledge.next_step_order,
        exclusive=knowledge.exclusive,
        override_reasons=knowledge.override_reasons,
        sources={name: citation.name for name, citation in knowledge.sources.items()},
        citations=knowledge.sources,
        conflicts=knowledge.conflicts,
        imaging_regions=knowledge.imaging_regions,
        statements=knowledge.statements,
        key_names=knowledge.key_names,
        disclaimer=recommendations[DISCLAIMER].detail,
        own_orders=own_orders(recommendations.values()),
    )


def _mme_factors(root: Path, knowledge: Knowledge, chosen: str | None) -> MmeFactors:
    if chosen is not None and chosen not in knowledge.mme_factors:
        document = read_yaml(root / "definitions" / MME_FACTORS)
        raise document.error(f"{chosen!r} is no set of factors", ("sets",))
    return knowledge.mme_factors[chosen or knowledge.mme_default]


def _draft_facts(vocabulary: Vocabulary) -> frozenset[str]:
    direct = {
        name
        for name, definition in vocabulary.items()
        if definition.scope == "draft" or "draft" in definition.read_from
    }
    return frozenset(name for name in vocabulary if closure((name,), vocabulary) & direct)


def _bars(recommendation: Recommendation) -> tuple[str, ...]:
    withholding = tuple(name for s in recommendation.suggestions for name in s.when_none)
    return recommendation.exclusions + withholding


def _cards(
    recommendations: Iterable[Recommendation],
) -> Mapping[HookName, tuple[Recommendation, ...]]:
    own = sorted((r for r in recommendations if r.render == "card"), key=lambda r: r.id)
    return {hook: tuple(r for r in own if hook in r.hooks) for hook in HOOKS}


def _texts(recommendations: Iterable[Recommendation]) -> tuple[Recommendation, ...]:
    told = (r for r in recommendations if r.render == "text" and r.id != DISCLAIMER)
    return tuple(sorted(told, key=lambda r: r.id))


def _about_drafts(
    recommendations: Iterable[Recommendation],
    draft_facts: frozenset[str],
) -> frozenset[str]:
    """Red flags are judged once a call even though an order may bring the back-pain context."""
    return frozenset(
        r.id
        for r in recommendations
        if r.merge_group != "red-flag" and set(r.trigger.names) & draft_facts
    )
