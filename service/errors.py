"""What a client is told when a request is refused: FHIR OperationOutcome, never patient data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WHOLE_BODY = "$this"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request.

    Attributes:
        text: what is wrong, in words of ours only; never a value of the request.
        path: where, such as ``context.patientId``; only member names our schemas know.
        code: FHIR issue type.
    """

    text: str
    path: str = WHOLE_BODY
    code: str = "invalid"


class RequestRefused(Exception):
    """A request that gets an HTTP status other than 200, and why.

    Attributes:
        callbacks: each prefetch key the FHIR server was asked for, and what came of it.
    """

    def __init__(self, status: int, *problems: Problem) -> None:
        super().__init__(f"refused with {status}")
        self.status = status
        self.problems = problems
        self.callbacks: Mapping[str, str] = {}


def outcome(problems: tuple[Problem, ...]) -> dict[str, Any]:
    """The OperationOutcome that names these problems."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": problem.code,
                "diagnostics": problem.text,
                "expression": [problem.path],
            }
            for problem in problems
        ],
    }


def malformed(text: str, path: str = WHOLE_BODY) -> RequestRefused:
    """400: the request cannot be read as what it should be."""
    return RequestRefused(400, Problem(text, path, "structure"))


def mismatched(text: str, path: str) -> RequestRefused:
    """400: the request can be read and contradicts itself."""
    return RequestRefused(400, Problem(text, path, "value"))


def not_served() -> RequestRefused:
    """404: nothing is served at this address, or not by these settings."""
    return RequestRefused(404, Problem("Nothing is served at this address.", "url", "not-found"))


def unauthenticated() -> RequestRefused:
    """401: the client did not prove to be a trusted one; it is not told what was wrong."""
    return RequestRefused(
        401, Problem("The client is not authenticated.", "Authorization", "login")
    )


def unknown_service() -> RequestRefused:
    """404: no service has this id."""
    return RequestRefused(
        404, Problem("No service has this id; GET /cds-services lists them.", "id", "not-found")
    )


def data_missing(key: str) -> RequestRefused:
    """412: this prefetch key is required and did not arrive in a readable form."""
    return RequestRefused(
        412,
        Problem(
            f"The prefetch key '{key}' is required, and was not sent, empty, or not readable.",
            f"prefetch.{key}",
            "required",
        ),
    )


def too_large(limit: int) -> RequestRefused:
    """413: the body is longer than this many bytes."""
    return RequestRefused(
        413, Problem(f"The body is larger than {limit} bytes.", WHOLE_BODY, "too-long")
    )


def too_many(most: int, of_what: str) -> RequestRefused:
    """413: the body holds more of these than this, each cheap to send and dear to judge."""
    text = f"The body holds more than {most} {of_what}."
    return RequestRefused(413, Problem(text, WHOLE_BODY, "too-costly"))


def not_json(text: str) -> RequestRefused:
    """415: the body does not claim to be JSON."""
    return RequestRefused(415, Problem(text, WHOLE_BODY, "not-supported"))


def busy() -> RequestRefused:
    """503: more calls are running and waiting than this process takes on."""
    return RequestRefused(
        503, Problem("Too many calls at once; send it again shortly.", WHOLE_BODY, "throttled")
    )


def broken_off() -> RequestRefused:
    """400: the body did not arrive to its end, or stalled on its way."""
    return malformed("The body did not arrive whole.")


def unavailable(text: str) -> RequestRefused:
    """503: the request may be right, and cannot be served now."""
    return RequestRefused(503, Problem(text, WHOLE_BODY, "transient"))
