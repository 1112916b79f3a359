"""A suggestion applied to a request, as a record system does when a clinician accepts it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from service.errors import malformed, mismatched

JSON = dict[str, Any]
VIEW, SELECT = "patient-view", "order-select"
# Ours have one each; what anybody may post is bounded as the drafts of a call are.
MOST_ACTIONS = 50


def applied(request: JSON, actions: Iterable[Any], instance: str) -> JSON:
    """The request of the call that follows when the actions of a suggestion are accepted.

    A new draft is selected, and a chart that is opened becomes an order that is chosen. Without
    any draft left the chart is open again.

    Args:
        request: a call of one of our hooks, its shape checked.
        actions: ``create``, ``update`` and ``delete`` of CDS Hooks.
        instance: the ``hookInstance`` of the new call.

    Raises:
        RequestRefused: 400, an action is about no draft of the request or cannot be read.
    """
    context = request["context"]
    drafts = _drafts(context)
    selected = [each for each in context.get("selections") or () if isinstance(each, str)]
    actions = tuple(actions)
    if len(actions) > MOST_ACTIONS:
        raise mismatched(f"A suggestion has at most {MOST_ACTIONS} actions.", "suggestion.actions")
    for action in actions:
        drafts, selected = _after(action, drafts, selected)
    return request | _call(request, drafts, selected) | {"hookInstance": instance}


def _call(request: JSON, drafts: list[JSON], selected: list[str]) -> JSON:
    """The hook and context of a call with these drafts."""
    context = {
        name: value
        for name, value in request["context"].items()
        if name not in {"draftOrders", "selections"}
    }
    if not drafts:
        return {"hook": VIEW, "context": context}
    bundle = request["context"].get("draftOrders") or {
        "resourceType": "Bundle",
        "type": "collection",
    }
    context["draftOrders"] = bundle | {"entry": [{"resource": draft} for draft in drafts]}
    hook = request["hook"] if request["hook"] != VIEW else SELECT
    if hook == SELECT:
        context["selections"] = selected or [address(draft) for draft in drafts]
    return {"hook": hook, "context": context}


def _after(action: Any, drafts: list[JSON], selected: list[str]) -> tuple[list[JSON], list[str]]:
    """Drafts and selection after one action."""
    match action:
        case {"type": "create", "resource": {"resourceType": str()} as resource}:
            draft = _named(resource, drafts)
            return [*drafts, draft], [*selected, address(draft)]
        case {"type": "update", "resource": {"resourceType": str(), "id": str()} as resource}:
            _require(address(resource), drafts)
            here = address(resource)
            return [resource if address(d) == here else d for d in drafts], selected
        case {"type": "delete", "resourceId": str() as gone}:
            _require(gone, drafts)
            kept = [draft for draft in drafts if address(draft) != gone]
            return kept, [each for each in selected if each != gone]
    raise malformed("An action of the suggestion cannot be read.", "suggestion.actions")


def address(draft: Mapping[str, Any]) -> str:
    """What a selection or a deletion names a draft by: ``MedicationRequest/draft-1``."""
    return f"{draft.get('resourceType')}/{draft.get('id')}"


def _drafts(context: Mapping[str, Any]) -> list[JSON]:
    entries = (context.get("draftOrders") or {}).get("entry") or []
    resources = (entry.get("resource") for entry in entries if isinstance(entry, dict))
    return [resource for resource in resources if isinstance(resource, dict)]


def _require(wanted: str, drafts: list[JSON]) -> None:
    if all(address(draft) != wanted for draft in drafts):
        raise mismatched("No draft order has the id of the suggestion.", "context.draftOrders")


def _named(resource: JSON, drafts: list[JSON]) -> JSON:
    """The resource with an id that no draft has yet; the record system gives it one."""
    taken = [draft.get("id") for draft in drafts]  # which may be anything
    number = next(n for n in range(1, len(drafts) + 2) if f"accepted-{n}" not in taken)
    return {"resourceType": resource["resourceType"], "id": f"accepted-{number}"} | {
        name: value for name, value in resource.items() if name not in {"resourceType", "id"}
    }
