"""Whether a call is shaped as calls are, told at a glance; the schemas judge all the others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MOST_SELECTIONS = 200
MOST_DRAFTS = 50
_PATIENT_ID = re.compile(r"[^/\s]{1,256}")
_ADDRESS = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[^\s/]")
_OBJECT = (dict, type(None))


def is_usual_call(request: Mapping[str, Any], hook: str) -> bool:
    """Whether a request certainly fits the schema of this hook.

    Walking a schema takes as long as half of the advice. Whatever is unusual is left to it, be it
    right or wrong: it knows all that may be, and says what is wrong.
    """
    context = request.get("context")
    return (
        type(context) is dict
        and request.get("hook") == hook
        and _is_filled(request.get("hookInstance"))
        and _is_usual_context(context)
        and (hook == "patient-view" or _are_usual_drafts(context))
        and type(request.get("prefetch")) in _OBJECT
        and type(request.get("extension")) in _OBJECT
        and _is_usual_server(request)
    )


def _is_usual_context(context: Mapping[str, Any]) -> bool:
    patient, encounter = context.get("patientId"), context.get("encounterId")
    return (
        _is_filled(context.get("userId"))
        and type(patient) is str
        and _PATIENT_ID.fullmatch(patient) is not None
        and (encounter is None or type(encounter) is str)
    )


def _are_usual_drafts(context: Mapping[str, Any]) -> bool:
    """Those chosen and all of them."""
    drafts, chosen = context.get("draftOrders"), context.get("selections", [])
    if type(drafts) is not dict or type(chosen) is not list:
        return False
    entries = drafts.get("entry", [])
    return (
        type(entries) is list
        and len(entries) <= MOST_DRAFTS
        and len(chosen) <= MOST_SELECTIONS
        and all(type(one) is str for one in chosen)
    )


def _is_usual_server(request: Mapping[str, Any]) -> bool:
    """The client's FHIR server and the token for it, where they are sent."""
    address, token = request.get("fhirServer"), request.get("fhirAuthorization")
    return (address is None or (type(address) is str and _ADDRESS.match(address) is not None)) and (
        token is None or (type(token) is dict and type(token.get("access_token")) is str)
    )


def _is_filled(value: object) -> bool:
    return type(value) is str and value != ""
