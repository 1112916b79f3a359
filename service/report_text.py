"""The feedback report as tables to read in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from service.report import OUTCOMES_AT_LEAST, OVERRIDDEN_ABOVE, Key, Report, Tally

NUMBERS = ("shown", "accepted", "overridden", "no reaction", "% overridden")
OWN_REASONS = "urn:backpath:override-reason"


def as_text(report: Report) -> str:
    """The report in words and tables; every table ends in a line break."""
    first, last = report.since or "the first day", report.until or "the last"
    parts = [
        f"Feedback from {first} to {last}\n",
        _table(("all cards",), {("",): report.total}),
        _table(("recommendation",), report.recommendations),
        _table(("client",), report.clients, "not verified"),
        _table(("week",), report.weeks),
        _table(("recommendation", "client", "week"), report.each, "-"),
        _not_ours(report.not_ours),
        _reasons(report.recommendations),
        _flagged(report.flagged),
    ]
    return "\n".join(parts)


def _table(heads: Sequence[str], tallies: Mapping[Key, Tally], nobody: str = "") -> str:
    rows = [
        [*(nobody if name is None else name for name in key), *_cells(tally)]
        for key, tally in tallies.items()
    ]
    return _aligned([[*heads, *NUMBERS], *rows], len(heads))


def _cells(tally: Tally) -> list[str]:
    share = tally.overridden_share
    told = "" if share is None else f"{100 * share:.0f}{' !' if tally.flagged else ''}"
    counts = (tally.shown, tally.accepted, tally.overridden, tally.no_reaction)
    return [*(str(count) for count in counts), told]


def _reasons(tallies: Mapping[Key, Tally]) -> str:
    rows = [
        [name or "", _reason(system, code), str(cards)]
        for (name,), tally in tallies.items()
        for (system, code), cards in tally.reasons.items()
    ]
    return _aligned([["recommendation", "reason to override", "cards"], *rows], 2)


def _reason(system: str | None, code: str | None) -> str:
    if code is None:
        return "none given"
    return code if system in {None, OWN_REASONS} else f"{code} ({system})"


def _not_ours(tally: Tally) -> str:
    return (
        f"Not counted above, for their uuids name no card of ours: {tally.accepted} accepted, "
        f"{tally.overridden} overridden.\n"
    )


def _flagged(names: Iterable[str]) -> str:
    rule = f"more than {OVERRIDDEN_ABOVE:.0%} of at least {OUTCOMES_AT_LEAST} outcomes"
    listed = "".join(f"  {name}\n" for name in names)
    return f"Overridden in {rule}:\n{listed}" if listed else f"None is overridden in {rule}.\n"


def _aligned(rows: Sequence[Sequence[str]], left: int) -> str:
    """The rows under each other; the first ``left`` columns to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        + "\n"
        for row in rows
    )
