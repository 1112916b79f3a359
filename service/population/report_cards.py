"""How many cards a population gets: of what kind, from which recommendations, how many at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cards.library import Library
from cards.record import HookName
from service.population.report_counts import Counts, Share

OPENING: HookName = "patient-view"
ORDERING: HookName = "order-select"
INDICATORS = ("critical", "warning", "info")
# So many cards in one answer are more than anybody reads.
MANY = 3
MOST_NOISY, MOST_PAIRS = 10, 15


@dataclass(frozen=True, slots=True)
class Fired:
    """The cards one recommendation led.

    Attributes:
        title: its title; the id where the content no longer has it.
        hooks: hook → cards.
        indicators: indicator → cards.
        by_visits: its cards by the visits of the run.
        told: patients who got it at least once, of those judged.
    """

    id: str
    title: str
    hooks: Mapping[str, int]
    indicators: Mapping[str, int]
    by_visits: Share
    told: Share


@dataclass(frozen=True, slots=True)
class Urgency:
    """The cards of one indicator: by hook, and all of them by the visits of the run."""

    indicator: str
    hooks: Mapping[str, int]
    by_visits: Share


@dataclass(frozen=True, slots=True)
class Pair:
    """Two that came together: how often, of how many."""

    ids: tuple[str, str]
    titles: tuple[str, str]
    together: Share


@dataclass(frozen=True, slots=True)
class CardFigures:
    """The cards of a run.

    Attributes:
        visits: chart openings; one for each patient as of a day, one for each visit in a replay.
        orders: historical orders that were judged; 0 as of a day.
        by_visits: all cards, those on orders too, by visits.
        on_openings: cards on opening a chart, by visits.
        on_orders: cards on choosing an order, by orders.
        visits_told, orders_told, answers_told: visits, orders and both that got a card at all.
        recommendations: those that led a card, the noisiest first.
        urgencies: by indicator, the most urgent first.
        most_at_once: most cards in one answer → patients.
        many_at_once: patients who got three cards or more in one answer, of those judged.
        together: recommendations whose cards came in one answer, of the answers that bore a card.
    """

    visits: int
    orders: int
    by_visits: Share
    on_openings: Share
    on_orders: Share
    visits_told: Share
    orders_told: Share
    answers_told: Share
    recommendations: tuple[Fired, ...]
    urgencies: tuple[Urgency, ...]
    most_at_once: Mapping[int, int]
    many_at_once: Share
    together: tuple[Pair, ...]

    @property
    def noisiest(self) -> tuple[Fired, ...]:
        """The recommendations with most cards."""
        return self.recommendations[:MOST_NOISY]

    @property
    def critical(self) -> tuple[Fired, ...]:
        """The recommendations that led a critical card, those with most of them first."""
        found = [fired for fired in self.recommendations if fired.indicators.get("critical")]
        return tuple(sorted(found, key=lambda fired: -fired.indicators["critical"]))


def card_figures(counts: Counts, library: Library) -> CardFigures:
    """The cards of a run, from its tallies."""
    visits, orders = counts.total("calls", OPENING), counts.total("calls", ORDERING)
    judged = counts.total("patients", "judged")
    hooks = {hook: cards for (hook,), cards in counts.by("cards", 2).items()}
    told = {hook: counts.total("calls with cards", hook) for hook in (OPENING, ORDERING)}
    at_once = {
        int(most): patients for (most,), patients in counts.by("most cards at once", 0).items()
    }
    many = sum(patients for most, patients in at_once.items() if most >= MANY)
    answered = sum(told.values())
    return CardFigures(
        visits=visits,
        orders=orders,
        by_visits=Share(sum(hooks.values()), visits),
        on_openings=Share(hooks.get(OPENING, 0), visits),
        on_orders=Share(hooks.get(ORDERING, 0), orders),
        visits_told=Share(told[OPENING], visits),
        orders_told=Share(told[ORDERING], orders),
        answers_told=Share(answered, visits + orders),
        recommendations=_fired(counts, library, visits, judged),
        urgencies=_urgencies(counts, visits),
        most_at_once=_without_gaps(at_once),
        many_at_once=Share(many, judged),
        together=tuple(
            _pair((first, second), Share(number, answered), library)
            for (first, second), number in counts.by("cards together", 0, 1).items()
        ),
    )


def title_of(recommendation: str, library: Library) -> str:
    """The title of a recommendation; its id when the content has none such."""
    known = library.recommendations.get(recommendation)
    return known.title if known else recommendation


def _fired(counts: Counts, library: Library, visits: int, judged: int) -> tuple[Fired, ...]:
    by_hook, by_indicator = counts.by("cards", 0, 2), counts.by("cards", 0, 1)
    return tuple(
        Fired(
            id=name,
            title=title_of(name, library),
            hooks={hook: by_hook.get((name, hook), 0) for hook in (OPENING, ORDERING)},
            indicators={each: by_indicator.get((name, each), 0) for each in INDICATORS},
            by_visits=Share(cards, visits),
            told=Share(counts.total("patients told", name), judged),
        )
        for (name,), cards in counts.by("cards", 0).items()
    )


def _urgencies(counts: Counts, visits: int) -> tuple[Urgency, ...]:
    by_hook = counts.by("cards", 1, 2)
    hooks: list[dict[str, int]] = [
        {hook: by_hook.get((indicator, hook), 0) for hook in (OPENING, ORDERING)}
        for indicator in INDICATORS
    ]
    return tuple(
        Urgency(indicator, cards, Share(sum(cards.values()), visits))
        for indicator, cards in zip(INDICATORS, hooks, strict=True)
    )


def _without_gaps(at_once: Mapping[int, int]) -> dict[int, int]:
    """From none up to the most anybody got, so that a row nobody is in is seen to be empty."""
    return {most: at_once.get(most, 0) for most in range(max(at_once, default=-1) + 1)}


def _pair(ids: tuple[str, str], together: Share, library: Library) -> Pair:
    return Pair(ids, (title_of(ids[0], library), title_of(ids[1], library)), together)
