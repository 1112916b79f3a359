"""A call taken for usual at a glance is one that the schema of its hook takes as well."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.envelope import check_shape
from service.errors import RequestRefused
from service.hooks import SERVICES
from service.usual_call import MOST_DRAFTS, MOST_SELECTIONS, is_usual_call
from tests.conftest import call

HOOKS = tuple(service.hook for service in SERVICES.values())
# Every member that a schema speaks of, and two it does not.
MEMBERS = (
    "hook",
    "hookInstance",
    "fhirServer",
    "fhirAuthorization",
    "fhirAuthorization.access_token",
    "context",
    "context.userId",
    "context.patientId",
    "context.encounterId",
    "context.selections",
    "context.draftOrders",
    "context.draftOrders.entry",
    "context.other",
    "prefetch",
    "extension",
    "other",
)
ODD: tuple[Any, ...] = (
    ...,
    None,
    True,
    0,
    1.5,
    "",
    " ",
    "x",
    "x\n",
    "\u00a0",
    "a/b",
    "x" * 256,
    "x" * 257,
    *HOOKS,
    "https://ehr.example.org/fhir",
    "HTTP://e",
    "http\u017f://e",
    "https:///",
    "https://\u00a0",
    " https://e",
    "ftp://x",
    [],
    ["a"],
    ["a", 7],
    [None],
    ["a"] * (MOST_SELECTIONS + 1),
    [{}] * (MOST_DRAFTS + 1),
    {},
    {"access_token": "t"},
    {"access_token": 7},
    {"entry": [{}]},
    {"entry": {}},
)


def _with(request: dict[str, Any], path: str, value: Any) -> None:
    """The request with this member put so, or taken out; unless nothing is there to hold it."""
    *parents, last = path.split(".")
    at: Any = request
    for parent in parents:
        at = at.get(parent) if isinstance(at, dict) else None
    if isinstance(at, dict):
        at.pop(last, None)
        at.update({} if value is ... else {last: copy.deepcopy(value)})


def _fits(request: dict[str, Any], hook: str) -> bool:
    try:
        check_shape(request, hook)
    except RequestRefused:
        return False
    return True


def _full(hook: str) -> dict[str, Any]:
    request = call(hook)
    request["fhirServer"] = "https://ehr.example.org/fhir"
    request["fhirAuthorization"] = {"access_token": "t", "token_type": "Bearer"}
    return request


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("path", MEMBERS)
@pytest.mark.parametrize("asked", HOOKS)
def test_no_member_of_any_kind_passes_that_the_schema_refuses(
    hook: str, path: str, asked: str
) -> None:
    """One member at a time, put to every odd value or left out."""
    for value in ODD:
        request = _full(hook)
        _with(request, path, value)

        assert _fits(request, asked) or not is_usual_call(request, asked), (path, value)


@given(
    st.sampled_from(HOOKS),
    st.lists(st.tuples(st.sampled_from(MEMBERS), st.sampled_from(ODD)), max_size=4),
)
def test_no_call_passes_that_the_schema_refuses(hook: str, changes: list[tuple[str, Any]]) -> None:
    """However many members are odd at once."""
    request = _full(hook)
    for path, value in changes:
        _with(request, path, value)

    assert _fits(request, hook) or not is_usual_call(request, hook)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_clients_everyday_call_is_usual(hook: str) -> None:
    """What every client sends is not walked through member by member; with a server and without."""
    assert is_usual_call(call(hook), hook)
    assert is_usual_call(_full(hook), hook)
