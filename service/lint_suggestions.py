"""What makes the suggestions of a card legal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from service.profile import AT_MOST_ONE, Profile

# A place within the card and what is wrong there.
Faults = Iterator[tuple[str, str]]
Card = Mapping[str, Any]

_RELATIVE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")


def objects(part: Card, name: str) -> list[tuple[str, Card]]:
    """The objects in a list of this name, each with its place; what is none is left out."""
    value = part.get(name)
    return [
        (f"{name}[{number}]", each)
        for number, each in enumerate(value if isinstance(value, list) else ())
        if isinstance(each, Mapping)
    ]


def suggestions_of(card: Card) -> list[tuple[str, Card]]:
    """The suggestions of a card, each with its place."""
    return objects(card, "suggestions")


def actions_of(card: Card) -> list[tuple[str, Card]]:
    """The actions of a card, each with its place."""
    return [
        (f"{where}.{place}", action)
        for where, suggestion in suggestions_of(card)
        for place, action in objects(suggestion, "actions")
    ]


def selection_faults(card: Card, profile: Profile) -> Faults:
    """How many may be chosen is said in a word the client knows."""
    if "suggestions" not in card:
        if "selectionBehavior" in card:
            yield "selectionBehavior", "is given without suggestions"
        return
    behaviour = card.get("selectionBehavior")
    if behaviour not in sorted(profile.selection_behaviours):
        yield "selectionBehavior", "must be " + " or ".join(sorted(profile.selection_behaviours))
    recommended = [where for where, s in suggestions_of(card) if s.get("isRecommended") is True]
    if behaviour == AT_MOST_ONE and len(recommended) > 1:
        yield recommended[1], "is the second that is recommended, of which one may be chosen"


def suggestion_faults(card: Card, _: Profile) -> Faults:
    """A suggestion has a label and one action."""
    for where, suggestion in suggestions_of(card):
        if not isinstance(suggestion.get("label"), str) or not suggestion["label"].strip():
            yield f"{where}.label", "must be a text"
        if len(objects(suggestion, "actions")) != 1:
            yield f"{where}.actions", "must hold one action, since clients carry out the first only"


def action_faults(card: Card, _: Profile) -> Faults:
    """An action says in words what it does, and bears what it does it with."""
    for where, action in actions_of(card):
        if not isinstance(action.get("description"), str) or not action["description"].strip():
            yield f"{where}.description", "must be a text, since it is what some clients show"
        kind, resource = action.get("type"), action.get("resource")
        if kind not in ("create", "update", "delete"):
            yield f"{where}.type", "must be create, update or delete"
        elif kind == "delete":
            if "resource" in action or not _RELATIVE.fullmatch(str(action.get("resourceId"))):
                yield f"{where}.resourceId", "must name what is deleted, as Type/id and alone"
        elif not isinstance(resource, Mapping) or not isinstance(resource.get("resourceType"), str):
            yield f"{where}.resource", "must be a whole resource"
        elif ("id" in resource) != (kind == "update"):
            yield f"{where}.resource.id", "is borne by what is updated, and by nothing created"
