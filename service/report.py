"""What became of the cards, by recommendation, client and week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from service.store import OutcomeCount, ShownCount

# A recommendation that nearly everybody overrides does no good where it is shown. Of a handful of
# outcomes nothing can be said.
OVERRIDDEN_ABOVE = 0.9
OUTCOMES_AT_LEAST = 10

Count = ShownCount | OutcomeCount
Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of some cards.

    Attributes:
        shown: cards given out; lost numbers of a killed process are not among them.
        accepted, overridden: cards by their latest outcome.
        reasons: cards overridden, by system and code of the reason; (None, None) without one.
    """

    shown: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: Mapping[tuple[str | None, str | None], int] = field(default_factory=dict)

    @property
    def no_reaction(self) -> int:
        """Cards shown that nothing was heard of; 0 when more was heard of than was shown."""
        return max(0, self.shown - self.outcomes)

    @property
    def outcomes(self) -> int:
        """Cards that something was heard of."""
        return self.accepted + self.overridden

    @property
    def overridden_share(self) -> float | None:
        """The part of the outcomes that is overridden, 0 to 1; None without an outcome."""
        return self.overridden / self.outcomes if self.outcomes else None

    @property
    def flagged(self) -> bool:
        """Whether nearly everybody overrides them."""
        enough = self.outcomes >= OUTCOMES_AT_LEAST
        return enough and (self.overridden_share or 0) > OVERRIDDEN_ABOVE


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the cards of a period; cards that are not known to be ours stand apart.

    Attributes:
        since, until: first and last day of the period; None leaves that end open.
        recommendations: by id.
        not_ours: outcomes of cards whose uuids name no recommendation: made up by somebody, or
            shown by a process that could not reach the store.
        clients: by name; None stands for clients that were not verified.
        weeks: by ISO week, such as ``2026-W03``.
        each: by recommendation, client and week.
        flagged: recommendations that nearly everybody overrides.
    """

    since: date | None
    until: date | None
    total: Tally
    recommendations: Mapping[Key, Tally]
    clients: Mapping[Key, Tally]
    weeks: Mapping[Key, Tally]
    each: Mapping[Key, Tally]
    not_ours: Tally
    flagged: tuple[str, ...]


def build_report(
    shown: Iterable[ShownCount],
    outcomes: Iterable[OutcomeCount],
    since: date | None,
    until: date | None,
) -> Report:
    """The report on a period, from the counts of that period.

    A card counts in the week it was shown and, with its outcome, in the week of the outcome.
    """
    heard = tuple(outcomes)
    counts: list[Count] = [*shown, *(count for count in heard if count.recommendation)]
    each = _tallies(counts)
    recommendations = _by(0, each)
    return Report(
        since=since,
        until=until,
        total=_together(each.values()),
        recommendations=recommendations,
        clients=_by(1, each),
        weeks=_by(2, each),
        each=each,
        not_ours=_tally(count for count in heard if not count.recommendation),
        flagged=tuple(name for (name,), tally in recommendations.items() if name and tally.flagged),
    )


def week(day: date) -> str:
    """The ISO 8601 week of a day, such as ``2026-W03``."""
    year, number, _ = day.isocalendar()
    return f"{year:04}-W{number:02}"


def _tallies(counts: Iterable[Count]) -> dict[Key, Tally]:
    """By recommendation, client and week."""
    groups: dict[Key, list[Count]] = {}
    for count in counts:
        key = (count.recommendation, count.client, week(count.day))
        groups.setdefault(key, []).append(count)
    return {names: _tally(groups[names]) for names in _known_first(groups)}


def _by(place: int, each: Mapping[Key, Tally]) -> dict[Key, Tally]:
    """By one of recommendation, client and week, out of those by all three."""
    groups: dict[Key, list[Tally]] = {}
    for names, tally in each.items():
        groups.setdefault((names[place],), []).append(tally)
    return {names: _together(groups[names]) for names in _known_first(groups)}


def _known_first(keys: Iterable[Key]) -> list[Key]:
    return sorted(keys, key=lambda names: [(name is None, name or "") for name in names])


def _tally(counts: Iterable[Count]) -> Tally:
    numbers: Counter[str] = Counter()
    reasons: Counter[tuple[str | None, str | None]] = Counter()
    for count in counts:
        if isinstance(count, ShownCount):
            numbers["shown"] += count.count
            continue
        numbers[count.outcome] += count.count
        if count.outcome == "overridden":
            reasons[count.reason_system, count.reason_code] += count.count
    return _counted(numbers["shown"], numbers["accepted"], numbers["overridden"], reasons)


def _together(tallies: Collection[Tally]) -> Tally:
    reasons: Counter[tuple[str | None, str | None]] = Counter()
    for tally in tallies:
        reasons.update(tally.reasons)
    return _counted(
        sum(tally.shown for tally in tallies),
        sum(tally.accepted for tally in tallies),
        sum(tally.overridden for tally in tallies),
        reasons,
    )


def _counted(
    shown: int, accepted: int, overridden: int, reasons: Mapping[tuple[str | None, str | None], int]
) -> Tally:
    """A tally whose commonest reason comes first."""
    ordered = dict(sorted(reasons.items(), key=lambda pair: (-pair[1], str(pair[0]))))
    return Tally(shown=shown, accepted=accepted, overridden=overridden, reasons=ordered)


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs."""
    return {
        "since": report.since and report.since.isoformat(),
        "until": report.until and report.until.isoformat(),
        "total": _members(report.total),
        "recommendations": _list(report.recommendations, "recommendation"),
        "clients": _list(report.clients, "client"),
        "weeks": _list(report.weeks, "week"),
        "recommendationsByClientAndWeek": _list(report.each, "recommendation", "client", "week"),
        "notOurs": {
            "accepted": report.not_ours.accepted,
            "overridden": report.not_ours.overridden,
        },
        "flagged": list(report.flagged),
        "flaggedWhen": {
            "overriddenShareAbove": OVERRIDDEN_ABOVE,
            "outcomesAtLeast": OUTCOMES_AT_LEAST,
        },
    }


def _list(tallies: Mapping[Key, Tally], *names: str) -> list[dict[str, Any]]:
    return [
        {**dict(zip(names, key, strict=True)), **_members(tally)} for key, tally in tallies.items()
    ]


def _members(tally: Tally) -> dict[str, Any]:
    share = tally.overridden_share
    return {
        "shown": tally.shown,
        "accepted": tally.accepted,
        "overridden": tally.overridden,
        "noReaction": tally.no_reaction,
        "overriddenShare": None if share is None else round(share, 4),
        "reasons": [
            {"system": system, "code": code, "cards": cards}
            for (system, code), cards in tally.reasons.items()
        ],
    }
