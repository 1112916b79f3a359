"""Asking an EHR's FHIR server: all questions of one hook call at once, within one budget."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.call_budget import BudgetSpent, CallBudget
from service.calls_away import CallsAway
from service.fhir_address import AddressRefused, FhirAddress, read_address
from service.fhir_allow_list import AllowList
from service.fhir_answer import Access, NoAnswer, Outcome, ask, reaching
from service.log import log_event
from service.patient_record.bundle import kind_of
from service.patient_record.elements import Resource, TooManyElements, objects, text
from service.settings import Settings

if TYPE_CHECKING:
    from service.pinned_http import PinnedHttp

# Calls of one process that wait for FHIR servers at a time, at most, and their threads: enough for
# all questions of all of them, so that one slow server does not keep the questions to another
# waiting. Threads start when first needed.
MOST_AWAY = 16
THREADS = 16 * MOST_AWAY
# Idle connections kept to each server, of each process.
KEPT = 16
MOST_PAGES = 100
# All answers of one hook call together may be this many times as long as one of them.
SHARE = 4
SEARCHED = "searchset"
ACCEPTED = {
    "Accept": "application/fhir+json, application/json;q=0.9",
    "Accept-Encoding": "gzip",
    "User-Agent": "backpath",
}
# RFC 6750 §2.1 allows less, and some servers issue more; a line break would start a new header.
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


Aside = Callable[[], AbstractContextManager[None]]
"""Makes room for others while a ``with`` block waits; may raise when there is none after."""


@dataclass(slots=True)
class Question:
    """One query, and what has come of it so far.

    Attributes:
        kind: the resource type of the answer: Patient for a read, Bundle for a search.
        pages: the answers received, in order; one thread adds while another may look.
    """

    address: FhirAddress
    kind: str
    pages: list[Resource] = field(default_factory=list)
    outcome: Outcome = Outcome.TIMEOUT


class FhirClient:
    """The only way from the service to FHIR servers."""

    def __init__(
        self, allowed: AllowList, seconds: float, largest: int, most_away: int = MOST_AWAY
    ) -> None:
        """Make ready to call.

        Args:
            allowed: the servers that may be called.
            seconds: what one hook call may spend on all its call-backs.
            largest: bytes of the longest answer to one question, all its pages together.
            most_away: hook calls that may wait for FHIR servers at a time.
        """
        self.allowed = allowed
        self._away = CallsAway(most_away)
        self._seconds = seconds
        self._largest = largest
        self._http = None if allowed.is_empty else _http_for(allowed)
        # Its threads start on first use, hence in the worker and not before the server forks it.
        self._threads = ThreadPoolExecutor(THREADS, "call-back")

    @property
    def may_call(self) -> bool:
        """Whether there is any server that may be called."""
        return self._http is not None

    def put(
        self,
        server: FhirAddress,
        token: object,
        questions: Sequence[Question],
        aside: Aside = nullcontext,
    ) -> None:
        """Put all questions at once; each bears its outcome when this returns.

        It returns when all are answered or the budget is spent, whichever is first; at once when
        too many other calls wait already.

        Args:
            token: the access token the client sent; None or empty when there is none.
            aside: entered while it waits.
        """
        if not self._away.enter(server):
            for question in questions:
                question.outcome = Outcome.BUSY
            return
        try:
            with aside():
                self._put(server, token, questions)
        finally:
            self._away.leave(server)

    def _put(self, server: FhirAddress, token: object, questions: Sequence[Question]) -> None:
        budget = CallBudget(self._seconds, SHARE * self._largest)
        try:
            access = self._access(server, token, budget)
        except NoAnswer as failure:
            for question in questions:
                question.outcome = failure.outcome
            return
        under_way = [
            self._threads.submit(_follow, question, access, self.allowed) for question in questions
        ]
        _collect(questions, under_way, budget)

    def _access(self, server: FhirAddress, token: object, budget: CallBudget) -> Access:
        if self._http is None:
            raise NoAnswer(Outcome.REFUSED)
        headers = {**ACCEPTED, **_authorization(token)}
        ips = self._ips(server, budget)
        return Access(self._http, ips, headers, budget, self._largest)

    def _ips(self, server: FhirAddress, budget: CallBudget) -> tuple[str, ...]:
        """The checked addresses of a server; looked up in a thread, for a look-up may hang."""
        found = self._threads.submit(self.allowed.addresses_of, server)
        with reaching():
            return found.result(budget.left())


def client_of(settings: Settings) -> FhirClient:
    """The client these settings allow."""
    servers = tuple(map(read_address, settings.fhir_servers))
    if settings.allow_loopback:
        log_event(logging.WARNING, "call-backs to this machine are allowed", {})
    if unsafe := sum(server.scheme == "http" for server in servers):
        log_event(logging.WARNING, "call-backs without TLS are allowed", {"servers": unsafe})
    allowed = AllowList(servers, settings.fhir_networks, settings.allow_loopback)
    seats = settings.max_running_calls + settings.max_waiting_calls
    return FhirClient(
        allowed,
        settings.callback_budget_seconds,
        settings.max_body_bytes,
        # Who waits for a FHIR server sits on a seat: half of them stay for calls that do not.
        most_away=max(1, min(MOST_AWAY, seats // 2)),
    )


def _http_for(allowed: AllowList) -> PinnedHttp:
    # Only who may call imports what is needed to call.
    from service.pinned_http import PinnedHttp  # noqa: PLC0415

    secure = any(server.scheme == "https" for server in allowed.servers)
    return PinnedHttp(KEPT, secure=secure)


NO_CLIENT = FhirClient(AllowList(), seconds=0, largest=0)


def _collect(
    questions: Sequence[Question], under_way: Sequence[Future[Outcome]], budget: CallBudget
) -> None:
    """Wait for the answers while the budget lasts, then cut off the others."""
    with suppress(BudgetSpent):
        wait(under_way, budget.left())
    budget.end()
    for question, answer in zip(questions, under_way, strict=True):
        if answer.cancel() or not answer.done():
            question.outcome = Outcome.TIMEOUT
        elif broken := answer.exception():
            # A defect of ours; the call is answered without this key, and its message unread.
            log_event(logging.ERROR, "call-back failed", {"type": type(broken).__name__})
            question.outcome = Outcome.FAILED
        else:
            question.outcome = answer.result()


def _authorization(token: object) -> dict[str, str]:
    if token in (None, ""):
        return {}
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise NoAnswer(Outcome.UNAUTHORISED)
    return {"Authorization": f"Bearer {token}"}


def _follow(question: Question, access: Access, allowed: AllowList) -> Outcome:
    """Ask, and follow the pages to the last; the outcome says where that ended."""
    address, length, seen = question.address, 0, set[FhirAddress]()
    while address not in seen and len(seen) < MOST_PAGES:
        seen.add(address)
        try:
            page, size = ask(address, access)
            _check_page(page, question.kind)
        except NoAnswer as failure:
            return failure.outcome
        length += size
        if length > access.largest:
            return Outcome.TOO_LARGE
        question.pages.append(page)
        link = next_link(page)
        if link is None:
            return Outcome.FETCHED
        try:
            address = address.linked(link)
            allowed.check(address)
        except AddressRefused:
            break
    return Outcome.UNFINISHED


def _check_page(page: Resource, kind: str) -> None:
    if kind_of(page) == "OperationOutcome":
        raise NoAnswer(Outcome.FAILED)
    if kind_of(page) != kind or (kind == "Bundle" and (page.get("type") or SEARCHED) != SEARCHED):
        raise NoAnswer(Outcome.UNREADABLE)


def next_link(page: Resource) -> str | None:
    """The address of the page after this one, empty when it is not told; None after the last."""
    if kind_of(page) != "Bundle":
        return None
    try:
        links = objects(page.get("link"))
    except TooManyElements:
        return ""
    for link in links:
        if text(link.get("relation")).lower() == "next":
            return text(link.get("url"))
    return None
