"""Words of a report for what tallies name in a word of their own."""

from __future__ import annotations

from collections.abc import Mapping

from service.population.report import Run

LEFT_OUT: Mapping[str, str] = {
    "other-patient": "about another patient",
    "entered-in-error": "entered in error",
    "negated": "recorded as not present or not done",
    "refuted": "refuted",
    "not-active": "no longer active, or never carried out",
    "not-final": "not final",
    "data-absent": "without a value",
    "do-not-perform": "an order not to do something",
    "proposal": "a proposal, not an order",
    "draft-outside-draft-orders": "a draft that was not being ordered",
}
UNREADABLE, UNTRUSTED = "unreadable:", "untrusted:"


def why_left_out(reason: str) -> str:
    """Why a resource was left out, in words; a reason without words stands for itself."""
    if reason.startswith(UNREADABLE):
        return f"{reason.removeprefix(UNREADABLE)} that could not be read"
    if reason.startswith(UNTRUSTED):
        why = reason.removeprefix(UNTRUSTED)
        return f"order that was kept, but whose drug code is not trusted: {why}"
    return LEFT_OUT.get(reason, reason)


def what_was_run(run: Run) -> str:
    """Which charts were opened, when, in a sentence or two."""
    if run.replay:
        return (
            "A replay: each chart was opened on every day the patient had a visit, with only what "
            "was known by then, and each order of the past was judged as of its own day. Nobody "
            "saw a card."
        )
    day = f"as of {run.as_of}" if run.as_of else "on one day"
    return f"Each patient’s chart was opened once, {day}. Nobody saw a card."


def what_a_visit_is(run: Run) -> str:
    """What one visit of this report stands for."""
    if run.replay:
        return "A visit is one opening of a chart, on a day with a visit on record."
    return "A visit is the one opening of a patient’s chart: there are as many as patients judged."


def size_of(amount: int | None) -> str:
    """A file's size; decimal units, as file lists have them."""
    if amount is None:
        return "size not known"
    size = float(amount)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} bytes" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
