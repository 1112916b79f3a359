"""Why a launch did not lead to a chart, told to whoever sits in front of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong and what to do; ``status`` is what a program is told."""

    status: int
    title: str
    told: str
    to_do: str


AGAIN = "Go back to the patient's chart and open the pathway view from there again."
ASK = "If it happens again, tell whoever looks after this service."

TROUBLES: Mapping[str, Trouble] = {
    "no-launch": Trouble(
        HTTPStatus.BAD_REQUEST,
        "Open it from a chart",
        "The pathway view shows one patient's chart. It has to be told which one by the health "
        "record, and this visit was not.",
        "Open a patient's chart in the health record, and start the pathway view from there: from "
        "a link on one of our cards, or from the list of apps.",
    ),
    "iss-not-listed": Trouble(
        HTTPStatus.BAD_REQUEST,
        "This health record is not connected",
        "The link came from a health record that this service is not set up to read from.",
        "Tell whoever looks after this service: the address of the record's FHIR server has to "
        "stand in BACKPATH_FHIR_SERVERS.",
    ),
    "endpoint-refused": Trouble(
        HTTPStatus.BAD_GATEWAY,
        "The login of the health record cannot be used",
        "The health record names a login that is not safe to use: not encrypted, without PKCE, or "
        "on a server that this service is not set up to trust.",
        "Tell whoever looks after this service: a login on another server than the record's own "
        "has to stand in BACKPATH_FHIR_SERVERS as well.",
    ),
    "ehr-unreachable": Trouble(
        HTTPStatus.BAD_GATEWAY,
        "The health record does not answer",
        "The health record could not be reached, or did not answer in time.",
        f"Wait a moment. {AGAIN} {ASK}",
    ),
    "denied": Trouble(
        HTTPStatus.FORBIDDEN,
        "The chart was not opened",
        "The health record did not allow this service to read the chart: permission was not "
        "given, or the record does not grant it.",
        f"Nothing was read. If you want to see the pathway, {AGAIN[0].lower()}{AGAIN[1:]}",
    ),
    "expired": Trouble(
        HTTPStatus.BAD_REQUEST,
        "This view is closed",
        "A view of a chart can be opened once. This one was opened before, took longer than ten "
        "minutes to log in, or was begun in another browser.",
        AGAIN,
    ),
    "code-refused": Trouble(
        HTTPStatus.BAD_REQUEST,
        "The health record did not open the chart",
        "The permission to read the chart was used before, or is too old.",
        f"{AGAIN} {ASK}",
    ),
    "no-patient": Trouble(
        HTTPStatus.BAD_REQUEST,
        "No patient is chosen",
        "The health record opened this view without naming a patient.",
        "Open a patient's chart first, and start the pathway view from there.",
    ),
    "chart-not-read": Trouble(
        HTTPStatus.BAD_GATEWAY,
        "The chart could not be read",
        "Without the patient and the list of problems nothing can be said about back pain, and the "
        "health record did not give them: it may be busy, or your account may not see them.",
        f"Wait a moment. {AGAIN} {ASK}",
    ),
    "busy": Trouble(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Too many views at once",
        "More charts are being opened than this service takes on at a time.",
        f"Wait a moment. {AGAIN}",
    ),
    "off": Trouble(
        HTTPStatus.OK,
        "The pathway view is not switched on",
        "Here a SMART app opens from a patient's chart, once this service knows the health record.",
        "Register this service with the health record as a public SMART app, then set the "
        "variables below and start the service again.",
    ),
}
