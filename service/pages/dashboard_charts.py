"""What the charts of the dashboard draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cards.card import OVERRIDE_SYSTEM
from cards.library import Library
from service.feedback import OTHER_REASON
from service.pages.charts import MOST_BARS, Chart
from service.pages.pace import LONGEST_MS, SHORTEST_MS, Pace, Timing
from service.pages.period import Period
from service.report import Report, Tally

NO_CARDS = Tally()


def reason_words(system: str | None, code: str | None, reasons: Mapping[str, str]) -> str:
    """What a reason to override is called; a code that is none of ours stands for itself."""
    if code is None:
        return "No reason given"
    if system == OVERRIDE_SYSTEM:
        return reasons.get(code, code)
    own = "Another reason" if code == OTHER_REASON else code
    return f"{own} ({system})" if system else own


def title_of(recommendation: str, library: Library) -> str:
    """The title of a recommendation; its id when the content no longer has it."""
    known = library.recommendations.get(recommendation)
    return known.title if known else recommendation


def _weeks(report: Report, period: Period, _: Library) -> Chart:
    tallies = [report.weeks.get((week,), NO_CARDS) for week in period.weeks]
    return Chart("Cards by week", period.weeks, _bars(tallies))


def _recommendations(report: Report, _: Period, library: Library) -> Chart:
    most = sorted(
        report.recommendations.items(), key=lambda pair: -max(pair[1].shown, pair[1].outcomes)
    )[:MOST_BARS]
    labels = tuple(title_of(name or "", library) for (name,), _ in most)
    return Chart("Cards by recommendation", labels, _bars([tally for _, tally in most]), lying=True)


def _reasons(report: Report, _: Period, library: Library) -> Chart:
    most = list(report.total.reasons.items())[:MOST_BARS]
    labels = tuple(reason_words(*key, library.override_reasons) for key, _ in most)
    overridden = {"overridden": [cards for _, cards in most]}
    return Chart("Overridden cards by reason", labels, overridden, lying=True)


def _hooks(pace: Pace) -> Chart:
    return _timings("Milliseconds from call to answer, by hook", pace.hooks)


def _stages(pace: Pace) -> Chart:
    return _timings("Milliseconds by stage", pace.stages)


def _bars(tallies: Sequence[Tally]) -> dict[str, list[int]]:
    return {
        "shown": [tally.shown for tally in tallies],
        "accepted": [tally.accepted for tally in tallies],
        "overridden": [tally.overridden for tally in tallies],
    }


def _timings(title: str, timings: Sequence[Timing]) -> Chart:
    drawn = [timing for timing in timings if timing.calls]
    return Chart(
        title,
        tuple(timing.name for timing in drawn),
        {
            "half within (p50), ms": [_drawable(timing.p50) for timing in drawn],
            "9 in 10 (p90), ms": [_drawable(timing.p90) for timing in drawn],
            "99 in 100 (p99), ms": [_drawable(timing.p99) for timing in drawn],
        },
        lying=True,
    )


def _drawable(milliseconds: float | None) -> float | None:
    """What can be drawn of what the histogram can tell: nothing is shorter or longer."""
    return None if milliseconds is None else min(max(milliseconds, SHORTEST_MS), LONGEST_MS)


OF_REPORT: Mapping[str, Callable[[Report, Period, Library], Chart]] = {
    "weeks": _weeks,
    "recommendations": _recommendations,
    "reasons": _reasons,
}
OF_PACE: Mapping[str, Callable[[Pace], Chart]] = {"hooks": _hooks, "stages": _stages}
