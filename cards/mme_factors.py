"""Factors that express opioids in morphine milligram equivalents, in versioned sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cards.content import Document, check_members


@dataclass(frozen=True, slots=True)
class Band:
    """A factor for daily doses up to so many milligrams; ``up_to`` None has no upper end."""

    factor: float
    up_to: float | None = None


@dataclass(frozen=True, slots=True)
class MmeFactors:
    """One set of factors, such as ``cdc-2022``; keys are RxNorm codes of ingredients.

    Attributes:
        oral: bands by daily dose in milligrams, the lowest first; most drugs have one.
        patch: factor for each microgram an hour worn.
        not_converted: opioids nobody converts; they are named beside the sum.
        names: every opioid the sets know, with a factor or without.
    """

    version: str
    title: str
    oral: Mapping[str, tuple[Band, ...]]
    patch: Mapping[str, float]
    not_converted: frozenset[str]
    names: Mapping[str, str]

    def oral_factor(self, ingredient: str, mg_per_day: float) -> float | None:
        """What a milligram of this daily dose stands for; None when the set has no factor."""
        bands = self.oral.get(ingredient, ())
        fitting = (b.factor for b in bands if b.up_to is None or mg_per_day <= b.up_to)
        return next(fitting, None)


def read_mme_factors(document: Document) -> tuple[str, Mapping[str, MmeFactors]]:
    """The version to use by default, and every set by its version.

    Raises:
        ContentError: a member is missing or unknown, bands do not rise, or there is no default.
    """
    content = document.value
    check_members(document, content, ("default", "not_converted", "sets"), (), ())
    if content["default"] not in content["sets"]:
        raise document.error(f"{content['default']!r} is no set of factors", ("default",))
    names = _names(document, ("not_converted",), content["not_converted"])
    sets = {
        version: _read_set(document, version, entry, names)
        for version, entry in content["sets"].items()
    }
    return content["default"], sets


def _read_set(
    document: Document, version: str, entry: Any, not_converted: Mapping[str, str]
) -> MmeFactors:
    place = ("sets", version)
    check_members(
        document, entry, ("title", "source", "oral", "patch", "without_factor"), (), place
    )
    parts = ("oral", "patch", "without_factor")
    named = [_names(document, (*place, part), entry[part]) for part in parts]
    return MmeFactors(
        version=version,
        title=entry["title"],
        oral={
            opioid["code"]: _bands(document, (*place, "oral", position), opioid)
            for position, opioid in enumerate(entry["oral"])
        },
        patch={opioid["code"]: float(opioid["factor"]) for opioid in entry["patch"]},
        not_converted=frozenset(not_converted),
        names={**not_converted, **{code: name for part in named for code, name in part.items()}},
    )


def _names(document: Document, place: tuple[str | int, ...], entries: Any) -> dict[str, str]:
    for position, entry in enumerate(entries):
        check_members(document, entry, ("code", "name"), ("factor", "bands"), (*place, position))
    return {entry["code"]: entry["name"] for entry in entries}


def _bands(document: Document, place: tuple[str | int, ...], opioid: Any) -> tuple[Band, ...]:
    stated = opioid.get("bands", [{"factor": opioid.get("factor")}])
    bands = tuple(Band(band["factor"], band.get("up_to")) for band in stated)
    ends = [band.up_to for band in bands[:-1]]
    rising = None not in ends and ends == sorted(set(ends), key=lambda end: end or 0)
    if not rising or bands[-1].up_to is not None or any(band.factor is None for band in bands):
        raise document.error("bands must rise, and the last be open", place)
    return bands
