"""How much of each prefetch key was delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from cards.record import Coverage
from service.patient_record.bundle import (
    NO_RESOURCE,
    SEARCHED,
    Listed,
    kind_of,
    listed,
    outcome_severities,
)
from service.patient_record.elements import (
    Resource,
    TooManyElements,
    number,
    objects,
    one_object,
    text,
)
from service.patient_record.remembered import Remembered

UNSOUGHT = ("", "Medication", "OperationOutcome")
_SEARCH = attrgetter("search")
ENTRIES = (list, dict, type(None))
HARMLESS = frozenset({"warning", "information"})


def coverage_of(prefetch: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Coverage]:
    """For each key, how much of it the prefetch delivered.

    A null value is known empty, hence read. A key the client left out is missing.
    """
    modes = Remembered(_mode)
    return {
        key: _coverage(prefetch[key], key, modes) if key in prefetch else Coverage.MISSING
        for key in keys
    }


def states_of(coverage: Mapping[str, Coverage], prefetch: Mapping[str, Any]) -> dict[str, str]:
    """Each key's coverage in a word, for counting: what was read and held nothing is ``empty``."""
    return {
        key: "empty" if state is Coverage.READ and _is_empty(prefetch[key]) else state.value
        for key, state in coverage.items()
    }


def _is_empty(value: Any) -> bool:
    return value is None or (kind_of(value) == "Bundle" and not value.get("entry"))


def _coverage(value: Any, key: str, modes: Remembered[str]) -> Coverage:
    if value is None:
        return Coverage.READ
    wanted = SEARCHED.get(key, "Patient")
    kind = kind_of(value)
    if kind not in ("Bundle", wanted):
        return Coverage.FAILED
    if kind == wanted:
        return Coverage.READ
    told = listed(value)
    try:
        if not _answers(value, told) or (key == "patient" and "Patient" not in told.present):
            return Coverage.FAILED
        return Coverage.UNFINISHED if _unfinished(value, told, modes) else Coverage.READ
    except TooManyElements:  # of links, or of issues of an error
        return Coverage.FAILED


def _answers(bundle: Resource, told: Listed) -> bool:
    """Whether the Bundle is an answer: no error of the client's query, and not all unreadable.

    Single entries that cannot be read do not fail the key here, so that one of them never has
    the whole call refused; reading the record marks the key failed.
    """
    if not isinstance(bundle.get("entry"), ENTRIES):
        return False
    for _, outcome, _ in told.of("OperationOutcome"):
        if not outcome_severities(outcome) <= HARMLESS:
            return False
    return not told.kinds or not told.present.issubset(NO_RESOURCE)


def _unfinished(bundle: Resource, told: Listed, modes: Remembered[str]) -> bool:
    """Whether a next page exists, or the Bundle holds fewer matches than its total says."""
    links = objects(bundle.get("link"))
    if links and any(text(link.get("relation")).lower() == "next" for link in links):
        return True
    total = number(bundle.get("total"))
    return total is not None and (total > len(told.kinds) or total > _matches(told, modes))


def _matches(told: Listed, modes: Remembered[str]) -> int:
    """How many entries the search found, rather than including them with what it found."""
    try:
        searches = list(map(_SEARCH, told.entries))
    except AttributeError:  # an entry that is not decoded flat
        searches = []
    alike = bool(searches) and searches.count(searches[0]) == len(searches)
    mode = modes.of(told.entries[0], "search") if alike else None
    if mode == "match":
        return len(told.kinds)
    if mode == "":
        return len(told.kinds) - sum(map(told.kinds.count, told.present.intersection(UNSOUGHT)))
    found = 0
    for entry, kind in zip(told.entries, told.kinds, strict=True):
        mode = modes.of(entry, "search")
        found += mode == "match" if mode else kind not in UNSOUGHT
    return found


def _mode(search: Any) -> str:
    return text(one_object(search).get("mode"))
