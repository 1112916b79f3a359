"""How much of each prefetch key was delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cards.record import Coverage
from service.patient_record.bundle import (
    SEARCHED,
    Listed,
    kind_of,
    listed,
    outcome_severities,
)
from service.patient_record.elements import (
    Resource,
    TooManyElements,
    is_object,
    number,
    objects,
    one_object,
    text,
)

NO_RESOURCE = ("", "Bundle")
HARMLESS = frozenset({"warning", "information"})


def coverage_of(prefetch: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Coverage]:
    """For each key, how much of it the prefetch delivered.

    A null value is known empty, hence read. A key the client left out is missing.
    """
    return {
        key: _coverage(prefetch[key], key) if key in prefetch else Coverage.MISSING for key in keys
    }


def states_of(coverage: Mapping[str, Coverage], prefetch: Mapping[str, Any]) -> dict[str, str]:
    """Each key's coverage in a word, for counting: what was read and held nothing is ``empty``."""
    return {
        key: "empty" if state is Coverage.READ and _is_empty(prefetch[key]) else state.value
        for key, state in coverage.items()
    }


def _is_empty(value: Any) -> bool:
    return value is None or (kind_of(value) == "Bundle" and not value.get("entry"))


def _coverage(value: Any, key: str) -> Coverage:
    if value is None:
        return Coverage.READ
    wanted = SEARCHED.get(key, "Patient")
    if not is_object(value) or kind_of(value) not in ("Bundle", wanted):
        return Coverage.FAILED
    if kind_of(value) == wanted:
        return Coverage.READ
    told = listed(value)
    try:
        if not _answers(value, told) or (key == "patient" and not _holds(told, "Patient")):
            return Coverage.FAILED
        return Coverage.UNFINISHED if _unfinished(value, told) else Coverage.READ
    except TooManyElements:  # of links, or of issues of an error
        return Coverage.FAILED


def _answers(bundle: Resource, told: Sequence[Listed]) -> bool:
    """Whether the Bundle is an answer: no error of the client's query, and not all unreadable.

    Single entries that cannot be read do not fail the key here, so that one of them never has
    the whole call refused; reading the record marks the key failed.
    """
    if not isinstance(bundle.get("entry"), list | dict | None):
        return False
    outcomes = [resource for _, resource, kind in told if kind == "OperationOutcome"]
    if any(not outcome_severities(outcome) <= HARMLESS for outcome in outcomes):
        return False
    return not told or any(kind not in NO_RESOURCE for _, _, kind in told)


def _unfinished(bundle: Resource, told: Sequence[Listed]) -> bool:
    """Whether a next page exists, or the Bundle holds fewer matches than its total says."""
    if any(text(link.get("relation")).lower() == "next" for link in objects(bundle.get("link"))):
        return True
    total = number(bundle.get("total"))
    return total is not None and total > sum(_is_match(entry, kind) for entry, _, kind in told)


def _is_match(entry: Resource, kind: str) -> bool:
    """Whether the search found it, rather than including it with what it found."""
    search = entry.get("search")
    mode = text(one_object(search).get("mode")) if search else ""
    return mode == "match" if mode else kind not in ("", "Medication", "OperationOutcome")


def _holds(told: Sequence[Listed], wanted: str) -> bool:
    return any(kind == wanted for _, _, kind in told)
