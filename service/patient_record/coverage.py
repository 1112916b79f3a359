"""How much of each prefetch key was delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cards.record import Coverage
from service.patient_record.bundle import (
    SEARCHED,
    entries,
    is_resource,
    kind_of,
    outcome_severities,
    resource_of,
)
from service.patient_record.elements import Resource, number, objects, one_object, text

HARMLESS = frozenset({"warning", "information"})


def coverage_of(prefetch: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Coverage]:
    """For each key, how much of it the prefetch delivered.

    A null value is known empty, hence read. A key the client left out is missing.
    """
    return {
        key: _coverage(prefetch[key], key) if key in prefetch else Coverage.MISSING for key in keys
    }


def _coverage(value: Any, key: str) -> Coverage:
    if value is None:
        return Coverage.READ
    wanted = SEARCHED.get(key, "Patient")
    if not isinstance(value, dict) or kind_of(value) not in ("Bundle", wanted):
        return Coverage.FAILED
    if kind_of(value) == wanted:
        return Coverage.READ
    if not _answers(value) or (key == "patient" and not _holds(value, "Patient")):
        return Coverage.FAILED
    return Coverage.UNFINISHED if _unfinished(value) else Coverage.READ


def _answers(bundle: Resource) -> bool:
    """Whether the Bundle is an answer: no error of the client's query, and not all unreadable.

    Single entries that cannot be read do not fail the key here, so that one of them never has
    the whole call refused; reading the record marks the key failed.
    """
    if not isinstance(bundle.get("entry"), list | dict | None):
        return False
    resources = [r for r in map(resource_of, entries(bundle)) if r is not None]
    outcomes = [r for r in resources if kind_of(r) == "OperationOutcome"]
    if any(not outcome_severities(outcome) <= HARMLESS for outcome in outcomes):
        return False
    return not resources or any(map(is_resource, resources))


def _unfinished(bundle: Resource) -> bool:
    """Whether a next page exists, or the Bundle holds fewer matches than its total says."""
    if any(text(link.get("relation")).lower() == "next" for link in objects(bundle.get("link"))):
        return True
    total = number(bundle.get("total"))
    return total is not None and total > sum(map(_is_match, entries(bundle)))


def _is_match(entry: Resource) -> bool:
    """Whether the search found it, rather than including it with what it found."""
    mode = text(one_object(entry.get("search")).get("mode"))
    kind = kind_of(resource_of(entry))
    return mode == "match" if mode else kind not in ("", "Medication", "OperationOutcome")


def _holds(bundle: Resource, kind: str) -> bool:
    return any(kind_of(resource_of(entry)) == kind for entry in entries(bundle))
