"""One question to a FHIR server: asked, asked again when that may help, and read with suspicion."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from service.call_budget import BudgetSpent, CallBudget
from service.envelope import has_too_many_objects, read_json
from service.errors import RequestRefused
from service.fhir_address import AddressRefused, FhirAddress

# Only who may call imports what is needed to call: it takes longer than a stored request does.
if TYPE_CHECKING:
    import requests

    from service.pinned_http import PinnedHttp

CHUNK = 65_536
# Seconds before the second and the third attempt, unless the server names its own.
PAUSES = (0.1, 0.3)

_SECONDS = re.compile(r"[0-9]{1,6}")


class Outcome(StrEnum):
    """What came of the call-backs for one prefetch key."""

    FETCHED = "fetched"
    UNFINISHED = "unfinished"  # pages go on in a circle, without end, or on another server
    TIMEOUT = "timeout"
    REFUSED = "refused"  # by us: the server is not listed, or the question would be malformed
    BUSY = "busy"  # not asked: too many calls wait for FHIR servers, or for this one
    UNREACHABLE = "unreachable"
    UNAUTHORISED = "unauthorised"
    NOT_FOUND = "not-found"
    THROTTLED = "throttled"
    REDIRECTED = "redirected"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    OTHER_PATIENT = "other-patient"


class NoAnswer(Exception):
    """A question that brought nothing.

    Attributes:
        outcome: why.
        may_pass: whether asking again may help.
        pause: seconds the server asks us to wait first; None when it does not say.
    """

    def __init__(
        self, outcome: Outcome, *, may_pass: bool = False, pause: float | None = None
    ) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome
        self.may_pass = may_pass
        self.pause = pause


@contextmanager
def reaching() -> Iterator[None]:
    """While a server is looked up and asked: failing to reach it brings no answer.

    Raises:
        NoAnswer: its address is refused, the time is over, or nothing is reached there.
    """
    try:
        yield
    except AddressRefused:
        raise NoAnswer(Outcome.REFUSED) from None
    except (BudgetSpent, TimeoutError):
        raise NoAnswer(Outcome.TIMEOUT) from None
    except (OSError, UnicodeError):
        raise NoAnswer(Outcome.UNREACHABLE) from None


@dataclass(frozen=True, slots=True)
class Access:
    """How one call may reach its FHIR server.

    Attributes:
        ips: checked addresses of the server; connections go nowhere else.
        headers: sent with every question; they bear the token.
        largest: bytes of the longest answer, once decompressed.
    """

    http: PinnedHttp
    ips: tuple[str, ...]
    headers: Mapping[str, str]
    budget: CallBudget
    largest: int


def ask(address: FhirAddress, access: Access) -> tuple[dict[str, Any], int]:
    """The JSON object a server answers with, and its length in bytes.

    Only what may pass is asked again: reading changes nothing on the server, so a repeat is safe.

    Raises:
        NoAnswer: there is none.
    """
    for attempt, pause in enumerate((*PAUSES, None)):
        ip = access.ips[attempt % len(access.ips)]
        try:
            return _ask_once(address, ip, access)
        except NoAnswer as failure:
            if not failure.may_pass or pause is None:
                raise
            try:
                access.budget.wait(pause if failure.pause is None else failure.pause)
            except BudgetSpent:
                raise failure from None
    raise AssertionError("the last attempt answers or raises")


def _ask_once(address: FhirAddress, ip: str, access: Access) -> tuple[dict[str, Any], int]:
    try:
        with access.http.get(address, ip, access.headers, access.budget) as response:
            _check_status(response)
            _check_kind(response)
            body = _read(response, access)
    except BudgetSpent:
        raise NoAnswer(Outcome.TIMEOUT) from None
    except access.http.broken as broken:
        raise _told(broken, access) from None
    if has_too_many_objects(body):
        raise NoAnswer(Outcome.TOO_LARGE)
    try:
        return read_json(body), len(body)
    except RequestRefused:
        raise NoAnswer(Outcome.UNREADABLE) from None


def _told(broken: Exception, access: Access) -> NoAnswer:
    """What a broken exchange means; once the time is over, everything breaks."""
    try:
        access.budget.left()
    except BudgetSpent:
        return NoAnswer(Outcome.TIMEOUT)
    if isinstance(broken, access.http.unreachable):
        return NoAnswer(Outcome.UNREACHABLE, may_pass=True)
    if isinstance(broken, access.http.late):
        return NoAnswer(Outcome.TIMEOUT)
    return NoAnswer(Outcome.UNREADABLE)


def _check_status(response: requests.Response) -> None:
    match response.status_code:
        case HTTPStatus.OK:
            return
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise NoAnswer(Outcome.UNAUTHORISED)
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            raise NoAnswer(Outcome.NOT_FOUND)
        case HTTPStatus.TOO_MANY_REQUESTS:
            raise NoAnswer(Outcome.THROTTLED, may_pass=True, pause=_asked_pause(response))
        case HTTPStatus.BAD_GATEWAY | HTTPStatus.SERVICE_UNAVAILABLE | HTTPStatus.GATEWAY_TIMEOUT:
            raise NoAnswer(Outcome.FAILED, may_pass=True, pause=_asked_pause(response))
        case status if 300 <= status < 400:
            # Followed, it would lead round the list of servers, and take the token along.
            raise NoAnswer(Outcome.REDIRECTED)
        case _:
            raise NoAnswer(Outcome.FAILED)


def _asked_pause(response: requests.Response) -> float | None:
    """The seconds of Retry-After; a date in it is left unread, for our clocks may differ."""
    said = response.headers.get("Retry-After", "").strip()
    return float(said) if _SECONDS.fullmatch(said) else None


def _check_kind(response: requests.Response) -> None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise NoAnswer(Outcome.UNREADABLE)


def _read(response: requests.Response, access: Access) -> bytes:
    """The decompressed body, as far as it is not too long."""
    body = bytearray()
    for chunk in response.raw.stream(CHUNK, decode_content=True):
        body += chunk
        if len(body) > access.largest or not access.budget.spend(len(chunk)):
            raise NoAnswer(Outcome.TOO_LARGE)
        access.budget.left()
    return bytes(body)
